//! The child process: locks itself in, takes one job, does it, and ends.

use std::cell::RefCell;
use std::io::{self, Stdin, Stdout};
use std::process::ExitCode;
use std::rc::Rc;

use serde_json::Value;

use crate::confine::confine;
use crate::fault::Fault;
use crate::job::{Job, LogLine};
use crate::wire::{self, Answered, Ask, Said};
use crate::{function, template};

/// The way back to whoever gave the job.
pub(crate) trait Parent {
    /// Passes a line on.
    fn log(&self, line: LogLine) -> io::Result<()>;
    /// Asks, and waits for the answer.
    fn ask(&self, ask: Ask) -> io::Result<Answered>;
}

struct Pipes {
    from: RefCell<Stdin>,
    to: RefCell<Stdout>,
}

impl Pipes {
    fn say(&self, said: &Said) -> io::Result<()> {
        wire::write(&mut *self.to.borrow_mut(), said)
    }

    fn hear<T: serde::de::DeserializeOwned>(&self) -> io::Result<Option<T>> {
        wire::read(&mut *self.from.borrow_mut())
    }
}

impl Parent for Pipes {
    fn log(&self, line: LogLine) -> io::Result<()> {
        self.say(&Said::Log(line))
    }

    fn ask(&self, ask: Ask) -> io::Result<Answered> {
        self.say(&Said::Ask(ask))?;
        self.hear()?.ok_or_else(|| io::ErrorKind::BrokenPipe.into())
    }
}

/// The whole life of a worker process. `memory_bytes` and `cpu_s` are what the process may use in
/// all; the job brings narrower limits of its own.
pub fn work(memory_bytes: u64, cpu_s: u64) -> ExitCode {
    let pipes = Rc::new(Pipes { from: RefCell::new(io::stdin()), to: RefCell::new(io::stdout()) });
    match take_one(&pipes, memory_bytes, cpu_s) {
        Ok(()) => ExitCode::SUCCESS,
        // The parent is gone, or has had enough. There is nobody to tell.
        Err(_) => ExitCode::FAILURE,
    }
}

fn take_one(pipes: &Rc<Pipes>, memory_bytes: u64, cpu_s: u64) -> io::Result<()> {
    pipes.say(&Said::Ready(confine(memory_bytes, cpu_s)))?;
    let Some(job) = pipes.hear::<Job>()? else { return Ok(()) };
    pipes.say(&Said::Done(Box::new(perform(&job, &(Rc::clone(pipes) as Rc<dyn Parent>)))))
}

/// Does a job in this very process.
pub(crate) fn perform(job: &Job, parent: &Rc<dyn Parent>) -> Result<Value, Fault> {
    match job {
        Job::Function(function) => function::run(function, parent),
        Job::Template(template) => template::render(template),
    }
}
