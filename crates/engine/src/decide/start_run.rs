//! A run begins.

use std::collections::BTreeMap;

use super::{Decider, shared};
use crate::command::{LABEL_KEY_MAX, LABEL_VALUE_MAX, LABELS_MAX, StartRun};
use crate::event::{DefinitionRef, Event, RunStarted};
use crate::id::OrgId;
use crate::refusal::Refusal;
use crate::schema::Breach;

impl Decider<'_> {
    pub(super) fn start_run(&mut self, start: StartRun) -> Result<(), Refusal> {
        let definition = &self.run.definition;
        let breaches = definition.input_schema.breaches(&start.input);
        if !breaches.is_empty() {
            return Err(Refusal::Invalid { what: "the input".into(), breaches });
        }
        let breaches = label_breaches(&start.labels);
        if !breaches.is_empty() {
            return Err(Refusal::Invalid { what: "the start".into(), breaches });
        }
        let is_outermost = |key: &str| {
            let step = definition.find(key);
            step.is_some_and(|step| step.parent.is_none() && !step.is_compensation)
        };
        if let Some(strange) = start.reused.iter().find(|r| !is_outermost(r.step.as_str())) {
            let known = definition.root.iter().map(|&ix| definition.step(ix).id.clone());
            let (step, known) = (strange.step.clone(), known.collect());
            return Err(Refusal::UnknownStep { step, known });
        }
        let own_deadline = definition.timeout.map(|timeout| self.at.now.plus(timeout));
        let started = RunStarted {
            org: start.org.unwrap_or_else(|| OrgId::from("org_default")),
            definition: DefinitionRef {
                slug: definition.slug.clone(),
                version: definition.version,
                digest: definition.digest.clone(),
            },
            input: shared(start.input),
            title: start.title,
            labels: start.labels,
            started_by: start.started_by,
            parent: start.parent,
            forked_from: start.forked_from,
            reused: start.reused,
            budget: definition.budget.tighter(start.budget),
            deadline: own_deadline.into_iter().chain(start.deadline).min(),
            priority: start.priority,
        };
        self.emit(Event::RunStarted(Box::new(started)));
        self.dirty.insert(0);
        Ok(())
    }
}

/// Labels are kept beside the run and searched: there are so many of them, of such a size.
fn label_breaches(labels: &BTreeMap<String, String>) -> Vec<Breach> {
    if labels.len() > LABELS_MAX {
        let message = format!("{} labels; a run has {LABELS_MAX} at most", labels.len());
        return vec![Breach { pointer: "/labels".into(), message }];
    }
    let length = |text: &str| text.chars().count();
    let breach = |(key, value): (&String, &String)| {
        let shown: String = key.chars().take(LABEL_KEY_MAX).collect();
        let message = if key.is_empty() || length(key) > LABEL_KEY_MAX {
            format!("the name of a label has 1 to {LABEL_KEY_MAX} characters, not {}", length(key))
        } else if length(value) > LABEL_VALUE_MAX {
            format!("{} characters; a label has {LABEL_VALUE_MAX} at most", length(value))
        } else {
            return None;
        };
        Some(Breach { pointer: format!("/labels/{shown}"), message })
    };
    labels.iter().filter_map(breach).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(labels: impl IntoIterator<Item = (String, String)>) -> Vec<String> {
        let breaches = label_breaches(&labels.into_iter().collect());
        breaches
            .into_iter()
            .map(|breach| format!("{}: {}", breach.pointer, breach.message))
            .collect()
    }

    #[test]
    fn labels_have_limits() {
        let many = |n: usize| (0..n).map(|n| (format!("k{n}"), "v".to_owned()));
        assert!(told(many(64)).is_empty());
        assert_eq!(told(many(65)), ["/labels: 65 labels; a run has 64 at most"]);
        let one = |key: usize, value: usize| told([("鍵".repeat(key), "値".repeat(value))]);
        assert!(one(64, 255).is_empty());
        assert!(one(65, 1)[0].ends_with("the name of a label has 1 to 64 characters, not 65"));
        assert!(one(0, 1)[0].ends_with("1 to 64 characters, not 0"));
        assert!(one(1, 256)[0].ends_with("256 characters; a label has 255 at most"));
    }
}
