//! The journal read back: proving its chain, making its projections again.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use showrunner_engine::definition::Definition;
use showrunner_engine::event::{DefinitionRef, Event};
use showrunner_engine::fold;
use showrunner_engine::id::{OrgId, RunId};
use showrunner_engine::run::Run;

use crate::append::{Append, ChainHash, chain};
use crate::cell::{Cell, Statement};
use crate::error::JournalError;
use crate::query::events::StoredBatch;
use crate::{Journal, tables};

/// Finds the definition that a run of an organisation is pinned to.
pub type Resolver =
    Arc<dyn Fn(&OrgId, &DefinitionRef) -> Result<Arc<Definition>, JournalError> + Send + Sync>;

/// What was made again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// How many runs.
    pub runs: u64,
    /// How many events.
    pub events: u64,
}

/// The first place where a run's journal cannot be what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    /// Which run.
    pub run_id: RunId,
    /// The number of the first event of the append.
    pub seq_first: u64,
    /// What is wrong.
    pub reason: String,
}

/// What [`Journal`]'s `verify` found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Runs looked at.
    pub runs: u64,
    /// Appends looked at.
    pub appends: u64,
    /// Events looked at.
    pub events: u64,
    /// The first break of each run that has one.
    pub breaks: Vec<Break>,
}

/// One run's chain as far as it was followed.
struct Followed {
    run_id: RunId,
    seq: u64,
    hash: ChainHash,
    is_broken: bool,
}

const PAGE: i64 = 500;

impl dyn Journal {
    /// Computes the hash chains of all runs again, and compares each end with what the run's row
    /// says, so that a missing end is seen as well.
    pub async fn verify(&self) -> Result<Verified, JournalError> {
        let mut verified = Verified::default();
        let mut followed: Option<Followed> = None;
        let mut after = (String::new(), 0u64);
        loop {
            let question = Statement::new(
                "SELECT run_id, seq_first, seq_last, at_us, hash, body, object FROM journal
                 WHERE (run_id, seq_first) > ($1, $2) ORDER BY run_id, seq_first LIMIT $3",
            )
            .bind(after.0.as_str())
            .bind(after.1)
            .bind(PAGE);
            let rows = self.fetch(question).await?;
            if rows.is_empty() {
                self.check_end(followed.take(), &mut verified).await?;
                return Ok(verified);
            }
            for mut row in rows {
                let run_id = RunId::from(row.text()?);
                if followed.as_ref().is_none_or(|run| run.run_id != run_id) {
                    self.check_end(followed.take(), &mut verified).await?;
                    verified.runs += 1;
                    followed = Some(Followed::new(run_id.clone()));
                }
                let Some(run) = &mut followed else { continue };
                let seq_first = row.peek_count()?;
                after = (run_id.to_string(), seq_first);
                verified.appends += 1;
                match self.read_batch(row).await {
                    Ok(batch) => run.follow(&batch, &mut verified),
                    Err(error) => run.breaks(seq_first, &error.to_string(), &mut verified),
                }
            }
        }
    }

    async fn check_end(
        &self,
        run: Option<Followed>,
        verified: &mut Verified,
    ) -> Result<(), JournalError> {
        let Some(mut followed) = run.filter(|run| !run.is_broken) else { return Ok(()) };
        let (seq, hash) = (followed.seq, followed.hash);
        match self.run(&followed.run_id).await? {
            // Written on while it was being read: what came later is not what is looked at.
            Some(run) if run.seq > seq && self.has_more(&followed.run_id, seq).await? => {},
            Some(run) if run.seq == seq && run.last_hash == hash => {},
            Some(run) => {
                let reason = format!("the run stands at event {}, the journal ends here", run.seq);
                followed.breaks(seq, &reason, verified);
            },
            None => followed.breaks(seq, "the run has no row", verified),
        }
        Ok(())
    }

    async fn has_more(&self, run: &RunId, seq: u64) -> Result<bool, JournalError> {
        Ok(!self.read(run, seq).await?.is_empty())
    }

    /// Every row of the projections by table, for comparing.
    pub async fn projection_rows(
        &self,
    ) -> Result<BTreeMap<&'static str, Vec<Vec<Cell>>>, JournalError> {
        let mut all = BTreeMap::new();
        for table in tables::projections() {
            let rows = self.fetch(Statement::new(table.select())).await?;
            all.insert(table.name, rows.into_iter().map(crate::Row::into_cells).collect());
        }
        Ok(all)
    }
}

impl Followed {
    fn new(run_id: RunId) -> Self {
        Self { run_id, seq: 0, hash: [0; 32], is_broken: false }
    }

    fn follow(&mut self, batch: &StoredBatch, verified: &mut Verified) {
        if self.is_broken {
            return;
        }
        if batch.seq_first != self.seq + 1 {
            let reason = format!("it should begin with event {}", self.seq + 1);
            return self.breaks(batch.seq_first, &reason, verified);
        }
        let digest: ChainHash = Sha256::digest(batch.body.as_bytes()).into();
        let hash = chain(&self.hash, &self.run_id, batch.seq_first, batch.at, &digest);
        if hash != batch.hash {
            let reason = "its content is not what was hashed when it was written";
            return self.breaks(batch.seq_first, reason, verified);
        }
        match batch.events() {
            Ok(events) => verified.events += events.len() as u64,
            Err(error) => return self.breaks(batch.seq_first, &error.to_string(), verified),
        }
        self.seq = batch.seq_last;
        self.hash = hash;
    }

    fn breaks(&mut self, seq_first: u64, reason: &str, verified: &mut Verified) {
        if !self.is_broken {
            self.is_broken = true;
            let (run_id, reason) = (self.run_id.clone(), reason.to_owned());
            verified.breaks.push(Break { run_id, seq_first, reason });
        }
    }
}

/// A run's appends as they were, made again from what is stored.
pub(crate) fn replay(
    id: &RunId,
    batches: &[StoredBatch],
    resolve: &Resolver,
) -> Result<Vec<(Append, ChainHash)>, JournalError> {
    let mut run: Option<Run> = None;
    let mut appends = Vec::with_capacity(batches.len());
    for batch in batches {
        let events = batch.events()?;
        if run.is_none() {
            run = Some(Run::new(id.clone(), definition_of(id, &events, resolve)?));
        }
        let Some(run) = &mut run else { continue };
        for event in &events {
            fold::apply(run, batch.at, event);
        }
        let append = Append::new(run, batch.at, &events)
            .map_err(|error| JournalError::Corrupt(error.to_string()))?;
        appends.push((append, batch.hash));
    }
    Ok(appends)
}

fn definition_of(
    id: &RunId,
    events: &[Event],
    resolve: &Resolver,
) -> Result<Arc<Definition>, JournalError> {
    match events.first() {
        Some(Event::RunStarted(started)) => resolve(&started.org, &started.definition),
        _ => Err(JournalError::Corrupt(format!("{id} does not begin with its start"))),
    }
}
