//! Everything this program can do: one file a command, or a family of them that differs in a word.

pub(crate) mod serve;
pub(crate) mod demo;
pub(crate) mod run;
pub(crate) mod watch;
pub(crate) mod validate;
pub(crate) mod publish;
pub(crate) mod decide;
pub(crate) mod steer;
pub(crate) mod step;
pub(crate) mod events;
pub(crate) mod runs;
pub(crate) mod approvals;
pub(crate) mod assets;
pub(crate) mod webhooks;
pub(crate) mod keep;
pub(crate) mod bench;
pub(crate) mod doctor;
pub(crate) mod completions;
pub(crate) mod version;
pub(crate) mod sandbox_worker;
mod fetch;
mod given;
mod table;

use anyhow::Context as _;
use clap::Subcommand;
use tokio::runtime::{Builder, Runtime};

use crate::config::serve::ServeArgs;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the server: API, pages and agents in one process
    Serve(Box<ServeArgs>),
    /// Make one picture, from brief to file, and watch it being made
    Demo(demo::DemoArgs),
    /// Start a run of a definition
    Run(run::RunArgs),
    /// Watch runs live; ctrl-c detaches
    Watch(watch::WatchArgs),
    /// Check definition files, without a server
    Validate(validate::ValidateArgs),
    /// Publish a definition as a new version
    Publish(publish::PublishArgs),
    /// Answer what a run asks with yes
    Approve(decide::ApproveArgs),
    /// Send it back with a word on what to change
    Reject(decide::RejectArgs),
    /// Answer what a run asks by ending it
    Abort(decide::AbortArgs),
    /// End a run
    Cancel(steer::CancelArgs),
    /// Let nothing new start in a run
    Pause(steer::OneRun),
    /// Let a paused run go on
    Resume(steer::OneRun),
    /// Take a run back to an earlier phase
    Rollback(steer::RollbackArgs),
    /// A new run that takes over what another has done
    Fork(steer::ForkArgs),
    /// Do a step of a run again, and what depends on it
    Retry(step::RetryArgs),
    /// Go on without a step
    Skip(step::SkipArgs),
    /// Do a step by hand: give its output
    Complete(step::CompleteArgs),
    /// Say what became of a call that is in doubt
    Resolve(step::ResolveArgs),
    /// Everything that happened in a run, one line each
    Events(events::EventsArgs),
    /// List runs, or show one
    #[command(subcommand)]
    Runs(runs::RunsCommand),
    /// What waits for a decision
    Approvals(approvals::ApprovalsArgs),
    /// List or download the files of a run
    #[command(subcommand)]
    Assets(assets::AssetsCommand),
    /// Whom events are sent to, and what was sent
    #[command(subcommand)]
    Webhooks(webhooks::WebhooksCommand),
    /// Copy everything into a folder, while the server runs or not
    Backup(keep::BackupArgs),
    /// Make a data folder out of a backup
    Restore(keep::RestoreArgs),
    /// Check the chain of hashes of every run
    Verify(keep::VerifyArgs),
    /// Measure this machine with the whole engine
    Bench(bench::BenchArgs),
    /// Check that everything needed is there, and say what to do about what is not
    Doctor(doctor::DoctorArgs),
    /// Print a completion script for a shell
    Completions(completions::CompletionsArgs),
    /// Print the version
    Version,
    /// Run one function, locked in
    #[command(hide = true)]
    SandboxWorker(sandbox_worker::WorkerArgs),
}

/// The threads a command needs: a server all cores, a question one.
pub(crate) fn threads(command: &Command) -> anyhow::Result<Runtime> {
    let mut builder = match command {
        Command::Serve(_) | Command::Bench(_) => Builder::new_multi_thread(),
        _ => Builder::new_current_thread(),
    };
    builder.enable_all().build().context("the system gives no threads")
}
