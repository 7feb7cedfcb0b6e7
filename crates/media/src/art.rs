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
    spec::{ArtSpec, AspectRatio, Language},
    stage::{Side, Stage},
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
    let copy = Copy::of(spec);
    let plan = Plan::of(spec, &copy);
    let scene = plan.scene();
    let mut pixmap = draw_scene(fonts, &scene, spec.aspect)?;
    let blocks = copy::set(fonts, &copy, &scene);
    let overlay = copy::ink(fonts, &blocks, &scene, &mut pixmap);
    paint(fonts, &overlay, &mut pixmap)?;

    let alt_text = alt::text(&plan.brief, &copy);
    let notes = [("Software", "Showrunner"), ("Description", &alt_text), ("Comment", ORIGIN)];
    Ok(Picture {
        png: png::encode(&pixmap, &notes)?,
        width: pixmap.width(),
        height: pixmap.height(),
        alt_text,
        palette_used: plan.palette.listing(),
        composition: plan.brief.family.name(),
    })
}

/// A scene for a film: drawn without copy, and with it where it shall carry a title.
#[derive(Debug)]
pub(crate) struct Still {
    pub(crate) plain: Pixmap,
    pub(crate) titled: Option<Pixmap>,
    /// Where the eye should land, as shares of width and height.
    pub(crate) focus: (f64, f64),
    pub(crate) palette: Vec<String>,
    pub(crate) alt_text: String,
}

/// The composition that a specification would be drawn in.
pub(crate) fn composition_of(spec: &ArtSpec) -> &'static str {
    Plan::of(spec, &Copy::of(spec)).brief.family.name()
}

/// Draws a scene for a film. A title stands above the middle, for captions stand below it.
pub(crate) fn render_still(
    fonts: &Fonts,
    spec: &ArtSpec,
    is_titled: bool,
) -> Result<Still, MediaError> {
    let copy = Copy::of(spec);
    let mut plan = Plan::of(spec, &copy);
    if is_titled {
        plan.stage = Stage::plan(spec.aspect, plan.brief.family, &plan.rng, Some(Side::Top));
    } else {
        plan.stage = plan.stage.without_copy();
    }
    let scene = plan.scene();
    let bare = draw_scene(fonts, &scene, spec.aspect)?;
    let titled = if is_titled {
        let mut titled = bare.clone();
        let blocks = copy::set(fonts, &copy, &scene);
        let overlay = copy::ink(fonts, &blocks, &scene, &mut titled);
        paint(fonts, &overlay, &mut titled)?;
        Some(titled)
    } else {
        None
    };
    let focus = (plan.stage.focus.0 / plan.stage.w, plan.stage.focus.1 / plan.stage.h);
    let alt_text = alt::text(&plan.brief, &copy);
    Ok(Still { plain: bare, titled, focus, palette: plan.palette.listing(), alt_text })
}

/// Written into every file, so that nobody takes it for a photograph.
const ORIGIN: &str = "Procedurally generated artwork: drawn by rules from a brief, \
                      without photographs and without an image model.";

/// Every decision taken before the first stroke.
#[derive(Debug)]
struct Plan {
    brief: Brief,
    palette: Palette,
    stage: Stage,
    rng: Rng,
}

impl Plan {
    fn of(spec: &ArtSpec, copy: &Copy) -> Self {
        let prompt = clean(&spec.prompt, 5000);
        let style = clean(spec.style.as_deref().unwrap_or_default(), 300);
        let rng = Rng::new(hash(style.as_bytes(), hash(prompt.as_bytes(), spec.seed)));
        let moods: Vec<String> = spec.mood.iter().take(12).map(|mood| clean(mood, 60)).collect();
        let words = format!("{}\n{}", copy.headline, copy.subline);
        let brief = Brief::read(&prompt, &style, &words, &moods, &rng);
        let palette = Palette::choose(&brief, &spec.palette, &rng);
        let stage = Stage::plan(spec.aspect, brief.family, &rng, None);
        Self { brief, palette, stage, rng }
    }

    fn scene(&self) -> Scene<'_> {
        Scene { stage: &self.stage, palette: &self.palette, brief: &self.brief, rng: &self.rng }
    }
}

