//! Durable storage, and the only crate with SQL. The journal is the truth: per run a gap-free,
//! hash-chained sequence of events. Projections are rows derived from it in the same transaction.
//!
//! Rules live in the engine only; what is here appends, reads, and keeps its promises:
//!
//! - an append that was acknowledged survives the end of the process and of the power;
//! - appends to one run are made in the order in which [`Journal::append`] was called;
//! - an append is stored whole or not at all, with its rows, messages and idempotency key;
//! - [`Hooks::on_durable`] hears of every append in commit order, before its caller does.

pub mod append;
pub mod cell;
pub mod error;
pub mod objects;
pub mod project;
pub mod query;
pub mod sqlite;
mod columns;
mod heads;
pub mod postgres;
pub mod archive;
pub mod replay;
mod tables;

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::mpsc;

pub use append::{
    Append, AppendFuture, Appended, ChainHash, Committed, INLINE_MAX_BYTES, Idempotency, OutboxRow,
};
pub use cell::{Cell, Row, Statement};
pub use error::{AppendError, JournalError, StoredAnswer};
pub use objects::{LocalObjects, Objects};
pub use postgres::{PostgresJournal, PostgresOptions};
pub use project::{Rows, project};
pub use replay::{Break, Rebuilt, Resolver, Verified};
pub use sqlite::{SqliteJournal, SqliteOptions};

/// Whether this process may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// It may, and nobody else may.
    Owner {
        /// Counts owners; whoever comes later has a larger one.
        epoch: u64,
    },
    /// Another process may; this one reads and waits.
    Standby,
}

/// What a statement of [`Journal::write`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// How many rows it changed.
    pub changed: u64,
    /// What it returned, when it says `RETURNING`.
    pub rows: Vec<Row>,
}

/// The answers to the questions of a snapshot: which question, and some of its rows.
pub type Snapshot = mpsc::Receiver<Result<(usize, Vec<Row>), JournalError>>;

/// Hears of what has become durable.
pub type OnDurable = Arc<dyn Fn(&Committed) + Send + Sync>;

/// Who is told what. Hooks are called by the writer: they must be quick and never wait.
#[derive(Clone)]
pub struct Hooks {
    /// Hears of every append once it is durable, in commit order, before its caller is answered.
    pub on_durable: Option<OnDurable>,
    /// Called once, when nothing can be promised any more (a failed fsync, a damaged file). The
    /// process must end: only what is read from the disk after a new start is known to be so.
    pub fatal: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Default for Hooks {
    fn default() -> Self {
        Self { on_durable: None, fatal: Arc::new(|_| ()) }
    }
}

impl std::fmt::Debug for Hooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hooks")
            .field("on_durable", &self.on_durable.is_some())
            .finish_non_exhaustive()
    }
}

/// Durable storage. Typed questions and the small tables are methods of `dyn Journal`, see
/// [`query`]; they are written once on what a database must be able to do.
#[async_trait]
pub trait Journal: Send + Sync + std::fmt::Debug {
    /// Queues an append at once, before this returns, and resolves when it is durable. Two calls
    /// are carried out in the order in which they were made. Bodies beyond
    /// [`INLINE_MAX_BYTES`] are put into object storage before they are queued, by this call.
    fn append(&self, append: Append) -> AppendFuture;

    /// Answers a question from what is durable.
    async fn fetch(&self, question: Statement) -> Result<Vec<Row>, JournalError>;

    /// Carries out statements in one transaction, in order with appends. Durable when it returns.
    async fn write(&self, statements: Vec<Statement>) -> Result<Vec<Written>, JournalError>;

    /// Where large values and assets are.
    fn objects(&self) -> &Arc<dyn Objects>;

    /// Whether this process may write.
    fn ownership(&self) -> Ownership;

    /// Waits until this process may write; at once when it may already.
    async fn wait_for_ownership(&self) -> Result<Ownership, JournalError>;

    /// Makes all projections again from the journal, in one transaction. Appends wait.
    async fn rebuild(&self, resolve: Resolver) -> Result<Rebuilt, JournalError>;

    /// Answers several questions from one and the same instant: everything that was durable
    /// before this was called, while writing goes on. Rows come in portions, question by question.
    async fn snapshot(&self, questions: Vec<Statement>) -> Result<Snapshot, JournalError>;

    /// Writes what is queued, gives up ownership, and ends. Nothing can be asked afterwards.
    async fn close(&self);

    /// `sqlite` or `postgres`.
    fn database(&self) -> &'static str;
}
