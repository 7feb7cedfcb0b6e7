//! Time for providers that simulate it. The shell owns the clock; tests own another.

use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use showrunner_engine::at::{Millis, Timestamp};

/// The clock and the waiting of whoever runs the providers.
#[async_trait]
pub trait Sleeper: Send + Sync + std::fmt::Debug {
    /// What time it is.
    fn now(&self) -> Timestamp;

    /// Returns after this span.
    async fn sleep(&self, span: Millis);
}

/// A clock that stands still until somebody sleeps, and then jumps: no test waits for it.
#[derive(Debug, Default)]
pub struct JumpingClock {
    now_us: AtomicI64,
}

impl JumpingClock {
    /// A clock that shows `now`.
    pub fn at(now: Timestamp) -> Self {
        Self { now_us: AtomicI64::new(now.0) }
    }
}

#[async_trait]
impl Sleeper for JumpingClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.now_us.load(Ordering::Relaxed))
    }

    async fn sleep(&self, span: Millis) {
        let micros = i64::try_from(span.0).unwrap_or(i64::MAX).saturating_mul(1000);
        self.now_us.fetch_add(micros, Ordering::Relaxed);
    }
}
