//! The route table: every path there is, as data. The router, the OpenAPI document and the tests
//! about who may reach what are made from it.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::problem::Code;
use crate::{App, guard, layers};

/// Bodies are at most so long where a route does not say otherwise.
pub const BODY_MAX_BYTES: usize = 1024 * 1024;
/// Answers take at most so long where a route does not say otherwise.
const TIME_MAX: Duration = Duration::from_secs(30);

/// What a caller must be allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Nothing: anybody may.
    Open,
    /// See what belongs to the organisation.
    Read,
    /// Start work and change it.
    Make,
    /// Answer checkpoints.
    Decide,
    /// Run the server.
    Operate,
}

impl Permission {
    /// Whether somebody with these roles has it.
    pub fn is_held_by(self, roles: &[String]) -> bool {
        let any = |wanted: &[&str]| roles.iter().any(|role| wanted.contains(&role.as_str()));
        match self {
            Self::Open | Self::Read => true,
            Self::Make => any(&["owner", "admin", "maker", "editor", "member"]),
            Self::Decide => any(&["owner", "admin", "reviewer", "approver", "maker", "editor"]),
            Self::Operate => any(&["owner", "admin"]),
        }
    }

    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Read => "read",
            Self::Make => "make",
            Self::Decide => "decide",
            Self::Operate => "operate",
        }
    }
}

/// A type as it is described to others.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Within a document that keeps its definitions in one place.
    pub referenced: fn(&mut SchemaGenerator) -> Schema,
    /// On its own.
    pub whole: fn() -> Schema,
}

impl Shape {
    /// The shape of `T`.
    pub fn of<T: JsonSchema>() -> Self {
        Self {
            referenced: |generator| generator.subschema_for::<T>(),
            whole: || SchemaGenerator::default().into_root_schema_for::<T>(),
        }
    }
}

/// How the body of a request is read.
#[derive(Clone, Copy, Debug)]
pub enum Takes {
    /// There is none; one that is sent is not read.
    Nothing,
    /// JSON of this shape; with `true` it may be missing, which is an empty object.
    Json(Shape, bool),
    /// Text of one of these media types, or JSON of this shape.
    TextOrJson(&'static [&'static str], Shape),
    /// JSON of any shape.
    AnyJson,
    /// JSON whose very bytes are signed: the handler gets them as they came.
    Signed,
    /// An HTML form with these fields, beside the one against forgery.
    Form(&'static [&'static str]),
}

/// What an answer is made of.
#[derive(Clone, Copy, Debug)]
pub enum Gives {
    /// JSON.
    Json(Shape),
    /// Another media type.
    Media(&'static str),
    /// Nothing.
    Nothing,
}

/// A parameter behind the `?`.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// `string` or `integer`.
    pub kind: &'static str,
}

/// One operation.
#[derive(Debug)]
pub struct Route {
    /// Its method.
    pub method: Method,
    /// Its path, with `{places}`.
    pub path: &'static str,
    /// Its name, `get_run`.
    pub operation: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// Who may.
    pub permission: Permission,
    /// The place of the path whose owner must be the caller's organisation.
    pub tenant_key: Option<&'static str>,
    /// Bodies are at most so long.
    pub body_max_bytes: usize,
    /// The answer takes at most so long; streams take as long as they take.
    pub time_max: Option<Duration>,
    /// The body of the request.
    pub takes: Takes,
    /// Parameters behind the `?`.
    pub query: Vec<Parameter>,
    /// Whether an `Idempotency-Key` is honoured.
    pub idempotent: bool,
    /// What sending the same again does, where no key is honoured; empty for what only reads.
    pub repeating: &'static str,
    /// Answers that are no problems.
    pub answers: Vec<(u16, Gives)>,
    /// Problems of its own, beside those that every route has.
    pub problems: Vec<&'static Code>,
    handler: MethodRouter<App>,
}

impl Route {
    /// A route; further methods say more about it, [`Self::to`] comes last.
    pub fn new(method: Method, path: &'static str, operation: &'static str) -> Self {
        Self {
            method,
            path,
            operation,
            summary: "",
            permission: Permission::Read,
            tenant_key: None,
            body_max_bytes: BODY_MAX_BYTES,
            time_max: Some(TIME_MAX),
            takes: Takes::Nothing,
            query: Vec::new(),
            idempotent: false,
            repeating: "",
            answers: Vec::new(),
            problems: Vec::new(),
            handler: MethodRouter::new(),
        }
    }

