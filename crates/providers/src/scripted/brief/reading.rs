//! What a prompt says, read once: every agent of a run gets the same one.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::words::Domain;
use super::{english, is_japanese, japanese};

/// So much of a prompt is read; a brief says early what it is about.
const PROMPT_BYTES_MAX: usize = 4096;
/// Readings kept; a flood of different prompts starts anew.
const READINGS_MAX: usize = 256;

/// A prompt as it was understood.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// What it is about, and whether that stands in quotation marks.
    pub(super) subject: Option<(String, bool)>,
    pub(super) audience: Option<String>,
    pub(super) facts: Vec<String>,
    pub(super) domain: Option<Domain>,
}

impl Reading {
    fn of(prompt: &str) -> Self {
        let domain = Domain::in_text(prompt);
        if is_japanese(prompt) {
            let (subject, audience) = (japanese::subject(prompt), japanese::audience(prompt));
            Self { subject, audience, facts: japanese::facts(prompt), domain }
        } else {
            let (subject, audience) = (english::subject(prompt), english::audience(prompt));
            Self { subject, audience, facts: english::facts(prompt), domain }
        }
    }
}

/// Readings by prompt.
#[derive(Debug, Default)]
pub(in crate::scripted) struct Readings {
    known: Mutex<HashMap<String, Arc<Reading>>>,
}

impl Readings {
    pub(super) fn of(&self, prompt: &str) -> Arc<Reading> {
        let prompt = head(prompt, PROMPT_BYTES_MAX);
        if let Some(known) = self.known.lock().get(prompt) {
            return Arc::clone(known);
        }
        let reading = Arc::new(Reading::of(prompt));
        let mut known = self.known.lock();
        if known.len() >= READINGS_MAX {
            known.clear();
        }
        known.insert(prompt.to_owned(), Arc::clone(&reading));
        reading
    }
}

/// At most so many bytes of `text`.
pub(super) fn head(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}
