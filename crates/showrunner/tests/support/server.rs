//! The built program as a process: started in a folder of its own, killed and started again.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::Instant;

/// A start may take so long, on a machine that does other things too.
const START_MAX: Duration = Duration::from_secs(30);

/// A folder with the data of a server, and how it is started.
pub(crate) struct Home {
    folder: Option<TempDir>,
    data: PathBuf,
    pub(crate) flags: Vec<String>,
    environment: Vec<(String, String)>,
}

/// A process of ours. It ends with this value.
pub(crate) struct Server {
    child: Child,
    ready: PathBuf,
    log: PathBuf,
    began: Instant,
}

/// Where a server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) url: String,
    pub(crate) token: String,
}

impl Home {
    /// An empty folder; calls take 5 to 60 ms where nobody says otherwise.
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("showrunner-").tempdir().unwrap();
        let data = folder.path().join("data");
        let flags = Vec::new();
        Self { folder: Some(folder), data, flags, environment: Vec::new() }
    }

    /// The same, for data that is somewhere else.
    pub(crate) fn over(data: &Path) -> Self {
        Self { data: data.to_owned(), ..Self::new() }
    }

    pub(crate) fn with(mut self, flags: &[&str]) -> Self {
        self.flags.extend(flags.iter().map(|flag| (*flag).to_owned()));
        self
    }

    /// The same, with this in the environment of the program.
    pub(crate) fn with_environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// A path beside the data.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.as_ref().unwrap().path().join(name)
    }

    /// The program with these arguments, in a clean environment.
    pub(crate) fn program(&self, args: &[&str]) -> Command {
        let mut command = program(args);
        command.current_dir(self.beside(""));
        command.envs(self.environment.iter().cloned());
        command
    }

    /// What the program says.
    pub(crate) fn run(&self, args: &[&str]) -> Said {
        Said::from(self.program(args).output().unwrap())
    }

    /// Starts a server; it need not answer yet.
    pub(crate) fn spawn(&self) -> Server {
        self.spawn_as("server")
    }

    /// One of several on the same data.
    pub(crate) fn spawn_as(&self, name: &str) -> Server {
        self.spawn_by(name, &[])
    }

    /// Started by another program, which becomes it.
    pub(crate) fn spawn_in(&self, before: &[String]) -> Server {
        self.spawn_by("server", before)
    }

    fn spawn_by(&self, name: &str, before: &[String]) -> Server {
        let (ready, log) = (self.beside(&format!("{name}.ready")), self.beside("log"));
        drop(std::fs::remove_file(&ready));
        let said = OpenOptions::new().create(true).append(true).open(&log).unwrap();
        let mut command = self.program(&[]);
        if let Some((first, rest)) = before.split_first() {
            command = by(&command, first, rest);
        }
        command.args(["serve", "--quiet", "--listen", "127.0.0.1:0"]);
        command.arg("--data-dir").arg(&self.data).arg("--ready-file").arg(&ready);
        command.args(["--log", "warn"]).args(&self.flags);
        if !self.flags.iter().any(|flag| flag == "--scripted-latency-ms") {
            command.args(["--scripted-latency-ms", "5..60"]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said);
        Server { child: command.spawn().unwrap(), ready, log, began: Instant::now() }
    }

    /// Starts a server and waits until it answers.
    pub(crate) async fn start(&self) -> (Server, Address) {
        let mut server = self.spawn();
        let address = server.ready().await;
        (server, address)
    }

    /// What all servers of this folder have logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.beside("log")).unwrap_or_default()
    }
}

/// The same, with another program before it.
fn by(command: &Command, first: &str, rest: &[String]) -> Command {
    let mut whole = Command::new(first);
    whole.args(rest).arg(command.get_program()).env_clear();
    whole.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    whole.current_dir(command.get_current_dir().unwrap());
    whole
}

/// The program with these arguments, in a clean environment.
pub(crate) fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_showrunner"));
    command.args(args).env_clear();
    command.env("PATH", "/usr/bin:/bin").env("TZ", "UTC").env("LANG", "C.UTF-8");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// How a command ended, and what it said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
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

impl Said {
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

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Server {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How long ago it was started.
    pub(crate) fn age(&self) -> Duration {
        self.began.elapsed()
    }

    /// Waits for the ready file, which says where it answers.
    pub(crate) async fn ready(&mut self) -> Address {
        loop {
            if let Some(address) = self.address() {
                return address;
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("the server ended with {status}: {}", self.last_words());
            }
            assert!(self.age() < START_MAX, "no answer in time: {}", self.last_words());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Where it answers, once it does.
    pub(crate) fn address(&self) -> Option<Address> {
        let text = std::fs::read_to_string(&self.ready).ok()?;
        let ready: Value = serde_json::from_str(&text).expect("a ready file is written whole");
        assert_eq!(ready["pid"], self.pid(), "the ready file is its own");
        let text = |name: &str| ready[name].as_str().expect("url and token are texts").to_owned();
        Some(Address { url: text("url"), token: text("token") })
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.end();
    }

    /// SIGSTOP: it stands still, and does not know it.
    pub(crate) fn stop(&self) {
        self.signal(Signal::STOP);
    }

    /// SIGCONT.
    pub(crate) fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    /// SIGTERM, and waits for the end in good order.
    pub(crate) fn close(mut self) {
        self.signal(Signal::TERM);
        let status = self.child.wait().unwrap();
        assert!(status.success(), "ended with {status}: {}", self.last_words());
    }

    /// Waits until it has ended by itself; its exit code.
    pub(crate) async fn ended(&mut self, patience: Duration) -> Option<i32> {
        let status =
            super::until("the server's end", patience, async || self.child.try_wait().unwrap());
        status.await.code()
    }

    /// Resident memory, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() * 1024
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(30).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    fn end(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGKILL ends what is stopped too.
        self.end();
    }
}
