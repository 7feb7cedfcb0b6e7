//! An agent as a record: who it is, how it is called, what it may use and what it is told.
//! Shipped ones are Markdown files with YAML front matter; the body is the instructions.

mod function;

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::definition::Label;
use crate::failure::{ErrorClass, Failure};
use crate::schema::Schema;
use crate::template::{EvalFault, Scope, Template};
use crate::turn::ModelSettings;

pub use function::FunctionCode;

/// Output tokens that an agent may ask for at most; more than any model writes today.
const OUTPUT_TOKENS_MAX: u32 = 1_000_000;
/// A longer agent file is a mistake.
const FILE_BYTES_MAX: usize = 256 * 1024;

/// One version of an agent. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AgentRecord {
    /// Unique name within the organisation, as steps refer to it.
    pub name: Arc<str>,
    /// Counted from 1.
    pub version: u32,
    /// How it works.
    pub kind: AgentKind,
    /// For people.
    pub title: Label,
    /// Its role: budgets are given by role, screens group by it.
    pub role: String,
    /// Where it belongs in the organisation chart, when it has one.
    pub department: Option<String>,
    /// The model profile it is called with; `default` leaves the choice to the operator.
    pub model: Arc<str>,
    /// How its model is called.
    pub settings: ModelSettings,
    /// What it is good at, for people and planners.
    pub skills: Vec<String>,
    /// Names of the tools it may call.
    pub tools: Vec<String>,
    /// What it is told, as written; `{{ input.x }}` is filled in per attempt.
    pub instructions: Arc<str>,
    /// What a function agent runs.
    pub function: Option<FunctionCode>,
    /// Names of the operator's variables that its function wants to see in `ctx.env`.
    pub env: Vec<String>,
    /// What its output must look like where the step does not say otherwise.
    pub output_schema: Option<Schema>,
    /// The instructions compiled; absent where nothing is to be filled in.
    template: Option<Arc<Template>>,
}

/// How an agent works. All kinds can be written; those that cannot run yet say so when run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentKind {
    /// A language model answers.
    Model,
    /// A provider makes pictures, films or voices.
    Media,
    /// Gathers context without a model.
    Context,
    /// Calls an HTTP interface.
    Api,
    /// Calls one tool.
    Tool,
    /// Runs a function in the sandbox.
    Function,
    /// Plans and delegates.
    Orchestrator,
    /// Works elsewhere and is spoken to by A2A.
    Remote,
}

impl AgentKind {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Media => "media",
            Self::Context => "context",
            Self::Api => "api",
            Self::Tool => "tool",
            Self::Function => "function",
            Self::Orchestrator => "orchestrator",
            Self::Remote => "remote",
        }
    }

    /// Whether this server can run agents of this kind.
    pub fn runs(self) -> bool {
        matches!(self, Self::Model | Self::Media | Self::Function)
    }
}

/// One thing wrong with an agent file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentProblem {
    /// The file as the caller named it.
    pub file: String,
    /// Counted from 1.
    pub line: u32,
    /// What is wrong.
    pub what: String,
    /// What to do about it; may be empty.
    pub hint: String,
}

impl std::fmt::Display for AgentProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)?;
        if self.hint.is_empty() { Ok(()) } else { write!(f, " ({})", self.hint) }
    }
}

/// The front matter as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FrontMatter {
    name: String,
    #[serde(default = "first_version")]
    version: u32,
    #[serde(default = "model_kind")]
    kind: AgentKind,
    title: Option<Label>,
    role: Option<String>,
    department: Option<String>,
    model: Option<String>,
    #[serde(default)]
    settings: SettingsMatter,
    #[serde(default)]
    skills: Vec<String>,
    #[serde(default)]
    tools: Vec<String>,
    #[serde(default)]
    env: Vec<String>,
    output_schema: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsMatter {
    temperature: Option<f64>,
    max_output_tokens: Option<u32>,
}

fn first_version() -> u32 {
    1
}

fn model_kind() -> AgentKind {
    AgentKind::Model
}

