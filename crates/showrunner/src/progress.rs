//! Watching runs: rewritten in place on a terminal, one line a change elsewhere, NDJSON under
//! `--json`. The caller is told the moments at which it may want to act.

mod story;
mod lines;
mod plain;
mod live;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use crate::client::shapes::{Page, Run, Step};
use crate::client::which::escape;
use crate::client::{Client, RunEvent, Seen, follow};
use crate::fault::{Fault, Outcome};
use crate::talk::{Talk, Tone};

pub(crate) use lines::{clip, dollars, money, short_id, span};
use live::Screen;
use plain::Heartbeat;
pub(crate) use plain::told;
pub(crate) use story::Story;

/// Events that may wait for a slow terminal or for a person's answer; followers then pause.
const SEEN_MAX: usize = 256;
/// The clock on the screen moves this often.
const TICK: Duration = Duration::from_millis(100);
/// Figures are asked for at most this often while things happen.
const REFRESH_EVERY: Duration = Duration::from_millis(500);

/// A moment at which the caller may want to act.
#[derive(Debug)]
pub(crate) enum Moment {
    /// A person is asked.
    Waiting {
        /// Of which run.
        run: String,
        /// At which step.
        step: String,
    },
    /// A run is over.
    Over {
        /// Which run.
        run: String,
        /// How it ended.
        status: String,
    },
    /// A run cannot be followed any longer.
    Lost {
        /// Why.
        fault: Box<Fault>,
    },
    /// The person at the keyboard has seen enough.
    Detached,
}

/// Watches several runs at once.
#[derive(Debug)]
pub(crate) struct Viewer<'a> {
    client: Client,
    talk: &'a Talk,
    stories: Vec<Story>,
    sender: Sender<Seen>,
    seen: Receiver<Seen>,
    screen: Option<Screen>,
    heartbeat: Heartbeat,
    ticks: Interval,
    refreshed_at: Instant,
    is_silent: bool,
    pending: Vec<Moment>,
}

impl<'a> Viewer<'a> {
    /// A viewer of no run yet.
    pub(crate) fn new(client: &Client, talk: &'a Talk) -> Self {
        let (sender, seen) = channel(SEEN_MAX);
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        Self {
            client: client.clone(),
            talk,
            stories: Vec::new(),
            sender,
            seen,
            screen: talk.is_live().then(Screen::new),
            heartbeat: Heartbeat::new(),
            ticks,
            refreshed_at: Instant::now(),
            is_silent: false,
            pending: Vec::new(),
        }
    }

    /// Shows nothing but what the caller says itself.
    pub(crate) fn silently(mut self) -> Self {
        self.is_silent = true;
        self.screen = None;
        self
    }

    /// Begins to watch a run behind event `after`.
    pub(crate) async fn add(&mut self, run: &str, after: u64) -> Outcome {
        let (run, steps) = snapshot(&self.client, run).await?;
        let (id, head) = (run.id.clone(), run.seq);
        let mut story = Story::new(run, steps, self.talk.language());
        // What has been decided long ago must not ask again; what waits now must.
        story.head = head;
        if after >= head {
            self.pending.extend(story.open_question());
        }
        self.stories.push(story);
        tokio::spawn(follow(self.client.clone(), id, after, self.sender.clone()));
        Ok(())
    }

    /// The story of a run.
    pub(crate) fn story(&self, run: &str) -> Option<&Story> {
        self.stories.iter().find(|story| story.run.id == run)
    }

    /// Shows what happens until something happens that the caller may want to act on.
    pub(crate) async fn next(&mut self) -> Outcome<Moment> {
        if let Some(moment) = self.pending.pop() {
            self.clear();
            return Ok(moment);
        }
        loop {
            let seen = tokio::select! {
                seen = self.seen.recv() => seen,
                _ = tokio::signal::ctrl_c() => {
                    self.clear();
                    return Ok(Moment::Detached);
                },
                _ = self.ticks.tick() => {
                    self.tick().await;
                    continue;
                },
            };
            // The viewer itself holds a sender: there is always something more to come.
            let Some(seen) = seen else { return Ok(Moment::Detached) };
            if let Some(moment) = self.take(seen).await? {
                self.clear();
                return Ok(moment);
            }
        }
    }

    /// Takes the rewritten lines off the screen, so that others can be written.
    pub(crate) fn clear(&mut self) {
        if let Some(screen) = &mut self.screen {
            screen.clear();
        }
    }

