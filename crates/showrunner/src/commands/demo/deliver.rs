//! The demo's files, brought home and told about.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use super::Job;
use crate::client::Client;
use crate::client::shapes::{Asset, Checkpoint, Enveloped};
use crate::client::which::escape;
use crate::commands::assets::size;
use crate::commands::fetch;
use crate::fault::{Fault, Outcome};
use crate::progress::{dollars, short_id};
use crate::talk::{Talk, Tone};

/// A request, as far as its end is told.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Request {
    actual_cost: Option<f64>,
    actual_time_seconds: Option<f64>,
    simulated: bool,
    assets: Vec<Asset>,
    failure: Option<Value>,
}

/// What a request came to.
#[derive(Debug)]
pub(super) struct Delivered {
    id: String,
    aspect: &'static str,
    files: Vec<(PathBuf, Asset)>,
    cost: [Option<f64>; 2],
    seconds: [Option<f64>; 2],
    is_simulated: bool,
}

async fn request(client: &Client, id: &str) -> Outcome<Request> {
    let answer: Enveloped<Request> =
        client.read(&format!("/api/v1/requests/{}", escape(id))).await?;
    Ok(answer.data)
}

/// Downloads what a finished request hands out.
pub(super) async fn collect(client: &Client, job: &Job, out: &Path) -> Outcome<Delivered> {
    let request = request(client, &job.id).await?;
    let mut files = Vec::new();
    for (index, asset) in request.assets.into_iter().enumerate() {
        let file = out.join(name(&job.id, job.aspect, index, &asset));
        fetch::save(client, &asset, &file).await?;
        files.push((file, asset));
    }
    if files.is_empty() {
        return Err(Fault::refused(format!("{} was published without a file", job.id))
            .hint(format!("see what happened: showrunner events {}", short_id(&job.id))));
    }
    Ok(Delivered {
        id: job.id.clone(),
        aspect: job.aspect,
        files,
        cost: [request.actual_cost, job.taken.estimated_cost],
        seconds: [request.actual_time_seconds, job.taken.estimated_time_seconds],
        is_simulated: request.simulated,
    })
}

/// Downloads what a question is about, so that it can be looked at; the paths.
pub(super) async fn previews(
    client: &Client,
    checkpoint: &Checkpoint,
    out: &Path,
    run: &str,
    aspect: &str,
) -> Outcome<Vec<String>> {
    let mut files = Vec::new();
    for (index, asset) in checkpoint.assets.iter().enumerate() {
        let file = out.join(format!("preview-{}", name(run, aspect, index, asset)));
        fetch::save(client, asset, &file).await?;
        files.push(file.display().to_string());
    }
    Ok(files)
}

/// Why a request failed, if it says.
pub(super) async fn why(client: &Client, run: &str) -> Option<String> {
    let failure = request(client, run).await.ok()?.failure?;
    let message = failure.get("message").and_then(Value::as_str);
    Some(message.map_or_else(|| failure.to_string(), str::to_owned))
}

fn name(run: &str, aspect: &str, index: usize, asset: &Asset) -> String {
    let aspect = aspect.replace(':', "x");
    let more = if index == 0 { String::new() } else { format!("-{}", index + 1) };
    format!("{}-{aspect}{more}.{}", short_id(run), asset.extension())
}

impl Delivered {
    /// For `--json`.
    pub(super) fn to_json(&self) -> Value {
        let files: Vec<Value> = self
            .files
            .iter()
            .map(|(path, asset)| {
                json!({
                    "path": path, "id": asset.id, "mime": asset.mime, "bytes": asset.bytes,
                    "width": asset.width, "height": asset.height, "sha256": asset.sha256,
                })
            })
            .collect();
        let ([cost, cost_estimated], [seconds, seconds_estimated]) = (self.cost, self.seconds);
        json!({
            "type": "demo.delivered", "run": self.id, "aspect_ratio": self.aspect,
            "files": files, "simulated": self.is_simulated,
            "cost_usd": cost, "cost_usd_estimated": cost_estimated,
            "seconds": seconds, "seconds_estimated": seconds_estimated,
        })
    }

    /// Paths on standard output, the story on standard error.
    pub(super) fn print(&self, talk: &Talk) -> Outcome {
        talk.say(&talk.tint(Tone::Good, &format!("✓ published  {}  {}", self.aspect, self.id)));
        for (path, asset) in &self.files {
            talk.data(&path.display().to_string())?;
            talk.say(&format!("  size     {}, {} bytes, {}", size(asset), asset.bytes, asset.mime));
            talk.say(&format!("  sha256   {}", asset.sha256));
        }
        let simulated = if self.is_simulated { "  (simulated: nothing was paid)" } else { "" };
        talk.say(&format!(
            "  cost     {}{simulated}",
            beside(self.cost.map(|usd| usd.map(dollars)))
        ));
        let seconds = self.seconds.map(|s| s.map(|s| format!("{s:.1} s")));
        talk.say(&format!("  time     {}", beside(seconds)));
        Ok(())
    }
}

/// The actual figure beside the estimate.
fn beside([actual, estimated]: [Option<String>; 2]) -> String {
    let actual = actual.unwrap_or_else(|| "–".to_owned());
    match estimated {
        Some(estimated) => format!("{actual}  (estimate {estimated})"),
        None => actual,
    }
}
