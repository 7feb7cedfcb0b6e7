//! Headline, subline, call to action and brand: placed, sized, inked.

use resvg::tiny_skia::Pixmap;

use crate::{
    art::{Copy, legible},
    brief::{Family, Mood, Subject},
    color::{Color, contrast, hex, luminance},
    fonts::{Fonts, Voice},
    num::count,
    painter::Painter,
    rng::hash,
    scenes::Scene,
    spec::Language,
    stage::{Rect, Side, Stage},
    text::fit::{Box, Setting, fit},
};

/// A text in its place.
#[derive(Debug)]
struct Block {
    setting: Setting,
    voice: Voice,
    leading: f64,
    tracking: f64,
    area: Rect,
}

/// All copy of a picture, placed.
#[derive(Debug)]
pub(super) struct Blocks {
    headline: Option<Block>,
    subline: Option<Block>,
    /// Its area is the button's.
    call_to_action: Option<Block>,
    brand: Option<Block>,
    is_centred: bool,
    /// A short bar over the headline.
    bar: Option<Rect>,
}

/// Sets and places the copy.
pub(super) fn set(fonts: &Fonts, copy: &Copy, scene: &Scene<'_>) -> Blocks {
    let stage = scene.stage;
    let unit = stage.unit;
    let language = copy.language;
    let brand = (!copy.brand.is_empty()).then(|| brand(fonts, copy, scene));
    let is_centred = stage.side != Side::Left
        && matches!(scene.brief.family, Family::Radial | Family::StillLife)
        && scene.rng.fork("centred").chance(0.6);
    let mut headline = text_block(fonts, &copy.headline, headline_frame(scene, language));
    let mut subline = text_block(fonts, &copy.subline, subline_frame(stage, language));
    let mut button = text_block(fonts, &copy.call_to_action, button_frame(stage));
    if let Some(block) = &mut button {
        block.area.w = block.setting.width + block.setting.size * 2.9;
        block.area.h = block.setting.size * 2.5;
    }
    let bar = (headline.is_some() && !is_centred && scene.rng.fork("bar").chance(0.55))
        .then_some(Rect { x: stage.copy.x, y: 0.0, w: unit * 0.066, h: unit * 0.0085 });
    let mut blocks =
        Blocks { headline: None, subline: None, call_to_action: None, brand, is_centred, bar };
    stack(scene, &mut blocks, [&mut headline, &mut subline, &mut button]);
    if let (Side::Bottom, false, Some(brand)) = (stage.side, is_centred, &mut blocks.brand) {
        beside(stage, brand, button.as_ref());
    }
    Blocks { headline, subline, call_to_action: button, ..blocks }
}

/// A tall picture is looked at on a phone: its type is larger by this factor.
fn upright(stage: &Stage) -> f64 {
    (0.82 + 0.18 * stage.h / stage.w).clamp(1.0, 1.18)
}

fn headline_frame(scene: &Scene<'_>, language: Language) -> Box {
    let stage = scene.stage;
    let voice = voice(scene);
    let is_left = stage.side == Side::Left;
    let size = match stage.side {
        Side::Left => 0.120,
        Side::Top if stage.h / stage.w < 1.2 => 0.100,
        Side::Top | Side::Bottom => 0.118 * upright(stage),
    };
    Box {
        voice,
        width: stage.copy.w,
        height: stage.copy.h * if is_left { 0.56 } else { 0.60 },
        size_max: stage.unit * size,
        size_min: stage.unit * 0.046,
        lines_max: if is_left { 5 } else { 4 },
        leading: if language == Language::Ja { 1.26 } else { 1.10 },
        tracking: match (language, voice) {
            (Language::Ja, Voice::Elegant) => 0.04,
            (Language::Ja, _) => 0.012,
            (Language::En, Voice::Elegant) => 0.0,
            (Language::En, _) => -0.012,
        },
    }
}

fn subline_frame(stage: &Stage, language: Language) -> Box {
    let is_ja = language == Language::Ja;
    Box {
        voice: Voice::Plain,
        width: stage.copy.w * 0.94,
        height: stage.copy.h * 0.24,
        size_max: stage.unit * 0.034 * upright(stage),
        size_min: stage.unit * 0.0235,
        lines_max: 4,
        leading: if is_ja { 1.62 } else { 1.42 },
        tracking: if is_ja { 0.02 } else { 0.0 },
    }
}

