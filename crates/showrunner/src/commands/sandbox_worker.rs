//! `sandbox-worker`: what the server starts to run one function or template in. Not for people.

use std::process::ExitCode;

use clap::Args;

/// What the process may use.
#[derive(Debug, Args)]
pub(crate) struct WorkerArgs {
    /// Address space, in bytes
    memory_bytes: u64,
    /// Processor time, in seconds
    cpu_s: u64,
}

/// Does one job from standard input. Must run before any thread is started.
pub(crate) fn perform(args: &WorkerArgs) -> ExitCode {
    showrunner_sandbox::worker::work(args.memory_bytes, args.cpu_s)
}
