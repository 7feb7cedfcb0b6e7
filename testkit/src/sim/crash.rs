//! A journal that stops the world at a chosen append.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use showrunner_journal::{
    Append, AppendError, AppendFuture, Journal, JournalError, Objects, Ownership, Rebuilt,
    Resolver, Row, Snapshot, Statement, Written,
};
use tokio_util::sync::CancellationToken;

/// Where in the life of an append the power goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashMode {
    /// Nothing was written.
    Before,
    /// It was written but not synced, and is lost with the power.
    Written,
    /// It is durable, but nobody was told.
    Synced,
    /// It is durable and its caller was told; nothing after that happens.
    Acked,
    /// No crash: the database would not have it this time.
    Refused,
}

impl CrashMode {
    /// All that stop the world.
    pub const ALL: [Self; 4] = [Self::Before, Self::Written, Self::Synced, Self::Acked];
}

/// When the world stops.
#[derive(Clone, Copy, Debug)]
pub struct CrashPlan {
    /// At which append of the life, from 0.
    pub at: u64,
    /// Where in it.
    pub mode: CrashMode,
}

/// A journal on another one, which is used from one thread and without waiting: the simulated
/// clock must not jump while the disk works.
#[derive(Debug)]
pub struct CrashingJournal {
    inner: Arc<dyn Journal>,
    plan: Option<CrashPlan>,
    appends: AtomicU64,
    is_down: AtomicBool,
    crashed: CancellationToken,
}

impl CrashingJournal {
    /// Passes everything on until `plan` says otherwise.
    pub fn new(inner: Arc<dyn Journal>, plan: Option<CrashPlan>) -> Self {
        Self {
            inner,
            plan,
            appends: AtomicU64::new(0),
            is_down: AtomicBool::new(false),
            crashed: CancellationToken::new(),
        }
    }

    /// Cancelled when the world has stopped.
    pub fn crashed(&self) -> CancellationToken {
        self.crashed.clone()
    }

    /// How many appends were asked for.
    pub fn appends(&self) -> u64 {
        self.appends.load(Ordering::Relaxed)
    }

    fn stop(&self) {
        self.is_down.store(true, Ordering::Relaxed);
        self.crashed.cancel();
    }

    fn is_down(&self) -> bool {
        self.is_down.load(Ordering::Relaxed)
    }

    fn carry_out(&self, append: Append) -> AppendFuture {
        let stored = futures_executor::block_on(self.inner.append(append));
        // A disk takes its time: others go on meanwhile, and may stop whoever waits for it.
        let turns = self.appends() % 5;
        AppendFuture::from_future(async move {
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
            stored
        })
    }
}

/// Of a world that has stopped no answer comes.
fn never() -> AppendFuture {
    AppendFuture::from_future(std::future::pending())
}

#[async_trait]
impl Journal for CrashingJournal {
    fn append(&self, append: Append) -> AppendFuture {
        if self.is_down() {
            return never();
        }
        let number = self.appends.fetch_add(1, Ordering::Relaxed);
        match self.plan {
            Some(plan) if plan.at == number => match plan.mode {
                CrashMode::Before | CrashMode::Written => {
                    self.stop();
                    never()
                },
                CrashMode::Synced => {
                    drop(self.carry_out(append)); // on the disk already
                    self.stop();
                    never()
                },
                CrashMode::Refused => {
                    let reason = "somebody holds a lock".into();
                    AppendFuture::ready(Err(AppendError::Busy(reason)))
                },
                CrashMode::Acked => {
                    let acked = self.carry_out(append);
                    self.stop();
                    acked
                },
            },
            _ => self.carry_out(append),
        }
    }

    async fn fetch(&self, question: Statement) -> Result<Vec<Row>, JournalError> {
        if self.is_down() {
            std::future::pending::<()>().await;
        }
        // Answered before anything else happens: real time must not decide who goes first.
        futures_executor::block_on(self.inner.fetch(question))
    }

    async fn write(&self, statements: Vec<Statement>) -> Result<Vec<Written>, JournalError> {
        if self.is_down() {
            std::future::pending::<()>().await;
        }
        futures_executor::block_on(self.inner.write(statements))
    }

    fn objects(&self) -> &Arc<dyn Objects> {
        self.inner.objects()
    }

    fn ownership(&self) -> Ownership {
        self.inner.ownership()
    }

    async fn wait_for_ownership(&self) -> Result<Ownership, JournalError> {
        self.inner.wait_for_ownership().await
    }

    async fn rebuild(&self, resolve: Resolver) -> Result<Rebuilt, JournalError> {
        self.inner.rebuild(resolve).await
    }

    async fn snapshot(&self, questions: Vec<Statement>) -> Result<Snapshot, JournalError> {
        self.inner.snapshot(questions).await
    }

    async fn close(&self) {}

    fn database(&self) -> &'static str {
        self.inner.database()
    }
}
