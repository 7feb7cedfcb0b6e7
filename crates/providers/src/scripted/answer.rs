//! From a request to an answer: the brief read, the schema's plan found, the plan filled.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::Value;
use showrunner_engine::failure::ErrorClass;
use showrunner_engine::id::Digest;
use showrunner_engine::turn::{Answer, OutputForm};

use super::brief::{Brief, Readings};
use super::fill::{Filler, WAYS};
use super::plan::Plan;
use super::prose::{Piece, Pool};
use crate::error::{CallFailure, Outcome};
use crate::model::ModelRequest;

/// Plans kept. Definitions have some dozens of schemas; a flood of different ones starts anew.
const PLANS_MAX: usize = 512;

/// Writes answers; keeps what it has learnt about schemas.
#[derive(Debug, Default)]
pub(super) struct Writer {
    plans: Mutex<HashMap<Digest, Arc<Known>>>,
    readings: Readings,
}

/// A schema as it is known.
#[derive(Debug)]
struct Known {
    plan: Plan,
    tokens: u64,
}

/// An answer and what it took.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) answer: Answer,
    pub(super) text: String,
    pub(super) input_tokens: u64,
}

impl Writer {
    /// Writes the answer to `request`. `seed` chooses the idea of a piece, `own` its details.
    pub(super) fn write(
        &self,
        request: &ModelRequest,
        seed: u64,
        own: u64,
    ) -> Result<Written, CallFailure> {
        let call = &request.call;
        let known = call.output.as_ref().map(|form| self.known(form));
        let mut input_tokens = tokens(&call.system) + known.as_ref().map_or(0, |k| k.tokens);
        for message in &call.messages {
            input_tokens += tokens(&message.to_text());
        }
        let (input, feedback) = call.task();
        let brief = Brief::read(input, feedback, &self.readings);
        let piece = Piece::new(&brief, seed, request.variation);
        let answer = match &known {
            None => Answer::Text(plain_text(&piece)),
            Some(known) => {
                let mut filler = Filler::new(&known.plan, &piece, input, own);
                Answer::Output(filler.answer().ok_or_else(|| cannot_satisfy(&known.plan))?)
            },
        };
        let text = text_of(&answer);
        Ok(Written { answer, text, input_tokens })
    }

    fn known(&self, form: &OutputForm) -> Arc<Known> {
        if let Some(known) = self.plans.lock().get(&form.digest) {
            return Arc::clone(known);
        }
        let plan = Plan::of(&form.schema);
        let tokens = tokens(&form.schema.source().to_string());
        let known = Arc::new(Known { plan, tokens });
        let mut plans = self.plans.lock();
        if plans.len() >= PLANS_MAX {
            plans.clear();
        }
        plans.insert(form.digest.clone(), Arc::clone(&known));
        known
    }
}

fn cannot_satisfy(plan: &Plan) -> CallFailure {
    let source = plan.schema.source().to_string();
    let shown: String = source.chars().take(200).collect();
    CallFailure::new(
        ErrorClass::Validation,
        Outcome::Refused,
        "scripted_cannot_satisfy_schema",
        format!(
            "the scripted model found no value that fits the output schema in {WAYS} tries; \
             simplify the schema or use another model: {shown}"
        ),
    )
}

/// A plain answer: a paragraph on the work and what follows from it.
fn plain_text(piece: &Piece<'_>) -> String {
    let lang = piece.brief.lang;
    let summary = if piece.brief.violation.is_some() { "bad" } else { "summary" };
    let mut lines = Vec::new();
    if piece.brief.feedback.is_some() {
        lines.extend(piece.lines(Pool::General("taken_up"), lang).first().copied());
    }
    for pool in [Pool::General(summary), Pool::Direction, Pool::General("detail"), Pool::Cta] {
        lines.extend(piece.lines(pool, lang).first().copied());
    }
    if piece.brief.details.is_empty() {
        lines.retain(|line| !line.contains("{d}"));
    }
    lines.iter().map(|line| piece.fill(line, lang)).collect::<Vec<_>>().join("\n")
}

/// The answer as it is streamed.
pub(super) fn text_of(answer: &Answer) -> String {
    match answer {
        Answer::Text(text) => text.clone(),
        Answer::Output(value) => value.to_string(),
        Answer::Tools { .. } | Answer::AsOutput => Value::to_string(&answer.to_value()),
    }
}

/// About how many tokens a text is: four letters of Latin text, or one character of any other.
pub(super) fn tokens(text: &str) -> u64 {
    // Counted in short runs, which the compiler turns into vector instructions.
    let (mut latin, mut other) = (0u64, 0u64);
    for run in text.as_bytes().chunks(128) {
        let (mut low, mut first) = (0u8, 0u8);
        for byte in run {
            low += u8::from(*byte < 0x80);
            // The first byte of a character of more bytes.
            first += u8::from(*byte >= 0xc0);
        }
        latin += u64::from(low);
        other += u64::from(first);
    }
    latin.div_ceil(4) + other
}

/// Cuts an answer off where its tokens end, as vendors do: what is left of JSON is only text. Also
/// says how many tokens there are then.
pub(super) fn cut_off(answer: Answer, text: String, max: u64) -> (Answer, String, u64) {
    let count = tokens(&text);
    if count <= max {
        return (answer, text, count);
    }
    let mut end = 0;
    let (mut latin, mut other) = (0u64, 0u64);
    for (at, c) in text.char_indices() {
        latin += u64::from(c.is_ascii());
        other += u64::from(!c.is_ascii());
        if latin.div_ceil(4) + other > max {
            break;
        }
        end = at + c.len_utf8();
    }
    let cut = text.get(..end).unwrap_or("").to_owned();
    (Answer::Text(cut.clone()), cut, max)
}

/// `text` in at most `max` pieces of about the same length, put together the same text.
pub(super) fn pieces(text: &str, max: usize) -> Vec<&str> {
    let size = text.len().div_ceil(max).max(16);
    let mut pieces = Vec::with_capacity(max);
    let mut rest = text;
    while !rest.is_empty() {
        let mut end = size.min(rest.len());
        while !rest.is_char_boundary(end) {
            end += 1;
        }
        let (piece, more) = rest.split_at(end);
        pieces.push(piece);
        rest = more;
    }
    pieces
}
