//! The pure heart of Showrunner: definitions, run state, decisions. No async, no clock, no
//! randomness, no I/O.
//!
//! [`decide`] says what happens when somebody asks for something, [`fold`] what the run is after
//! it happened, [`due`] what the world must do next.

pub mod id;
pub mod at;
pub mod money;
pub mod failure;
pub mod schema;
pub mod template;
pub mod definition;
pub mod agent;
pub mod turn;
