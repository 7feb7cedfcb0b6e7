//! What goes wrong, as data: which calls are struck, how often, and with what.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use showrunner_engine::at::Millis;
use showrunner_engine::failure::ErrorClass;
use showrunner_engine::id::StepKey;
use showrunner_engine::turn::Answer;

use super::dice::{Dice, mixed};
use crate::error::{CallFailure, Outcome};
use crate::ledger::Ledger;

/// A hang ends after this, should nobody have given up before.
const HANG: Millis = Millis::from_secs(24 * 60 * 60);

/// Rules in order; the first that strikes a call decides.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FaultPlan {
    /// The rules.
    pub rules: Vec<FaultRule>,
}

/// One rule. Without `first` and `share_permille` it strikes every call that it is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// The agents it is about; `*` stands for any text.
    #[serde(default = "anything")]
    pub agent: String,
    /// The steps it is about, by their key; `*` stands for any text.
    #[serde(default = "anything")]
    pub step: String,
    /// Strikes only so many calls, counted over restarts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<u64>,
    /// Counts `first` for every step of every run on its own.
    #[serde(default)]
    pub per_step: bool,
    /// Strikes only so many of a thousand calls; which ones is up to the seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_permille: Option<u32>,
    /// What happens.
    pub fault: Fault,
}

/// What happens to a call that is struck.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// It fails.
    Fail {
        /// As what.
        class: ErrorClass,
        /// Whether it was done all the same.
        #[serde(default)]
        effect: Effect,
        /// The pause that the provider asks for.
        #[serde(default)]
        retry_after_ms: Option<u64>,
    },
    /// No answer comes.
    Hang {
        /// Whether it was done all the same.
        #[serde(default)]
        effect: Effect,
        /// When the line is cut; a day by default.
        #[serde(default)]
        after_ms: Option<u64>,
    },
    /// The answer breaks off in the middle.
    InvalidJson,
    /// The answer does not fit its schema.
    SchemaBreach,
    /// The answer takes longer.
    Slow {
        /// By so much.
        extra_ms: u64,
    },
}

/// Whether a failed call has been done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Not done, and the caller knows.
    #[default]
    Before,
    /// It never arrived, and the caller does not know.
    Unseen,
    /// Done and billed; the answer was lost, and the caller does not know.
    After,
}

fn anything() -> String {
    "*".to_owned()
}

/// A fault that strikes a call.
#[derive(Clone, Debug)]
pub(super) enum Strike {
    /// Fails, after a pause of its own where it has one.
    Fail(Struck, Option<Millis>),
    InvalidJson,
    SchemaBreach,
    Slow(Millis),
}

#[derive(Clone, Debug)]
pub(super) struct Struck {
    class: ErrorClass,
    pub(super) is_after_effect: bool,
    outcome: Outcome,
    retry_after: Option<Millis>,
}

impl Struck {
    fn new(class: ErrorClass, effect: Effect, retry_after_ms: Option<u64>) -> Self {
        let outcome = match (effect, class) {
            (Effect::Before, ErrorClass::Network) => Outcome::NotSent,
            (Effect::Before, _) => Outcome::Refused,
            (Effect::Unseen | Effect::After, _) => Outcome::Unknown,
        };
        let is_after_effect = effect == Effect::After;
        Self { class, is_after_effect, outcome, retry_after: retry_after_ms.map(Millis) }
    }

    pub(super) fn to_failure(&self, provider: &str) -> CallFailure {
        let class = self.class.name();
        let what = match self.outcome {
            Outcome::Unknown => "and nobody knows whether the call was carried out",
            Outcome::Refused | Outcome::NotSent => "and the call was not carried out",
            Outcome::Done => "though the call was carried out",
        };
        CallFailure {
            class: self.class,
            code: format!("scripted_{class}"),
            message: format!("{provider} failed as its fault plan says ({class}), {what}"),
            retry_after: self.retry_after,
            outcome: self.outcome,
            request_id: None,
            billed: None,
        }
    }
}

/// Decides which calls are struck.
#[derive(Debug)]
pub(super) struct Striker {
    seed: u64,
    plan: FaultPlan,
    ledger: Arc<dyn Ledger>,
    /// Strikes so far by rule and place; begun from the ledger, so that restarts do not count anew.
    counts: Mutex<HashMap<(u32, Option<String>), u64>>,
}

impl Striker {
    pub(super) fn new(seed: u64, plan: FaultPlan, ledger: Arc<dyn Ledger>) -> Self {
        Self { seed, plan, ledger, counts: Mutex::default() }
    }

