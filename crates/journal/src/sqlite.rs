//! The journal in one SQLite file. One thread writes, in groups; a few connections read.

mod append;
mod checkpoint;
mod fault;
mod open;
mod own;
mod read;
mod rebuild;
mod statements;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use tokio::sync::oneshot;

use crate::append::{Append, AppendFuture, Spilled};
use crate::error::{AppendError, JournalError};
use crate::objects::{LocalObjects, Objects};
use crate::replay::{Rebuilt, Resolver};
use crate::{Hooks, Journal, Ownership, Row, Snapshot, Statement, Written};
use checkpoint::Checkpointer;
use open::Role;
use read::Readers;
use writer::{Job, Writer};

/// Where the file is, and how it is used.
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    /// The database file; `<path>.lock` beside it says who owns it.
    pub path: PathBuf,
    /// Where objects are.
    pub objects: PathBuf,
    /// How much of the file the writer keeps in memory, in KiB.
    pub cache_kib: u32,
    /// Who is told what.
    pub hooks: Hooks,
}

impl SqliteOptions {
    /// `journal.db` and `objects/` in a directory.
    pub fn in_directory(directory: &Path) -> Self {
        Self {
            path: directory.join("journal.db"),
            objects: directory.join("objects"),
            cache_kib: 8 * 1024,
            hooks: Hooks::default(),
        }
    }
}

/// The journal in one SQLite file.
pub struct SqliteJournal {
    options: SqliteOptions,
    lock: Arc<own::LockFile>,
    owner: OnceLock<Owner>,
    readers: Readers,
    objects: Arc<dyn Objects>,
}

struct Owner {
    writer: Writer,
    epoch: u64,
}

impl SqliteJournal {
    /// Opens the file, makes or migrates it, and becomes its owner; or, when another process
    /// owns it, stands by.
    pub fn open(options: SqliteOptions) -> Result<Arc<Self>, JournalError> {
        open::check_version()?;
        if let Some(directory) = options.path.parent() {
            std::fs::create_dir_all(directory).map_err(JournalError::storage)?;
        }
        let journal = Arc::new(Self {
            lock: Arc::new(own::LockFile::beside(&options.path)?),
            owner: OnceLock::new(),
            readers: Readers::new(&options.path),
            objects: Arc::new(LocalObjects::open(&options.objects)?),
            options,
        });
        if journal.lock.try_lock()? {
            journal.take_over()?;
        }
        Ok(journal)
    }

    /// The lock is ours: the writer starts.
    fn take_over(&self) -> Result<u64, JournalError> {
        let role = Role::Writer { cache_kib: self.options.cache_kib };
        let mut conn = open::open_connection(&self.options.path, role)?;
        open::migrate(&conn)?;
        open::refuse_half_restored(&conn)?;
        let epoch = own::next_epoch(&conn)?;
        let checkpointer = Checkpointer::start(&self.options.path, &mut conn)?;
        let writer = Writer::start(conn, checkpointer, self.options.hooks.clone())?;
        if self.owner.set(Owner { writer, epoch }).is_err() {
            return Err(JournalError::Unusable("ownership was taken over twice".into()));
        }
        Ok(epoch)
    }

    /// Lets the file grow to so many pages of 4 KiB and no further: appends beyond that are
    /// refused as [`AppendError::Full`] until the limit is raised or space is made.
    pub async fn limit_pages(&self, pages_max: u32) -> Result<(), JournalError> {
        let set = move |conn: &rusqlite::Connection| {
            conn.query_row(&format!("PRAGMA max_page_count = {pages_max}"), [], |_| Ok(()))
        };
        self.with_writer(set).await?.map_err(JournalError::storage)
    }

    fn owner(&self) -> Result<&Owner, JournalError> {
        self.owner.get().ok_or(JournalError::Fenced)
    }

    /// Runs `work` on the writer's connection, in order with appends, outside any transaction.
    pub(crate) async fn with_writer<T: Send + 'static>(
        &self,
        work: impl FnOnce(&rusqlite::Connection) -> T + Send + 'static,
    ) -> Result<T, JournalError> {
        let (reply, answer) = oneshot::channel();
        let task = Box::new(move |conn: &rusqlite::Connection| drop(reply.send(work(conn))));
        self.owner()?.writer.queue.push(Job::Task(task));
        answer.await.map_err(JournalError::storage)
    }
}

#[async_trait]
impl Journal for SqliteJournal {
    fn append(&self, append: Append) -> AppendFuture {
        let Some(owner) = self.owner.get() else {
            return AppendFuture::ready(Err(AppendError::Fenced));
        };
        let spilled = match Spilled::put(&append, self.objects.as_ref()) {
            Ok(spilled) => spilled,
            Err(JournalError::Full) => return AppendFuture::ready(Err(AppendError::Full)),
            Err(error) => {
                let reason = error.to_string().as_str().into();
                return AppendFuture::ready(Err(AppendError::Busy(reason)));
            },
        };
        let (reply, future) = AppendFuture::pair();
        owner.writer.queue.push(Job::Append { append: Box::new(append), spilled, reply });
        future
    }

    async fn fetch(&self, question: Statement) -> Result<Vec<Row>, JournalError> {
        self.readers.fetch(question).await
    }

    async fn write(&self, statements: Vec<Statement>) -> Result<Vec<Written>, JournalError> {
        let (reply, answer) = oneshot::channel();
        self.owner()?.writer.queue.push(Job::Write { statements, reply });
        answer.await.map_err(JournalError::storage)?
    }

    fn objects(&self) -> &Arc<dyn Objects> {
        &self.objects
    }

    fn ownership(&self) -> Ownership {
        match self.owner.get() {
            Some(owner) if !owner.writer.queue.is_closed() => {
                Ownership::Owner { epoch: owner.epoch }
            },
            _ => Ownership::Standby,
        }
    }

    async fn wait_for_ownership(&self) -> Result<Ownership, JournalError> {
        if self.owner.get().is_none() {
            own::wait(&self.lock).await?;
            self.take_over()?;
        }
        Ok(self.ownership())
    }

    async fn rebuild(&self, resolve: Resolver) -> Result<Rebuilt, JournalError> {
        let objects = Arc::clone(&self.objects);
        self.with_writer(move |conn| rebuild::rebuild(conn, objects.as_ref(), &resolve)).await?
    }

    async fn snapshot(&self, questions: Vec<Statement>) -> Result<Snapshot, JournalError> {
        self.readers.snapshot(questions)
    }

    async fn close(&self) {
        if let Some(owner) = self.owner.get() {
            // Joining the thread waits for its last commit: a few milliseconds, once.
            owner.writer.stop();
            self.lock.unlock();
        }
    }

    fn database(&self) -> &'static str {
        "sqlite"
    }
}

impl Drop for SqliteJournal {
    fn drop(&mut self) {
        if let Some(owner) = self.owner.get() {
            owner.writer.stop();
        }
    }
}

impl std::fmt::Debug for SqliteJournal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteJournal").field("path", &self.options.path).finish_non_exhaustive()
    }
}

/// The version of the SQLite that is linked in.
pub fn library_version() -> &'static str {
    rusqlite::version()
}
