//! Puts journal, runtime and web together, top to bottom. The commands know nothing of how.

use std::net::TcpListener;
use std::path::Path;

use anyhow::bail;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::config::serve::{Database, Serving};

/// What the server is given.
#[derive(Debug)]
pub(crate) struct ServeOptions {
    /// Where the data is, and how to work.
    pub(crate) serving: Serving,
    /// The open door: bound already, not blocking.
    pub(crate) listener: TcpListener,
    /// Where to say that it answers, and that it owns the database.
    pub(crate) notices: mpsc::Sender<Notice>,
    /// When to stop: finish what is being written, then return.
    pub(crate) stop: CancellationToken,
}

/// What the server says of itself while it starts.
#[derive(Clone, Debug)]
#[expect(dead_code, reason = "made by the wiring, once it serves")]
pub(crate) enum Notice {
    /// Requests are answered. A hot standby says so only when its time has come.
    Answering(Started),
    /// This process owns the database: runs go on here.
    Owner,
}

/// What is known once it answers.
#[derive(Clone, Debug)]
pub(crate) struct Started {
    /// The development token, which opens everything.
    pub(crate) token: String,
    /// The path of the one-time link that signs a browser in: `/login?token=…`.
    pub(crate) login_path: String,
    /// The providers whose answers are simulated.
    pub(crate) simulated: Vec<String>,
    /// Runs that were taken up again.
    pub(crate) recovered: usize,
}

/// Serves until it is told to stop.
#[expect(clippy::unused_async, reason = "it will wait, once it is wired in")]
pub(crate) async fn serve(options: ServeOptions) -> anyhow::Result<()> {
    let ServeOptions { serving, listener, notices, stop } = options;
    drop((listener, notices, stop));
    bail!("this build cannot serve {} yet: the server is not wired in", serving.database.shown())
}

/// Copies the data of a server that is not running.
#[expect(clippy::unused_async, reason = "it will wait, once it is wired in")]
pub(crate) async fn backup(
    database: &Database,
    data_dir: &Path,
    to: &Path,
) -> anyhow::Result<Value> {
    let _: (&Path, &Path) = (data_dir, to);
    bail!("this build cannot back up {} yet: the journal is not wired in", database.shown())
}

/// Makes a data folder out of a backup.
#[expect(clippy::unused_async, reason = "it will wait, once it is wired in")]
pub(crate) async fn restore(from: &Path, data_dir: &Path) -> anyhow::Result<Value> {
    bail!(
        "this build cannot restore {} to {} yet: the journal is not wired in",
        from.display(),
        data_dir.display()
    )
}

/// Checks every run's chain of hashes in a database that no server has open.
#[expect(clippy::unused_async, reason = "it will wait, once it is wired in")]
pub(crate) async fn verify(database: &Database) -> anyhow::Result<Value> {
    bail!("this build cannot verify {} yet: the journal is not wired in", database.shown())
}

/// The SQLite that is linked in.
pub(crate) fn sqlite_version() -> Option<String> {
    None
}

/// Asks a Postgres for its version.
#[expect(clippy::unused_async, reason = "it will wait, once it is wired in")]
pub(crate) async fn postgres_version(url: &str) -> anyhow::Result<String> {
    let database = Database::Postgres(url.to_owned());
    bail!("this build cannot ask {} yet: the journal is not wired in", database.shown())
}
