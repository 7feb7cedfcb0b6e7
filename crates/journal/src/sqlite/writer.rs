//! The one writer: takes everything that is queued, writes it in one transaction, makes it
//! durable with one fsync, and only then tells anybody.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::append::{GroupSpend, Head, Heads, NotWritten, write, write_spend};
use super::checkpoint::{self, Checkpointer};
use super::fault::{Fault, append_error, fault_of, journal_error};
use super::read;
use super::statements::{Statements, run};
use crate::append::{Append, Appended, Spilled};
use crate::cell::Statement;
use crate::error::{AppendError, JournalError};
use crate::{Hooks, Written};

/// How often the queue is looked at before the writer sleeps; with the pauses between, about
/// what a step takes from its answer to its next append.
const LOOKS_MAX: u32 = 192;
/// Processor pauses between two looks.
const PAUSES_PER_LOOK: u32 = 24;
/// A group is at most so many appends, so that nobody waits for a transaction without end.
const GROUP_JOBS_MAX: usize = 1024;
/// A group's bodies are together at most about so long.
const GROUP_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Who gets the result of an append.
pub(super) type AppendReply = oneshot::Sender<Result<Appended, AppendError>>;
/// Who gets the result of other statements.
pub(super) type WriteReply = oneshot::Sender<Result<Vec<Written>, JournalError>>;
/// Work that needs the writer's connection for itself.
pub(super) type Task = Box<dyn FnOnce(&Connection) + Send>;

pub(super) enum Job {
    Append { append: Box<Append>, spilled: Spilled, reply: AppendReply },
    Write { statements: Vec<Statement>, reply: WriteReply },
    Task(Task),
}

impl Job {
    fn bytes(&self) -> usize {
        match self {
            Self::Append { append, .. } => append.body.len(),
            Self::Write { .. } | Self::Task(_) => 0,
        }
    }

    fn refuse(self, reason: &Arc<str>) {
        // Whoever has stopped waiting does not need the answer.
        match self {
            Self::Append { reply, .. } => {
                drop(reply.send(Err(AppendError::Unavailable(Arc::clone(reason)))));
            },
            Self::Write { reply, .. } => {
                drop(reply.send(Err(JournalError::Storage(reason.to_string()))));
            },
            Self::Task(_) => {},
        }
    }
}

/// What is to be written, in order of arrival.
#[derive(Default)]
pub(super) struct Queue {
    inner: Mutex<Inner>,
    arrived: Condvar,
}

#[derive(Default)]
struct Inner {
    jobs: VecDeque<Job>,
    /// Nothing is taken any more; the reason for those who come.
    closed: Option<Arc<str>>,
    /// The writer sleeps and wants to be woken.
    sleeping: bool,
}

impl Queue {
    pub(super) fn push(&self, job: Job) {
        let mut inner = self.inner.lock();
        if let Some(reason) = inner.closed.clone() {
            drop(inner);
            job.refuse(&reason);
            return;
        }
        inner.jobs.push_back(job);
        let wake = std::mem::take(&mut inner.sleeping);
        drop(inner);
        if wake {
            self.arrived.notify_one();
        }
    }

    /// Looks for work for a moment before it falls asleep: what follows from an answer comes back
    /// sooner than a sleeping thread wakes.
    fn look_around(&self) -> parking_lot::MutexGuard<'_, Inner> {
        for _ in 0..LOOKS_MAX {
            let inner = self.inner.lock();
            if !inner.jobs.is_empty() || inner.closed.is_some() {
                return inner;
            }
            drop(inner);
            for _ in 0..PAUSES_PER_LOOK {
                std::hint::spin_loop();
            }
        }
        self.inner.lock()
    }

    /// The next group; `None` when the queue is closed and empty.
    fn take(&self, group: &mut Vec<Job>) -> bool {
        let mut inner = self.look_around();
        while inner.jobs.is_empty() {
            if inner.closed.is_some() {
                return false;
            }
            inner.sleeping = true;
            self.arrived.wait(&mut inner);
        }
        let mut bytes = 0;
        while group.len() < GROUP_JOBS_MAX && bytes < GROUP_BYTES_MAX {
            // A task needs the connection for itself: it is a group of its own.
            let is_task = matches!(inner.jobs.front(), Some(Job::Task(_)));
            if is_task && !group.is_empty() {
                break;
            }
            let Some(job) = inner.jobs.pop_front() else { break };
            bytes += job.bytes();
            group.push(job);
            if is_task {
                break;
            }
        }
        true
    }

    pub(super) fn is_closed(&self) -> bool {
        self.inner.lock().closed.is_some()
    }

    /// Takes nothing any more; what is queued is still written.
    pub(super) fn close(&self, reason: &str) {
        let mut inner = self.inner.lock();
        inner.closed.get_or_insert_with(|| reason.into());
        drop(inner);
        self.arrived.notify_all();
    }

    /// Takes nothing any more, and what is queued is not written.
    fn abandon(&self, reason: &Arc<str>) {
        let mut inner = self.inner.lock();
        inner.closed = Some(Arc::clone(reason));
        let jobs = std::mem::take(&mut inner.jobs);
        drop(inner);
        for job in jobs {
            job.refuse(reason);
        }
    }
}

