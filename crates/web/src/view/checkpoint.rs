//! Checkpoints as they are shown.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use showrunner_engine::definition::{CheckpointStep, StepKind, Verb};
use showrunner_engine::event::Answer;
use showrunner_engine::run::{CheckpointState, Run, Step, StepNo, Wait};
use showrunner_journal::query::checkpoints::CheckpointView;

use super::asset::AssetJson;
use super::run::is_asking;
use super::{Instant, LabelView};

/// An answer that is offered.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct OptionJson {
    /// `continue`, `retry` or `abort`.
    pub verb: String,
    /// What it is called here.
    pub label: LabelView,
}

/// An answer that was given.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AnswerJson {
    /// `continue`, `retry` or `abort`.
    pub verb: String,
    /// Who.
    pub by: String,
    /// Their words.
    pub comment: Option<String>,
    /// The content as they left it.
    pub modified: Option<Value>,
    /// When.
    pub at: Instant,
}

impl From<&Answer> for AnswerJson {
    fn from(answer: &Answer) -> Self {
        Self {
            verb: answer.verb.name().into(),
            by: answer.by.clone(),
            comment: answer.comment.clone(),
            modified: answer.modified.as_deref().cloned(),
            at: answer.at.into(),
        }
    }
}

/// A question to people.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CheckpointJson {
    /// Which run.
    pub run: String,
    /// The run's title.
    pub run_title: Option<String>,
    /// Which step.
    pub step: String,
    /// `open`, the verb that decided, `expired` or `withdrawn`.
    pub status: String,
    /// The question.
    pub question: String,
    /// The question in Japanese.
    pub question_ja: Option<String>,
    /// What is shown.
    pub show: Value,
    /// SHA-256 of `show`; an answer that carries it is bound to it.
    pub digest: String,
    /// The answers offered.
    pub options: Vec<OptionJson>,
    /// Who may answer; everybody who may decide when empty.
    pub roles: Vec<String>,
    /// How many voices it takes.
    pub quorum: u32,
    /// Since when.
    pub opened_at: Instant,
    /// Until when.
    pub until: Option<Instant>,
    /// The voices so far.
    pub answers: Vec<AnswerJson>,
    /// The files that are shown.
    pub assets: Vec<AssetJson>,
}

impl CheckpointJson {
    /// The checkpoint at step `no`, once it has asked.
    pub fn of(run: &Run, no: StepNo) -> Option<Self> {
        let step = run.step(no);
        let open = step.checkpoint.as_deref()?;
        let StepKind::Checkpoint(def) = &run.def(no).kind else { return None };
        let status = match (&open.decided, is_asking(step)) {
            (Some(answer), _) => answer.verb.name(),
            (None, true) => "open",
            (None, false) => "withdrawn",
        };
        Some(Self {
            run: run.id.to_string(),
            run_title: run.title.clone(),
            step: step.key.to_string(),
            status: status.into(),
            question: open.question.clone(),
            question_ja: open.question_ja.clone(),
            show: (*open.show).clone(),
            digest: open.digest.to_string(),
            options: options(def, step),
            roles: def.roles.clone(),
            quorum: def.quorum.into(),
            opened_at: open.opened_at.into(),
            until: step.wait.as_ref().and_then(Wait::until).map(Instant),
            answers: open.answers.iter().map(AnswerJson::from).collect(),
            assets: shown_assets(run, open),
        })
    }

    /// A checkpoint as lists know it; its files are found through the run.
    pub fn of_row(row: &CheckpointView) -> Self {
        Self {
            run: row.run_id.to_string(),
            run_title: row.run_title.clone(),
            step: row.step.to_string(),
            status: row.status.clone(),
            question: row.question.clone(),
            question_ja: row.question_ja.clone(),
            show: row.show.clone(),
            digest: row.digest.to_string(),
            options: row_options(&row.options),
            roles: row.roles.clone(),
            quorum: row.quorum,
            opened_at: row.opened_at.into(),
            until: row.until.map(Instant),
            answers: row.answers.iter().map(AnswerJson::from).collect(),
            assets: Vec::new(),
        }
    }
}

/// The answers offered now: sending back is over when it was done too often.
pub fn options(def: &CheckpointStep, step: &Step) -> Vec<OptionJson> {
    let may_retry = def.retry_from.is_some() && step.sent_back < def.retries_max;
    let offered = def.options.iter().filter(|verb| **verb != Verb::Retry || may_retry);
    offered
        .map(|verb| OptionJson {
            verb: verb.name().into(),
            label: def.option_labels.get(verb).map_or_else(|| usual_label(*verb), LabelView::from),
        })
        .collect()
}

fn usual_label(verb: Verb) -> LabelView {
    let (en, ja) = match verb {
        Verb::Continue => ("Approve", "承認"),
        Verb::Retry => ("Request revision", "差し戻し"),
        Verb::Abort => ("Cancel", "中止"),
    };
    LabelView { en: en.into(), ja: ja.into() }
}

fn row_options(options: &Value) -> Vec<OptionJson> {
    let option = |value: &Value| {
        let verb = value.get("verb")?.as_str()?;
        let label = value.get("label");
        let text = |language: &str| Some(label?.get(language)?.as_str()?.to_owned());
        let en = text("en").unwrap_or_else(|| verb.to_owned());
        let ja = text("ja").unwrap_or_else(|| en.clone());
        Some(OptionJson { verb: verb.to_owned(), label: LabelView { en, ja } })
    };
    options.as_array().into_iter().flatten().filter_map(option).collect()
}

/// The files that stand in what is shown.
pub fn shown_assets(run: &Run, open: &CheckpointState) -> Vec<AssetJson> {
    let mut ids = Vec::new();
    asset_ids(&open.show, &mut ids);
    let all = AssetJson::of_run(run);
    ids.iter().filter_map(|id| all.iter().find(|asset| asset.id == *id).cloned()).collect()
}

fn asset_ids(value: &Value, ids: &mut Vec<String>) {
    match value {
        Value::String(text) if text.starts_with("ast_") && !ids.contains(text) => {
            ids.push(text.clone());
        },
        Value::Array(items) => items.iter().for_each(|item| asset_ids(item, ids)),
        Value::Object(members) => members.values().for_each(|member| asset_ids(member, ids)),
        _ => {},
    }
}
