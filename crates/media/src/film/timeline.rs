//! Which picture is seen when.

use crate::{film::script::Script, num::count};

/// A shot longer than this is followed by another view of the same scene, in seconds.
const SHOT_MAX: f64 = 8.0;
/// A shot shorter than this before the closing card is not worth its cut.
const SHOT_MIN: f64 = 2.2;
/// Films shorter than this have no closing card: it would take too much of them.
const CARD_FROM: f64 = 6.0;

/// What a shot carries.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Plain,
    /// The title stands on it until this moment, and fades.
    Titled(f64),
    /// The closing card.
    Card,
}

/// One picture with a camera on it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shot {
    pub(super) scene: usize,
    /// Which view of the scene.
    pub(super) view: usize,
    pub(super) kind: Kind,
    /// Seconds.
    pub(super) from: f64,
    pub(super) to: f64,
}

/// The shots of a film, end to end.
pub(super) fn shots(script: &Script) -> Vec<Shot> {
    let mut shots = Vec::new();
    for (scene, (from, to)) in script.spans().into_iter().enumerate() {
        let views = crate::num::whole(((to - from) / SHOT_MAX).ceil(), 100).max(1);
        let length = (to - from) / f64::from(views);
        for view in 0..views {
            let from = from + length * f64::from(view);
            let view = usize::try_from(view).unwrap_or(0);
            shots.push(Shot { scene, view, kind: Kind::Plain, from, to: from + length });
        }
    }
    if let Some(first) = shots.first_mut().filter(|_| !script.hook.is_empty()) {
        let length = first.to - first.from;
        first.kind = Kind::Titled((length * 0.62).clamp(length.min(1.4), 3.4));
    }
    let has_card = !(script.call_to_action.is_empty() && script.brand.is_empty());
    if has_card && script.seconds >= CARD_FROM {
        let length = (script.seconds * 0.14).clamp(1.6, 3.6);
        close(&mut shots, script.seconds - length, script.seconds);
    }
    shots
}

/// Ends the shots with a card; what would begin after it or just before is not begun.
fn close(shots: &mut Vec<Shot>, from: f64, to: f64) {
    while shots.len() > 1 && shots.last().is_some_and(|last| last.from > from - SHOT_MIN) {
        shots.pop();
    }
    let Some(last) = shots.last_mut() else { return };
    last.to = from;
    let (scene, view) = (last.scene, last.view + 1);
    shots.push(Shot { scene, view, kind: Kind::Card, from, to });
}

/// Where in the list the moment is, and how much of the next shot is seen already (0..1).
pub(super) fn seen_at(shots: &[Shot], at: f64, fade: f64) -> (usize, f64) {
    let last = shots.len().saturating_sub(1);
    let now = shots.iter().position(|shot| at < shot.to - fade / 2.0).unwrap_or(last);
    // Within the fade around a cut, the shot before it is the one that `now` follows.
    let Some(before) = now.checked_sub(1) else { return (now, 0.0) };
    let cut = shots.get(before).map_or(0.0, |shot| shot.to);
    let share = (at - (cut - fade / 2.0)) / fade;
    if share < 1.0 { (before, ease(share)) } else { (now, 0.0) }
}

/// 0..1 without a jolt at either end.
pub(super) fn ease(share: f64) -> f64 {
    let share = share.clamp(0.0, 1.0);
    share * share * (3.0 - 2.0 * share)
}

/// How much something is there that comes and goes: 0 outside, 1 within, straight between.
pub(super) fn presence(at: f64, (from, to): (f64, f64), fade: f64) -> f64 {
    let fade = fade.min((to - from) / 2.0).max(0.001);
    ((at - from) / fade).min((to - at) / fade).clamp(0.0, 1.0)
}

/// Shares a span out by weights.
pub(super) fn divide((from, to): (f64, f64), weights: &[usize]) -> Vec<(f64, f64)> {
    let total = count(weights.iter().sum::<usize>().max(1));
    let mut at = from;
    let mut spans = Vec::with_capacity(weights.len());
    for weight in weights {
        let end = at + (to - from) * count(*weight) / total;
        spans.push((at, end));
        at = end;
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shot(from: f64, to: f64) -> Shot {
        Shot { scene: 0, view: 0, kind: Kind::Plain, from, to }
    }

    #[test]
    fn a_cut_is_a_fade_around_it() {
        let shots = [shot(0.0, 4.0), shot(4.0, 9.0)];
        for (at, now, share) in
            [(0.0, 0, 0.0), (3.69, 0, 0.0), (4.0, 0, 0.5), (4.31, 1, 0.0), (9.0, 1, 0.0)]
        {
            let (seen, next) = seen_at(&shots, at, 0.6);
            assert!(seen == now && (next - share).abs() < 0.01, "{at}: {seen} {next}");
        }
    }

    #[test]
    fn the_card_takes_the_end() {
        let mut shots = vec![shot(0.0, 4.0), shot(4.0, 8.0), shot(8.0, 10.0)];
        close(&mut shots, 7.0, 10.0);
        let spans: Vec<(f64, f64)> = shots.iter().map(|shot| (shot.from, shot.to)).collect();
        assert_eq!(spans, [(0.0, 4.0), (4.0, 7.0), (7.0, 10.0)]);
        assert_eq!(shots[2].kind, Kind::Card);
    }

    #[test]
    fn what_comes_and_goes_is_whole_in_between() {
        let there = |at| presence(at, (1.0, 3.0), 0.2);
        assert!(there(0.9) <= 0.0 && there(2.0) >= 1.0 && there(3.1) <= 0.0);
        assert!((there(1.1) - 0.5).abs() < 1e-9);
    }
}
