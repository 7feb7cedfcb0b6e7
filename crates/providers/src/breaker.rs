//! Circuit breakers: a provider that does not answer is left alone for a while, by all runs.
//!
//! Pure: time comes in as a value, and what comes out can be stored and taken up again.

use serde::{Deserialize, Serialize};
use showrunner_engine::at::{Millis, Timestamp};
use showrunner_engine::failure::{ErrorClass, Failure};

/// So many failures one after the other open the circuit.
pub const FAILURES_MAX: u32 = 5;
/// How long it stays open the first time; doubled each time the probe after it fails.
const OPEN_FIRST: Millis = Millis::from_secs(15);
/// The longest it stays open without having been asked to.
const OPEN_LONGEST: Millis = Millis::from_secs(600);
/// How long a provider that limits our rate is left alone where it does not say.
const COOL_DOWN: Millis = Millis::from_secs(5);
/// How long a provider whose quota is used up is left alone where it does not say.
const QUOTA_PAUSE: Millis = Millis::from_secs(900);
/// No provider is left alone for longer, whatever it asks for.
const ASKED_LONGEST: Millis = Millis::from_secs(3_600);
/// A probe that has not reported for so long is taken for lost, and another one may go.
const PROBE_LONGEST: Millis = Millis::from_secs(120);

/// The circuit of one provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breaker {
    /// Failures since the last success.
    pub failures: u32,
    /// How often it opened since the last success.
    pub trips: u32,
    /// Until when nobody calls.
    pub open_until: Option<Timestamp>,
    /// Since when somebody finds out whether it answers again.
    pub probing_since: Option<Timestamp>,
    /// Why it was opened, for people.
    pub reason: Option<String>,
}

/// Where a circuit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Circuit {
    /// Calls go through.
    Closed,
    /// Nobody calls.
    Open,
    /// One call finds out whether it answers again.
    HalfOpen,
}

impl Circuit {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

impl Breaker {
    /// Where it stands.
    pub fn circuit(&self, now: Timestamp) -> Circuit {
        match self.open_until {
            None => Circuit::Closed,
            Some(until) if until > now => Circuit::Open,
            Some(_) => Circuit::HalfOpen,
        }
    }

    /// Lets a call through.
    ///
    /// # Errors
    /// When to ask again: the circuit is open, or somebody else is finding out.
    pub fn admit(&mut self, now: Timestamp) -> Result<(), Timestamp> {
        match (self.open_until, self.probing_since) {
            (None, _) => Ok(()),
            (Some(until), _) if until > now => Err(until),
            (Some(_), Some(since)) if since.plus(PROBE_LONGEST) > now => {
                Err(now.plus(Millis::from_secs(1)))
            },
            (Some(_), _) => {
                self.probing_since = Some(now);
                Ok(())
            },
        }
    }

    /// The provider answered. Returns whether that closed the circuit.
    pub fn succeeded(&mut self) -> bool {
        let was_open = self.open_until.is_some();
        *self = Self::default();
        was_open
    }

    /// The provider failed. Returns whether that opened the circuit.
    pub fn failed(&mut self, failure: &Failure, now: Timestamp) -> bool {
        let asked = failure.retry_after_ms.map(|millis| Millis(millis).min(ASKED_LONGEST));
        let pause = match failure.class {
            ErrorClass::RateLimited => asked.unwrap_or(COOL_DOWN),
            ErrorClass::QuotaExceeded => asked.unwrap_or(QUOTA_PAUSE),
            ErrorClass::Provider
            | ErrorClass::Transient
            | ErrorClass::Network
            | ErrorClass::Timeout => match self.counted() {
                Some(pause) => pause,
                None => return false,
            },
            // It answered; what was asked was wrong, or nobody wanted it any more.
            ErrorClass::Validation
            | ErrorClass::Internal
            | ErrorClass::Budget
            | ErrorClass::Cancelled
            | ErrorClass::Rejected => {
                self.probing_since = None;
                return false;
            },
        };
        self.open_until = Some(now.plus(pause));
        self.probing_since = None;
        self.reason = Some(failure.message.clone());
        true
    }

