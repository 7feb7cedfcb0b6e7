//! Files of a run, downloaded: whole, checked against their digest, or not there at all.

use std::path::{Path, PathBuf};

use futures_util::StreamExt as _;
use sha2::{Digest as _, Sha256};
use tokio::fs;
use tokio::io::AsyncWriteExt as _;

use crate::client::Client;
use crate::client::shapes::Asset;
use crate::client::which::escape;
use crate::fault::{Fault, Outcome};

/// Downloads `asset` to `file`.
pub(super) async fn save(client: &Client, asset: &Asset, file: &Path) -> Outcome {
    let part = part_of(file);
    let saved = download(client, asset, file, &part).await;
    if saved.is_err() {
        drop(fs::remove_file(&part).await);
    }
    saved
}

async fn download(client: &Client, asset: &Asset, file: &Path, part: &Path) -> Outcome {
    let cannot = |error: std::io::Error| {
        Fault::refused(format!("{} cannot be written", file.display()))
            .because(error.to_string())
            .hint("choose another folder with --out DIR")
    };
    let response = client.bytes(&content_path(asset)).await?;
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).await.map_err(cannot)?;
    }
    let mut out = fs::File::create(part).await.map_err(cannot)?;
    let mut hash = Sha256::new();
    let mut body = response.bytes_stream();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| {
            Fault::unreachable(format!("the download of {} was cut off", asset.id))
                .because(error.to_string())
                .hint("try it again; nothing half was left behind")
        })?;
        hash.update(&chunk);
        out.write_all(&chunk).await.map_err(cannot)?;
    }
    out.sync_all().await.map_err(cannot)?;
    let digest = hex(&hash.finalize());
    if !asset.sha256.is_empty() && digest != bare(&asset.sha256) {
        return Err(Fault::refused(format!("{} does not have the promised content", asset.id))
            .because(format!("its SHA-256 is {digest}, promised was {}", asset.sha256))
            .hint("something between here and the server changes it, or its storage is damaged: showrunner verify"));
    }
    fs::rename(part, file).await.map_err(cannot)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// The hex digits of a digest, however it is written.
fn bare(digest: &str) -> String {
    digest.trim_start_matches("sha256:").to_ascii_lowercase()
}

/// Where the bytes are. The server may name the facts or the content.
fn content_path(asset: &Asset) -> String {
    match &asset.url {
        Some(url) if url.contains("/content") || !url.contains("/api/v1/assets/") => url.clone(),
        _ => format!("/api/v1/assets/{}/content", escape(&asset.id)),
    }
}

fn part_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}
