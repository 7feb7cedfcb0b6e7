//! What happens when an attempt fails.

use crate::at::Millis;
use crate::definition::problem::complaint;
use crate::definition::raw::Raw;
use crate::definition::read::Spot;
use crate::definition::{Backoff, OnFailure, RetryPolicy, StepIx, StepKind};
use crate::failure::ErrorClass;

use super::Resolver;

/// Most attempts of a step.
const ATTEMPTS_MAX: u32 = 100;

/// Keys of `retry`.
pub(in crate::definition) const RETRY_KEYS: [&str; 6] =
    ["attempts", "backoff", "initial", "longest", "jitter", "on"];

impl<'n> Resolver<'_, 'n> {
    /// `retry:`, a number of attempts or the whole policy. Steps that call an agent are retried
    /// when nothing is said; the others are computed or decided, and would only fail again.
    pub(super) fn retry(&mut self, step: &Spot<'n>, kind: &StepKind) -> RetryPolicy {
        let calls_agent = match kind {
            StepKind::Agent(_) => true,
            StepKind::Gate(gate) => gate.judge.is_some(),
            _ => false,
        };
        let mut policy = RetryPolicy::usual();
        let Some(spot) = step.member("retry") else {
            if !calls_agent {
                policy.attempts_max = 1;
            }
            return policy;
        };
        if let Raw::Number(_) = spot.node.raw {
            if let Some(attempts) = self.report.count(&spot, 1..=ATTEMPTS_MAX) {
                policy.attempts_max = attempts;
            }
            return policy;
        }
        if self.report.keys(&spot, &RETRY_KEYS) {
            self.retry_keys(&spot, &mut policy);
        }
        policy
    }

    fn retry_keys(&mut self, spot: &Spot<'n>, policy: &mut RetryPolicy) {
        let report = &mut *self.report;
        if let Some(attempts) = spot.member("attempts") {
            policy.attempts_max = report.count(&attempts, 1..=ATTEMPTS_MAX).unwrap_or(1);
        }
        if let Some(backoff) = spot.member("backoff") {
            let choices = [
                ("linear", Backoff::Linear),
                ("exponential", Backoff::Exponential),
                ("fibonacci", Backoff::Fibonacci),
            ];
            policy.backoff = report.choice(&backoff, &choices).unwrap_or(policy.backoff);
        }
        if let Some(initial) = spot.member("initial").and_then(|s| report.duration(&s)) {
            policy.initial = initial;
            policy.longest = policy.longest.max(initial);
        }
        if let Some(longest) = spot.member("longest") {
            policy.longest = report.duration(&longest).unwrap_or(policy.longest);
            if policy.longest < policy.initial {
                let short = complaint(
                    format!(
                        "the longest pause is shorter than the first ({})",
                        said(policy.initial)
                    ),
                    "pauses grow from `initial` to `longest`",
                );
                report.at(&longest, short);
            }
        }
        if let Some(jitter) = spot.member("jitter").and_then(|s| report.amount(&s, 1.0)) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "from 0 to 1000"
            )]
            let permille = (jitter * 1_000.0).round() as u32;
            policy.jitter_permille = permille;
        }
        if let Some(on) = spot.member("on") {
            let choices = ErrorClass::ALL.map(|class| (class.name(), class));
            let named = report.texts(&on);
            policy.on =
                named.iter().filter_map(|(_, spot)| report.choice(spot, &choices)).collect();
        }
    }

    /// `on_failure:`.
    pub(super) fn on_failure(&mut self, ix: StepIx, step: &Spot<'n>) -> OnFailure {
        let Some(spot) = step.member("on_failure") else { return OnFailure::Stop };
        let stay = OnFailure::Stop;
        if let Raw::Map(_) = spot.node.raw {
            if !self.report.keys(&spot, &["fallback"]) {
                return stay;
            }
            let fallback = spot.member("fallback").and_then(|spot| self.sibling(ix, &spot));
            return fallback.map_or(stay, OnFailure::Fallback);
        }
        let choices = [("stop", OnFailure::Stop), ("continue", OnFailure::Continue)];
        self.report.choice(&spot, &choices).unwrap_or(stay)
    }
}

/// A span for a message.
fn said(span: Millis) -> String {
    format!("{} ms", span.0)
}