fn button_frame(stage: &Stage) -> Box {
    Box {
        voice: Voice::Loud,
        width: stage.copy.w * 0.82,
        height: stage.unit * 0.1,
        size_max: stage.unit * 0.0285 * upright(stage),
        size_min: stage.unit * 0.021,
        lines_max: 1,
        leading: 1.0,
        tracking: 0.03,
    }
}

/// Under a picture that fills the top, the brand signs at the lower right, level with the button,
/// if there is room for both.
fn beside(stage: &Stage, brand: &mut Block, button: Option<&Block>) {
    let right = stage.copy.x + stage.copy.w;
    let floor = stage.copy.y + stage.copy.h;
    let (taken, middle) = button.map_or((stage.copy.x, floor - brand.area.h), |button| {
        (button.area.x + button.area.w + stage.unit * 0.05, button.area.y + button.area.h / 2.0)
    });
    if button.is_some() && right - brand.area.w > taken {
        brand.area.x = right - brand.area.w;
        brand.area.y = middle - brand.area.h / 2.0;
    }
}

/// Puts the parts under one another and the whole against its side.
fn stack(scene: &Scene<'_>, blocks: &mut Blocks, parts: [&mut Option<Block>; 3]) {
    let stage = scene.stage;
    let gaps = [0.0, stage.unit * 0.030, stage.unit * 0.044];
    let bar_space = blocks.bar.map_or(0.0, |bar| bar.h + stage.unit * 0.034);
    let mut total = bar_space;
    let mut seen = false;
    for (part, gap) in parts.iter().zip(gaps) {
        if let Some(block) = part.as_ref() {
            total += block.area.h + if seen { gap } else { 0.0 };
            seen = true;
        }
    }
    let column = stage.copy;
    // When the brand shares the copy's edge it has its own row there.
    let mut y = match stage.side {
        Side::Left => column.y + (column.h - total) * 0.52,
        Side::Top => {
            column.y + blocks.brand.as_ref().map_or(0.0, |brand| brand.area.h + stage.unit * 0.052)
        },
        Side::Bottom => column.y + column.h - total,
    };
    if let Some(bar) = &mut blocks.bar {
        bar.y = y;
        y += bar_space;
    }
    let mut seen = false;
    for (part, gap) in parts.into_iter().zip(gaps) {
        if let Some(block) = part.as_mut() {
            y += if seen { gap } else { 0.0 };
            seen = true;
            block.area.y = y;
            block.area.x = if blocks.is_centred {
                column.x + (column.w - block.area.w) / 2.0
            } else {
                column.x
            };
            y += block.area.h;
        }
    }
}

fn voice(scene: &Scene<'_>) -> Voice {
    let brief = scene.brief;
    if brief.feels(Mood::Bold) || brief.feels(Mood::Playful) || brief.family == Family::Geometric {
        return Voice::Loud;
    }
    let is_quiet = brief.feels(Mood::Luxury) || brief.feels(Mood::Calm);
    let is_crafted =
        matches!(brief.subject, Subject::Tradition | Subject::Beauty | Subject::Spring)
            || (brief.subject == Subject::Coffee && scene.rng.fork("voice").chance(0.6));
    if is_quiet || is_crafted { Voice::Elegant } else { Voice::Loud }
}

fn text_block(fonts: &Fonts, text: &str, frame: Box) -> Option<Block> {
    let setting = fit(fonts, text, &frame);
    if setting.lines.is_empty() {
        return None;
    }
    let height = setting.size * frame.leading * count(setting.lines.len());
    let area = Rect { x: 0.0, y: 0.0, w: setting.width, h: height };
    Some(Block {
        setting,
        voice: frame.voice,
        leading: frame.leading,
        tracking: frame.tracking,
        area,
    })
}

