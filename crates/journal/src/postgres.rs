//! The journal in Postgres. One session writes, in groups; a few read. The same session holds the
//! lock that makes this process the owner: who loses one loses the other.

mod arrays;
mod batch;
mod connect;
mod fault;
mod read;
mod rebuild;
mod writer;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio_postgres::Client;

use crate::append::{Append, AppendFuture, Spilled};
use crate::archive::{HALF_RESTORED, RESTORING};
use crate::error::{AppendError, JournalError};
use crate::objects::{LocalObjects, Objects};
use crate::replay::{Rebuilt, Resolver};
use crate::{Hooks, Journal, Ownership, Row, Snapshot, Statement, Written};
use read::Readers;
use writer::{Job, Session};

/// Where the database is, and how it is used.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// `postgres://user@host/database`, or `host=… dbname=…`. Without TLS.
    pub url: String,
    /// Where objects are.
    pub objects: PathBuf,
    /// Who is told what.
    pub hooks: Hooks,
}

/// The journal in Postgres.
pub struct PostgresJournal {
    options: PostgresOptions,
    owner: OnceLock<Owner>,
    /// The session that becomes the writer's once it owns the journal.
    session: Mutex<Option<Client>>,
    readers: Readers,
    objects: Arc<dyn Objects>,
}

struct Owner {
    queue: mpsc::UnboundedSender<Job>,
    epoch: u64,
}

impl PostgresJournal {
    /// Connects, makes or migrates the schema, and becomes the owner; or, when another process
    /// owns the journal, stands by.
    pub async fn open(options: PostgresOptions) -> Result<Arc<Self>, JournalError> {
        let client = connect::connect(&options.url).await?;
        let journal = Arc::new(Self {
            owner: OnceLock::new(),
            session: Mutex::new(None),
            readers: Readers::new(&options.url),
            objects: Arc::new(LocalObjects::open(&options.objects)?),
            options,
        });
        if connect::try_own(&client).await? {
            journal.take_over(client).await?;
        } else {
            *journal.session.lock().await = Some(client);
        }
        Ok(journal)
    }

    /// The lock is ours: the tables are brought up to date, and the writer starts. Not before: a
    /// newer standby must not change the tables under an older owner that still writes.
    async fn take_over(&self, client: Client) -> Result<(), JournalError> {
        connect::migrate(&client).await?;
        let half = "SELECT 1 FROM meta WHERE key = $1";
        let half = client.query_opt(half, &[&RESTORING]).await.map_err(fault::journal_error)?;
        if half.is_some() {
            return Err(JournalError::Unusable(HALF_RESTORED.into()));
        }
        // So that an operator can tell the session that writes from those that read.
        let name = "SET application_name = 'showrunner journal writer'";
        client.batch_execute(name).await.map_err(fault::journal_error)?;
        let epoch = connect::next_epoch(&client).await?;
        let objects = Arc::clone(&self.objects);
        let hooks = self.options.hooks.clone();
        let session = Session::start(Arc::new(client), objects, epoch, hooks).await?;
        let (queue, jobs) = mpsc::unbounded_channel();
        drop(tokio::spawn(session.run(jobs)));
        if self.owner.set(Owner { queue, epoch: epoch.unsigned_abs() }).is_err() {
            return Err(JournalError::Unusable("ownership was taken over twice".into()));
        }
        Ok(())
    }

    fn owner(&self) -> Result<&Owner, JournalError> {
        self.owner.get().ok_or(JournalError::Fenced)
    }
}

#[async_trait]
impl Journal for PostgresJournal {
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
        let job = Job::Append { append: Box::new(append), spilled, reply };
        if owner.queue.send(job).is_err() {
            return AppendFuture::ready(Err(AppendError::Fenced));
        }
        future
    }

    async fn fetch(&self, question: Statement) -> Result<Vec<Row>, JournalError> {
        self.readers.fetch(&question).await
    }

    async fn write(&self, statements: Vec<Statement>) -> Result<Vec<Written>, JournalError> {
        let (reply, answer) = oneshot::channel();
        let job = Job::Write { statements, reply };
        self.owner()?.queue.send(job).ok().ok_or(JournalError::Fenced)?;
        answer.await.map_err(JournalError::storage)?
    }

    fn objects(&self) -> &Arc<dyn Objects> {
        &self.objects
    }

    fn ownership(&self) -> Ownership {
        match self.owner.get() {
            Some(owner) if !owner.queue.is_closed() => Ownership::Owner { epoch: owner.epoch },
            _ => Ownership::Standby,
        }
    }

    async fn wait_for_ownership(&self) -> Result<Ownership, JournalError> {
        let mut session = self.session.lock().await;
        if let Some(client) = session.take() {
            connect::wait_to_own(&client).await?;
            self.take_over(client).await?;
        }
        Ok(self.ownership())
    }

    async fn rebuild(&self, resolve: Resolver) -> Result<Rebuilt, JournalError> {
        let (reply, answer) = oneshot::channel();
        let job = Job::Rebuild { resolve, reply };
        self.owner()?.queue.send(job).ok().ok_or(JournalError::Fenced)?;
        answer.await.map_err(JournalError::storage)?
    }

    async fn snapshot(&self, questions: Vec<Statement>) -> Result<Snapshot, JournalError> {
        self.readers.snapshot(questions).await
    }

    async fn close(&self) {
        let Some(owner) = self.owner.get() else { return };
        let (reply, closed) = oneshot::channel();
        if owner.queue.send(Job::Close(reply)).is_ok() {
            // Its answer, or its end: in both cases nothing is written any more.
            drop(closed.await);
        }
    }

    fn database(&self) -> &'static str {
        "postgres"
    }
}

impl std::fmt::Debug for PostgresJournal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The address may hold a password.
        f.debug_struct("PostgresJournal").finish_non_exhaustive()
    }
}

/// The version of the server at `url`.
///
/// # Errors
/// It cannot be reached, or refuses.
pub async fn server_version(url: &str) -> Result<String, JournalError> {
    let client = connect::connect(url).await?;
    let row = client.query_one("SHOW server_version", &[]).await.map_err(fault::journal_error)?;
    row.try_get(0).map_err(JournalError::storage)
}

/// Makes an empty schema for measurements, and tells the URL under which it is the only one seen.
///
/// # Errors
/// The server cannot be reached, or refuses.
pub async fn scratch_schema(url: &str, schema: &str) -> Result<String, JournalError> {
    let client = connect::connect(url).await?;
    let make = format!("CREATE SCHEMA {}", quoted(schema));
    client.batch_execute(&make).await.map_err(fault::journal_error)?;
    let joint = if url.contains('?') { '&' } else { '?' };
    Ok(format!("{url}{joint}options=-csearch_path%3D{schema}"))
}

/// Removes such a schema with everything in it.
///
/// # Errors
/// The server cannot be reached, or refuses.
pub async fn drop_schema(url: &str, schema: &str) -> Result<(), JournalError> {
    let client = connect::connect(url).await?;
    let remove = format!("DROP SCHEMA {} CASCADE", quoted(schema));
    client.batch_execute(&remove).await.map_err(fault::journal_error)
}

/// A name as an identifier of SQL.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
