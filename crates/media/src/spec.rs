//! What the caller wants drawn.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::error::MediaError;

/// The proportions of a picture, and with them its size in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AspectRatio {
    /// 1080 × 1080.
    #[serde(rename = "1:1")]
    Square,
    /// 1920 × 1080.
    #[serde(rename = "16:9")]
    Wide,
    /// 1080 × 1920.
    #[serde(rename = "9:16")]
    Tall,
    /// 1080 × 1350.
    #[serde(rename = "4:5")]
    Portrait,
    /// 1620 × 1080.
    #[serde(rename = "3:2")]
    Photo,
    /// 1080 × 1620.
    #[serde(rename = "2:3")]
    Poster,
}

impl AspectRatio {
    /// Every ratio that is drawn.
    pub const ALL: [Self; 6] =
        [Self::Square, Self::Wide, Self::Tall, Self::Portrait, Self::Photo, Self::Poster];

    /// Width and height in pixels.
    pub fn pixels(self) -> (u32, u32) {
        match self {
            Self::Square => (1080, 1080),
            Self::Wide => (1920, 1080),
            Self::Tall => (1080, 1920),
            Self::Portrait => (1080, 1350),
            Self::Photo => (1620, 1080),
            Self::Poster => (1080, 1620),
        }
    }

    /// The ratio as people write it, `16:9`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Square => "1:1",
            Self::Wide => "16:9",
            Self::Tall => "9:16",
            Self::Portrait => "4:5",
            Self::Photo => "3:2",
            Self::Poster => "2:3",
        }
    }
}

impl fmt::Display for AspectRatio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AspectRatio {
    type Err = MediaError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = text.trim().replace(['：', 'x', '/'], ":");
        Self::ALL.into_iter().find(|ratio| ratio.as_str() == wanted).ok_or_else(|| {
            MediaError::UnknownAspect {
                given: text.chars().take(40).collect(),
                accepted: Self::ALL.map(Self::as_str).join(", "),
            }
        })
    }
}

/// The language of the copy: decides line breaking and the words of the alt text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Japanese.
    #[default]
    Ja,
    /// English, and every other language that breaks lines at spaces.
    En,
}

/// One picture to draw. All texts are untrusted: they are cleaned and shortened before use.
///
/// `prompt`, `style` and `seed` decide the composition; copy, palette and aspect do not, so a
/// campaign keeps its look when a headline is revised or another format is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtSpec {
    /// What the picture is about, in any words, Japanese or English.
    pub prompt: String,
    /// The largest line of copy; may be empty, then the picture carries no headline.
    pub headline: String,
    /// A supporting sentence under the headline.
    #[serde(default)]
    pub subline: Option<String>,
    /// What the viewer should do, two to five words.
    #[serde(default)]
    pub call_to_action: Option<String>,
    /// The brand's name, set small beside a mark.
    #[serde(default)]
    pub brand: Option<String>,
    /// Brand colours as `#rrggbb`, most important first; what does not parse is ignored.
    #[serde(default)]
    pub palette: Vec<String>,
    /// Mood words, Japanese or English: warm, calm, bold, luxury, fresh, night …
    #[serde(default)]
    pub mood: Vec<String>,
    /// A composition by name (see [`crate::COMPOSITIONS`]) or further words about the style.
    #[serde(default)]
    pub style: Option<String>,
    /// Proportions and with them pixels.
    pub aspect: AspectRatio,
    /// Another seed, another picture of the same brief.
    #[serde(default)]
    pub seed: u64,
    /// The language of the copy.
    #[serde(default)]
    pub language: Language,
}
