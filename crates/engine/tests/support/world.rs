//! A run and the world around it, driven by text. Nobody calls `decide` by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use showrunner_engine::at::{At, Timestamp};
use showrunner_engine::call::CallRecord;
use showrunner_engine::command::{
    AnswerCheckpoint, ChildOutcome, Command, FinishAttempt, Principal, StartRun,
};
use showrunner_engine::definition::{self, Definition, Verb};
use showrunner_engine::event::{DoubtVerdict, Event, FailedProvider, Job, ParentLink, Reused};
use showrunner_engine::failure::{ErrorClass, Failure};
use showrunner_engine::id::{Digest, StepKey, Token};
use showrunner_engine::money::{Budget, MicroUsd, Spend};
use showrunner_engine::refusal::Refusal;
use showrunner_engine::run::Run;
use showrunner_engine::turn::{Answer, CallKind, Usage};

use super::invariants::Ledger;
use super::words::{Line, span_micros};

/// The instant at which every story begins.
pub(crate) const BEGINNING: Timestamp = Timestamp(1_800_000_000_000_000);

/// A definition from YAML; the two lines that say nothing in a story may be left out.
pub(crate) fn load(yaml: &str) -> Arc<Definition> {
    let head = if yaml.contains("showrunner:") { "" } else { "showrunner: 1\nid: story\n" };
    match definition::load(&format!("{head}{yaml}"), "story.yaml", 1) {
        Ok(definition) => Arc::new(definition),
        Err(problems) => {
            let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
            panic!("{}\n{yaml}", shown.join("\n"));
        },
    }
}

/// A run, its clock, and everything that has happened to it.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) run: Run,
    pub(crate) now: Timestamp,
    pub(crate) journal: Vec<(Timestamp, Event)>,
    pub(crate) ledger: Ledger,
    /// Attempt tokens by step, in the order in which they were given out.
    pub(crate) tokens: BTreeMap<StepKey, Vec<Token>>,
    decisions: u64,
}

impl World {
    pub(crate) fn new(definition: &Arc<Definition>) -> Self {
        let run = Run::new("run_story".into(), Arc::clone(definition));
        Self {
            ledger: Ledger::new(&run),
            run,
            now: BEGINNING,
            journal: Vec::new(),
            tokens: BTreeMap::new(),
            decisions: 0,
        }
    }

    /// Submits a command, and holds every promise of the engine against what comes of it.
    pub(crate) fn submit(&mut self, command: Command) -> Result<Vec<Event>, Refusal> {
        self.decisions += 1;
        let at = At { now: self.now, seed: self.decisions };
        let before = self.ledger.before(&self.run, &command, at);
        let outcome = showrunner_engine::advance(&mut self.run, command, at);
        let events = match &outcome {
            Ok(events) => events.as_slice(),
            Err(_) => &[],
        };
        for event in events {
            if let Event::StepStarted { step, token, .. } = event {
                self.tokens.entry(step.clone()).or_default().push(*token);
            }
        }
        self.ledger.after(before, &self.run, &outcome, at);
        self.journal.extend(events.iter().map(|event| (self.now, event.clone())));
        outcome
    }

    /// The token that `draft` (the newest attempt) or `draft#1` means.
    pub(crate) fn token(&self, name: &str) -> (StepKey, Token) {
        let (key, no) = match name.split_once('#') {
            Some((key, no)) => (key, no.parse::<usize>().ok()),
            None => (name, None),
        };
        let key = StepKey::from(key);
        let given = self.tokens.get(&key).map_or(&[][..], Vec::as_slice);
        let token = match no {
            Some(no) => given.get(no - 1),
            None => given.last(),
        };
        (key, token.copied().unwrap_or(Token(0)))
    }

