//! A brief becomes a run.

use std::collections::BTreeMap;
use std::sync::Arc;

use showrunner_engine::command::StartRun;
use showrunner_engine::definition::Definition;
use showrunner_engine::run::Run;
use showrunner_runtime::StartRequest;
use showrunner_web::{App, Caller, Problem};

use super::brand;
use super::brief::{Brief, RequestType};
use super::estimate::Estimate;

/// The caller's key for a start: scope, key, digest of the request.
pub(super) type Key = Option<(String, String, String)>;

/// A request that was accepted.
pub(super) struct Created {
    pub(super) run: Arc<Run>,
    pub(super) is_new: bool,
    /// As it was when it was accepted.
    pub(super) estimate: Estimate,
}

/// The definition that requests of a type run by.
pub(super) async fn definition(
    app: &App,
    caller: &Caller,
    kind: RequestType,
) -> Result<Arc<Definition>, Problem> {
    Ok(app.runtime().library().get(&caller.org, kind.slug(), None).await?)
}

/// Starts the work. When this returns `Ok`, the request survives anything.
pub(super) async fn create(
    app: &App,
    caller: &Caller,
    brief: &Brief,
    key: Key,
) -> Result<Created, Problem> {
    let brand = brand::find(app, &caller.org, &brief.brand_id).await?;
    let definition = definition(app, caller, brief.request_type).await?;
    let auto_approve = brief.auto_approve.unwrap_or(false);
    let estimate = Estimate::of(app, caller, &definition, auto_approve).await?;
    let mut labels = BTreeMap::from([
        ("brand_id".to_owned(), brand.id.clone()),
        ("request_type".to_owned(), brief.request_type.name().to_owned()),
    ]);
    labels.extend(estimate.to_labels());
    if let Some(campaign) = &brief.campaign_id {
        labels.insert("campaign_id".into(), campaign.to_ascii_lowercase());
    }
    let start = StartRun {
        org: Some(caller.org.clone()),
        input: brief.to_input(&brand),
        title: Some(brief.title.clone()),
        labels,
        started_by: caller.id.clone(),
        ..StartRun::default()
    };
    let request = StartRequest { definition, start, id: None, idempotency: key };
    let callback = match &brief.callback_url {
        Some(url) => Some(app.callback(url, None, &[]).await?),
        None => None,
    };
    let started = app.start(caller, request, callback).await?;
    let run = app.run_of(caller, started.run.as_str()).await?;
    let estimate = Estimate::kept(&run);
    Ok(Created { run, is_new: started.is_new, estimate })
}
