//! The shipped double of a media vendor. It takes jobs, lets time pass, and hands out an order for
//! the media crate instead of pixels. A job's whole state is in the ledger, so that a job outlives
//! the process that submitted it.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use showrunner_engine::at::{Millis, Timestamp};
use showrunner_engine::failure::ErrorClass;
use showrunner_engine::money::{MicroUsd, Spend};

use super::dice::Dice;
use super::faults::{Strike, Striker};
use super::{ScriptedConfig, unwritable};
use crate::error::{CallFailure, Outcome};
use crate::ledger::{Ledger, LedgerEntry, LedgerOutcome};
use crate::media::{
    MediaJob, MediaKind, MediaProvider, MediaRequest, MediaResult, MediaStatus, Submitted,
};
use crate::pace::Sleeper;
use crate::profiles::Unpriced;
use crate::{CallSafety, LookUp, Mode};

/// What a job's id begins with; the rest is its key.
const JOB: &str = "job-";

/// What a job costs, in micro-dollars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MediaPrices {
    /// A picture.
    pub image: i64,
    /// A film.
    pub video: i64,
    /// A voice.
    pub voice: i64,
}

impl Default for MediaPrices {
    fn default() -> Self {
        Self { image: 40_000, video: 500_000, voice: 15_000 }
    }
}

impl MediaPrices {
    fn of(self, kind: MediaKind) -> MicroUsd {
        MicroUsd(match kind {
            MediaKind::Image => self.image,
            MediaKind::Video => self.video,
            MediaKind::Voice => self.voice,
        })
    }
}

/// A scripted provider of media. With a latency of zero its jobs are done at once.
#[derive(Debug)]
pub struct ScriptedMedia {
    name: String,
    config: ScriptedConfig,
    prices: MediaPrices,
    ledger: Arc<dyn Ledger>,
    sleeper: Arc<dyn Sleeper>,
    striker: Striker,
}

/// A job as the ledger keeps it.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    kind: MediaKind,
    spec: Value,
    takes_ms: u64,
    /// It comes to nothing at its end, as this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fails: Option<ErrorClass>,
}

impl ScriptedMedia {
    /// A provider of this name, with these books and this clock.
    pub fn new(
        name: impl Into<String>,
        config: ScriptedConfig,
        prices: MediaPrices,
        ledger: Arc<dyn Ledger>,
        sleeper: Arc<dyn Sleeper>,
    ) -> Self {
        let striker = Striker::new(config.seed, config.faults.clone(), Arc::clone(&ledger));
        Self { name: name.into(), config, prices, ledger, sleeper, striker }
    }

    fn enter(
        &self,
        request: &MediaRequest,
        outcome: LedgerOutcome,
        fault: Option<u32>,
        kept: Option<&Kept>,
    ) -> Result<LedgerEntry, CallFailure> {
        let entry = LedgerEntry {
            at_us: self.sleeper.now().0,
            key: request.key.clone(),
            agent: request.agent.clone(),
            place: format!("{}/{}", request.run, request.step),
            request_digest: request.digest(),
            billed_micro_usd: kept.map_or(0, |kept| self.prices.of(kept.kind).0),
            outcome,
            answer_digest: None,
            answer: kept.and_then(|kept| serde_json::to_value(kept).ok()),
            fault,
        };
        self.ledger.write(&entry).map_err(unwritable)?;
        Ok(entry)
    }

    /// The job as it is now.
    fn status(&self, entry: &LedgerEntry) -> Result<MediaStatus, CallFailure> {
        let kept = entry.answer.as_ref().and_then(|kept| Kept::deserialize(kept).ok());
        let Some(kept) = kept else {
            let code = "ledger_unreadable";
            let message = format!("{} has lost a job that it has taken", self.name);
            return Err(CallFailure::new(ErrorClass::Internal, Outcome::Unknown, code, message));
        };
        if self.ledger.is_cancelled(&entry.key) {
            let (code, message) = ("job_cancelled", "the job was stopped by its owner");
            let failure = CallFailure::new(ErrorClass::Cancelled, Outcome::Refused, code, message);
            return Ok(MediaStatus::Failed(failure));
        }
        let passed = self.sleeper.now().millis_since(Timestamp(entry.at_us));
        if passed.0 < kept.takes_ms {
            let permille = passed.0.saturating_mul(1000) / kept.takes_ms.max(1);
            return Ok(MediaStatus::Working { progress_permille: u16::try_from(permille).ok() });
        }
        if let Some(class) = kept.fails {
            let message = format!("{} could not make it, as its fault plan says", self.name);
            let code = format!("scripted_{}", class.name());
            let failure = CallFailure::new(class, Outcome::Refused, code, message);
            return Ok(MediaStatus::Failed(failure));
        }
        let seed = Dice::of(self.config.seed, entry.request_digest.as_str()).bits();
        let order = json!({ "kind": kept.kind, "spec": kept.spec, "seed": seed });
        Ok(MediaStatus::Done(MediaJob {
            result: MediaResult::Render(order),
            cost: MicroUsd(entry.billed_micro_usd),
            simulated: true,
        }))
    }

