//! A vendor's interface: requests with the key in their head, answers as JSON.

use std::sync::Arc;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use showrunner_engine::failure::ErrorClass;

use super::super::endpoint::{EndpointFault, read_base};
use super::super::http::Whole;
use super::super::problem::{Problem, shown};
use super::super::{Http, unsendable};
use super::{Access, Outside};
use crate::error::{CallFailure, Outcome};
use crate::pace::Sleeper;

/// A vendor's interface. Its `Debug` does not show the key.
#[derive(Clone, Debug)]
pub struct Line {
    name: &'static str,
    base: Url,
    key: SecretString,
    /// The header that carries the key, and what stands before it.
    key_header: (&'static str, &'static str),
    /// Headers of every request.
    fixed: &'static [(&'static str, &'static str)],
    http: Http,
    clock: Arc<dyn Sleeper>,
}

/// What tells one vendor's interface from another's.
pub(super) struct Habits {
    pub(super) name: &'static str,
    pub(super) home: &'static str,
    pub(super) key_header: (&'static str, &'static str),
    pub(super) fixed: &'static [(&'static str, &'static str)],
}

impl Line {
    pub(super) fn new(
        habits: &Habits,
        access: Access<'_>,
        outside: &Outside,
    ) -> Result<Self, EndpointFault> {
        let base = read_base(access.base.unwrap_or(habits.home), true)?;
        Ok(Self {
            name: habits.name,
            base,
            key: access.key,
            key_header: habits.key_header,
            fixed: habits.fixed,
            http: outside.http.clone(),
            clock: Arc::clone(&outside.clock),
        })
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Asks once. An answer with any status is one; see [`Self::refusal`].
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&Value>,
    ) -> Result<Whole, CallFailure> {
        let mut url = self.base.clone();
        // An address with a host can always be added to.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let asked = self.http.ask(self.name, (method, url), self.headers()?, body).await;
        asked.map_err(|failure| self.hushed(failure))
    }

    fn headers(&self) -> Result<HeaderMap, CallFailure> {
        let (name, prefix) = self.key_header;
        let value = HeaderValue::try_from(format!("{prefix}{}", self.key.expose_secret()));
        let mut value = value.map_err(|_shows_the_key| {
            let message = format!("the key for {} is no HTTP header value", self.name);
            unsendable("key_malformed", message)
        })?;
        value.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static(name), value);
        for (name, value) in self.fixed {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        Ok(headers)
    }

    /// What an answer refuses, by its status and typed codes.
    pub(super) fn refusal(&self, answer: &Whole) -> Option<CallFailure> {
        if answer.is_success() {
            return None;
        }
        let said = serde_json::from_slice::<Value>(&answer.body).ok();
        let problem = said.as_ref().and_then(problem_in).unwrap_or_default();
        let problem = problem.with_head(answer.status, &answer.headers, self.clock.now());
        Some(self.hushed(problem.into_failure(self.name, false)))
    }

    /// An answer that must be JSON and a success.
    pub(super) fn json(&self, answer: &Whole) -> Result<Value, CallFailure> {
        if let Some(failure) = self.refusal(answer) {
            return Err(failure);
        }
        serde_json::from_slice(&answer.body).map_err(|error| {
            let media = answer.media();
            let (class, code) = match media.as_str() {
                "application/json" => (ErrorClass::Transient, "answer_garbled"),
                _ => (ErrorClass::Provider, "not_json"),
            };
            let media = shown(&media);
            let message = format!("the answer of {} ({media}) is no JSON: {error}", self.name);
            CallFailure::new(class, Outcome::Unknown, code, message)
        })
    }

    /// An answer that has not the member it must have: an error in the body of a success, or
    /// something of another form.
    pub(super) fn strange(&self, answer: &Value, wanted: &str) -> CallFailure {
        if let Some(problem) = problem_in(answer) {
            return self.hushed(problem.into_failure(self.name, false));
        }
        let message = format!("the answer of {} has no {wanted}", self.name);
        CallFailure::new(ErrorClass::Provider, Outcome::Unknown, "answer_strange", message)
    }

    /// The vendor could repeat the key in its words.
    fn hushed(&self, mut failure: CallFailure) -> CallFailure {
        failure.message = failure.message.replace(self.key.expose_secret(), "[key]");
        failure
    }
}

fn problem_in(value: &Value) -> Option<Problem> {
    Problem::of_value(value).or_else(|| Problem::of_detail(value))
}
