//! The general face of the engine: anybody's definitions, and a small studio of agents that they,
//! and the examples in this repository, can name.

use showrunner_engine::agent::AgentRecord;
use showrunner_runtime::Runtime;

use crate::InstallError;

/// The studio's agents, beside those of the other packs.
pub(crate) const AGENTS: [(&str, &str); 5] = [
    ("copywriter.md", include_str!("orchestrations/agents/copywriter.md")),
    ("critic.md", include_str!("orchestrations/agents/critic.md")),
    ("editor.md", include_str!("orchestrations/agents/editor.md")),
    ("illustrator.md", include_str!("orchestrations/agents/illustrator.md")),
    ("researcher.md", include_str!("orchestrations/agents/researcher.md")),
];

/// Registers the agents.
pub(crate) fn install(runtime: &Runtime) -> Result<(), InstallError> {
    for (name, text) in AGENTS {
        let agent = AgentRecord::parse_markdown(text, name).map_err(InstallError::Agents)?;
        runtime.agents().put(agent);
    }
    Ok(())
}
