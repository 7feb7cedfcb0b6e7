#![doc = include_str!("../README.md")]

pub mod id;
pub mod at;
pub mod money;
pub mod failure;
pub mod call;
pub mod schema;
pub mod patch;
pub mod template;
pub mod definition;
pub mod agent;
pub mod turn;
pub mod retry;
pub mod command;
pub mod event;
pub mod refusal;
pub mod run;
pub mod view;
pub mod decide;
pub mod fold;
pub mod due;

pub use decide::{advance, decide};
pub use due::{Effect, due, due_after};
pub use fold::{apply, fold};
