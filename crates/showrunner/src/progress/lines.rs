//! The lines of the live display, as text of a known width: pure, so that tests can read them.

use console::{measure_text_width, truncate_str};
use jiff::{SignedDuration, Timestamp};

use super::story::{Line, Stand, Story};
use crate::talk::{Talk, Tone};

/// One turn of what moves while something happens.
const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
/// Columns of a phase's name.
const PHASE_WIDTH: usize = 12;
/// Columns of the time at the end of a line.
const TIME_WIDTH: usize = 8;
/// The narrowest screen that is drawn for.
const WIDTH_MIN: usize = 40;
/// Live lines at most, whatever the height.
const LINES_MAX: usize = 12;

/// The size of the screen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    /// Columns.
    pub(super) width: usize,
    /// Rows.
    pub(super) rows: usize,
}

/// All lines for `stories` at one instant; `turn` moves the spinner.
pub(super) fn draw(
    stories: &[Story],
    now: Timestamp,
    turn: usize,
    size: Size,
    talk: &Talk,
) -> Vec<String> {
    let width = size.width;
    let open = || stories.iter().filter(|story| !story.is_told);
    let mut lines: Vec<String> =
        open().flat_map(|story| block(story, now, turn, width, talk)).collect();
    if lines.is_empty() {
        return lines;
    }
    let room = size.rows.saturating_sub(6).clamp(3, LINES_MAX * open().count().max(1));
    if lines.len() > room {
        let hidden = lines.len() - (room - 1);
        lines.truncate(room - 1);
        lines.push(talk.tint(Tone::Dim, &format!("  … {hidden} more lines")));
    }
    let footer = "  ctrl-c detaches (the run goes on)";
    lines.push(talk.tint(Tone::Dim, &clip(footer, width.max(WIDTH_MIN))));
    lines
}

/// The lines of one run.
pub(super) fn block(
    story: &Story,
    now: Timestamp,
    turn: usize,
    width: usize,
    talk: &Talk,
) -> Vec<String> {
    let width = width.max(WIDTH_MIN);
    let mut lines = vec![head(story, now, width, talk)];
    let mut phases: Vec<&str> = story.run.phases.iter().map(|phase| phase.id.as_str()).collect();
    for line in &story.lines {
        if !phases.contains(&line.phase.as_str()) {
            phases.push(&line.phase);
        }
    }
    for phase in phases {
        let steps: Vec<&Line> = story.lines.iter().filter(|line| line.phase == phase).collect();
        if !steps.is_empty() {
            let name = phase_name(story, phase, talk.language());
            lines.push(phase_line(&name, &steps, now, Frame { turn, width }, talk));
        }
    }
    if let Some(question) = &story.question {
        let text = format!("  ✋ {question}  → showrunner approve {}", short_id(&story.run.id));
        lines.push(talk.tint(Tone::Warn, &clip(&text, width)));
    }
    lines
}

#[derive(Clone, Copy)]
struct Frame {
    turn: usize,
    width: usize,
}

fn head(story: &Story, now: Timestamp, width: usize, talk: &Talk) -> String {
    let time = story.elapsed(now).map(clock).unwrap_or_default();
    let spent = money(story.run.cost_micros);
    let cost = match story.run.budget.as_ref().and_then(|budget| budget.usd) {
        Some(limit) => format!("{spent} / {}", dollars(limit)),
        None => spent,
    };
    let simulated = if story.run.simulated { "   simulated" } else { "" };
    let (state, tone) = state(story);
    let right = format!("{time}   {cost}{simulated}");
    let middle = format!("   {}   ▸ {state}", short_id(&story.run.id));
    let room = width.saturating_sub(measure_text_width(&right) + measure_text_width(&middle) + 2);
    let title = clip(story.title(), room.max(8));
    let used = measure_text_width(&title) + measure_text_width(&middle);
    let gap = width.saturating_sub(used + measure_text_width(&right)).max(2);
    let left = format!(
        "{}   {}   {}",
        talk.tint(Tone::Strong, &title),
        talk.tint(Tone::Dim, &short_id(&story.run.id)),
        talk.tint(tone, &format!("▸ {state}"))
    );
    clip(&format!("{left}{}{right}", " ".repeat(gap)), width)
}

