//! What people may ask now: for refusals, for the list of what is allowed, for buttons and hints.
//! Nothing that is offered is refused for the state that things are in.

use super::{by_hand, reset};
use crate::event::Ending;
use crate::run::{Run, RunState, StepNo, Wait};

/// The names of what people may ask of a run in this state.
pub fn possible(run: &Run) -> Vec<&'static str> {
    let waits_for_person = run.waits().any(|(_, wait)| matches!(wait, Wait::Person { .. }));
    let in_doubt = run.waits().any(|(_, wait)| matches!(wait, Wait::Doubt));
    match run.state {
        RunState::Pending => vec!["start_run"],
        RunState::Active => {
            let mut names = vec![if run.paused { "resume" } else { "pause" }, "cancel"];
            if waits_for_person {
                names.push("answer_checkpoint");
            }
            if in_doubt {
                names.push("resolve_doubt");
            }
            names.extend(["retry_step", "skip_step", "complete_by_hand", "receive_callback"]);
            if run.phase.is_some() {
                names.push("roll_back");
            }
            names
        },
        RunState::Closing(_) if in_doubt => vec!["resolve_doubt"],
        RunState::Closing(_) => vec![],
        RunState::Ended(Ending::Failed) if run.compensated.is_empty() && run.parent.is_none() => {
            let phases = run.phase.is_some().then_some("roll_back");
            ["retry_step", "skip_step"].into_iter().chain(phases).chain(["fork"]).collect()
        },
        RunState::Ended(_) => vec!["fork"],
    }
}

/// The names of what people may ask of this step now.
pub fn possible_on(run: &Run, no: StepNo) -> Vec<&'static str> {
    on_step(run, no, &possible(run))
}

/// The names of what people may ask of a run or, where that is about a step, of any step of it.
pub fn possible_in(run: &Run) -> Vec<&'static str> {
    const ABOUT_A_STEP: [&str; 3] = ["retry_step", "skip_step", "complete_by_hand"];
    let mut names = possible(run);
    let on_run = names.clone();
    let steps = 0..StepNo::try_from(run.steps.len()).unwrap_or(StepNo::MAX);
    let on_any = |name| steps.clone().any(|no| on_step(run, no, &on_run).contains(&name));
    names.retain(|name| !ABOUT_A_STEP.contains(name) || on_any(*name));
    names
}

fn on_step(run: &Run, no: StepNo, on_run: &[&'static str]) -> Vec<&'static str> {
    // A step that was made anew has the name; what it was before is history.
    if run.find(&run.step(no).key) != Some(no) {
        return Vec::new();
    }
    let wait = run.step(no).wait.as_ref();
    let asks = matches!(wait, Some(Wait::Person { .. }));
    let is_doubted = matches!(wait, Some(Wait::Doubt));
    let all = [
        ("answer_checkpoint", asks),
        ("resolve_doubt", is_doubted),
        // Who asks is answered, and a doubt is settled, before anything is done again.
        ("retry_step", !asks && !is_doubted && reset::to_retry(run, no).is_some()),
        ("skip_step", reset::can_skip(run, no)),
        ("complete_by_hand", by_hand::can_complete(run, no)),
    ];
    let possible = all.into_iter().filter(|(name, is)| *is && on_run.contains(name));
    possible.map(|(name, _)| name).collect()
}
