//! Lists in pages: `?limit=`, `?cursor=`, and the cursor of the next page.

use std::num::ParseIntError;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::Serialize;
use showrunner_engine::at::Timestamp;
use showrunner_engine::id::RunId;

use crate::problem::{Problem, codes, shown};

/// How many where nobody says.
const LIMIT_USUAL: u64 = 50;
/// How many at most.
const LIMIT_MAX: u32 = 200;

/// A page of a list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Listing<T> {
    /// The rows, newest first where they have a time.
    pub data: Vec<T>,
    /// To be given as `cursor` for the rows after these; null at the end.
    pub next_cursor: Option<String>,
}

/// All of a list that is never long.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Whole<T> {
    /// The rows.
    pub data: Vec<T>,
}

/// Where a page begins: behind this row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The row's instant.
    pub at: Timestamp,
    /// The row's id.
    pub id: String,
}

impl Cursor {
    /// As callers hand it back.
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{} {}", self.at.0, self.id))
    }

    fn read(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (at, id) = text.split_once(' ')?;
        let is_plain = id.bytes().all(|b| b.is_ascii_graphic()) && id.len() <= 200;
        is_plain.then_some(())?;
        Some(Self { at: Timestamp(at.parse().ok()?), id: id.to_owned() })
    }

    /// As the journal wants it for runs.
    pub fn of_run(self) -> (Timestamp, RunId) {
        (self.at, self.id.into())
    }
}

/// Which page is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paging {
    /// How many rows.
    pub limit: u32,
    /// Behind which row.
    pub after: Option<Cursor>,
}

impl Paging {
    /// Whether there may be a page after one with so many rows.
    pub fn next(&self, count: usize, last: impl FnOnce() -> Option<Cursor>) -> Option<String> {
        let is_full = u32::try_from(count).unwrap_or(u32::MAX) >= self.limit;
        if is_full { last().map(|cursor| cursor.to_text()) } else { None }
    }
}

/// The parameters behind the `?`, decoded.
#[derive(Clone, Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// A parameter that is there and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(key, _)| key == name)?;
        (!value.is_empty()).then_some(value)
    }

    /// A whole number.
    pub fn number(&self, name: &str) -> Result<Option<u64>, Problem> {
        let Some(text) = self.get(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|fault: ParseIntError| {
            let words = format!("`{name}` is a whole number, not `{}`: {fault}", shown(text));
            Problem::new(&codes::BAD_QUERY, words)
        })
    }

    /// Which page is asked for.
    pub fn paging(&self) -> Result<Paging, Problem> {
        let limit = self.number("limit")?.unwrap_or(LIMIT_USUAL);
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        if limit == 0 || limit > LIMIT_MAX {
            let words = format!("`limit` is 1 to {LIMIT_MAX}");
            return Err(Problem::new(&codes::BAD_QUERY, words));
        }
        let after = self.get("cursor").map(|text| {
            Cursor::read(text).ok_or_else(|| {
                let words = format!("`{}` is no cursor of this server", shown(text));
                Problem::new(&codes::BAD_CURSOR, words)
            })
        });
        Ok(Paging { limit, after: after.transpose()? })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = axum::extract::Query::<Vec<(String, String)>>::from_request_parts(parts, state);
        query
            .await
            .map(|axum::extract::Query(pairs)| Self(pairs))
            .map_err(|fault| Problem::new(&codes::BAD_QUERY, fault.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was_given() {
        let cursor = Cursor { at: Timestamp(1_790_000_000_000_000), id: "run_01abc".into() };
        assert_eq!(Cursor::read(&cursor.to_text()), Some(cursor));
    }

    #[test]
    fn what_is_no_cursor_is_none() {
        for text in ["", "x", "AAAA", "!!!!", "MTIz", "MSBcbg=="] {
            assert_eq!(Cursor::read(text), None, "{text}");
        }
    }
}
