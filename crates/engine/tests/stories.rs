//! The engine as stories: every step kind and every command, read from top to bottom.
#![expect(clippy::expect_used, reason = "tests")]
#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]
#![expect(clippy::too_many_lines, reason = "a story is as long as it is")]

#[path = "support/harness.rs"]
mod harness;

#[path = "stories/agent.rs"]
mod agent;
#[path = "stories/course.rs"]
mod course;
#[path = "stories/failure.rs"]
mod failure;
#[path = "stories/gates.rs"]
mod gates;
#[path = "stories/money.rs"]
mod money;
#[path = "stories/people.rs"]
mod people;
#[path = "stories/rounds.rs"]
mod rounds;
#[path = "stories/time.rs"]
mod time;

use harness::story::check;
