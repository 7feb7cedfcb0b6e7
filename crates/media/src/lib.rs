#![doc = include_str!("../README.md")]

mod art;
mod brief;
#[expect(clippy::many_single_char_names, reason = "colour spaces name their axes so")]
mod color;
mod error;
mod film;
mod fonts;
mod num;
mod painter;
mod palette;
mod png;
mod probe;
mod rng;
#[expect(clippy::many_single_char_names, reason = "geometry names its coordinates so")]
mod scenes;
mod scratch;
mod spec;
mod stage;
mod text;
mod thumbnail;
mod tool;
mod voice;

pub use art::{COMPOSITIONS, Picture, render_art};
pub use error::MediaError;
pub use film::{FILM_MS, Film, FilmScene, FilmSpec, SCENES_MAX, render_film};
pub use fonts::Fonts;
pub use probe::{ImageFacts, PIXELS_MAX, VideoFacts, probe_image, probe_video};
pub use spec::{ArtSpec, AspectRatio, Language};
pub use thumbnail::thumbnail;
pub use tool::{ESPEAK, FFMPEG, FILM_TOOLS, MECAB, Tool, Tools, Watch};
pub use voice::{Voice, VoiceSpec, speak};
