//! Whether and when a failed attempt is tried again.

use crate::at::Millis;
use crate::definition::{Backoff, RetryPolicy};
use crate::failure::{Failure, NO_PROVIDER_LEFT};

/// A provider may ask us to wait, but not for ever: at most one hour is honoured.
const RETRY_AFTER_MAX: Millis = Millis::from_secs(3600);

impl RetryPolicy {
    /// No second attempt.
    pub fn never() -> Self {
        Self { attempts_max: 1, ..Self::usual() }
    }

    /// The pause before the next attempt after `tried` failed ones; `None` when it was the last.
    /// `bits` vary the pause.
    pub fn verdict(&self, tried: u32, failure: &Failure, bits: u64) -> Option<Millis> {
        let retried = match self.on.as_slice() {
            [] => failure.class.is_retried_by_default(),
            classes => classes.contains(&failure.class),
        };
        if !retried || tried >= self.attempts_max || failure.code == NO_PROVIDER_LEFT {
            return None;
        }
        let wished = failure.retry_after_ms.map_or(Millis(0), Millis).min(RETRY_AFTER_MAX);
        Some(self.varied(self.pause(tried), bits).max(wished))
    }

    /// The pause after the `tried`th failure, without variation.
    fn pause(&self, tried: u32) -> Millis {
        let factor = match self.backoff {
            Backoff::Linear => u64::from(tried),
            Backoff::Exponential => 1u64.checked_shl(tried.saturating_sub(1)).unwrap_or(u64::MAX),
            Backoff::Fibonacci => fibonacci(tried),
        };
        Millis(self.initial.0.saturating_mul(factor)).min(self.longest)
    }

    fn varied(&self, pause: Millis, bits: u64) -> Millis {
        let width = u128::from(pause.0) * u128::from(self.jitter_permille.min(1000)) / 1000;
        let shift = (u128::from(bits) * (2 * width + 1)) >> 64;
        Millis(u64::try_from(u128::from(pause.0) + shift - width).unwrap_or(pause.0))
    }
}

fn fibonacci(n: u32) -> u64 {
    let (mut a, mut b) = (0u64, 1u64);
    for _ in 0..n {
        (a, b) = (b, a.saturating_add(b));
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::ErrorClass;

    fn pauses(backoff: Backoff) -> Vec<u64> {
        let policy =
            RetryPolicy { attempts_max: 9, backoff, jitter_permille: 0, ..RetryPolicy::usual() };
        let failure = Failure::new(ErrorClass::Transient, "x", "x");
        (1..=9).map_while(|tried| policy.verdict(tried, &failure, 7)).map(|pause| pause.0).collect()
    }

    #[test]
    fn pauses_grow_as_named_and_stop_at_the_longest() {
        assert_eq!(pauses(Backoff::Linear), [1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000]);
        assert_eq!(
            pauses(Backoff::Exponential),
            [1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000]
        );
        assert_eq!(pauses(Backoff::Fibonacci), [1000, 1000, 2000, 3000, 5000, 8000, 13000, 21000]);
    }

    #[test]
    fn jitter_stays_within_its_share() {
        let policy = RetryPolicy { jitter_permille: 250, ..RetryPolicy::usual() };
        let failure = Failure::new(ErrorClass::Network, "x", "x");
        for bits in [0, 1, u64::MAX / 2, u64::MAX] {
            let pause = policy.verdict(1, &failure, bits).unwrap().0;
            assert!((750..=1250).contains(&pause), "{pause}");
        }
    }

    #[test]
    fn a_providers_wish_is_honoured_up_to_an_hour() {
        let policy = RetryPolicy::usual();
        let mut failure = Failure::new(ErrorClass::RateLimited, "x", "x");
        failure.retry_after_ms = Some(90_000);
        assert_eq!(policy.verdict(1, &failure, 0), Some(Millis(90_000)));
        failure.retry_after_ms = Some(u64::MAX);
        assert_eq!(policy.verdict(1, &failure, 0), Some(RETRY_AFTER_MAX));
    }

    #[test]
    fn only_classes_that_may_heal_are_retried() {
        let policy = RetryPolicy::usual();
        for class in ErrorClass::ALL {
            let retried = policy.verdict(1, &Failure::new(class, "x", "x"), 0).is_some();
            assert_eq!(retried, class.is_retried_by_default(), "{class:?}");
        }
        let only_validation = RetryPolicy { on: vec![ErrorClass::Validation], ..policy };
        assert!(
            only_validation
                .verdict(1, &Failure::new(ErrorClass::Validation, "x", "x"), 0)
                .is_some()
        );
        assert!(
            only_validation.verdict(1, &Failure::new(ErrorClass::Network, "x", "x"), 0).is_none()
        );
    }
}
