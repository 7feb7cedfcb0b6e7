//! What a turn asks the outside for.

use std::fmt::Write as _;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::canonical::{Canonical, digest_of};
use super::record::{Answer, AskedTool};
use super::{ErrorClass, Failure, TurnStart};
use crate::id::Digest;
use crate::schema::{Breach, Schema};

/// One call of a language model: everything a provider needs but the key to call it under.
#[derive(Clone, Debug)]
pub struct ModelCall {
    /// Its number in the attempt, from 0.
    pub no: u16,
    /// SHA-256 of everything below that the model sees.
    pub request_digest: Digest,
    /// Who works.
    pub agent: Arc<str>,
    /// The model profile, or `default`.
    pub model: Arc<str>,
    /// The agent's instructions, rendered.
    pub system: Arc<str>,
    /// The conversation so far; the first is always a [`Message::Task`].
    pub messages: Vec<Message>,
    /// Tools it may ask for.
    pub tools: Arc<[ToolSpec]>,
    /// The form the answer is forced into; none means plain text.
    pub output: Option<OutputForm>,
    /// How it is called.
    pub settings: ModelSettings,
}

/// A forced form of output.
#[derive(Clone, Debug)]
pub struct OutputForm {
    /// The schema.
    pub schema: Schema,
    /// SHA-256 of its canonical text: the key under which anything made from it may be kept.
    pub digest: Digest,
}

/// How a model is called.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelSettings {
    /// Sampling temperature; the vendor's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// The answer is cut off there.
    pub max_output_tokens: u32,
}

impl Default for ModelSettings {
    fn default() -> Self {
        Self { temperature: None, max_output_tokens: 4096 }
    }
}

/// A tool offered to the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// Its name.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// JSON Schema of its arguments.
    pub parameters: Value,
}

/// One message of the conversation with a model.
#[derive(Clone, Debug)]
pub enum Message {
    /// What the agent is given.
    Task {
        /// The step's input.
        input: Arc<Value>,
        /// What was said about the previous attempt.
        feedback: Option<Arc<Value>>,
    },
    /// What the model answered.
    Answered(Arc<Answer>),
    /// What the tools it asked for gave back.
    ToolResults(Vec<ToolResult>),
    /// Where its answer breaks the schema.
    Correction(Vec<Breach>),
}

impl Message {
    /// The message as text, for wire protocols that know nothing but text.
    pub fn to_text(&self) -> String {
        match self {
            Self::Task { input, feedback: None } => input.to_string(),
            Self::Task { input, feedback: Some(feedback) } => format!(
                "{input}\n\nFeedback on the previous attempt, to be followed:\n{}",
                feedback.as_str().map_or_else(|| feedback.to_string(), str::to_owned)
            ),
            Self::Answered(answer) => match &**answer {
                Answer::Text(text) | Answer::Tools { text, .. } => text.clone(),
                Answer::Output(value) => value.to_string(),
                Answer::AsOutput => String::new(),
            },
            Self::ToolResults(results) => {
                results.iter().map(|r| r.value.to_string()).collect::<Vec<_>>().join("\n")
            },
            Self::Correction(breaches) => {
                let mut text = String::from(
                    "Your answer does not fit the required JSON Schema. Answer again, whole:",
                );
                for breach in breaches {
                    // Writing into a String cannot fail.
                    let place = super::shown_pointer(&breach.pointer);
                    let _ignored = write!(text, "\n- {place}: {}", breach.message);
                }
                text
            },
        }
    }

    fn write(&self, to: &mut Canonical) {
        match self {
            Self::Task { input, feedback } => {
                to.text("task");
                to.value(input);
                to.value(feedback.as_deref().unwrap_or(&Value::Null));
            },
            Self::Answered(answer) => {
                to.text("answered");
                to.value(&answer.to_value());
            },
            Self::ToolResults(results) => {
                to.text("tool_results");
                for result in results {
                    to.text(&result.id);
                    to.value(&result.value);
                }
            },
            Self::Correction(breaches) => {
                to.text("correction");
                for breach in breaches {
                    to.text(&breach.pointer);
                    to.text(&breach.message);
                }
            },
        }
    }
}

/// One call of a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolCall {
    /// Its number in the attempt.
    pub no: u16,
    /// SHA-256 of name and arguments.
    pub request_digest: Digest,
    /// The vendor's id of the call.
    pub id: String,
    /// The tool's name; one of those offered.
    pub name: String,
    /// Its arguments, as the model wrote them.
    pub arguments: Value,
}

