//! Programs of others, run as children that can be stopped and cannot grow.
//!
//! A child gets an empty environment, a folder of its own, a limit for memory, processor time,
//! the size of files and the number of open ones (by `prlimit` of util-linux, for setting them
//! in our own process would need unsafe code), and a wall-clock limit kept by a watcher that kills
//! its whole process group.

use std::{
    io::{self, Read, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU16, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::error::MediaError;

/// How often the watcher looks whether a child is still wanted.
const LOOK: Duration = Duration::from_millis(50);
/// What is kept of the end of a child's complaints, in bytes.
const COMPLAINT_MAX: usize = 2_000;
/// What is taken from a child's standard output, in bytes; more is a failure.
const OUTPUT_MAX: u64 = 256 * 1024 * 1024;

/// A program and the Debian packages that bring it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tool {
    /// Its name in a folder of programs.
    pub program: &'static str,
    /// For the message to whoever has to install it.
    pub package: &'static str,
}

/// Encodes films.
pub const FFMPEG: Tool = Tool { program: "ffmpeg", package: "ffmpeg" };
/// Speaks.
pub const ESPEAK: Tool = Tool { program: "espeak-ng", package: "espeak-ng" };
/// Knows how Japanese is read.
pub const MECAB: Tool = Tool { program: "mecab", package: "mecab mecab-ipadic-utf8" };
/// Sets limits.
const PRLIMIT: Tool = Tool { program: "prlimit", package: "util-linux" };

/// Everything that films with a voice need, in the order in which it is named to people.
pub const FILM_TOOLS: [Tool; 4] = [FFMPEG, ESPEAK, MECAB, PRLIMIT];

/// Where programs are looked for.
#[derive(Debug, Clone)]
pub struct Tools {
    folders: Vec<PathBuf>,
}

impl Default for Tools {
    fn default() -> Self {
        Self::in_folders(["/usr/local/bin", "/usr/bin", "/bin"].map(PathBuf::from).to_vec())
    }
}

impl Tools {
    /// Looks in these folders, in this order.
    pub fn in_folders(folders: Vec<PathBuf>) -> Self {
        Self { folders }
    }

    /// Where a program is.
    pub fn find(&self, tool: Tool) -> Result<PathBuf, MediaError> {
        let places = self.folders.iter().map(|folder| folder.join(tool.program));
        places
            .into_iter()
            .find(|path| path.is_file())
            .ok_or(MediaError::ToolMissing { program: tool.program, package: tool.package })
    }
}

/// What a child may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) wall_seconds: u64,
    pub(crate) cpu_seconds: u64,
    pub(crate) memory_bytes: u64,
    pub(crate) file_bytes: u64,
}

/// The way to a piece of work that goes on elsewhere: stops it, and says how far it is.
#[derive(Debug, Clone, Default)]
pub struct Watch(Arc<Watched>);

#[derive(Debug, Default)]
struct Watched {
    is_stopped: AtomicBool,
    permille: AtomicU16,
}

impl Watch {
    /// The work is wanted no more: it ends soon with [`MediaError::Stopped`].
    pub fn stop(&self) {
        self.0.is_stopped.store(true, Ordering::Relaxed);
    }

    /// Thousandths done.
    pub fn permille(&self) -> u16 {
        self.0.permille.load(Ordering::Relaxed)
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.0.is_stopped.load(Ordering::Relaxed)
    }

    pub(crate) fn tell(&self, permille: u16) {
        self.0.permille.store(permille.min(1000), Ordering::Relaxed);
    }

    pub(crate) fn go_on(&self) -> Result<(), MediaError> {
        if self.is_stopped() { Err(MediaError::Stopped) } else { Ok(()) }
    }
}

/// A program to be run.
#[derive(Debug)]
pub(crate) struct Order<'a> {
    pub(crate) tool: Tool,
    pub(crate) arguments: Vec<String>,
    /// The only folder it is told of.
    pub(crate) folder: &'a Path,
    pub(crate) limits: Limits,
}

impl Tools {
    /// Runs a program, gives it what `feed` writes, and returns what it answers. The child is
    /// gone when this returns, however it returns.
    pub(crate) fn run(
        &self,
        order: &Order<'_>,
        watch: &Watch,
        feed: impl FnOnce(&mut dyn Write) -> Result<(), MediaError>,
    ) -> Result<Vec<u8>, MediaError> {
        watch.go_on()?;
        let mut child = self.start(order)?;
        let end = attend(&mut child, order, watch, feed);
        judge(order, watch, end)
    }

