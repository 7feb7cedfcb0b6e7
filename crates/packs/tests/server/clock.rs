//! A clock that a test moves: short pauses pass by themselves, long ones when they are told to.

use std::time::Duration;

use async_trait::async_trait;
use showrunner_engine::at::{Millis, Timestamp};
use showrunner_runtime::{Clock, SystemClock};
use tokio::sync::watch;

/// Pauses up to this pass by themselves.
const SHORT: Millis = Millis(200);

#[derive(Debug)]
pub(crate) struct MovedClock {
    system: SystemClock,
    moved: watch::Sender<Millis>,
}

impl MovedClock {
    pub(crate) fn new() -> Self {
        Self { system: SystemClock::new().unwrap(), moved: watch::Sender::new(Millis(0)) }
    }

    /// Lets so much time pass for everybody.
    pub(crate) fn advance(&self, span: Millis) {
        self.moved.send_modify(|moved| *moved = Millis(moved.0 + span.0));
    }
}

#[async_trait]
impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        self.system.now().plus(*self.moved.borrow())
    }

    async fn sleep_until(&self, instant: Timestamp) {
        let mut moved = self.moved.subscribe();
        loop {
            let left = instant.millis_since(self.now());
            if instant <= self.now() {
                return;
            }
            if left <= SHORT {
                return tokio::time::sleep(Duration::from_millis(left.0.max(1))).await;
            }
            drop(moved.changed().await);
        }
    }

    fn random(&self) -> u64 {
        self.system.random()
    }
}
