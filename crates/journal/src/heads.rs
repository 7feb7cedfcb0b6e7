//! Where runs stand, as the one who writes remembers it.

use std::collections::HashMap;

use showrunner_engine::id::RunId;

/// Heads of the runs that were written last. Two generations, so that it needs no order: when
/// the young one is full it becomes the old one, and what nobody asked for since is forgotten.
#[derive(Debug)]
pub(crate) struct Heads<H> {
    young: HashMap<RunId, H>,
    old: HashMap<RunId, H>,
}

/// At most so many heads are remembered twice over: 160 bytes each.
const GENERATION_MAX: usize = 4096;

impl<H> Default for Heads<H> {
    fn default() -> Self {
        Self { young: HashMap::new(), old: HashMap::new() }
    }
}

impl<H: Copy> Heads<H> {
    pub(crate) fn get(&mut self, run: &RunId) -> Option<H> {
        if let Some(head) = self.young.get(run) {
            return Some(*head);
        }
        let head = self.old.remove(run)?;
        self.put(run, head);
        Some(head)
    }

    pub(crate) fn put(&mut self, run: &RunId, head: H) {
        if let Some(known) = self.young.get_mut(run) {
            *known = head;
            return;
        }
        if self.young.len() >= GENERATION_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(run.clone(), head);
    }

    pub(crate) fn forget(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}
