//! `/api/v1/webhooks/n8n-callback` and `/api/v1/webhooks/provider-callback`: who did work for us
//! says how it went. Anybody can reach these; who is believed is decided by signatures over the
//! very bytes that came. Answers keep to the source's section 7, as problems where they refuse.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::HeaderMap;
use schemars::JsonSchema;
use serde::Serialize;
use showrunner_engine::id::Digest;
use showrunner_engine::run::StepStatus;
use showrunner_journal::query::callbacks::Receipt;
use showrunner_providers::callbacks::n8n::{Outcome, Report};
use showrunner_providers::callbacks::{
    Distrust, Headers, JobSays, JobState, Trust, VENDORS, payload,
};
use showrunner_runtime::Taken;
use showrunner_runtime::callback::N8N;

use crate::App;
use crate::body::Raw;
use crate::page::Query;
use crate::problem::{Code, Problem, codes, shown};
use crate::routes::{Permission, Route, Takes};
use crate::view::Instant;

/// Callbacks are at most so long: they are about files, they do not carry them.
const BODY_MAX_BYTES: usize = 256 * 1024;

/// What can be wrong with any callback.
const REFUSED: &[&Code] = &[
    &codes::BAD_CALLBACK,
    &codes::BAD_SIGNATURE,
    &codes::NO_SECRET,
    &codes::UNKNOWN_TASK,
    &codes::REPLAYED,
    &codes::STORAGE_FULL,
    &codes::NOT_SERVING,
];

pub(super) fn table() -> Vec<Route> {
    const FROM_N8N: &str = "/api/v1/webhooks/n8n-callback";
    const FROM_VENDOR: &str = "/api/v1/webhooks/provider-callback";
    let open = |route: Route| {
        let mut route = route.permit(Permission::Open).takes(Takes::Signed).problems(REFUSED);
        route.body_max_bytes = BODY_MAX_BYTES;
        route
    };
    vec![
        open(Route::post(FROM_N8N, "receive_n8n_callback"))
            .says("Takes n8n's signed report about a task.")
            .gives::<TakenJson>(200)
            .problems(&[&codes::STEP_STATE])
            .repeated("Answers that it was taken already; nothing happens twice.")
            .to(receive_n8n),
        Route::get(FROM_N8N, "check_n8n_callback")
            .says("Says that callbacks of n8n are taken here.")
            .permit(Permission::Open)
            .gives::<HealthJson>(200)
            .to(check_n8n),
        open(Route::post(FROM_VENDOR, "receive_provider_callback"))
            .says("Takes a provider's callback about a job, and asks the provider.")
            .query("provider", "string", "Whose: `fal`, `pollo`, `runway` …")
            .gives::<HeardJson>(200)
            .repeated("Has the provider asked once more; what it says is taken once.")
            .to(receive_vendor),
        Route::get(FROM_VENDOR, "check_provider_callback")
            .says("Says whose callbacks are taken here.")
            .permit(Permission::Open)
            .query("provider", "string", "Not looked at.")
            .gives::<HealthJson>(200)
            .to(check_vendor),
    ]
}

/// What became of a report.
#[derive(Debug, Serialize, JsonSchema)]
struct TakenJson {
    /// Always true; what went wrong is a problem.
    success: bool,
    message: String,
    /// It changed nothing: it was here before, or its task is over.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    idempotent: bool,
}

impl TakenJson {
    fn new(message: impl Into<String>, idempotent: bool) -> Self {
        Self { success: true, message: message.into(), idempotent }
    }
}

/// What became of a provider's callback.
#[derive(Debug, Serialize, JsonSchema)]
struct HeardJson {
    /// Always true; what went wrong is a problem.
    success: bool,
    /// `<run>:<step>`; only whoever has signed is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    task_id: Option<String>,
    /// What the callback said: `pending`, `completed`, `failed`. Believed when the provider says
    /// the same.
    status: String,
    /// It changed nothing: it was here before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    idempotent: bool,
}

/// That it is there.
#[derive(Debug, Serialize, JsonSchema)]
struct HealthJson {
    /// `ok`.
    status: &'static str,
    service: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    supported_providers: Option<Vec<&'static str>>,
    timestamp: Instant,
}

async fn check_n8n(State(app): State<App>) -> Answer<HealthJson> {
    let timestamp = Instant(app.runtime().clock().now());
    let service = "n8n-callback-webhook";
    Answer(HealthJson { status: "ok", service, supported_providers: None, timestamp })
}

async fn check_vendor(State(app): State<App>) -> Answer<HealthJson> {
    let timestamp = Instant(app.runtime().clock().now());
    let service = "provider-callback-webhook";
    let supported_providers = Some(VENDORS.to_vec());
    Answer(HealthJson { status: "ok", service, supported_providers, timestamp })
}

/// Headers as the verifiers ask for them.
struct Given<'a>(&'a HeaderMap);

impl Headers for Given<'_> {
    fn only(&self, name: &str) -> Option<&str> {
        self.0.only(name)
    }
}

