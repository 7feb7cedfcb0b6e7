//! What the terminal can do.

use std::io::{IsTerminal, stderr, stdin};

use super::{Colour, Lang};

/// What the terminal can do, found out once.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "four facts that do not depend on one another")]
pub(crate) struct Terminal {
    /// Colour may be used on standard error.
    pub(crate) has_colour: bool,
    /// Lines on standard error may be rewritten.
    pub(crate) is_live: bool,
    /// Somebody sits at it who can be asked.
    pub(crate) can_ask: bool,
    /// They read Japanese.
    pub(crate) is_japanese: bool,
}

impl Terminal {
    /// Looks at the streams and at NO_COLOR, CI, TERM and the locale.
    pub(crate) fn look(colour: Colour, lang: Option<Lang>) -> Self {
        let is_screen = stderr().is_terminal();
        let is_dumb = said("TERM").is_some_and(|term| term == "dumb");
        let is_ci = said("CI").is_some();
        let has_colour = match colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => is_screen && !is_dumb && said("NO_COLOR").is_none(),
        };
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(said);
        Self {
            has_colour,
            is_live: is_screen && !is_dumb && !is_ci,
            can_ask: is_screen && !is_ci && stdin().is_terminal(),
            is_japanese: match lang {
                Some(lang) => lang == Lang::Ja,
                None => locale.is_some_and(|locale| locale.starts_with("ja")),
            },
        }
    }
}

/// An environment variable that is set to something.
pub(super) fn said(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
