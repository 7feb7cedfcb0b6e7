//! `/api/v1/definitions`: publish, check, list and read definitions.

use axum::Json as Answer;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use showrunner_engine::definition::{Definition, StepKind};
use showrunner_runtime::Library;

use crate::App;
use crate::auth::Caller;
use crate::body::{Any, Text};
use crate::page::{Query, Whole};
use crate::problem::{Problem, codes};
use crate::routes::{Route, Shape, Takes};
use crate::view::{Instant, LabelView};

/// Media types under which a definition is sent as it is written.
const TEXTS: &[&str] = &["application/yaml", "text/yaml", "application/x-yaml", "text/plain"];

pub(super) fn table() -> Vec<Route> {
    let takes = Takes::TextOrJson(TEXTS, Shape::of::<SourceBody>());
    vec![
        Route::post("/api/v1/definitions", "publish_definition")
            .repeated("The same text as the newest version's is that version again.")
            .says("Publishes a definition as the next version of its name.")
            .takes(takes)
            .gives::<PublishedJson>(200)
            .gives::<PublishedJson>(201)
            .problems(&[&codes::INVALID_DEFINITION, &codes::STORAGE_FULL, &codes::NOT_SERVING])
            .to(publish_definition),
        Route::post("/api/v1/definitions/validate", "validate_definition")
            .repeated("It changes nothing.")
            .says("Checks a definition without publishing it.")
            .takes(takes)
            .gives::<CheckedJson>(200)
            .problems(&[&codes::INVALID_DEFINITION])
            .to(validate_definition),
        Route::get("/api/v1/definitions", "list_definitions")
            .says("Lists the newest version of every definition.")
            .gives::<Whole<DefinitionRow>>(200)
            .to(list_definitions),
        Route::get("/api/v1/definitions/{slug}", "get_definition")
            .says("Reads a definition with its steps and its source.")
            .owned_by("slug")
            .query("version", "integer", "Which version; the newest when absent.")
            .gives::<DefinitionJson>(200)
            .problems(&[&codes::UNKNOWN_DEFINITION])
            .to(get_definition),
    ]
}

/// A definition as JSON clients send it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SourceBody {
    /// The definition's YAML or JSON, as text.
    #[expect(dead_code, reason = "described here, read by source_of")]
    source: String,
}

/// The text of a definition, however it was sent.
fn source_of(request: &Request) -> String {
    if let Some(Text(text)) = request.extensions().get::<Text>() {
        return text.to_string();
    }
    let body = request.extensions().get::<Any>();
    let source = body.and_then(|Any(value)| value.get("source").and_then(Value::as_str));
    source.unwrap_or_default().to_owned()
}

/// A version that is there now.
#[derive(Debug, Serialize, JsonSchema)]
struct PublishedJson {
    /// Its name.
    slug: String,
    /// Its version.
    version: u32,
    /// SHA-256 of its text.
    digest: String,
    /// Whether this call published it.
    is_new: bool,
}

async fn publish_definition(
    State(app): State<App>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let source = source_of(&request);
    let published = app.runtime().library().publish(&caller.org, &source, &caller.id).await?;
    let definition = &published.definition;
    let answer = PublishedJson {
        slug: definition.slug.clone(),
        version: definition.version,
        digest: definition.digest.to_string(),
        is_new: published.is_new,
    };
    let status = if published.is_new { StatusCode::CREATED } else { StatusCode::OK };
    let location = format!("/api/v1/definitions/{}?version={}", answer.slug, answer.version);
    Ok((status, [("location", location)], Answer(answer)).into_response())
}

/// A definition without faults.
#[derive(Debug, Serialize, JsonSchema)]
struct CheckedJson {
    /// Always true; what is wrong is a problem.
    valid: bool,
    /// Its name.
    slug: String,
    /// How many steps it has, bodies included.
    steps: usize,
}

async fn validate_definition(
    State(app): State<App>,
    caller: Caller,
    request: Request,
) -> Result<Answer<CheckedJson>, Problem> {
    let source = source_of(&request);
    let checked = tokio::task::spawn_blocking(move || Library::check(&source, "definition")).await;
    let definition =
        checked.map_err(|fault| Problem::new(&codes::INTERNAL, fault.to_string()))??;
    app.runtime().library().check_callees(&caller.org, &definition, "definition").await?;
    let steps = definition.steps.len();
    Ok(Answer(CheckedJson { valid: true, slug: definition.slug, steps }))
}

/// A definition as lists show it.
#[derive(Debug, Serialize, JsonSchema)]
struct DefinitionRow {
    /// Its name.
    slug: String,
    /// Its newest version.
    version: u32,
    /// SHA-256 of its text.
    digest: String,
    /// For people.
    title: Option<LabelView>,
    /// For people.
    description: Option<LabelView>,
    /// When that version was stored.
    created_at: Instant,
    /// By whom.
    created_by: String,
}

