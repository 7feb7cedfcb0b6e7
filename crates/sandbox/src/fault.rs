//! Why a job has no result: what, where, why, and what to do about it.

use serde::{Deserialize, Serialize};

/// Why a job has no result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "fault")]
pub enum Fault {
    /// It cannot be read.
    #[error("{file}:{line}:{column}: {message}; correct the text there")]
    Syntax {
        /// Where.
        file: String,
        /// From 1.
        line: u32,
        /// From 1.
        column: u32,
        /// What was expected.
        message: String,
    },
    /// It can be read, and has nothing to call.
    #[error("{file} exports no function; write `export default async function (ctx) {{ … }}`")]
    NoFunction {
        /// Where.
        file: String,
    },
    /// It threw, or its template could not be rendered.
    #[error("{name}: {message}{}", Indented(stack))]
    Thrown {
        /// `TypeError`.
        name: String,
        /// What it said of itself.
        message: String,
        /// Where, in the author's code only: one `at` a line.
        stack: String,
        /// `error.code`, as node and axios give it: `ECONNREFUSED`.
        code: Option<String>,
        /// `error.status`: of the HTTP answer that it is about.
        status: Option<u16>,
    },
    /// It computed longer than it may.
    #[error("it computed for over {limit_ms} ms; make it do less, or split the step")]
    Busy {
        /// The limit.
        limit_ms: u64,
    },
    /// It took longer than it may, most of it waiting.
    #[error("it took over {limit_ms} ms in all; wait less, or raise the step's time limit")]
    TimedOut {
        /// The limit.
        limit_ms: u64,
    },
    /// It needs more memory than it may have.
    #[error("it needs more than {} MB of memory; work on smaller pieces", limit_bytes >> 20)]
    Memory {
        /// The limit.
        limit_bytes: u64,
    },
    /// Something it wants to hand over is too large.
    #[error("{what} is over {limit} {unit}; {advice}")]
    TooLarge {
        /// `the result`.
        what: String,
        /// The most.
        limit: u64,
        /// `bytes`.
        unit: String,
        /// What to do.
        advice: String,
    },
    /// It waits for something that will never happen.
    #[error(
        "it waits for a promise that nothing will settle; every promise must be resolved by a timer, a request or other code"
    )]
    Stuck,
    /// Its process died of it.
    #[error(
        "its process died ({how}): it needed too much memory or stack, or broke the engine; nothing else was harmed"
    )]
    Crashed {
        /// `signal 6`.
        how: String,
    },
    /// Whoever hosted it ended it.
    #[error("it was stopped")]
    Stopped,
    /// It is not allowed to say that.
    #[error("its process said what is no message ({what}) and was ended")]
    Garbled {
        /// What was wrong.
        what: String,
    },
    /// Too much is waiting already.
    #[error("{waiting} jobs wait for the sandbox already; try again later")]
    Crowded {
        /// How many.
        waiting: usize,
    },
    /// There is no sandbox.
    #[error("the sandbox cannot work here: {why}")]
    Unavailable {
        /// Why, and what to do.
        why: String,
    },
}

impl Fault {
    /// The stable short code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "function_syntax",
            Self::NoFunction { .. } => "function_missing",
            Self::Thrown { .. } => "function_threw",
            Self::Busy { .. } => "function_busy",
            Self::TimedOut { .. } => "function_timeout",
            Self::Memory { .. } => "function_memory",
            Self::TooLarge { .. } => "function_too_large",
            Self::Stuck => "function_stuck",
            Self::Crashed { .. } => "function_crashed",
            Self::Stopped => "function_stopped",
            Self::Garbled { .. } => "function_garbled",
            Self::Crowded { .. } => "sandbox_crowded",
            Self::Unavailable { .. } => "sandbox_unavailable",
        }
    }

    /// Whether the same job may well succeed at another time: the fault was not its own.
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Crowded { .. } | Self::Unavailable { .. })
    }

    pub(crate) fn unavailable(why: impl std::fmt::Display) -> Self {
        Self::Unavailable { why: why.to_string() }
    }
}

/// A stack on lines of its own, or nothing.
struct Indented<'a>(&'a str);

impl std::fmt::Display for Indented<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, "\n{}", self.0) }
    }
}
