//! The running sums of a ledger and where each key's done call is written.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{LedgerEntry, LedgerOutcome, LedgerReport};

/// So many doubly billed keys are named in a report.
const NAMED_MAX: usize = 100;

/// Where an entry is: for a file the byte offset and length of its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) bytes: u32,
}

/// The part of an entry that sums need; reading a file back keeps no answer in memory.
#[derive(Deserialize)]
pub(super) struct Head {
    key: String,
    #[serde(default)]
    place: String,
    billed_micro_usd: i64,
    outcome: LedgerOutcome,
    #[serde(default)]
    fault: Option<u32>,
}

impl From<&LedgerEntry> for Head {
    fn from(entry: &LedgerEntry) -> Self {
        Self {
            key: entry.key.clone(),
            place: entry.place.clone(),
            billed_micro_usd: entry.billed_micro_usd,
            outcome: entry.outcome,
            fault: entry.fault,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) report: LedgerReport,
    /// By the first half of the key's SHA-256: keys are long and there are millions.
    done: HashMap<[u8; 16], (Place, u32)>,
    cancelled: HashSet<[u8; 16]>,
    struck: HashMap<u32, u64>,
    struck_at: HashMap<(u32, String), u64>,
}

impl Totals {
    /// Counts an entry that is written at `place`.
    pub(super) fn add(&mut self, head: Head, place: Place) {
        let report = &mut self.report;
        report.calls += 1;
        report.billed_micro_usd = report.billed_micro_usd.saturating_add(head.billed_micro_usd);
        match head.outcome {
            LedgerOutcome::Answered => report.answered += 1,
            LedgerOutcome::Lost => report.lost += 1,
            LedgerOutcome::Refused => report.refused += 1,
            LedgerOutcome::Replayed => report.replayed += 1,
            LedgerOutcome::Cancelled => {
                report.cancelled += 1;
                self.cancelled.insert(short(&head.key));
            },
        }
        if let Some(fault) = head.fault {
            *self.struck.entry(fault).or_default() += 1;
            *self.struck_at.entry((fault, head.place)).or_default() += 1;
        }
        if matches!(head.outcome, LedgerOutcome::Answered | LedgerOutcome::Lost) {
            let (_, times) = self.done.entry(short(&head.key)).or_insert((place, 0));
            *times += 1;
            match *times {
                1 => report.keys_billed += 1,
                2 => {
                    report.keys_billed_twice_count += 1;
                    if report.keys_billed_twice.len() < NAMED_MAX {
                        report.keys_billed_twice.push(head.key);
                    }
                },
                _ => {},
            }
        }
    }

    /// Where the first done call under this key is.
    pub(super) fn find(&self, key: &str) -> Option<Place> {
        self.done.get(&short(key)).map(|(place, _)| *place)
    }

    pub(super) fn is_cancelled(&self, key: &str) -> bool {
        self.cancelled.contains(&short(key))
    }

    pub(super) fn struck(&self, fault: u32, place: Option<&str>) -> u64 {
        match place {
            None => self.struck.get(&fault).copied().unwrap_or(0),
            Some(place) => self.struck_at.get(&(fault, place.to_owned())).copied().unwrap_or(0),
        }
    }
}

fn short(key: &str) -> [u8; 16] {
    let whole: [u8; 32] = Sha256::digest(key.as_bytes()).into();
    let mut half = [0; 16];
    for (to, from) in half.iter_mut().zip(whole) {
        *to = from;
    }
    half
}
