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
            if run.phase.is_some() && !in_doubt {
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
        ("retry_step", !asks && !is_doubted && reset::can_retry(run, no)),
        ("skip_step", reset::can_skip(run, no)),
        ("complete_by_hand", by_hand::can_complete(run, no)),
    ];
    let possible = all.into_iter().filter(|(name, is)| *is && on_run.contains(name));
    possible.map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::at::{At, Timestamp};
    use crate::command::{Command, Principal, StartRun};
    use crate::definition;
    use crate::failure::{ErrorClass, Failure};
    use crate::id::{RunId, StepKey};

    use super::*;

    /// `a` is done and can be undone, `b` is under way.
    const WORK: &str = "showrunner: 1
id: work
phases: [plan]
compensate_on_failure: true
steps:
  - { id: a, transform: { n: 1 }, phase: plan }
  - { id: b, agent: w, needs: a, retry: { attempts: 1 } }
";

    struct Desk(Run);

    impl Desk {
        fn new(work: &str) -> Self {
            let definition = Arc::new(definition::load(work, "x", 1).unwrap());
            let mut desk = Self(Run::new(RunId::from("run_x"), definition));
            let start = StartRun { input: serde_json::json!({}), ..StartRun::default() };
            desk.ask(Command::StartRun(Box::new(start)));
            desk
        }

        fn ask(&mut self, command: Command) {
            let at = At { now: Timestamp(1_000_000), seed: self.0.seq };
            crate::advance(&mut self.0, command, at).unwrap();
        }

        fn fail(&mut self, step: &str) {
            let step = StepKey::from(step);
            let no = self.0.find(&step).unwrap();
            let token = self.0.step(no).attempt.as_ref().unwrap().token;
            let failure = Failure::new(ErrorClass::Provider, "no", "no");
            self.ask(Command::FailAttempt { step, token, failure, calls: Vec::new() });
        }
    }

    #[test]
    fn a_run_under_way_and_a_cancelled_one() {
        let mut desk = Desk::new(WORK);
        assert_eq!(
            possible_in(&desk.0),
            [
                "pause",
                "cancel",
                "retry_step",
                "skip_step",
                "complete_by_hand",
                "receive_callback",
                "roll_back"
            ]
        );
        let by = Principal::system();
        desk.ask(Command::Pause { by: by.clone() });
        assert!(
            possible_in(&desk.0).contains(&"resume") && !possible_in(&desk.0).contains(&"pause")
        );
        let step = StepKey::from("b");
        let no = desk.0.find(&step).unwrap();
        let token = desk.0.step(no).attempt.as_ref().unwrap().token;
        desk.ask(Command::DoubtAttempt { step, token, call: 0, message: "lost".into() });
        assert!(possible_in(&desk.0).contains(&"resolve_doubt"));
        // Nothing is under way that would have to be asked about first.
        let waiting =
            WORK.replace("agent: w, needs: a, retry: { attempts: 1 }", "wait: { for: 1h }");
        let mut cancelled = Desk::new(&waiting);
        cancelled.ask(Command::Cancel { reason: None, compensate: false, by });
        assert_eq!(cancelled.0.status().name(), "cancelled");
        assert_eq!(possible_in(&cancelled.0), ["fork"]);
    }

    #[test]
    fn a_failed_run_can_be_taken_up_again_unless_it_was_undone() {
        let mut failed = Desk::new(WORK);
        failed.fail("b");
        assert_eq!(failed.0.status().name(), "failed");
        assert_eq!(possible_in(&failed.0), ["retry_step", "skip_step", "roll_back", "fork"]);
        let undoable = WORK.replace("n: 1 }", "n: 1 }, compensate: { transform: { m: 2 } }");
        let mut undone = Desk::new(&undoable);
        undone.fail("b");
        assert_eq!((undone.0.status().name(), undone.0.compensated.len()), ("failed", 1));
        assert_eq!(possible_in(&undone.0), ["fork"]);
    }

    #[test]
    fn a_run_that_is_closing_takes_nothing() {
        let undoable = WORK.replace("n: 1 }", "n: 1 }, compensate: { agent: w }");
        let mut closing = Desk::new(&undoable);
        closing.fail("b");
        assert_eq!(closing.0.status().name(), "closing");
        assert!(possible_in(&closing.0).is_empty());
    }
}
