//! The OpenAPI 3.1 document, made from the route table.

use std::collections::BTreeMap;

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::problem::{Code, ProblemDocument, codes};
use crate::routes::{Gives, Permission, Route, Shape, Takes};

/// The document for a table.
pub fn document(table: &[Route]) -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    let mut generator = settings.into_generator();
    let problem = generator.subschema_for::<ProblemDocument>().to_value();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for route in table {
        let method = route.method.as_str().to_ascii_lowercase();
        let operation = operation(route, &mut generator, &problem);
        paths.entry(route.path).or_default().insert(method, operation);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Showrunner",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Durable orchestration of content made by many agents. Errors are \
                RFC 9457 problem documents; each code is explained at /problems/{code}.",
        },
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer" },
                "session": { "type": "apiKey", "in": "cookie", "name": "sr_session" },
            },
        },
    })
}

fn operation(route: &Route, generator: &mut SchemaGenerator, problem: &Value) -> Value {
    let mut operation = Map::new();
    operation.insert("operationId".into(), route.operation.into());
    operation.insert("summary".into(), route.summary.into());
    if !route.repeating.is_empty() {
        operation.insert("description".into(), route.repeating.into());
    }
    operation.insert("parameters".into(), parameters(route));
    if let Some(body) = body(route, generator) {
        operation.insert("requestBody".into(), body);
    }
    operation.insert("responses".into(), responses(route, generator, problem));
    if route.permission == Permission::Open {
        operation.insert("security".into(), json!([]));
    } else if !route.path.starts_with("/api/") {
        operation.insert("security".into(), json!([{ "session": [] }, { "token": [] }]));
    }
    operation.insert("x-permission".into(), route.permission.name().into());
    operation.insert("x-body-max-bytes".into(), route.body_max_bytes.into());
    if let Some(time_max) = route.time_max {
        operation.insert("x-time-max-seconds".into(), time_max.as_secs().into());
    }
    if let Some(key) = route.tenant_key {
        operation.insert("x-tenant-key".into(), key.into());
    }
    Value::Object(operation)
}

fn parameters(route: &Route) -> Value {
    let places = route.path.split('/').filter_map(|part| part.strip_prefix('{'));
    let places = places.map(|part| {
        let name = part.trim_end_matches('}').trim_start_matches('*');
        json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
    });
    let query = route.query.iter().map(|parameter| {
        json!({
            "name": parameter.name,
            "in": "query",
            "required": false,
            "description": parameter.about,
            "schema": { "type": parameter.kind },
        })
    });
    let key = route.idempotent.then(|| {
        json!({
            "name": "Idempotency-Key",
            "in": "header",
            "required": false,
            "description": "The same key with the same body gives the same answer again.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255 },
        })
    });
    places.chain(query).chain(key).collect()
}

fn body(route: &Route, generator: &mut SchemaGenerator) -> Option<Value> {
    let mut json_of = |shape: Shape| (shape.referenced)(generator).to_value();
    let (content, required) = match route.takes {
        Takes::Nothing => return None,
        Takes::Json(shape, may_miss) => {
            (json!({ "application/json": { "schema": json_of(shape) } }), !may_miss)
        },
        Takes::AnyJson | Takes::Signed => (json!({ "application/json": { "schema": true } }), true),
        Takes::TextOrJson(texts, shape) => {
            let mut content = Map::new();
            content.insert("application/json".into(), json!({ "schema": json_of(shape) }));
            for text in texts {
                content.insert((*text).into(), json!({ "schema": { "type": "string" } }));
            }
            (Value::Object(content), true)
        },
        Takes::Form(fields) => {
            let text = json!({ "type": "string" });
            let fields = fields.iter().chain(&["csrf"]);
            let properties: Map<String, Value> =
                fields.map(|field| ((*field).to_owned(), text.clone())).collect();
            let schema = json!({ "type": "object", "properties": properties });
            (json!({ "application/x-www-form-urlencoded": { "schema": schema } }), true)
        },
    };
    Some(json!({ "required": required, "content": content }))
}

fn responses(route: &Route, generator: &mut SchemaGenerator, problem: &Value) -> Value {
    let mut responses: BTreeMap<String, Value> = BTreeMap::new();
    for (status, gives) in &route.answers {
        let content = match gives {
            Gives::Json(shape) => {
                json!({ "application/json": { "schema": (shape.referenced)(generator).to_value() } })
            },
            Gives::Media(media) => json!({ *media: {} }),
            Gives::Nothing => json!({}),
        };
        let known = responses
            .entry(status.to_string())
            .or_insert_with(|| json!({ "description": reason(*status), "content": {} }));
        if let (Some(all), Some(one)) =
            (known.get_mut("content").and_then(Value::as_object_mut), content.as_object())
        {
            all.extend(one.clone());
        }
    }
    let mut by_status: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for code in problems_of(route) {
        let known = by_status.entry(code.status).or_default();
        if !known.contains(&code.code) {
            known.push(code.code);
        }
    }
    for (status, known) in by_status {
        let description = format!("{}: {}", reason(status), known.join(", "));
        let answer = json!({
            "description": description,
            "content": { "application/problem+json": { "schema": problem } },
        });
        responses.entry(status.to_string()).or_insert(answer);
    }
    json!(responses)
}

/// Every problem that a route may answer with, its own and those that come from what it reads.
pub fn problems_of(route: &Route) -> Vec<&'static Code> {
    let mut all = vec![&codes::BAD_QUERY, &codes::INTERNAL];
    if route.permission != Permission::Open {
        all.extend([&codes::UNAUTHENTICATED, &codes::NOT_STORED]);
        if route.permission != Permission::Read {
            all.extend([&codes::NOT_ALLOWED, &codes::FORGED_FORM]);
        }
    }
    if route.time_max.is_some() {
        all.push(&codes::TOO_SLOW);
    }
    match route.takes {
        Takes::Nothing => {},
        Takes::Form(_) => {
            all.extend([&codes::TOO_LARGE, &codes::UNSUPPORTED_MEDIA_TYPE, &codes::INVALID]);
        },
        Takes::Json(..) | Takes::TextOrJson(..) | Takes::AnyJson | Takes::Signed => all.extend([
            &codes::MALFORMED_JSON,
            &codes::TOO_DEEP,
            &codes::TOO_LARGE,
            &codes::UNSUPPORTED_MEDIA_TYPE,
            &codes::INVALID,
        ]),
    }
    if route.idempotent {
        all.extend([&codes::BAD_HEADER, &codes::IDEMPOTENCY_KEY_REUSED]);
    }
    if route.query.iter().any(|parameter| parameter.name == "cursor") {
        all.push(&codes::BAD_CURSOR);
    }
    all.extend(&route.problems);
    all
}

fn reason(status: u16) -> &'static str {
    axum::http::StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("Other")
}
