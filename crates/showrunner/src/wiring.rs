//! Puts journal, runtime and web together, top to bottom. The commands know nothing of how.

pub(crate) mod functions;
mod token;

use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use showrunner_engine::at::Millis;
use showrunner_engine::id::OrgId;
use showrunner_journal::archive::BackupReport;
use showrunner_journal::{
    Hooks, Journal, Ownership, PostgresJournal, PostgresOptions, SqliteJournal, SqliteOptions,
};
use showrunner_providers::egress::Egress;
use showrunner_providers::ledger::{Durability, FileLedger};
use showrunner_providers::scripted::{
    FaultPlan, Latency, MediaPrices, ScriptedConfig, ScriptedMedia, ScriptedModel,
};
use showrunner_providers::wire::media::{Access, ElevenLabs, Fal, OpenAiImages, Outside};
use showrunner_providers::{
    CallSafety, Http, HttpOptions, LiveModel, MediaProvider, Mode, Providers,
};
use showrunner_runtime::{Feed, Limits, LocalPictures, Options, Pace, Parts, Runtime, SystemClock};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::config::media::{Make, MediaVendor};
use crate::config::models::Models;
use crate::config::serve::{DataDir, Database, Safety, Scripted, Serving};

/// How long work under way may take to end when the server is told to stop.
const GRACE: Millis = Millis(5_000);

/// The organisation of a server without accounts.
const ORG: &str = "org_default";

/// Calls a scripted provider takes at once; it has no reason to be slow.
const SCRIPTED_ROOM: u32 = 4_096;

/// Calls that a vendor of models is sent at once; what its limits let through is its own affair.
const VENDOR_ROOM: u32 = 16;

/// Pictures drawn at once: each one keeps a core busy.
const EASELS: u32 = 2;

/// What the server is given.
#[derive(Debug)]
pub(crate) struct ServeOptions {
    /// Where the data is, and how to work.
    pub(crate) serving: Serving,
    /// The open door: bound already, not blocking.
    pub(crate) listener: TcpListener,
    /// Where to say that it answers, and that it owns the database.
    pub(crate) notices: mpsc::Sender<Notice>,
    /// When to stop: finish what is being written, then return.
    pub(crate) stop: CancellationToken,
}

/// What the server says of itself while it starts.
#[derive(Clone, Debug)]
pub(crate) enum Notice {
    /// Requests are answered. A hot standby says so too.
    Answering(Started),
    /// This process owns the database: runs go on here. Comes after `Answering`; with a standby
    /// much later or never.
    Owner,
}

/// What is known once it answers.
#[derive(Clone, Debug)]
pub(crate) struct Started {
    /// The development token, which opens everything.
    pub(crate) token: String,
    /// The path of the one-time link that signs a browser in: `/login?token=…`.
    pub(crate) login_path: String,
    /// The providers whose answers are simulated.
    pub(crate) simulated: Vec<String>,
    /// The models that are not simulated and stand for a tier, each in words.
    pub(crate) models: Vec<String>,
    /// Runs that were taken up again.
    pub(crate) recovered: usize,
}

/// Serves until it is told to stop.
pub(crate) async fn serve(options: ServeOptions) -> anyhow::Result<()> {
    let ServeOptions { serving, listener, notices, stop } = options;
    let feed = Feed::default();
    let trouble = Arc::new(OnceLock::new());
    let hooks = hooks(&feed, &stop, &trouble);
    let journal = open_journal(&serving.database, &serving.data, hooks).await?;
    if !owned(&journal, &stop).await? {
        return Ok(());
    }
    let runtime = runtime(&serving, Arc::clone(&journal), feed)?;
    let packs = showrunner_packs::install(&runtime, &OrgId::from(ORG)).await?;
    for agent in &serving.functions.agents {
        runtime.agents().put(agent.clone());
    }
    let recovered = runtime.recover().await?;
    runtime.start_timers();
    let token = token::development(&journal, &serving.data, runtime.clock().now()).await?;
    let facts = showrunner_web::Facts {
        version: env!("CARGO_PKG_VERSION").into(),
        data_dir: Some(serving.data.path().to_owned()),
        stop: stop.clone(),
        ..showrunner_web::Facts::default()
    };
    let router = showrunner_web::serve(runtime.clone(), facts, packs).await?;
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let own_url = format!("http://{}", listener.local_addr()?);
    runtime.start_webhooks(serving.inward.public_url.as_deref().unwrap_or(&own_url));
    let started = Started {
        login_path: format!("/login?token={token}"),
        token,
        simulated: simulated(runtime.providers()),
        models: real_models(runtime.providers()),
        recovered: recovered.runs,
    };
    notices.send(Notice::Answering(started)).await.context("nobody waits for the server")?;
    notices.send(Notice::Owner).await.context("nobody waits for the server")?;
    answer(listener, router, &stop).await?;
    runtime.shut_down(GRACE).await;
    journal.close().await;
    match trouble.get() {
        Some(why) => anyhow::bail!("the journal has stopped: {why}; a new start recovers"),
        None => Ok(()),
    }
}

