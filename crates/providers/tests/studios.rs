//! The live drivers of media against the fakes of their vendors.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

#[path = "studios/support.rs"]
mod support;

#[path = "studios/elevenlabs.rs"]
mod elevenlabs;
#[path = "studios/fal.rs"]
mod fal;
#[path = "studios/faults.rs"]
mod faults;
#[path = "studios/openai.rs"]
mod openai;