    /// The command that a line of a story stands for.
    pub(crate) fn command(&mut self, line: &Line) -> Command {
        let key = || StepKey::from(line.word(1));
        match line.word(0) {
            "start" => Command::StartRun(Box::new(self.start(line))),
            "finish" => {
                let (step, token) = self.token(line.word(1));
                let calls = self.calls(line, &step, token);
                Command::FinishAttempt(Box::new(FinishAttempt {
                    step,
                    token,
                    output: Arc::new(line.value()),
                    calls,
                    assets: Vec::new(),
                    cached: line.options.contains_key("cached"),
                }))
            },
            "fail" => {
                let (step, token) = self.token(line.word(1));
                let calls = self.calls(line, &step, token);
                let failure = failure(line, line.word(2));
                Command::FailAttempt { step, token, failure, calls }
            },
            "progress" | "call" | "provider" | "giveup" | "job" | "dispatch" | "reserve"
            | "doubt" => self.in_flight(line),
            "resolve" => {
                let verdict = match line.word(2) {
                    "resend" => DoubtVerdict::Resend,
                    _ => DoubtVerdict::Failed,
                };
                let cost = spend(line).cost;
                Command::ResolveDoubt { step: key(), verdict, cost, since: None, by: by(line) }
            },
            "hand" => Command::CompleteByHand { step: key(), output: line.value(), by: by(line) },
            "answer" => Command::AnswerCheckpoint(Box::new(self.answer(line))),
            "callback" => {
                Command::ReceiveCallback { key: line.word(1).into(), payload: line.value() }
            },
            "tick" => self.tick(line),
            "child" => {
                let (step, token) = self.token(line.word(1));
                let outcome = match line.word(2) {
                    "completed" => ChildOutcome::Completed(Arc::new(line.value())),
                    class => ChildOutcome::Failed(failure(line, class)),
                };
                let calls = self.calls(line, &step, token);
                Command::JoinChild { step, token, outcome, calls }
            },
            "confirm" => Command::ConfirmParent,
            _ => by_people(line),
        }
    }

    /// What an attempt in flight says.
    fn in_flight(&self, line: &Line) -> Command {
        let (step, token) = self.token(line.word(1));
        match line.word(0) {
            "progress" => {
                let percent = line.values.iter().find_map(Value::as_u64);
                let percent = percent.and_then(|percent| u8::try_from(percent).ok());
                Command::ProgressAttempt { step, token, percent, message: line.text() }
            },
            "call" => {
                let call = self.calls(line, &step, token).remove(0);
                Command::RecordCall { step, token, call }
            },
            "giveup" => {
                let provider = line.word(2).to_owned();
                let failed = FailedProvider { provider, failure: failure(line, "provider") };
                Command::GiveUpJob { step, token, failed }
            },
            "provider" => {
                let failed = line.option("instead").map(|provider| FailedProvider {
                    provider,
                    failure: failure(line, "provider"),
                });
                let provider = line.word(2).to_owned();
                Command::ChooseProvider { step, token, provider, failed }
            },
            "job" => {
                let job = Job { provider: "vendor".into(), id: line.word(2).into() };
                Command::AcceptJob { step, token, job }
            },
            "dispatch" => Command::DispatchCall { step, token, call: number(line) },
            "reserve" => Command::RaiseReservation { step, token, spend: spend(line) },
            _ => {
                let message = line.text().unwrap_or_default();
                Command::DoubtAttempt { step, token, call: number(line), message }
            },
        }
    }

    fn start(&self, line: &Line) -> StartRun {
        let reused = line.options.get("reuse").and_then(Value::as_object);
        let reused = reused.into_iter().flatten().map(|(step, output)| Reused {
            step: step.as_str().into(),
            output: Arc::new(output.clone()),
            assets: Vec::new(),
            simulated: false,
        });
        let limit = |name: &str| line.number(name);
        StartRun {
            input: line.value(),
            started_by: line.option("by").unwrap_or_else(|| "user:starter".into()),
            reused: reused.collect(),
            parent: line.option("parent").map(|step| ParentLink {
                run: "run_parent".into(),
                step: step.into(),
                token: Token(7),
            }),
            budget: Budget {
                cost: limit("usd").map(micro_usd),
                tokens: limit("tokens").map(whole),
            },
            deadline: line
                .option("deadline")
                .map(|span| Timestamp(self.now.0 + span_micros(&span))),
            ..StartRun::default()
        }
    }

    fn answer(&self, line: &Line) -> AnswerCheckpoint {
        let step = StepKey::from(line.word(1));
        let verb = match line.word(2) {
            "continue" => Verb::Continue,
            "retry" => Verb::Retry,
            "abort" => Verb::Abort,
            other => panic!("no such answer: {other}"),
        };
        let shown = self
            .run
            .find(&step)
            .and_then(|no| self.run.step(no).checkpoint.as_ref().map(|open| open.digest.clone()));
        let digest = match line.option("seen").as_deref() {
            Some("now") => shown,
            Some(other) => Some(Digest::of(other.as_bytes())),
            None => None,
        };
        AnswerCheckpoint {
            step,
            verb,
            by: by(line),
            comment: line.text(),
            modifications: line.options.get("changes").cloned(),
            digest,
        }
    }

