//! What a story prints: events, effects, and where the run stands.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;
use showrunner_engine::at::Timestamp;
use showrunner_engine::due::Effect;
use showrunner_engine::event::Event;
use showrunner_engine::id::{StepKey, Token};
use showrunner_engine::money::Spend;
use showrunner_engine::run::{Run, Wait};

use super::words::span_text;
use super::world::{BEGINNING, World};

/// Fields that hold instants.
const INSTANTS: [&str; 5] = ["until", "deadline", "retry_at", "at", "started_at"];

/// Fields that say nothing in a story.
const QUIET: [&str; 6] = ["type", "step", "attempt", "digest", "definition", "org"];

pub(crate) fn event(world: &World, event: &Event) -> String {
    let json = serde_json::to_value(event).unwrap_or_default();
    let mut text = event.name().to_owned();
    if let Some(step) = event.step() {
        let _ = write!(text, " {step}");
        if let Some(token) = json.get("token").and_then(Value::as_str) {
            let _ = write!(text, "{}", attempt(&world.tokens, step, token));
        }
    }
    for (name, value) in json.as_object().into_iter().flatten() {
        if QUIET.contains(&name.as_str()) || name == "token" {
            continue;
        }
        match name.as_str() {
            "child" => text.push_str(" child"),
            "calls" => {
                let _ = write!(text, " calls={}", value.as_array().map_or(0, Vec::len));
            },
            "call" if value.is_object() => {
                let _ = write!(text, " call={}", value.get("n").unwrap_or(&Value::Null));
            },
            _ => {
                let _ = write!(text, " {name}={}", shown(name, value));
            },
        }
    }
    text
}

/// `#2` for the second attempt of a step.
fn attempt(tokens: &BTreeMap<StepKey, Vec<Token>>, step: &StepKey, token: &str) -> String {
    let given = tokens.get(step).map_or(&[][..], Vec::as_slice);
    let no = given.iter().position(|other| other.to_string() == token);
    no.map_or_else(|| "#?".into(), |no| format!("#{}", no + 1))
}

fn shown(name: &str, value: &Value) -> String {
    match value {
        Value::Number(number) if INSTANTS.contains(&name) => instant(number.as_i64().unwrap_or(0)),
        Value::Object(fields) if name == "failure" => {
            let field = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
            format!("{}/{}: {}", field("class"), field("code"), field("message"))
        },
        Value::Object(fields) if fields.contains_key("cost") && fields.contains_key("tokens") => {
            serde_json::from_value(value.clone()).map_or_else(|_| value.to_string(), money)
        },
        Value::Object(fields) => {
            let parts = fields.iter().filter(|(name, _)| !QUIET.contains(&name.as_str()));
            let parts = parts.map(|(name, value)| format!("{name}: {}", shown(name, value)));
            format!("{{{}}}", parts.collect::<Vec<_>>().join(", "))
        },
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| shown("", item)).collect();
            format!("[{}]", items.join(", "))
        },
        Value::String(text) if !text.contains(char::is_whitespace) && !text.is_empty() => {
            text.clone()
        },
        other => other.to_string(),
    }
}

fn instant(micros: i64) -> String {
    format!("+{}", span_text(micros - BEGINNING.0))
}

pub(crate) fn money(spend: Spend) -> String {
    let mut parts = Vec::new();
    if spend.cost.0 != 0 {
        parts.push(format!("${}", spend.cost.as_usd()));
    }
    if spend.tokens != 0 {
        parts.push(format!("{}t", spend.tokens));
    }
    if parts.is_empty() { "0".into() } else { parts.join("+") }
}

