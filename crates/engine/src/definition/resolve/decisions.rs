//! Steps that decide: `checkpoint` and `gate`.

use std::collections::BTreeMap;

use crate::definition::mention::Site;
use crate::definition::problem::complaint;
use crate::definition::read::Spot;
use crate::definition::{
    CheckpointStep, DeadlinePolicy, GateRule, GateStep, GateVerdict, Label, StepIx, Verb,
};
use crate::template::{Mapping, Template};

use super::Resolver;

/// Most times that a checkpoint or gate may send work back.
const RETRIES_MAX: u32 = 1_000;

/// Times that work may be sent back when nothing is said.
const RETRIES_USUAL: u32 = 3;

/// Most people that a quorum may ask for.
const QUORUM_MAX: u32 = 100;

/// Most rules of a gate.
const RULES_MAX: usize = 50;

/// Keys of `checkpoint`.
pub(in crate::definition) const CHECKPOINT_KEYS: [&str; 12] = [
    "question",
    "show",
    "options",
    "option_labels",
    "roles",
    "quorum",
    "allow_self",
    "modifications",
    "retry_from",
    "retries_max",
    "deadline",
    "compensate_on_abort",
];

/// Keys of `gate`.
pub(in crate::definition) const GATE_KEYS: [&str; 4] =
    ["rules", "judge", "retry_from", "retries_max"];

const VERBS: [(&str, Verb); 3] =
    [("continue", Verb::Continue), ("retry", Verb::Retry), ("abort", Verb::Abort)];

const VERDICTS: [(&str, GateVerdict); 5] = [
    ("reject", GateVerdict::Reject),
    ("retry", GateVerdict::Retry),
    ("accept_with_revision", GateVerdict::AcceptWithRevision),
    ("accept", GateVerdict::Accept),
    ("exemplary", GateVerdict::Exemplary),
];