    /// What whoever submitted the job is told.
    fn submitted(&self, entry: &LedgerEntry) -> Result<Submitted, CallFailure> {
        Ok(match self.status(entry)? {
            MediaStatus::Done(job) => Submitted::Done(job),
            MediaStatus::Working { .. } | MediaStatus::Failed(_) => {
                Submitted::Accepted { job_id: format!("{JOB}{}", entry.key) }
            },
        })
    }

    fn job(&self, job_id: &str) -> Result<LedgerEntry, CallFailure> {
        let key = job_id.strip_prefix(JOB).unwrap_or("");
        self.ledger.find(key).map_err(unwritable)?.ok_or_else(|| {
            let message = format!("{} knows no job `{job_id}`", self.name);
            CallFailure::new(ErrorClass::Validation, Outcome::Refused, "job_unknown", message)
        })
    }
}

#[async_trait]
impl MediaProvider for ScriptedMedia {
    fn name(&self) -> &str {
        &self.name
    }

    fn mode(&self) -> Mode {
        Mode::Scripted
    }

    fn safety(&self) -> CallSafety {
        self.config.safety
    }

    fn makes(&self, _kind: MediaKind) -> bool {
        true
    }

    async fn submit(&self, request: &MediaRequest) -> Result<Submitted, CallFailure> {
        if self.config.safety == CallSafety::Idempotent
            && let Some(known) = self.ledger.find(&request.key).map_err(unwritable)?
        {
            self.enter(request, LedgerOutcome::Replayed, None, None)?;
            return self.submitted(&known);
        }
        let mut dice = Dice::of(self.config.seed, &request.key);
        let takes = self.config.latency.of(&mut dice);
        let place = format!("{}/{}", request.run, request.step);
        let strike = self.striker.strike(&request.agent, &request.step, &place, &request.key);
        let rule = strike.as_ref().map(|(rule, _)| *rule);
        let mut kept =
            Kept { kind: request.kind, spec: request.spec.clone(), takes_ms: takes.0, fails: None };
        match strike.map(|(_, strike)| strike) {
            Some(Strike::Fail(struck, pause)) => {
                let (outcome, kept) = if struck.is_after_effect {
                    (LedgerOutcome::Lost, Some(&kept))
                } else {
                    (LedgerOutcome::Refused, None)
                };
                self.enter(request, outcome, rule, kept)?;
                self.sleeper.sleep(pause.unwrap_or_default()).await;
                return Err(struck.to_failure(&self.name));
            },
            // What spoils a text spoils a picture too: the job comes to nothing at its end.
            Some(Strike::InvalidJson | Strike::SchemaBreach) => {
                kept.fails = Some(ErrorClass::Provider);
            },
            Some(Strike::Slow(extra)) => {
                kept.takes_ms = Millis(kept.takes_ms).0.saturating_add(extra.0);
            },
            None => {},
        }
        let entry = self.enter(request, LedgerOutcome::Answered, rule, Some(&kept))?;
        self.submitted(&entry)
    }

    async fn poll(&self, job_id: &str) -> Result<MediaStatus, CallFailure> {
        self.status(&self.job(job_id)?)
    }

    async fn look_up(&self, key: &str) -> Result<LookUp<Submitted>, CallFailure> {
        if self.config.safety != CallSafety::LookUp {
            return Ok(LookUp::CannotSay);
        }
        match self.ledger.find(key).map_err(unwritable)? {
            None => Ok(LookUp::Denied),
            Some(entry) => Ok(LookUp::Found(self.submitted(&entry)?)),
        }
    }

    async fn cancel(&self, job_id: &str) -> Result<MicroUsd, CallFailure> {
        let entry = self.job(job_id)?;
        if let MediaStatus::Working { .. } = self.status(&entry)? {
            let cancelled = LedgerEntry {
                at_us: self.sleeper.now().0,
                billed_micro_usd: 0,
                outcome: LedgerOutcome::Cancelled,
                answer: None,
                fault: None,
                ..entry.clone()
            };
            self.ledger.write(&cancelled).map_err(unwritable)?;
        }
        Ok(MicroUsd(entry.billed_micro_usd))
    }

    fn ceiling(&self, request: &MediaRequest) -> Result<Spend, Unpriced> {
        Ok(Spend { cost: self.prices.of(request.kind), tokens: 0 })
    }
}
