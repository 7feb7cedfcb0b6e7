//! Following the journal: everything that was appended, over all runs, in order of arrival, from
//! where one stopped. Who follows keeps how far it has come in the same transaction as what it
//! made of it.

use serde::{Deserialize, Serialize};
use showrunner_engine::id::{OrgId, RunId};

use super::events::StoredBatch;
use super::runs::small;
use crate::Journal;
use crate::cell::{Statement, signed};
use crate::error::JournalError;

/// Appends a page.
const PAGE: i64 = 200;

/// How far somebody has come: an append by its place in the order of arrival, and by its name,
/// because a restored backup counts places anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// Its place.
    pub no: u64,
    /// Its run.
    pub run: String,
    /// The number of its first event.
    pub seq_first: u64,
}

/// An append, with what is known of its run.
#[derive(Clone, Debug)]
pub struct Followed {
    /// Where it stands.
    pub reached: Reached,
    /// Which run.
    pub run_id: RunId,
    /// Whose.
    pub org: OrgId,
    /// Name of the definition.
    pub slug: String,
    /// Version of the definition.
    pub version: u32,
    /// For people.
    pub title: Option<String>,
    /// Whether anything in the run is simulated, as far as it has come by now.
    pub is_simulated: bool,
    /// Its events.
    pub batch: StoredBatch,
}

impl dyn Journal {
    /// Where `follower` has come to; the beginning when it never began.
    pub async fn reached(&self, follower: &str) -> Result<Reached, JournalError> {
        let Some(text) = self.meta(&key_of(follower)).await? else { return Ok(Reached::default()) };
        let known: Reached = serde_json::from_str(&text).map_err(|fault| {
            JournalError::Corrupt(format!("how far {follower} has come: {fault}"))
        })?;
        let question =
            Statement::new("SELECT no FROM journal WHERE run_id = $1 AND seq_first = $2")
                .bind(known.run.as_str())
                .bind(known.seq_first);
        match self.fetch(question).await?.into_iter().next() {
            Some(mut row) => Ok(Reached { no: row.count()?, ..known }),
            // The append is gone; its place is still between its neighbours'.
            None => Ok(Reached { no: known.no.min(self.newest_no().await?), ..known }),
        }
    }

    /// The place of the newest append; 0 before the first.
    pub async fn newest_no(&self) -> Result<u64, JournalError> {
        let question = Statement::new("SELECT COALESCE(MAX(no), 0) FROM journal");
        match self.fetch(question).await?.into_iter().next() {
            Some(mut row) => row.count(),
            None => Ok(0),
        }
    }

    /// The next appends after a place, up to another. With `naming` only those whose events name
    /// one of these types, and those whose body is too long for a row.
    pub async fn follow(
        &self,
        after_no: u64,
        until_no: u64,
        naming: Option<&[&str]>,
    ) -> Result<Vec<Followed>, JournalError> {
        let mut question = Statement::new(
            "SELECT j.no, j.run_id, r.org, r.slug, r.version, r.title, r.simulated,
               j.seq_first, j.seq_last, j.at_us, j.hash, j.body, j.object
             FROM journal j JOIN runs r ON r.id = j.run_id WHERE j.no > $1 AND j.no <= $2",
        )
        .bind(after_no)
        .bind(until_no);
        if let Some(types) = naming {
            question.push(" AND (j.object IS NOT NULL");
            for name in types {
                let place = question.place(format!("%\"{name}\"%"));
                question.push(&format!(" OR j.body LIKE {place}"));
            }
            question.push(")");
        }
        let limit = question.place(PAGE);
        question.push(&format!(" ORDER BY j.no LIMIT {limit}"));
        let mut found = Vec::new();
        for mut row in self.fetch(question).await? {
            let (no, run) = (row.count()?, row.text()?);
            let org = OrgId::from(row.text()?);
            let (slug, version, title) = (row.text()?, small(&mut row)?, row.text_or_none()?);
            let is_simulated = row.flag()?;
            let batch = self.read_batch(row).await?;
            let reached = Reached { no, run: run.clone(), seq_first: batch.seq_first };
            let run_id = RunId::from(run);
            found.push(Followed {
                reached,
                run_id,
                org,
                slug,
                version,
                title,
                is_simulated,
                batch,
            });
        }
        Ok(found)
    }

    /// The append at a place, or the last one before it: to note that everything up to there was
    /// looked at.
    pub async fn place_at(&self, no: u64) -> Result<Option<Reached>, JournalError> {
        let question = Statement::new(
            "SELECT no, run_id, seq_first FROM journal WHERE no <= $1 ORDER BY no DESC LIMIT 1",
        )
        .bind(signed(no));
        let Some(mut row) = self.fetch(question).await?.into_iter().next() else {
            return Ok(None);
        };
        Ok(Some(Reached { no: row.count()?, run: row.text()?, seq_first: row.count()? }))
    }
}

fn key_of(follower: &str) -> String {
    format!("reached/{follower}")
}

/// Notes how far `follower` has come; goes with what it made of it.
pub(crate) fn note_reached(follower: &str, reached: &Reached) -> Statement {
    let text = serde_json::to_string(reached).unwrap_or_default();
    Statement::new(
        "INSERT INTO meta (key, value) VALUES ($1, $2)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    )
    .bind(key_of(follower))
    .bind(text)
}
