//! The program under test, in an empty folder and a clean environment.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fake::{Fake, TOKEN};

pub(crate) const RUN: &str = "run_01k9zw7v5mqe8x2r4t6y8p0abc";

/// A folder to work in, and what is set in it.
pub(crate) struct Desk {
    pub(crate) folder: TempDir,
}

/// What the program said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Desk {
    pub(crate) fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// As on the machine of a running server: it is found by its data folder.
    pub(crate) fn beside(fake: &Fake) -> Self {
        let desk = Self::empty();
        desk.write_server(&fake.url, std::process::id());
        desk
    }

    pub(crate) fn write_server(&self, url: &str, pid: u32) {
        std::fs::create_dir_all(self.path("data")).unwrap();
        let text = json!({"url": url, "token": TOKEN, "pid": pid}).to_string();
        // Whole or not at all, as the server does it.
        std::fs::write(self.path("data/server.part"), text).unwrap();
        std::fs::rename(self.path("data/server.part"), self.path("data/server.json")).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_showrunner"));
        command.args(args).current_dir(self.folder.path()).env_clear();
        command
            .env("PATH", "/usr/bin:/bin")
            .env("TZ", "UTC")
            .env("HTTP_PROXY", "http://127.0.0.1:9");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Said {
        Said::from(self.command(args).output().unwrap())
    }
}

impl Said {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[track_caller]
    pub(crate) fn ends(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn tells(&self, words: &[&str]) -> &Self {
        for word in words {
            assert!(self.err.contains(word), "`{word}` is not in {}", self.err);
        }
        self
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