async fn list_definitions(
    State(app): State<App>,
    caller: Caller,
) -> Result<Answer<Whole<DefinitionRow>>, Problem> {
    let stored = app.runtime().journal().definitions(&caller.org).await?;
    let mut data = Vec::with_capacity(stored.len());
    for row in stored {
        let version = Some(row.version);
        let loaded = app.runtime().library().get(&caller.org, &row.slug, version).await.ok();
        data.push(DefinitionRow {
            slug: row.slug,
            version: row.version,
            digest: row.digest.to_string(),
            title: loaded.as_ref().map(|d| (&d.title).into()),
            description: loaded.as_ref().map(|d| (&d.description).into()),
            created_at: row.created_at.into(),
            created_by: row.created_by,
        });
    }
    Ok(Answer(Whole { data }))
}

/// A definition, whole.
#[derive(Debug, Serialize, JsonSchema)]
struct DefinitionJson {
    slug: String,
    version: u32,
    digest: String,
    title: LabelView,
    description: LabelView,
    tags: Vec<String>,
    /// Phases in order.
    phases: Vec<PhaseOf>,
    /// All steps, bodies included.
    steps: Vec<StepOf>,
    /// JSON Schema of what a run must be given.
    input_schema: Value,
    /// What a run is expected to take.
    estimate: EstimateOf,
    /// The author's text.
    source: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct PhaseOf {
    id: String,
    label: LabelView,
}

#[derive(Debug, Serialize, JsonSchema)]
struct StepOf {
    id: String,
    kind: String,
    label: LabelView,
    phase: Option<String>,
    /// Ids of the steps that must have ended before.
    needs: Vec<String>,
    agent: Option<String>,
    /// The loop or list that it stands in.
    within: Option<String>,
    estimate: EstimateOf,
}

/// What something is expected to take.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
struct EstimateOf {
    seconds: f64,
    usd: f64,
    tokens: u64,
}

impl From<showrunner_engine::definition::Estimate> for EstimateOf {
    fn from(estimate: showrunner_engine::definition::Estimate) -> Self {
        Self {
            seconds: crate::view::asset::seconds(estimate.duration.0),
            usd: estimate.spend.cost.as_usd(),
            tokens: estimate.spend.tokens,
        }
    }
}

impl DefinitionJson {
    fn of(definition: &Definition) -> Self {
        let phases = definition.phases.iter().zip(&definition.phase_labels);
        Self {
            slug: definition.slug.clone(),
            version: definition.version,
            digest: definition.digest.to_string(),
            title: (&definition.title).into(),
            description: (&definition.description).into(),
            tags: definition.tags.clone(),
            phases: phases
                .map(|(id, label)| PhaseOf { id: id.clone(), label: label.into() })
                .collect(),
            steps: definition.steps.iter().map(|step| step_of(definition, step)).collect(),
            input_schema: definition.input_schema.source().clone(),
            estimate: expected(definition).into(),
            source: definition.source.to_string(),
        }
    }
}

/// The sum of what the steps of the outermost block are expected to take.
pub fn expected(definition: &Definition) -> showrunner_engine::definition::Estimate {
    let mut sum = showrunner_engine::definition::Estimate::default();
    for &ix in &definition.root {
        let estimate = definition.step(ix).estimate;
        sum.duration.0 = sum.duration.0.saturating_add(estimate.duration.0);
        sum.spend = sum.spend.plus(estimate.spend);
    }
    sum
}

fn step_of(definition: &Definition, step: &showrunner_engine::definition::StepDef) -> StepOf {
    let id = |ix| definition.step(ix).id.clone();
    let agent = match &step.kind {
        StepKind::Agent(agent) => Some(agent.agent.clone()),
        _ => None,
    };
    StepOf {
        id: step.id.clone(),
        kind: step.kind.name().into(),
        label: (&step.label).into(),
        phase: step.phase.and_then(|ix| definition.phases.get(usize::from(ix)).cloned()),
        needs: step.needs.iter().map(|&ix| id(ix)).collect(),
        agent,
        within: step.parent.map(id),
        estimate: step.estimate.into(),
    }
}

async fn get_definition(
    State(app): State<App>,
    caller: Caller,
    Path(slug): Path<String>,
    query: Query,
) -> Result<Answer<DefinitionJson>, Problem> {
    let version = query.number("version")?.map(|n| u32::try_from(n).unwrap_or(u32::MAX));
    let definition = app.runtime().library().get(&caller.org, &slug, version).await?;
    Ok(Answer(DefinitionJson::of(&definition)))
}
