//! The pool: processes that have locked themselves in and wait for a job, each for one.

mod process;
mod turns;

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::confine::Confinement;
use crate::fault::Fault;
use crate::host::Host;
use crate::job::{Job, Outcome};
use process::Worker;
use turns::Turns;

/// How a pool works.
#[derive(Clone, Debug)]
pub struct PoolOptions {
    /// The program that calls [`crate::worker::work`] when started with `args` and then the two
    /// limits as numbers.
    pub program: PathBuf,
    /// What it is started with before the limits.
    pub args: Vec<OsString>,
    /// Jobs at once.
    pub places: usize,
    /// Processes that wait for jobs, so that no job waits for a process.
    pub spare: usize,
    /// Jobs that may wait for a place.
    pub waiting_max: usize,
    /// Address space of a process, in bytes.
    pub memory_bytes: u64,
    /// Processor time of a process, in seconds: what ends it when its parent is gone.
    pub cpu_s: u64,
    /// Work where the kernel takes no filter of system calls. Only for those who know why.
    pub may_be_unfiltered: bool,
}

impl PoolOptions {
    /// A pool of this program, with usual limits.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            args: vec!["sandbox-worker".into()],
            places: 2,
            spare: 1,
            waiting_max: 256,
            memory_bytes: 512 << 20,
            cpu_s: 20,
            may_be_unfiltered: false,
        }
    }
}

/// Runs jobs in processes of their own. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pool {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    options: PoolOptions,
    turns: Turns,
    spare: Mutex<VecDeque<Worker>>,
}

impl Pool {
    /// A pool; no process is started before the first job.
    pub fn new(options: PoolOptions) -> Self {
        let turns = Turns::new(options.places.max(1), options.waiting_max);
        let spare = Mutex::new(VecDeque::new());
        Self { inner: Arc::new(Inner { options, turns, spare }) }
    }

    /// How many jobs it does at once.
    pub fn places(&self) -> usize {
        self.inner.options.places.max(1)
    }

    /// Starts a process, and says how well it could lock itself in.
    ///
    /// # Errors
    /// [`Fault::Unavailable`]: there would be no sandbox.
    pub async fn check(&self) -> Result<Confinement, Fault> {
        let worker = self.start().await?;
        let confinement = worker.confinement.clone();
        self.keep(worker);
        Ok(confinement)
    }

    /// Does a job for a tenant, in a process that did nothing before and nothing after. Dropping
    /// this ends the process.
    pub async fn run(&self, tenant: &str, job: &Job, host: &dyn Host) -> Outcome {
        let began = match self.inner.turns.wait(tenant).await {
            Ok(pass) => self.take().await.map(|worker| (pass, worker)),
            Err(waiting) => Err(Fault::Crowded { waiting }),
        };
        match began {
            Ok((pass, worker)) => {
                self.refill();
                let outcome = worker.run(job, host).await;
                drop(pass);
                outcome
            },
            Err(fault) => Outcome { result: Err(fault), log: Vec::new() },
        }
    }

    async fn take(&self) -> Result<Worker, Fault> {
        loop {
            let spare = self.inner.spare.lock().pop_front();
            let Some(mut worker) = spare else { return self.start().await };
            // One that died waiting is passed over.
            if worker.is_alive() {
                return Ok(worker);
            }
        }
    }

    /// Starts the next process while this one works.
    fn refill(&self) {
        if self.inner.spare.lock().len() >= self.inner.options.spare {
            return;
        }
        let pool = self.clone();
        tokio::spawn(async move {
            match pool.start().await {
                Ok(worker) => pool.keep(worker),
                Err(fault) => tracing::warn!(%fault, "no spare process for the sandbox"),
            }
        });
    }

    fn keep(&self, worker: Worker) {
        let mut spare = self.inner.spare.lock();
        if spare.len() < self.inner.options.spare {
            spare.push_back(worker);
        }
    }

    async fn start(&self) -> Result<Worker, Fault> {
        let worker = Worker::start(&self.inner.options).await?;
        let Confinement { is_limited, is_filtered, why } = &worker.confinement;
        if *is_limited && (*is_filtered || self.inner.options.may_be_unfiltered) {
            return Ok(worker);
        }
        Err(Fault::unavailable(format!(
            "{}; use a kernel with seccomp, or allow functions without it by \
             --functions-unfiltered, where nobody but you writes functions",
            why.as_deref().unwrap_or("the process could not lock itself in")
        )))
    }
}
