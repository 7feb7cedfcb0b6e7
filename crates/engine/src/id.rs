//! Typed names of things. Ids are text, so that a person can paste one anywhere.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Declares a cheap-to-clone text id.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps text that is already known to be such an id.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }
        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

text_id! {
    /// One execution of a definition version: `run_` and 26 Crockford base-32 characters, sortable
    /// by the time of its start.
    RunId
}
text_id! {
    /// The organisation that owns a thing; nothing crosses it.
    OrgId
}
text_id! {
    /// Where a step instance stands in its run: `strategist`, `draft[2].copy`, `scenes[17].image`.
    /// Unique in the run, stable for ever.
    StepKey
}
text_id! {
    /// A stored asset: `ast_` and 26 characters.
    AssetId
}
text_id! {
    /// Lower-case hexadecimal SHA-256 of some bytes.
    Digest
}

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self::from_raw(&sha2::Sha256::digest(bytes))
    }

    /// Writes 32 raw bytes as hexadecimal text.
    pub fn from_raw(raw: &[u8]) -> Self {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let text: String = raw
            .iter()
            .flat_map(|byte| [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]])
            .map(char::from)
            .collect();
        Self(text.into())
    }
}

/// The right to report on one attempt. A report with another token than the attempt's changes
/// nothing. 64 random bits, written as 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl std::str::FromStr for Token {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text, 16).map(Self)
    }
}
impl Serialize for Token {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl RunId {
    /// The id of a run that starts `now`, from 128 random bits of which 80 are used.
    pub fn at(now: crate::at::Timestamp, random: [u64; 2]) -> Self {
        Self(format!("run_{}", sortable(now, random)).into())
    }
}

impl AssetId {
    /// The id of an asset that a step's attempt made: the same attempt makes the same ids.
    pub fn of(run: &RunId, token: Token, no: u32) -> Self {
        let digest = Digest::of(format!("{run}/{token}/{no}").as_bytes());
        let short = digest.as_str().get(..26).unwrap_or_default();
        Self(format!("ast_{short}").into())
    }
}

/// 26 characters of Crockford base 32: 48 bits of milliseconds, then 80 random bits.
pub fn sortable(now: crate::at::Timestamp, random: [u64; 2]) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let millis = u128::from((now.0 / 1000).unsigned_abs()) & ((1 << 48) - 1);
    let random = (u128::from(random[0]) << 16) | u128::from(random[1] & 0xffff);
    let bits = (millis << 80) | random;
    (0..26u32)
        .rev()
        .filter_map(|at| {
            let five = usize::try_from((bits >> (at * 5)) & 31).ok()?;
            ALPHABET.get(five).copied().map(char::from)
        })
        .collect()
}
