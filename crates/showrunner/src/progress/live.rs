//! The live display: a few lines at the bottom of the terminal, rewritten in place.

use console::Term;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;

use super::lines::{self, Size};
use super::story::Story;
use crate::talk::Talk;

/// Lines that are rewritten.
#[derive(Debug)]
pub(super) struct Screen {
    term: Term,
    area: MultiProgress,
    bars: Vec<ProgressBar>,
    turn: usize,
}

impl Screen {
    /// An empty area on standard error.
    pub(super) fn new() -> Self {
        let term = Term::stderr();
        let area = MultiProgress::with_draw_target(ProgressDrawTarget::term(term.clone(), 20));
        Self { term, area, bars: Vec::new(), turn: 0 }
    }

    /// Draws how the runs stand.
    pub(super) fn draw(&mut self, stories: &[Story], now: Timestamp, talk: &Talk) {
        let (rows, columns) = self.term.size();
        // The last column stays free: some terminals wrap when it is written.
        let size = Size { width: usize::from(columns.saturating_sub(1)), rows: usize::from(rows) };
        let texts = lines::draw(stories, now, self.turn, size, talk);
        self.turn = self.turn.wrapping_add(1);
        while self.bars.len() > texts.len() {
            if let Some(bar) = self.bars.pop() {
                bar.finish_and_clear();
                self.area.remove(&bar);
            }
        }
        for (index, text) in texts.into_iter().enumerate() {
            match self.bars.get(index) {
                Some(bar) => bar.set_message(text),
                None => {
                    let bar = self.area.add(ProgressBar::new_spinner());
                    if let Ok(style) = ProgressStyle::with_template("{msg}") {
                        bar.set_style(style);
                    }
                    bar.set_message(text);
                    self.bars.push(bar);
                },
            }
        }
    }

    /// Takes the lines off the screen.
    pub(super) fn clear(&mut self) {
        for bar in self.bars.drain(..) {
            bar.finish_and_clear();
            self.area.remove(&bar);
        }
        // The cursor is back at the beginning of a line either way.
        drop(self.area.clear());
    }
}
