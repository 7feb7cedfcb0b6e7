//! `doctor`: whether everything that is needed is there, and what to do about what is not.

mod machine;
mod outside;

use clap::Args;
use serde_json::{Value, json};

use crate::config::Desk;
use crate::config::outward::OutwardArgs;
use crate::fault::{Fault, Outcome};
use crate::talk::{Talk, Tone};

/// What to look at beside the machine.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// The Postgres that is meant to be used
    #[arg(long, env = "SHOWRUNNER_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: Option<String>,
    /// The address that a server here would take
    #[arg(
        long,
        env = "SHOWRUNNER_LISTEN",
        default_value = "127.0.0.1:8787",
        value_name = "ADDRESS"
    )]
    listen: std::net::SocketAddr,
    /// Whom a server here would be allowed to ask
    #[command(flatten)]
    outward: OutwardArgs,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grade {
    /// As it should be.
    Good,
    /// Works, but somebody should know.
    Note,
    /// Something will not work.
    Bad,
}

impl Grade {
    fn name(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Note => "note",
            Self::Bad => "bad",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug)]
pub(super) struct Finding {
    name: &'static str,
    grade: Grade,
    what: String,
    todo: Option<String>,
}

impl Finding {
    pub(super) fn good(name: &'static str, what: impl Into<String>) -> Self {
        Self { name, grade: Grade::Good, what: what.into(), todo: None }
    }

    pub(super) fn note(
        name: &'static str,
        what: impl Into<String>,
        todo: impl Into<String>,
    ) -> Self {
        Self { name, grade: Grade::Note, what: what.into(), todo: Some(todo.into()) }
    }

    pub(super) fn bad(
        name: &'static str,
        what: impl Into<String>,
        todo: impl Into<String>,
    ) -> Self {
        Self { name, grade: Grade::Bad, what: what.into(), todo: Some(todo.into()) }
    }

    fn to_json(&self) -> Value {
        json!({
            "name": self.name, "grade": self.grade.name(), "what": self.what, "todo": self.todo,
        })
    }

    fn in_words(&self, talk: &Talk) -> String {
        let (sign, tone) = match self.grade {
            Grade::Good => ("✓", Tone::Good),
            Grade::Note => ("!", Tone::Warn),
            Grade::Bad => ("✗", Tone::Bad),
        };
        let line = format!("{} {:<11} {}", talk.tint(tone, sign), self.name, self.what);
        match &self.todo {
            Some(todo) => format!("{line}\n              → {todo}"),
            None => line,
        }
    }
}

/// Looks at everything.
pub(crate) async fn perform(desk: &Desk, args: DoctorArgs) -> Outcome {
    let data_dir = desk.connect.data_dir();
    let mut findings = vec![
        machine::data_folder(data_dir),
        machine::disk(data_dir),
        machine::sqlite(),
        machine::fonts(),
        machine::films(),
        machine::clock(),
    ];
    findings.push(outside::models());
    findings.push(machine::functions().await);
    findings.push(outside::port(args.listen, data_dir));
    findings.push(outside::egress(&args.outward));
    findings.extend(outside::server(desk).await);
    if let Some(url) = &args.database_url {
        findings.push(outside::postgres(url).await);
    }
    let count = |grade: Grade| findings.iter().filter(|f| f.grade == grade).count();
    let (bad, notes) = (count(Grade::Bad), count(Grade::Note));
    if desk.talk.is_json() {
        let list: Vec<Value> = findings.iter().map(Finding::to_json).collect();
        desk.talk.json(&json!({ "healthy": bad == 0, "findings": list }))?;
    } else {
        for finding in &findings {
            desk.talk.data(&finding.in_words(&desk.talk))?;
        }
    }
    if bad > 0 {
        return Err(Fault::refused(format!("{bad} of {} checks are bad", findings.len()))
            .hint("do what the arrows say, then look again: showrunner doctor")
            .told());
    }
    desk.talk.say(&format!("All {} checks passed, {notes} with a note.", findings.len()));
    desk.talk.next(&[
        ("showrunner serve".to_owned(), "start a server"),
        ("showrunner demo".to_owned(), "make a picture"),
    ]);
    Ok(())
}
