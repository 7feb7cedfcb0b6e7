//! The loop around the engine: one door in, everything that is due out.

pub mod clock;
pub mod admission;
pub mod feed;
pub mod library;
pub mod agents;
pub mod circuits;
pub mod submit;
pub mod fork;
pub mod recover;
pub mod draw;
pub mod functions;
mod lease;
pub mod webhooks;
pub mod callback;
mod residents;
mod dispatch;
mod effects;
mod timers;

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use showrunner_engine::at::{Millis, Timestamp};
use showrunner_engine::id::RunId;
use showrunner_engine::run::Run;
use showrunner_journal::{Journal, Objects};
use showrunner_providers::Providers;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use admission::Admission;
pub use agents::Agents;
pub use callback::Taken;
pub use circuits::Circuits;
pub use clock::{Clock, Pace, SystemClock};
pub use draw::LocalPictures;
pub use feed::{Committed, Feed};
pub use fork::ForkRequest;
pub use functions::Functions;
pub use library::{Library, LibraryError, Published};
pub use recover::Recovered;
pub use submit::{Receipt, StartRequest, Started, SubmitError};
pub use webhooks::RunCallback;

use draw::Easel;
use residents::Residents;

/// How many attempts this process works on at once where nobody says otherwise.
const WORKING_MAX: u32 = 2_048;

/// How much is done at once.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Attempts worked on at once.
    pub all: u32,
    /// Attempts worked on at once by agent name.
    pub by_agent: BTreeMap<String, (Arc<str>, u32)>,
    pub(crate) all_gate: Arc<str>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { all: WORKING_MAX, by_agent: BTreeMap::new(), all_gate: "all".into() }
    }
}

impl Limits {
    /// Limits an agent.
    pub fn with_agent(mut self, agent: &str, limit: u32) -> Self {
        self.by_agent.insert(agent.to_owned(), (format!("agent/{agent}").into(), limit));
        self
    }
}

/// How the runtime behaves.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How much is done at once.
    pub limits: Limits,
    /// Where functions run; without it, agents of that kind fail.
    pub functions: Option<Functions>,
}

/// What the runtime is made of.
#[derive(Debug)]
pub struct Parts {
    /// The truth.
    pub journal: Arc<dyn Journal>,
    /// Large values and assets.
    pub objects: Arc<dyn Objects>,
    /// Time and randomness.
    pub clock: Arc<dyn Clock>,
    /// Who can be called.
    pub providers: Providers,
    /// The live feed; the journal's hook publishes into it.
    pub feed: Feed,
}

/// The runtime. Cheap to clone; every clone is the same one.
#[derive(Clone, Debug)]
pub struct Runtime {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    parts: Parts,
    options: Options,
    library: Library,
    agents: Arc<Agents>,
    residents: Residents,
    admission: Admission,
    circuits: Circuits,
    easel: Easel,
    webhooks: webhooks::Webhooks,
    rung: callback::Rung,
    next_timer: Mutex<Timestamp>,
    timer_moved: Notify,
    stopping: CancellationToken,
    tasks: TaskTracker,
}

impl Runtime {
    /// A runtime that does nothing yet: [`Self::recover`] takes up what is due, and
    /// [`Self::start_timers`] lets time pass.
    pub fn new(parts: Parts, options: Options) -> Self {
        let agents: Arc<Agents> = Arc::default();
        let (journal, clock) = (Arc::clone(&parts.journal), Arc::clone(&parts.clock));
        let library = Library::new(journal, clock, Arc::clone(&agents));
        Self {
            inner: Arc::new(Inner {
                library,
                agents,
                residents: Residents::new(),
                admission: Admission::default(),
                circuits: Circuits::default(),
                easel: Easel::default(),
                webhooks: webhooks::Webhooks::default(),
                rung: callback::Rung::default(),
                next_timer: Mutex::new(Timestamp(i64::MAX)),
                timer_moved: Notify::new(),
                stopping: CancellationToken::new(),
                tasks: TaskTracker::new(),
                parts,
                options,
            }),
        }
    }

    /// Lets time pass for all runs, until the runtime stops.
    pub fn start_timers(&self) {
        let runtime = self.clone();
        self.spawn(runtime.keep_time());
    }

    /// The truth, for queries.
    pub fn journal(&self) -> &Arc<dyn Journal> {
        &self.inner.parts.journal
    }

    /// Large values and assets.
    pub fn objects(&self) -> &Arc<dyn Objects> {
        &self.inner.parts.objects
    }

    /// Time and randomness.
    pub fn clock(&self) -> &dyn Clock {
        &*self.inner.parts.clock
    }

    /// What becomes durable from now on.
    pub fn feed(&self) -> &Feed {
        &self.inner.parts.feed
    }

    /// Who can be called.
    pub fn providers(&self) -> &Providers {
        &self.inner.parts.providers
    }

    /// Definitions.
    pub fn library(&self) -> &Library {
        &self.inner.library
    }

    /// Agents.
    pub fn agents(&self) -> &Agents {
        &self.inner.agents
    }

    /// The circuit breakers of the providers.
    pub fn circuits(&self) -> &Circuits {
        &self.inner.circuits
    }

    /// A run as it stands, folded from the journal unless it is in memory.
    ///
    /// # Errors
    /// [`SubmitError::UnknownRun`], or the journal cannot be read.
    pub async fn load_shared(&self, id: &RunId) -> Result<Arc<Run>, SubmitError> {
        if let Some(cell) = self.residents().get(id) {
            let resident = cell.lock();
            if resident.pending == 0 && !resident.is_stale && resident.run.seq > 0 {
                return Ok(Arc::new(resident.run.clone()));
            }
        }
        Ok(Arc::new(self.load(id).await?))
    }

    /// How many runs are in memory.
    pub fn resident_count(&self) -> usize {
        self.residents().len()
    }

    /// Whether the server is on its way out.
    pub fn is_stopping(&self) -> bool {
        self.inner.stopping.is_cancelled()
    }

    /// Starts nothing new, gives what is under way `grace` to end, and leaves the rest to whoever
    /// starts next.
    pub async fn shut_down(&self, grace: Millis) {
        self.inner.stopping.cancel();
        self.inner.timer_moved.notify_waiters();
        self.inner.tasks.close();
        tokio::select! {
            biased;
            () = self.inner.tasks.wait() => {},
            () = self.clock().sleep(grace) => {
                tracing::info!(left = self.inner.tasks.len(), "work is left to the next start");
            },
        }
    }

    /// The one place that spawns.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stopping = self.inner.stopping.clone();
        if stopping.is_cancelled() {
            return; // the journal has it; the next start takes it up
        }
        self.inner.tasks.spawn(work);
    }

    pub(crate) fn options(&self) -> &Options {
        &self.inner.options
    }
    pub(crate) fn residents(&self) -> &Residents {
        &self.inner.residents
    }
    pub(crate) fn admission(&self) -> &Admission {
        &self.inner.admission
    }
    pub(crate) fn easel(&self) -> &Easel {
        &self.inner.easel
    }
    pub(crate) fn webhooks(&self) -> &webhooks::Webhooks {
        &self.inner.webhooks
    }
    pub(crate) fn rung(&self) -> &callback::Rung {
        &self.inner.rung
    }
    pub(crate) fn next_timer(&self) -> &Mutex<Timestamp> {
        &self.inner.next_timer
    }
    pub(crate) fn timer_moved(&self) -> &Notify {
        &self.inner.timer_moved
    }
    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.inner.stopping
    }
}
