//! What has just become durable, for everybody who watches.

use std::sync::Arc;

use showrunner_engine::at::Timestamp;
use showrunner_engine::id::{OrgId, RunId};
use tokio::sync::broadcast;

/// Watchers that fall further behind than this read the journal instead.
const BACKLOG: usize = 1024;

/// One durable append, as watchers see it.
#[derive(Clone, Debug)]
pub struct Committed {
    /// Whose.
    pub org: OrgId,
    /// Which run.
    pub run: RunId,
    /// Number of its first event.
    pub seq_first: u64,
    /// Number of its last event.
    pub seq_last: u64,
    /// When.
    pub at: Timestamp,
    /// The events as a JSON list, as stored.
    pub body: Arc<str>,
    /// Where the run stands after it.
    pub status: &'static str,
}

/// The feed. Events come in the order in which they became durable.
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

    /// Tells everybody; costs nothing when nobody watches.
    pub(crate) fn publish(&self, committed: impl FnOnce() -> Committed) {
        if self.sender.receiver_count() > 0 {
            // Nobody left between the two calls: then nobody missed it either.
            let _watchers = self.sender.send(Arc::new(committed()));
        }
    }
}
