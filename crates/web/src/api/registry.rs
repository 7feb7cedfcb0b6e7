//! Agents, providers and dead letters: who works, through whom, and what failed for good.

use std::collections::BTreeMap;

use axum::Json as Answer;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use showrunner_journal::query::dead_letters::LetterFilter;
use showrunner_providers::{CallSafety, MediaKind, Mode, Providers};

use crate::App;
use crate::auth::Caller;
use crate::page::{Cursor, Listing, Query, Whole};
use crate::problem::Problem;
use crate::routes::Route;
use crate::view::{Instant, LabelView};

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::get("/api/v1/agents", "list_agents")
            .says("Lists the agents that can be called.")
            .gives::<Whole<AgentJson>>(200)
            .to(list_agents),
        Route::get("/api/v1/providers", "list_providers")
            .says("Lists the providers and how real they are.")
            .gives::<Whole<ProviderJson>>(200)
            .to(list_providers),
        Route::get("/api/v1/dead-letters", "list_dead_letters")
            .says("Lists agent steps that failed for good.")
            .paged()
            .query("all", "integer", "1: also those that were taken up again or noted.")
            .gives::<Listing<DeadLetterJson>>(200)
            .to(list_dead_letters),
    ]
}

/// An agent.
#[derive(Debug, Serialize, JsonSchema)]
struct AgentJson {
    name: String,
    version: u32,
    /// `model`, `media` …
    kind: String,
    title: LabelView,
    role: String,
    department: Option<String>,
    /// The model profile it is called with.
    model: String,
    skills: Vec<String>,
    tools: Vec<String>,
    instructions: String,
}

async fn list_agents(State(app): State<App>) -> Answer<Whole<AgentJson>> {
    let agents = app.runtime().agents().all();
    let data = agents.iter().map(|agent| AgentJson {
        name: agent.name.to_string(),
        version: agent.version,
        kind: agent.kind.name().into(),
        title: (&agent.title).into(),
        role: agent.role.clone(),
        department: agent.department.clone(),
        model: agent.model.to_string(),
        skills: agent.skills.clone(),
        tools: agent.tools.clone(),
        instructions: agent.instructions.to_string(),
    });
    Answer(Whole { data: data.collect() })
}

/// A provider.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ProviderJson {
    pub(crate) name: String,
    /// What it makes: `text`, `image`, `video`, `voice`.
    pub(crate) kinds: Vec<String>,
    /// `scripted`: simulated. `local`: made on this machine. `live`: a vendor.
    pub(crate) mode: String,
    /// What is done about a call whose answer was lost.
    pub(crate) safety: String,
    /// Calls at once.
    pub(crate) concurrency: u32,
}

/// All providers, by name.
pub(crate) fn providers(providers: &Providers) -> Vec<ProviderJson> {
    let mut found: BTreeMap<String, ProviderJson> = BTreeMap::new();
    let mut add = |name: &str, kind: &str, mode: Mode, safety: CallSafety| {
        let known = found.entry(name.to_owned()).or_insert_with(|| ProviderJson {
            name: name.to_owned(),
            kinds: Vec::new(),
            mode: word(&mode),
            safety: word(&safety),
            concurrency: providers.concurrency(name),
        });
        if !known.kinds.iter().any(|known| known == kind) {
            known.kinds.push(kind.to_owned());
        }
    };
    for profile in providers.profiles().iter() {
        if let Some(provider) = providers.model_provider(&profile.provider) {
            add(provider.name(), "text", provider.mode(), provider.safety());
        }
    }
    for kind in [MediaKind::Image, MediaKind::Video, MediaKind::Voice] {
        for provider in providers.media_for(kind) {
            add(provider.name(), &word(&kind), provider.mode(), provider.safety());
        }
    }
    found.into_values().collect()
}

/// The word under which a value is written in JSON.
fn word(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

async fn list_providers(State(app): State<App>) -> Answer<Whole<ProviderJson>> {
    Answer(Whole { data: providers(app.runtime().providers()) })
}

/// An agent step that failed for good.
#[derive(Debug, Serialize, JsonSchema)]
struct DeadLetterJson {
    id: String,
    run: String,
    step: String,
    agent: String,
    class: String,
    code: String,
    message: String,
    attempts: u32,
    /// What the step was given.
    snapshot: Value,
    created_at: Instant,
    resolved_at: Option<Instant>,
    resolution: Option<String>,
}

async fn list_dead_letters(
    State(app): State<App>,
    caller: Caller,
    query: Query,
) -> Result<Answer<Listing<DeadLetterJson>>, Problem> {
    let paging = query.paging()?;
    let filter = LetterFilter {
        with_resolved: query.get("all").is_some(),
        after: paging.after.clone().map(|cursor| (cursor.at, cursor.id)),
        limit: paging.limit,
        ..LetterFilter::of(&caller.org)
    };
    let rows = app.runtime().journal().dead_letters(&filter).await?;
    let last = || rows.last().map(|row| Cursor { at: row.created_at, id: row.id.clone() });
    let next_cursor = paging.next(rows.len(), last);
    let data = rows.into_iter().map(|row| DeadLetterJson {
        id: row.id,
        run: row.run_id.to_string(),
        step: row.step.to_string(),
        agent: row.agent,
        class: row.class,
        code: row.code,
        message: row.message,
        attempts: row.attempts,
        snapshot: row.snapshot,
        created_at: row.created_at.into(),
        resolved_at: row.resolved_at.map(Instant),
        resolution: row.resolution,
    });
    Ok(Answer(Listing { data: data.collect(), next_cursor }))
}
