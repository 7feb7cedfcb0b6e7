//! The live display: a few lines at the bottom of the terminal, rewritten in place.

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;

use super::lines::{self, Size};
use super::story::Story;
use crate::talk::Talk;

/// Rewrites a second at most.
const HERTZ: u8 = 20;

/// Lines that are rewritten.
#[derive(Debug)]
pub(super) struct Screen {
    term: Term,
    /// All lines at once, so that one writing changes them all; none while nothing is shown.
    area: Option<ProgressBar>,
    turn: usize,
}

impl Screen {
    /// An empty area on standard error.
    pub(super) fn new() -> Self {
        Self { term: Term::stderr(), area: None, turn: 0 }
    }

    /// Draws how the runs stand.
    pub(super) fn draw(&mut self, stories: &[Story], now: Timestamp, talk: &Talk) {
        let texts = lines::draw(stories, now, self.turn, self.size(), talk);
        self.turn = self.turn.wrapping_add(1);
        let text = texts.join("\n");
        let area = self.area.get_or_insert_with(|| area(self.term.clone()));
        if area.message() != text {
            area.set_message(text);
        }
    }

    /// The last picture of a run, as lines that stay.
    pub(super) fn last(&self, story: &Story, now: Timestamp, talk: &Talk) -> Vec<String> {
        lines::block(story, now, self.turn, self.size().width, talk)
    }

    /// Takes the lines off the screen.
    pub(super) fn clear(&mut self) {
        if let Some(area) = self.area.take() {
            area.finish_and_clear();
        }
    }

    fn size(&self) -> Size {
        let (rows, columns) = self.term.size();
        // The last column stays free: some terminals wrap when it is written.
        Size { width: usize::from(columns.saturating_sub(1)), rows: usize::from(rows) }
    }
}

fn area(term: Term) -> ProgressBar {
    let target = ProgressDrawTarget::term(term, HERTZ);
    let area = ProgressBar::with_draw_target(None, target);
    if let Ok(style) = ProgressStyle::with_template("{msg}") {
        area.set_style(style);
    }
    area
}
