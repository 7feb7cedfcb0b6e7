//! The one writer: what is queued becomes one transaction; the next one is on its way while the
//! former waits for the disk. Each counts on where the former left off (see `journal_guard` in
//! the schema), so that none can become durable after one that did not.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;

use futures_util::poll;
use showrunner_engine::id::RunId;
use tokio::sync::{mpsc, oneshot};
use tokio_postgres::{Client, Error};

use super::batch::{Item, Prepared, send};
use super::fault::{Fault, fault_of, journal_error};
use super::read::row_of;
use crate::append::{Append, Appended, ChainHash, Spilled, chain};
use crate::cell::Statement;
use crate::error::{AppendError, JournalError, StoredAnswer};
use crate::heads::Heads;
use crate::replay::{Rebuilt, Resolver};
use crate::{Hooks, Written};

/// A transaction is at most so many appends.
const GROUP_JOBS_MAX: usize = 1024;
/// So many transactions are on their way at once: one that waits for the disk, one behind it.
const ON_THE_WAY_MAX: usize = 2;

pub(super) type AppendReply = oneshot::Sender<Result<Appended, AppendError>>;

pub(super) enum Job {
    Append { append: Box<Append>, spilled: Spilled, reply: AppendReply },
    Write { statements: Vec<Statement>, reply: oneshot::Sender<Result<Vec<Written>, JournalError>> },
    Rebuild { resolve: Resolver, reply: oneshot::Sender<Result<Rebuilt, JournalError>> },
    Close(oneshot::Sender<()>),
}

#[derive(Clone, Copy, Debug)]
struct Head {
    seq: u64,
    hash: ChainHash,
}

/// A transaction's items, the replies that wait for it, and how it ended.
struct Done {
    items: Vec<Item>,
    replies: Vec<AppendReply>,
    result: Result<(), Error>,
}

type OnTheWay = Pin<Box<dyn Future<Output = Done> + Send>>;

pub(super) struct Session {
    pub(super) client: Arc<Client>,
    pub(super) prepared: Arc<Prepared>,
    pub(super) objects: Arc<dyn crate::Objects>,
    epoch: i64,
    commits: i64,
    heads: Heads<Head>,
    on_the_way: VecDeque<OnTheWay>,
    hooks: Hooks,
}

/// Why the writer ends.
enum End {
    Closed,
    Fault(Fault),
}

impl Session {
    pub(super) async fn start(
        client: Arc<Client>,
        objects: Arc<dyn crate::Objects>,
        epoch: i64,
        hooks: Hooks,
    ) -> Result<Self, JournalError> {
        let prepared = Arc::new(Prepared::new(&client).await.map_err(journal_error)?);
        Ok(Self {
            client,
            prepared,
            objects,
            epoch,
            commits: 0,
            heads: Heads::default(),
            on_the_way: VecDeque::new(),
            hooks,
        })
    }

    /// Writes until the queue is closed, or nothing may be written any more.
    pub(super) async fn run(mut self, mut queue: mpsc::UnboundedReceiver<Job>) {
        let end = self.write_all(&mut queue).await;
        queue.close();
        let Err(End::Fault(fault)) = end else { return };
        tracing::error!(?fault, "the journal can no longer be written by this process");
        while let Some(job) = queue.recv().await {
            refuse(job, &fault);
        }
        (self.hooks.fatal)(&format!("the journal can no longer be written: {fault:?}"));
    }

    async fn write_all(&mut self, queue: &mut mpsc::UnboundedReceiver<Job>) -> Result<(), End> {
        let mut jobs = Vec::with_capacity(GROUP_JOBS_MAX);
        loop {
            let may_send = self.on_the_way.len() < ON_THE_WAY_MAX;
            tokio::select! {
                biased;
                done = next(&mut self.on_the_way), if !self.on_the_way.is_empty() => {
                    self.take_done(done).await?;
                },
                count = queue.recv_many(&mut jobs, GROUP_JOBS_MAX), if may_send => {
                    if count == 0 {
                        return self.drain().await;
                    }
                    self.take_jobs(&mut jobs).await?;
                },
            }
        }
    }