/// The name beside its mark, in the corner that the copy leaves free.
fn brand(fonts: &Fonts, copy: &Copy, scene: &Scene<'_>) -> Block {
    let stage = scene.stage;
    let size = stage.unit * 0.0265;
    let frame = Box {
        voice: Voice::Loud,
        width: stage.w * 0.5,
        height: size * 2.0,
        size_max: size,
        size_min: size * 0.7,
        lines_max: 1,
        leading: 1.0,
        tracking: 0.07,
    };
    let setting = fit(fonts, &copy.brand, &frame);
    let mark = size * 1.5;
    let area = Rect { x: stage.margin, y: stage.safe_top, w: mark * 1.45 + setting.width, h: mark };
    Block { setting, voice: Voice::Loud, leading: 1.0, tracking: 0.07, area }
}

/// Chooses inks by what is behind, quietens the ground where it must be, and draws the copy.
pub(super) fn ink(
    fonts: &Fonts,
    blocks: &Blocks,
    scene: &Scene<'_>,
    pixmap: &mut Pixmap,
) -> String {
    let stage = scene.stage;
    let palette = scene.palette;
    // The nearest ridges under the words are dark whatever the sky is.
    let is_on_ridges = scene.brief.family == Family::Landscape && stage.side == Side::Bottom;
    let prefers_light = palette.is_dark || is_on_ridges;
    let tones = (palette.paper().lightness(0.975), palette.tone(0.17), prefers_light);
    let mut painter = Painter::new(stage.w, stage.h);
    let is_across = stage.side == Side::Bottom
        && blocks.brand.as_ref().is_some_and(|brand| brand.area.y < stage.h / 2.0);
    let near = blocks.brand.as_ref().filter(|_| !is_across);
    let areas = on_the_scene(blocks, near, stage.unit * 0.012);
    let ink = legible::settle(pixmap, &areas, stage.side, tones);
    if let Some(bar) = blocks.bar {
        let behind = Color::from_rgb(legible::average(pixmap, bar));
        let accent = visible_accent(scene, behind).unwrap_or(ink);
        painter.rect(bar.x, bar.y, (bar.w, bar.h), accent);
    }
    for block in [&blocks.headline, &blocks.subline].into_iter().flatten() {
        write(fonts, &mut painter, block, ink, blocks.is_centred);
    }
    if let Some(block) = &blocks.call_to_action {
        let behind = Color::from_rgb(legible::average(pixmap, block.area));
        let fill = visible_accent(scene, behind).unwrap_or(ink);
        button(fonts, &mut painter, block, scene, fill);
    }
    if let Some(block) = &blocks.brand {
        let ink =
            if is_across { legible::settle(pixmap, &[block.area], Side::Top, tones) } else { ink };
        signature(fonts, &mut painter, block, scene, ink);
    }
    painter.finish()
}

/// What is written straight on the scene from the copy's own side, with some air around it; the
/// button brings its own ground.
fn on_the_scene(blocks: &Blocks, brand: Option<&Block>, air: f64) -> Vec<Rect> {
    [blocks.headline.as_ref(), blocks.subline.as_ref(), brand]
        .into_iter()
        .flatten()
        .map(|block| block.area)
        .map(|r| Rect { x: r.x - air, y: r.y - air, w: r.w + 2.0 * air, h: r.h + 2.0 * air })
        .collect()
}

/// The first accent that stands out from what is behind it.
fn visible_accent(scene: &Scene<'_>, behind: Color) -> Option<Color> {
    (0..4).map(|rank| scene.palette.accent(rank)).find(|accent| accent.distance(behind) >= 0.24)
}

fn attributes(fonts: &Fonts, block: &Block, color: Color, anchor: &str) -> String {
    let (family, weight) = fonts.name(block.voice);
    let size = block.setting.size;
    format!(
        "font-family=\"{}\" font-weight=\"{weight}\" font-size=\"{size:.2}\" \
         letter-spacing=\"{:.3}\" text-anchor=\"{anchor}\" fill=\"{}\"",
        crate::painter::escape(family),
        block.tracking * size,
        hex(color.rgb())
    )
}

