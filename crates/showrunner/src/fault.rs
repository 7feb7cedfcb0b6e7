//! Why a command ends without success: what, where, why, what to do, and the exit code that tells
//! a script which kind it is.

use std::io;
use std::process::ExitCode;

use serde_json::{Value, json};

/// What a command comes to.
pub(crate) type Outcome<T = ()> = Result<T, Fault>;

/// The kinds of ending, as the process reports them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Whoever reads our output has gone away (`… | head`): nothing is wrong.
    Quiet,
    /// It was refused, or it failed.
    Refused,
    /// It was asked wrongly.
    Usage,
    /// Nobody answers.
    Unreachable,
}

impl Exit {
    /// The number the process ends with.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Quiet => 0,
            Self::Refused => 1,
            Self::Usage => 2,
            Self::Unreachable => 3,
        }
    }
}

/// Why a command ends without success.
#[derive(Debug)]
pub(crate) struct Fault {
    /// Which kind.
    pub(crate) exit: Exit,
    /// What happened, in one line.
    pub(crate) what: String,
    /// Where and why, one line each.
    pub(crate) why: Vec<String>,
    /// What to do, one line each.
    pub(crate) hints: Vec<String>,
    /// The stable code, when the server gave one.
    pub(crate) code: Option<String>,
    /// The server's own words, for `--json`.
    pub(crate) problem: Option<Value>,
    /// Its facts are on standard output already (a failed run, a file with mistakes).
    pub(crate) is_told: bool,
}

impl Fault {
    fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self {
            exit,
            what: what.into(),
            why: Vec::new(),
            hints: Vec::new(),
            code: None,
            problem: None,
            is_told: false,
        }
    }

    /// It was refused, or it failed.
    pub(crate) fn refused(what: impl Into<String>) -> Self {
        Self::new(Exit::Refused, what)
    }

    /// It was asked wrongly.
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self::new(Exit::Usage, what)
    }

    /// Nobody answers.
    pub(crate) fn unreachable(what: impl Into<String>) -> Self {
        Self::new(Exit::Unreachable, what)
    }

    /// Adds a line of where or why.
    pub(crate) fn because(mut self, why: impl Into<String>) -> Self {
        self.why.push(why.into());
        self
    }

    /// Adds a line of what to do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Says that `--json` has its answer already.
    pub(crate) fn told(mut self) -> Self {
        self.is_told = true;
        self
    }

    /// What `--json` prints.
    pub(crate) fn to_json(&self) -> Value {
        json!({ "error": {
            "what": self.what,
            "why": self.why,
            "hints": self.hints,
            "code": self.code,
            "exit": self.exit.number(),
            "problem": self.problem,
        }})
    }
}

impl From<anyhow::Error> for Fault {
    fn from(error: anyhow::Error) -> Self {
        let mut causes = error.chain().map(ToString::to_string);
        let what = causes.next().unwrap_or_else(|| "it failed".to_owned());
        let mut fault = Self::refused(what);
        fault.why.extend(causes);
        fault
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::new(Exit::Quiet, "the reader has gone away"),
            _ => Self::refused(error.to_string()),
        }
    }
}

/// Ends a command line that could not be read; `--help` and `--version` come here too.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    // Nobody is left to tell when even this cannot be written.
    drop(error.print());
    ExitCode::from(if error.use_stderr() { Exit::Usage.number() } else { 0 })
}
