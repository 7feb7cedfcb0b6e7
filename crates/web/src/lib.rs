//! The surfaces of Showrunner that no product owns: REST, OpenAPI, live streams, problems,
//! authentication, and the shell of the screens. Products ([`Pack`]s) add routes and words of
//! their own to the same route table; nothing is reachable that is not in it.

pub mod problem;
pub mod routes;
pub mod body;
pub mod auth;
pub mod guard;
pub mod openapi;
pub mod page;
pub mod view;
pub mod sse;
pub mod ui;
pub mod api;
mod layers;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use bytes::Bytes;
use metrics_exporter_prometheus::PrometheusHandle;
use showrunner_engine::at::Timestamp;
use showrunner_engine::id::sortable;
use showrunner_journal::JournalError;
use showrunner_runtime::Runtime;
use tokio_util::sync::CancellationToken;

pub use auth::Caller;
pub use problem::{FieldError, Problem};
pub use routes::{Permission, Route};

/// What the server knows about itself.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Of the program.
    pub version: String,
    /// Where it keeps its data, when that is a folder.
    pub data_dir: Option<PathBuf>,
    /// Renders `/metrics`; the page says that there are none when absent.
    pub metrics: Option<PrometheusHandle>,
    /// Cancelled when the server is to stop: live streams end then, so that nothing waits for
    /// readers that never leave.
    pub stop: CancellationToken,
}

/// A product on top: routes of its own, and ways to begin that the home page offers.
#[derive(Debug, Default)]
pub struct Pack {
    /// Its name, `content_requests`.
    pub name: &'static str,
    /// What it adds to the route table.
    pub routes: Vec<Route>,
    /// What it adds to the home page.
    pub starters: Vec<Starter>,
    /// What members of its inputs and outputs are called on screens.
    pub terms: Vec<(&'static str, ui::Words)>,
}

/// A way to begin, as the home page offers it.
#[derive(Clone, Copy, Debug)]
pub struct Starter {
    /// What is made, English and Japanese.
    pub title: ui::Words,
    /// One sentence about it.
    pub about: ui::Words,
    /// The page with its form.
    pub form: &'static str,
    /// Where a `POST` without any fields starts a sample run.
    pub demo: &'static str,
}

/// Everything handlers need. Cheap to clone.
#[derive(Clone, Debug)]
pub struct App {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    runtime: Runtime,
    facts: Facts,
    secret: auth::Secret,
    started_at: Timestamp,
    boot_id: String,
    starters: Vec<Starter>,
    terms: BTreeMap<&'static str, ui::Words>,
    openapi: Bytes,
}

impl App {
    /// The runtime.
    pub fn runtime(&self) -> &Runtime {
        &self.inner.runtime
    }

    /// What the server knows about itself.
    pub fn facts(&self) -> &Facts {
        &self.inner.facts
    }

    /// When this process began to serve.
    pub fn started_at(&self) -> Timestamp {
        self.inner.started_at
    }

    /// Another one after every start, so that pages know to look again.
    pub fn boot_id(&self) -> &str {
        &self.inner.boot_id
    }

    pub(crate) fn secret(&self) -> &auth::Secret {
        &self.inner.secret
    }

    pub(crate) fn starters(&self) -> &[Starter] {
        &self.inner.starters
    }

    /// What a member of an input or output is called: as its pack says, or readable at least.
    pub(crate) fn term(&self, name: &str, language: ui::Language) -> String {
        match self.inner.terms.get(name) {
            Some(words) => words.in_language(language).to_owned(),
            None => ui::parts::readable(name),
        }
    }

    pub(crate) fn openapi(&self) -> Bytes {
        Bytes::clone(&self.inner.openapi)
    }

    /// A fresh id: the prefix, then 26 characters that sort by time.
    pub(crate) fn fresh_id(&self, prefix: &str) -> String {
        let clock = self.runtime().clock();
        format!("{prefix}_{}", sortable(clock.now(), [clock.random(), clock.random()]))
    }
}

/// The whole server as a service: the generic routes and those of the packs, and nothing else.
///
/// # Errors
/// The journal cannot be read or written.
pub async fn serve(
    runtime: Runtime,
    facts: Facts,
    packs: Vec<Pack>,
) -> Result<Router, JournalError> {
    let secret = auth::Secret::of(&runtime).await?;
    let mut table = api::table();
    table.extend(ui::table());
    let (mut starters, mut terms) = (Vec::new(), BTreeMap::new());
    for pack in packs {
        table.extend(pack.routes);
        starters.extend(pack.starters);
        terms.extend(pack.terms);
    }
    let clock = runtime.clock();
    let (now, random) = (clock.now(), [clock.random(), clock.random()]);
    let inner = Inner {
        facts,
        secret,
        started_at: now,
        boot_id: sortable(now, random),
        starters,
        terms,
        openapi: openapi::document(&table).to_string().into(),
        runtime,
    };
    Ok(routes::router(App { inner: Arc::new(inner) }, table))
}
