//! `validate`: definition files, read as the server would read them, without a server.

use std::path::PathBuf;

use clap::Args;
use console::measure_text_width;
use serde_json::{Value, json};
use showrunner_engine::definition::{Callee, CalleeKind, Definition, Problem, load};

use super::given::read_text;
use crate::config::Desk;
use crate::fault::{Fault, Outcome};
use crate::progress::clip;
use crate::talk::{Talk, Tone};

/// Columns of the author's line that are shown.
const LINE_WIDTH: usize = 120;

/// Which files.
#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {
    /// Definitions, YAML or JSON; - for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Checks files.
pub(crate) fn perform(desk: &Desk, args: &ValidateArgs) -> Outcome {
    let talk = &desk.talk;
    let mut reports = Vec::new();
    let mut wrong = 0_usize;
    let known = Known::of(&args.files);
    for file in &args.files {
        let name = file.display().to_string();
        let source = read_text(file)?;
        match load(&source, &name, 0) {
            Ok(definition) => {
                let (slug, steps) = (&definition.slug, definition.steps.len());
                let notes = known.unsure(&definition, &name);
                reports.push(json!({
                    "file": name, "valid": true, "slug": slug, "steps": steps, "problems": [],
                    "notes": notes,
                }));
                for note in &notes {
                    talk.say(&format!(
                        "{}:{}:{}: {} — {}{}",
                        note.file,
                        note.line,
                        note.column,
                        note.what,
                        note.why,
                        note.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default()
                    ));
                }
                if !talk.is_json() {
                    talk.data(&format!("{name}: valid, {slug}, {steps} steps"))?;
                }
            },
            Err(problems) => {
                wrong += 1;
                reports.push(json!({ "file": name, "valid": false, "problems": problems }));
                if !talk.is_json() {
                    talk.data(&shown(&problems, &source, talk))?;
                }
            },
        }
    }
    if talk.is_json() {
        talk.json(&json!({ "valid": wrong == 0, "files": reports }))?;
    }
    if wrong == 0 {
        let first = args.files.first().map(|file| file.display().to_string()).unwrap_or_default();
        talk.next(&[(format!("showrunner publish {first}"), "make it a version that can be run")]);
        return Ok(());
    }
    let count = args.files.len();
    Err(Fault::refused(format!("{wrong} of {count} files cannot be accepted"))
        .hint("mend what is marked above and validate again")
        .told())
}

/// What is known without a server: the shipped agents, and the definitions in the same files.
struct Known {
    agents: Vec<String>,
    definitions: Vec<String>,
}

impl Known {
    fn of(files: &[PathBuf]) -> Self {
        // A file that cannot be read is told of where it is checked; standard input is read once.
        let others = files.iter().filter(|file| file.as_os_str() != "-");
        let sources = others.filter_map(|file| std::fs::read_to_string(file).ok());
        let definitions = sources.filter_map(|source| Some(load(&source, "", 0).ok()?.slug));
        Self { agents: showrunner_packs::agent_names(), definitions: definitions.collect() }
    }

    /// Whom it calls without its being known here that they are there: no mistakes, since a server
    /// may have them, but what publishing may refuse.
    fn unsure(&self, definition: &Definition, file: &str) -> Vec<Problem> {
        const WHY: &str = "whether your server has it shows when you publish this";
        let is_known = |callee: &&Callee| match callee.kind {
            CalleeKind::Agent => self.agents.contains(&callee.name),
            CalleeKind::Orchestration => {
                callee.name == definition.slug || self.definitions.contains(&callee.name)
            },
        };
        let note = |callee: &Callee| {
            let (what, known) = match callee.kind {
                CalleeKind::Agent => ("no shipped agent is called", &self.agents),
                CalleeKind::Orchestration => {
                    ("none of these files has the definition", &self.definitions)
                },
            };
            let mut note = callee.unknown(file, known);
            note.what = format!("{what} `{}`", callee.name);
            WHY.clone_into(&mut note.why);
            // What was probably meant is worth saying; who else there is says nothing of a server.
            note.hint = note.hint.filter(|hint| hint.starts_with("did you mean"));
            note
        };
        definition.callees.iter().filter(|callee| !is_known(callee)).map(note).collect()
    }
}

/// Problems with the lines they are in.
pub(super) fn shown(problems: &[Problem], source: &str, talk: &Talk) -> String {
    let blocks: Vec<String> = problems.iter().map(|problem| block(problem, source, talk)).collect();
    blocks.join("\n")
}

fn block(problem: &Problem, source: &str, talk: &Talk) -> String {
    let Problem { file, line, column, path, what, why, hint } = problem;
    let mut lines = vec![format!("{file}:{line}:{column}: {what}")];
    let at = usize::try_from(*line).unwrap_or(0);
    if let Some(text) = at.checked_sub(1).and_then(|index| source.lines().nth(index)) {
        let number = line.to_string();
        let blank = " ".repeat(number.len());
        let text = text.replace('\t', " ");
        let before = usize::try_from(column.saturating_sub(1)).unwrap_or(0);
        let gap = measure_text_width(&text.chars().take(before).collect::<String>());
        if gap < LINE_WIDTH {
            lines.push(format!(" {number} | {}", clip(&text, LINE_WIDTH)));
            lines.push(format!(" {blank} | {}{}", " ".repeat(gap), talk.tint(Tone::Bad, "^")));
        }
    }
    if !path.is_empty() {
        lines.push(format!("   in   {path}"));
    }
    lines.push(format!("   why  {why}"));
    lines.extend(hint.as_ref().map(|hint| format!("   do   {hint}")));
    lines.join("\n")
}

/// Problems as a server lists them in `errors`.
pub(super) fn problems_in(errors: &Value) -> Vec<Problem> {
    let list = errors.as_array().map(Vec::as_slice).unwrap_or_default();
    let text =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let number = |value: &Value, name: &str| {
        value.get(name).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok()).unwrap_or(0)
    };
    let read = |value: &Value| {
        Some(Problem {
            file: text(value, "file").unwrap_or_default(),
            line: number(value, "line"),
            column: number(value, "column"),
            path: text(value, "path").unwrap_or_default(),
            what: text(value, "what")?,
            why: text(value, "why").unwrap_or_default(),
            hint: text(value, "hint"),
        })
    };
    list.iter().filter_map(read).collect()
}
