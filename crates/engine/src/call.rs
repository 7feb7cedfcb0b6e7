//! What recorded calls add up to.

use crate::money::Spend;
pub use crate::turn::CallRecord;

/// What some calls cost together.
pub fn total<'a>(calls: impl IntoIterator<Item = &'a CallRecord>) -> Spend {
    calls.into_iter().fold(Spend::ZERO, |sum, call| sum.plus(call.spend()))
}
