//! What a worker is given to do, within which limits, and what comes of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fault::Fault;

/// One piece of untrusted text to run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Job {
    /// JavaScript.
    Function(Box<Function>),
    /// A long author's template.
    Template(Box<Template>),
}

impl Job {
    /// Its limits.
    pub(crate) fn limits(&self) -> &Limits {
        match self {
            Self::Function(function) => &function.limits,
            Self::Template(template) => &template.limits,
        }
    }
}

/// An author's JavaScript with everything it can see. Two equal ones, with the same answers to
/// their fetches, come to the same end.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Function {
    /// A module with a default export or an export `run`; or `module.exports = …`.
    pub code: String,
    /// The line of its file on which the code begins, from 1: places in messages are places there.
    pub line: u32,
    /// What it is called in messages and stacks.
    pub file: String,
    /// `ctx.input`.
    pub input: Value,
    /// `ctx.settings`.
    pub settings: Value,
    /// `ctx.feedback`: what was said about a former output.
    pub feedback: Value,
    /// `ctx.env`, filtered already.
    pub env: BTreeMap<String, String>,
    /// What `Date.now()` begins with, in milliseconds since 1970.
    pub now_ms: i64,
    /// What `Math.random` and `crypto.randomUUID` draw from.
    pub seed: u64,
    /// How far it may go.
    pub limits: Limits,
}

/// A text with places to fill in.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Template {
    /// What was written.
    pub source: String,
    /// What it can see: an object.
    pub context: Value,
    /// How far it may go.
    pub limits: Limits,
}

/// How far a job may go. The parent holds the times and the counts; the system holds the memory
/// and the processor's time of the whole process, see [`crate::PoolOptions`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Time in which it computes, in milliseconds: what it waits for us does not count.
    pub busy_ms: u64,
    /// Time from beginning to end, in milliseconds.
    pub wall_ms: u64,
    /// What JavaScript may hold in memory, in bytes.
    pub memory_bytes: usize,
    /// The result as JSON, in bytes.
    pub output_bytes: usize,
    /// All log lines together, in bytes. More are dropped, and that is said.
    pub log_bytes: usize,
    /// How many requests it may make.
    pub fetches: u32,
    /// The body of one answer, in bytes.
    pub fetch_bytes: usize,
    /// How many files it may keep.
    pub files: u32,
    /// One kept file, in bytes.
    pub file_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            busy_ms: 5_000,
            wall_ms: 120_000,
            memory_bytes: 128 << 20,
            output_bytes: 1 << 20,
            log_bytes: 64 << 10,
            fetches: 32,
            fetch_bytes: 20 << 20,
            files: 20,
            file_bytes: 25 << 20,
        }
    }
}

/// A line that an author's code wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// How loud.
    pub level: Level,
    /// What.
    pub text: String,
}

/// How loud a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// `ctx.log.debug`, `console.debug`.
    Debug,
    /// `ctx.log`, `console.log`.
    Info,
    /// `ctx.log.warn`.
    Warn,
    /// `ctx.log.error`.
    Error,
}

/// What came of a job.
#[derive(Debug)]
pub struct Outcome {
    /// Its result, or why there is none.
    pub result: Result<Value, Fault>,
    /// What it wrote before it ended, however it ended.
    pub log: Vec<LogLine>,
}