fn write(fonts: &Fonts, painter: &mut Painter, block: &Block, color: Color, is_centred: bool) {
    let size = block.setting.size;
    let anchor = if is_centred { "middle" } else { "start" };
    let attributes = attributes(fonts, block, color, anchor);
    for (i, line) in block.setting.lines.iter().enumerate() {
        let y = block.area.y + size * (block.leading * (count(i) + 0.5) + 0.355);
        // An opening bracket has half an em of air before it: hang it out, so that edges align.
        let hang = if line.starts_with(['「', '『', '（', '【', '《', '〈', '“']) {
            size * 0.45
        } else {
            0.0
        };
        // And a closing comma or stop half an em behind it: the eye centres the line without it.
        let pull = if line.ends_with(['、', '。']) { size * 0.25 } else { 0.0 };
        let x =
            if is_centred { block.area.x + block.area.w / 2.0 + pull } else { block.area.x - hang };
        painter.text(x, y, &attributes, line);
    }
}

fn button(fonts: &Fonts, painter: &mut Painter, block: &Block, scene: &Scene<'_>, fill: Color) {
    let area = block.area;
    let radius = match scene.rng.fork("button").below(3) {
        0 => 0.0,
        1 => area.h * 0.22,
        _ => area.h / 2.0,
    };
    painter.rounded((area.x, area.y), (area.w, area.h), radius, fill);
    let color = legible::ink_on(fill.rgb(), &[scene.palette.paper(), scene.palette.ink()]);
    let attributes = attributes(fonts, block, color, "middle");
    let y = area.y + area.h / 2.0 + block.setting.size * 0.355;
    for line in &block.setting.lines {
        painter.text(
            area.x + area.w / 2.0 + block.tracking * block.setting.size / 2.0,
            y,
            &attributes,
            line,
        );
    }
}

/// The brand's mark: a figure of three plain shapes that its name decides, and the name.
fn signature(fonts: &Fonts, painter: &mut Painter, block: &Block, scene: &Scene<'_>, ink: Color) {
    let area = block.area;
    let s = area.h;
    let name: String = block.setting.lines.concat();
    let (x, y) = (area.x, area.y);
    let accent = scene.palette.accent(0);
    let second = if contrast(luminance(accent.rgb()), luminance(ink.rgb())) > 1.5 {
        accent
    } else {
        scene.palette.accent(1)
    };
    let h = s / 2.0;
    match hash(name.as_bytes(), 3) % 4 {
        0 => {
            painter.circle(x + h, y + h, h, ink);
            painter.path(&format!("M{:.1} {y:.1}a{h:.1} {h:.1} 0 0 1 0 {s:.1}Z", x + h), second);
        },
        1 => {
            painter
                .path(&format!("M{x:.1} {y:.1}h{h:.1}a{h:.1} {h:.1} 0 0 1 0 {s:.1}h-{h:.1}Z"), ink);
            painter.circle(x + h * 0.95, y + h, h * 0.42, second);
        },
        2 => {
            painter.path(
                &format!("M{x:.1} {:.1}L{:.1} {y:.1}L{:.1} {:.1}Z", y + s, x + h, x + s, y + s),
                ink,
            );
            painter.circle(x + h, y + s * 0.68, h * 0.3, second);
        },
        _ => {
            painter.rect(x, y, (h * 0.92, s), ink);
            painter.path(&format!("M{0:.1} {y:.1}a{h:.1} {h:.1} 0 0 1 0 {s:.1}Z", x + h), second);
        },
    }
    let attributes = attributes(fonts, block, ink, "start");
    let baseline = y + h + block.setting.size * 0.355;
    painter.text(x + s * 1.45, baseline, &attributes, &name);
}

#[cfg(test)]
impl Blocks {
    /// What must be readable on the scene itself, in the headline's ink.
    pub(super) fn areas(&self, stage: &Stage) -> Vec<Rect> {
        let brand = self.brand.as_ref();
        let near = brand.filter(|b| stage.side != Side::Bottom || b.area.y > stage.h / 2.0);
        on_the_scene(self, near, 0.0)
    }

    /// Every area of copy, the button's included.
    pub(super) fn all_areas(&self) -> Vec<Rect> {
        [&self.headline, &self.subline, &self.call_to_action, &self.brand]
            .into_iter()
            .flatten()
            .map(|block| block.area)
            .collect()
    }
}
