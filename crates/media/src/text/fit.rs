//! The largest size at which copy fits its box, and the best-looking lines at that size.

use crate::{
    fonts::{Fonts, Voice},
    num::count,
    text::breaking::{Piece, is_pause, pieces, shatter},
};

/// How a text may be set. Sizes and widths in pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Box {
    pub(crate) voice: Voice,
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) size_max: f64,
    pub(crate) size_min: f64,
    pub(crate) lines_max: usize,
    /// Line height in ems.
    pub(crate) leading: f64,
    /// Extra space after each character in ems.
    pub(crate) tracking: f64,
}

/// Text set in lines.
#[derive(Debug, Clone, Default)]
pub(crate) struct Setting {
    pub(crate) size: f64,
    pub(crate) lines: Vec<String>,
    /// Width of the widest line.
    pub(crate) width: f64,
}

/// One piece with its measure in ems.
#[derive(Debug, Clone)]
struct Measured {
    piece: Piece,
    width: f64,
    space: f64,
}

/// Sets `text` as large as its box allows. Phrases are cut only when none of the sizes holds them
/// whole; what does not fit even at the smallest size ends in an ellipsis.
pub(crate) fn fit(fonts: &Fonts, text: &str, frame: &Box) -> Setting {
    let whole = measure(fonts, pieces(text, fonts.phrases()), frame);
    if whole.is_empty() {
        return Setting::default();
    }
    if let Some(setting) = largest(&whole, frame) {
        return setting;
    }
    let widest = frame.width / frame.size_min;
    let cut = whole
        .iter()
        .flat_map(|m| if m.width > widest { shatter(&m.piece) } else { vec![m.piece.clone()] })
        .collect();
    let cut = measure(fonts, cut, frame);
    if let Some(setting) = largest(&cut, frame) {
        return setting;
    }
    overflow(&cut, frame)
}

fn measure(fonts: &Fonts, pieces: Vec<Piece>, frame: &Box) -> Vec<Measured> {
    let text: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
    let mut widths = fonts.advances(frame.voice, &text).into_iter();
    let space = fonts.advances(frame.voice, " ").first().copied().flatten().unwrap_or(0.25);
    let mut out = Vec::with_capacity(pieces.len());
    for mut piece in pieces {
        let mut kept = String::new();
        let mut width = 0.0;
        for ch in piece.text.chars() {
            // A character without a glyph would be drawn as an empty box: it is left out.
            if let Some(advance) = widths.next().flatten() {
                kept.push(ch);
                width += advance + frame.tracking;
            }
        }
        if !kept.is_empty() {
            piece.text = kept;
            out.push(Measured { piece, width, space: space + frame.tracking });
        }
    }
    out
}

/// The best setting that holds all pieces whole: for each number of lines the largest size, with
/// breaks anywhere and with breaks at pauses only, then the one both large and well broken.
fn largest(measured: &[Measured], frame: &Box) -> Option<Setting> {
    let clauses = clauses(measured);
    (1..=frame.lines_max)
        .flat_map(|rows| [(measured, rows), (clauses.as_slice(), rows)])
        .filter_map(|(parts, rows)| {
            let (size, lines) = largest_in(parts, frame, rows)?;
            Some((size * merit(parts, &lines), size, lines, parts))
        })
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, size, lines, parts)| to_setting(parts, &lines, size))
}

/// The same text in larger parts, each of which ends at a pause.
fn clauses(measured: &[Measured]) -> Vec<Measured> {
    let mut out: Vec<Measured> = Vec::new();
    for m in measured {
        match out.last_mut() {
            Some(last) if !is_pause(&last.piece.text) => {
                if m.piece.is_spaced {
                    last.piece.text.push(' ');
                    last.width += m.space;
                }
                last.piece.text.push_str(&m.piece.text);
                last.width += m.width;
            },
            _ => out.push(m.clone()),
        }
    }
    out
}

