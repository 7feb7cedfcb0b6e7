//! One process and its one job, from outside.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::BufReader;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{Instant, timeout, timeout_at};

use super::PoolOptions;
use crate::confine::Confinement;
use crate::fault::Fault;
use crate::host::{FetchFailure, FetchRequest, Host, Reply, SavedFile};
use crate::job::{Job, Level, Limits, LogLine, Outcome};
use crate::wire::{self, Answered, Ask, Said};

/// How long a process may take to start, on a machine that is busy with other things.
const START_MAX: Duration = Duration::from_secs(30);
/// What a process may take longer than its job, to say itself that it took too long.
const MARGIN_MS: u64 = 250;
/// Log lines that are kept of a job.
const LOG_LINES_MAX: usize = 1_000;
/// `SIGXCPU`: the processor time of the process is used up.
const SIGXCPU: i32 = 24;

/// A process that waits for a job. Ends with this value.
#[derive(Debug)]
pub(super) struct Worker {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    pub(super) confinement: Confinement,
}

impl Worker {
    /// Starts one. It has an empty environment, two pipes, and is in a folder that is gone as soon
    /// as it is there.
    pub(super) async fn start(options: &PoolOptions) -> Result<Self, Fault> {
        let nowhere = tempfile::Builder::new().prefix("showrunner-sandbox-").tempdir();
        let nowhere = nowhere.map_err(|error| {
            Fault::unavailable(format!("there is no place for an empty folder: {error}"))
        })?;
        let mut child = Command::new(&options.program)
            .args(&options.args)
            .arg(options.memory_bytes.to_string())
            .arg(options.cpu_s.to_string())
            .env_clear()
            // The allocator would set a gigabyte aside, more than the process may have.
            .env("MIMALLOC_ARENA_RESERVE", "16MiB")
            .current_dir(nowhere.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| {
                Fault::unavailable(format!("{} does not start: {error}", options.program.display()))
            })?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (to, from) = pipes.ok_or_else(|| Fault::unavailable("a process without pipes"))?;
        let mut worker =
            Self { child, to, from: BufReader::new(from), confinement: Confinement::default() };
        match timeout(START_MAX, wire::receive(&mut worker.from)).await {
            Ok(Ok(Said::Ready(confinement))) => worker.confinement = confinement,
            Ok(Ok(_)) => {
                return Err(Fault::unavailable("the process did not say that it is ready"));
            },
            Ok(Err(error)) => {
                let why = format!("the process ended before it was ready: {error}");
                return Err(Fault::unavailable(why));
            },
            Err(_) => return Err(Fault::unavailable("the process does not get ready")),
        }
        drop(nowhere);
        Ok(worker)
    }

    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Does the job. The process is gone afterwards, whatever happens.
    pub(super) async fn run(self, job: &Job, host: &dyn Host) -> Outcome {
        let limits = job.limits();
        let wall = Instant::now() + Duration::from_millis(limits.wall_ms);
        let busy_left = Duration::from_millis(limits.busy_ms + MARGIN_MS);
        let mut shift = Shift {
            worker: self,
            limits,
            host,
            wall,
            busy_left,
            log: Log::new(limits),
            fetches: 0,
            files: 0,
        };
        let result = shift.work(job).await;
        let log = std::mem::take(&mut shift.log.lines);
        shift.worker.end().await;
        Outcome { result, log }
    }

    async fn end(mut self) {
        // An error means that it has ended already.
        if let Err(error) = self.child.kill().await {
            tracing::debug!(%error, "a process of the sandbox had ended");
        }
    }
}

/// A job being done.
struct Shift<'a> {
    worker: Worker,
    limits: &'a Limits,
    host: &'a dyn Host,
    wall: Instant,
    /// What it may still compute.
    busy_left: Duration,
    log: Log,
    fetches: u32,
    files: u32,
}