/// Everything but the copy.
fn draw_scene(fonts: &Fonts, scene: &Scene<'_>, aspect: AspectRatio) -> Result<Pixmap, MediaError> {
    let mut painter = Painter::new(scene.stage.w, scene.stage.h);
    scenes::draw(&mut painter, scene);
    let (width, height) = aspect.pixels();
    let mut pixmap = Pixmap::new(width, height)
        .ok_or_else(|| MediaError::Drawing { reason: "no memory for the canvas".to_owned() })?;
    paint(fonts, &painter.finish(), &mut pixmap)?;
    finish::texture(&mut pixmap, scene);
    Ok(pixmap)
}

pub(crate) fn paint(fonts: &Fonts, svg: &str, pixmap: &mut Pixmap) -> Result<(), MediaError> {
    let options = Options { fontdb: fonts.database(), ..Options::default() };
    let tree = Tree::from_str(svg, &options)
        .map_err(|error| MediaError::Drawing { reason: error.to_string() })?;
    resvg::render(&tree, Transform::identity(), &mut pixmap.as_mut());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        color::{Color, contrast, luminance},
        num::whole,
    };

    fn spec(style: &str, aspect: AspectRatio, mood: &str) -> ArtSpec {
        ArtSpec {
            prompt: "コーヒーと海と夜の街".to_owned(),
            headline: "はじまりの季節に、花を添えて。".to_owned(),
            subline: Some("植物から生まれた濃密な一滴を、朝の海辺へお届けします。".to_owned()),
            call_to_action: Some("サンプルを申し込む".to_owned()),
            brand: Some("あおぞら堂".to_owned()),
            palette: Vec::new(),
            mood: vec![mood.to_owned()],
            style: Some(style.to_owned()),
            aspect,
            seed: 11,
            language: Language::Ja,
        }
    }

    /// The fill of the first text of the overlay.
    fn ink_of(overlay: &str) -> Color {
        let text = overlay.split("<text").nth(1).unwrap();
        Color::from_hex(text.split("fill=\"").nth(1).unwrap().get(..7).unwrap()).unwrap()
    }

    #[test]
    fn headline_and_subline_contrast_with_every_pixel_behind_them() {
        let fonts = Fonts::system().unwrap();
        for family in COMPOSITIONS {
            for (aspect, mood) in [
                (AspectRatio::Square, "calm"),
                (AspectRatio::Wide, "dark"),
                (AspectRatio::Photo, "fresh"),
            ] {
                let spec = spec(family, aspect, mood);
                let copy = Copy::of(&spec);
                let plan = Plan::of(&spec, &copy);
                let scene = plan.scene();
                let mut pixmap = draw_scene(&fonts, &scene, aspect).unwrap();
                let blocks = copy::set(&fonts, &copy, &scene);
                let overlay = copy::ink(&fonts, &blocks, &scene, &mut pixmap);
                let ink = luminance(ink_of(&overlay).rgb());
                let mut worst = f64::MAX;
                for area in blocks.areas(scene.stage) {
                    for y in whole(area.y, 1920)..whole(area.y + area.h, 1920) {
                        for x in whole(area.x, 1920)..whole(area.x + area.w, 1920) {
                            let p = pixmap.pixel(x, y).unwrap();
                            let behind = luminance([p.red(), p.green(), p.blue()]);
                            worst = worst.min(contrast(ink, behind));
                        }
                    }
                }
                assert!(worst >= 4.5, "{family} {aspect}: {worst:.2}");
            }
        }
    }

    #[test]
    fn copy_stays_within_the_canvas_and_its_parts_apart() {
        let fonts = Fonts::system().unwrap();
        for family in COMPOSITIONS {
            for aspect in AspectRatio::ALL {
                let spec = spec(family, aspect, "calm");
                let copy = Copy::of(&spec);
                let plan = Plan::of(&spec, &copy);
                let stage = &plan.stage;
                let areas = copy::set(&fonts, &copy, &plan.scene()).all_areas();
                assert_eq!(areas.len(), 4);
                for (i, a) in areas.iter().enumerate() {
                    let is_inside = a.x >= stage.margin - 1.0
                        && a.y >= stage.margin - 1.0
                        && a.x + a.w <= stage.w - stage.margin + 1.0
                        && a.y + a.h <= stage.h - stage.margin + 1.0;
                    assert!(is_inside, "{family} {aspect}: {a:?} leaves the margins");
                    for b in areas.iter().skip(i + 1) {
                        let is_apart = a.x + a.w <= b.x
                            || b.x + b.w <= a.x
                            || a.y + a.h <= b.y
                            || b.y + b.h <= a.y;
                        assert!(is_apart, "{family} {aspect}: {a:?} overlaps {b:?}");
                    }
                }
            }
        }
    }
}