impl AgentRecord {
    /// Reads an agent from a Markdown file with front matter. `file_name` is only repeated in
    /// problems.
    pub fn parse_markdown(text: &str, file_name: &str) -> Result<Self, Vec<AgentProblem>> {
        let mut problems = Problems { file: file_name, found: Vec::new() };
        if text.len() > FILE_BYTES_MAX {
            problems.add(1, format!("the file is over {FILE_BYTES_MAX} bytes"), "shorten it");
            return Err(problems.found);
        }
        let Some((front, body, body_line)) = split_front_matter(text) else {
            problems.add(
                1,
                "there is no front matter",
                "begin the file with a line `---`, then `name: …`, then another line `---`",
            );
            return Err(problems.found);
        };
        let matter = match serde_saphyr::from_str::<FrontMatter>(front) {
            Ok(matter) => matter,
            Err(error) => {
                let line = error.location().map_or(1, |at| at.line());
                let what = error.without_snippet().to_string();
                // Its place is counted from the front matter, ours from the file.
                let what = what.split(" at line ").next().unwrap_or(&what);
                let hint = "see `title: { en, ja }`, `settings: { temperature, max_output_tokens }` \
                            and the other fields of an agent file";
                problems.add(u32::try_from(line).unwrap_or(0).saturating_add(1), what, hint);
                return Err(problems.found);
            },
        };
        let body_line = body_line + leading_lines(body);
        let body = body.trim();
        check(&matter, front, body, body_line, &mut problems);
        let output_schema = compile_schema(matter.output_schema.as_ref(), front, &mut problems);
        // Code is run as written; braces in it are its own.
        let (function, template) = if matter.kind == AgentKind::Function {
            (function::find(body, body_line, &mut problems), None)
        } else {
            (None, compile_template(body, body_line, &mut problems))
        };
        if problems.found.is_empty() {
            let agent = Self::from_matter(matter, body, output_schema, template);
            Ok(Self { function, ..agent })
        } else {
            problems.found.sort_by_key(|problem| problem.line);
            Err(problems.found)
        }
    }

    fn from_matter(
        matter: FrontMatter,
        body: &str,
        output_schema: Option<Schema>,
        template: Option<Arc<Template>>,
    ) -> Self {
        let title = matter.title.unwrap_or_else(|| Label { en: matter.name.clone(), ja: None });
        let usual = ModelSettings::default();
        Self {
            role: matter.role.unwrap_or_else(|| matter.name.clone()),
            name: matter.name.into(),
            version: matter.version,
            kind: matter.kind,
            title,
            department: matter.department,
            model: matter.model.map_or_else(|| "default".into(), Arc::from),
            settings: ModelSettings {
                temperature: matter.settings.temperature,
                max_output_tokens: matter
                    .settings
                    .max_output_tokens
                    .unwrap_or(usual.max_output_tokens),
            },
            skills: matter.skills,
            tools: matter.tools,
            function: None,
            env: matter.env,
            instructions: body.into(),
            output_schema,
            template,
        }
    }

    /// The instructions with `input` and `feedback` filled in.
    pub fn render(&self, input: &Value, feedback: Option<&Value>) -> Result<Arc<str>, EvalFault> {
        match &self.template {
            None => Ok(Arc::clone(&self.instructions)),
            Some(template) => {
                template.render_text(&InstructionScope { input, feedback }).map(Arc::from)
            },
        }
    }

    /// Refuses an agent that a model turn cannot run.
    pub fn check_runs_as_model(&self) -> Result<(), Failure> {
        if self.kind == AgentKind::Model {
            return Ok(());
        }
        Err(Failure::new(
            ErrorClass::Validation,
            "agent_kind_unsupported",
            format!(
                "agent `{}` is of kind {}, which has no model turn",
                self.name,
                self.kind.name()
            ),
        ))
    }
}

/// What instructions can see.
struct InstructionScope<'a> {
    input: &'a Value,
    feedback: Option<&'a Value>,
}

impl Scope for InstructionScope<'_> {
    fn root(&self, name: &str) -> Option<Cow<'_, Value>> {
        match name {
            "input" => Some(Cow::Borrowed(self.input)),
            "feedback" => Some(self.feedback.map_or(Cow::Owned(Value::Null), Cow::Borrowed)),
            _ => None,
        }
    }
    fn output(&self, _step: &str) -> Option<Cow<'_, Value>> {
        None
    }
    fn step(&self, _step: &str) -> Option<Value> {
        None
    }
}