    /// Lets time pass: so much, or until the next timer.
    fn tick(&mut self, line: &Line) -> Command {
        self.now = match line.words.get(1) {
            Some(span) => Timestamp(self.now.0 + span_micros(span)),
            None => self.next_timer().unwrap_or(self.now).max(self.now),
        };
        Command::FireTimers
    }

    /// When time must be looked at next, attempts in flight included.
    pub(crate) fn next_timer(&self) -> Option<Timestamp> {
        let run = &self.run;
        let steps = run.open.iter().filter_map(|&no| run.step(no).wake_at(run.paused));
        steps.chain(run.wake_at()).min()
    }

    /// The calls of a report: one that cost what the line says, when it says so. `no=` gives its
    /// number; otherwise it is the next of the attempt.
    fn calls(&self, line: &Line, step: &StepKey, token: Token) -> Vec<Arc<CallRecord>> {
        let is_call = line.word(0) == "call";
        if !is_call && !["usd", "tokens", "no"].iter().any(|name| line.options.contains_key(*name))
        {
            return Vec::new();
        }
        let recorded = self.run.find(step).map_or(0, |no| {
            let step = self.run.step(no);
            let attempts = step.attempt.iter().chain(&step.past);
            attempts.filter(|a| a.token == token).map(|a| a.calls.len()).sum()
        });
        let no = line.number("no").map_or(recorded as u64, whole);
        vec![Arc::new(record(u16::try_from(no).unwrap_or(u16::MAX), spend(line)))]
    }
}

/// What only people ask.
fn by_people(line: &Line) -> Command {
    let key = || StepKey::from(line.word(1));
    match line.word(0) {
        "retry" => Command::RetryStep {
            step: key(),
            edits: line.options.get("edits").cloned(),
            feedback: line.values.first().cloned(),
            by: by(line),
        },
        "skip" => Command::SkipStep {
            step: key(),
            output: line.options.get("output").cloned(),
            reason: line.text().unwrap_or_else(|| "not needed".into()),
            by: by(line),
        },
        "rollback" => {
            Command::RollBack { phase: line.word(1).into(), reason: line.text(), by: by(line) }
        },
        "cancel" => Command::Cancel {
            reason: line.text(),
            compensate: line.words.iter().any(|word| word == "undo"),
            by: by(line),
        },
        "pause" => Command::Pause { by: by(line) },
        "resume" => Command::Resume { by: by(line) },
        verb => panic!("no such verb: {verb}"),
    }
}

/// A call as it is recorded.
pub(crate) fn record(no: u16, spend: Spend) -> CallRecord {
    CallRecord {
        no,
        kind: CallKind::Model,
        request_digest: "d".into(),
        provider: "fake".into(),
        model: None,
        answer: Answer::Text("…".into()),
        usage: Usage { input_tokens: spend.tokens, ..Usage::default() },
        cost: spend.cost,
        duration_ms: 0,
        simulated: true,
        billed_key: String::new(),
        estimated: false,
    }
}

fn spend(line: &Line) -> Spend {
    Spend {
        cost: line.number("usd").map_or(MicroUsd::ZERO, micro_usd),
        tokens: line.number("tokens").map_or(0, whole),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "stories are about cents")]
fn micro_usd(usd: f64) -> MicroUsd {
    MicroUsd((usd * 1e6).round() as i64)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small counts")]
fn whole(number: f64) -> u64 {
    number as u64
}

fn number(line: &Line) -> u16 {
    let number = line.values.iter().find_map(Value::as_u64).unwrap_or(0);
    u16::try_from(number).unwrap_or(u16::MAX)
}

fn by(line: &Line) -> Principal {
    let roles = line.option("roles").unwrap_or_default();
    Principal {
        id: line.option("by").unwrap_or_else(|| "user:eve".into()),
        roles: roles.split(',').filter(|role| !role.is_empty()).map(str::to_owned).collect(),
    }
}

fn failure(line: &Line, class: &str) -> Failure {
    let known = ErrorClass::ALL.into_iter().find(|known| known.name() == class);
    let class = known.unwrap_or_else(|| panic!("no such class: {class}"));
    let message = line.text().unwrap_or_else(|| "it went wrong".into());
    let mut failure = Failure::new(class, "story", message);
    failure.retry_after_ms = line
        .option("after")
        .map(|span| u64::try_from(span_micros(&span) / 1_000).unwrap_or(u64::MAX));
    failure
}
