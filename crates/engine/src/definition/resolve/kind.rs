//! Which kind a step is, and the kinds that are short to say.

use serde_json::Value;

use crate::definition::mention::Site;
use crate::definition::problem::complaint;
use crate::definition::raw::Raw;
use crate::definition::read::{Spot, is_slug};
use crate::definition::{
    AgentStep, Callee, CalleeKind, OrchestrationStep, StepIx, StepKind, WaitStep, WaitUntil,
};
use crate::template::{Mapping, Template};

use super::Resolver;
use super::step::KIND_KEYS;

impl<'n> Resolver<'_, 'n> {
    /// What the step does: its one kind key.
    pub(super) fn kind(&mut self, ix: StepIx, step: &Spot<'n>, site: Site) -> StepKind {
        let stand_in = StepKind::Transform(Mapping::empty());
        let written: Vec<(&str, Spot<'n>)> = KIND_KEYS
            .iter()
            .filter_map(|kind| step.member(kind).map(|spot| (*kind, spot)))
            .collect();
        let [(kind, spot)] = written.as_slice() else {
            self.not_one_kind(step, &written);
            return stand_in;
        };
        self.misplaced(step, kind);
        let resolved = match *kind {
            "agent" => self.agent(step, spot, site).map(StepKind::Agent),
            "checkpoint" => self.checkpoint(ix, spot).map(StepKind::Checkpoint),
            "gate" => self.gate(ix, spot).map(StepKind::Gate),
            "loop" => self.repeat(ix, spot).map(StepKind::Loop),
            "for_each" => self.for_each(ix, spot).map(StepKind::ForEach),
            "orchestration" => self.child(step, spot, site).map(StepKind::Orchestration),
            "transform" => Some(StepKind::Transform(self.map(spot, site))),
            _ => self.wait(spot, site).map(StepKind::Wait),
        };
        resolved.unwrap_or(stand_in)
    }

    fn not_one_kind(&mut self, step: &Spot<'n>, written: &[(&str, Spot<'n>)]) {
        let names: Vec<&str> = written.iter().map(|(name, _)| *name).collect();
        let wrong = if names.is_empty() {
            complaint("a step without a kind", "the kind says what the step does")
                .hint(format!("add one of {}", KIND_KEYS.join(", ")))
        } else {
            complaint(
                format!("a step of {} kinds: {}", names.len(), names.join(", ")),
                "a step does one thing",
            )
            .hint("make a step of each; a reference between them keeps the order")
        };
        self.report.at(step, wrong);
    }

    /// `input` and `settings` belong to kinds that take them.
    fn misplaced(&mut self, step: &Spot<'n>, kind: &str) {
        let allowed: &[&str] = match kind {
            "agent" => &["input", "settings"],
            "orchestration" => &["input"],
            _ => &[],
        };
        for key in ["input", "settings"] {
            if let Some(spot) = step.member(key).filter(|_| !allowed.contains(&key)) {
                let wrong = complaint(
                    format!("`{key}` on a {kind} step"),
                    format!("a {kind} step would not look at it"),
                );
                self.report.at(&spot, wrong.hint("only agent and orchestration steps take it"));
            }
        }
    }

    pub(super) fn map(&mut self, spot: &Spot<'n>, site: Site) -> Mapping {
        self.mentions.mapping(self.report, spot, site)
    }

    /// `agent: name` with `input` and `settings` beside it.
    fn agent(&mut self, step: &Spot<'n>, spot: &Spot<'n>, site: Site) -> Option<AgentStep> {
        let agent = self.name(spot, "an agent")?;
        self.callees.push(Callee::new(CalleeKind::Agent, spot, &agent, None));
        let mut beside = |key| step.member(key).map(|spot| self.map(&spot, site));
        let input = beside("input").unwrap_or_else(Mapping::empty);
        let settings = beside("settings").unwrap_or_else(Mapping::empty);
        Some(AgentStep { agent, input, settings })
    }

    /// `judge: {agent, input, settings}`.
    pub(super) fn judge(&mut self, spot: &Spot<'n>, site: Site) -> Option<AgentStep> {
        if !self.report.keys(spot, &["agent", "input", "settings"]) {
            return None;
        }
        let Some(agent) = spot.member("agent") else {
            let missing = complaint("a judge without `agent`", "an agent gives the score");
            self.report.at(spot, missing);
            return None;
        };
        self.agent(spot, &agent, site)
    }

    /// A name that is a slug.
    fn name(&mut self, spot: &Spot<'n>, of: &str) -> Option<String> {
        let name = self.report.text(spot)?;
        if is_slug(name) {
            return Some(name.to_owned());
        }
        let wrong = complaint(
            format!("`{name}` cannot be the name of {of}"),
            "names are small letters, digits, `-` and `_`",
        );
        self.report.at(spot, wrong);
        None
    }

    /// `orchestration: slug` or `slug@3`.
    fn child(&mut self, step: &Spot<'n>, spot: &Spot<'n>, site: Site) -> Option<OrchestrationStep> {
        let text = self.report.text(spot)?;
        let (slug, version) = match text.split_once('@') {
            None => (text, None),
            Some((slug, version)) => match version.parse::<u32>() {
                Ok(version) if version > 0 => (slug, Some(version)),
                _ => {
                    let why = "a version is counted from 1";
                    let wrong = complaint(format!("`{version}` is no version"), why);
                    self.report.at(spot, wrong.hint(format!("for example `{slug}@1`")));
                    return None;
                },
            },
        };
        if !is_slug(slug) {
            let wrong = complaint(
                format!("`{slug}` cannot be the id of a definition"),
                "ids are small letters, digits, `-` and `_`",
            );
            self.report.at(spot, wrong);
            return None;
        }
        self.callees.push(Callee::new(CalleeKind::Orchestration, spot, slug, version));
        let input = step.member("input").map(|spot| self.map(&spot, site));
        let input = input.unwrap_or_else(Mapping::empty);
        Some(OrchestrationStep { definition: slug.to_owned(), version, input })
    }

    /// `wait: {for}`, `{until}` or `{callback}`.
    fn wait(&mut self, spot: &Spot<'n>, site: Site) -> Option<WaitStep> {
        if !self.report.keys(spot, &["for", "until", "callback"]) {
            return None;
        }
        let written = ["for", "until", "callback"].map(|key| spot.member(key));
        let until = match written {
            [Some(spot), None, None] => WaitUntil::Duration(self.span(&spot, site)?),
            [None, Some(spot), None] => {
                WaitUntil::Instant(self.mentions.template(self.report, &spot, site)?)
            },
            [None, None, Some(spot)] => {
                WaitUntil::Callback(self.mentions.template(self.report, &spot, site)?)
            },
            _ => {
                let wrong = complaint("a wait for nothing clear", "it waits for one thing");
                self.report.at(spot, wrong.hint("give one of `for`, `until` or `callback`"));
                return None;
            },
        };
        Some(WaitStep { until })
    }

    /// A span written down becomes its milliseconds; one computed has to yield them.
    fn span(&mut self, spot: &Spot<'n>, site: Site) -> Option<Template> {
        match &spot.node.raw {
            Raw::Text(text) if text.contains("{{") => {
                self.mentions.template(self.report, spot, site)
            },
            _ => {
                let span = self.report.duration(spot)?;
                Template::parse(&format!("{{{{ {} }}}}", Value::from(span.0))).ok()
            },
        }
    }
}