/// How well the lines read, 1 being perfect: one break inside a Japanese clause costs much, for
/// it is seen at once; further ones cost little more. Uneven lines and many lines cost a little.
fn merit(measured: &[Measured], lines: &[(usize, usize)]) -> f64 {
    let widths = lines.iter().map(|(from, to)| line_width(measured, *from, *to));
    let (least, most) = widths.fold((f64::MAX, 0.001), |(a, b), w| (w.min(a), w.max(b)));
    let mut merit = 0.85 + 0.15 * least / most;
    let mut is_cut = false;
    for (_, to) in lines.iter().rev().skip(1) {
        merit *= 0.97;
        let before = measured.get(to.saturating_sub(1)).map_or("", |m| m.piece.text.as_str());
        let is_word = measured.get(*to).is_some_and(|m| m.piece.is_spaced);
        merit *= match (is_pause(before), is_word) {
            (true, _) => 1.0,
            (false, true) if before.chars().count() <= 3 => 0.88,
            (false, true) => 0.96,
            (false, false) if is_cut => 0.92,
            (false, false) => {
                is_cut = true;
                0.60
            },
        };
    }
    merit
}

/// The largest size at which the pieces stand in exactly `rows` lines, stepping down by 3 %.
fn largest_in(
    measured: &[Measured],
    frame: &Box,
    rows: usize,
) -> Option<(f64, Vec<(usize, usize)>)> {
    let mut size = frame.size_max.min(frame.height / (count(rows) * frame.leading));
    while size >= frame.size_min {
        let width = frame.width / size;
        if greedy(measured, width, rows).is_some() {
            return balance(measured, width, rows).map(|lines| (size, lines));
        }
        size *= 0.97;
    }
    None
}

fn whole_lines(frame: &Box, size: f64) -> usize {
    let fitting = (1..=frame.lines_max).rev();
    fitting.into_iter().find(|n| count(*n) * frame.leading * size <= frame.height).unwrap_or(1)
}

/// Lines as ranges of pieces, each as full as it goes; `None` if they do not fit.
fn greedy(measured: &[Measured], width: f64, rows: usize) -> Option<Vec<(usize, usize)>> {
    let mut lines = Vec::new();
    let mut from = 0;
    while from < measured.len() {
        let mut to = from + 1;
        while to < measured.len() && line_width(measured, from, to + 1) <= width {
            to += 1;
        }
        if line_width(measured, from, to) > width || lines.len() == rows {
            return None;
        }
        lines.push((from, to));
        from = to;
    }
    Some(lines)
}

/// The same number of lines, but even in length and preferably ending at a pause.
fn balance(measured: &[Measured], width: f64, rows: usize) -> Option<Vec<(usize, usize)>> {
    let n = measured.len();
    let ideal = (line_width(measured, 0, n) / count(rows.max(1))).min(width);
    let mut best: Vec<Vec<Option<(f64, usize)>>> = vec![vec![None; n + 1]; rows + 1];
    if let Some(cell) = best.first_mut().and_then(|row| row.first_mut()) {
        *cell = Some((0.0, 0));
    }
    for row in 1..=rows {
        for to in 1..=n {
            let mut found: Option<(f64, usize)> = None;
            for from in (0..to).rev() {
                let line = line_width(measured, from, to);
                if line > width {
                    break;
                }
                let Some((before, _)) =
                    best.get(row - 1).and_then(|r| r.get(from)).copied().flatten()
                else {
                    continue;
                };
                let ends_well =
                    to == n || measured.get(to - 1).is_some_and(|last| is_pause(&last.piece.text));
                let penalty = if ends_well { 0.0 } else { 0.35 * ideal * ideal };
                let cost = before + (line - ideal).powi(2) + penalty;
                if found.is_none_or(|(least, _)| cost < least) {
                    found = Some((cost, from));
                }
            }
            if let Some(cell) = best.get_mut(row).and_then(|r| r.get_mut(to)) {
                *cell = found;
            }
        }
    }
    let mut lines = Vec::new();
    let mut to = n;
    for row in (1..=rows).rev() {
        let (_, from) = best.get(row)?.get(to).copied().flatten()?;
        lines.push((from, to));
        to = from;
    }
    lines.reverse();
    Some(lines)
}

fn overflow(measured: &[Measured], frame: &Box) -> Setting {
    let size = frame.size_min;
    let rows = whole_lines(frame, size);
    let width = frame.width / size;
    let mut held = measured.len();
    while held > 1 && greedy(measured.get(..held).unwrap_or(measured), width - 1.0, rows).is_none()
    {
        held -= 1;
    }
    let kept = measured.get(..held).unwrap_or(measured);
    let lines = greedy(kept, width - 1.0, rows).unwrap_or_else(|| vec![(0, held)]);
    let mut setting = to_setting(kept, &lines, size);
    if let Some(last) = setting.lines.last_mut() {
        last.push('…');
    }
    setting.width = setting.width.max(frame.width);
    setting
}

