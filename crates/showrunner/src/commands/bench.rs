//! `bench`: what this machine does with the whole engine.

use clap::{Args, ValueEnum};

use crate::config::Desk;
use crate::fault::{Fault, Outcome};

/// On which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BenchDatabase {
    /// The embedded one.
    Sqlite,
    /// A Postgres, by --database-url.
    Postgres,
    /// One after the other.
    Both,
}

/// What to measure.
#[derive(Debug, Args)]
#[command(
    after_help = "With --json one line a figure: {\"figure\",\"value\",\"unit\",\"database\"}."
)]
pub(crate) struct BenchArgs {
    /// On which database
    #[arg(long, value_enum, default_value_t = BenchDatabase::Sqlite)]
    pub(crate) database: BenchDatabase,
    /// The Postgres to measure on; its data is made and removed in a schema of its own
    #[arg(long, env = "SHOWRUNNER_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub(crate) database_url: Option<String>,
    /// A tenth of everything, for a first look
    #[arg(long)]
    pub(crate) quick: bool,
}

/// Measures.
#[expect(clippy::unused_async, reason = "it will wait, once it measures")]
pub(crate) async fn perform(desk: &Desk, args: BenchArgs) -> Outcome {
    let (which, is_quick) = (args.database, args.quick);
    if which != BenchDatabase::Sqlite && args.database_url.is_none() {
        return Err(Fault::usage("bench on Postgres needs --database-url")
            .hint("make run-postgres starts a throwaway one and prints its address"));
    }
    desk.talk.say(&format!("measuring on {which:?}, quick: {is_quick}"));
    Err(Fault::refused("this build cannot measure yet").because("the runtime is not wired in"))
}