    /// A route that reads.
    pub fn get(path: &'static str, operation: &'static str) -> Self {
        Self::new(Method::GET, path, operation)
    }

    /// A route that changes.
    pub fn post(path: &'static str, operation: &'static str) -> Self {
        Self::new(Method::POST, path, operation).permit(Permission::Make)
    }

    /// What it does, in one line.
    pub fn says(mut self, summary: &'static str) -> Self {
        self.summary = summary;
        self
    }

    /// Who may.
    pub fn permit(mut self, permission: Permission) -> Self {
        self.permission = permission;
        self
    }

    /// Which place of the path decides whose it is.
    pub fn owned_by(mut self, tenant_key: &'static str) -> Self {
        self.tenant_key = Some(tenant_key);
        self
    }

    /// How its body is read.
    pub fn takes(mut self, takes: Takes) -> Self {
        self.takes = takes;
        self
    }

    /// Takes JSON of this shape.
    pub fn takes_json<T: JsonSchema>(self) -> Self {
        self.takes(Takes::Json(Shape::of::<T>(), false))
    }

    /// Takes JSON of this shape, or nothing.
    pub fn takes_json_or_nothing<T: JsonSchema>(self) -> Self {
        self.takes(Takes::Json(Shape::of::<T>(), true))
    }

    /// Knows this parameter.
    pub fn query(mut self, name: &'static str, kind: &'static str, about: &'static str) -> Self {
        self.query.push(Parameter { name, about, kind });
        self
    }

    /// Is a list in pages.
    pub fn paged(self) -> Self {
        self.query("limit", "integer", "How many; 1 to 200, 50 by default.").query(
            "cursor",
            "string",
            "`next_cursor` of the page before.",
        )
    }

    /// Honours an `Idempotency-Key`.
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Says what sending the same again does: every route that changes something honours an
    /// `Idempotency-Key` or has this.
    pub fn repeated(mut self, what: &'static str) -> Self {
        self.repeating = what;
        self
    }

    /// Answers like this.
    pub fn answers(mut self, status: u16, gives: Gives) -> Self {
        self.answers.push((status, gives));
        self
    }

    /// Answers with JSON of this shape.
    pub fn gives<T: JsonSchema>(self, status: u16) -> Self {
        self.answers(status, Gives::Json(Shape::of::<T>()))
    }

    /// Has these problems.
    pub fn problems(mut self, problems: &[&'static Code]) -> Self {
        self.problems.extend_from_slice(problems);
        self
    }

    /// Takes as long as it takes.
    pub fn endless(mut self) -> Self {
        self.time_max = None;
        self
    }

    /// Is carried out by this.
    pub fn to<H, T>(mut self, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        let filter = MethodFilter::try_from(self.method.clone()).unwrap_or(MethodFilter::GET);
        self.handler = on(filter, handler);
        self
    }
}

/// Of a route that brings something into a state: the second of two finds it there.
pub const REFUSED_AGAIN: &str = "Sent again after it took effect, it is refused with 409 and \
    changes nothing.";

/// Of a route that has work done again.
pub const DONE_AGAIN: &str = "Every request has the work done again, and paid for again. Without \
    an answer, read the run before sending it once more.";

/// Of a route that answers a question which may be asked again.
pub const ANSWERED_AGAIN: &str = "Sent again, it is refused with 409 while nothing new is asked. \
    Work that was sent back asks again: with what binds the answer to one question (`digest`, \
    `since`), where the body has it, no answer is taken for a later one.";

/// The router of a table.
pub(crate) fn router(app: App, table: Vec<Route>) -> Router {
    let mut router = Router::new();
    let mut taken = BTreeSet::new();
    for route in table {
        if !taken.insert((route.path, route.method.to_string())) {
            // A test holds that this never happens; the first one wins rather than the server fall.
            tracing::error!(path = route.path, method = %route.method, "a route stands in the table twice");
            continue;
        }
        let rules = guard::Rules::of(&app, &route);
        let guarded = route.handler.route_layer(from_fn_with_state(rules, guard::guard));
        router = router.route(route.path, guarded);
    }
    layers::around(router, app)
}
