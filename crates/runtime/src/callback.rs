//! Callbacks in. What a vendor says about a job is a reason to ask the vendor at once ([`ring`]);
//! what n8n reports about a task is believed and taken through the door ([`take_report`]).
//!
//! Whatever comes before its job is known is kept, durably, and taken when the job is there.
//!
//! [`ring`]: Runtime::ring
//! [`take_report`]: Runtime::take_report

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Map, Value};
use showrunner_engine::at::{Millis, Timestamp};
use showrunner_engine::command::{Command, FinishAttempt};
use showrunner_engine::due::{Effect, due};
use showrunner_engine::event::Job;
use showrunner_engine::failure::{ErrorClass, Failure};
use showrunner_engine::id::{Digest, RunId, StepKey, Token};
use showrunner_engine::run::{Run, StepStatus, Wait};
use showrunner_engine::turn::CallRecord;
use showrunner_journal::JournalError;
use showrunner_journal::query::callbacks::KnownJob;
use showrunner_providers::callbacks::n8n::{Outcome, Report};
use showrunner_providers::egress::{Ask, Caps, EgressError, Excess};
use showrunner_providers::{MediaJob, MediaProvider, MediaResult};
use tokio_util::sync::CancellationToken;

use crate::Runtime;
use crate::dispatch::STORE_RETRY;
use crate::effects::call_media::{Place, Unkept};
use crate::lease::Lease;
use crate::submit::{Entry, SubmitError};

/// Who n8n's reports are remembered under.
pub const N8N: &str = "n8n";
/// A job is asked about at most this often, however many say that something happened to it.
const RING_PAUSE: Millis = Millis(2_000);
/// Jobs whose last ring is remembered.
const RUNG_MAX: usize = 10_000;
/// Results are fetched within these bounds.
const FILE_CAPS: Caps = Caps {
    time_max: Duration::from_mins(2),
    body_max: 256 * 1024 * 1024,
    excess: Excess::Refuse,
    redirects_max: 5,
};
/// The pauses between tries to fetch a result.
const FETCH_PAUSES: [Millis; 2] = [Millis(1_000), Millis(5_000)];
/// Kept reports looked at after a start.
const KEPT_MAX: u32 = 1_000;

/// When jobs were asked about last.
pub(crate) type Rung = Mutex<BTreeMap<(String, String), Timestamp>>;

/// What became of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is being carried out; it survives anything.
    Begun,
    /// Its task has not got as far; it is kept for then.
    Kept,
    /// The task was over before, in this status: nothing changes.
    Over(StepStatus),
    /// It is about an earlier attempt: nothing changes.
    Stale,
    /// The task waits for something else.
    NotWaiting(StepStatus),
    /// There is no such task.
    Unknown,
}

/// What waits for a report.
enum Waits {
    Job(Job, Token),
    Callback(String),
    Nothing(Taken),
}

/// Why a report about a finished job ends in no file.
enum Unmade {
    /// For this reason, and what was paid all the same.
    Failed(Failure, Vec<Arc<CallRecord>>),
    /// The server is on its way out; the report is kept.
    Stopping,
}

impl Unmade {
    fn of(failure: Failure) -> Self {
        Self::Failed(failure, Vec::new())
    }
}

