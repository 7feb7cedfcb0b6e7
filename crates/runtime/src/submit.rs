//! THE door. Whatever wants something of a run, a person, a timer, an agent's result, a parent,
//! enters here: load, decide, append, and when it is durable, act.

use std::sync::Arc;
use std::task::Poll;

use showrunner_engine::at::Millis;
use showrunner_engine::command::{Command, StartRun};
use showrunner_engine::definition::Definition;
use showrunner_engine::due::{Effect, due_after};
use showrunner_engine::event::Event;
use showrunner_engine::id::{RunId, Token};
use showrunner_engine::refusal::Refusal;
use showrunner_engine::run::{Run, RunStatus};
use showrunner_journal::query::events::StoredBatch;
use showrunner_journal::{Append, AppendError, AppendFuture, Idempotency, JournalError};

use crate::Runtime;
use crate::lease::Lease;
use crate::library::LibraryError;
use crate::residents::{Cell, Resident, Work};

/// How often it is looked whether a run that somebody else is just starting is there.
const STORED_LOOKS_MAX: u32 = 500;
/// The pause between two looks.
const STORED_PAUSE: Millis = Millis(10);
/// With no more runs in memory than this, waiting for the disk is done awake.
const FEW_RUNS: usize = 2;
/// How often the disk is asked before the thread may sleep after all: some tenths of a
/// millisecond.
const LOOKS_MAX: u32 = 400;

/// What a command led to.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// The run.
    pub run: RunId,
    /// The number of its newest event.
    pub seq: u64,
    /// Where it stands.
    pub status: RunStatus,
    /// What happened; empty when the command changed nothing.
    pub events: Vec<Event>,
}

/// Why a command led to nothing.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The run does not accept it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There is no such run.
    #[error("there is no run {0}")]
    UnknownRun(RunId),
    /// There is no such definition.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// The same key was used for something else.
    #[error("idempotency key {key} was already used for run {run} with another request")]
    KeyReused {
        /// The key.
        key: String,
        /// What it was used for.
        run: RunId,
    },
    /// It could not be made durable; nothing has happened. Trying again may help.
    #[error("it could not be stored: {0}")]
    NotStored(#[from] AppendError),
    /// The journal could not be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// This process is stopping or does not own the database.
    #[error("this server is not taking work now")]
    NotServing,
}

impl SubmitError {
    /// Whether the same command may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            // A conflict means that this process knew the run less well than the journal did; it
            // is read again before the next try. After `Unavailable` nobody knows: only a new
            // start can tell.
            Self::NotStored(error) => matches!(
                error,
                AppendError::Full | AppendError::Busy(_) | AppendError::Conflict { .. }
            ),
            Self::Journal(error) | Self::Library(LibraryError::Journal(error)) => {
                matches!(error, JournalError::Full | JournalError::Storage(_))
            },
            Self::Refused(_)
            | Self::UnknownRun(_)
            | Self::Library(_)
            | Self::KeyReused { .. }
            | Self::NotServing => false,
        }
    }

    /// Whether nothing has happened, and this process may still write: what somebody has to say
    /// is not lost as long as he holds on to it.
    pub(crate) fn is_certainly_not_stored(&self) -> bool {
        self.is_transient()
            || matches!(
                self,
                Self::NotStored(AppendError::Corrupt(_)) | Self::Journal(_) | Self::Library(_)
            )
    }
}

/// A run to be started.
#[derive(Clone, Debug)]
pub struct StartRequest {
    /// What it is an execution of.
    pub definition: Arc<Definition>,
    /// What it begins with.
    pub start: StartRun,
    /// Its id, when the caller has one; starting the same id twice starts one run.
    pub id: Option<RunId>,
    /// The caller's key for this start: scope, key, and the digest of the request.
    pub idempotency: Option<(String, String, String)>,
}

/// A started run.
#[derive(Clone, Debug)]
pub struct Started {
    /// Its id.
    pub run: RunId,
    /// Whether this call started it.
    pub is_new: bool,
}

impl Runtime {
    /// Starts a run. A key that was used for the same request answers with that request's run.
    ///
    /// # Errors
    /// As [`SubmitError`] says; nothing has happened then.
    pub async fn start(&self, request: StartRequest) -> Result<Started, SubmitError> {
        let clock = self.clock();
        let now = clock.now();
        let id = request.id.unwrap_or_else(|| RunId::at(now, [clock.random(), clock.random()]));
        let idempotency = request.idempotency.map(|(scope, key, fingerprint)| Idempotency {
            scope,
            key,
            fingerprint,
            response: id.to_string(),
        });
        let (key, fingerprint) = idempotency
            .as_ref()
            .map(|i| (i.key.clone(), i.fingerprint.clone()))
            .unwrap_or_default();
        let cell = self.residents().keep(Resident::new(Run::new(id.clone(), request.definition)));
        let entry = Entry { idempotency, ..Entry::default() };
        let mut ask = Some((Command::StartRun(Box::new(request.start)), entry));
        match self.enter(&cell, &mut ask).await {
            Ok(Some(receipt)) => Ok(Started { run: receipt.run, is_new: true }),
            Ok(None) => Err(SubmitError::UnknownRun(id)),
            Err(SubmitError::NotStored(AppendError::DuplicateKey(used))) => {
                if used.fingerprint == fingerprint {
                    self.is_stored(&used.run_id).await?;
                    Ok(Started { run: used.run_id, is_new: false })
                } else {
                    Err(SubmitError::KeyReused { key, run: used.run_id })
                }
            },
            Err(error) => Err(error),
        }
    }

