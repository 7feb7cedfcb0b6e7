//! Saying that the server is there: to the terminal, to the ready file, to the data folder.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde_json::json;
use tokio::task::JoinSet;

use crate::client::Client;
use crate::client::place::{Place, Ready, server_file};
use crate::commands::demo;
use crate::config::Connect;
use crate::fault::{Fault, Outcome};
use crate::talk::{Talk, Tone};
use crate::wiring::{Notice, Started};

/// What is needed to say where the server is.
#[derive(Clone, Debug)]
pub(super) struct Announcer {
    pub(super) talk: Talk,
    pub(super) connect: Connect,
    pub(super) data_dir: PathBuf,
    pub(super) ready_file: Option<PathBuf>,
    pub(super) url: String,
    pub(super) database: String,
    pub(super) has_demo: bool,
}

impl Announcer {
    /// Does what a notice calls for, beside the server.
    pub(super) fn hear(self, notice: Notice, errands: &mut JoinSet<Outcome>) {
        match notice {
            Notice::Answering(started) => {
                errands.spawn(self.announce(started));
            },
            // A standby answers nobody before it owns the database; there is nothing to add.
            Notice::Owner => {},
        }
    }

    /// Tells everybody, once the server has really answered.
    async fn announce(self, started: Started) -> Outcome {
        let ready = self.ready(started.token.clone());
        let client = self.client(&ready)?;
        client.get("/healthz").await?;
        write_private(&server_file(&self.data_dir), &ready)?;
        if let Some(file) = &self.ready_file {
            write_private(file, &ready)?;
        }
        if self.talk.is_json() {
            self.talk.json(&json!(ready))?;
        }
        self.banner(&started);
        if self.has_demo {
            demo::start_one(&self.talk, &client).await?;
        }
        Ok(())
    }

    fn ready(&self, token: String) -> Ready {
        Ready { url: self.url.clone(), token, pid: std::process::id() }
    }

    fn client(&self, ready: &Ready) -> Outcome<Client> {
        let mut connect = self.connect.clone();
        connect.url = Some(ready.url.clone());
        connect.token = Some(ready.token.clone());
        Client::at(Place::find(&connect)?, &connect)
    }

    fn banner(&self, started: &Started) {
        let (talk, url) = (&self.talk, &self.url);
        let row = |name: &str, value: &str| {
            talk.say(&format!("  {} {value}", talk.tint(Tone::Dim, &format!("{name:<9}"))));
        };
        let version = env!("CARGO_PKG_VERSION");
        talk.say(&format!("{} {version} is up\n", talk.tint(Tone::Strong, "Showrunner")));
        row("Open", &talk.tint(Tone::Strong, &format!("{url}{}", started.login_path)));
        row("", &talk.tint(Tone::Dim, "this link signs a browser in: keep it to yourself"));
        row("API", &format!("{url}/api/v1   {url}/openapi.json"));
        row("Data", &self.data_dir.display().to_string());
        row("Database", &self.database);
        for (at, model) in started.models.iter().enumerate() {
            row(if at == 0 { "Models" } else { "" }, model);
        }
        if !started.simulated.is_empty() {
            let names = started.simulated.join(", ");
            let what = if started.models.is_empty() {
                "no keys, no cost"
            } else {
                "for what no vendor here makes"
            };
            row("Simulator", &format!("on ({names}): {what}; everything it makes says so"));
        }
        if started.recovered > 0 {
            row("Recovered", &format!("{} open runs go on where they were", started.recovered));
        }
        talk.say("");
        let data = self.data_dir.display();
        talk.next(&[
            (format!("showrunner demo --data-dir {data}"), "a picture, from brief to file"),
            (format!("showrunner runs list --data-dir {data}"), "what is going on"),
            (format!("showrunner doctor --data-dir {data}"), "is everything there"),
        ]);
        talk.say(&talk.tint(Tone::Dim, "ctrl-c stops the server; runs go on at the next start\n"));
    }

    /// Takes away what would lead commands to a server that is gone.
    pub(super) fn withdraw(&self) {
        let file = server_file(&self.data_dir);
        let is_ours = Ready::of(&self.data_dir)
            .ok()
            .flatten()
            .is_some_and(|ready| ready.pid == std::process::id());
        if is_ours {
            // A file left behind names a dead process, which clients notice by themselves.
            drop(fs::remove_file(file));
        }
    }
}

/// Writes a file that only its owner can read, whole or not at all.
fn write_private(file: &Path, ready: &Ready) -> Outcome {
    let part = file.with_extension(format!("part-{}", std::process::id()));
    let written = || -> std::io::Result<()> {
        let mut out = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&part)?;
        writeln!(out, "{}", json!(ready))?;
        out.sync_all()?;
        fs::rename(&part, file)
    };
    written().map_err(|error| {
        drop(fs::remove_file(&part));
        Fault::refused(format!("{} cannot be written", file.display()))
            .because(error.to_string())
            .hint("without it nobody learns the token of this server: choose a folder you may write to")
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::write_private;
    use crate::client::place::Ready;

    #[test]
    fn the_token_is_for_its_owner_only_and_nothing_half_written_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ready.json");
        fs::write(&file, "older").unwrap();
        let ready = Ready { url: "http://127.0.0.1:1".into(), token: "t".into(), pid: 7 };
        write_private(&file, &ready).unwrap();
        let back: Ready = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        assert_eq!(
            (back.url.as_str(), back.token.as_str(), back.pid),
            ("http://127.0.0.1:1", "t", 7)
        );
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let ready = Ready { url: String::new(), token: String::new(), pid: 0 };
        let fault = write_private(std::path::Path::new("/nonexistent/x.json"), &ready).unwrap_err();
        assert!(fault.what.contains("/nonexistent/x.json"));
    }
}
