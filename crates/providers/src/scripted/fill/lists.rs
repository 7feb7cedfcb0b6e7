//! Lists: how long they are, and how a length of time is shared out among their items.

use serde_json::{Number, Value};

use super::super::fields::Role;
use super::super::plan::{ListForm, Node, NumberForm, Shape};
use super::{Filler, Spot};

/// The longest list that is made where a schema allows any length.
const ITEMS_MAX: usize = 10_000;
/// Tries at an item that differs from the others.
const DIFFERENT_TRIES: usize = 20;

impl Filler<'_> {
    pub(super) fn list(&mut self, node: &Node, form: &ListForm, spot: Spot) -> Option<Value> {
        let timed = form.item.and_then(|item| self.timed_member(item));
        let count = self.length(node, form, timed.is_some())?;
        let mut items = Vec::with_capacity(count);
        for at in 0..count {
            let id = match form.first.get(at) {
                Some(first) => *first,
                None if at == 0 && form.contains.is_some() => form.contains?,
                None => form.item?,
            };
            let mut value = self.node(id, Spot { at, of: count, ..spot })?;
            for again in 0..DIFFERENT_TRIES {
                if !form.is_unique || !items.contains(&value) {
                    break;
                }
                let at = at + again + 1;
                value = self.node(id, Spot { at, of: count.max(2), ..spot })?;
            }
            items.push(value);
        }
        without_repeats(&mut items, form.min.max(form.first.len()));
        if let Some((name, number)) = timed {
            self.share_time(&mut items, &name, number);
        }
        Some(Value::Array(items))
    }

    fn length(&self, node: &Node, form: &ListForm, is_timed: bool) -> Option<usize> {
        let brief = self.piece.brief;
        let is_good = brief.violation.is_none();
        let usual = match node.role {
            _ if is_timed && !brief.script.is_empty() => brief.script.len(),
            _ if is_timed => usize::try_from(self.total_tenths / 50).unwrap_or(3).clamp(2, 6),
            Role::Issue if is_good => 0,
            Role::Reason if !is_good => 2,
            Role::Issue | Role::Risk | Role::Question => 2,
            Role::Hashtag | Role::Color => 5,
            Role::Step => 4,
            _ => 3,
        };
        let max = form.max.unwrap_or(ITEMS_MAX);
        let min = form.min.max(form.first.len()).max(usize::from(form.contains.is_some()));
        let usual = if self.way > 3 { min } else { usual.max(min) };
        (form.min <= max && min <= ITEMS_MAX).then(|| usual.min(max))
    }

    /// The member of a list's items that says how long each lasts.
    fn timed_member(&self, item: usize) -> Option<(String, NumberForm)> {
        let Shape::Object(object) = &self.plan.node(item)?.shape else { return None };
        object.members.iter().find_map(|member| {
            let node = self.plan.node(member.node)?;
            match &node.shape {
                Shape::Number(form) if node.role == Role::Duration => {
                    Some((member.name.clone(), *form))
                },
                _ => None,
            }
        })
    }

    /// Shares the total out, in tenths of a second or in whole seconds; what one item may not
    /// take goes to the others. Where the items cannot make up the total, the total gives way.
    fn share_time(&mut self, items: &mut [Value], name: &str, form: NumberForm) {
        let count = u64::try_from(items.len()).unwrap_or(1).max(1);
        let is_whole = form.is_integer || self.total_tenths.is_multiple_of(10);
        let step = if is_whole && self.total_tenths >= count * 10 { 10 } else { 1 };
        let step = if form.is_integer { 10 } else { step };
        let least = form.min.map_or(step, tenths).max(step).div_ceil(step) * step;
        let most = form.max.map_or(u64::MAX / 100, tenths) / step * step;
        let most = most.max(least);
        let total =
            (self.total_tenths / step * step).clamp(least * count, most.saturating_mul(count));
        self.total_tenths = total;
        let mut shares = vec![least; items.len()];
        let mut left = total - least * count;
        // The middle of a piece takes longer than its beginning and its end.
        let weights: Vec<u64> = (0..items.len())
            .map(
                |at| if at == 0 || at + 1 == items.len() { 2 } else { 3 + self.dice.between(0, 1) },
            )
            .collect();
        let whole: u64 = weights.iter().sum::<u64>().max(1);
        let room = left;
        for (share, weight) in shares.iter_mut().zip(&weights) {
            let more = (room * weight / whole / step * step).min(most - *share).min(left);
            *share += more;
            left -= more;
        }
        while left > 0 {
            let before = left;
            for share in shares.iter_mut().rev() {
                let more = step.min(left).min(most - *share);
                *share += more;
                left -= more;
            }
            if left == before {
                break;
            }
        }
        for (item, share) in items.iter_mut().zip(shares) {
            if let Some(place) = item.get_mut(name) {
                *place = seconds(share);
            }
        }
    }
}

/// Drops texts that were said before, as far as the list may be shorter.
fn without_repeats(items: &mut Vec<Value>, min: usize) {
    let mut at = items.len();
    while at > 1 && items.len() > min {
        at -= 1;
        let is_repeat = items.get(at).is_some_and(|item| {
            item.is_string() && items.iter().take(at).any(|before| before == item)
        });
        if is_repeat {
            items.remove(at);
        }
    }
}

/// Tenths of a second as seconds: a whole number where it is one.
pub(super) fn seconds(tenths: u64) -> Value {
    match tenths % 10 {
        0 => Value::from(tenths / 10),
        rest => {
            let text = format!("{}.{rest}", tenths / 10);
            text.parse().ok().and_then(Number::from_f64).map_or(Value::Null, Value::Number)
        },
    }
}

fn tenths(seconds: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let tenths = (seconds * 10.0).clamp(0.0, 1e12).round() as u64;
    tenths
}
