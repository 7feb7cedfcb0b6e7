//! Everything that can go wrong with a call, and whether it is billed all the same.

use serde::{Deserialize, Serialize};

/// A way to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// 429, wait some seconds.
    LimitedSeconds,
    /// 429, wait until a date.
    LimitedDate,
    /// 429, wait for a thousand years.
    LimitedHuge,
    /// 429, wait a negative time.
    LimitedNegative,
    /// 429, wait some milliseconds.
    LimitedMillis,
    /// 429, and only the headers of the limits say until when.
    LimitedReset,
    /// The month's money is spent.
    Spent,
    /// 401.
    WrongKey,
    /// 403.
    Forbidden,
    /// 404: no such model.
    NoModel,
    /// 408.
    SlowRequest,
    /// 409.
    Conflict,
    /// 413.
    TooLong,
    /// 422.
    Unprocessable,
    /// 425.
    TooEarly,
    /// 500.
    Internal,
    /// 502 from a proxy, in HTML.
    BadGateway,
    /// 503.
    Unavailable,
    /// 504.
    GatewayTimeout,
    /// 529 (Anthropic), 503 of the others.
    Overloaded,
    /// A redirect to somewhere else.
    Redirect,
    /// The connection is closed before anything is done.
    Hangup,
    /// Nothing ever comes, and nothing is done.
    SilentBefore,
    /// Nothing ever comes, though it is done.
    SilentAfter,
    /// Done, and the connection is closed before the answer.
    LostAnswer,
    /// The connection is reset in the middle of the answer.
    ResetMidBody,
    /// The stream ends, as streams end, between two events.
    CutBetween,
    /// The stream ends within an event.
    CutInside,
    /// The stream stands still in the middle.
    Stall,
    /// A few bytes at a time.
    SlowDrip,
    /// An event whose JSON is cut off.
    TruncatedJson,
    /// Bytes that are no text.
    InvalidUtf8,
    /// 200, with an error as its body.
    ErrorBody,
    /// 200, with a page in HTML.
    HtmlBody,
    /// An error within the stream, before anything else.
    ErrorFirst,
    /// An error within the stream, after half of the answer.
    ErrorMidStream,
    /// 50 MB of answer.
    Huge,
    /// An answer that does not fit the schema.
    WrongSchema,
    /// An answer, or arguments of a tool, that are no JSON.
    InvalidArguments,
    /// The vendor does not say what was used.
    NoUsage,
    /// The connection breaks after the reason for the end, before the usage.
    CutBeforeUsage,
    /// The model will not.
    Refusal,
    /// The vendor's filter will not.
    Filtered,
    /// The limit of tokens.
    CutOff,
    /// 500, though it is done.
    InternalAfter,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 45] = [
        Self::LimitedSeconds,
        Self::LimitedDate,
        Self::LimitedHuge,
        Self::LimitedNegative,
        Self::LimitedMillis,
        Self::LimitedReset,
        Self::Spent,
        Self::WrongKey,
        Self::Forbidden,
        Self::NoModel,
        Self::SlowRequest,
        Self::Conflict,
        Self::TooLong,
        Self::Unprocessable,
        Self::TooEarly,
        Self::Internal,
        Self::BadGateway,
        Self::Unavailable,
        Self::GatewayTimeout,
        Self::Overloaded,
        Self::Redirect,
        Self::Hangup,
        Self::SilentBefore,
        Self::SilentAfter,
        Self::LostAnswer,
        Self::ResetMidBody,
        Self::CutBetween,
        Self::CutInside,
        Self::Stall,
        Self::SlowDrip,
        Self::TruncatedJson,
        Self::InvalidUtf8,
        Self::ErrorBody,
        Self::HtmlBody,
        Self::ErrorFirst,
        Self::ErrorMidStream,
        Self::Huge,
        Self::WrongSchema,
        Self::InvalidArguments,
        Self::NoUsage,
        Self::CutBeforeUsage,
        Self::Refusal,
        Self::Filtered,
        Self::CutOff,
        Self::InternalAfter,
    ];
}
