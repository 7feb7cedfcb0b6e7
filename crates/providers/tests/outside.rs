//! The outside: the guarded way to it, and who calls back. Every server here is on this machine,
//! on a port that the test's own list allows.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "outside/server.rs"]
mod server;
#[path = "outside/forms.rs"]
mod forms;
#[path = "outside/egress.rs"]
mod egress;
#[path = "outside/callbacks.rs"]
mod callbacks;