impl ToolCall {
    pub(super) fn new(no: u16, asked: &AskedTool) -> Self {
        let mut request = Canonical::default();
        request.text("tool");
        request.text(&asked.name);
        request.value(&asked.arguments);
        Self {
            no,
            request_digest: request.digest(),
            id: asked.id.clone(),
            name: asked.name.clone(),
            arguments: asked.arguments.clone(),
        }
    }
}

/// What a tool gave back, as the model is shown it.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolResult {
    /// The vendor's id of the call.
    pub id: String,
    /// The result.
    pub value: Value,
}

impl ToolResult {
    pub(super) fn unknown_tool(asked: &AskedTool) -> Self {
        let value = serde_json::json!({ "error": "there is no such tool", "tool": asked.name });
        Self { id: asked.id.clone(), value }
    }
}

impl ModelCall {
    /// The first call of a turn, or why there cannot be one.
    pub(super) fn first(start: TurnStart<'_>) -> Result<Self, Failure> {
        start.agent.check_runs_as_model()?;
        let system = start.agent.render(start.input, start.feedback).map_err(|fault| {
            Failure::new(ErrorClass::Validation, "instructions_invalid", fault.to_string())
        })?;
        let (model, settings) = settings_of(start)?;
        let schema = start.output_schema.or(start.agent.output_schema.as_ref());
        let mut call = Self {
            no: 0,
            request_digest: "".into(),
            agent: Arc::clone(&start.agent.name),
            model,
            system,
            messages: vec![Message::Task {
                input: Arc::new(start.input.clone()),
                feedback: start.feedback.cloned().map(Arc::new),
            }],
            tools: start.tools.into(),
            output: schema.map(|schema| OutputForm {
                schema: schema.clone(),
                digest: digest_of(schema.source()),
            }),
            settings,
        };
        call.request_digest = call.digest();
        Ok(call)
    }

    /// The call of a turn that never asks anything.
    pub(super) fn nothing() -> Self {
        Self {
            no: 0,
            request_digest: "".into(),
            agent: "".into(),
            model: "".into(),
            system: "".into(),
            messages: Vec::new(),
            tools: Arc::new([]),
            output: None,
            settings: ModelSettings::default(),
        }
    }

    /// This conversation as call number `no`.
    pub(super) fn numbered(&self, no: u16) -> Self {
        let mut call = self.clone();
        call.no = no;
        call.request_digest = call.digest();
        call
    }

    /// The input that the agent was given, and the feedback on its previous attempt.
    pub fn task(&self) -> (&Value, Option<&Value>) {
        match self.messages.first() {
            Some(Message::Task { input, feedback }) => (input, feedback.as_deref()),
            _ => (&Value::Null, None),
        }
    }

    /// The agent's version is left out on purpose: what the model sees decides.
    fn digest(&self) -> Digest {
        let mut request = Canonical::default();
        request.text("model");
        request.text(&self.agent);
        request.text(&self.model);
        request.text(&self.system);
        request.text(self.output.as_ref().map_or("", |form| form.digest.as_str()));
        request.value(&serde_json::to_value(self.settings).unwrap_or_default());
        for tool in self.tools.iter() {
            request.text(&tool.name);
            request.text(&tool.description);
            request.value(&tool.parameters);
        }
        for message in &self.messages {
            message.write(&mut request);
        }
        request.digest()
    }
}

/// The agent's settings with the step's on top.
fn settings_of(start: TurnStart<'_>) -> Result<(Arc<str>, ModelSettings), Failure> {
    #[derive(Deserialize)]
    struct Overrides {
        model: Option<Arc<str>>,
        temperature: Option<f64>,
        max_output_tokens: Option<u32>,
    }
    let agent = start.agent;
    if start.settings.is_null() {
        return Ok((Arc::clone(&agent.model), agent.settings));
    }
    let over = Overrides::deserialize(start.settings).map_err(|error| {
        Failure::new(
            ErrorClass::Validation,
            "settings_invalid",
            format!("the step's settings for agent `{}` are wrong: {error}", agent.name),
        )
    })?;
    let settings = ModelSettings {
        temperature: over.temperature.or(agent.settings.temperature),
        max_output_tokens: over.max_output_tokens.unwrap_or(agent.settings.max_output_tokens),
    };
    Ok((over.model.unwrap_or_else(|| Arc::clone(&agent.model)), settings))
}
