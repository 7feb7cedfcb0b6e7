//! The time axis of a run. People take hours where agents take seconds: drawn to scale the work
//! would vanish. So the time in which nothing happens but waiting for a person is drawn short.

use showrunner_engine::at::Timestamp;
use showrunner_engine::definition::StepKind;
use showrunner_engine::run::{Run, StepNo};

/// The width of the axis in units of the drawing.
pub(super) const AXIS: u64 = 1000;
/// A wait for a person takes at most this share of the axis: one part in so many.
const WAIT_SHARE: u64 = 6;

/// From instants to places on the axis.
#[derive(Debug)]
pub(super) struct Scale {
    start: Timestamp,
    /// Waits for people in order: from, to, and how many milliseconds of it are not drawn.
    waits: Vec<(Timestamp, Timestamp, u64)>,
    whole: u64,
}

impl Scale {
    /// The scale of a run as it stands at `now`.
    pub(super) fn of(run: &Run, now: Timestamp) -> Self {
        let end = run.ended_at.unwrap_or(now);
        let mut waits: Vec<(Timestamp, Timestamp)> =
            (0..).take(run.steps.len()).filter_map(|no| waiting(run, no, end)).collect();
        waits.sort();
        // Two that overlap are one.
        waits.dedup_by(|later, earlier| {
            let overlaps = later.0 < earlier.1;
            if overlaps {
                earlier.1 = earlier.1.max(later.1);
            }
            overlaps
        });
        let all = end.millis_since(run.started_at).0;
        let waited: u64 = waits.iter().map(|(from, to)| to.millis_since(*from).0).sum();
        let drawn = all.saturating_sub(waited).max(1_000) / WAIT_SHARE;
        let shortened = |(from, to): (Timestamp, Timestamp)| {
            (from, to, to.millis_since(from).0.saturating_sub(drawn))
        };
        let waits: Vec<_> = waits.into_iter().map(shortened).collect();
        let hidden: u64 = waits.iter().map(|(_, _, hidden)| hidden).sum();
        Self { start: run.started_at, waits, whole: all.saturating_sub(hidden).max(1) }
    }

    /// Where an instant is drawn.
    pub(super) fn place(&self, at: Timestamp) -> u64 {
        let hidden: u64 = self.waits.iter().map(|wait| hidden_before(*wait, at)).sum();
        let ms = at.millis_since(self.start).0.saturating_sub(hidden);
        (ms.saturating_mul(AXIS) / self.whole).min(AXIS)
    }
}

/// How much of a wait that is not drawn lies before an instant, evenly spread over it.
fn hidden_before((from, to, hidden): (Timestamp, Timestamp, u64), at: Timestamp) -> u64 {
    let length = to.millis_since(from).0.max(1);
    let passed = at.millis_since(from).0.min(length);
    let share = u128::from(hidden) * u128::from(passed) / u128::from(length);
    u64::try_from(share).unwrap_or(u64::MAX)
}

/// The time of a checkpoint in which no agent worked.
fn waiting(run: &Run, no: StepNo, end: Timestamp) -> Option<(Timestamp, Timestamp)> {
    let step = run.step(no);
    if !matches!(run.def(no).kind, StepKind::Checkpoint(_)) {
        return None;
    }
    let (from, to) = (step.started_at?, step.ended_at.unwrap_or(end));
    let works = |other: StepNo| {
        let step = run.step(other);
        let is_agent = matches!(run.def(other).kind, StepKind::Agent(_));
        let overlaps = step
            .started_at
            .is_some_and(|began| began < to && step.ended_at.is_none_or(|ended| ended > from));
        is_agent && overlaps
    };
    let is_still = !(0..).take(run.steps.len()).any(works);
    is_still.then_some((from, to))
}