/// The writer's thread and the way to it.
pub(super) struct Writer {
    pub(super) queue: Arc<Queue>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(
        conn: Connection,
        checkpointer: Checkpointer,
        hooks: Hooks,
    ) -> Result<Self, JournalError> {
        let queue = Arc::new(Queue::default());
        let shared = Arc::clone(&queue);
        let thread = std::thread::Builder::new()
            .name("journal-writer".into())
            .spawn(move || write_until_closed(&conn, &shared, &checkpointer, &hooks))
            .map_err(JournalError::storage)?;
        Ok(Self { queue, thread: Mutex::new(Some(thread)) })
    }

    /// Writes what is queued, then ends.
    pub(super) fn stop(&self) {
        self.queue.close("the journal was closed");
        if let Some(thread) = self.thread.lock().take()
            && thread.join().is_err()
        {
            tracing::error!("the journal's writer panicked");
        }
    }
}

fn write_until_closed(
    conn: &Connection,
    queue: &Queue,
    checkpointer: &Checkpointer,
    hooks: &Hooks,
) {
    let ended =
        Statements::prepare(conn).map_err(|error| error.to_string()).and_then(|statements| {
            let mut session = Session {
                statements,
                heads: Heads::default(),
                spend: GroupSpend::default(),
                hooks,
            };
            let mut group = Vec::with_capacity(GROUP_JOBS_MAX);
            while queue.take(&mut group) {
                session.write_group(&mut group)?;
                checkpointer.after_commit(conn);
            }
            Ok(())
        });
    match ended {
        Ok(()) => checkpoint::move_all(conn),
        Err(reason) => {
            tracing::error!(reason, "the journal can no longer promise durability; it has stopped");
            queue.abandon(&reason.as_str().into());
            (hooks.fatal)(&reason);
        },
    }
}

/// An append that is written but not yet durable.
struct Pending {
    append: Box<Append>,
    head: Head,
    reply: AppendReply,
}

/// A reply that waits for the commit.
enum Reply {
    Append(Pending, Spilled),
    Write(Vec<Written>, Vec<Statement>, WriteReply),
}

impl Reply {
    /// The job again, after a roll back.
    fn into_job(self) -> Job {
        match self {
            Self::Append(Pending { append, reply, .. }, spilled) => {
                Job::Append { append, spilled, reply }
            },
            Self::Write(_, statements, reply) => Job::Write { statements, reply },
        }
    }
}

fn answer_refused(job: Job, fault: &Fault) {
    match job {
        Job::Append { reply, .. } => drop(reply.send(Err(append_error(fault)))),
        Job::Write { reply, .. } => drop(reply.send(Err(journal_error(fault)))),
        Job::Task(_) => {},
    }
}

struct Session<'a> {
    statements: Statements<'a>,
    heads: Heads,
    spend: GroupSpend,
    hooks: &'a Hooks,
}