fn state(story: &Story) -> (&str, Tone) {
    match story.run.status.as_str() {
        "waiting" if story.question.is_some() || story.open_question().is_some() => {
            ("waiting on you", Tone::Warn)
        },
        "completed" | "delivered" => (&story.run.status, Tone::Good),
        "failed" | "cancelled" => (&story.run.status, Tone::Bad),
        "paused" => ("paused", Tone::Warn),
        status => (status, Tone::Strong),
    }
}

fn phase_line(name: &str, steps: &[&Line], now: Timestamp, frame: Frame, talk: &Talk) -> String {
    let texts: Vec<String> = steps.iter().map(|line| step_text(line, frame.turn, talk)).collect();
    let time = phase_time(steps, now).map(span).unwrap_or_default();
    let room = frame.width.saturating_sub(PHASE_WIDTH + 3 + TIME_WIDTH);
    let steps = pad(&clip(&texts.join("  "), room), room);
    let time = " ".repeat(TIME_WIDTH.saturating_sub(measure_text_width(&time))) + &time;
    let name = pad(&clip(name, PHASE_WIDTH), PHASE_WIDTH);
    format!("  {} {steps}{}", talk.tint(Tone::Dim, &name), talk.tint(Tone::Dim, &time))
}

fn step_text(line: &Line, turn: usize, talk: &Talk) -> String {
    let note = if line.note.is_empty() { String::new() } else { format!(" ({})", line.note) };
    let text = format!("{}{note}", line.label);
    match line.stand {
        Stand::Ahead => talk.tint(Tone::Dim, &format!("· {text}")),
        Stand::Busy => {
            let sign = SPINNER.get(turn % SPINNER.len()).copied().unwrap_or("*");
            format!("{} {}", talk.tint(Tone::Strong, sign), talk.tint(Tone::Strong, &text))
        },
        Stand::Asks => talk.tint(Tone::Warn, &format!("✋ {text}")),
        Stand::Waits => format!("{} {text}", talk.tint(Tone::Warn, "◷")),
        Stand::Done => format!("{} {text}", talk.tint(Tone::Good, "✓")),
        Stand::Failed => talk.tint(Tone::Bad, &format!("✗ {text}")),
        Stand::Out => talk.tint(Tone::Dim, &format!("– {text}")),
    }
}

/// From the first step's beginning to the last one's end, or to now while one is under way.
fn phase_time(steps: &[&Line], now: Timestamp) -> Option<SignedDuration> {
    let from = steps.iter().filter_map(|line| line.started_at).min()?;
    let is_open = steps.iter().any(|line| {
        line.started_at.is_some() && matches!(line.stand, Stand::Busy | Stand::Asks | Stand::Waits)
    });
    let until = if is_open { now } else { steps.iter().filter_map(|line| line.ended_at).max()? };
    Some(until.duration_since(from))
}

fn phase_name(story: &Story, phase: &str, language: &str) -> String {
    let known = story.run.phases.iter().find(|known| known.id == phase);
    let label = known.and_then(|known| known.label.as_ref()).map(|label| label.text(language));
    label.unwrap_or(phase).to_owned()
}

/// A run's id, short enough for a line and long enough to be typed back.
pub(crate) fn short_id(run: &str) -> String {
    run.get(..18).unwrap_or(run).to_owned()
}

/// Cuts a text to a width in columns; CJK characters count two.
pub(crate) fn clip(text: &str, width: usize) -> String {
    truncate_str(text, width, "…").into_owned()
}

fn pad(text: &str, width: usize) -> String {
    let gap = width.saturating_sub(measure_text_width(text));
    format!("{text}{}", " ".repeat(gap))
}

/// Millionths of a dollar as dollars; small sums keep four digits.
pub(crate) fn money(micros: i64) -> String {
    let (sign, size) =
        if micros < 0 { ("-", micros.unsigned_abs()) } else { ("", micros.unsigned_abs()) };
    let (whole, rest) = (size / 1_000_000, size % 1_000_000);
    let cents = format!("{sign}${whole}.{:02}", rest / 10_000);
    match rest % 10_000 {
        0 => cents,
        _ => format!("{sign}${whole}.{:04}", rest / 100),
    }
}

/// Dollars as the API's number says them.
pub(crate) fn dollars(usd: f64) -> String {
    format!("${usd:.2}")
}

/// A span as `0:05`, `3:41`, `2:03:41`.
pub(crate) fn span(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

fn clock(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
#[path = "lines/tests.rs"]
mod tests;
