//! Numbers that a person would believe.

use serde_json::{Number, Value};

use super::super::fields::Role;
use super::super::plan::{Node, NumberForm};
use super::lists::seconds;
use super::{Filler, Spot};

impl Filler<'_> {
    pub(super) fn number(&mut self, node: &Node, form: NumberForm, spot: Spot) -> Option<Value> {
        if self.way == 0 && !matches!(node.role, Role::Score | Role::Order) {
            let told = self.told(&node.name).and_then(Value::as_f64);
            if let Some(told) = told.and_then(|told| fitted(told, form)) {
                return Some(told);
            }
        }
        if matches!(node.role, Role::TotalDuration | Role::Duration)
            && let Some(total) = seconds(self.total_tenths).as_f64()
        {
            return fitted(total, form);
        }
        let wished = self.wished(node.role, form, spot);
        fitted(wished, form)
    }

    fn wished(&mut self, role: Role, form: NumberForm, spot: Spot) -> f64 {
        let place = f64::from(u32::try_from(spot.at).unwrap_or(0));
        let chance = f64::from(self.dice.permille()) / 1000.0;
        let is_good = self.piece.brief.violation.is_none();
        match role {
            Role::Score => {
                // Without bounds whole scores count to a hundred and others to one.
                let high = form.max.unwrap_or(if form.is_integer { 100.0 } else { 1.0 });
                let low = form.min.unwrap_or(0.0).min(high);
                let share = if is_good { 0.82 + 0.13 * chance } else { 0.18 + 0.2 * chance };
                let score = low + share * (high - low);
                let digits = if high - low <= 1.5 { 100.0 } else { 10.0 };
                (score * digits).round() / digits
            },
            Role::Percent => {
                let high = form.max.unwrap_or(100.0);
                ((0.3 + 0.5 * chance) * high * 100.0).round() / 100.0
            },
            Role::Order => place + form.min.unwrap_or(1.0),
            Role::Count => 2.0 + (4.0 * chance).round(),
            Role::Cost => (5.0 + 90.0 * chance).round() / 100.0,
            Role::Year => 2027.0,
            Role::Width => 1080.0,
            Role::Height => 1350.0,
            _ => match (form.min, form.max) {
                (Some(low), Some(high)) => {
                    let value = low + (0.35 + 0.4 * chance) * (high - low);
                    if high - low > 20.0 { value.round() } else { (value * 100.0).round() / 100.0 }
                },
                (Some(low), None) => low + (1.0 + 8.0 * chance).round(),
                (None, Some(high)) => high - (1.0 + 8.0 * chance).round(),
                (None, None) => (1.0 + 8.0 * chance).round() + place,
            },
        }
    }
}

/// The allowed number nearest to `wished`.
fn fitted(wished: f64, form: NumberForm) -> Option<Value> {
    let step = form.multiple_of.unwrap_or(if form.is_integer { 1.0 } else { 0.0 });
    // Half a step inside an excluded bound is far enough for whole numbers; elsewhere a little.
    let inside = |is_excluded: bool, bound: f64| match (is_excluded, step > 0.0) {
        (false, _) => 0.0,
        (true, true) => step / 2.0,
        (true, false) => (bound.abs() * 1e-6).max(1e-6),
    };
    let low = form.min.map_or(f64::MIN / 4.0, |min| min + inside(form.excludes_min, min));
    let high = form.max.map_or(f64::MAX / 4.0, |max| max - inside(form.excludes_max, max));
    if low > high {
        return None;
    }
    let mut value = wished.clamp(low, high);
    if step > 0.0 {
        value = (value / step).round() * step;
        if value < low {
            value = (low / step).ceil() * step;
        }
        if value > high {
            value = (high / step).floor() * step;
        }
    }
    whole(value).or_else(|| {
        (!form.is_integer).then(|| Number::from_f64(value).map(Value::Number)).flatten()
    })
}

/// A whole number as such, within what JSON readers agree on.
fn whole(value: f64) -> Option<Value> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract().abs() > 0.0 || value.abs() > EXACT {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
    let whole = value as i64;
    Some(Value::from(whole))
}