impl Shift<'_> {
    async fn work(&mut self, job: &Job) -> Result<Value, Fault> {
        self.tell(job).await?;
        loop {
            match self.hear().await? {
                Said::Log(line) => self.log.add(line),
                Said::Done(result) => return *result,
                Said::Ask(ask) => {
                    let told = timeout_at(self.wall, self.answer(ask)).await;
                    let told = told.map_err(|_late| self.timed_out())??;
                    self.tell(&told).await?;
                },
                Said::Ready(_) => return Err(garbled("ready, twice")),
            }
        }
    }

    /// Tells the process something. It has to listen within its time.
    async fn tell<T: serde::Serialize + Sync>(&mut self, message: &T) -> Result<(), Fault> {
        let began = Instant::now();
        let until = self.wall.min(began + self.busy_left);
        let told = timeout_at(until, wire::send(&mut self.worker.to, message)).await;
        self.busy_left = self.busy_left.saturating_sub(began.elapsed());
        match told {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::InvalidData => {
                Err(too_much("what it is given", wire::FRAME_BYTES_MAX))
            },
            Ok(Err(_)) => Err(self.death().await),
            Err(_) => Err(self.too_long()),
        }
    }

    async fn hear(&mut self) -> Result<Said, Fault> {
        let began = Instant::now();
        let until = self.wall.min(began + self.busy_left);
        let said = timeout_at(until, wire::receive(&mut self.worker.from)).await;
        self.busy_left = self.busy_left.saturating_sub(began.elapsed());
        match said {
            Ok(Ok(said)) => Ok(said),
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                Err(self.death().await)
            },
            Ok(Err(error)) => Err(garbled(&error.to_string())),
            Err(_) => Err(self.too_long()),
        }
    }

    async fn answer(&mut self, ask: Ask) -> Result<Answered, Fault> {
        match ask {
            Ask::Fetch(request) => self.fetch(request).await,
            Ask::Save(file) => self.save(file).await,
            Ask::Sleep { ms } => {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                Ok(Answered::Woken)
            },
        }
    }

    async fn fetch(&mut self, mut request: FetchRequest) -> Result<Answered, Fault> {
        let no = self.fetches;
        if no >= self.limits.fetches {
            let message = format!(
                "{} {}: a call may make {} requests; split the step",
                request.method, request.url, self.limits.fetches
            );
            let code = "ERR_TOO_MANY".to_owned();
            let failure = FetchFailure { code, ..FetchFailure::refused(message) };
            return Ok(Answered::NotFetched(failure));
        }
        self.fetches += 1;
        if let Err(failure) = request.check() {
            return Ok(Answered::NotFetched(failure));
        }
        request.bytes_max = self.limits.fetch_bytes;
        match self.host.fetch(no, request).await {
            Reply::Done(answer) if answer.body.0.len() > self.limits.fetch_bytes => {
                let message =
                    format!("the answer is over {} bytes; ask for less", self.limits.fetch_bytes);
                let code = "ERR_TOO_LARGE".to_owned();
                let failure = FetchFailure { code, ..FetchFailure::refused(message) };
                Ok(Answered::NotFetched(failure))
            },
            Reply::Done(answer) => Ok(Answered::Fetched(answer)),
            Reply::Failed(failure) => Ok(Answered::NotFetched(failure)),
            Reply::Stop => Err(Fault::Stopped),
        }
    }

    async fn save(&mut self, file: SavedFile) -> Result<Answered, Fault> {
        let no = self.files;
        let bytes = file.bytes.0.len();
        if no >= self.limits.files || bytes > self.limits.file_bytes {
            let message = format!(
                "{} ({bytes} bytes) is not kept: a call may keep {} files of up to {} bytes",
                file.name, self.limits.files, self.limits.file_bytes
            );
            return Ok(Answered::NotSaved { message });
        }
        self.files += 1;
        match self.host.save(no, file).await {
            Reply::Done(said) => Ok(Answered::Saved(said)),
            Reply::Failed(message) => Ok(Answered::NotSaved { message }),
            Reply::Stop => Err(Fault::Stopped),
        }
    }

    fn timed_out(&self) -> Fault {
        Fault::TimedOut { limit_ms: self.limits.wall_ms }
    }

    fn too_long(&self) -> Fault {
        if Instant::now() >= self.wall {
            return self.timed_out();
        }
        Fault::Busy { limit_ms: self.limits.busy_ms }
    }

    /// How the process ended that should not have.
    async fn death(&mut self) -> Fault {
        let ended = timeout(Duration::from_secs(1), self.worker.child.wait()).await;
        let Ok(Ok(status)) = ended else { return garbled("nothing more") };
        match status.signal() {
            Some(SIGXCPU) => self.too_long(),
            Some(signal) => Fault::Crashed { how: format!("signal {signal}") },
            None => Fault::Crashed { how: status.to_string() },
        }
    }
}

/// What the author's code wrote, within limits that the process cannot move.
struct Log {
    lines: Vec<LogLine>,
    left: usize,
}

impl Log {
    fn new(limits: &Limits) -> Self {
        Self { lines: Vec::new(), left: limits.log_bytes }
    }

    fn add(&mut self, line: LogLine) {
        if self.lines.len() >= LOG_LINES_MAX || self.left == 0 {
            return;
        }
        self.left = self.left.saturating_sub(line.text.len());
        if self.lines.len() + 1 == LOG_LINES_MAX {
            let text = format!("[the rest is dropped: over {LOG_LINES_MAX} lines]");
            return self.lines.push(LogLine { level: Level::Warn, text });
        }
        self.lines.push(line);
    }
}

fn too_much(what: &str, limit: usize) -> Fault {
    Fault::TooLarge {
        what: what.to_owned(),
        limit: u64::try_from(limit).unwrap_or(u64::MAX),
        unit: "bytes".to_owned(),
        advice: "give it less, and let it fetch what is large".to_owned(),
    }
}

fn garbled(what: &str) -> Fault {
    Fault::Garbled { what: what.to_owned() }
}
