//! Where the server is, and with which token: said, or written down by the server itself.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::config::Connect;
use crate::fault::{Fault, Outcome};

/// What a running server writes into its data folder (`server.json`) and into its ready file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Ready {
    /// Where it answers.
    pub(crate) url: String,
    /// What opens it.
    pub(crate) token: String,
    /// Its process.
    pub(crate) pid: u32,
}

/// The file in which the server of a data folder is found.
pub(crate) fn server_file(data_dir: &Path) -> PathBuf {
    data_dir.join("server.json")
}

impl Ready {
    /// What the server of a data folder wrote down; `None` when none did.
    pub(crate) fn of(data_dir: &Path) -> Outcome<Option<Self>> {
        let file = server_file(data_dir);
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(Fault::refused(format!("{} cannot be read", file.display()))
                    .because(error.to_string())
                    .hint(
                        "run this as the user who started the server, or give --url and --token",
                    ));
            },
        };
        serde_json::from_str(&text).map(Some).map_err(|error| {
            Fault::refused(format!("{} is damaged", file.display()))
                .because(error.to_string())
                .hint("give --url and --token, or restart the server: it writes the file again")
        })
    }

    /// Whether its process is still there.
    pub(crate) fn is_alive(&self) -> bool {
        let pid = i32::try_from(self.pid).ok().and_then(rustix::process::Pid::from_raw);
        // Not being allowed to signal it (EPERM) means that it is there.
        pid.is_some_and(|pid| {
            rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH)
        })
    }
}

/// How the address came to be known.
#[derive(Clone, Debug)]
enum FoundBy {
    Said,
    File(PathBuf),
}

/// Where the server is.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Its address.
    pub(crate) url: Url,
    /// What opens it.
    pub(crate) token: Option<String>,
    found_by: FoundBy,
}

impl Place {
    /// Said by flag or environment, else the running server of the data folder.
    pub(crate) fn find(connect: &Connect) -> Outcome<Self> {
        let data_dir = connect.data_dir();
        let Some(said) = &connect.url else {
            let ready = Self::local(data_dir)?;
            let token = connect.token.clone().or_else(|| Some(ready.token.clone()));
            let found_by = FoundBy::File(server_file(data_dir));
            return Ok(Self { url: parse(&ready.url)?, token, found_by });
        };
        let url = parse(said)?;
        let token = connect.token.clone().or_else(|| {
            // The local server's own token serves when it is that server's address.
            let ready = Ready::of(data_dir).ok().flatten()?;
            (parse(&ready.url).ok()?.origin() == url.origin()).then_some(ready.token)
        });
        Ok(Self { url, token, found_by: FoundBy::Said })
    }

    /// The running server of a data folder.
    fn local(data_dir: &Path) -> Outcome<Ready> {
        let shown = data_dir.display();
        let ready = Ready::of(data_dir)?.ok_or_else(|| {
            Fault::unreachable("no server is running here")
                .because(format!("looked for {}", server_file(data_dir).display()))
                .hint(format!("start one with: showrunner serve --data-dir {shown}"))
                .hint("or name another: --data-dir DIR, or --url URL --token TOKEN")
        })?;
        if ready.is_alive() {
            return Ok(ready);
        }
        Err(Fault::unreachable(format!("the server of {shown} is not running any more"))
            .because(format!("its process {} has ended; it answered at {}", ready.pid, ready.url))
            .hint(format!(
                "start it again, it goes on where it was: showrunner serve --data-dir {shown}"
            )))
    }

    /// Whether it is on this machine's loopback.
    pub(crate) fn is_local(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
    }

    /// How the address came to be known, for a person.
    pub(crate) fn found_by(&self) -> String {
        match &self.found_by {
            FoundBy::Said => "the address was given by --url or SHOWRUNNER_URL".to_owned(),
            FoundBy::File(file) => format!("the address was found in {}", file.display()),
        }
    }
}

fn parse(text: &str) -> Outcome<Url> {
    let wrong = |why: String| {
        Fault::usage(format!("{text} is not a server's address"))
            .because(why)
            .hint("write it like --url http://127.0.0.1:8787")
    };
    let url = Url::parse(text).map_err(|error| wrong(error.to_string()))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        other => Err(wrong(format!("{other}: is neither http: nor https:"))),
    }
}
