//! A problem document, read for a person: what, where, why, what to do.

use reqwest::{Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::place::Place;
use super::shapes::null_is_nothing;
use crate::fault::Fault;

/// The members of a problem document that are told.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    title: Option<String>,
    detail: Option<String>,
    code: Option<String>,
    #[serde(deserialize_with = "null_is_nothing")]
    errors: Vec<Mistake>,
    hint: Option<String>,
    #[serde(deserialize_with = "null_is_nothing")]
    allowed: Vec<String>,
    retryable: bool,
    request_id: Option<String>,
    first: Option<First>,
}

/// One wrong value of a request, or one mistake in a definition.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Mistake {
    pointer: Option<String>,
    detail: Option<String>,
    line: Option<u32>,
    column: Option<u32>,
    what: Option<String>,
    why: Option<String>,
    hint: Option<String>,
}

/// The decision that came first.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct First {
    verb: Option<String>,
    by: Option<String>,
    at: Option<String>,
}

/// Most mistakes told at once.
const MISTAKES_MAX: usize = 20;

/// Reads why the server at `place` said no.
pub(super) async fn read(place: &Place, response: Response) -> Fault {
    let status = response.status();
    let wait =
        response.headers().get("retry-after").and_then(|v| v.to_str().ok().map(str::to_owned));
    let body: Option<Value> =
        response.bytes().await.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let problem = body.clone().and_then(|body| serde_json::from_value::<Problem>(body).ok());
    let mut fault = match problem {
        Some(problem) => told(status, problem, wait),
        None => Fault::refused(format!("HTTP {status}"))
            .because(format!("{} answered without saying why", place.url)),
    };
    fault.problem = body;
    if status == StatusCode::UNAUTHORIZED {
        fault = about_the_token(fault, place);
    }
    fault
}

fn told(status: StatusCode, problem: Problem, wait: Option<String>) -> Fault {
    let title = problem.title.unwrap_or_else(|| format!("HTTP {status}"));
    let mut fault = Fault::refused(title.clone());
    fault.code = problem.code;
    if let Some(detail) = problem.detail.filter(|detail| *detail != title) {
        fault = fault.because(detail);
    }
    if let Some(first) = problem.first {
        let word = |text: Option<String>| text.unwrap_or_else(|| "?".to_owned());
        let (verb, by, at) = (word(first.verb), word(first.by), word(first.at));
        fault = fault.because(format!("the decision that counts: {verb} by {by} at {at}"));
    }
    let count = problem.errors.len();
    for mistake in problem.errors.into_iter().take(MISTAKES_MAX) {
        fault = fault.because(mistake.in_words());
    }
    if count > MISTAKES_MAX {
        fault = fault.because(format!("… and {} more", count - MISTAKES_MAX));
    }
    if !problem.allowed.is_empty() {
        fault = fault.hint(format!("possible now: {}", problem.allowed.join(", ")));
    }
    if let Some(hint) = problem.hint {
        fault = fault.hint(hint);
    }
    if problem.retryable {
        let when = wait.map_or_else(|| "later".to_owned(), |seconds| format!("in {seconds} s"));
        fault = fault.hint(format!("try it again {when}: nothing was changed"));
    }
    if let (true, Some(id)) = (status.is_server_error(), problem.request_id) {
        fault = fault.hint(format!("the server's log has more under request {id}"));
    }
    fault
}

impl Mistake {
    fn in_words(self) -> String {
        let place = match (self.line, self.column, self.pointer) {
            (Some(line), Some(column), _) => format!("{line}:{column}: "),
            (_, _, Some(pointer)) if !pointer.is_empty() => format!("{pointer}: "),
            _ => String::new(),
        };
        let mut text = format!("{place}{}", self.what.or(self.detail).unwrap_or_default());
        if let Some(why) = self.why {
            text = format!("{text} — {why}");
        }
        match self.hint {
            Some(hint) => format!("{text}; hint: {hint}"),
            None => text,
        }
    }
}

fn about_the_token(fault: Fault, place: &Place) -> Fault {
    let what = if place.token.is_some() {
        "the token was not accepted: it is wrong, expired, or another server's"
    } else {
        "no token was sent"
    };
    fault
        .because(format!("{what} ({})", place.found_by()))
        .hint("give it by SHOWRUNNER_TOKEN or --token; `showrunner serve` prints it at its first start")
        .hint("on the server's own machine --data-dir DIR finds address and token by itself")
}