    /// Appends that follow each other become a transaction; everything else is done alone.
    async fn take_jobs(&mut self, jobs: &mut Vec<Job>) -> Result<(), End> {
        let mut appends = Vec::new();
        for job in jobs.drain(..) {
            match job {
                Job::Append { append, spilled, reply } => appends.push((append, spilled, reply)),
                other => {
                    self.send_group(std::mem::take(&mut appends)).await?;
                    self.drain().await?;
                    self.do_alone(other).await?;
                },
            }
        }
        self.send_group(appends).await
    }

    async fn do_alone(&mut self, job: Job) -> Result<(), End> {
        match job {
            Job::Append { .. } => {},
            Job::Write { statements, reply } => {
                let written = self.write_alone(&statements).await?;
                drop(reply.send(written));
            },
            Job::Rebuild { resolve, reply } => {
                let rebuilt = super::rebuild::rebuild(self, &resolve).await;
                self.count_again().await?;
                drop(reply.send(rebuilt));
            },
            Job::Close(reply) => {
                // Given up now, not when the server notices that the session is gone: the next
                // owner may be waiting.
                if let Err(error) = super::connect::give_up(&self.client).await {
                    tracing::warn!(%error, "giving up the journal's lock");
                }
                // Who has stopped waiting for the end does not have to hear of it.
                if reply.send(()).is_err() {
                    tracing::debug!("nobody waited for the journal to close");
                }
                return Err(End::Closed);
            },
        }
        Ok(())
    }

    async fn drain(&mut self) -> Result<(), End> {
        while !self.on_the_way.is_empty() {
            let done = next(&mut self.on_the_way).await;
            self.take_done(done).await?;
        }
        Ok(())
    }

    /// Checks appends against what is known, and sends those that are right.
    async fn send_group(
        &mut self,
        appends: Vec<(Box<Append>, Spilled, AppendReply)>,
    ) -> Result<(), End> {
        if appends.is_empty() {
            return Ok(());
        }
        let mut keys = match self.look_up(appends.iter().map(|(append, ..)| &**append)).await {
            Ok(keys) => keys,
            Err(error) => {
                let fault = fault_of(&error);
                for (_, _, reply) in appends {
                    drop(reply.send(Err(fault.to_append_error())));
                }
                return Err(End::Fault(fault));
            },
        };
        let (mut items, mut replies) = (Vec::new(), Vec::new());
        for (append, spilled, reply) in appends {
            match self.check(append, spilled, &mut keys) {
                Ok(item) => {
                    items.push(item);
                    replies.push(reply);
                },
                Err(error) => drop(reply.send(Err(error))),
            }
        }
        if !items.is_empty() {
            self.send(items, replies).await;
        }
        Ok(())
    }

    async fn send(&mut self, items: Vec<Item>, replies: Vec<AppendReply>) {
        let (client, prepared) = (Arc::clone(&self.client), Arc::clone(&self.prepared));
        let count = (self.epoch, self.commits);
        self.commits += 1;
        let mut sent: OnTheWay = Box::pin(async move {
            let result = send(&client, &prepared, count, &items).await;
            Done { items, replies, result }
        });
        // The first poll sends it; what is done already waits in its place like the others.
        if let std::task::Poll::Ready(done) = poll!(sent.as_mut()) {
            sent = Box::pin(std::future::ready(done));
        }
        self.on_the_way.push_back(sent);
    }

