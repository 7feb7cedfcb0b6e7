//! Runs that something is happening to, in memory. All others are in the journal only.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use parking_lot::Mutex;
use showrunner_engine::at::Timestamp;
use showrunner_engine::id::{RunId, Token};
use showrunner_engine::run::Run;

use crate::lease::Lease;

const SHARDS: usize = 16;

/// Work on an attempt.
#[derive(Debug)]
pub(crate) struct Work {
    /// How it is stopped, and seen to have stopped.
    pub lease: Arc<Lease>,
    /// It finds out what became of the attempt, rather than making it.
    pub is_abort: bool,
    /// When the attempt's time is over.
    pub deadline: Option<Timestamp>,
}

/// A run in memory.
#[derive(Debug)]
pub(crate) struct Resident {
    /// Its state, ahead of the disk by what is pending.
    pub run: Run,
    /// Appends that are not durable yet.
    pub pending: u32,
    /// Attempts that this process works on, and how to stop them.
    pub in_flight: BTreeMap<Token, Work>,
    /// Whether this process is telling the parent.
    pub notifying: bool,
    /// An append failed: the state must be read again before anything is decided on it.
    pub is_stale: bool,
    /// It left memory while somebody was about to use it: look it up again.
    pub has_left: bool,
}

impl Resident {
    pub(crate) fn new(run: Run) -> Self {
        Self {
            run,
            pending: 0,
            in_flight: BTreeMap::new(),
            notifying: false,
            is_stale: false,
            has_left: false,
        }
    }

    /// Ends somebody's work on an attempt. Whoever has taken it over keeps it.
    pub(crate) fn release(&mut self, token: Token, lease: &Arc<Lease>) {
        if self.in_flight.get(&token).is_some_and(|work| Arc::ptr_eq(&work.lease, lease)) {
            self.in_flight.remove(&token);
        }
    }

    /// Whether nothing in this process depends on its being in memory.
    pub(crate) fn may_leave(&self) -> bool {
        self.pending == 0 && self.in_flight.is_empty() && !self.notifying
    }
}

/// A run and its lock.
pub(crate) type Cell = Arc<Mutex<Resident>>;

/// All runs in memory.
#[derive(Debug)]
pub(crate) struct Residents {
    shards: [Mutex<HashMap<RunId, Cell>>; SHARDS],
    hasher: RandomState,
}

impl Residents {
    pub(crate) fn new() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::default()), hasher: RandomState::new() }
    }

    fn shard(&self, run: &RunId) -> &Mutex<HashMap<RunId, Cell>> {
        let at = self.hasher.hash_one(run) % SHARDS as u64;
        #[expect(
            clippy::indexing_slicing,
            clippy::cast_possible_truncation,
            reason = "less than SHARDS"
        )]
        &self.shards[at as usize]
    }

    pub(crate) fn get(&self, run: &RunId) -> Option<Cell> {
        self.shard(run).lock().get(run).cloned()
    }

    /// Keeps `resident`, unless another one came first: that one counts.
    pub(crate) fn keep(&self, resident: Resident) -> Cell {
        let id = resident.run.id.clone();
        let mut shard = self.shard(&id).lock();
        Arc::clone(shard.entry(id).or_insert_with(|| Arc::new(Mutex::new(resident))))
    }

    /// Lets a run go whose cell is locked by the caller.
    pub(crate) fn let_go(&self, resident: &mut Resident) {
        resident.has_left = true;
        self.shard(&resident.run.id).lock().remove(&resident.run.id);
    }

    /// All runs in memory at this moment.
    pub(crate) fn all(&self) -> Vec<Cell> {
        self.shards
            .iter()
            .flat_map(|shard| shard.lock().values().cloned().collect::<Vec<_>>())
            .collect()
    }

    /// How many runs are in memory.
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }
}