impl Runtime {
    /// The attempt that waits for a vendor's job, by everything that is durable by now.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub async fn job_known(
        &self,
        provider: &str,
        job: &str,
    ) -> Result<Option<KnownJob>, JournalError> {
        if let Some(known) = self.journal().job(provider, job).await? {
            return Ok(Some(known));
        }
        self.catch_up().await?;
        self.journal().job(provider, job).await
    }

    /// Something is said to have happened to a job: whoever follows it asks at once. `false` when
    /// nobody does, or it was asked about only just now.
    pub fn ring(&self, known: &KnownJob) -> bool {
        let Ok(token) = known.token.parse::<Token>() else { return false };
        let Some(cell) = self.residents().get(&known.run_id) else { return false };
        if !self.may_ring(known) {
            return false;
        }
        let mut resident = cell.lock();
        let follows = |effect: &Effect| match effect {
            Effect::FollowJob { token: own, job, .. } => *own == token && job.id == known.job,
            _ => false,
        };
        let Some(effect) = due(&resident.run).into_iter().find(follows) else { return false };
        let Some(work) = resident.in_flight.get_mut(&token).filter(|work| !work.is_abort) else {
            return false;
        };
        // Who follows anew asks first and pauses afterwards. If the former one is just reporting,
        // its report counts and the new one's is refused: a result is taken once.
        let lease = Lease::over(&work.lease);
        work.lease = Arc::clone(&lease);
        drop(resident);
        self.dispatch(&known.run_id, effect, lease, false);
        true
    }

    fn may_ring(&self, known: &KnownJob) -> bool {
        let now = self.clock().now();
        let mut rung = self.rung().lock();
        let name = (known.provider.clone(), known.job.clone());
        if rung.get(&name).is_some_and(|last| now.millis_since(*last) < RING_PAUSE) {
            return false;
        }
        if rung.len() >= RUNG_MAX {
            rung.retain(|_, last| now.millis_since(*last) < RING_PAUSE);
        }
        rung.insert(name, now);
        true
    }

    /// Takes what was said about a job before it was known.
    pub(crate) async fn take_early(&self, job: &KnownJob) -> Result<(), JournalError> {
        let journal = self.journal();
        if !journal.early_callbacks(&job.provider, &job.job).await?.is_empty() {
            self.ring(job);
            journal.settle_early(&job.provider, &job.job).await?;
        }
        let task = format!("{}:{}", job.run_id, job.step);
        for kept in journal.early_callbacks(N8N, &task).await? {
            self.take_kept(kept.payload.as_deref()).await;
        }
        Ok(())
    }

    /// Takes the reports that were kept and not carried out when the server stopped.
    pub(crate) async fn take_all_kept(&self) -> Result<(), JournalError> {
        for kept in self.journal().kept_callbacks(N8N, KEPT_MAX).await? {
            self.take_kept(kept.payload.as_deref()).await;
        }
        Ok(())
    }

    async fn take_kept(&self, payload: Option<&str>) {
        let value = payload.and_then(|text| serde_json::from_str::<Value>(text).ok());
        let Some(Ok(report)) = value.map(|value| Report::read(&value)) else { return };
        if let Err(error) = self.take_report(report).await {
            tracing::warn!(%error, "a report that was kept could not be taken");
        }
    }

    /// Takes a report about a task. It must be durable already, as a receipt under its task: what
    /// is begun here is begun again after a crash, and a result is taken once.
    ///
    /// # Errors
    /// The run cannot be read, or does not accept it.
    pub async fn take_report(&self, report: Report) -> Result<Taken, SubmitError> {
        let Some((run, step)) = report.place() else { return Ok(Taken::Unknown) };
        let (run_id, step) = (RunId::from(run), StepKey::from(step));
        let run = match self.load_shared(&run_id).await {
            Ok(run) => run,
            Err(SubmitError::UnknownRun(_)) => return Ok(Taken::Unknown),
            Err(error) => return Err(error),
        };
        let taken = match waits(&run, &step, &report) {
            Waits::Nothing(taken) => taken,
            Waits::Callback(key) => {
                let mut payload = report.facts();
                payload.insert("error_message".into(), report.error.clone().into());
                let status =
                    if report.outcome == Outcome::Completed { "completed" } else { "failed" };
                payload.insert("status".into(), status.into());
                let payload = Value::Object(payload);
                self.submit(&run_id, Command::ReceiveCallback { key, payload }).await?;
                Taken::Begun
            },
            Waits::Job(job, token) => {
                let (runtime, place) = (self.clone(), (run_id, step, token));
                let task = report.task.clone();
                self.spawn(async move {
                    if !runtime.finish_job(&place, &job, report).await {
                        return; // it is kept, and taken after the next start
                    }
                    if let Err(error) = runtime.journal().settle_early(N8N, &task).await {
                        tracing::warn!(%error, "a report could not be settled");
                    }
                });
                return Ok(Taken::Begun);
            },
        };
        if taken != Taken::Kept {
            self.journal().settle_early(N8N, &report.task).await?;
        }
        Ok(taken)
    }

    /// Carries out a report about a job: fetches its file, and ends the attempt. `false` when it
    /// could not be stored.
    async fn finish_job(&self, place: &(RunId, StepKey, Token), job: &Job, report: Report) -> bool {
        let (run, step, token) = place;
        let made = match report.outcome {
            Outcome::Completed => self.made_of(place, job, &report).await,
            Outcome::Failed => {
                let words = report.error.clone().unwrap_or_else(|| "Unknown error".into());
                Err(Unmade::of(Failure::new(ErrorClass::Provider, "reported_failed", words)))
            },
        };
        let (step, token) = (step.clone(), *token);
        let command = match made {
            Ok(finish) => Command::FinishAttempt(Box::new(finish)),
            Err(Unmade::Failed(failure, calls)) => {
                Command::FailAttempt { step, token, failure, calls }
            },
            Err(Unmade::Stopping) => return false,
        };
        let follower = self.residents().get(run).and_then(|cell| {
            let resident = cell.lock();
            resident.in_flight.get(&token).map(|work| Arc::clone(&work.lease))
        });
        loop {
            let ends = follower.clone().map(|lease| (token, lease));
            let entry = Entry { ends, ..Entry::default() };
            match self.submit_as(run, command.clone(), entry).await {
                Err(error) if error.is_transient() && !self.is_stopping() => {
                    tracing::warn!(run.id = %run, %error, "a report could not be stored; trying again");
                    self.clock().sleep(STORE_RETRY).await;
                },
                Err(SubmitError::Refused(refusal)) => {
                    tracing::info!(run.id = %run, %refusal, "a report came too late");
                    return true;
                },
                Err(error) => {
                    tracing::warn!(run.id = %run, %error, "a report is kept for the next start");
                    return false;
                },
                Ok(_) => {
                    // Nobody needs to ask about the job any more.
                    if let Some(follower) = follower {
                        follower.stop().cancel();
                    }
                    return true;
                },
            }
        }
    }

    async fn made_of(
        &self,
        (run, step, token): &(RunId, StepKey, Token),
        job: &Job,
        report: &Report,
    ) -> Result<FinishAttempt, Unmade> {
        let provider = self.providers().media_provider(&job.provider).cloned();
        let no_file =
            |code: &str, words: &str| Unmade::of(Failure::new(ErrorClass::Provider, code, words));
        let provider: Arc<dyn MediaProvider> = provider
            .ok_or_else(|| no_file("provider_unknown", "its provider is not configured"))?;
        let url = report.output_url.as_deref();
        let url =
            url.ok_or_else(|| no_file("no_output", "it is completed and has no output_url"))?;
        let result = self.fetch_file(url).await.map_err(Unmade::of)?;
        let nobody_stops = CancellationToken::new();
        let place = Place { run, step, token: *token, stop: &nobody_stops };
        let facts = (Digest::of(job.id.as_bytes()), report.duration_ms);
        let made = MediaJob { result, cost: report.cost, simulated: false };
        let made = match self.keep(&place, &*provider, facts, made).await {
            Ok(made) => made,
            Err(Unkept::Failed(failure, paid)) => return Err(Unmade::Failed(failure, vec![paid])),
            Err(Unkept::Stopping) => return Err(Unmade::Stopping),
        };
        let mut output = match made.output {
            Value::Object(output) => output,
            _ => Map::new(),
        };
        output.extend(report.facts());
        Ok(FinishAttempt {
            step: step.clone(),
            token: *token,
            output: Arc::new(Value::Object(output)),
            calls: vec![made.call],
            assets: vec![made.asset],
            cached: false,
        })
    }

    /// Copies a result here at once: every vendor's addresses expire.
    async fn fetch_file(&self, url: &str) -> Result<MediaResult, Failure> {
        let mut pauses = FETCH_PAUSES.into_iter();
        loop {
            let reply = self.providers().egress().fetch(Ask::get(url, FILE_CAPS)).await;
            let (class, code, words) = match reply {
                Ok(reply) if reply.status == 200 => {
                    let mime = reply.headers.get("content-type").and_then(|v| v.to_str().ok());
                    let mime = mime.and_then(|text| text.split(';').next()).unwrap_or_default();
                    let mime = mime.trim().to_ascii_lowercase();
                    return Ok(MediaResult::Bytes { mime, bytes: reply.body });
                },
                Ok(reply) => {
                    let words = format!("its result cannot be had: status {}", reply.status);
                    (ErrorClass::Provider, "output_missing", words)
                },
                Err(EgressError::Refused(refused)) => {
                    let words = format!("its result is not fetched: {refused}");
                    return Err(Failure::new(ErrorClass::Provider, "output_refused", words));
                },
                Err(error) => (ErrorClass::Network, "output_unreachable", error.to_string()),
            };
            let Some(pause) = pauses.next() else { return Err(Failure::new(class, code, words)) };
            self.clock().sleep(pause).await;
        }
    }
}

/// What of a run waits for this report.
fn waits(run: &Run, step: &StepKey, report: &Report) -> Waits {
    let Some(no) = run.find(step) else { return Waits::Nothing(Taken::Unknown) };
    let step = run.step(no);
    if step.status.is_terminal() {
        return Waits::Nothing(Taken::Over(step.status));
    }
    let about_other = |job: &Job| report.job.as_ref().is_some_and(|said| *said != job.id);
    match (&step.wait, &step.attempt) {
        (Some(Wait::Job { job, .. }), Some(_)) if about_other(job) => Waits::Nothing(Taken::Stale),
        (Some(Wait::Job { job, .. }), Some(attempt)) => Waits::Job(job.clone(), attempt.token),
        (Some(Wait::Callback { key, .. }), _) => Waits::Callback(key.clone()),
        (None, Some(_)) if step.status == StepStatus::Running => Waits::Nothing(Taken::Kept),
        _ => Waits::Nothing(Taken::NotWaiting(step.status)),
    }
}