async fn receive_n8n(
    State(app): State<App>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Answer<TakenJson>, Problem> {
    let runtime = app.runtime();
    let now = runtime.clock().now();
    let trust = runtime.providers().callbacks().n8n(&Given(&headers), &body, now)?;
    let Trust::Signed { id } = trust else {
        return Err(Problem::new(&codes::BAD_SIGNATURE, "it is not signed"));
    };
    let sent = crate::body::parse(&body)?;
    let report = Report::read(&sent).map_err(|words| Problem::new(&codes::BAD_CALLBACK, words))?;
    let receipt = Receipt {
        source: N8N.into(),
        id,
        digest: Digest::of(&body).as_str().to_owned(),
        job: Some(report.task.clone()),
        payload: Some(sent.to_string()),
        received_at: now,
    };
    let known = known_before(&app, &receipt).await?;
    // A message that is known and settled changes nothing; one that is known and not settled
    // is taken up again.
    if known.as_ref().is_some_and(|known| known.job.is_none()) {
        return Ok(Answer(TakenJson::new("Already processed", true)));
    }
    let (task, outcome) = (report.task.clone(), report.outcome);
    let taken = match runtime.take_report(report).await {
        Ok(taken) => taken,
        Err(error) => {
            runtime.journal().forget_receipt(N8N, &receipt.id).await?;
            return Err(error.into());
        },
    };
    match taken {
        Taken::Begun | Taken::Kept => {
            let status = if outcome == Outcome::Completed { "completed" } else { "failed" };
            let message = format!("Task {} updated to {status}", shown(&task));
            Ok(Answer(TakenJson::new(message, known.is_some())))
        },
        Taken::Over(StepStatus::Succeeded) => Ok(Answer(TakenJson::new("Already processed", true))),
        Taken::Over(status) => {
            let message = format!("Already over: the task is {}", status.name());
            Ok(Answer(TakenJson::new(message, true)))
        },
        Taken::Stale => {
            Ok(Answer(TakenJson::new("Already over: it is about an earlier attempt", true)))
        },
        Taken::NotWaiting(status) => {
            runtime.journal().forget_receipt(N8N, &receipt.id).await?;
            let words =
                format!("the task is {} and waits for no report from outside", status.name());
            Err(Problem::new(&codes::STEP_STATE, words))
        },
        Taken::Unknown => {
            runtime.journal().forget_receipt(N8N, &receipt.id).await?;
            let words = format!("there is no task {}", shown(&task));
            Err(Problem::new(&codes::UNKNOWN_TASK, words))
        },
    }
}

async fn receive_vendor(
    State(app): State<App>,
    headers: HeaderMap,
    query: Query,
    Raw(body): Raw,
) -> Result<Answer<HeardJson>, Problem> {
    let runtime = app.runtime();
    let now = runtime.clock().now();
    let vendor = query.get("provider").ok_or_else(|| {
        Problem::new(&codes::BAD_CALLBACK, "Missing provider query parameter")
            .with_allowed(VENDORS.map(str::to_owned).to_vec())
    })?;
    let callbacks = runtime.providers().callbacks();
    let trust = callbacks.vendor(vendor, &Given(&headers), &body, now).await?;
    let sent = crate::body::parse(&body)?;
    let says = payload::read(vendor, &sent).ok_or_else(|| {
        Problem::new(&codes::BAD_CALLBACK, "Could not extract job ID from payload")
    })?;
    let Trust::Signed { id } = trust else {
        // Anybody may have sent it: it costs one look-up, and is answered the same whether or not
        // there is such a job.
        let known = runtime.journal().job(vendor, &says.job).await?;
        if let Some(known) = known.filter(|_| says.state != JobState::Pending) {
            runtime.ring(&known);
        }
        return Ok(Answer(heard(None, &says, false)));
    };
    let known = runtime.job_known(vendor, &says.job).await?;
    let receipt = Receipt {
        source: vendor.to_owned(),
        id,
        digest: Digest::of(&body).as_str().to_owned(),
        job: known.is_none().then(|| says.job.clone()),
        payload: known.is_none().then(String::new),
        received_at: now,
    };
    let before = known_before(&app, &receipt).await?;
    let Some(known) = known else {
        let words = "Task not found for this job ID; it is kept, should the job still be announced";
        return Err(Problem::new(&codes::UNKNOWN_TASK, words).with("kept", true));
    };
    if before.is_none() && says.state != JobState::Pending {
        runtime.ring(&known);
    }
    let task = format!("{}:{}", known.run_id, known.step);
    Ok(Answer(heard(Some(task), &says, before.is_some())))
}

fn heard(task_id: Option<String>, says: &JobSays, idempotent: bool) -> HeardJson {
    HeardJson { success: true, task_id, status: says.state.name().into(), idempotent }
}

/// The message as it was remembered before, when it was. Another body under a known id is no
/// repetition.
async fn known_before(app: &App, receipt: &Receipt) -> Result<Option<Receipt>, Problem> {
    let known = app.runtime().journal().receive(receipt).await?;
    if known.as_ref().is_some_and(|known| known.digest != receipt.digest) {
        let words = "another message was received under this id before";
        return Err(Problem::new(&codes::REPLAYED, words));
    }
    Ok(known)
}

impl From<Distrust> for Problem {
    fn from(distrust: Distrust) -> Self {
        let words = distrust.to_string();
        match distrust {
            Distrust::NoSecret(sender) => Self::new(&codes::NO_SECRET, words).with_hint(format!(
                "an operator tells the server {sender}'s secret: see docs/operations/callbacks.md"
            )),
            Distrust::Unbelieved(_) => Self::new(&codes::BAD_SIGNATURE, words),
            Distrust::NoKeys { .. } => Self::new(&codes::NO_SECRET, words),
            Distrust::UnknownVendor { .. } => Self::new(&codes::BAD_CALLBACK, words)
                .with_allowed(VENDORS.map(str::to_owned).to_vec()),
        }
    }
}
