#![doc = include_str!("../README.md")]

mod fault;
mod talk;
mod config;
mod commands;
mod client;
mod progress;
mod brief;
mod wiring;

use std::process::ExitCode;

/// Decisions are many small values: measured on 500 runs at once, the system's allocator cost a
/// quarter of the processor.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use clap::Parser;

use commands::Command;
use config::{Cli, Desk};
use fault::{Fault, Outcome};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => return fault::usage(&usage),
    };
    if let Command::SandboxWorker(args) = &cli.command {
        return commands::sandbox_worker::perform(args);
    }
    let desk = Desk::new(cli.connect);
    let threads = commands::threads(&cli.command);
    let outcome = threads.map_err(Fault::from).and_then(|runtime| {
        let outcome = runtime.block_on(perform(&desk, cli.command));
        // A thread that waits for a line from the keyboard cannot be called back.
        runtime.shutdown_background();
        outcome
    });
    desk.talk.conclude(outcome)
}

/// Everything this program can do, one line each.
async fn perform(desk: &Desk, command: Command) -> Outcome {
    match command {
        Command::Serve(args) => commands::serve::perform(desk, args).await,
        Command::Demo(args) => commands::demo::perform(desk, args).await,
        Command::Run(args) => commands::run::perform(desk, args).await,
        Command::Watch(args) => commands::watch::perform(desk, args).await,
        Command::Validate(args) => commands::validate::perform(desk, &args),
        Command::Publish(args) => commands::publish::perform(desk, args).await,
        Command::Approve(args) => commands::decide::approve(desk, args).await,
        Command::Reject(args) => commands::decide::reject(desk, args).await,
        Command::Abort(args) => commands::decide::abort(desk, args).await,
        Command::Cancel(args) => commands::steer::cancel(desk, args).await,
        Command::Pause(args) => commands::steer::pause(desk, args).await,
        Command::Resume(args) => commands::steer::resume(desk, args).await,
        Command::Rollback(args) => commands::steer::rollback(desk, args).await,
        Command::Fork(args) => commands::steer::fork(desk, args).await,
        Command::Retry(args) => commands::step::retry(desk, args).await,
        Command::Skip(args) => commands::step::skip(desk, args).await,
        Command::Complete(args) => commands::step::complete(desk, args).await,
        Command::Resolve(args) => commands::step::resolve(desk, args).await,
        Command::Events(args) => commands::events::perform(desk, args).await,
        Command::Runs(args) => commands::runs::perform(desk, args).await,
        Command::Approvals(args) => commands::approvals::perform(desk, args).await,
        Command::Assets(args) => commands::assets::perform(desk, args).await,
        Command::Webhooks(args) => commands::webhooks::perform(desk, args).await,
        Command::Backup(args) => commands::keep::backup(desk, args).await,
        Command::Restore(args) => commands::keep::restore(desk, args).await,
        Command::Verify(args) => commands::keep::verify(desk, args).await,
        Command::Bench(args) => commands::bench::perform(desk, args).await,
        Command::Doctor(args) => commands::doctor::perform(desk, args).await,
        Command::Completions(args) => commands::completions::perform(desk, &args),
        // Done before there were threads.
        Command::SandboxWorker(_) | Command::Version => commands::version::perform(desk),
    }
}
