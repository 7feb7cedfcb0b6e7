//! Runs for journals to keep: real definitions, driven by the real engine, with a counted clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use showrunner_engine::at::{At, Millis, Timestamp};
use showrunner_engine::command::{AnswerCheckpoint, Command, FinishAttempt, Principal, StartRun};
use showrunner_engine::definition::{self, Definition, Verb};
use showrunner_engine::event::{Asset, Event};
use showrunner_engine::failure::{ErrorClass, Failure};
use showrunner_engine::id::{AssetId, Digest, OrgId, RunId, Token};
use showrunner_engine::money::MicroUsd;
use showrunner_engine::run::Run;
use showrunner_engine::turn::{Answer, CallKind, CallRecord, Usage};
use showrunner_engine::{Effect, advance, due};
use showrunner_journal::Append;

/// The organisation of all fixtures.
pub const ORG: &str = "org_test";
/// When the first fixture begins: 2026-11-20 00:00:00 UTC.
pub const EPOCH: Timestamp = Timestamp(1_795_132_800_000_000);

/// A draft by an agent, a person's approval, a publication: agents, a checkpoint, a transform.
const REVIEW: &str = r#"
showrunner: 1
id: review
title: { en: A reviewed post, ja: 承認つき投稿 }
phases:
  - { id: draft, label: { en: Draft, ja: 下書き } }
  - { id: review, label: { en: Review, ja: レビュー } }
steps:
  - id: draft
    label: { en: Write a draft, ja: 下書きを書く }
    agent: copywriter
    phase: draft
    input: { brief: "{{ input.brief }}", feedback: "{{ feedback }}" }
    retry: { attempts: 2 }
    estimate: { seconds: 20, usd: 0.02, tokens: 3000 }
  - id: approval
    label: { en: Approve the post, ja: 投稿を承認する }
    phase: review
    checkpoint:
      question: { en: "Publish {{ steps.draft.output.headline }}?", ja: "公開しますか？" }
      show: { post: "{{ steps.draft.output }}" }
      options: [continue, retry, abort]
      roles: [brand_manager]
      retry_from: draft
      retries_max: 5
      deadline: { after: 2d }
  - id: published
    label: { en: Publish, ja: 公開 }
    needs: [approval]
    transform: { post: "{{ steps.draft.output }}" }
outputs: "{{ steps.published.output }}"
"#;

/// A definition whose steps need each other in a row.
pub fn chain(length: usize) -> Arc<Definition> {
    let steps: Vec<String> = (0..length).map(chain_step).collect();
    let head = "showrunner: 1\nid: chain\ntitle: { en: A chain }\nsteps:\n";
    let source = format!("{head}{}", steps.concat());
    load(&source)
}

fn chain_step(no: usize) -> String {
    let needs = no.checked_sub(1).map(|former| format!("    needs: [s{former}]\n"));
    format!(
        "  - id: s{no}\n    label: {{ en: Step {no}, ja: 手順{no} }}\n    agent: worker\n{}    \
         input: {{ brief: \"{{{{ input.brief }}}}\" }}\n",
        needs.unwrap_or_default(),
    )
}

/// A definition with a question to a person.
pub fn review() -> Arc<Definition> {
    load(REVIEW)
}

#[expect(clippy::expect_used, reason = "the texts above are right")]
fn load(source: &str) -> Arc<Definition> {
    Arc::new(definition::load(source, "fixture.yaml", 1).expect("the fixture loads"))
}

/// The definition that a run of these fixtures is pinned to.
pub fn resolve(slug: &str, steps: usize) -> Arc<Definition> {
    if slug == "review" { review() } else { chain(steps) }
}

/// A run under way, as the runtime would hold it.
#[derive(Debug)]
pub struct Story {
    /// Its state.
    pub run: Run,
    now: Timestamp,
    seed: u64,
    /// Everything that happened, as it was decided.
    pub history: Vec<(Timestamp, Vec<Event>)>,
}

impl Story {
    /// A run that has not begun. Equal numbers make equal stories.
    pub fn new(definition: &Arc<Definition>, number: u64) -> Self {
        let now = EPOCH.plus(Millis(number));
        let id = RunId::at(now, [number.wrapping_mul(0x9e37_79b9_7f4a_7c15), number]);
        Self { run: Run::new(id, Arc::clone(definition)), now, seed: number, history: Vec::new() }
    }

    /// Its id.
    pub fn id(&self) -> RunId {
        self.run.id.clone()
    }

    /// Time passes.
    pub fn wait(&mut self, span: Millis) {
        self.now = self.now.plus(span);
    }

