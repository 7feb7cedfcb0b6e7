//! Bodies: how long, of what type, how deep, well-formed, and fitting their schema, all said
//! before a handler sees them.

mod json;

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::guard::Rules;
use crate::problem::{FieldError, Problem, codes};
use crate::routes::Takes;

pub(crate) use json::nearest;

/// A body that fits its schema, as the type that the schema was made from.
#[derive(Debug)]
pub struct Json<T>(pub T);

/// A body that is text rather than JSON.
#[derive(Clone, Debug)]
pub struct Text(pub Arc<str>);

/// A body as JSON, whatever its shape.
#[derive(Clone, Debug)]
pub struct Any(pub Arc<Value>);

/// A body as it came, byte for byte: its signature is about exactly these.
#[derive(Clone, Debug)]
pub struct Raw(pub Bytes);

/// The fields of an HTML form, in order.
#[derive(Clone, Debug, Default)]
pub struct Form(Arc<Vec<(String, String)>>);

impl Form {
    /// A field that is there and not blank, without the blanks around it.
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(key, _)| key == name)?;
        let value = value.trim();
        (!value.is_empty()).then_some(value)
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let Some(Any(value)) = parts.extensions.get::<Any>() else {
            return Err(Problem::new(&codes::INTERNAL, "the route does not read a body"));
        };
        // What the schema cannot say (and only that) is found here.
        T::deserialize(&**value)
            .map(Self)
            .map_err(|fault| Problem::invalid(vec![FieldError::new("", fault.to_string())]))
    }
}

impl<S: Sync> FromRequestParts<S> for Any {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self(Arc::new(Value::Null))))
    }
}

impl<S: Sync> FromRequestParts<S> for Raw {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let raw = parts.extensions.get::<Self>().cloned();
        raw.ok_or_else(|| Problem::new(&codes::INTERNAL, "the route does not keep the body"))
    }
}

impl<S: Sync> FromRequestParts<S> for Form {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

/// A value that was not sent as JSON (a form, say), held to the schema of its type all the same.
///
/// # Errors
/// Everything in it that does not fit.
pub fn fitting<T: schemars::JsonSchema + DeserializeOwned>(value: &Value) -> Result<T, Problem> {
    let schema = schemars::SchemaGenerator::default().into_root_schema_for::<T>();
    let schema = showrunner_engine::schema::Schema::compile(schema.to_value())
        .map_err(|fault| Problem::new(&codes::INTERNAL, fault))?;
    json::check(&schema, value)?;
    T::deserialize(value)
        .map_err(|fault| Problem::invalid(vec![FieldError::new("", fault.to_string())]))
}

/// Reads JSON that was kept byte for byte, within the same bounds as any other.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    json::parse(bytes)
}

/// Reads the body as the route says, and puts what it is where handlers find it.
pub(crate) async fn read(rules: &Rules, request: Request) -> Result<Request, Problem> {
    if matches!(rules.takes, Takes::Nothing) {
        return Ok(request);
    }
    let (mut parts, body) = request.into_parts();
    let bytes = whole(rules, &parts, body).await?;
    let media = media_type(&parts);
    match rules.takes {
        Takes::Nothing => {},
        Takes::Form(_) => {
            expect(&media, &["application/x-www-form-urlencoded"])?;
            parts.extensions.insert(form(&bytes).await?);
        },
        Takes::Signed => {
            expect(&media, &["application/json"])?;
            parts.extensions.insert(Raw(Bytes::clone(&bytes)));
        },
        Takes::Json(_, true) if bytes.is_empty() => {
            parts.extensions.insert(Any(Arc::new(Value::Object(serde_json::Map::new()))));
        },
        Takes::TextOrJson(texts, _) if texts.contains(&media.as_str()) => {
            let text = std::str::from_utf8(&bytes).map_err(|fault| {
                let words = format!("the text is not UTF-8 from byte {}", fault.valid_up_to());
                Problem::invalid(vec![FieldError::new("", words)])
            })?;
            parts.extensions.insert(Text(text.into()));
        },
        Takes::Json(..) | Takes::TextOrJson(..) | Takes::AnyJson => {
            let mut accepted = vec!["application/json"];
            if let Takes::TextOrJson(texts, _) = rules.takes {
                accepted.extend_from_slice(texts);
            }
            expect(&media, &accepted)?;
            let value = json::parse(&bytes)?;
            if let Some(schema) = &rules.schema {
                json::check(schema, &value)?;
            }
            parts.extensions.insert(Any(Arc::new(value)));
        },
    }
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

/// All of the body, unless it is longer than it may be; a length that is declared is believed,
/// so that nothing is read in vain.
async fn whole(rules: &Rules, parts: &Parts, body: Body) -> Result<Bytes, Problem> {
    let max = rules.body_max_bytes;
    let too_large = || {
        let words = format!("the body may have {max} bytes at most");
        Problem::new(&codes::TOO_LARGE, words)
    };
    let declared = parts.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if declared.and_then(|text| text.parse::<usize>().ok()).is_some_and(|length| length > max) {
        return Err(too_large());
    }
    to_bytes(body, max).await.map_err(|fault| {
        tracing::debug!(%fault, "a body was not read to its end");
        too_large()
    })
}

/// The media type without its parameters, in small letters.
fn media_type(parts: &Parts) -> String {
    let value = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media = value.unwrap_or_default().split(';').next().unwrap_or_default();
    media.trim().to_ascii_lowercase()
}

fn expect(media: &str, accepted: &[&str]) -> Result<(), Problem> {
    if accepted.contains(&media) {
        return Ok(());
    }
    let list = accepted.join(", ");
    let words = if media.is_empty() {
        format!("the request has no Content-Type; accepted: {list}")
    } else {
        format!("`{}` is not accepted here; accepted: {list}", crate::problem::shown(media))
    };
    let allowed = accepted.iter().map(ToString::to_string).collect();
    Err(Problem::new(&codes::UNSUPPORTED_MEDIA_TYPE, words).with_allowed(allowed))
}

async fn form(bytes: &Bytes) -> Result<Form, Problem> {
    use axum::extract::FromRequest as _;
    let request = Request::post("/")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(Bytes::clone(bytes)))
        .unwrap_or_default();
    let fields = axum::Form::<Vec<(String, String)>>::from_request(request, &()).await;
    let axum::Form(fields) = fields.map_err(|fault| {
        Problem::invalid(vec![FieldError::new("", format!("the form: {fault}"))])
    })?;
    Ok(Form(Arc::new(fields)))
}
