//! Who is told what: data goes to standard output, talk to standard error. One place decides about
//! colour and live display, so that a pipe, a log file and `--json` stay clean.

use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use serde_json::Value;

use crate::config::Terminal;
use crate::fault::{Exit, Fault, Outcome};

/// A tone of voice; never the only carrier of a meaning.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tone {
    /// Went well.
    Good,
    /// Went wrong.
    Bad,
    /// Somebody must look.
    Warn,
    /// Beside the point.
    Dim,
    /// The point.
    Strong,
}

impl Tone {
    fn code(self) -> &'static str {
        match self {
            Self::Good => "32",
            Self::Bad => "31",
            Self::Warn => "33",
            Self::Dim => "2",
            Self::Strong => "1",
        }
    }
}

/// How much is said, and in what form.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Amount {
    /// Standard output carries JSON only.
    pub(crate) is_json: bool,
    /// Standard error carries only what went wrong.
    pub(crate) is_quiet: bool,
}

/// How to talk.
#[derive(Clone, Debug)]
pub(crate) struct Talk {
    amount: Amount,
    terminal: Terminal,
}

impl Talk {
    /// Settles how to talk for the whole command.
    pub(crate) fn new(amount: Amount, terminal: Terminal) -> Self {
        Self { amount, terminal }
    }

    /// Whether standard output carries JSON only.
    pub(crate) fn is_json(&self) -> bool {
        self.amount.is_json
    }

    /// Whether lines may be rewritten in place.
    pub(crate) fn is_live(&self) -> bool {
        self.terminal.is_live && !self.amount.is_json && !self.amount.is_quiet
    }

    /// Whether text on standard error may be coloured.
    pub(crate) fn has_colour(&self) -> bool {
        self.terminal.has_colour
    }

    /// Whether somebody can be asked.
    pub(crate) fn is_interactive(&self) -> bool {
        self.terminal.can_ask && !self.amount.is_json
    }

    /// Whether labels are shown in Japanese.
    pub(crate) fn language(&self) -> &'static str {
        if self.terminal.is_japanese { "ja" } else { "en" }
    }

    /// Dresses text for standard error.
    pub(crate) fn tint(&self, tone: Tone, text: &str) -> String {
        if self.terminal.has_colour && !text.is_empty() {
            format!("\u{1b}[{}m{text}\u{1b}[0m", tone.code())
        } else {
            text.to_owned()
        }
    }

    /// Prints data.
    #[expect(clippy::unused_self, reason = "who talks decides where to; today it is one place")]
    pub(crate) fn data(&self, text: &str) -> Outcome {
        let mut out = io::stdout().lock();
        writeln!(out, "{text}")?;
        out.flush()?;
        Ok(())
    }

    /// Prints data as one line of JSON.
    pub(crate) fn json(&self, value: &Value) -> Outcome {
        self.data(&value.to_string())
    }

    /// Prints the JSON under `--json`, the text otherwise.
    pub(crate) fn answer(&self, value: &Value, text: &str) -> Outcome {
        if self.amount.is_json { self.json(value) } else { self.data(text) }
    }

    /// Says something to whoever watches. That nobody listens is no reason to stop.
    pub(crate) fn say(&self, text: &str) {
        if !self.amount.is_quiet {
            to_stderr(text);
        }
    }

    /// Says what can be done next.
    pub(crate) fn next(&self, commands: &[(String, &str)]) {
        if self.amount.is_quiet {
            return;
        }
        let width = commands.iter().map(|(c, _)| console::measure_text_width(c)).max();
        to_stderr(&self.tint(Tone::Dim, "Next:"));
        for (command, purpose) in commands {
            let gap = width.unwrap_or(0).saturating_sub(console::measure_text_width(command));
            let purpose = self.tint(Tone::Dim, purpose);
            to_stderr(&format!("  {command}{}  {purpose}", " ".repeat(gap)));
        }
    }

    /// Asks a question and reads one line; `None` when the input has ended.
    pub(crate) async fn ask(&self, question: &str) -> Option<String> {
        let mut err = io::stderr().lock();
        drop(write!(err, "{question}"));
        drop(err.flush());
        drop(err);
        let line = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            io::stdin().lock().read_line(&mut line).ok().filter(|&n| n > 0).map(|_| line)
        });
        line.await.ok().flatten().map(|line| line.trim().to_owned())
    }

    /// Tells how it ended and gives the process its exit code.
    pub(crate) fn conclude(&self, outcome: Outcome) -> ExitCode {
        let Err(fault) = outcome else { return ExitCode::SUCCESS };
        if fault.exit == Exit::Quiet {
            return ExitCode::SUCCESS;
        }
        if self.amount.is_json && !fault.is_told {
            // The exit code still tells it when standard output is gone.
            drop(self.json(&fault.to_json()));
        }
        self.complain(&fault);
        ExitCode::from(fault.exit.number())
    }

    /// Tells a fault to a person; not even `--quiet` silences it.
    pub(crate) fn complain(&self, fault: &Fault) {
        let code = fault.code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
        to_stderr(&format!("{} {}{code}", self.tint(Tone::Bad, "✗"), fault.what));
        for why in &fault.why {
            to_stderr(&format!("  {why}"));
        }
        for hint in &fault.hints {
            to_stderr(&format!("  {} {hint}", self.tint(Tone::Warn, "→")));
        }
    }
}

fn to_stderr(text: &str) {
    let mut err = io::stderr().lock();
    drop(writeln!(err, "{text}"));
}
