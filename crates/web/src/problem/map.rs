//! What the engine, the runtime and the journal refuse, as problems. The only such table.

use showrunner_engine::refusal::Refusal;
use showrunner_journal::{AppendError, JournalError};
use showrunner_runtime::{LibraryError, SubmitError};

use super::{FieldError, Problem, codes};

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let words = refusal.to_string();
        let problem = |code| Self::new(code, words.clone());
        match refusal {
            Refusal::RunState { allowed, .. } => problem(&codes::RUN_STATE).with_allowed(allowed),
            Refusal::StepState { allowed, .. } => problem(&codes::STEP_STATE).with_allowed(allowed),
            Refusal::UnknownStep { known, .. } => problem(&codes::UNKNOWN_STEP).with_allowed(known),
            Refusal::UnknownPhase { known, .. } => {
                problem(&codes::UNKNOWN_PHASE).with_allowed(known)
            },
            Refusal::StaleAttempt { .. } => problem(&codes::STALE_ATTEMPT),
            Refusal::AlreadyAnswered { first, .. } => {
                let decision = serde_json::json!({
                    "verb": first.verb.name(),
                    "by": first.by,
                    "comment": first.comment,
                    "at": first.at.to_rfc3339(),
                });
                problem(&codes::ALREADY_ANSWERED).with("first", decision)
            },
            Refusal::AlreadyVoted { missing, .. } => {
                problem(&codes::ALREADY_VOTED).with("missing", missing)
            },
            Refusal::NotOffered { allowed, .. } => {
                problem(&codes::NOT_OFFERED).with_allowed(allowed)
            },
            Refusal::NotAllowed { .. } => problem(&codes::NOT_ALLOWED),
            Refusal::StaleContent { now, .. } => {
                problem(&codes::STALE_CONTENT).with("digest", now.as_str())
            },
            Refusal::Invalid { breaches, .. } => {
                let errors = breaches.into_iter().map(|b| FieldError::new(b.pointer, b.message));
                problem(&codes::INVALID).with_errors(errors.collect())
            },
            Refusal::OverBudget { .. } => problem(&codes::OVER_BUDGET),
        }
    }
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Refused(refusal) => refusal.into(),
            SubmitError::UnknownRun(run) => Self::unknown_run(run.as_str()),
            SubmitError::Library(error) => error.into(),
            SubmitError::KeyReused { key, run } => {
                let words = format!("the key {key} was used for run {run} with another body");
                Self::new(&codes::IDEMPOTENCY_KEY_REUSED, words)
                    .with("run", run.as_str())
                    .with_hint("use a new key for a new request")
            },
            SubmitError::NotStored(error) => error.into(),
            SubmitError::Journal(error) => error.into(),
            SubmitError::NotServing => Self::new(&codes::NOT_SERVING, "nothing has happened"),
        }
    }
}

impl From<AppendError> for Problem {
    fn from(error: AppendError) -> Self {
        let words = error.to_string();
        match error {
            AppendError::Full => {
                Self::new(&codes::STORAGE_FULL, format!("{words}; nothing has happened"))
            },
            AppendError::Busy(_) => {
                Self::new(&codes::NOT_STORED, format!("{words}; nothing has happened"))
            },
            AppendError::Fenced => Self::new(&codes::NOT_SERVING, words),
            AppendError::Corrupt(_) => internal(&codes::DAMAGED, &words),
            _ => Self::new(&codes::NOT_STORED, words),
        }
    }
}

impl From<JournalError> for Problem {
    fn from(error: JournalError) -> Self {
        let words = error.to_string();
        match error {
            JournalError::Full => Self::new(&codes::STORAGE_FULL, words),
            JournalError::Fenced => Self::new(&codes::NOT_SERVING, words),
            JournalError::Corrupt(_) => internal(&codes::DAMAGED, &words),
            _ => {
                tracing::error!(error = %words, "the journal could not be used");
                Self::new(&codes::NOT_STORED, "the database did not do what it was asked")
            },
        }
    }
}

impl From<LibraryError> for Problem {
    fn from(error: LibraryError) -> Self {
        let words = error.to_string();
        match error {
            LibraryError::Unknown { known, .. } => {
                Self::new(&codes::UNKNOWN_DEFINITION, words).with_allowed(known)
            },
            LibraryError::Invalid(problems) => {
                let shown = serde_json::to_value(&problems).unwrap_or_default();
                Self::new(&codes::INVALID_DEFINITION, words)
                    .with("errors", shown)
                    .with_hint("each problem says where, what, why and what to do")
            },
            LibraryError::Journal(error) => error.into(),
        }
    }
}

impl Problem {
    /// No run of this id, or none that the caller may see.
    pub fn unknown_run(id: &str) -> Self {
        Self::new(&codes::UNKNOWN_RUN, format!("there is no run {}", shown(id)))
            .with_hint("GET /api/v1/runs lists them")
    }

    /// Nothing at this path.
    pub fn not_found(path: &str) -> Self {
        Self::new(&codes::NOT_FOUND, format!("there is nothing at {}", shown(path)))
            .with_hint("/openapi.json lists every path")
    }

    /// What was sent is wrong at these places.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let words = match errors.as_slice() {
            [only] if only.pointer.is_empty() => only.detail.clone(),
            [only] => format!("{}: {}", only.pointer, only.detail),
            many => format!("{} places are wrong", many.len()),
        };
        Self::new(&codes::INVALID, words).with_errors(errors)
    }
}

/// What the operator must see and the caller cannot help.
fn internal(code: &'static super::Code, words: &str) -> Problem {
    tracing::error!(error = words, "a request met damage");
    Problem::new(code, "the server's log says more, under the request id")
}

/// What a caller sent, short enough to be repeated.
pub(crate) fn shown(text: &str) -> String {
    const SHOWN_MAX: usize = 120;
    if text.chars().count() <= SHOWN_MAX {
        return text.to_owned();
    }
    let head: String = text.chars().take(SHOWN_MAX).collect();
    format!("{head}…")
}
