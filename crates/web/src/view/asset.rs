//! Assets as they are shown.

use schemars::JsonSchema;
use serde::Serialize;
use showrunner_engine::event::Asset;
use showrunner_engine::run::{Run, Step};

/// A file that a step made.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AssetJson {
    /// Its id.
    pub id: String,
    /// `image`, `video`, `audio`, `document`.
    pub kind: String,
    /// Media type.
    pub mime: String,
    /// For a download.
    pub name: String,
    /// Pixels.
    pub width: Option<u32>,
    /// Pixels.
    pub height: Option<u32>,
    /// For what plays.
    pub duration_seconds: Option<f64>,
    /// How long the file is.
    pub bytes: u64,
    /// Digest of its content.
    pub sha256: String,
    /// For readers who cannot see it.
    pub alt: Option<String>,
    /// Whether nobody real made it.
    pub simulated: bool,
    /// Which step made it.
    pub step: String,
    /// Where its content is.
    pub url: String,
}

impl AssetJson {
    /// An asset of a step.
    pub fn of(asset: &Asset, step: &str) -> Self {
        Self {
            id: asset.id.to_string(),
            kind: asset.kind.clone(),
            mime: asset.mime.clone(),
            name: asset.name.clone(),
            width: asset.width,
            height: asset.height,
            duration_seconds: asset.duration_ms.map(seconds),
            bytes: asset.bytes,
            sha256: asset.sha256.to_string(),
            alt: asset.alt.clone(),
            simulated: asset.simulated,
            step: step.to_owned(),
            url: format!("/api/v1/assets/{}/content", asset.id),
        }
    }

    /// The assets of a step.
    pub fn of_step(step: &Step) -> Vec<Self> {
        step.assets.iter().map(|asset| Self::of(asset, step.key.as_str())).collect()
    }

    /// The assets of a run, in the order of its steps.
    pub fn of_run(run: &Run) -> Vec<Self> {
        run.steps.iter().flat_map(|step| Self::of_step(step)).collect()
    }
}

/// Milliseconds as seconds.
#[expect(clippy::cast_precision_loss, reason = "2^53 ms is longer than anything plays")]
pub(crate) fn seconds(millis: u64) -> f64 {
    millis as f64 / 1000.0
}
