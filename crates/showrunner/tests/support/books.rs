//! The simulator's own books, read from outside: what was really billed.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

/// The sums of the books.
#[derive(Debug, Default)]
pub(crate) struct Books {
    /// By idempotency key: micro-dollars, and how often it was billed.
    pub(crate) billed: BTreeMap<String, (i64, u32)>,
    /// Calls that arrived, by what became of them.
    pub(crate) calls: BTreeMap<String, u64>,
    /// Lines whose writer was killed in the middle of them.
    pub(crate) torn: u64,
}

impl Books {
    pub(crate) fn of(data: &Path) -> Self {
        let bytes = std::fs::read(data.join("ledger/ledger.jsonl")).unwrap_or_default();
        let mut books = Self::default();
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let Ok(entry) = serde_json::from_slice::<Value>(line) else {
                books.torn += 1;
                continue;
            };
            let outcome = entry["outcome"].as_str().unwrap();
            *books.calls.entry(outcome.to_owned()).or_default() += 1;
            if outcome == "answered" || outcome == "lost" {
                let key = entry["key"].as_str().unwrap().to_owned();
                let (cost, times) = books.billed.entry(key).or_default();
                *cost += entry["billed_micro_usd"].as_i64().unwrap();
                *times += 1;
            }
        }
        books
    }

    /// What was billed under a key; `None` when nothing was done.
    pub(crate) fn cost(&self, key: &str) -> Option<i64> {
        self.billed.get(key).map(|(cost, _)| *cost)
    }

    pub(crate) fn total(&self) -> i64 {
        self.billed.values().map(|(cost, _)| cost).sum()
    }
}
