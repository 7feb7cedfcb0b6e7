//! `assets list`, `assets get`: the files of a run.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::fetch;
use super::table::{table, text};
use crate::client::Client;
use crate::client::shapes::{Asset, Page};
use crate::client::which::escape;
use crate::config::Desk;
use crate::fault::{Fault, Outcome};
use crate::progress::short_id;

/// What with them.
#[derive(Debug, Subcommand)]
pub(crate) enum AssetsCommand {
    /// What files a run has made
    List(ListArgs),
    /// Download them
    Get(GetArgs),
}

/// Whose.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// The run
    run: String,
}

/// Which, and whereto.
#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// The run, or the id of one file (ast_…)
    which: String,
    /// The folder to write to
    #[arg(long, short, default_value = ".", value_name = "DIR")]
    out: PathBuf,
}

/// Lists or downloads.
pub(crate) async fn perform(desk: &Desk, command: AssetsCommand) -> Outcome {
    let client = Client::find(&desk.connect)?;
    match command {
        AssetsCommand::List(args) => list(desk, &client, args).await,
        AssetsCommand::Get(args) => get(desk, &client, args).await,
    }
}

async fn list(desk: &Desk, client: &Client, args: ListArgs) -> Outcome {
    let run = client.run_id(&args.run).await?;
    let value = of_run(client, &run).await?;
    if desk.talk.is_json() {
        return desk.talk.json(&value);
    }
    let page: Page<Asset> = client.shape(value)?;
    if page.data.is_empty() {
        desk.talk.say(&format!("{run} has made no files yet."));
        return Ok(());
    }
    let mut rows = table(&["asset", "kind", "type", "size", "bytes", "sha256"]);
    for asset in &page.data {
        let kind = if asset.simulated { format!("{} sim", asset.kind) } else { asset.kind.clone() };
        rows.add_row([
            asset.id.clone(),
            kind,
            asset.mime.clone(),
            size(asset),
            asset.bytes.to_string(),
            asset.sha256.clone(),
        ]);
    }
    desk.talk.data(&text(&rows))?;
    desk.talk.next(&[(format!("showrunner assets get {}", short_id(&run)), "download them")]);
    Ok(())
}

async fn get(desk: &Desk, client: &Client, args: GetArgs) -> Outcome {
    let (owner, assets) = wanted(client, &args.which).await?;
    if assets.is_empty() {
        return Err(Fault::refused(format!("{owner} has made no files yet"))
            .hint(format!("see it go on: showrunner watch {}", short_id(&owner))));
    }
    let mut saved = Vec::new();
    for (index, asset) in assets.iter().enumerate() {
        let name = format!("{}-{}.{}", short_id(&owner), index + 1, asset.extension());
        let file = args.out.join(name);
        fetch::save(client, asset, &file).await?;
        let shown = file.display();
        if !desk.talk.is_json() {
            desk.talk.data(&format!(
                "{shown}  {}  {} bytes  {}",
                size(asset),
                asset.bytes,
                asset.sha256
            ))?;
        }
        saved.push(json!({
            "id": asset.id, "path": file, "bytes": asset.bytes, "sha256": asset.sha256,
        }));
    }
    if desk.talk.is_json() {
        desk.talk.json(&json!({ "data": saved }))?;
    }
    Ok(())
}

/// The files meant, and what to call them after.
async fn wanted(client: &Client, which: &str) -> Outcome<(String, Vec<Asset>)> {
    if which.starts_with("ast_") {
        let asset: Asset = client.read(&format!("/api/v1/assets/{}", escape(which))).await?;
        return Ok((asset.id.clone(), vec![asset]));
    }
    let run = client.run_id(which).await?;
    let page: Page<Asset> = client.shape(of_run(client, &run).await?)?;
    Ok((run, page.data))
}

async fn of_run(client: &Client, run: &str) -> Outcome<Value> {
    client.get(&format!("/api/v1/runs/{}/assets", escape(run))).await
}

/// `1080×1080`, or nothing for what has no size.
pub(super) fn size(asset: &Asset) -> String {
    match (asset.width, asset.height) {
        (Some(width), Some(height)) => format!("{width}×{height}"),
        _ => "–".to_owned(),
    }
}
