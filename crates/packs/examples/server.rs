//! A server on a temporary folder with the scripted providers, to look at the pages:
//! `cargo run -p showrunner-packs --example server -- 127.0.0.1:8899 [pace in ms]`.

#![expect(clippy::print_stdout, reason = "says where it listens")]

use std::sync::Arc;

use showrunner_engine::id::{Digest, OrgId};
use showrunner_journal::query::tokens::StoredToken;
use showrunner_journal::{Hooks, Journal, SqliteJournal, SqliteOptions};
use showrunner_providers::ledger::MemoryLedger;
use showrunner_providers::scripted::{Latency, ScriptedConfig, ScriptedModel};
use showrunner_providers::{Profiles, Providers};
use showrunner_runtime::{Clock, Feed, LocalPictures, Options, Pace, Parts, Runtime, SystemClock};
use showrunner_web::Facts;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_env_filter("info").init();
    let mut arguments = std::env::args().skip(1);
    let listen = arguments.next().unwrap_or_else(|| "127.0.0.1:8899".into());
    let pace: u64 = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(1500);
    let folder = tempfile::tempdir()?;
    let feed = Feed::default();
    let told = feed.clone();
    let mut options = SqliteOptions::in_directory(folder.path());
    options.hooks = Hooks {
        on_durable: Some(Arc::new(move |committed| told.publish(committed))),
        ..Hooks::default()
    };
    let journal: Arc<dyn Journal> = SqliteJournal::open(options)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new()?);
    let sleeper = Pace::of(Arc::clone(&clock)).sleeper();
    let latency = Latency { min_ms: pace / 2, max_ms: pace };
    let config = ScriptedConfig { latency, ..ScriptedConfig::default() };
    let mut providers = Providers::new(Profiles::shipped());
    let scripted =
        ScriptedModel::new("scripted", config, Arc::new(MemoryLedger::default()), sleeper);
    providers.add_model(Arc::new(scripted), 64);
    providers.add_media(Arc::new(LocalPictures), 4);
    let parts = Parts { objects: Arc::clone(journal.objects()), journal, clock, providers, feed };
    let runtime = Runtime::new(parts, Options::default());
    let org = OrgId::from("default");
    let token = StoredToken {
        id: "tok_dev".into(),
        org: org.clone(),
        principal: "user:dev".into(),
        roles: vec!["owner".into()],
        digest: Digest::of(b"dev"),
        created_at: runtime.clock().now(),
        revoked_at: None,
    };
    runtime.journal().put_token(&token).await?;
    let packs = showrunner_packs::install(&runtime, &org).await?;
    let facts = Facts { version: "0.1.0".into(), ..Facts::default() };
    let app = showrunner_web::serve(runtime.clone(), facts, packs).await?;
    runtime.start_timers();
    let listener = tokio::net::TcpListener::bind(&listen).await?;
    println!("http://{}/login?token=dev", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
