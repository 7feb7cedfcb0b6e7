//! The engine as stories: every step kind and every command, read from top to bottom.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

#[path = "support/harness.rs"]
mod harness;

#[path = "stories/agent.rs"]
mod agent;
#[path = "stories/failure.rs"]
mod failure;
#[path = "stories/gates.rs"]
mod gates;
#[path = "stories/people.rs"]
mod people;
#[path = "stories/rounds.rs"]
mod rounds;

use harness::story::check;