    /// A key may be known a moment before what it was used for is durable: two requests at once.
    async fn is_stored(&self, run: &RunId) -> Result<(), SubmitError> {
        for _ in 0..STORED_LOOKS_MAX {
            if self.journal().run(run).await?.is_some() {
                return Ok(());
            }
            self.clock().sleep(STORED_PAUSE).await;
        }
        let reason = "the request that came first with this key is not stored yet";
        Err(SubmitError::NotStored(AppendError::Busy(reason.into())))
    }

    /// Asks something of a run. When this returns `Ok`, what happened survives anything.
    ///
    /// # Errors
    /// As [`SubmitError`] says; nothing has happened then.
    pub async fn submit(&self, run: &RunId, command: Command) -> Result<Receipt, SubmitError> {
        self.submit_as(run, command, Entry::default()).await
    }

    /// [`Self::submit`], by the server's own workers.
    pub(crate) async fn submit_as(
        &self,
        run: &RunId,
        command: Command,
        entry: Entry,
    ) -> Result<Receipt, SubmitError> {
        let mut ask = Some((command, entry));
        loop {
            let cell = match self.residents().get(run) {
                Some(cell) => cell,
                None => self.residents().keep(Resident::new(self.load(run).await?)),
            };
            if let Some(receipt) = self.enter(&cell, &mut ask).await? {
                return Ok(receipt);
            }
            // The run left memory under our hands, or others wait for a failed append of its.
            tokio::task::yield_now().await;
        }
    }

    /// Decides on a resident run, and comes back when it is durable. `None`: the run has left
    /// memory meanwhile, and nothing has happened.
    async fn enter(
        &self,
        cell: &Cell,
        ask: &mut Option<(Command, Entry)>,
    ) -> Result<Option<Receipt>, SubmitError> {
        self.refresh(cell).await?;
        let Some(decided) = self.decide(cell, ask)? else { return Ok(None) };
        let Decided { receipt, pending } = decided;
        if let Some(pending) = pending {
            pending.settled().await?;
        }
        Ok(Some(receipt))
    }

    /// The part under the run's lock: decide, fold, and queue the append in the order of decisions.
    fn decide(
        &self,
        cell: &Cell,
        ask: &mut Option<(Command, Entry)>,
    ) -> Result<Option<Decided>, SubmitError> {
        let mut resident = cell.lock();
        if resident.has_left || resident.is_stale {
            return Ok(None);
        }
        let Some((command, entry)) = ask.take() else { return Ok(None) };
        let at = self.clock().at();
        let decided = showrunner_engine::advance(&mut resident.run, command, at);
        if let Some((token, lease)) = entry.ends {
            resident.release(token, &lease);
        }
        let events = match decided {
            Ok(events) => events,
            Err(refusal) => {
                self.leave_if_idle(&mut resident);
                return Err(refusal.into());
            },
        };
        let receipt = Receipt {
            run: resident.run.id.clone(),
            seq: resident.run.seq,
            status: resident.run.status(),
            events,
        };
        if receipt.events.is_empty() {
            self.leave_if_idle(&mut resident);
            return Ok(Some(Decided { receipt, pending: None }));
        }
        let mut append = match Append::new(&resident.run, at.now, &receipt.events) {
            Ok(append) => append,
            Err(error) => {
                // What cannot be written has not happened: the state is read again.
                resident.is_stale = true;
                self.leave_if_idle(&mut resident);
                return Err(error.into());
            },
        };
        append.idempotency = entry.idempotency;
        let effects = due_after(&resident.run, &receipt.events);
        resident.pending += 1;
        let durable = Some(self.journal().append(append));
        let (runtime, cell) = (self.clone(), Arc::clone(cell));
        let pending = Some(Pending { runtime, cell, effects, durable });
        Ok(Some(Decided { receipt, pending }))
    }

    /// A run that nothing is happening to costs no memory.
    pub(crate) fn leave_if_idle(&self, resident: &mut Resident) {
        if resident.may_leave() && !resident.has_left {
            self.residents().let_go(resident);
        }
    }

    /// Reads the state again after an append failed, once no other append is under way.
    async fn refresh(&self, cell: &Cell) -> Result<(), SubmitError> {
        let id = {
            let resident = cell.lock();
            if !resident.is_stale || resident.has_left || resident.pending > 0 {
                return Ok(());
            }
            resident.run.id.clone()
        };
        let fresh = self.load(&id).await?;
        let mut resident = cell.lock();
        if resident.is_stale && resident.pending == 0 {
            resident.run = fresh;
            resident.is_stale = false;
        }
        Ok(())
    }

