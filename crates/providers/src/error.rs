//! How a call fails: what kind of failure, and whether it may have had an effect all the same.
//!
//! The class comes from the HTTP status or from the typed error of the connection, never from
//! words in a message. The outcome decides about money: only what certainly had no effect may be
//! sent again without asking.

mod retry_after;

use showrunner_engine::at::Millis;
use showrunner_engine::failure::{ErrorClass, Failure};

use crate::model::ModelAnswer;
pub use retry_after::{RETRY_AFTER_MAX, parse_retry_after};

/// Whether a failed call may have been carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It never left.
    NotSent,
    /// The provider answered that it did not do it.
    Refused,
    /// Nobody knows: it may have been done and billed.
    Unknown,
    /// It was carried out and billed, and what came of it is no use: an answer that was cut off,
    /// or a refusal. Such a failure carries what was billed.
    Done,
}

/// A call that gave no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message} ({code})")]
pub struct CallFailure {
    /// What kind of failure.
    pub class: ErrorClass,
    /// A stable short code.
    pub code: String,
    /// What happened, for people. Never holds secrets.
    pub message: String,
    /// How long the provider asked us to wait.
    pub retry_after: Option<Millis>,
    /// Whether it may have been carried out.
    pub outcome: Outcome,
    /// The provider's own name of the request, for its support.
    pub request_id: Option<String>,
    /// What was answered and billed all the same, where that is known ([`Outcome::Done`]).
    pub billed: Option<Box<ModelAnswer>>,
}

impl CallFailure {
    /// A failure without a wish to wait.
    pub fn new(
        class: ErrorClass,
        outcome: Outcome,
        code: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            class,
            code: code.into(),
            message: message.into(),
            retry_after: None,
            outcome,
            request_id: None,
            billed: None,
        }
    }

    /// The failure that an HTTP answer with this status means.
    pub fn from_status(provider: &str, status: u16, retry_after: Option<Millis>) -> Self {
        let (class, outcome) = class_of_status(status);
        let code = format!("http_{status}");
        let message = format!("{provider} answered with status {status}");
        Self { class, code, message, retry_after, outcome, request_id: None, billed: None }
    }

    /// Whether the call is in doubt.
    pub fn is_in_doubt(&self) -> bool {
        self.outcome == Outcome::Unknown
    }

    /// As the failure of an attempt.
    pub fn into_failure(self) -> Failure {
        Failure {
            class: self.class,
            code: self.code,
            message: self.message,
            retry_after_ms: self.retry_after.map(|span| span.0),
        }
    }
}

/// What an HTTP status other than 2xx means.
///
/// A 4xx, and a server that says it is too busy, has done nothing. After any other 5xx the work
/// may have been done behind the server that gave up on it.
pub fn class_of_status(status: u16) -> (ErrorClass, Outcome) {
    use ErrorClass as Class;
    match status {
        402 => (Class::QuotaExceeded, Outcome::Refused),
        408 => (Class::Timeout, Outcome::Refused),
        409 | 423 | 425 | 503 | 529 => (Class::Transient, Outcome::Refused),
        429 => (Class::RateLimited, Outcome::Refused),
        // A wrong key, a withdrawn model, a ban or a redirect (not followed with a key in hand)
        // binds this provider, not the work.
        300..=399 | 401 | 403 | 404 | 405 | 410 | 451 | 501 | 505 => {
            (Class::Provider, Outcome::Refused)
        },
        499 => (Class::Cancelled, Outcome::Unknown),
        400..=498 => (Class::Validation, Outcome::Refused),
        504 => (Class::Timeout, Outcome::Unknown),
        500..=599 => (Class::Transient, Outcome::Unknown),
        // No HTTP that we know.
        _ => (Class::Provider, Outcome::Unknown),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

    use std::fmt::Write as _;

    use expect_test::expect;

    use super::*;

    #[test]
    fn every_status_has_its_class_and_says_whether_money_may_be_gone() {
        let mut table = String::new();
        for status in [
            302, 400, 401, 402, 403, 404, 408, 409, 410, 413, 418, 422, 425, 429, 451, 499, 500,
            501, 502, 503, 504, 520, 529, 599, 700, 101, 0,
        ] {
            let (class, outcome) = class_of_status(status);
            writeln!(table, "{status} {} {outcome:?}", class.name()).unwrap();
        }
        expect![[r#"
            302 provider Refused
            400 validation Refused
            401 provider Refused
            402 quota_exceeded Refused
            403 provider Refused
            404 provider Refused
            408 timeout Refused
            409 transient Refused
            410 provider Refused
            413 validation Refused
            418 validation Refused
            422 validation Refused
            425 transient Refused
            429 rate_limited Refused
            451 provider Refused
            499 cancelled Unknown
            500 transient Unknown
            501 provider Refused
            502 transient Unknown
            503 transient Refused
            504 timeout Unknown
            520 transient Unknown
            529 transient Refused
            599 transient Unknown
            700 provider Unknown
            101 provider Unknown
            0 provider Unknown
        "#]]
        .assert_eq(&table);
    }

    #[test]
    fn a_failed_call_becomes_a_failed_attempt() {
        let failure = CallFailure::from_status("fal", 429, Some(Millis(2_000)));
        assert!(!failure.is_in_doubt());
        let failure = failure.into_failure();
        assert_eq!((failure.class, failure.retry_after_ms), (ErrorClass::RateLimited, Some(2_000)));
        assert_eq!(failure.message, "fal answered with status 429");
    }
}
