//! The world outside: people answer, callbacks come, doubts are settled by looking at the
//! vendor's own books.

use serde_json::json;
use showrunner_engine::at::{Millis, Timestamp};
use showrunner_engine::command::{AnswerCheckpoint, Command, Principal};
use showrunner_engine::definition::{StepKind, Verb};
use showrunner_engine::event::DoubtVerdict;
use showrunner_engine::money::MicroUsd;
use showrunner_engine::run::{Run, Wait};
use showrunner_providers::ledger::Ledger;
use showrunner_runtime::Runtime;

use super::{PATIENCE, World};

impl World {
    /// Looks after all runs until they have ended; returns those that never do.
    pub(crate) async fn people(&self, runtime: &Runtime, began: Timestamp) -> Vec<String> {
        loop {
            let open: Vec<_> =
                self.all_runs().await.into_iter().filter(|(_, open)| *open).collect();
            if open.is_empty() {
                return Vec::new();
            }
            if runtime.clock().now().0 - began.0 > PATIENCE {
                return open.into_iter().map(|(id, _)| id.to_string()).collect();
            }
            for (id, _) in open {
                if let Ok(run) = runtime.load_shared(&id).await {
                    self.look_after(runtime, &run).await;
                }
            }
            // Often at first, then rarely: forty days of waiting are looked at some hundred times.
            let waited = runtime.clock().now().millis_since(began).0;
            runtime.clock().sleep(Millis(1_919 + waited / 20)).await;
        }
    }

    async fn look_after(&self, runtime: &Runtime, run: &Run) {
        let by = Principal { id: "user:reviewer".into(), roles: vec!["owner".into()] };
        let asks: Vec<Command> = run
            .waits()
            .filter_map(|(step, wait)| match wait {
                Wait::Person { .. } => {
                    let StepKind::Checkpoint(def) = &run.definition.step(step.def).kind else {
                        return None;
                    };
                    let again =
                        step.sent_back == 0 && def.retry_from.is_some() && self.story.seed % 2 == 1;
                    Some(Command::AnswerCheckpoint(Box::new(AnswerCheckpoint {
                        step: step.key.clone(),
                        verb: if again { Verb::Retry } else { Verb::Continue },
                        by: by.clone(),
                        comment: Some("もう少し明るく".into()),
                        modifications: None,
                        digest: step.checkpoint.as_ref().map(|open| open.digest.clone()),
                    })))
                },
                Wait::Doubt => {
                    let attempt = step.attempt.as_ref()?;
                    let key = format!("{}/{}/{}", run.id, attempt.token, attempt.calls.len());
                    // The vendor's books say whether it was done; what was done is not bought again.
                    let done =
                        self.ledger.find(&key).ok()?.map_or(0, |entry| entry.billed_micro_usd);
                    // A call that never gets through is given up after a while.
                    let tries = self.resent(attempt.token);
                    let verdict = if done > 0 || tries > 2 {
                        DoubtVerdict::Failed
                    } else {
                        DoubtVerdict::Resend
                    };
                    let (step, cost, since) = (step.key.clone(), MicroUsd(done), None);
                    Some(Command::ResolveDoubt { step, verdict, cost, since, by: by.clone() })
                },
                Wait::Callback { key, .. } => {
                    let payload = self.story.callbacks.iter().find(|(name, _)| name == key);
                    let payload = payload.map_or_else(|| json!({}), |(_, payload)| payload.clone());
                    Some(Command::ReceiveCallback { key: key.clone(), payload })
                },
                Wait::Retry { .. }
                | Wait::Time { .. }
                | Wait::Child { .. }
                | Wait::Job { .. }
                | Wait::Fallback { .. } => None,
            })
            .collect();
        for ask in asks {
            // Somebody else may have been faster; the next look will show.
            drop(runtime.submit(&run.id, ask).await);
        }
    }
}
