//! What is known of a watched run: the server's own picture, moved on by each event until the
//! next picture is taken.

use jiff::Timestamp;

use super::Moment;
use crate::client::RunEvent;
use crate::client::shapes::{Run, Step};

/// How a step stands, for one sign on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stand {
    /// Its turn has not come.
    Ahead,
    /// Something happens.
    Busy,
    /// A person is asked.
    Asks,
    /// It waits for something else.
    Waits,
    /// It has its result.
    Done,
    /// It failed.
    Failed,
    /// It will not run.
    Out,
}

impl Stand {
    fn of(status: &str) -> Self {
        match status {
            "running" => Self::Busy,
            "waiting" => Self::Waits,
            "succeeded" => Self::Done,
            "failed" => Self::Failed,
            "skipped" | "cancelled" => Self::Out,
            _ => Self::Ahead,
        }
    }
}

/// One step on the screen.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Its place in the run.
    pub(crate) key: String,
    /// Its name for people.
    pub(crate) label: String,
    /// The phase it belongs to.
    pub(crate) phase: String,
    /// How it stands.
    pub(crate) stand: Stand,
    /// Since it first began.
    pub(crate) started_at: Option<Timestamp>,
    /// When it ended.
    pub(crate) ended_at: Option<Timestamp>,
    /// What it says of itself: attempt, percent, next try.
    pub(crate) note: String,
}

/// What is known of a watched run.
#[derive(Debug)]
pub(crate) struct Story {
    /// The run as the server last told it.
    pub(crate) run: Run,
    /// Its steps in definition order.
    pub(crate) lines: Vec<Line>,
    /// The newest event when watching began; what came before is history.
    pub(crate) head: u64,
    /// Something happened that the figures do not show yet.
    pub(crate) is_stale: bool,
    /// Its last picture is on the screen already.
    pub(crate) is_told: bool,
    /// The question that is open.
    pub(crate) question: Option<String>,
    language: &'static str,
}

impl Story {
    /// The story as the server tells it.
    pub(crate) fn new(run: Run, steps: Vec<Step>, language: &'static str) -> Self {
        let mut story = Self {
            run: Run::default(),
            lines: Vec::new(),
            head: 0,
            is_stale: false,
            is_told: false,
            question: None,
            language,
        };
        story.refresh(run, steps);
        story
    }

    /// Takes a new picture.
    pub(crate) fn refresh(&mut self, run: Run, steps: Vec<Step>) {
        self.lines = steps.into_iter().map(|step| self.line(&run, step)).collect();
        if !run.waits.iter().any(super::super::client::shapes::Wait::is_for_a_person) {
            self.question = None;
        }
        self.run = run;
        self.is_stale = false;
    }

    fn line(&self, run: &Run, step: Step) -> Line {
        let asks = run.waits.iter().any(|wait| wait.step == step.key && wait.is_for_a_person());
        let known = self.lines.iter().find(|line| line.key == step.key);
        let stand = if asks { Stand::Asks } else { Stand::of(&step.status) };
        let is_same = known.is_some_and(|line| line.stand == stand);
        Line {
            label: step
                .label
                .map(|label| label.text(self.language).to_owned())
                .unwrap_or_else(|| step.key.clone()),
            phase: step.phase.unwrap_or_default(),
            stand,
            started_at: instant(step.started_at.as_deref()),
            ended_at: instant(step.ended_at.as_deref()),
            note: known.filter(|_| is_same).map(|line| line.note.clone()).unwrap_or_default(),
            key: step.key,
        }
    }

    /// Moves on by one event.
    pub(crate) fn apply(&mut self, event: &RunEvent) {
        // A picture taken later knows it already.
        if event.seq <= self.run.seq {
            return;
        }
        self.run.seq = event.seq;
        self.is_stale = true;
        self.apply_to_run(event);
        let at = instant(Some(&event.at));
        if let Some(key) = &event.step
            && let Some(line) = self.lines.iter_mut().find(|line| line.key == *key)
        {
            line.apply(event, at);
        }
    }

    fn apply_to_run(&mut self, event: &RunEvent) {
        let status = match event.kind.as_str() {
            "run.phase_entered" | "run.rolled_back" => {
                self.run.phase = event.text("/phase").map(str::to_owned);
                return;
            },
            "checkpoint.opened" => {
                let ja = event.text("/question_ja").filter(|_| self.language == "ja");
                self.question = ja.or_else(|| event.text("/question")).map(str::to_owned);
                "waiting"
            },
            "checkpoint.answered" => {
                self.question = None;
                return;
            },
            "step.started" | "run.resumed" | "run.reopened" => "running",
            "run.paused" => "paused",
            "run.delivered" => "delivered",
            "run.closing" => "closing",
            "run.completed" => "completed",
            "run.failed" => "failed",
            "run.cancelled" => "cancelled",
            _ => return,
        };
        status.clone_into(&mut self.run.status);
    }

    /// The question that a person must answer now.
    pub(crate) fn open_question(&self) -> Option<Moment> {
        let wait = self.run.waits.iter().find(|wait| wait.is_for_a_person())?;
        Some(Moment::Waiting { run: self.run.id.clone(), step: wait.step.clone() })
    }

    /// How long the run has gone on, or went on.
    pub(crate) fn elapsed(&self, now: Timestamp) -> Option<jiff::SignedDuration> {
        let from = instant(self.run.started_at.as_deref())?;
        Some(instant(self.run.ended_at.as_deref()).unwrap_or(now).duration_since(from))
    }

    /// The title, or the definition's name where there is none.
    pub(crate) fn title(&self) -> &str {
        self.run.title.as_deref().unwrap_or(&self.run.definition.slug)
    }
}

impl Line {
    fn apply(&mut self, event: &RunEvent, at: Option<Timestamp>) {
        match event.kind.as_str() {
            "step.started" => {
                self.stand = Stand::Busy;
                self.started_at = self.started_at.or(at);
                self.ended_at = None;
                let attempt = event.body.get("attempt").and_then(serde_json::Value::as_u64);
                self.note = match attempt {
                    Some(attempt) if attempt > 1 => format!("attempt {attempt}"),
                    _ => String::new(),
                };
            },
            "attempt.progressed" => {
                let percent = event.body.get("percent").and_then(serde_json::Value::as_u64);
                let percent = percent.map(|percent| format!("{percent} %"));
                let message = event.text("/message").map(str::to_owned);
                self.note = percent.into_iter().chain(message).collect::<Vec<_>>().join(" ");
            },
            "attempt.failed" if event.text("/retry_at").is_some() => {
                self.stand = Stand::Waits;
                "tries again".clone_into(&mut self.note);
            },
            "attempt.in_doubt" => {
                self.stand = Stand::Asks;
                "in doubt".clone_into(&mut self.note);
            },
            "step.waiting" => self.stand = Stand::Waits,
            "checkpoint.opened" => self.stand = Stand::Asks,
            "step.succeeded" => self.end(Stand::Done, at),
            "step.failed" | "step.fell_back" => self.end(Stand::Failed, at),
            "step.skipped" | "step.cancelled" => self.end(Stand::Out, at),
            _ => {},
        }
    }

    fn end(&mut self, stand: Stand, at: Option<Timestamp>) {
        self.stand = stand;
        self.ended_at = at;
        self.note.clear();
    }
}

fn instant(text: Option<&str>) -> Option<Timestamp> {
    text.and_then(|text| text.parse().ok())
}
