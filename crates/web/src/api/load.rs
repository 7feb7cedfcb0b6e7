//! Loading what belongs to the caller. What belongs to another organisation is not there.

use std::sync::Arc;

use showrunner_engine::command::Command;
use showrunner_engine::id::{RunId, StepKey};
use showrunner_engine::run::{Run, StepNo};
use showrunner_runtime::Receipt;

use crate::App;
use crate::auth::Caller;
use crate::problem::{Problem, codes, shown};

/// Ids are at most so long; longer ones are not looked for.
const ID_MAX: usize = 200;

impl App {
    /// A run of the caller's organisation.
    ///
    /// # Errors
    /// `unknown_run`, or the journal cannot be read.
    pub async fn run_of(&self, caller: &Caller, id: &str) -> Result<Arc<Run>, Problem> {
        if id.len() > ID_MAX {
            return Err(Problem::unknown_run(id));
        }
        let run = self.runtime().load_shared(&RunId::from(id)).await?;
        if run.org == caller.org { Ok(run) } else { Err(Problem::unknown_run(id)) }
    }

    /// Asks something of a run of the caller's organisation.
    ///
    /// # Errors
    /// As [`showrunner_runtime::SubmitError`] says.
    pub async fn ask(
        &self,
        caller: &Caller,
        id: &str,
        command: Command,
    ) -> Result<Receipt, Problem> {
        let run = self.run_of(caller, id).await?;
        Ok(self.runtime().submit(&run.id, command).await?)
    }
}

/// A step of a run.
pub(crate) fn step_of(run: &Run, key: &str) -> Result<StepNo, Problem> {
    run.find(&StepKey::from(key)).ok_or_else(|| {
        let known = run.index.keys().take(50).map(ToString::to_string).collect();
        let words = format!("there is no step {} in this run", shown(key));
        Problem::new(&codes::UNKNOWN_STEP, words).with_allowed(known)
    })
}