impl<'n> Resolver<'_, 'n> {
    /// `checkpoint:`.
    pub(super) fn checkpoint(&mut self, ix: StepIx, spot: &Spot<'n>) -> Option<CheckpointStep> {
        if !self.report.keys(spot, &CHECKPOINT_KEYS) {
            return None;
        }
        let site = Site::Step(ix);
        let question = self.question(spot, site);
        let show = spot.member("show").map(|spot| self.map(&spot, site));
        let retry_from = spot.member("retry_from").and_then(|spot| self.sibling(ix, &spot));
        let options = self.options(spot);
        let option_labels = self.option_labels(spot, &options);
        let roles = spot.member("roles").map(|spot| self.names(&spot)).unwrap_or_default();
        let quorum = spot.member("quorum").and_then(|s| self.report.count(&s, 1..=QUORUM_MAX));
        let allow_self = spot.member("allow_self").and_then(|spot| self.report.flag(&spot));
        let modifications = spot.member("modifications");
        let (question, question_ja) = question?;
        Some(CheckpointStep {
            question,
            question_ja,
            show: show.unwrap_or_else(Mapping::empty),
            deadline: self.deadline(spot, &options),
            options,
            option_labels,
            roles,
            quorum: quorum.and_then(|n| u16::try_from(n).ok()).unwrap_or(1),
            allow_self: allow_self.unwrap_or(true),
            modifications: modifications.and_then(|spot| self.report.schema(&spot)),
            retry_from,
            retries_max: self.retries_max(spot),
            compensate_on_abort: self.flag(spot, "compensate_on_abort"),
        })
    }

    /// The question in English, and in Japanese where given.
    fn question(&mut self, spot: &Spot<'n>, site: Site) -> Option<(Template, Option<Template>)> {
        let Some(question) = spot.member("question") else {
            let missing = complaint("no `question`", "a person has to know what is asked");
            self.report.at(spot, missing.hint("add `question: Is this ready?`"));
            return None;
        };
        let both = self.report.languages(&question)?;
        let [en, ja] = both.map(|text| {
            text.and_then(|(_, spot)| self.mentions.template(self.report, &spot, site))
        });
        match (en, ja) {
            (Some(en), ja) => Some((en, ja)),
            (None, Some(ja)) => Some((ja, None)),
            (None, None) => None,
        }
    }

    /// The answers offered. `retry` needs to know where it goes back to.
    fn options(&mut self, spot: &Spot<'n>) -> Vec<Verb> {
        let has_retry_from = spot.member("retry_from").is_some();
        let Some(options) = spot.member("options") else {
            let usual = [Verb::Continue, Verb::Retry, Verb::Abort];
            let offered = |verb: &Verb| *verb != Verb::Retry || has_retry_from;
            return usual.into_iter().filter(offered).collect();
        };
        let mut verbs = Vec::new();
        for (word, spot) in self.report.texts(&options) {
            let Some(verb) = self.report.choice(&spot, &VERBS) else { continue };
            if verbs.contains(&verb) {
                let twice = complaint(format!("option `{word}` twice"), "it is offered once");
                self.report.at(&spot, twice);
            } else {
                verbs.push(verb);
            }
            if verb == Verb::Retry && !has_retry_from {
                let lost = complaint(
                    "option `retry` without `retry_from`",
                    "it has to go back to some step",
                );
                self.report.at(&spot, lost.hint("add `retry_from:` with an earlier step"));
            }
        }
        if verbs.is_empty() {
            self.report.at(&options, complaint("no options", "nobody could answer"));
        } else if has_retry_from && !verbs.contains(&Verb::Retry) {
            let unused = complaint("`retry_from` without option `retry`", "nobody could choose it");
            self.report.at(&options, unused.hint("add `retry` to the options"));
        }
        verbs
    }

    fn option_labels(&mut self, spot: &Spot<'n>, options: &[Verb]) -> BTreeMap<Verb, Label> {
        let Some(spot) = spot.member("option_labels") else { return BTreeMap::new() };
        let offered: Vec<&str> = options.iter().map(|verb| verb.name()).collect();
        if !self.report.keys(&spot, &offered) {
            return BTreeMap::new();
        }
        let label = |verb: &Verb| {
            let spot = spot.member(verb.name())?;
            self.report.label(&spot).map(|label| (*verb, label))
        };
        options.iter().filter_map(label).collect()
    }

    fn names(&mut self, spot: &Spot<'n>) -> Vec<String> {
        self.report.texts(spot).into_iter().map(|(name, _)| name.to_owned()).collect()
    }

    fn deadline(&mut self, spot: &Spot<'n>, options: &[Verb]) -> Option<DeadlinePolicy> {
        let spot = spot.member("deadline")?;
        if !self.report.keys(&spot, &["after", "escalate_to", "default"]) {
            return None;
        }
        let Some(after) = spot.member("after") else {
            let missing = complaint("a deadline without `after`", "it says how long people have");
            self.report.at(&spot, missing.hint("for example `after: 2d`"));
            return None;
        };
        let escalate_to = spot.member("escalate_to").map(|spot| self.names(&spot));
        let default = spot.member("default").and_then(|spot| {
            let verb = self.report.choice(&spot, &VERBS)?;
            if !options.contains(&verb) {
                let why = "what nobody may choose cannot be chosen in nobody's name";
                let wrong = complaint(format!("`{}` is not offered", verb.name()), why);
                self.report.at(&spot, wrong.hint("add it to `options`, or take another"));
            }
            Some(verb)
        });
        Some(DeadlinePolicy {
            after: self.report.duration(&after)?,
            escalate_to: escalate_to.unwrap_or_default(),
            default,
        })
    }

    fn retries_max(&mut self, spot: &Spot<'n>) -> u32 {
        let retries = spot.member("retries_max");
        let retries = retries.and_then(|spot| self.report.count(&spot, 0..=RETRIES_MAX));
        retries.unwrap_or(RETRIES_USUAL)
    }

    /// `gate:`.
    pub(super) fn gate(&mut self, ix: StepIx, spot: &Spot<'n>) -> Option<GateStep> {
        if !self.report.keys(spot, &GATE_KEYS) {
            return None;
        }
        let judge = spot.member("judge").and_then(|spot| self.judge(&spot, Site::Step(ix)));
        let Some(rules_spot) = spot.member("rules") else {
            let missing = complaint("a gate without `rules`", "it would accept everything");
            self.report.at(spot, missing.hint("add `rules: [{when: …, verdict: reject}]`"));
            return None;
        };
        let items = rules_spot.items().unwrap_or_default();
        if items.is_empty() || items.len() > RULES_MAX {
            let what = format!("{} rules", items.len());
            self.report.at(&rules_spot, complaint(what, format!("from 1 to {RULES_MAX} fit")));
        }
        let retry_from = spot.member("retry_from").and_then(|spot| self.sibling(ix, &spot));
        let has_retry_from = spot.member("retry_from").is_some();
        let rules = items.iter().take(RULES_MAX);
        let rules = rules.filter_map(|spot| self.rule(ix, spot, has_retry_from)).collect();
        Some(GateStep { judge, rules, retry_from, retries_max: self.retries_max(spot) })
    }

    fn rule(&mut self, ix: StepIx, spot: &Spot<'n>, has_retry_from: bool) -> Option<GateRule> {
        if !self.report.keys(spot, &["when", "verdict", "reason"]) {
            return None;
        }
        let (Some(when), Some(verdict_spot)) = (spot.member("when"), spot.member("verdict")) else {
            let half = complaint("a rule without `when` or `verdict`", "it needs both");
            self.report.at(spot, half);
            return None;
        };
        let site = Site::Rules(ix);
        let when = self.mentions.expression(self.report, &when, site);
        let verdict = self.report.choice(&verdict_spot, &VERDICTS);
        if verdict == Some(GateVerdict::Retry) && !has_retry_from {
            let lost =
                complaint("verdict `retry` without `retry_from`", "it has to go back to some step");
            self.report.at(&verdict_spot, lost.hint("add `retry_from:` to the gate"));
        }
        let reason = spot.member("reason");
        let reason = reason.and_then(|spot| self.mentions.template(self.report, &spot, site));
        Some(GateRule { when: when?, verdict: verdict?, reason })
    }
}
