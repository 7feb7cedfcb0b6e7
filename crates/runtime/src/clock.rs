//! Time and randomness, asked for at one place so that a test can hold both.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use showrunner_engine::at::{At, Millis, Timestamp};

/// Where the runtime gets time and randomness from.
#[async_trait]
pub trait Clock: Debug + Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
    /// Comes back at `instant`, at once when it is over.
    async fn sleep_until(&self, instant: Timestamp);
    /// 64 fresh random bits.
    fn random(&self) -> u64;

    /// Comes back after `span`.
    async fn sleep(&self, span: Millis) {
        self.sleep_until(self.now().plus(span)).await;
    }

    /// The present as the engine wants it.
    fn at(&self) -> At {
        At { now: self.now(), seed: self.random() }
    }
}

/// The machine's own clock and randomness.
#[derive(Debug)]
pub struct SystemClock {
    state: parking_lot::Mutex<(i64, u64)>,
}

impl SystemClock {
    /// A clock that never goes backwards, seeded by the operating system.
    ///
    /// # Errors
    /// The operating system gives no randomness.
    pub fn new() -> Result<Self, getrandom::Error> {
        Ok(Self { state: parking_lot::Mutex::new((0, getrandom::u64()?)) })
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place that asks the machine"
        )]
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let micros = now.map_or(0, |span| i64::try_from(span.as_micros()).unwrap_or(i64::MAX));
        let mut state = self.state.lock();
        state.0 = state.0.max(micros);
        Timestamp(state.0)
    }

    async fn sleep_until(&self, instant: Timestamp) {
        let micros = instant.0.saturating_sub(self.now().0);
        if let Ok(micros) = u64::try_from(micros)
            && micros > 0
        {
            tokio::time::sleep(Duration::from_micros(micros)).await;
        }
    }

    fn random(&self) -> u64 {
        // SplitMix64 over an operating-system seed: ids must differ, not be secret.
        let mut state = self.state.lock();
        state.1 = state.1.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state.1;
        drop(state);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// The clock as providers want it, who pace themselves by it.
#[derive(Clone, Debug)]
pub struct Pace(std::sync::Arc<dyn Clock>);

impl Pace {
    /// The pace of this clock.
    pub fn of(clock: std::sync::Arc<dyn Clock>) -> Self {
        Self(clock)
    }

    /// It, to be handed to a provider.
    pub fn sleeper(&self) -> std::sync::Arc<dyn showrunner_providers::Sleeper> {
        std::sync::Arc::new(self.clone())
    }
}

#[async_trait]
impl showrunner_providers::Sleeper for Pace {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    async fn sleep(&self, span: Millis) {
        self.0.sleep(span).await;
    }
}
