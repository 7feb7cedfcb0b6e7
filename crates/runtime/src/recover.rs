//! After a start: what was under way goes on. Fold, ask what is due, and do it; there is no other
//! way of recovery.

use showrunner_engine::due::due;
use showrunner_engine::id::RunId;
use showrunner_journal::JournalError;
use showrunner_journal::query::events::StoredBatch;

use crate::Runtime;
use crate::residents::Resident;
use crate::submit::{SubmitError, claim};

/// Runs read in one page.
const PAGE: u32 = 1000;

/// What recovery found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Runs with something due.
    pub runs: usize,
    /// Effects that go on.
    pub effects: usize,
}

impl Runtime {
    /// Takes up everything that is due.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub async fn recover(&self) -> Result<Recovered, SubmitError> {
        self.recover_circuits().await?;
        let mut found = Recovered::default();
        let mut after: Option<RunId> = None;
        loop {
            let now = self.clock().now();
            let page = self.journal().runs_to_recover(now, after.as_ref(), PAGE).await?;
            let Some(last) = page.last().map(|run| run.id.clone()) else { return Ok(found) };
            let ids: Vec<RunId> = page.into_iter().map(|open| open.id).collect();
            for (id, batches) in self.read_all(&ids).await? {
                self.take_up_stored(&id, &batches, &mut found).await;
            }
            after = Some(last);
        }
    }

    /// The journals of these runs. Where one of them cannot be read, the others are.
    async fn read_all(&self, ids: &[RunId]) -> Result<Vec<(RunId, Vec<StoredBatch>)>, SubmitError> {
        if let Ok(all) = self.journal().read_many(ids).await {
            return Ok(all);
        }
        let mut readable = Vec::with_capacity(ids.len());
        for id in ids {
            match self.journal().read(id, 0).await {
                Ok(batches) => readable.push((id.clone(), batches)),
                Err(error @ JournalError::Corrupt(_)) => {
                    tracing::error!(run.id = %id, %error, "a run could not be read; it is left alone");
                },
                Err(error) => return Err(error.into()),
            }
        }
        Ok(readable)
    }

    async fn take_up_stored(&self, id: &RunId, batches: &[StoredBatch], found: &mut Recovered) {
        // One run that cannot be folded must not keep all others down.
        match self.fold(id, batches).await {
            Ok(Some(run)) => {
                found.runs += 1;
                found.effects += self.take_up(run);
            },
            Ok(None) => {
                tracing::error!(run.id = %id, "a run without a beginning was left alone");
            },
            Err(error) => {
                tracing::error!(run.id = %id, %error, "a run could not be recovered");
            },
        }
    }

    fn take_up(&self, run: showrunner_engine::run::Run) -> usize {
        let id = run.id.clone();
        let effects = due(&run);
        let cell = self.residents().keep(Resident::new(run));
        let claimed: Vec<_> = {
            let mut resident = cell.lock();
            let claimed = effects
                .into_iter()
                .filter_map(|effect| claim(&mut resident, effect, true))
                .collect();
            self.leave_if_idle(&mut resident);
            claimed
        };
        let count = claimed.len();
        for (effect, lease) in claimed {
            self.dispatch(&id, effect, lease, true);
        }
        count
    }
}