pub(crate) fn effect(world: &World, effect: &Effect) -> String {
    let mut text = effect.name().to_owned();
    let mut about = |step: &StepKey, token: Token| {
        let _ = write!(text, " {step}{}", attempt(&world.tokens, step, &token.to_string()));
    };
    match effect {
        Effect::CallAgent(call) => {
            about(&call.step, call.token);
            match &call.input {
                Ok(input) => {
                    let _ = write!(text, " {}({})", call.agent, shown("", input));
                },
                Err(fault) => {
                    let _ = write!(text, " fault: {fault}");
                },
            }
            if let Some(feedback) = &call.feedback {
                let _ = write!(text, " feedback={}", shown("", feedback));
            }
            if !call.calls.is_empty() {
                let _ = write!(text, " calls={}", call.calls.len());
            }
            for (name, is_set) in [
                ("timed_out", call.timed_out),
                ("may_resend", call.may_resend),
                ("cache", call.cache),
            ] {
                if is_set {
                    let _ = write!(text, " {name}");
                }
            }
            if let Some((key, limit)) = &call.bottleneck {
                let _ = write!(text, " bottleneck={key}:{limit}");
            }
        },
        Effect::StartChild { step, token, definition, input, .. } => {
            about(step, *token);
            let input = input.as_ref().map_or_else(ToString::to_string, |input| shown("", input));
            let _ = write!(text, " {definition}({input})");
        },
        Effect::AbortAttempt { step, token, timed_out, job, .. } => {
            about(step, *token);
            if *timed_out {
                text.push_str(" timed_out");
            }
            if let Some(job) = job {
                let _ = write!(text, " job={}", job.id);
            }
        },
        Effect::CancelChild { step, token, .. } => about(step, *token),
        Effect::FollowJob { step, token, job, .. } => {
            about(step, *token);
            let _ = write!(text, " job={}", job.id);
        },
        Effect::NotifyParent { outcome, .. } => {
            let _ = write!(text, " {outcome:?}");
        },
    }
    text
}

/// One line: where the run stands, what it waits for, and the money.
pub(crate) fn standing(run: &Run) -> String {
    let mut text = run.status().name().to_owned();
    if let Some(phase) = run.phase_name() {
        let _ = write!(text, " in {phase}");
    }
    let waits: Vec<String> = run
        .waits()
        .map(|(step, wait)| {
            let until = wait.until().map(|until| format!(" until {}", instant(until.0)));
            let what = match wait {
                Wait::Callback { key, .. } => format!(" {key}"),
                Wait::Fallback { step } => format!(" {step}"),
                Wait::Job { job, .. } => format!(" {}", job.id),
                Wait::Person { .. }
                | Wait::Retry { .. }
                | Wait::Time { .. }
                | Wait::Child { .. }
                | Wait::Doubt => String::new(),
            };
            format!("{} ({}{what}{})", step.key, wait.name(), until.unwrap_or_default())
        })
        .collect();
    if !waits.is_empty() {
        let _ = write!(text, "; waits: {}", waits.join(", "));
    }
    if !run.spent.is_zero() {
        let _ = write!(text, "; spent {}", money(run.spent));
    }
    if !run.reserved.is_zero() {
        let _ = write!(text, "; reserved {}", money(run.reserved));
    }
    text
}

/// The whole state as text, for comparisons and golden files. The definition is left out: it is
/// pinned by its digest.
pub(crate) fn dump(run: &Run) -> String {
    let mut text = String::new();
    let _ =
        writeln!(text, "run {:?} seq {} {:?} paused {}", run.id, run.seq, run.state, run.paused);
    let _ = writeln!(text, "phase {:?} status {}", run.phase, run.status().name());
    let _ = writeln!(text, "input {} by {} org {:?}", run.input, run.started_by, run.org);
    let _ = writeln!(
        text,
        "times {:?} {:?} {:?} {:?} {:?}",
        run.started_at, run.updated_at, run.delivered_at, run.ended_at, run.deadline
    );
    let _ = writeln!(
        text,
        "money {:?} {:?} {:?} {:?}",
        run.budget, run.spent, run.reserved, run.by_agent
    );
    let _ = writeln!(text, "open {:?} inbox {:?}", run.open, run.inbox);
    let _ = writeln!(
        text,
        "end {:?} {:?} {:?} {:?} undo {} {:?} told {}",
        run.output,
        run.failure,
        run.close_reason,
        run.closed_by,
        run.compensating,
        run.compensated,
        run.parent_notified
    );
    for scope in &run.scopes {
        let _ = writeln!(text, "{scope:?}");
    }
    for step in &run.steps {
        let _ = writeln!(text, "{step:?}");
    }
    text
}

/// How far a story's clock has come.
pub(crate) fn clock(now: Timestamp) -> String {
    instant(now.0)
}
