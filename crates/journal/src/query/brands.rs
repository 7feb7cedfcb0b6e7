//! Brands.

use serde_json::Value;
use showrunner_engine::at::Timestamp;
use showrunner_engine::id::OrgId;

use crate::Journal;
use crate::cell::{Row, Statement};
use crate::error::JournalError;

/// A brand.
#[derive(Clone, Debug, PartialEq)]
pub struct Brand {
    /// UUID.
    pub id: String,
    /// Whose.
    pub org: OrgId,
    /// Unique in the organisation.
    pub name: String,
    /// Everything else about it.
    pub profile: Value,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

const SELECT: &str = "SELECT id, org, name, profile, updated_at FROM brands";

fn read_brand(mut row: Row) -> Result<Brand, JournalError> {
    Ok(Brand {
        id: row.text()?,
        org: row.text()?.into(),
        name: row.text()?,
        profile: row.json()?,
        updated_at: Timestamp(row.int()?),
    })
}

impl dyn Journal {
    /// An organisation's brands by name.
    pub async fn brands(&self, org: &OrgId) -> Result<Vec<Brand>, JournalError> {
        let question =
            Statement::new(format!("{SELECT} WHERE org = $1 ORDER BY name")).bind(org.as_str());
        self.fetch(question).await?.into_iter().map(read_brand).collect()
    }

    /// One brand of an organisation.
    pub async fn brand(&self, org: &OrgId, id: &str) -> Result<Option<Brand>, JournalError> {
        let question = Statement::new(format!("{SELECT} WHERE org = $1 AND id = $2"))
            .bind(org.as_str())
            .bind(id);
        self.fetch(question).await?.into_iter().next().map(read_brand).transpose()
    }

    /// Stores a brand, over an earlier one with its id. Another brand of the same name is an
    /// [`JournalError::Exists`].
    pub async fn put_brand(&self, brand: &Brand) -> Result<(), JournalError> {
        let upsert = Statement::new(
            "INSERT INTO brands (id, org, name, profile, updated_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, profile = excluded.profile,
               updated_at = excluded.updated_at",
        )
        .bind(brand.id.as_str())
        .bind(brand.org.as_str())
        .bind(brand.name.as_str())
        .bind(brand.profile.to_string())
        .bind(brand.updated_at.0);
        self.write(vec![upsert]).await.map(drop)
    }
}
