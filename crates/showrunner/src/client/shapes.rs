//! The parts of the server's answers that commands look at. What is missing has its zero: an older
//! or newer server is still understood.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Reads `null` like a member that is missing.
pub(super) fn null_is_nothing<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// A list's page.
#[derive(Debug, Deserialize)]
pub(crate) struct Page<T> {
    /// The page's elements, newest first.
    pub(crate) data: Vec<T>,
    /// What asks for the next page.
    #[serde(default)]
    pub(crate) next_cursor: Option<String>,
}

/// A run, as far as it is shown.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Run {
    /// Its id.
    pub(crate) id: String,
    /// Of what.
    pub(crate) definition: DefinitionName,
    /// Its state, `running` and so on.
    pub(crate) status: String,
    /// The coarse state.
    pub(crate) phase: Option<String>,
    /// All coarse states in order.
    pub(crate) phases: Vec<Phase>,
    /// For people.
    pub(crate) title: Option<String>,
    /// RFC 3339.
    pub(crate) started_at: Option<String>,
    /// RFC 3339.
    pub(crate) ended_at: Option<String>,
    /// Number of its newest event.
    pub(crate) seq: u64,
    /// How far it is.
    pub(crate) progress: Progress,
    /// What it waits for.
    pub(crate) waits: Vec<Wait>,
    /// Millionths of a dollar.
    pub(crate) cost_micros: i64,
    #[serde(default)]
    pub(crate) unknown_calls: u32,
    #[serde(default)]
    pub(crate) unknown_micros: i64,
    /// Its limit.
    pub(crate) budget: Option<Budget>,
    /// Why it failed.
    pub(crate) failure: Option<Value>,
    /// What it handed out.
    pub(crate) output: Option<Value>,
    /// Whether a scripted provider had a hand in it.
    pub(crate) simulated: bool,
    /// What may be asked of it now.
    pub(crate) allowed: Vec<String>,
}

impl Run {
    /// Whether this may be asked of it now.
    pub(crate) fn allows(&self, what: &str) -> bool {
        self.allowed.iter().any(|allowed| allowed == what)
    }
}

/// The definition a run is pinned to.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct DefinitionName {
    /// Its name.
    pub(crate) slug: String,
    /// Its version.
    pub(crate) version: u32,
}

/// A coarse state.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Phase {
    /// Its id.
    pub(crate) id: String,
    /// For people.
    pub(crate) label: Option<Label>,
}

/// Text in one or two languages.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Label {
    /// In both.
    Both {
        /// English.
        en: String,
        /// Japanese.
        #[serde(default)]
        ja: Option<String>,
    },
    /// In whichever.
    One(String),
}

impl Label {
    /// The text in `language`, English where there is none.
    pub(crate) fn text(&self, language: &str) -> &str {
        match self {
            Self::Both { ja: Some(ja), .. } if language == "ja" => ja,
            Self::Both { en, .. } => en,
            Self::One(text) => text,
        }
    }
}

/// How many steps there are and how many have ended.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Progress {
    /// Ended.
    pub(crate) done: u64,
    /// All.
    pub(crate) total: u64,
}

/// Something that is waited for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wait {
    /// By which step; empty for the whole run.
    #[serde(deserialize_with = "null_is_nothing")]
    pub(crate) step: String,
    /// For what: `person`, `retry`, `time`, `callback` …
    #[serde(rename = "for")]
    pub(crate) what: String,
    /// Since when, RFC 3339.
    pub(crate) since: Option<String>,
    /// Until when, RFC 3339.
    pub(crate) until: Option<String>,
}

impl Wait {
    /// Whether a person must decide.
    pub(crate) fn is_for_a_person(&self) -> bool {
        matches!(self.what.as_str(), "person" | "approval" | "checkpoint" | "decision")
    }
}

/// A limit.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Budget {
    /// Dollars.
    pub(crate) usd: Option<f64>,
}

/// A step, as far as it is shown.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Step {
    /// Its place in the run, `review[1]/draft`.
    pub(crate) key: String,
    /// For people.
    pub(crate) label: Option<Label>,
    /// Its coarse state.
    pub(crate) phase: Option<String>,
    /// Its state.
    pub(crate) status: String,
    /// RFC 3339.
    pub(crate) started_at: Option<String>,
    /// RFC 3339.
    pub(crate) ended_at: Option<String>,
}

/// A question to a person.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Checkpoint {
    /// Of which run.
    pub(crate) run: String,
    /// At which step.
    pub(crate) step: String,
    /// The question.
    pub(crate) question: String,
    /// The question in Japanese.
    pub(crate) question_ja: Option<String>,
    /// What an answer is bound to.
    pub(crate) digest: Option<String>,
    /// RFC 3339.
    pub(crate) opened_at: Option<String>,
    /// RFC 3339.
    pub(crate) until: Option<String>,
    /// What is to be looked at.
    #[serde(deserialize_with = "null_is_nothing")]
    pub(crate) assets: Vec<Asset>,
}

impl Checkpoint {
    /// The question in `language`.
    pub(crate) fn question(&self, language: &str) -> &str {
        match &self.question_ja {
            Some(ja) if language == "ja" => ja,
            _ => &self.question,
        }
    }
}

/// A file that a run made.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asset {
    /// Its id.
    pub(crate) id: String,
    /// `image` and so on.
    pub(crate) kind: String,
    /// Media type.
    pub(crate) mime: String,
    /// Pixels.
    pub(crate) width: Option<u32>,
    /// Pixels.
    pub(crate) height: Option<u32>,
    /// Size.
    pub(crate) bytes: u64,
    /// Hex digest of the content.
    pub(crate) sha256: String,
    /// Where the bytes or the facts are.
    pub(crate) url: Option<String>,
    /// Whether it was made by the scripted double.
    pub(crate) simulated: bool,
}

impl Asset {
    /// The usual ending of a file name for its media type.
    pub(crate) fn extension(&self) -> &'static str {
        match self.mime.as_str() {
            "image/png" => "png",
            "image/jpeg" => "jpg",
            "image/webp" => "webp",
            "image/gif" => "gif",
            "image/svg+xml" => "svg",
            "video/mp4" => "mp4",
            "audio/mpeg" => "mp3",
            "audio/wav" => "wav",
            "application/pdf" => "pdf",
            "application/json" => "json",
            "text/plain" => "txt",
            _ => "bin",
        }
    }
}

/// A brand that content can be made for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Brand {
    /// UUID.
    pub(crate) id: String,
    /// For people.
    pub(crate) name: String,
    /// Its language.
    pub(crate) language: Option<String>,
}

/// A content request that was taken.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Taken {
    /// Its id; also the run's.
    pub(crate) id: String,
    /// Dollars, expected.
    pub(crate) estimated_cost: Option<f64>,
    /// Seconds, expected.
    pub(crate) estimated_time_seconds: Option<f64>,
}

/// An answer in the content requests' envelope.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Enveloped<T> {
    /// What was asked for.
    pub(crate) data: T,
}
