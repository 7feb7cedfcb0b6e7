//! A ledger that ends with the process: for tests, benchmarks and simulations.

use parking_lot::Mutex;

use super::totals::{Head, Place, Totals};
use super::{Ledger, LedgerEntry, LedgerFault, LedgerReport};

/// All entries, in memory.
#[derive(Debug, Default)]
pub struct MemoryLedger {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    entries: Vec<LedgerEntry>,
    totals: Totals,
}

impl MemoryLedger {
    /// Every entry so far, in order.
    pub fn entries(&self) -> Vec<LedgerEntry> {
        self.inner.lock().entries.clone()
    }
}

impl Ledger for MemoryLedger {
    fn write(&self, entry: &LedgerEntry) -> Result<(), LedgerFault> {
        let mut inner = self.inner.lock();
        let offset = u64::try_from(inner.entries.len()).unwrap_or(u64::MAX);
        inner.totals.add(Head::from(entry), Place { offset, bytes: 0 });
        inner.entries.push(entry.clone());
        Ok(())
    }

    fn find(&self, key: &str) -> Result<Option<LedgerEntry>, LedgerFault> {
        let inner = self.inner.lock();
        let place = inner.totals.find(key).and_then(|place| usize::try_from(place.offset).ok());
        Ok(place.and_then(|at| inner.entries.get(at)).cloned())
    }

    fn struck(&self, fault: u32, place: Option<&str>) -> u64 {
        self.inner.lock().totals.struck(fault, place)
    }

    fn is_cancelled(&self, key: &str) -> bool {
        self.inner.lock().totals.is_cancelled(key)
    }

    fn report(&self) -> Result<LedgerReport, LedgerFault> {
        Ok(self.inner.lock().totals.report.clone())
    }
}