fn line_width(measured: &[Measured], from: usize, to: usize) -> f64 {
    measured
        .get(from..to)
        .unwrap_or_default()
        .iter()
        .enumerate()
        .map(|(i, m)| m.width + if i > 0 && m.piece.is_spaced { m.space } else { 0.0 })
        .sum()
}

fn to_setting(measured: &[Measured], lines: &[(usize, usize)], size: f64) -> Setting {
    let width = lines.iter().map(|(from, to)| line_width(measured, *from, *to)).fold(0.0, f64::max);
    let lines = lines
        .iter()
        .map(|(from, to)| {
            let mut line = String::new();
            for m in measured.get(*from..*to).unwrap_or_default() {
                if m.piece.is_spaced && !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(&m.piece.text);
            }
            line
        })
        .collect();
    Setting { size, lines, width: width * size }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::clean::clean;

    fn frame(width: f64, lines_max: usize) -> Box {
        Box {
            voice: Voice::Loud,
            width,
            height: 600.0,
            size_max: 100.0,
            size_min: 40.0,
            lines_max,
            leading: 1.2,
            tracking: 0.0,
        }
    }

    fn lines(text: &str, width: f64, lines_max: usize) -> String {
        let fonts = Fonts::system().unwrap();
        fit(&fonts, &clean(text, 500), &frame(width, lines_max)).lines.join("|")
    }

    #[test]
    fn lines_end_where_a_reader_pauses() {
        for (text, expected) in [
            ("朝の一杯が、一日を変える。", "朝の一杯が、|一日を変える。"),
            ("まだ名前のない、明日のために。", "まだ名前のない、|明日のために。"),
            ("Walk further than the map", "Walk further|than the map"),
            ("一言", "一言"),
            ("仕事は、もっと自由でいい。", "仕事は、|もっと自由でいい。"),
        ] {
            assert_eq!(lines(text, 830.0, 4), expected);
        }
    }

    #[test]
    fn no_phrase_is_cut_while_a_smaller_size_holds_it() {
        // Ten characters stand in 430 px only at less than half the largest size.
        let set = lines("コミュニケーションの未来。", 430.0, 4);
        assert_eq!(set, "コミュニケーションの|未来。");
    }

    #[test]
    fn no_line_begins_or_ends_against_the_rules() {
        let forbidden_first = "、。」』）ーっゃゅょッャュョ！？…";
        for text in [
            "超長大複合語超長大複合語超長大複合語超長大複合語っっっ、「それは」本当です。",
            "スーパーウルトラグレートデリシャスワンダフルコーヒー！！！",
            "「はい」、「いいえ」、「わからない」、「ちょっと待って」。",
        ] {
            for width in [200.0, 280.0, 410.0, 777.0] {
                for line in lines(text, width, 8).split('|').skip(1) {
                    let first = line.chars().next().unwrap();
                    assert!(!forbidden_first.contains(first), "{text} at {width}: {line}");
                }
                for line in lines(text, width, 8).split('|') {
                    assert!(!line.ends_with(['「', '（']), "{text} at {width}: {line}");
                }
            }
        }
    }

    #[test]
    fn every_line_fits_and_too_much_text_ends_in_an_ellipsis() {
        let fonts = Fonts::system().unwrap();
        let set = fit(&fonts, &"長い文章です。".repeat(60), &frame(500.0, 3));
        assert_eq!(set.lines.len(), 3);
        assert!(set.lines.last().unwrap().ends_with('…'));
        for line in &set.lines {
            let ems: f64 = fonts.advances(Voice::Loud, line).into_iter().flatten().sum();
            assert!(ems * set.size <= 500.5, "{line} is {} wide", ems * set.size);
        }
    }

    #[test]
    fn characters_without_a_glyph_are_left_out() {
        assert_eq!(lines("\u{1F9FF}春\u{1F9FF}", 500.0, 2), "春");
        assert_eq!(lines("\u{1F9FF}\u{1F9FF}", 500.0, 2), "");
    }
}
