//! Films: scenes drawn by our own hand, a camera that moves over them, captions, a voice, a
//! quiet bed of music. Pixels and samples are made here; ffmpeg only encodes them.

use serde::{Deserialize, Serialize};

use crate::{
    error::MediaError,
    fonts::Fonts,
    png,
    scratch::Scratch,
    spec::{AspectRatio, Language},
    tool::{Tools, Watch},
};

mod camera;
mod captions;
mod encode;
mod lettering;
mod music;
#[expect(clippy::many_single_char_names, reason = "colour spaces name their axes so")]
mod plane;
mod reel;
mod script;
mod sound;
mod timeline;

use reel::Reel;
use script::Script;

/// The shortest and longest film, in milliseconds.
pub const FILM_MS: (u64, u64) = (1_000, 600_000);
/// Scenes of one film, at most.
pub const SCENES_MAX: usize = 60;

/// One scene. Texts are untrusted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FilmScene {
    /// What is to be seen.
    pub visual_prompt: String,
    /// What is spoken; without a voice it is only read.
    #[serde(default)]
    pub voiceover: String,
    /// What is read where nothing is spoken.
    #[serde(default)]
    pub caption: Option<String>,
    /// Its share of the film: all scenes together are brought to the film's duration.
    pub duration_seconds: f64,
}

/// A film to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FilmSpec {
    /// In order.
    pub scenes: Vec<FilmScene>,
    /// Exactly so long.
    pub duration_ms: u64,
    /// What the whole is about: listened to where a scene does not say what is to be seen.
    #[serde(default)]
    pub topic: Option<String>,
    /// The title over the first scene.
    #[serde(default)]
    pub hook: Option<String>,
    /// The large line of the closing card.
    #[serde(default)]
    pub closing: Option<String>,
    /// What the viewer should do, on the closing card.
    #[serde(default)]
    pub call_to_action: Option<String>,
    /// The brand's name.
    #[serde(default)]
    pub brand: Option<String>,
    /// Brand colours as `#rrggbb`; without them the first scene's hold for all.
    #[serde(default)]
    pub palette: Vec<String>,
    /// Mood words; of the music too.
    #[serde(default)]
    pub mood: Vec<String>,
    /// As of [`crate::ArtSpec::style`].
    #[serde(default)]
    pub style: Option<String>,
    /// Proportions.
    pub aspect: AspectRatio,
    /// Another seed, another film of the same script.
    #[serde(default)]
    pub seed: u64,
    /// The language of the words.
    #[serde(default)]
    pub language: Language,
    /// Who speaks: `None` for nobody, an empty name for the usual voice.
    #[serde(default)]
    pub voice: Option<String>,
    /// Whether a quiet bed of music is laid under it.
    #[serde(default = "yes")]
    pub has_music: bool,
    /// Pixels of the shorter edge.
    #[serde(default = "usual_edge")]
    pub short_edge: u32,
    /// Pictures a second.
    #[serde(default = "usual_rate")]
    pub frames_per_second: u32,
}

fn yes() -> bool {
    true
}

fn usual_edge() -> u32 {
    720
}

fn usual_rate() -> u32 {
    24
}

/// A finished film.
#[derive(Debug, Clone)]
pub struct Film {
    /// The file: H.264 and AAC in MP4, ready to play while it loads.
    pub mp4: Vec<u8>,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// How long it is.
    pub duration_ms: u64,
    /// How long somebody speaks in it.
    pub spoken_ms: u64,
    /// A picture of it, PNG.
    pub poster: Vec<u8>,
    /// What is to be seen and heard, in the language of the film.
    pub alt_text: String,
}

/// Makes a film. The same specification, fonts and programs give the same bytes.
///
/// Takes seconds to minutes; `watch` says how far it is and can stop it.
pub fn render_film(
    fonts: &Fonts,
    tools: &Tools,
    spec: &FilmSpec,
    watch: &Watch,
) -> Result<Film, MediaError> {
    tools.find(crate::tool::FFMPEG)?;
    let scratch = Scratch::new()?;
    let mut script = Script::read(spec)?;
    let speech = match &spec.voice {
        Some(voice) => sound::speak(tools, &mut script, voice, &scratch, watch)?,
        None => sound::Speech::default(),
    };
    let shots = timeline::shots(&script);
    let captions = captions::of(&script, &speech);
    let track = sound::track(spec, &script, &speech);
    watch.tell(50);
    let mut reel = Reel::new(fonts, spec, &script, shots, captions)?;
    let mp4 = encode::encode(tools, &scratch, &mut reel, track.as_ref(), watch)?;
    let (width, height) = reel.size();
    Ok(Film {
        mp4,
        width,
        height,
        duration_ms: spec.duration_ms,
        spoken_ms: speech.spoken_ms(),
        poster: reel.poster(png::encode_rgb)?,
        alt_text: reel.alt_text(&script, spec.voice.is_some()),
    })
}
