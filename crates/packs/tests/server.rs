//! The whole server in this process: a real journal in a temporary folder, the runtime, the
//! scripted model at no latency, pictures and films made here, and the packs on top.

#![expect(clippy::unwrap_used, reason = "tests")]
#![expect(clippy::needless_raw_string_hashes, reason = "as expect-test writes them")]

#[path = "server/support.rs"]
mod support;
#[path = "server/requests.rs"]
mod requests;
#[path = "server/films.rs"]
mod films;
#[path = "server/generic.rs"]
mod generic;
#[path = "server/table.rs"]
mod table;
#[path = "server/hostile.rs"]
mod hostile;
#[path = "server/access.rs"]
mod access;
#[path = "server/live.rs"]
mod live;
#[path = "server/pages.rs"]
mod pages;
#[path = "server/clock.rs"]
mod clock;
#[path = "server/receiver.rs"]
mod receiver;
#[path = "server/webhooks.rs"]
mod webhooks;
#[path = "server/callbacks.rs"]
mod callbacks;
#[path = "server/forged.rs"]
mod forged;
#[path = "server/dlq.rs"]
mod dlq;
#[path = "server/estimates.rs"]
mod estimates;
#[path = "server/crowd.rs"]
mod crowd;
