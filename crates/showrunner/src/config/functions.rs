//! Agents of one's own, and what functions among them may see and do.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use showrunner_engine::agent::AgentRecord;

use crate::fault::{Fault, Outcome};

/// What was written.
#[derive(Debug, Args)]
#[command(next_help_heading = "Agents of your own")]
pub(crate) struct FunctionArgs {
    /// A folder of agent files (*.md), read at the start
    #[arg(long, env = "SHOWRUNNER_AGENTS", value_name = "FOLDER")]
    agents: Option<PathBuf>,
    /// Hosts that functions may send requests to
    #[arg(
        long,
        env = "SHOWRUNNER_FUNCTION_HOSTS",
        value_delimiter = ',',
        value_name = "HOST[:PORT]"
    )]
    function_hosts: Vec<FunctionHost>,
    /// Variables of this environment that functions may see, where their agent names them
    #[arg(long, env = "SHOWRUNNER_FUNCTION_ENV", value_delimiter = ',', value_name = "NAME")]
    function_env: Vec<String>,
    /// Functions at once
    #[arg(long, default_value_t = 2, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    functions: u16,
    /// Run functions even where the kernel takes no filter of system calls (where nobody but you
    /// writes functions)
    #[arg(long)]
    functions_unfiltered: bool,
}

/// A host that functions may ask: `api.example.com` (by https on 443), `127.0.0.1:9000` (either).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FunctionHost {
    /// As it stands in the address.
    pub(crate) host: String,
    /// `None`: https on its usual port.
    pub(crate) port: Option<u16>,
}

impl FromStr for FunctionHost {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = reqwest::Url::parse(&format!("http://{text}/")).map_err(|error| {
            format!("{text:?} is no host ({error}); write api.example.com or 127.0.0.1:9000")
        })?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let is_bare = url.path() == "/" && url.query().is_none() && url.username().is_empty();
        if !is_bare || host.is_empty() || text.contains('/') {
            return Err(format!(
                "{text:?} is more than a host; write api.example.com or 127.0.0.1:9000"
            ));
        }
        // Port 80 is left out of an address that is written with it.
        let port = url.port().or_else(|| text.ends_with(":80").then_some(80));
        Ok(Self { host, port })
    }
}

/// What it means.
#[derive(Clone)]
pub(crate) struct FunctionSetup {
    /// Agents of the operator's.
    pub(crate) agents: Vec<AgentRecord>,
    /// Whom functions may ask.
    pub(crate) hosts: Vec<FunctionHost>,
    /// What they may see.
    pub(crate) env: BTreeMap<String, String>,
    /// How many at once.
    pub(crate) places: usize,
    /// Even without a filter of system calls.
    pub(crate) may_be_unfiltered: bool,
}

impl std::fmt::Debug for FunctionSetup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Values are secrets.
        let names: Vec<&String> = self.env.keys().collect();
        f.debug_struct("FunctionSetup")
            .field("hosts", &self.hosts)
            .field("env", &names)
            .finish_non_exhaustive()
    }
}

impl FunctionArgs {
    /// What was written, checked; agents and variables read.
    pub(crate) fn resolve(&self) -> Outcome<FunctionSetup> {
        let mut env = BTreeMap::new();
        for name in &self.function_env {
            let value = std::env::var(name).map_err(|error| {
                Fault::usage(format!("--function-env names {name}, which cannot be read"))
                    .because(error.to_string())
                    .hint("set it, or leave it out")
            })?;
            env.insert(name.clone(), value);
        }
        Ok(FunctionSetup {
            agents: self.agents.as_deref().map(read_agents).transpose()?.unwrap_or_default(),
            hosts: self.function_hosts.clone(),
            env,
            places: usize::from(self.functions),
            may_be_unfiltered: self.functions_unfiltered,
        })
    }
}

/// All agent files of a folder, in the order of their names.
fn read_agents(folder: &Path) -> Outcome<Vec<AgentRecord>> {
    let unreadable = |path: &Path, error: &std::io::Error| {
        Fault::usage(format!("--agents {} cannot be read", path.display()))
            .because(error.to_string())
    };
    let entries = fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .collect();
    files.sort();
    let mut agents = Vec::with_capacity(files.len());
    for file in files {
        let text = fs::read_to_string(&file).map_err(|error| unreadable(&file, &error))?;
        let agent = AgentRecord::parse_markdown(&text, &file.display().to_string());
        agents.push(agent.map_err(|problems| {
            let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
            Fault::usage(format!("--agents {}: not an agent file", file.display()))
                .because(said.join("\n"))
        })?);
    }
    Ok(agents)
}

#[cfg(test)]
mod tests {
    use super::FunctionHost;

    #[test]
    fn hosts_are_hosts() {
        let host = |text: &str| text.parse::<FunctionHost>();
        let is = |host: &str, port| Ok(FunctionHost { host: host.to_owned(), port });
        assert_eq!(host("API.example.com"), is("api.example.com", None));
        assert_eq!(host("127.0.0.1:9000"), is("127.0.0.1", Some(9000)));
        assert_eq!(host("localhost:80"), is("localhost", Some(80)));
        for wrong in ["https://a.test", "a.test/path", "me@a.test", "", "a b", "a.test?x"] {
            assert!(host(wrong).is_err(), "{wrong}");
        }
    }
}
