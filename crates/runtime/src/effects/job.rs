//! A provider works on an accepted job: it is asked how far it is until it is done.

use std::sync::Arc;

use showrunner_engine::at::Millis;
use showrunner_engine::command::{Command, FinishAttempt};
use showrunner_engine::event::{FailedProvider, Job};
use showrunner_engine::failure::{ErrorClass, Failure};
use showrunner_engine::id::{Digest, StepKey, Token};
use showrunner_providers::MediaStatus;

use super::call_agent::fail;
use super::call_media::{Place, Unkept};
use crate::Runtime;
use crate::dispatch::Work;

/// The first pause between two questions; it grows by half each time.
const POLL_FIRST: Millis = Millis(500);
/// The longest one.
const POLL_LONGEST: Millis = Millis(15_000);

impl Runtime {
    pub(crate) async fn follow_job(
        &self,
        work: &Work,
        (step, token): (StepKey, Token),
        agent: &str,
        job: Job,
    ) {
        let Some(provider) = self.providers().media_provider(&job.provider).cloned() else {
            let message = format!("{} of agent {agent} is not configured any more", job.provider);
            let failure = Failure::new(ErrorClass::Provider, "provider_unknown", message);
            return self.deliver(work, Some(token), fail(&step, token, failure, Vec::new())).await;
        };
        let began = self.clock().now();
        let mut pause = POLL_FIRST;
        let mut told = None;
        loop {
            let asked = tokio::select! {
                biased;
                () = work.stop().cancelled() => return,
                asked = provider.poll(&job.id) => asked,
            };
            match asked {
                Ok(MediaStatus::Working { progress_permille }) => {
                    let percent =
                        progress_permille.and_then(|permille| u8::try_from(permille / 10).ok());
                    if percent.is_some() && percent != told {
                        told = percent;
                        let (step, message) = (step.clone(), None);
                        let command = Command::ProgressAttempt { step, token, percent, message };
                        self.deliver(work, None, command).await;
                    }
                },
                Ok(MediaStatus::Done(done)) => {
                    let place = Place { run: &work.run, step: &step, token, stop: work.stop() };
                    let facts =
                        (Digest::of(job.id.as_bytes()), self.clock().now().millis_since(began).0);
                    let report = match self.keep(&place, &*provider, facts, done).await {
                        Ok(made) => Command::FinishAttempt(Box::new(FinishAttempt {
                            step,
                            token,
                            output: Arc::new(made.output),
                            calls: vec![made.call],
                            assets: vec![made.asset],
                            cached: false,
                        })),
                        Err(Unkept::Failed(failure, paid)) => {
                            fail(&step, token, failure, vec![paid])
                        },
                        Err(Unkept::Stopping) => return,
                    };
                    return self.deliver(work, Some(token), report).await;
                },
                Ok(MediaStatus::Failed(failure)) => {
                    let failure = failure.into_failure();
                    self.circuit_failed(&job.provider, &failure).await;
                    let report = if failure.class == ErrorClass::Provider {
                        let failed = FailedProvider { provider: job.provider, failure };
                        Command::GiveUpJob { step, token, failed }
                    } else {
                        fail(&step, token, failure, Vec::new())
                    };
                    return self.deliver(work, Some(token), report).await;
                },
                Err(failure) => {
                    tracing::debug!(run.id = %work.run, %failure, "asking about a job failed");
                },
            }
            tokio::select! {
                biased;
                () = work.stop().cancelled() => return,
                () = self.clock().sleep(pause) => {},
            }
            pause = Millis(pause.0 + pause.0 / 2).min(POLL_LONGEST);
        }
    }
}