    /// What the command makes of the run, as an append.
    #[expect(clippy::expect_used, reason = "stories are told right")]
    pub fn tell(&mut self, command: Command) -> Append {
        self.now = self.now.plus(Millis(1));
        self.seed = self.seed.wrapping_add(1);
        let at = At { now: self.now, seed: self.seed };
        let events = advance(&mut self.run, command, at).expect("the engine accepts it");
        self.history.push((self.now, events.clone()));
        Append::new(&self.run, self.now, &events).expect("events are JSON")
    }

    /// The beginning.
    pub fn start(&mut self) -> Append {
        self.start_with(json!({ "brief": "Autumn leaves along the river, 秋の川沿い" }))
    }

    /// The beginning, with this input.
    pub fn start_with(&mut self, input: Value) -> Append {
        self.tell(Command::StartRun(Box::new(StartRun {
            org: Some(OrgId::from(ORG)),
            input,
            title: Some("Autumn campaign 100%".into()),
            labels: BTreeMap::from([("brand".to_owned(), "kawa".to_owned())]),
            started_by: "user:maker".into(),
            ..StartRun::default()
        })))
    }

    /// The attempt that is to be worked on now.
    #[expect(clippy::expect_used, reason = "stories are told right")]
    pub fn attempt(&self) -> (showrunner_engine::id::StepKey, Token) {
        let call = due(&self.run).into_iter().find_map(|effect| match effect {
            Effect::CallAgent(call) => Some((call.step, call.token)),
            _ => None,
        });
        call.expect("an agent is to be called")
    }

    /// The attempt that is under way ends well.
    pub fn finish(&mut self) -> Append {
        self.finish_with(json!({ "headline": "秋の川", "body": "Leaves fall. ".repeat(12) }))
    }

    /// The attempt that is under way ends well, with this output and an asset.
    pub fn finish_with(&mut self, output: Value) -> Append {
        let (step, token) = self.attempt();
        let assets = vec![asset(&self.run.id, token)];
        self.tell(Command::FinishAttempt(Box::new(FinishAttempt {
            step,
            token,
            output: output.into(),
            calls: vec![call(0, token)],
            assets,
            cached: false,
        })))
    }

    /// The attempt that is under way ends with one recorded call and no asset: the usual step.
    pub fn finish_plainly(&mut self) -> Append {
        let (step, token) = self.attempt();
        let output = json!({ "headline": "秋の川", "body": "Leaves fall. ".repeat(12) });
        self.tell(Command::FinishAttempt(Box::new(FinishAttempt {
            step,
            token,
            output: output.into(),
            calls: vec![call(0, token)],
            assets: Vec::new(),
            cached: false,
        })))
    }

    /// The attempt that is under way fails.
    pub fn fail(&mut self, class: ErrorClass) -> Append {
        let (step, token) = self.attempt();
        let failure = Failure::new(class, "model_refused", "the model did not answer");
        self.tell(Command::FailAttempt { step, token, failure, calls: vec![call(0, token)] })
    }

    /// A person answers the checkpoint.
    pub fn answer(&mut self, verb: Verb, comment: Option<&str>) -> Append {
        self.tell(Command::AnswerCheckpoint(Box::new(AnswerCheckpoint {
            step: "approval".into(),
            verb,
            by: owner(),
            comment: comment.map(str::to_owned),
            modifications: None,
            digest: None,
        })))
    }

    /// A person cancels the run.
    pub fn cancel(&mut self) -> Append {
        let reason = Some("not needed".to_owned());
        self.tell(Command::Cancel { reason, compensate: false, by: owner() })
    }

    /// The time by which its first wait is over passes, and the run is told.
    pub fn let_time_pass(&mut self) -> Append {
        if let Some(wake_at) = self.run.wake_at() {
            self.now = wake_at;
        }
        self.tell(Command::FireTimers)
    }
}

/// Somebody who may do everything.
pub fn owner() -> Principal {
    Principal { id: "user:owner".into(), roles: vec!["owner".into()] }
}

fn call(no: u16, token: Token) -> Arc<CallRecord> {
    Arc::new(CallRecord {
        no,
        kind: CallKind::Model,
        request_digest: Digest::of(token.to_string().as_bytes()),
        provider: "scripted".into(),
        model: Some("scripted-1".into()),
        answer: Answer::Output(json!({ "headline": "秋の川", "body": "Leaves fall. ".repeat(12) })),
        usage: Usage { input_tokens: 900, output_tokens: 120, cached_tokens: 0 },
        cost: MicroUsd(1_200),
        duration_ms: 3,
        simulated: true,
        billed_key: format!("{token}/{no}"),
        estimated: false,
    })
}

fn asset(run: &RunId, token: Token) -> Asset {
    Asset {
        id: AssetId::of(run, token, 0),
        kind: "image".into(),
        mime: "image/png".into(),
        name: "post.png".into(),
        bytes: 1234,
        sha256: Digest::of(b"an image"),
        width: Some(1080),
        height: Some(1080),
        duration_ms: None,
        alt: Some("Leaves on a river".into()),
        simulated: true,
    }
}
