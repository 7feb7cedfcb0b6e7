//! `bench`: what this machine does with the whole engine, each group of figures in a process of
//! its own, the disk's own limit beside them.

mod disk;
mod load;
mod memory;
mod server;
mod stage;

use std::process::Stdio;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use tokio::process::Command;

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
    /// Only this group
    #[arg(long, value_enum)]
    pub(crate) only: Option<Group>,
    /// Measures one group in this process (what the other form starts)
    #[arg(long, hide = true)]
    pub(crate) inside: bool,
}

/// Figures that are measured together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Group {
    /// The disk alone.
    Disk,
    /// One run at a time.
    W1,
    /// 500 runs at once.
    W2,
    /// One step for each of 1 000 elements.
    Fanout,
    /// Memory with nothing to do.
    Idle,
    /// Memory with many runs that wait for people.
    Parked,
    /// 10 000 open runs after a crash.
    Recovery,
    /// How soon the first step begins after the 202.
    First,
}

impl Group {
    const ALL: [Self; 8] = [
        Self::Disk,
        Self::W1,
        Self::W2,
        Self::Fanout,
        Self::Idle,
        Self::Parked,
        Self::Recovery,
        Self::First,
    ];
}

/// One measured value.
#[expect(clippy::struct_field_names, reason = "the stable name in the output")]
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Figure {
    /// Its stable name.
    pub(crate) figure: String,
    /// It.
    pub(crate) value: f64,
    /// `ms`, `s`, `MiB`, `KiB`, `steps/s`, `rows/s`, `runs`.
    pub(crate) unit: String,
    /// `sqlite` or `postgres`.
    pub(crate) database: String,
}

/// Measures.
pub(crate) async fn perform(desk: &Desk, args: BenchArgs) -> Outcome {
    let wants_postgres = args.database != BenchDatabase::Sqlite;
    if wants_postgres && args.database_url.is_none() {
        return Err(Fault::usage("bench on Postgres needs --database-url")
            .hint("make run-postgres starts a throwaway one and prints its address"));
    }
    if args.inside {
        return inside(desk, &args).await;
    }
    let mut figures = Vec::new();
    let databases: &[&str] = match args.database {
        BenchDatabase::Sqlite => &["sqlite"],
        BenchDatabase::Postgres => &["postgres"],
        BenchDatabase::Both => &["sqlite", "postgres"],
    };
    for database in databases {
        for group in Group::ALL.into_iter().filter(|g| args.only.is_none_or(|only| only == *g)) {
            desk.talk.say(&format!("{database}: {group:?}"));
            figures.extend(in_a_process(desk, &args, database, group).await?);
        }
    }
    if !desk.talk.is_json() {
        desk.talk.data(&table(&figures))?;
    }
    Ok(())
}

/// Runs a group in a process of its own, so that its memory is its own; its lines are passed on
/// as they come.
async fn in_a_process(
    desk: &Desk,
    args: &BenchArgs,
    database: &str,
    group: Group,
) -> anyhow::Result<Vec<Figure>> {
    let own = std::env::current_exe().context("where this program is")?;
    let group = group.to_possible_value().map(|v| v.get_name().to_owned()).unwrap_or_default();
    let mut command = Command::new(own);
    command.args(["--json", "bench", "--inside", "--database", database, "--only", &group]);
    if args.quick {
        command.arg("--quick");
    }
    if let Some(url) = &args.database_url {
        command.args(["--database-url", url]);
    }
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().await?;
    anyhow::ensure!(output.status.success(), "measuring {group} on {database} failed");
    let mut figures = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines().filter(|l| l.starts_with('{')) {
        let figure: Figure = serde_json::from_str(line).with_context(|| line.to_owned())?;
        if desk.talk.is_json() {
            // A reader who has gone does not stop the measuring.
            drop(desk.talk.data(line));
        }
        figures.push(figure);
    }
    Ok(figures)
}

async fn inside(desk: &Desk, args: &BenchArgs) -> Outcome {
    let group = args.only.ok_or_else(|| Fault::usage("--inside needs --only"))?;
    let stage = stage::Stage::new(args).await?;
    let figures = match group {
        Group::Disk => disk::measure(&stage)?,
        Group::W1 => load::one_at_a_time(&stage).await?,
        Group::W2 => load::many_at_once(&stage).await?,
        Group::Fanout => load::fan_out(&stage).await?,
        Group::Idle => memory::idle(&stage).await?,
        Group::Parked => memory::parked(&stage).await?,
        Group::Recovery => memory::recovery(&stage).await?,
        Group::First => server::first_step(&stage).await?,
    };
    stage.strike().await?;
    for (figure, value, unit) in figures {
        let figure = Figure {
            figure: figure.to_owned(),
            value,
            unit: unit.to_owned(),
            database: stage.database_name().to_owned(),
        };
        desk.talk.data(&serde_json::to_string(&figure).unwrap_or_default())?;
    }
    Ok(())
}

fn table(figures: &[Figure]) -> String {
    let mut table = comfy_table::Table::new();
    table.set_header(["figure", "value", "unit", "database"]);
    for figure in figures {
        let value = if figure.value >= 100.0 {
            format!("{:.0}", figure.value)
        } else {
            format!("{:.3}", figure.value)
        };
        table.add_row([&figure.figure, &value, &figure.unit, &figure.database]);
    }
    table.to_string()
}

/// The value below which this share of `sorted` lies.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index into a list that fits memory"
    )]
    let at = (sorted.len().saturating_sub(1) as f64 * share).round() as usize;
    sorted.get(at).copied().unwrap_or(f64::NAN)
}
