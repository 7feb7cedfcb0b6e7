//! A ledger in a file of its own: one JSON line per call, appended with one write each, so that
//! whoever kills the process at whatever moment loses no call that was answered.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;

use super::totals::{Head, Place, Totals};
use super::{Ledger, LedgerEntry, LedgerFault, LedgerReport};

/// The file's name in its directory.
const FILE_NAME: &str = "ledger.jsonl";
/// So much is read at once when catching up.
const READ_BYTES: usize = 1 << 16;
/// A line that is longer was not written by us.
const LINE_BYTES_MAX: usize = 16 << 20;

/// What an entry survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Durability {
    /// The end of the process, however sudden.
    #[default]
    Process,
    /// A power cut too; each entry waits for the disk.
    Power,
}

/// A ledger in a directory of its own. Several processes may write to the same one, one after
/// another or at once: a process sees what others have written before it looks anything up.
#[derive(Debug)]
pub struct FileLedger {
    path: PathBuf,
    durability: Durability,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: File,
    totals: Totals,
    /// Every byte before this one is counted in `totals`.
    seen: u64,
    /// Whether the last write broke off in the middle of its line.
    is_torn: bool,
    line: Vec<u8>,
}

impl FileLedger {
    /// Opens the ledger in `directory`, creating both, and reads it back.
    pub fn open(directory: &Path, durability: Durability) -> Result<Self, LedgerFault> {
        let path = directory.join(FILE_NAME);
        let inner = Inner::open(directory, &path).map_err(|error| fault(&path, error))?;
        Ok(Self { path, durability, inner: Mutex::new(inner) })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn with<T>(&self, work: impl FnOnce(&mut Inner) -> io::Result<T>) -> Result<T, LedgerFault> {
        work(&mut self.inner.lock()).map_err(|error| fault(&self.path, error))
    }
}

fn fault(path: &Path, error: io::Error) -> LedgerFault {
    LedgerFault { path: path.display().to_string(), error }
}

impl Ledger for FileLedger {
    fn write(&self, entry: &LedgerEntry) -> Result<(), LedgerFault> {
        self.with(|inner| inner.append(entry, self.durability))
    }

    fn find(&self, key: &str) -> Result<Option<LedgerEntry>, LedgerFault> {
        self.with(|inner| {
            inner.catch_up()?;
            inner.totals.find(key).map(|place| inner.read(place)).transpose()
        })
    }

    fn struck(&self, fault: u32, place: Option<&str>) -> u64 {
        self.inner.lock().totals.struck(fault, place)
    }

    fn is_cancelled(&self, key: &str) -> bool {
        self.inner.lock().totals.is_cancelled(key)
    }

    fn report(&self) -> Result<LedgerReport, LedgerFault> {
        self.with(|inner| {
            inner.catch_up()?;
            Ok(inner.totals.report.clone())
        })
    }
}

impl Inner {
    fn open(directory: &Path, path: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(directory)?;
        let file = OpenOptions::new().create(true).append(true).read(true).open(path)?;
        let (totals, line) = (Totals::default(), Vec::new());
        let mut inner = Self { file, totals, seen: 0, is_torn: false, line };
        inner.catch_up()?;
        // What is left is the beginning of a line whose writer is gone.
        inner.is_torn = inner.file.metadata()?.len() > inner.seen;
        Ok(inner)
    }

    fn append(&mut self, entry: &LedgerEntry, durability: Durability) -> io::Result<()> {
        self.line.clear();
        if self.is_torn {
            self.line.push(b'\n');
        }
        let head = u64::try_from(self.line.len()).unwrap_or(0);
        serde_json::to_writer(&mut self.line, entry)?;
        self.line.push(b'\n');
        self.is_torn = true;
        self.file.write_all(&self.line)?;
        if durability == Durability::Power {
            self.file.sync_data()?;
        }
        self.is_torn = false;
        // With O_APPEND the position after a write is the end of what was written, whoever else
        // writes to the file.
        let end = self.file.stream_position()?;
        let start = end.saturating_sub(u64::try_from(self.line.len()).unwrap_or(0));
        if start == self.seen && head == 0 {
            let bytes = u32::try_from(self.line.len()).unwrap_or(u32::MAX);
            self.totals.add(Head::from(entry), Place { offset: start, bytes });
            self.seen = end;
            return Ok(());
        }
        self.catch_up()
    }

    /// Counts whole lines that are in the file and not yet counted.
    fn catch_up(&mut self) -> io::Result<()> {
        let end = self.file.metadata()?.len();
        let mut pending: Vec<u8> = Vec::new();
        let mut chunk = vec![0; if end > self.seen { READ_BYTES } else { 0 }];
        let mut at = self.seen;
        while at < end {
            let count = self.file.read_at(&mut chunk, at)?;
            if count == 0 {
                break;
            }
            at += u64::try_from(count).unwrap_or(0);
            pending.extend_from_slice(chunk.get(..count).unwrap_or(&[]));
            self.count_lines(&mut pending);
            if pending.len() > LINE_BYTES_MAX {
                return Err(io::Error::other("a line is longer than any entry"));
            }
        }
        Ok(())
    }

    /// Takes the whole lines off the front of `pending`.
    fn count_lines(&mut self, pending: &mut Vec<u8>) {
        let mut used = 0;
        for line in pending.split_inclusive(|byte| *byte == b'\n') {
            if line.last() != Some(&b'\n') {
                break;
            }
            let bytes = u32::try_from(line.len()).unwrap_or(u32::MAX);
            match serde_json::from_slice::<Head>(line) {
                Ok(head) => self.totals.add(head, Place { offset: self.seen, bytes }),
                Err(_) => self.totals.report.unreadable_lines += 1,
            }
            self.seen += u64::from(bytes);
            used += line.len();
        }
        pending.drain(..used);
    }

    fn read(&self, place: Place) -> io::Result<LedgerEntry> {
        let mut line = vec![0; usize::try_from(place.bytes).unwrap_or(0)];
        self.file.read_exact_at(&mut line, place.offset)?;
        Ok(serde_json::from_slice(&line)?)
    }
}

#[cfg(test)]
mod tests;
