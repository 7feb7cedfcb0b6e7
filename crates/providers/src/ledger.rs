//! What a scripted provider has been asked and has billed: its own books, outside our database,
//! so that a test can hold ours against them.

mod file;
mod memory;
mod totals;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use showrunner_engine::id::Digest;

pub use file::{Durability, FileLedger};
pub use memory::MemoryLedger;

/// One call that arrived at the provider. Names are short for the same reason as in events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// When it arrived, microseconds since the epoch.
    pub at_us: i64,
    /// The idempotency key.
    pub key: String,
    /// Who asked.
    pub agent: String,
    /// For which run and step, `run_…/strategist`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub place: String,
    /// What was asked.
    pub request_digest: Digest,
    /// What was billed for it.
    pub billed_micro_usd: i64,
    /// What became of it.
    pub outcome: LedgerOutcome,
    /// SHA-256 of the answer, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_digest: Option<Digest>,
    /// The answer itself, kept where the provider can be asked for it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Value>,
    /// The rule of the fault plan that struck, by its position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<u32>,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerOutcome {
    /// Done, billed, answered.
    Answered,
    /// Done and billed, but the answer did not get through.
    Lost,
    /// Not done, not billed.
    Refused,
    /// The key was known: the first answer was given again, nothing was billed.
    Replayed,
    /// A job done so far was stopped by its owner; what was billed stays billed.
    Cancelled,
}

/// The books of one or more scripted providers. Every entry outlives the process as soon as
/// [`Self::write`] has returned.
pub trait Ledger: Send + Sync + std::fmt::Debug {
    /// Enters a call.
    fn write(&self, entry: &LedgerEntry) -> Result<(), LedgerFault>;

    /// The first done call (answered or lost) under this key.
    fn find(&self, key: &str) -> Result<Option<LedgerEntry>, LedgerFault>;

    /// How often the fault rule has struck so far, at `place` or anywhere.
    fn struck(&self, fault: u32, place: Option<&str>) -> u64;

    /// Whether the job under this key was stopped by its owner.
    fn is_cancelled(&self, key: &str) -> bool;

    /// The sums.
    fn report(&self) -> Result<LedgerReport, LedgerFault>;
}

/// The books cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the ledger at {path}: {error}")]
pub struct LedgerFault {
    /// Which file.
    pub path: String,
    /// What happened.
    #[source]
    pub error: std::io::Error,
}

/// The sums of a ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerReport {
    /// Calls that arrived.
    pub calls: u64,
    /// Calls done and answered.
    pub answered: u64,
    /// Calls done whose answer was lost.
    pub lost: u64,
    /// Calls refused.
    pub refused: u64,
    /// Calls answered from the books.
    pub replayed: u64,
    /// Jobs stopped by their owner.
    pub cancelled: u64,
    /// Everything billed, in micro-dollars.
    pub billed_micro_usd: i64,
    /// Different keys that were billed.
    pub keys_billed: u64,
    /// Keys billed more than once, the first hundred of them: the promise is that there are none.
    pub keys_billed_twice: Vec<String>,
    /// How many such keys there are.
    pub keys_billed_twice_count: u64,
    /// Lines that could not be read; one torn line at the end of a killed process is normal.
    pub unreadable_lines: u64,
}