    /// Heads that are not remembered, and answers to the keys of these appends.
    async fn look_up<'a>(
        &mut self,
        appends: impl Iterator<Item = &'a Append>,
    ) -> Result<HashMap<(String, String), StoredAnswer>, Error> {
        let (mut unknown, mut scopes, mut keys) = (Vec::new(), Vec::new(), Vec::new());
        for append in appends {
            if self.heads.get(&append.run_id).is_none() {
                unknown.push(append.run_id.as_str());
            }
            if let Some(row) = &append.idempotency {
                scopes.push(row.scope.as_str());
                keys.push(row.key.as_str());
            }
        }
        if !unknown.is_empty() {
            for row in self.client.query(&self.prepared.heads, &[&unknown]).await? {
                let (id, hash): (String, Vec<u8>) = (row.get(0), row.get(2));
                let head = Head {
                    seq: row.get::<_, i64>(1).unsigned_abs(),
                    hash: hash.try_into().unwrap_or([0; 32]),
                };
                self.heads.put(&RunId::from(id), head);
            }
        }
        let mut stored = HashMap::new();
        if !keys.is_empty() {
            for row in self.client.query(&self.prepared.keys, &[&scopes, &keys]).await? {
                let run_id: String = row.get(3);
                let answer = StoredAnswer {
                    fingerprint: row.get(2),
                    run_id: run_id.into(),
                    response: row.get(4),
                };
                stored.insert((row.get(0), row.get(1)), answer);
            }
        }
        Ok(stored)
    }

    /// What is to be written for an append, when it fits.
    fn check(
        &mut self,
        append: Box<Append>,
        spilled: Spilled,
        keys: &mut HashMap<(String, String), StoredAnswer>,
    ) -> Result<Item, AppendError> {
        let key = append.idempotency.as_ref().map(|row| (row.scope.clone(), row.key.clone()));
        if let Some(answer) = key.as_ref().and_then(|key| keys.get(key)) {
            return Err(AppendError::DuplicateKey(Box::new(answer.clone())));
        }
        let known = self.heads.get(&append.run_id);
        let found_seq = known.map_or(0, |head| head.seq);
        if found_seq != append.expected_seq {
            return Err(AppendError::Conflict { found_seq });
        }
        if known.is_none() && append.rows.facts.is_none() {
            let reason = format!("the first append of {} does not start it", append.run_id);
            return Err(AppendError::Corrupt(reason.into()));
        }
        if let (Some(key), Some(row)) = (key, &append.idempotency) {
            let answer = StoredAnswer {
                fingerprint: row.fingerprint.clone(),
                run_id: append.run_id.clone(),
                response: row.response.clone(),
            };
            keys.insert(key, answer);
        }
        let previous = known.map_or([0; 32], |head| head.hash);
        let digest = &append.body_digest;
        let hash = chain(&previous, &append.run_id, append.seq_first(), append.at, digest);
        self.heads.put(&append.run_id, Head { seq: append.seq_last, hash });
        Ok(Item { append, spilled, hash })
    }

    async fn take_done(&mut self, done: Done) -> Result<(), End> {
        match done.result {
            Ok(()) => {
                self.announce(done.items, done.replies);
                Ok(())
            },
            Err(error) => self.recover(error, done.items, done.replies).await,
        }
    }

    /// Everything is durable: first the feed in commit order, then those who wait.
    fn announce(&self, items: Vec<Item>, replies: Vec<AppendReply>) {
        if let Some(on_durable) = &self.hooks.on_durable {
            for item in &items {
                on_durable(&item.append.committed());
            }
        }
        for (item, reply) in items.into_iter().zip(replies) {
            let appended = Appended { seq_last: item.append.seq_last, hash: item.hash };
            drop(reply.send(Ok(appended)));
        }
    }

    /// A transaction failed, and with it those behind it. When the session lives, each append is
    /// made on its own, so that a bad one takes no other along.
    async fn recover(
        &mut self,
        error: Error,
        items: Vec<Item>,
        replies: Vec<AppendReply>,
    ) -> Result<(), End> {
        let fault = fault_of(&error);
        let mut again: Vec<(Item, AppendReply)> = items.into_iter().zip(replies).collect();
        while let Some(sent) = self.on_the_way.pop_front() {
            let done = sent.await;
            again.extend(done.items.into_iter().zip(done.replies));
        }
        if matches!(fault, Fault::Lost(_) | Fault::Fenced) {
            for (_, reply) in again {
                drop(reply.send(Err(fault.to_append_error())));
            }
            return Err(End::Fault(fault));
        }
        // The transaction that failed is still open when its COMMIT was not reached.
        let rolled_back = self.client.batch_execute("ROLLBACK").await;
        rolled_back.map_err(|error| End::Fault(fault_of(&error)))?;
        self.count_again().await?;
        for (item, reply) in again {
            self.make_alone(item, reply).await?;
        }
        Ok(())
    }

    async fn make_alone(&mut self, item: Item, reply: AppendReply) -> Result<(), End> {
        let found = self.look_up(std::iter::once(&*item.append)).await;
        let mut keys = found.map_err(|error| End::Fault(fault_of(&error)))?;
        let item = match self.check(item.append, item.spilled, &mut keys) {
            Ok(item) => item,
            Err(error) => {
                drop(reply.send(Err(error)));
                return Ok(());
            },
        };
        let count = (self.epoch, self.commits);
        match send(&self.client, &self.prepared, count, std::slice::from_ref(&item)).await {
            Ok(()) => {
                self.commits += 1;
                self.announce(vec![item], vec![reply]);
                Ok(())
            },
            Err(error) => {
                let fault = fault_of(&error);
                drop(reply.send(Err(fault.to_append_error())));
                if matches!(fault, Fault::Lost(_) | Fault::Fenced) {
                    return Err(End::Fault(fault));
                }
                drop(self.client.batch_execute("ROLLBACK").await);
                self.count_again().await
            },
        }
    }

    /// What the database says about this owner's transactions, instead of what is remembered.
    async fn count_again(&mut self) -> Result<(), End> {
        self.heads.forget();
        let row = self.client.query_one("SELECT epoch, commits FROM owner", &[]).await;
        let row = row.map_err(|error| End::Fault(fault_of(&error)))?;
        if row.get::<_, i64>(0) != self.epoch {
            return Err(End::Fault(Fault::Fenced));
        }
        self.commits = row.get(1);
        Ok(())
    }

    async fn write_alone(
        &mut self,
        statements: &[Statement],
    ) -> Result<Result<Vec<Written>, JournalError>, End> {
        match self.try_write(statements).await {
            Ok(written) => {
                self.commits += 1;
                Ok(Ok(written))
            },
            Err(error) => {
                let fault = fault_of(&error);
                if matches!(fault, Fault::Lost(_) | Fault::Fenced) {
                    return Err(End::Fault(fault));
                }
                drop(self.client.batch_execute("ROLLBACK").await);
                self.count_again().await?;
                Ok(Err(fault.to_journal_error()))
            },
        }
    }

    async fn try_write(&mut self, statements: &[Statement]) -> Result<Vec<Written>, Error> {
        self.client.batch_execute("BEGIN").await?;
        let guard = "SELECT journal_guard($1, $2)";
        self.client.execute(guard, &[&self.epoch, &self.commits]).await?;
        let mut results = Vec::with_capacity(statements.len());
        for statement in statements {
            let params: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> = statement
                .values
                .iter()
                .map(|value| value as &(dyn tokio_postgres::types::ToSql + Sync))
                .collect();
            let prepared = self.client.prepare(&statement.sql).await?;
            if prepared.columns().is_empty() {
                let changed = self.client.execute(&prepared, &params).await?;
                results.push(Written { changed, rows: Vec::new() });
            } else {
                let rows = self.client.query(&prepared, &params).await?;
                let rows: Vec<_> = rows.iter().filter_map(|row| row_of(row).ok()).collect();
                results.push(Written { changed: rows.len() as u64, rows });
            }
        }
        self.client.batch_execute("COMMIT").await?;
        Ok(results)
    }
}

/// Waits for the transaction that was sent first.
async fn next(on_the_way: &mut VecDeque<OnTheWay>) -> Done {
    match on_the_way.front_mut() {
        Some(first) => {
            let done = first.as_mut().await;
            on_the_way.pop_front();
            done
        },
        None => std::future::pending().await,
    }
}

fn refuse(job: Job, fault: &Fault) {
    // Whoever comes after the session was lost has written nothing: they are told who may.
    match job {
        Job::Append { reply, .. } => drop(reply.send(Err(AppendError::Fenced))),
        Job::Write { reply, .. } => drop(reply.send(Err(fault.to_journal_error()))),
        Job::Rebuild { reply, .. } => drop(reply.send(Err(fault.to_journal_error()))),
        Job::Close(reply) => drop(reply),
    }
}