/// Waits until this process owns the database; `false` when it is told to stop before.
async fn owned(journal: &Arc<dyn Journal>, stop: &CancellationToken) -> anyhow::Result<bool> {
    if journal.ownership() != Ownership::Standby {
        return Ok(true);
    }
    tracing::info!("another process owns the database; standing by");
    tokio::select! {
        owned = journal.wait_for_ownership() => {
            owned?;
            Ok(true)
        },
        () = stop.cancelled() => Ok(false),
    }
}

/// Answers until told to stop, and then as long as answers under way take, up to a limit.
async fn answer(
    listener: tokio::net::TcpListener,
    router: axum::Router,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let closing = stop.clone();
    let server = axum::serve(listener, router)
        .with_graceful_shutdown(async move { closing.cancelled().await });
    let late = async {
        stop.cancelled().await;
        tokio::time::sleep(Duration::from_millis(GRACE.0)).await;
    };
    tokio::select! {
        ended = server.into_future() => ended?,
        () = late => tracing::info!("connections that did not end are cut"),
    }
    Ok(())
}

/// The journal tells the feed; when it can promise nothing any more, the process must end.
fn hooks(feed: &Feed, stop: &CancellationToken, trouble: &Arc<OnceLock<String>>) -> Hooks {
    let (feed, stop, trouble) = (feed.clone(), stop.clone(), Arc::clone(trouble));
    Hooks {
        on_durable: Some(Arc::new(move |committed| feed.publish(committed))),
        fatal: Arc::new(move |why| {
            tracing::error!(
                why,
                "the journal has stopped; this process ends, a new start recovers"
            );
            // The first reason is the one that counts.
            trouble.get_or_init(|| why.to_owned());
            stop.cancel();
        }),
    }
}

pub(crate) async fn open_journal(
    database: &Database,
    data: &DataDir,
    hooks: Hooks,
) -> anyhow::Result<Arc<dyn Journal>> {
    match database {
        Database::Sqlite(path) => {
            let options = SqliteOptions {
                path: path.clone(),
                objects: data.objects(),
                hooks,
                ..SqliteOptions::in_directory(data.path())
            };
            Ok(SqliteJournal::open(options)? as Arc<dyn Journal>)
        },
        Database::Postgres(url) => {
            let options = PostgresOptions { url: url.clone(), objects: data.objects(), hooks };
            Ok(PostgresJournal::open(options).await? as Arc<dyn Journal>)
        },
    }
}

fn runtime(serving: &Serving, journal: Arc<dyn Journal>, feed: Feed) -> anyhow::Result<Runtime> {
    let clock = Arc::new(SystemClock::new()?);
    let objects = Arc::clone(journal.objects());
    let pace = Pace::of(Arc::clone(&clock) as _);
    let mut providers = Providers::new(serving.models.profiles.clone());
    add_vendors(&mut providers, &serving.models, &pace)?;
    let egress = Egress::new(serving.outward.clone());
    add_studios(&mut providers, &serving.media, &egress, &pace)?;
    add_scripted(&mut providers, &serving.scripted, &serving.data, &pace)?;
    let callbacks = serving.inward.callbacks(&egress);
    let providers = providers.with_egress(egress).with_callbacks(callbacks);
    let mut limits = Limits::default().with_agent("producer", EASELS);
    if let Some(limit) = serving.limit {
        limits.all = u32::try_from(limit.get()).unwrap_or(u32::MAX);
    }
    let options = Options { limits, functions: Some(functions::functions(&serving.functions)?) };
    let parts = Parts { journal, objects, clock, providers, feed };
    Ok(Runtime::new(parts, options))
}

/// Those with a key, and a server of one's own.
fn add_vendors(providers: &mut Providers, models: &Models, pace: &Pace) -> anyhow::Result<()> {
    if models.endpoints.is_empty() {
        return Ok(());
    }
    let http = Http::new(HttpOptions::default()).map_err(anyhow::Error::msg);
    let http = http.context("the client for vendors of models")?;
    for endpoint in &models.endpoints {
        let model = LiveModel::new(endpoint.clone(), http.clone(), pace.sleeper());
        providers.add_model(Arc::new(model), VENDOR_ROOM);
    }
    Ok(())
}

/// Vendors of pictures, films and voices with a key.
fn add_studios(
    providers: &mut Providers,
    vendors: &[MediaVendor],
    egress: &Egress,
    pace: &Pace,
) -> anyhow::Result<()> {
    if vendors.is_empty() {
        return Ok(());
    }
    let http = Http::new(HttpOptions::default()).map_err(anyhow::Error::msg);
    let http = http.context("the client for vendors of media")?;
    let outside = Outside { http, egress: egress.clone(), clock: pace.sleeper() };
    for vendor in vendors {
        let access = Access { base: vendor.base.as_deref(), key: vendor.key.clone() };
        let made: Result<Arc<dyn MediaProvider>, String> = match &vendor.make {
            Make::Fal(models) => Fal::new(access, *models, &outside)
                .map(|fal| Arc::new(fal) as _)
                .map_err(|fault| fault.to_string()),
            Make::ElevenLabs => ElevenLabs::new(access, &outside)
                .map(|elevenlabs| Arc::new(elevenlabs) as _)
                .map_err(|fault| fault.to_string()),
            Make::OpenAi(model) => {
                OpenAiImages::new(access, model, &outside).map(|openai| Arc::new(openai) as _)
            },
        };
        let made = made.map_err(anyhow::Error::msg).context(vendor.base_variable)?;
        providers.add_media(made, VENDOR_ROOM);
    }
    Ok(())
}

