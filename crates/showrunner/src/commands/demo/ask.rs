//! Asking on the spot: approve, reject, or leave it for later.

use crate::client::shapes::Checkpoint;
use crate::commands::decide::Answer;
use crate::talk::{Talk, Tone};

/// What the person at the keyboard wants.
#[derive(Debug)]
pub(super) enum Choice {
    /// This is the answer.
    Answer(Answer),
    /// No answer now.
    Leave,
}

/// The question, with where to look at what it is about.
pub(super) fn question(
    talk: &Talk,
    checkpoint: &Checkpoint,
    previews: &[String],
    page: &str,
) -> String {
    let mut lines =
        vec![talk.tint(Tone::Warn, &format!("✋ {}", checkpoint.question(talk.language())))];
    lines.extend(previews.iter().map(|file| format!("  look   {file}")));
    lines.push(format!("  page   {page}"));
    lines.join("\n")
}

/// Asks until there is an answer.
pub(super) async fn choice(talk: &Talk) -> Choice {
    loop {
        let Some(word) = read(talk, "  [a]pprove, [r]eject, [q]uit and decide later: ").await
        else {
            return Choice::Leave;
        };
        match word.to_lowercase().as_str() {
            "a" | "approve" | "y" | "yes" | "承認" => {
                return Choice::Answer(Answer {
                    verb: "continue",
                    comment: None,
                    modifications: None,
                });
            },
            "r" | "reject" | "n" | "no" | "差し戻し" => {
                match read(talk, "  what should change? ").await {
                    None => return Choice::Leave,
                    Some(text) if text.is_empty() => {
                        talk.say("  The agents need a word on what to change.");
                    },
                    Some(text) => {
                        return Choice::Answer(Answer {
                            verb: "retry",
                            comment: Some(text),
                            modifications: None,
                        });
                    },
                }
            },
            "q" | "quit" => return Choice::Leave,
            _ => talk.say("  Type a, r or q."),
        }
    }
}

/// One line; `None` at the end of the input or at ctrl-c.
async fn read(talk: &Talk, question: &str) -> Option<String> {
    tokio::select! {
        line = talk.ask(question) => line,
        _ = tokio::signal::ctrl_c() => None,
    }
}