    /// Counts a failure; how long to leave the provider alone when it was one too many.
    fn counted(&mut self) -> Option<Millis> {
        self.failures = self.failures.saturating_add(1);
        let was_probe = self.probing_since.is_some();
        if self.failures < FAILURES_MAX && !was_probe {
            return None;
        }
        let doubled = 1u64.checked_shl(self.trips).unwrap_or(u64::MAX);
        self.trips = self.trips.saturating_add(1);
        Some(Millis(OPEN_FIRST.0.saturating_mul(doubled)).min(OPEN_LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * 1_000_000)
    }

    fn failure(class: ErrorClass) -> Failure {
        Failure::new(class, "test", "it does not answer")
    }

    #[test]
    fn five_failures_in_a_row_open_it_and_a_probe_closes_it() {
        let mut breaker = Breaker::default();
        for second in 0..4 {
            assert!(!breaker.failed(&failure(ErrorClass::Network), at(second)));
        }
        assert_eq!(breaker.admit(at(4)), Ok(()));
        assert!(breaker.failed(&failure(ErrorClass::Timeout), at(4)));
        assert_eq!(breaker.circuit(at(5)), Circuit::Open);
        assert_eq!(breaker.admit(at(5)), Err(at(19)));
        assert_eq!(breaker.admit(at(19)), Ok(()), "one finds out");
        assert_eq!(breaker.circuit(at(19)), Circuit::HalfOpen);
        assert_eq!(breaker.admit(at(20)), Err(at(21)), "and only one");
        assert!(breaker.failed(&failure(ErrorClass::Transient), at(20)), "one failure is enough");
        assert_eq!(breaker.admit(at(49)), Err(at(50)), "left alone for twice as long");
        assert_eq!(breaker.admit(at(50)), Ok(()));
        assert!(breaker.succeeded());
        assert_eq!(breaker, Breaker::default());
    }

    #[test]
    fn a_success_in_between_forgets_failures() {
        let mut breaker = Breaker::default();
        for second in 0..40 {
            assert!(!breaker.failed(&failure(ErrorClass::Transient), at(second)));
            if second % 4 == 3 {
                assert!(!breaker.succeeded());
            }
        }
    }

    #[test]
    fn limits_and_quotas_open_it_at_once_for_as_long_as_asked() {
        let mut breaker = Breaker::default();
        let mut limited = failure(ErrorClass::RateLimited);
        assert!(breaker.failed(&limited, at(0)));
        assert_eq!(breaker.admit(at(4)), Err(at(5)));
        limited.retry_after_ms = Some(30_000);
        assert!(breaker.failed(&limited, at(10)));
        assert_eq!(breaker.admit(at(10)), Err(at(40)));
        limited.retry_after_ms = Some(u64::MAX);
        assert!(breaker.failed(&limited, at(50)));
        assert_eq!(breaker.admit(at(50)), Err(at(3_650)), "but not for ever");
        assert!(breaker.failed(&failure(ErrorClass::QuotaExceeded), at(60)));
        assert_eq!(breaker.admit(at(60)), Err(at(960)));
    }

    #[test]
    fn a_wrong_order_is_not_the_providers_fault() {
        let mut breaker = Breaker::default();
        for second in 0..20 {
            assert!(!breaker.failed(&failure(ErrorClass::Validation), at(second)));
        }
        assert_eq!(breaker.circuit(at(20)), Circuit::Closed);
    }

    #[test]
    fn a_lost_probe_makes_room_for_another() {
        let mut breaker = Breaker::default();
        assert!(breaker.failed(&failure(ErrorClass::QuotaExceeded), at(0)));
        assert_eq!(breaker.admit(at(900)), Ok(()));
        assert!(breaker.admit(at(1_000)).is_err());
        assert_eq!(breaker.admit(at(1_020)), Ok(()));
    }

    #[test]
    fn it_survives_being_stored() {
        let mut breaker = Breaker::default();
        assert!(breaker.failed(&failure(ErrorClass::QuotaExceeded), at(0)));
        let text = serde_json::to_string(&breaker).unwrap();
        assert_eq!(serde_json::from_str::<Breaker>(&text).unwrap(), breaker);
    }
}