    /// Folds a run from the journal.
    pub(crate) async fn load(&self, id: &RunId) -> Result<Run, SubmitError> {
        let batches = self.journal().read(id, 0).await?;
        let Some(run) = self.fold(id, &batches).await? else {
            return Err(SubmitError::UnknownRun(id.clone()));
        };
        Ok(run)
    }

    pub(crate) async fn fold(
        &self,
        id: &RunId,
        batches: &[StoredBatch],
    ) -> Result<Option<Run>, SubmitError> {
        let mut run: Option<Run> = None;
        for batch in batches {
            for event in batch.events()? {
                if run.is_none()
                    && let Event::RunStarted(started) = &event
                {
                    let definition =
                        self.library().pinned(&started.org, &started.definition).await?;
                    run = Some(Run::new(id.clone(), definition));
                }
                if let Some(run) = &mut run {
                    showrunner_engine::apply(run, batch.at, &event);
                }
            }
        }
        Ok(run)
    }
}

/// How a command enters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entry {
    /// The attempt whose work ends with this report, and who worked on it.
    pub ends: Option<(Token, Arc<Lease>)>,
    /// The caller's key for it.
    pub idempotency: Option<Idempotency>,
}

struct Decided {
    receipt: Receipt,
    pending: Option<Pending>,
}

/// An append under way, and what becomes due with it. Whoever asked for it may go away, a client
/// that hangs up or a worker that is stopped: what was decided is carried out all the same.
struct Pending {
    runtime: Runtime,
    cell: Cell,
    effects: Vec<Effect>,
    /// Taken when it is known how it ended.
    durable: Option<AppendFuture>,
}

impl Pending {
    /// Waits for the disk, then acts. With hardly any other run at work the thread would sleep
    /// meanwhile, and waking it takes as long as the disk does: then it stays up, for no longer
    /// than a slow sync.
    async fn settled(mut self) -> Result<(), AppendError> {
        let mut looks = if self.runtime.residents().len() <= FEW_RUNS { LOOKS_MAX } else { 0 };
        let stored = loop {
            let Some(durable) = &mut self.durable else { return Ok(()) };
            if looks == 0 {
                break durable.await;
            }
            if let Poll::Ready(stored) = futures_util::poll!(&mut *durable) {
                break stored;
            }
            looks -= 1;
            tokio::task::yield_now().await;
        };
        self.durable = None;
        let effects = std::mem::take(&mut self.effects);
        complete(&self.runtime, &self.cell, effects, stored.is_ok());
        stored.map(|_| ())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        let Some(durable) = self.durable.take() else { return };
        // Without a runtime around it the process is ending: the next start takes it up.
        if tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        let (runtime, cell) = (self.runtime.clone(), Arc::clone(&self.cell));
        let effects = std::mem::take(&mut self.effects);
        self.runtime.spawn(async move {
            let stored = durable.await;
            complete(&runtime, &cell, effects, stored.is_ok());
        });
    }
}

/// An append has ended. Only now, when it is durable, are its effects claimed and let go; after a
/// failed one nothing has happened but that the state must be read again.
fn complete(runtime: &Runtime, cell: &Cell, effects: Vec<Effect>, is_stored: bool) {
    let (run, claimed) = {
        let mut resident = cell.lock();
        resident.pending = resident.pending.saturating_sub(1);
        let mut claimed = Vec::new();
        if is_stored {
            let due = effects.into_iter();
            claimed.extend(due.filter_map(|effect| claim(&mut resident, effect, false)));
            // The timers look into the journal: a hint before it is there would be lost.
            runtime.wake_timers(resident.run.wake_at());
        } else {
            resident.is_stale = true;
        }
        let run = resident.run.id.clone();
        runtime.leave_if_idle(&mut resident);
        (run, claimed)
    };
    for (effect, lease) in claimed {
        runtime.dispatch(&run, effect, lease, false);
    }
}

/// Notes that this process works on an effect from now on. `None` when it already does. An abort
/// stops whoever works on the attempt, and takes the work over.
pub(crate) fn claim(
    resident: &mut Resident,
    effect: Effect,
    is_recovered: bool,
) -> Option<(Effect, Arc<Lease>)> {
    let Some(token) = effect.token() else {
        if resident.notifying {
            return None;
        }
        resident.notifying = true;
        return Some((effect, Lease::new(is_recovered)));
    };
    let (is_abort, deadline) = match &effect {
        Effect::AbortAttempt { .. } | Effect::CancelChild { .. } => (true, None),
        Effect::CallAgent(call) => (call.timed_out, call.deadline),
        Effect::StartChild { .. } | Effect::FollowJob { .. } | Effect::NotifyParent { .. } => {
            (false, None)
        },
    };
    let lease = match resident.in_flight.get(&token) {
        Some(work) if is_abort && !work.is_abort => Lease::over(&work.lease),
        Some(_) => return None,
        None => Lease::new(is_recovered),
    };
    let work = Work { lease: Arc::clone(&lease), is_abort, deadline };
    resident.in_flight.insert(token, work);
    Some((effect, lease))
}
