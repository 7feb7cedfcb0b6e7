//! The run in one sentence, and what comes next in another.

use showrunner_engine::run::{Run, RunStatus, StepNo, StepStatus, Wait};

use super::Page;
use crate::ui::parts::span;
use crate::ui::words::fill;

/// What is going on, and what happens or must be done next.
pub(super) fn sentences(page: &Page<'_>) -> (String, Option<String>) {
    let (run, words) = (page.run, page.frame.look.words());
    let now = match run.status() {
        RunStatus::Pending => words.now_pending.to_owned(),
        RunStatus::Running => running(page),
        RunStatus::Waiting => waiting(page),
        RunStatus::Delivered => words.now_delivered.to_owned(),
        RunStatus::Paused => words.now_paused.to_owned(),
        RunStatus::Closing => words.now_closing.to_owned(),
        RunStatus::Completed => {
            let time = span(run.duration().0, page.frame.look);
            fill(words.now_completed, &[("time", &time)])
        },
        RunStatus::Failed => {
            let why = run.failure.as_ref().map_or("", |failure| failure.message.as_str());
            fill(words.now_failed, &[("why", why)])
        },
        RunStatus::Cancelled => match &run.close_reason {
            Some(why) => fill(words.now_cancelled_why, &[("why", why)]),
            None => words.now_cancelled.to_owned(),
        },
    };
    (now, next(page))
}

fn running(page: &Page<'_>) -> String {
    let words = page.frame.look.words();
    let run = page.run;
    let is_at_work = |no: &StepNo| {
        let step = run.step(*no);
        step.status == StepStatus::Running && step.body.is_none()
    };
    let busy: Vec<StepNo> = run.open.iter().copied().filter(is_at_work).collect();
    match busy.as_slice() {
        [] => waiting(page),
        [only] => fill(words.now_running, &[("step", page.name(*only))]),
        [first, ..] => {
            let n = busy.len().to_string();
            fill(words.now_running_many, &[("n", &n), ("step", page.name(*first))])
        },
    }
}

fn waiting(page: &Page<'_>) -> String {
    let (run, words) = (page.run, page.frame.look.words());
    let waits = run.open.iter().filter_map(|&no| Some((no, run.step(no).wait.as_ref()?)));
    let Some((no, wait)) = waits.min_by_key(|(_, wait)| urgency(wait)) else {
        return words.now_pending.to_owned();
    };
    let sentence = match wait {
        Wait::Person { .. } => words.now_person,
        Wait::Retry { .. } => words.now_retry,
        Wait::Time { .. } => words.now_time,
        Wait::Callback { .. } => words.now_callback,
        Wait::Child { .. } => words.now_child,
        Wait::Job { .. } => words.now_job,
        Wait::Doubt => words.now_doubt,
        Wait::Fallback { .. } => words.now_fallback,
    };
    fill(sentence, &[("step", page.name(no))])
}

/// What a person can do something about comes first.
fn urgency(wait: &Wait) -> u8 {
    match wait {
        Wait::Doubt => 0,
        Wait::Person { .. } => 1,
        Wait::Retry { .. } => 2,
        Wait::Callback { .. } | Wait::Job { .. } => 3,
        Wait::Child { .. } | Wait::Fallback { .. } => 4,
        Wait::Time { .. } => 5,
    }
}

fn next(page: &Page<'_>) -> Option<String> {
    let (run, words) = (page.run, page.frame.look.words());
    match run.status() {
        RunStatus::Failed => {
            let may_retry = page.json.allowed.iter().any(|name| name == "retry");
            let is_undone = !run.compensated.is_empty();
            match (may_retry, is_undone) {
                (true, _) => Some(words.next_retry_or_skip.to_owned()),
                (false, true) => Some(words.next_fork.to_owned()),
                (false, false) => None,
            }
        },
        RunStatus::Paused => Some(words.next_resume.to_owned()),
        RunStatus::Waiting | RunStatus::Running => {
            if run.open.iter().any(|&no| matches!(run.step(no).wait, Some(Wait::Person { .. }))) {
                return Some(words.next_decide.to_owned());
            }
            Some(match upcoming(run) {
                Some(no) => fill(words.next_step, &[("step", page.name(no))]),
                None => words.next_last.to_owned(),
            })
        },
        _ => None,
    }
}

/// The first step whose turn has not come.
fn upcoming(run: &Run) -> Option<StepNo> {
    if run.scopes.is_empty() {
        return None;
    }
    run.steps_of(0)
        .find(|&no| run.step(no).status == StepStatus::Pending && !run.def(no).is_fallback)
}
