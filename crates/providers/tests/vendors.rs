//! The live drivers against the fakes of their vendors.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on stops")]

#[path = "vendors/support.rs"]
mod support;

#[path = "vendors/answers.rs"]
mod answers;
#[path = "vendors/conversations.rs"]
mod conversations;
#[path = "vendors/faults.rs"]
mod faults;
#[path = "vendors/unreachable.rs"]
mod unreachable;
