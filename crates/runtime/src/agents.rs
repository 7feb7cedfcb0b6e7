//! Agents by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;
use showrunner_engine::agent::AgentRecord;

/// The agents that can be called. Records are replaced whole; a turn under way keeps the record
/// it began with.
#[derive(Debug, Default)]
pub struct Agents {
    records: RwLock<BTreeMap<String, Arc<AgentRecord>>>,
}

impl Agents {
    /// Adds or replaces an agent.
    pub fn put(&self, agent: AgentRecord) {
        self.records.write().insert(agent.name.to_string(), Arc::new(agent));
    }

    /// The agent of this name.
    pub fn get(&self, name: &str) -> Option<Arc<AgentRecord>> {
        self.records.read().get(name).cloned()
    }

    /// All agents, by name.
    pub fn all(&self) -> Vec<Arc<AgentRecord>> {
        self.records.read().values().cloned().collect()
    }
}
