//! What has just become durable, for everybody who watches.

use std::sync::Arc;

pub use showrunner_journal::Committed;
use tokio::sync::broadcast;

/// Watchers that fall further behind than this read the journal instead.
const BACKLOG: usize = 1024;

/// The feed. Appends come in the order in which they became durable.
#[derive(Clone, Debug)]
pub struct Feed {
    sender: broadcast::Sender<Arc<Committed>>,
}

impl Default for Feed {
    fn default() -> Self {
        Self { sender: broadcast::Sender::new(BACKLOG) }
    }
}

impl Feed {
    /// Everything from now on. A receiver that lags is told so and reads the journal from its
    /// last number on.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Committed>> {
        self.sender.subscribe()
    }

    /// Tells everybody; costs nothing when nobody watches. The journal's hook calls it.
    pub fn publish(&self, committed: &Committed) {
        if self.sender.receiver_count() > 0 {
            // Nobody left between the two calls: then nobody missed it either.
            let _watchers = self.sender.send(Arc::new(committed.clone()));
        }
    }
}
