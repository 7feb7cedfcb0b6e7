//! What the world does for a run, one file per kind.

pub(crate) mod abort;
pub(crate) mod call_agent;
pub(crate) mod call_function;
pub(crate) mod call_media;
pub(crate) mod call_model;
pub(crate) mod child;
pub(crate) mod choice;
pub(crate) mod elect;
pub(crate) mod function_host;
pub(crate) mod job;
pub(crate) mod pay;

use showrunner_engine::id::{RunId, Token};

/// The idempotency key of a call: the same for this very call, never for another.
pub(crate) fn call_key(run: &RunId, token: Token, no: u16) -> String {
    format!("{run}/{token}/{no}")
}
