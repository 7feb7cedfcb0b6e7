#![doc = include_str!("../README.md")]

mod art;
mod brief;
#[expect(clippy::many_single_char_names, reason = "colour spaces name their axes so")]
mod color;
mod error;
mod fonts;
mod num;
mod painter;
mod palette;
mod png;
mod probe;
mod rng;
#[expect(clippy::many_single_char_names, reason = "geometry names its coordinates so")]
mod scenes;
mod spec;
mod stage;
mod text;
mod thumbnail;

pub use art::{COMPOSITIONS, Picture, render_art};
pub use error::MediaError;
pub use fonts::Fonts;
pub use probe::{ImageFacts, PIXELS_MAX, probe_image};
pub use spec::{ArtSpec, AspectRatio, Language};
pub use thumbnail::thumbnail;
