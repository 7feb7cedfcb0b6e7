//! What stands before every handler, in this order: who asks, may they, is the form theirs, is
//! the body short, shallow and well-formed, and does it fit its schema. A handler only ever sees
//! a request that passed.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use showrunner_engine::schema::Schema;

use crate::App;
use crate::auth::{self, Caller};
use crate::body;
use crate::problem::{Problem, codes};
use crate::routes::{Permission, Route, Takes};

/// What the table says about a route, ready to be applied.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    app: App,
    permission: Permission,
    time_max: Option<Duration>,
    is_form: bool,
    pub(crate) body_max_bytes: usize,
    pub(crate) takes: Takes,
    pub(crate) schema: Option<Arc<Schema>>,
    query: Arc<[&'static str]>,
}

impl Rules {
    pub(crate) fn of(app: &App, route: &Route) -> Self {
        let shape = match route.takes {
            Takes::Json(shape, _) | Takes::TextOrJson(_, shape) => Some(shape),
            Takes::Nothing | Takes::AnyJson | Takes::Signed | Takes::Form(_) => None,
        };
        let schema = shape.and_then(|shape| {
            let compiled = Schema::compile((shape.whole)().to_value());
            compiled.map(Arc::new).map_err(|fault| tracing::error!(%fault, "a schema of ours")).ok()
        });
        Self {
            app: app.clone(),
            permission: route.permission,
            time_max: route.time_max,
            is_form: matches!(route.takes, Takes::Form(_)),
            body_max_bytes: route.body_max_bytes,
            takes: route.takes,
            schema,
            query: route.query.iter().map(|parameter| parameter.name).collect(),
        }
    }
}

/// Lets through what may pass.
pub(crate) async fn guard(State(rules): State<Rules>, request: Request, next: Next) -> Response {
    let work = async {
        match admit(&rules, request).await {
            Ok(request) => next.run(request).await,
            Err(problem) => problem.into_response(),
        }
    };
    match rules.time_max {
        None => work.await,
        Some(time_max) => tokio::time::timeout(time_max, work).await.unwrap_or_else(|_| {
            let words = format!("no answer within {} s", time_max.as_secs());
            Problem::new(&codes::TOO_SLOW, words).into_response()
        }),
    }
}

async fn admit(rules: &Rules, mut request: Request) -> Result<Request, Problem> {
    if rules.permission != Permission::Open {
        let caller = auth::identify(&rules.app, request.headers()).await?;
        if !rules.permission.is_held_by(&caller.roles) {
            let words = format!("this needs the permission `{}`", rules.permission.name());
            return Err(Problem::new(&codes::NOT_ALLOWED, words));
        }
        request.extensions_mut().insert(caller);
    }
    known_query(rules, request.uri().query().unwrap_or_default())?;
    let request = body::read(rules, request).await?;
    not_forged(rules, &request)?;
    Ok(request)
}

/// Parameters that nobody reads are mistakes: a filter misspelt would look like an answer.
fn known_query(rules: &Rules, query: &str) -> Result<(), Problem> {
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let name = pair.split('=').next().unwrap_or_default();
        if !rules.query.contains(&name) {
            let known = rules.query.iter().map(ToString::to_string).collect::<Vec<_>>();
            let words = format!("there is no parameter `{}` here", crate::problem::shown(name));
            let mut problem = Problem::new(&codes::BAD_QUERY, words);
            if let Some(meant) = body::nearest(name, known.iter().map(String::as_str)) {
                problem = problem.with_hint(format!("did you mean `{meant}`?"));
            }
            return Err(problem.with_allowed(known));
        }
    }
    Ok(())
}

/// A browser sends its cookie with whatever page asks it to: what changes something must also
/// show the secret that only our own pages know.
fn not_forged(rules: &Rules, request: &Request) -> Result<(), Problem> {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let Some(caller) = request.extensions().get::<Caller>() else { return Ok(()) };
    let Some(session) = &caller.session else { return Ok(()) };
    if is_safe {
        return Ok(());
    }
    let given = match request.extensions().get::<body::Form>() {
        Some(form) if rules.is_form => form.get("csrf").map(str::to_owned),
        _ => request
            .headers()
            .get("x-csrf-token")
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned),
    };
    if given.is_some_and(|given| rules.app.secret().is_form_key(session, &given)) {
        return Ok(());
    }
    let words = "the form does not carry the secret of your session";
    Err(Problem::new(&codes::FORGED_FORM, words))
}
