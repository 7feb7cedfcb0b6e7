//! The screens. Every page is whole without a script; one small script of our own keeps it up to
//! date. No product words: packs bring theirs.

pub mod words;
pub mod shell;
pub mod parts;
mod look;
mod shelf;
mod files;
mod login;
mod home;
mod runs;
mod run;
mod act;
mod definitions;
mod webhooks;

pub use look::{Look, Theme};
pub use words::{Language, Texts, Words, fill};

use crate::Route;

/// The screens in the route table.
pub(crate) fn table() -> Vec<Route> {
    let parts = [
        files::table(),
        look::table(),
        login::table(),
        home::table(),
        runs::table(),
        run::table(),
        act::table(),
        definitions::table(),
        webhooks::table(),
    ];
    parts.into_iter().flatten().collect()
}
