//! What runs produced.

use showrunner_engine::at::Timestamp;
use showrunner_engine::event::Asset;
use showrunner_engine::id::{AssetId, OrgId, RunId, StepKey};

use crate::Journal;
use crate::cell::{Row, Statement};
use crate::error::JournalError;

/// An asset and where it comes from. Its bytes are in object storage under `asset.sha256`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetView {
    /// Which run shows it.
    pub run_id: RunId,
    /// Whose.
    pub org: OrgId,
    /// Which step made it.
    pub step: StepKey,
    /// What it is.
    pub asset: Asset,
    /// When it became known.
    pub created_at: Timestamp,
}

const SELECT: &str = "SELECT run_id, org, step, created_at, id, kind, mime, name, bytes, sha256,
    width, height, duration_ms, alt, simulated FROM assets";

fn read_asset(mut row: Row) -> Result<AssetView, JournalError> {
    let row = &mut row;
    Ok(AssetView {
        run_id: row.text()?.into(),
        org: row.text()?.into(),
        step: row.text()?.into(),
        created_at: Timestamp(row.int()?),
        asset: Asset {
            id: row.text()?.into(),
            kind: row.text()?,
            mime: row.text()?,
            name: row.text()?,
            bytes: row.count()?,
            sha256: row.text()?.into(),
            width: pixels(row)?,
            height: pixels(row)?,
            duration_ms: row.int_or_none()?.map(i64::unsigned_abs),
            alt: row.text_or_none()?,
            simulated: row.flag()?,
        },
    })
}

fn pixels(row: &mut Row) -> Result<Option<u32>, JournalError> {
    Ok(row.int_or_none()?.and_then(|value| u32::try_from(value).ok()))
}

impl dyn Journal {
    /// The assets of a run, in the order in which they were made.
    pub async fn assets_of(&self, run: &RunId) -> Result<Vec<AssetView>, JournalError> {
        let sql = format!("{SELECT} WHERE run_id = $1 ORDER BY created_at, step, id");
        let rows = self.fetch(Statement::new(sql).bind(run.as_str())).await?;
        rows.into_iter().map(read_asset).collect()
    }

    /// One asset, in the run that made it; `None` when there is no such asset.
    pub async fn asset(&self, id: &AssetId) -> Result<Option<AssetView>, JournalError> {
        let sql = format!("{SELECT} WHERE id = $1 ORDER BY created_at LIMIT 1");
        let rows = self.fetch(Statement::new(sql).bind(id.as_str())).await?;
        rows.into_iter().next().map(read_asset).transpose()
    }
}
