//! What the proofs share: the built program as a process that can be killed, clients that come
//! back, people who answer, and a reader of the simulator's own books.
#![allow(
    dead_code,
    unused_imports,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::missing_panics_doc,
    reason = "shared by several test programs; a test that cannot go on stops, and says so; what \
              is watched here is a real process in real time"
)]

pub(crate) mod books;
pub(crate) mod check;
pub(crate) mod client;
pub(crate) mod dice;
pub(crate) mod load;
pub(crate) mod people;
pub(crate) mod server;
pub(crate) mod stream;

use std::time::Duration;

use tokio::time::Instant;

/// Looks again until there is something, for at most so long.
pub(crate) async fn until<T>(
    what: &str,
    patience: Duration,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < patience, "waited {patience:?} in vain for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
