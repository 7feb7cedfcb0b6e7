//! What to do after a try.

use showrunner_engine::at::{Millis, Timestamp};
use showrunner_journal::query::deliveries::Verdict;

/// The pauses after the first, second … failure; after the last one a message is given up. The
/// table of Standard Webhooks 1.0.0: now, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.
pub const RETRY_PAUSES: [Millis; 9] = [
    Millis::from_secs(5),
    Millis::from_secs(5 * 60),
    Millis::from_secs(30 * 60),
    Millis::from_secs(2 * 3600),
    Millis::from_secs(5 * 3600),
    Millis::from_secs(10 * 3600),
    Millis::from_secs(14 * 3600),
    Millis::from_secs(20 * 3600),
    Millis::from_secs(24 * 3600),
];
/// An endpoint at which nothing has arrived for so long is disabled.
pub(super) const FAILING_MAX: Millis = Millis::from_secs(5 * 24 * 3600);
/// An endpoint that is too busy is left alone for so long where it does not say how long.
const BUSY_PAUSE: Millis = Millis::from_secs(5);

/// What came of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// An answer, with this status and `Retry-After`.
    Answer(u16, Option<Millis>),
    /// No answer.
    Nothing,
    /// It must not be asked at all.
    Refused,
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Next {
    /// With this message.
    pub(super) verdict: Verdict,
    /// Leave the endpoint alone until then.
    pub(super) hold_until: Option<Timestamp>,
    /// The endpoint wants no more.
    pub(super) is_gone: bool,
}

/// What to do after try `no`, counted from 1. `dice` are random bits: whoever failed together
/// should not come back together.
pub(super) fn next(came: Came, no: u32, now: Timestamp, dice: u64) -> Next {
    let done = |verdict| Next { verdict, hold_until: None, is_gone: false };
    let (status, asked) = match came {
        Came::Answer(200..=299, _) => return done(Verdict::Delivered),
        Came::Answer(410, _) => return Next { is_gone: true, ..done(Verdict::GivenUp) },
        Came::Refused => return done(Verdict::GivenUp),
        Came::Answer(status, asked) => (Some(status), asked),
        Came::Nothing => (None, None),
    };
    let is_busy = matches!(status, Some(429 | 502 | 503 | 504));
    let hold = asked.or_else(|| is_busy.then_some(BUSY_PAUSE)).filter(|_| is_busy);
    let hold_until = hold.map(|span| now.plus(span));
    let place = usize::try_from(no.saturating_sub(1)).unwrap_or(usize::MAX);
    let Some(pause) = RETRY_PAUSES.get(place) else {
        return Next { hold_until, ..done(Verdict::GivenUp) };
    };
    // Up to a tenth longer.
    let longer = Millis(pause.0 + (pause.0 / 10).saturating_mul(dice % 1024) / 1024);
    let at = now.plus(longer.max(asked.unwrap_or_default()));
    Next { hold_until, ..done(Verdict::Again(at)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000_000);

    fn verdict(came: Came, no: u32) -> Verdict {
        next(came, no, NOW, 0).verdict
    }

    fn secs(secs: u64) -> Verdict {
        Verdict::Again(NOW.plus(Millis::from_secs(secs)))
    }

    #[test]
    fn only_2xx_has_arrived() {
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(verdict(Came::Answer(status, None), 1), Verdict::Delivered, "{status}");
        }
        for status in [100, 199, 300, 301, 302, 307, 400, 401, 404, 409, 429, 500, 503] {
            assert_eq!(verdict(Came::Answer(status, None), 1), secs(5), "{status}");
        }
        assert_eq!(verdict(Came::Nothing, 1), secs(5));
        assert_eq!(verdict(Came::Refused, 1), Verdict::GivenUp);
        let gone = next(Came::Answer(410, None), 1, NOW, 0);
        assert_eq!((gone.verdict, gone.is_gone), (Verdict::GivenUp, true));
    }

    #[test]
    fn pauses_grow_by_the_table_and_end() {
        let table = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];
        for (no, pause) in (1..).zip(table) {
            assert_eq!(verdict(Came::Nothing, no), secs(pause), "{no}");
        }
        assert_eq!(verdict(Came::Nothing, 10), Verdict::GivenUp);
    }

    #[test]
    fn nobody_comes_back_earlier_than_asked_or_much_later_than_planned() {
        let asked = Some(Millis::from_secs(60));
        assert_eq!(verdict(Came::Answer(429, asked), 1), secs(60));
        assert_eq!(verdict(Came::Answer(503, asked), 2), secs(300), "the table is longer");
        let busy = next(Came::Answer(429, asked), 1, NOW, 0);
        assert_eq!(busy.hold_until, Some(NOW.plus(Millis::from_secs(60))));
        assert_eq!(next(Came::Answer(500, asked), 1, NOW, 0).hold_until, None);
        assert!(next(Came::Answer(504, None), 1, NOW, 0).hold_until.is_some());
        for dice in [0, 1, 511, 1023, u64::MAX] {
            let Verdict::Again(at) = next(Came::Nothing, 2, NOW, dice).verdict else {
                panic!("not given up yet")
            };
            let pause = at.millis_since(NOW);
            assert!((300_000..=330_000).contains(&pause.0), "{pause:?}");
        }
    }
}