impl Session<'_> {
    /// Writes a group, or says why nothing may be promised any more.
    fn write_group(&mut self, group: &mut Vec<Job>) -> Result<(), String> {
        if matches!(group.first(), Some(Job::Task(_))) {
            if let Some(Job::Task(task)) = group.pop() {
                // A task may write rows behind the session's back.
                self.heads.forget();
                task(self.statements.conn);
            }
            return Ok(());
        }
        match self.try_group(group)? {
            None => Ok(()),
            // One bad append must not take the others along: each on its own.
            Some(rest) => {
                for job in rest {
                    let mut alone = vec![job];
                    if let Some(failed) = self.try_group(&mut alone)? {
                        debug_assert!(failed.is_empty(), "a group of one answers its one");
                    }
                }
                Ok(())
            },
        }
    }

    /// Writes the group in one transaction. Gives the jobs back when the database refused one of
    /// several; answers a single one that it refused.
    fn try_group(&mut self, group: &mut Vec<Job>) -> Result<Option<Vec<Job>>, String> {
        let is_single = group.len() == 1;
        let mut written = Vec::with_capacity(group.len());
        let mut jobs = std::mem::take(group).into_iter();
        let mut failed = run(&mut self.statements.begin, []).err().map(|error| (None, error));
        while failed.is_none() {
            let Some(job) = jobs.next() else { break };
            failed =
                self.write_job(job, &mut written).err().map(|failed| (Some(failed.0), failed.1));
        }
        if failed.is_none() {
            let committed = write_spend(&mut self.statements, &mut self.spend)
                .and_then(|()| run(&mut self.statements.commit, []));
            match committed {
                Ok(_) => {
                    self.announce(written);
                    return Ok(None);
                },
                Err(error) => failed = Some((None, error)),
            }
        }
        let Some((job, error)) = failed else { return Ok(None) };
        self.roll_back();
        let fault = fault_of(&error);
        let mut all: Vec<Job> = written.into_iter().map(Reply::into_job).collect();
        all.extend(job);
        all.extend(jobs);
        if let Fault::Fatal(reason) = &fault {
            let reason: Arc<str> = reason.as_str().into();
            for job in all {
                job.refuse(&reason);
            }
            return Err(reason.to_string());
        }
        if !is_single {
            return Ok(Some(all));
        }
        for job in all {
            answer_refused(job, &fault);
        }
        Ok(None)
    }

    /// Writes one job into the open transaction; gives it back when the database refused it.
    fn write_job(
        &mut self,
        job: Job,
        written: &mut Vec<Reply>,
    ) -> Result<(), Box<(Job, rusqlite::Error)>> {
        match job {
            Job::Append { append, spilled, reply } => {
                let result = write(
                    &mut self.statements,
                    &mut self.heads,
                    &append,
                    &spilled,
                    &mut self.spend,
                );
                match result {
                    Ok(head) => {
                        written.push(Reply::Append(Pending { append, head, reply }, spilled));
                    },
                    Err(NotWritten::Refused(error)) => drop(reply.send(Err(error))),
                    Err(NotWritten::Database(error)) => {
                        return Err(Box::new((Job::Append { append, spilled, reply }, error)));
                    },
                }
            },
            Job::Write { statements, reply } => {
                match read::execute_all(self.statements.conn, &statements) {
                    Ok(results) => written.push(Reply::Write(results, statements, reply)),
                    Err(error) => return Err(Box::new((Job::Write { statements, reply }, error))),
                }
            },
            Job::Task(_) => {},
        }
        Ok(())
    }

    fn roll_back(&mut self) {
        self.heads.forget();
        self.spend.clear();
        if !self.statements.conn.is_autocommit()
            && let Err(error) = run(&mut self.statements.rollback, [])
        {
            tracing::warn!(%error, "rolling a group back");
        }
    }

    /// Everything is durable: first the feed in commit order, then those who wait.
    fn announce(&self, written: Vec<Reply>) {
        if let Some(on_durable) = &self.hooks.on_durable {
            for reply in &written {
                if let Reply::Append(pending, _) = reply {
                    on_durable(&pending.append.committed());
                }
            }
        }
        for reply in written {
            match reply {
                Reply::Append(Pending { head, reply, .. }, _) => {
                    drop(reply.send(Ok(Appended { seq_last: head.seq, hash: head.hash })));
                },
                Reply::Write(results, _, reply) => drop(reply.send(Ok(results))),
            }
        }
    }
}