    /// The fault for a call, and the position of its rule.
    pub(super) fn strike(
        &self,
        agent: &str,
        step: &StepKey,
        place: &str,
        key: &str,
    ) -> Option<(u32, Strike)> {
        (0u32..).zip(&self.plan.rules).find_map(|(at, rule)| {
            let is_about = matches(&rule.agent, agent) && matches(&rule.step, step.as_str());
            let strikes = is_about && self.is_drawn(at, rule, key) && self.is_left(at, rule, place);
            strikes.then(|| (at, Strike::of(&rule.fault)))
        })
    }

    fn is_drawn(&self, at: u32, rule: &FaultRule, key: &str) -> bool {
        let Some(share) = rule.share_permille else { return true };
        Dice::new(mixed(self.seed.wrapping_add(u64::from(at)), key)).permille() < share
    }

    /// Whether the rule has strikes left; takes one.
    fn is_left(&self, at: u32, rule: &FaultRule, place: &str) -> bool {
        let Some(first) = rule.first else { return true };
        let place = rule.per_step.then_some(place);
        let mut counts = self.counts.lock();
        let known = counts.entry((at, place.map(str::to_owned)));
        let count = known.or_insert_with(|| self.ledger.struck(at, place));
        let is_left = *count < first;
        *count += u64::from(is_left);
        is_left
    }
}

impl Strike {
    fn of(fault: &Fault) -> Self {
        match fault {
            Fault::Fail { class, effect, retry_after_ms } => {
                Self::Fail(Struck::new(*class, *effect, *retry_after_ms), None)
            },
            Fault::Hang { effect, after_ms } => {
                // Whoever waits in vain does not know what became of the call.
                let effect = if *effect == Effect::Before { Effect::Unseen } else { *effect };
                let pause = after_ms.map_or(HANG, Millis);
                Self::Fail(Struck::new(ErrorClass::Timeout, effect, None), Some(pause))
            },
            Fault::InvalidJson => Self::InvalidJson,
            Fault::SchemaBreach => Self::SchemaBreach,
            Fault::Slow { extra_ms } => Self::Slow(Millis(*extra_ms)),
        }
    }
}

/// Whether `text` is of the form of `pattern`, in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((front, mut rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(front) else { return false };
    while let Some((part, more)) = rest.split_once('*') {
        let Some(at) = text.find(part) else { return false };
        text = text.get(at + part.len()..).unwrap_or("");
        rest = more;
    }
    text.ends_with(rest)
}

/// The answer broken off in the middle.
pub(super) fn invalid_json(text: &str) -> (Answer, String) {
    let mut end = text.len() / 2;
    while !text.is_char_boundary(end) {
        end += 1;
    }
    let cut = text.get(..end.max(1)).unwrap_or("{").to_owned();
    (Answer::Text(cut.clone()), cut)
}

/// The answer with its first member spoilt, or of another type altogether.
pub(super) fn schema_breach(answer: Answer) -> (Answer, String) {
    let spoilt = match answer {
        Answer::Output(Value::Object(mut members)) => {
            if let Some((_, value)) = members.iter_mut().next() {
                *value = match value {
                    Value::Object(_) => Value::Bool(false),
                    _ => serde_json::json!({ "unexpected": true }),
                };
            }
            Value::Object(members)
        },
        Answer::Output(Value::Array(_)) => Value::Bool(false),
        Answer::Output(_) | Answer::AsOutput | Answer::Text(_) | Answer::Tools { .. } => {
            serde_json::json!([{ "unexpected": true }])
        },
    };
    let text = spoilt.to_string();
    (Answer::Output(spoilt), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "draft[2].copy", true),
            ("draft*", "draft[2].copy", true),
            ("*.copy", "draft[2].copy", true),
            ("draft[*].copy", "draft[2].copy", true),
            ("draft[*].image", "draft[2].copy", false),
            ("qa", "qa", true),
            ("qa", "qa2", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn a_plan_is_written_as_json() {
        let plan: FaultPlan = serde_json::from_str(
            r#"[{"agent": "copy*", "first": 2, "per_step": true,
                 "fault": {"fail": {"class": "rate_limited", "retry_after_ms": 500}}},
                {"share_permille": 20, "fault": {"hang": {"effect": "after"}}},
                {"step": "qa", "fault": "invalid_json"},
                {"fault": {"slow": {"extra_ms": 40}}}]"#,
        )
        .unwrap();
        assert_eq!(plan.rules.len(), 4);
        assert_eq!(plan.rules[2].fault, Fault::InvalidJson);
        let wrong = serde_json::from_str::<FaultPlan>(r#"[{"fault": "explode"}]"#).unwrap_err();
        assert!(wrong.to_string().contains("explode"), "{wrong}");
    }
}
