//! From a specification to a finished picture: read, plan, draw, set the copy, encode.

use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{Options, Tree},
};

use crate::{
    brief::{Brief, Family},
    error::MediaError,
    fonts::Fonts,
    painter::Painter,
    palette::Palette,
    png,
    rng::{Rng, hash},
    scenes::{self, Scene},
    spec::{ArtSpec, Language},
    stage::Stage,
    text::clean::{clean, shorten},
};

mod alt;
mod copy;
mod finish;
mod legible;

/// The compositions that [`ArtSpec::style`] may name.
pub const COMPOSITIONS: [&str; 9] = {
    let mut names = [""; 9];
    let mut i = 0;
    while i < names.len() {
        names[i] = Family::ALL[i].name();
        i += 1;
    }
    names
};

/// A finished picture.
#[derive(Debug, Clone)]
pub struct Picture {
    /// The file's bytes: PNG with eight bits a channel, carrying its own description.
    pub png: Vec<u8>,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// What is to be seen, in the language of the specification.
    pub alt_text: String,
    /// The colours used, `#rrggbb`, most important first.
    pub palette_used: Vec<String>,
    /// The composition, one of [`COMPOSITIONS`].
    pub composition: &'static str,
}

/// The copy, cleaned and shortened: what is left of untrusted text.
#[derive(Debug)]
pub(crate) struct Copy {
    pub(crate) headline: String,
    pub(crate) subline: String,
    pub(crate) call_to_action: String,
    pub(crate) brand: String,
    pub(crate) language: Language,
}

impl Copy {
    fn of(spec: &ArtSpec) -> Self {
        let optional = |text: &Option<String>, max| {
            text.as_deref().map(|text| shorten(&clean(text, max + 1), max)).unwrap_or_default()
        };
        Self {
            headline: shorten(&clean(&spec.headline, 121), 120),
            subline: optional(&spec.subline, 200),
            call_to_action: optional(&spec.call_to_action, 32),
            brand: optional(&spec.brand, 32),
            language: spec.language,
        }
    }
}

/// Draws one picture. The same specification and fonts give the same bytes.
pub fn render_art(fonts: &Fonts, spec: &ArtSpec) -> Result<Picture, MediaError> {
    let prompt = clean(&spec.prompt, 5000);
    let style = clean(spec.style.as_deref().unwrap_or_default(), 300);
    let copy = Copy::of(spec);
    let seed = hash(style.as_bytes(), hash(prompt.as_bytes(), spec.seed));
    let rng = Rng::new(seed);
    let moods: Vec<String> = spec.mood.iter().take(12).map(|mood| clean(mood, 60)).collect();
    let copy_words = format!("{}\n{}", copy.headline, copy.subline);
    let brief = Brief::read(&prompt, &style, &copy_words, &moods, &rng);
    let palette = Palette::choose(&brief, &spec.palette, &rng);
    let stage = Stage::plan(spec.aspect, brief.family, &rng);
    let scene = Scene { stage: &stage, palette: &palette, brief: &brief, rng: &rng };

    let mut painter = Painter::new(stage.w, stage.h);
    scenes::draw(&mut painter, &scene);
    let (width, height) = spec.aspect.pixels();
    let mut pixmap = Pixmap::new(width, height)
        .ok_or_else(|| MediaError::Drawing { reason: "no memory for the canvas".to_owned() })?;
    paint(fonts, &painter.finish(), &mut pixmap)?;
    finish::texture(&mut pixmap, &scene);

    let blocks = copy::set(fonts, &copy, &scene);
    let overlay = copy::ink(fonts, &blocks, &scene, &mut pixmap);
    paint(fonts, &overlay, &mut pixmap)?;

    let alt_text = alt::text(&brief, &copy);
    let png = png::encode(
        &pixmap,
        &[
            ("Software", "Showrunner"),
            ("Description", &alt_text),
            (
                "Comment",
                "Procedurally generated artwork: drawn by rules from a brief, no photograph and no image model.",
            ),
        ],
    )?;
    Ok(Picture {
        png,
        width,
        height,
        alt_text,
        palette_used: palette.listing(),
        composition: brief.family.name(),
    })
}

fn paint(fonts: &Fonts, svg: &str, pixmap: &mut Pixmap) -> Result<(), MediaError> {
    let options = Options { fontdb: fonts.database(), ..Options::default() };
    let tree = Tree::from_str(svg, &options)
        .map_err(|error| MediaError::Drawing { reason: error.to_string() })?;
    resvg::render(&tree, Transform::identity(), &mut pixmap.as_mut());
    Ok(())
}
