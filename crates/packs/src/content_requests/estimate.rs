//! What a request is expected to take: from what the definition's author thinks until there are
//! enough published requests, then from what those have taken.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use showrunner_engine::command::LABEL_VALUE_MAX;
use showrunner_engine::definition::Definition;
use showrunner_engine::run::Run;
use showrunner_journal::query::actuals::Actual;
use showrunner_web::{App, Caller, Problem};

use super::brief::expected;

/// So many published requests are looked at: enough for a tenth to mean something, few enough to
/// follow a change of prices within days.
const LOOKED_AT: u32 = 50;
/// With fewer the author's numbers are used: a tenth of four says nothing.
const ENOUGH: usize = 5;
/// How far off an author's numbers may be, both ways. Nobody has measured it; it says "roughly".
const PRIOR_OFF: f64 = 2.0;

/// The label that keeps the whole of it with the request.
const LABEL: &str = "estimate";

/// What is expected, with the bounds between which eight of ten came out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(super) struct Range {
    /// One of ten stayed below.
    pub(super) low: f64,
    /// The median.
    pub(super) median: f64,
    /// One of ten went beyond.
    pub(super) high: f64,
}

/// Where an estimate comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum BasedOn {
    /// What the definition's author thinks; `low` is half of it and `high` double.
    Priors,
    /// What published requests of the same type have taken.
    Actuals,
}

/// What a request is expected to take.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(super) struct Estimate {
    /// Dollars.
    pub(super) cost: Range,
    /// Without the time in which people are asked.
    pub(super) time_seconds: Range,
    pub(super) based_on: BasedOn,
    /// How many published requests it is made from.
    pub(super) requests: usize,
}

impl Estimate {
    /// For a request that is about to be made.
    pub(super) async fn of(
        app: &App,
        caller: &Caller,
        definition: &Definition,
        auto_approve: bool,
    ) -> Result<Self, Problem> {
        let journal = app.runtime().journal();
        let actuals = journal.actuals(&caller.org, &definition.slug, LOOKED_AT).await?;
        Ok(Self::from_actuals(&actuals).unwrap_or_else(|| Self::prior(definition, auto_approve)))
    }

    fn prior(definition: &Definition, auto_approve: bool) -> Self {
        let expected = expected(definition, auto_approve);
        let roughly =
            |median: f64| Range { low: median / PRIOR_OFF, median, high: median * PRIOR_OFF };
        #[expect(clippy::cast_precision_loss, reason = "2^53 s is longer than any request takes")]
        let seconds = expected.seconds as f64;
        Self {
            cost: roughly(expected.usd),
            time_seconds: roughly(seconds),
            based_on: BasedOn::Priors,
            requests: 0,
        }
    }

    fn from_actuals(actuals: &[Actual]) -> Option<Self> {
        if actuals.len() < ENOUGH {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "2^53 ms is longer than any request takes")]
        let seconds = |actual: &Actual| actual.work.0 as f64 / 1000.0;
        Some(Self {
            cost: spread(actuals.iter().map(|actual| actual.cost.as_usd()).collect())?,
            time_seconds: spread(actuals.iter().map(seconds).collect())?,
            based_on: BasedOn::Actuals,
            requests: actuals.len(),
        })
    }

    /// What is kept with the request, so that what was said before acceptance can be compared
    /// with what came, whatever is estimated by then. Two of them are for SQL.
    pub(super) fn to_labels(self) -> BTreeMap<String, String> {
        let mut labels = BTreeMap::from([
            ("estimated_cost".to_owned(), self.cost.median.to_string()),
            ("estimated_time_seconds".to_owned(), self.whole_seconds().to_string()),
        ]);
        // Some 180 characters; a request is not refused for numbers that are longer than any.
        if let Ok(text) = serde_json::to_string(&self)
            && text.len() <= LABEL_VALUE_MAX
        {
            labels.insert(LABEL.to_owned(), text);
        }
        labels
    }

    /// What was expected of a request when it was accepted; by the definition's author for those
    /// that were begun in another way.
    pub(super) fn kept(run: &Run) -> Self {
        let kept = run.labels.get(LABEL).and_then(|text| serde_json::from_str(text).ok());
        kept.unwrap_or_else(|| {
            let auto = run.input.get("auto_approve").and_then(serde_json::Value::as_bool);
            Self::prior(&run.definition, auto.unwrap_or(false))
        })
    }

    /// Whole seconds, up.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a span is not negative, and a cast stops at the largest number"
    )]
    pub(super) fn whole_seconds(&self) -> u64 {
        self.time_seconds.median.ceil() as u64
    }
}

/// The median and the tenths at both ends, each a value that came (nearest rank).
fn spread(mut values: Vec<f64>) -> Option<Range> {
    values.sort_by(f64::total_cmp);
    let at = |tenths: usize| {
        let rank = (values.len() * tenths).div_ceil(10).max(1);
        values.get(rank - 1).copied()
    };
    Some(Range { low: at(1)?, median: at(5)?, high: at(9)? })
}

#[cfg(test)]
mod tests {
    use showrunner_engine::at::Millis;
    use showrunner_engine::money::MicroUsd;

    use super::*;

    fn taken(count: i64) -> Vec<Actual> {
        let actual =
            |n: i64| Actual { cost: MicroUsd(n * 10_000), work: Millis(n.unsigned_abs() * 1000) };
        // Not in order, as they come.
        (1..=count).rev().map(actual).collect()
    }

    #[test]
    fn enough_requests_give_the_median_and_both_tenths() {
        let estimate = Estimate::from_actuals(&taken(20)).unwrap();
        assert_eq!(estimate.cost, Range { low: 0.02, median: 0.1, high: 0.18 });
        assert_eq!(estimate.time_seconds, Range { low: 2.0, median: 10.0, high: 18.0 });
        assert_eq!((estimate.based_on, estimate.requests), (BasedOn::Actuals, 20));
        assert_eq!(estimate.whole_seconds(), 10);
    }

    #[test]
    fn few_requests_give_none() {
        assert_eq!(Estimate::from_actuals(&taken(4)), None);
        let five = Estimate::from_actuals(&taken(5)).unwrap();
        assert_eq!(five.cost, Range { low: 0.01, median: 0.03, high: 0.05 });
    }
}