/// The simulator, and what is drawn on this machine.
fn add_scripted(
    providers: &mut Providers,
    scripted: &Scripted,
    data: &DataDir,
    pace: &Pace,
) -> anyhow::Result<()> {
    let millis = |span: &Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let faults = match &scripted.faults {
        Some(plan) => serde_json::from_value(plan.clone()).context("the fault plan")?,
        None => FaultPlan::default(),
    };
    let config = ScriptedConfig {
        seed: scripted.seed,
        latency: Latency {
            min_ms: millis(scripted.latency.start()),
            max_ms: millis(scripted.latency.end()),
        },
        safety: match scripted.safety {
            Safety::Idempotent => CallSafety::Idempotent,
            Safety::LookUp => CallSafety::LookUp,
            Safety::Neither => CallSafety::Neither,
        },
        faults,
    };
    let ledger = Arc::new(FileLedger::open(&data.ledger(), Durability::Process)?);
    let model =
        ScriptedModel::new("scripted", config.clone(), Arc::clone(&ledger) as _, pace.sleeper());
    providers.add_model(Arc::new(model), SCRIPTED_ROOM);
    providers.add_media(Arc::new(LocalPictures), EASELS);
    let vendor = ScriptedMedia::new(
        "scripted-media",
        config,
        MediaPrices::default(),
        ledger,
        pace.sleeper(),
    );
    providers.add_media(Arc::new(vendor), SCRIPTED_ROOM);
    Ok(())
}

/// What agents are called with, where that is not simulated: `default claude-… (anthropic, live)`.
fn real_models(providers: &Providers) -> Vec<String> {
    let in_words = |(tier, profile): (&str, &Arc<showrunner_providers::ModelProfile>)| {
        let mode = match providers.model_provider(&profile.provider)?.mode() {
            Mode::Scripted => return None,
            Mode::Local => "local, free",
            Mode::Live => "live, costs money",
        };
        Some(format!("{tier} {} ({}, {mode})", profile.name, profile.provider))
    };
    providers.profiles().chosen().filter_map(in_words).collect()
}

fn simulated(providers: &Providers) -> Vec<String> {
    let models = providers.models().filter(|p| p.mode() == Mode::Scripted).map(|p| p.name());
    let media = providers.media().filter(|p| p.mode() == Mode::Scripted).map(|p| p.name());
    models.chain(media).map(str::to_owned).collect()
}

/// Copies the data of a server that is not running.
pub(crate) async fn backup(
    database: &Database,
    data_dir: &Path,
    to: &Path,
) -> anyhow::Result<Value> {
    let journal = open_journal(database, &DataDir::new(data_dir), Hooks::default()).await?;
    let report = journal.backup(to).await?;
    journal.close().await;
    Ok(report_of(to, &report))
}

/// Makes a data folder out of a backup.
pub(crate) async fn restore(from: &Path, data_dir: &Path) -> anyhow::Result<Value> {
    let data = DataDir::new(data_dir);
    let journal = open_journal(&Database::Sqlite(data.database()), &data, Hooks::default()).await?;
    let report = journal.restore(from).await?;
    journal.close().await;
    Ok(report_of(data_dir, &report))
}

fn report_of(path: &Path, report: &BackupReport) -> Value {
    json!({
        "path": path,
        "runs": report.rows.get("runs"),
        "rows": report.rows,
        "objects": report.objects,
        "bytes": report.object_bytes,
    })
}

/// Checks every run's chain of hashes in a database that no server has open.
pub(crate) async fn verify(database: &Database, data_dir: &Path) -> anyhow::Result<Value> {
    let journal = open_journal(database, &DataDir::new(data_dir), Hooks::default()).await?;
    let verified = journal.verify().await?;
    journal.close().await;
    let broken: Vec<Value> = verified
        .breaks
        .iter()
        .map(|at| json!({ "run": at.run_id, "seq": at.seq_first, "what": at.reason }))
        .collect();
    Ok(json!({
        "runs": verified.runs,
        "batches": verified.appends,
        "events": verified.events,
        "broken": broken,
    }))
}

/// The SQLite that is linked in.
pub(crate) fn sqlite_version() -> String {
    showrunner_journal::sqlite::library_version().to_owned()
}

/// Asks a Postgres for its version.
pub(crate) async fn postgres_version(url: &str) -> anyhow::Result<String> {
    Ok(showrunner_journal::postgres::server_version(url).await?)
}
