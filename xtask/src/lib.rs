//! Tidy: what this repository promises about itself, held by tests.
//!
//! `cargo test -p xtask` reads the tracked files and fails with where, what and what to do. Every
//! check is a function from a [`Tree`] to [`Offence`]s, so that its own test can show it a tree
//! that is wrong. Old offenders are listed in `xtask/ratchet.txt`: they may shrink, never grow.

pub mod tree;
pub mod rust;
pub mod ratchet;
pub mod checks;

pub use tree::{Offence, Tree};
