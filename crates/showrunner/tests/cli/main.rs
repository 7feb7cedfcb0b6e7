//! The built program, driven as a person or a script drives it, against a small server that
//! answers what a test says and remembers what it was asked.
#![expect(clippy::unwrap_used, reason = "tests")]
#![expect(clippy::needless_pass_by_value, reason = "a test reads better with json!(…) in the call")]

mod fake;
mod program;

mod usage;
mod reaching;
mod deciding;
mod starting;
mod watching;
mod looking;
mod validating;
mod demo;
mod machine;
mod hooks;