struct Problems<'a> {
    file: &'a str,
    found: Vec<AgentProblem>,
}

impl Problems<'_> {
    fn add(&mut self, line: u32, what: impl Into<String>, hint: impl Into<String>) {
        let file = self.file.to_owned();
        self.found.push(AgentProblem { file, line, what: what.into(), hint: hint.into() });
    }
}

/// Front matter, body, and the line on which the body begins.
fn split_front_matter(text: &str) -> Option<(&str, &str, u32)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let rest = text.strip_prefix("---\n").or_else(|| text.strip_prefix("---\r\n"))?;
    let mut at = 0;
    for (n, line) in (2u32..).zip(rest.split_inclusive('\n')) {
        if line.trim_end() == "---" {
            return Some((rest.get(..at)?, rest.get(at + line.len()..)?, n + 1));
        }
        at += line.len();
    }
    None
}

fn leading_lines(body: &str) -> u32 {
    let blank = body.len() - body.trim_start().len();
    let lines = body.get(..blank).unwrap_or("").matches('\n').count();
    u32::try_from(lines).unwrap_or(0)
}

/// The line of a top-level field.
fn line_of(front: &str, field: &str) -> u32 {
    let at = front.lines().position(|line| {
        line.strip_prefix(field).is_some_and(|rest| rest.trim_start().starts_with(':'))
    });
    at.and_then(|at| u32::try_from(at).ok()).map_or(1, |at| at + 2)
}

fn check(matter: &FrontMatter, front: &str, body: &str, body_line: u32, found: &mut Problems<'_>) {
    let is_name = |text: &str| {
        !text.is_empty()
            && text.len() <= 64
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    };
    if !is_name(&matter.name) {
        let what = format!("`{}` is no agent name", matter.name);
        found.add(line_of(front, "name"), what, "1 to 64 letters, digits, `_` and `-`");
    }
    if matter.version == 0 {
        found.add(line_of(front, "version"), "versions count from 1", "");
    }
    if matter.settings.temperature.is_some_and(|t| !(0.0..=2.0).contains(&t)) {
        found.add(line_of(front, "settings"), "`temperature` is outside 0 to 2", "");
    }
    if matter.settings.max_output_tokens.is_some_and(|n| !(1..=OUTPUT_TOKENS_MAX).contains(&n)) {
        let what = format!("`max_output_tokens` is outside 1 to {OUTPUT_TOKENS_MAX}");
        found.add(line_of(front, "settings"), what, "");
    }
    if !matter.env.is_empty() && matter.kind != AgentKind::Function {
        let hint = "only agents of kind function see variables";
        found.add(line_of(front, "env"), "`env` is of no use here", hint);
    }
    if body.is_empty() && matter.kind == AgentKind::Model {
        found.add(body_line, "there are no instructions", "write them below the second `---`");
    }
}

fn compile_schema(source: Option<&Value>, front: &str, found: &mut Problems<'_>) -> Option<Schema> {
    match Schema::compile(source?.clone()) {
        Ok(schema) => Some(schema),
        Err(error) => {
            let what = format!("`output_schema` is no JSON Schema: {error}");
            found.add(line_of(front, "output_schema"), what, "");
            None
        },
    }
}

fn compile_template(body: &str, line: u32, found: &mut Problems<'_>) -> Option<Arc<Template>> {
    if !body.contains("{{") {
        return None;
    }
    let template = match Template::parse(body) {
        Ok(template) => template,
        Err(fault) => {
            let above = body.chars().take(fault.offset).filter(|c| *c == '\n').count();
            let line = line + u32::try_from(above).unwrap_or(0);
            found.add(line, fault.message, "`{{ input.x }}` and `{{ feedback }}` can be filled in");
            return None;
        },
    };
    for reference in template.references() {
        let root = reference.first().map_or("", String::as_str);
        if root != "input" && root != "feedback" {
            let what = format!("instructions cannot see `{root}`");
            found.add(line, what, "only `input` and `feedback` can be filled in");
        }
    }
    Some(Arc::new(template))
}

#[cfg(test)]
mod tests;
