//! A Postgres of one's own: started for a test in a temporary directory, gone with it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// A running cluster. Stopped, by its process id, when dropped.
#[derive(Debug)]
pub struct ThrowawayPostgres {
    server: Option<Child>,
    url: String,
    _place: Option<TempDir>,
}

/// Why there is none.
#[derive(Debug)]
pub enum NoPostgres {
    /// No server program was found.
    NotInstalled,
    /// There is one, and it did not start.
    Failed(String),
}

impl ThrowawayPostgres {
    /// Starts a cluster whose commits are durable, or uses the one that
    /// `SHOWRUNNER_TEST_POSTGRES` names.
    pub fn start() -> Result<Self, NoPostgres> {
        Self::start_with(true)
    }

    /// As [`Self::start`]; a cluster that is not `durable` never waits for the disk, which a test
    /// does not need that does not switch the machine off.
    fn start_with(durable: bool) -> Result<Self, NoPostgres> {
        #[expect(clippy::disallowed_methods, reason = "how CI lends its own server to tests")]
        if let Ok(url) = std::env::var("SHOWRUNNER_TEST_POSTGRES") {
            return Ok(Self { server: None, url, _place: None });
        }
        let programs = find_programs().ok_or(NoPostgres::NotInstalled)?;
        start(&programs, durable).map_err(NoPostgres::Failed)
    }

    /// One that never waits for the disk; without an installed Postgres this says so loudly and
    /// returns nothing, or fails where CI promised one.
    ///
    /// # Panics
    /// When a cluster does not start, or CI has no Postgres.
    pub fn start_or_skip(what: &str) -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "CI says that it is CI")]
        let is_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
        match Self::start_with(false) {
            Ok(server) => Some(server),
            Err(NoPostgres::NotInstalled) if !is_ci => {
                #[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
                {
                    eprintln!("SKIPPED: {what}: no Postgres is installed (apt install postgresql)");
                }
                None
            },
            Err(NoPostgres::NotInstalled) => panic!("CI must have Postgres installed for {what}"),
            Err(NoPostgres::Failed(reason)) => panic!("Postgres did not start: {reason}"),
        }
    }

    /// The address of the database `postgres`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address of a database that was made by [`Self::fresh_database`].
    pub fn fresh_url(&self, name: &str) -> String {
        with_database(&self.url, name)
    }

    /// The address of a new, empty database.
    ///
    /// # Errors
    /// What the server said.
    pub async fn fresh_database(&self, name: &str) -> Result<String, String> {
        let connected = tokio_postgres::connect(&self.url, tokio_postgres::NoTls).await;
        let (client, connection) = connected.map_err(|error| error.to_string())?;
        let connection = tokio::spawn(connection);
        // One by one: statements that make databases cannot share a transaction.
        let script = [
            format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            format!("CREATE DATABASE {name}"),
        ];
        for statement in script {
            client.batch_execute(&statement).await.map_err(|error| error.to_string())?;
        }
        drop(client);
        drop(connection.await);
        Ok(self.fresh_url(name))
    }

    /// Ends every session in the database at `url` that holds an advisory lock, as a network
    /// that gave the owner up would; how many there were.
    ///
    /// # Errors
    /// What the server said.
    pub async fn cut_off_owner(&self, url: &str) -> Result<usize, String> {
        let connected = tokio_postgres::connect(url, tokio_postgres::NoTls).await;
        let (client, connection) = connected.map_err(|error| error.to_string())?;
        let connection = tokio::spawn(connection);
        let question = "SELECT pg_terminate_backend(pid) FROM (
            SELECT DISTINCT l.pid FROM pg_locks l
            JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
            WHERE l.locktype = 'advisory' AND l.granted) AS owners";
        let ended = client.query(question, &[]).await.map_err(|error| error.to_string())?;
        drop(client);
        drop(connection.await);
        Ok(ended.len())
    }
}

/// The same server, another database.
fn with_database(url: &str, name: &str) -> String {
    if let Some((server, rest)) = url.split_once("://") {
        let (host, _) = rest.split_once('/').unwrap_or((rest, ""));
        return format!("{server}://{host}/{name}");
    }
    let others = url.split_whitespace().filter(|part| !part.starts_with("dbname="));
    format!("{} dbname={name}", others.collect::<Vec<_>>().join(" "))
}