    fn start(&self, order: &Order<'_>) -> Result<Child, MediaError> {
        let program = self.find(order.tool)?;
        let Limits { cpu_seconds, memory_bytes, file_bytes, .. } = order.limits;
        Command::new(self.find(PRLIMIT)?)
            .arg(format!("--cpu={cpu_seconds}"))
            .arg(format!("--as={memory_bytes}"))
            .arg(format!("--fsize={file_bytes}"))
            .args(["--nofile=64", "--core=0", "--"])
            .arg(program)
            .args(&order.arguments)
            .env_clear()
            .env("LANG", "C.UTF-8")
            // Nobody's home, where nothing can be read or made. And the same one each time, for
            // espeak-ng 1.51 lets what its length leaves in memory be heard.
            .env("HOME", "/dev/null")
            .current_dir(order.folder)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(order, &format!("it could not be started: {error}")))
    }
}

/// How a child ended.
struct End {
    given: Result<(), MediaError>,
    status: io::Result<ExitStatus>,
    output: io::Result<Vec<u8>>,
    complaint: Vec<u8>,
    is_over_time: bool,
}

/// Feeds a child, reads it, and keeps its time.
fn attend(
    child: &mut Child,
    order: &Order<'_>,
    watch: &Watch,
    feed: impl FnOnce(&mut dyn Write) -> Result<(), MediaError>,
) -> End {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (done, until_done) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let watcher =
            scope.spawn(move || guard(pid, order.limits.wall_seconds, watch, &until_done));
        let output = scope.spawn(move || read(stdout));
        let complaint = scope.spawn(move || tail(stderr));
        let given = stdin.map_or(Ok(()), |mut stdin| feed(&mut stdin));
        if given.is_err() {
            kill(pid);
        }
        // Both pipes end when the last of the group has gone; only then is it waited for.
        let output = output.join().unwrap_or_else(|_panic| Err(io::ErrorKind::Other.into()));
        let complaint = complaint.join().unwrap_or_default();
        drop(done);
        let is_over_time = watcher.join().unwrap_or(false);
        End { given, status: child.wait(), output, complaint, is_over_time }
    })
}

/// Kills the child's group when it is unwanted or over its time; says whether it was the time.
/// Counts its own looks: no clock is read here.
fn guard(pid: Option<Pid>, seconds: u64, watch: &Watch, done: &mpsc::Receiver<()>) -> bool {
    let mut left = Duration::from_secs(seconds);
    while done.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
        left = left.saturating_sub(LOOK);
        if watch.is_stopped() || left.is_zero() {
            kill(pid);
            return left.is_zero();
        }
    }
    false
}

fn kill(group: Option<Pid>) {
    if let Some(group) = group {
        // It may be gone already, which is what is wanted.
        let _gone = kill_process_group(group, Signal::KILL);
    }
}

fn read(pipe: Option<impl Read>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(OUTPUT_MAX + 1).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// The last of what is said, however much it is.
fn tail(pipe: Option<impl Read>) -> Vec<u8> {
    let mut kept = Vec::new();
    let Some(mut pipe) = pipe else { return kept };
    let mut buffer = [0_u8; 4096];
    while let Ok(n @ 1..) = pipe.read(&mut buffer) {
        kept.extend_from_slice(buffer.get(..n).unwrap_or_default());
        let surplus = kept.len().saturating_sub(COMPLAINT_MAX);
        kept.drain(..surplus);
    }
    kept
}

fn judge(order: &Order<'_>, watch: &Watch, end: End) -> Result<Vec<u8>, MediaError> {
    watch.go_on()?;
    if end.is_over_time {
        return Err(MediaError::ToolTooSlow {
            program: order.tool.program,
            seconds: order.limits.wall_seconds,
        });
    }
    let status = end.status.map_err(|error| failed(order, &error.to_string()))?;
    if !status.success() {
        let said = String::from_utf8_lossy(&end.complaint);
        return Err(failed(order, &format!("{status}: {}", said.trim())));
    }
    end.given?;
    let output = end.output.map_err(|error| failed(order, &error.to_string()))?;
    if output.len() as u64 > OUTPUT_MAX {
        return Err(failed(order, "it answered more than it may"));
    }
    Ok(output)
}

/// A failure of this program.
pub(crate) fn failed(order: &Order<'_>, reason: &str) -> MediaError {
    MediaError::ToolFailed { program: order.tool.program, reason: reason.to_owned() }
}

#[cfg(test)]
mod tests;
