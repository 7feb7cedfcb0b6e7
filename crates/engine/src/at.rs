//! Time and fresh randomness as values. The engine never asks for either.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::Token;

/// An instant: microseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// This instant and a span later; saturates at the end of time.
    pub fn plus(self, span: Millis) -> Self {
        let micros = i64::try_from(span.0).unwrap_or(i64::MAX).saturating_mul(1000);
        Self(self.0.saturating_add(micros))
    }

    /// Milliseconds from `earlier` to this instant; zero when it is not earlier.
    pub fn millis_since(self, earlier: Self) -> Millis {
        Millis(u64::try_from(self.0.saturating_sub(earlier.0) / 1000).unwrap_or(0))
    }

    /// RFC 3339 text in UTC with microseconds, as shown at every interface.
    pub fn to_rfc3339(self) -> String {
        jiff::Timestamp::from_microsecond(self.0)
            .map_or_else(|_| self.0.to_string(), |t| t.to_string())
    }
}
impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}", self.0)
    }
}

/// A span of time in milliseconds.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// So many seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }
}

/// When a command is decided, and the randomness it may use. Two equal `At` make two equal
/// decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// The instant of the decision.
    pub now: Timestamp,
    /// Fresh random bits; tokens and jitter are derived from it by position.
    pub seed: u64,
}

impl At {
    /// The `n`th 64 bits of this decision (SplitMix64, so that one seed serves many).
    pub fn bits(self, n: u32) -> u64 {
        let mut z = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15u64.wrapping_mul(u64::from(n) + 1));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The `n`th attempt token of this decision.
    pub fn token(self, n: u32) -> Token {
        Token(self.bits(n))
    }
}
