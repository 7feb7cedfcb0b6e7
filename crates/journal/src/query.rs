//! Typed questions, one file a subject, written once for both databases: text with `$n`, four
//! kinds of values, nothing that only one of them understands.

pub mod runs;
pub mod events;
pub mod calls;
pub mod recovery;
pub mod checkpoints;
pub mod assets;
pub mod dead_letters;
pub mod definitions;
pub mod brands;
pub mod tokens;
pub mod cache;
pub mod outbox;
pub mod follow;
pub mod endpoints;
pub mod deliveries;
pub mod callbacks;
pub mod meta;
pub mod home;
pub mod actuals;