    /// Writes a line that stays.
    pub(crate) fn say(&mut self, text: &str) {
        self.clear();
        self.talk.say(text);
    }

    /// Leaves the last picture of a run on the screen.
    fn leave_picture(&mut self, run: &str) {
        let Some(screen) = &mut self.screen else { return };
        screen.clear();
        if let Some(story) = self.stories.iter_mut().find(|story| story.run.id == run) {
            story.is_told = true;
            let lines = screen.last(story, Timestamp::now(), self.talk);
            for line in lines {
                self.talk.say(&line);
            }
        }
    }

    /// Asks the server how the runs stand.
    pub(crate) async fn refresh(&mut self) {
        for story in &mut self.stories {
            if !story.is_stale {
                continue;
            }
            // A server that is down for a moment is the follower's concern.
            if let Ok((run, steps)) = snapshot(&self.client, &story.run.id).await {
                story.refresh(run, steps);
            }
        }
        self.refreshed_at = Instant::now();
    }

    async fn take(&mut self, seen: Seen) -> Outcome<Option<Moment>> {
        match seen {
            Seen::Event(event) => self.happened(&event),
            Seen::Cut { run, why } => {
                let text =
                    format!("{}: connection lost ({why}); taking it up again …", short_id(&run));
                self.say(&self.talk.tint(Tone::Warn, &text));
                Ok(None)
            },
            Seen::Back { run } => {
                self.say(
                    &self.talk.tint(Tone::Dim, &format!("{}: connected again", short_id(&run))),
                );
                Ok(None)
            },
            Seen::Over { run, status } => {
                if let Some(story) = self.stories.iter_mut().find(|story| story.run.id == run) {
                    story.is_stale = true;
                }
                self.refresh().await;
                self.leave_picture(&run);
                if self.talk.is_json() && !self.is_silent {
                    let cost = self.story(&run).map(|story| story.run.cost_micros);
                    self.talk.json(&json!({
                        "type": "end", "run": run, "status": status, "cost_micros": cost,
                    }))?;
                }
                Ok(Some(Moment::Over { run, status }))
            },
            Seen::Lost { run, fault } => {
                self.stories.retain(|story| story.run.id != run);
                Ok(Some(Moment::Lost { fault }))
            },
        }
    }

    fn happened(&mut self, event: &RunEvent) -> Outcome<Option<Moment>> {
        let Some(story) = self.stories.iter_mut().find(|story| story.run.id == event.run) else {
            return Ok(None);
        };
        story.apply(event);
        self.heartbeat.beat();
        if self.is_silent {
            // The caller says itself what matters.
        } else if self.talk.is_json() {
            let mut body = event.body.clone();
            if let Value::Object(fields) = &mut body {
                fields.entry("run").or_insert_with(|| Value::from(event.run.clone()));
            }
            self.talk.json(&body)?;
        } else if self.screen.is_none()
            && let Some(line) = plain::line(event, story)
        {
            self.talk.say(&line);
        }
        // Questions of the past were answered in the past, except perhaps the last.
        Ok(if event.seq == story.head {
            story.open_question()
        } else if event.seq > story.head && event.kind == "checkpoint.opened" {
            let (run, step) = (event.run.clone(), event.step.clone().unwrap_or_default());
            Some(Moment::Waiting { run, step })
        } else {
            None
        })
    }

    async fn tick(&mut self) {
        if self.is_silent || self.talk.is_json() {
            return;
        }
        let now = Timestamp::now();
        if let Some(screen) = &mut self.screen {
            screen.draw(&self.stories, now, self.talk);
        } else if let Some(lines) = self.heartbeat.due(&self.stories, now) {
            for line in lines {
                self.talk.say(&line);
            }
        }
        if self.screen.is_some() && self.refreshed_at.elapsed() > REFRESH_EVERY {
            self.refresh().await;
        }
    }
}

/// A run and its steps as they are now.
async fn snapshot(client: &Client, run: &str) -> Outcome<(Run, Vec<Step>)> {
    let run = escape(run);
    let steps = format!("/api/v1/runs/{run}/steps");
    let now: Run = client.read(&format!("/api/v1/runs/{run}")).await?;
    let steps: Page<Step> = client.read(&steps).await?;
    Ok((now, steps.data))
}
