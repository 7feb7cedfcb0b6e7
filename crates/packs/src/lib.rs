//! The products that Showrunner ships: each a vertical slice of definitions, agents, interface
//! and screens on the one engine.

pub mod content_requests;
mod orchestrations;

use showrunner_engine::agent::{AgentProblem, AgentRecord};
use showrunner_engine::id::OrgId;
use showrunner_journal::JournalError;
use showrunner_runtime::{LibraryError, Runtime};
use showrunner_web::Pack;

/// Why a pack could not be installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// A shipped definition does not load, or could not be stored.
    #[error(transparent)]
    Definition(#[from] LibraryError),
    /// A shipped agent does not load.
    #[error("the agents have {} problem(s), the first: {}", .0.len(), first(.0))]
    Agents(Vec<AgentProblem>),
    /// The journal failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

fn first(problems: &[AgentProblem]) -> String {
    problems.first().map(ToString::to_string).unwrap_or_default()
}

/// Installs every pack for an organisation: publishes what is new of its definitions, registers
/// its agents, seeds its samples, and hands out what it adds to the server. Doing it again
/// changes nothing.
///
/// # Errors
/// A shipped file does not load, or the journal cannot be written.
pub async fn install(runtime: &Runtime, org: &OrgId) -> Result<Vec<Pack>, InstallError> {
    orchestrations::install(runtime)?;
    Ok(vec![content_requests::install(runtime, org).await?])
}

/// The names of the agents that the packs register, in order.
pub fn agent_names() -> Vec<String> {
    let files = orchestrations::AGENTS.iter().chain(&content_requests::AGENTS);
    let agents = files.filter_map(|(file, text)| AgentRecord::parse_markdown(text, file).ok());
    let mut names: Vec<String> = agents.map(|agent| agent.name.to_string()).collect();
    names.sort();
    names
}