struct Programs {
    initdb: PathBuf,
    postgres: PathBuf,
}

fn find_programs() -> Option<Programs> {
    let mut folders: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.flatten().map(|version| version.path().join("bin")).collect())
        .unwrap_or_default();
    folders.sort();
    if let Some(path) = std::env::var_os("PATH") {
        folders.extend(std::env::split_paths(&path));
    }
    folders.into_iter().rev().find_map(|folder| {
        let programs =
            Programs { initdb: folder.join("initdb"), postgres: folder.join("postgres") };
        (programs.initdb.exists() && programs.postgres.exists()).then_some(programs)
    })
}

/// Postgres refuses to run as root: it is run as the user that its package makes.
struct RunAs(Option<(u32, u32)>);

impl RunAs {
    fn find() -> Result<Self, String> {
        let own = fs::metadata("/proc/self").map_err(|error| error.to_string())?;
        if std::os::unix::fs::MetadataExt::uid(&own) != 0 {
            return Ok(Self(None));
        }
        let users = fs::read_to_string("/etc/passwd").map_err(|error| error.to_string())?;
        let named = |name: &str| {
            let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
            let mut fields = line.split(':').skip(2);
            Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
        };
        let user = named("postgres").or_else(|| named("nobody"));
        user.map(|ids| Self(Some(ids))).ok_or_else(|| "no user to run it as".to_owned())
    }

    fn command(&self, program: &Path) -> Command {
        let Some((user, group)) = self.0 else { return Command::new(program) };
        let mut command = Command::new("setpriv");
        command
            .arg(format!("--reuid={user}"))
            .arg(format!("--regid={group}"))
            .arg("--clear-groups")
            .arg(program);
        command
    }
}

fn start(programs: &Programs, durable: bool) -> Result<ThrowawayPostgres, String> {
    let text = |error: std::io::Error| error.to_string();
    let place = tempfile::Builder::new().prefix("pg-").tempdir().map_err(text)?;
    let run_as = RunAs::find()?;
    if let Some((user, group)) = run_as.0 {
        chown(place.path(), Some(user), Some(group)).map_err(text)?;
    }
    let data = place.path().join("data");
    let made = run_as
        .command(&programs.initdb)
        .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "-D"])
        .arg(&data)
        .current_dir(place.path())
        .output()
        .map_err(text)?;
    if !made.status.success() {
        return Err(String::from_utf8_lossy(&made.stderr).into_owned());
    }
    let port = free_port().map_err(text)?;
    let mut server = run_as
        .command(&programs.postgres)
        .arg("-D")
        .arg(&data)
        .args(["-c", "listen_addresses=127.0.0.1", "-c", &format!("port={port}")])
        .args(["-c", &format!("unix_socket_directories={}", place.path().display())])
        .args(["-c", if durable { "fsync=on" } else { "fsync=off" }])
        .args(["-c", "max_connections=60", "-c", "logging_collector=off"])
        .current_dir(place.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(text)?;
    let said = wait_until_ready(&mut server);
    let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
    let started = ThrowawayPostgres { server: Some(server), url, _place: Some(place) };
    said.map(|()| started)
}

fn free_port() -> std::io::Result<u16> {
    std::net::TcpListener::bind("127.0.0.1:0")?.local_addr().map(|address| address.port())
}

/// Reads what the server says until it says that it is ready; what it says later is read and
/// dropped, so that it never waits for a reader.
fn wait_until_ready(server: &mut Child) -> Result<(), String> {
    let Some(log) = server.stderr.take() else { return Err("its log cannot be read".into()) };
    let mut lines = BufReader::new(log).lines();
    let mut said = String::new();
    for line in lines.by_ref() {
        let line = line.map_err(|error| error.to_string())?;
        if line.contains("ready to accept connections") {
            drop(std::thread::spawn(move || lines.for_each(drop)));
            return Ok(());
        }
        said.push_str(&line);
        said.push('\n');
    }
    Err(said)
}

impl Drop for ThrowawayPostgres {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            // A fast shutdown lets it give back its shared memory; a killed one would leave it.
            let pid = server.id().to_string();
            let told = Command::new("kill").args(["-INT", &pid]).status();
            if !told.is_ok_and(|status| status.success()) {
                drop(server.kill());
            }
            drop(server.wait());
        }
    }
}
