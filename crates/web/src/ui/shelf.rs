//! The definitions of the runs in a list, so that its rows speak in their words.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use showrunner_engine::definition::Definition;
use showrunner_journal::query::runs::RunView;

use crate::App;
use crate::auth::Caller;
use crate::ui::Language;

/// Definitions by name and version.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    definitions: BTreeMap<(String, u32), Arc<Definition>>,
}

impl Shelf {
    /// These definitions. One that does not load any more is left out: its rows show plain names
    /// then.
    pub(super) async fn of(app: &App, caller: &Caller, wanted: BTreeSet<(String, u32)>) -> Self {
        let mut definitions = BTreeMap::new();
        for (slug, version) in wanted {
            let library = app.runtime().library();
            if let Ok(found) = library.get(&caller.org, &slug, Some(version)).await {
                definitions.insert((slug, version), found);
            }
        }
        Self { definitions }
    }

    fn get(&self, run: &RunView) -> Option<&Definition> {
        self.definitions.get(&(run.slug.clone(), run.version)).map(Arc::as_ref)
    }

    /// What a run's definition is called.
    pub(super) fn title<'s>(&'s self, run: &'s RunView, language: Language) -> &'s str {
        self.get(run).map_or(&run.slug, |found| found.title.in_language(language.code()))
    }

    /// What a run's phase is called.
    pub(super) fn phase<'s>(&'s self, run: &'s RunView, language: Language) -> &'s str {
        let Some(phase) = &run.phase else { return "–" };
        let label =
            self.get(run).and_then(|found| found.phase_labels.get(found.phase_index(phase)?));
        label.map_or(phase, |label| label.in_language(language.code()))
    }
}

/// The definitions that these runs are executions of.
pub(super) fn wanted<'r>(runs: impl IntoIterator<Item = &'r RunView>) -> BTreeSet<(String, u32)> {
    runs.into_iter().map(|run| (run.slug.clone(), run.version)).collect()
}
