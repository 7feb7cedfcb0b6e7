//! Time that jumps to the next moment at which anything happens.

use async_trait::async_trait;
use parking_lot::Mutex;
use showrunner_engine::at::{Millis, Timestamp};
use showrunner_providers::Sleeper;
use showrunner_runtime::Clock;
use tokio::time::Instant;

/// The clock of a paused tokio runtime, and seeded randomness.
#[derive(Debug)]
pub struct SimClock {
    base: Timestamp,
    started: Instant,
    state: Mutex<u64>,
}

impl SimClock {
    /// A clock that shows `base` now. Must be made inside a paused runtime.
    pub fn new(base: Timestamp, seed: u64) -> Self {
        Self { base, started: Instant::now(), state: Mutex::new(seed) }
    }

    /// What time it is.
    pub fn instant(&self) -> Timestamp {
        let micros = i64::try_from(self.started.elapsed().as_micros()).unwrap_or(i64::MAX);
        Timestamp(self.base.0.saturating_add(micros))
    }
}

#[async_trait]
impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        self.instant()
    }

    async fn sleep_until(&self, instant: Timestamp) {
        let micros = u64::try_from(instant.0.saturating_sub(self.instant().0)).unwrap_or(0);
        if micros > 0 {
            tokio::time::sleep(std::time::Duration::from_micros(micros)).await;
        }
    }

    fn random(&self) -> u64 {
        let mut state = self.state.lock();
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[async_trait]
impl Sleeper for SimClock {
    fn now(&self) -> Timestamp {
        self.instant()
    }

    async fn sleep(&self, span: Millis) {
        tokio::time::sleep(std::time::Duration::from_millis(span.0)).await;
    }
}
