//! The development token: made at the first start, kept in the data folder for its owner only.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use showrunner_engine::at::Timestamp;
use showrunner_engine::id::{Digest, OrgId};
use showrunner_journal::Journal;
use showrunner_journal::query::tokens::StoredToken;

use crate::config::serve::DataDir;

/// The token of this data folder. One that the journal does not know (a lost or strange file) is
/// replaced.
pub(super) async fn development(
    journal: &Arc<dyn Journal>,
    data: &DataDir,
    now: Timestamp,
) -> anyhow::Result<String> {
    let path = data.path().join("token");
    if let Ok(text) = std::fs::read_to_string(&path) {
        let text = text.trim().to_owned();
        let known = journal.token(&Digest::of(text.as_bytes())).await?;
        if known.is_some_and(|token| token.revoked_at.is_none()) {
            return Ok(text);
        }
    }
    let mut secret = [0u8; 32];
    getrandom::fill(&mut secret).context("the operating system gives no randomness")?;
    let text = format!("sr_{}", URL_SAFE_NO_PAD.encode(secret));
    let token = StoredToken {
        id: format!("tok_{}", &Digest::of(text.as_bytes()).as_str()[..16]),
        org: OrgId::from("org_default"),
        principal: "user:owner".into(),
        roles: vec!["owner".into()],
        digest: Digest::of(text.as_bytes()),
        created_at: now,
        revoked_at: None,
    };
    journal.put_token(&token).await?;
    keep(&path, &text).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(text)
}

fn keep(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
