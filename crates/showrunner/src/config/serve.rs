//! How to serve: what was written on the command line, and what it means.

use std::fs;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde_json::Value;
use showrunner_providers::egress::Rules;

use super::functions::{FunctionArgs, FunctionSetup};
use super::inward::{Inward, InwardArgs};
use super::logs::FILTER_DEFAULT;
use super::media::{MediaArgs, MediaVendor};
use super::models::{Models, ModelsArgs};
use super::outward::OutwardArgs;
use crate::fault::{Fault, Outcome};

/// What was written.
#[derive(Debug, Args)]
#[command(after_help = "Data is kept in --data-dir: showrunner.db (SQLite), objects/ (files by \
                        content), ledger/ (what the simulator billed), server.json (how commands \
                        on this machine find the server).")]
pub(crate) struct ServeArgs {
    /// Where to listen; port 0 takes a free one
    #[arg(
        long,
        env = "SHOWRUNNER_LISTEN",
        default_value = "127.0.0.1:8787",
        value_parser = address,
        value_name = "ADDRESS"
    )]
    listen: SocketAddr,
    /// Listen on an address that other machines can reach
    #[arg(long)]
    allow_remote: bool,
    /// Write {"url","token","pid"} here once the server answers
    #[arg(long, value_name = "FILE")]
    pub(crate) ready_file: Option<PathBuf>,
    /// Use this Postgres instead of SQLite: postgres://user:password@host/database
    #[arg(long, env = "SHOWRUNNER_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: Option<String>,
    /// Which models there are
    #[command(flatten)]
    models: ModelsArgs,
    /// Who makes pictures and films
    #[command(flatten)]
    media: MediaArgs,
    /// How the simulator behaves
    #[command(flatten)]
    scripted: ScriptedArgs,
    /// Whom the server may ask
    #[command(flatten)]
    outward: OutwardArgs,
    /// Who may report, and where people reach the server
    #[command(flatten)]
    inward: InwardArgs,
    /// Agents of one's own
    #[command(flatten)]
    functions: FunctionArgs,
    /// Agents' calls under way at once [default: by provider]
    #[arg(long, value_name = "N")]
    limit: Option<NonZeroUsize>,
    /// What to log
    #[arg(long, env = "SHOWRUNNER_LOG", default_value = FILTER_DEFAULT, value_name = "FILTER")]
    pub(crate) log: String,
    /// Log as JSON lines
    #[arg(long)]
    pub(crate) log_json: bool,
    /// Start a demo request at once and say where to look
    #[arg(long)]
    pub(crate) open_demo: bool,
}

/// How the simulator behaves, as written.
#[derive(Debug, Args)]
#[command(next_help_heading = "Simulator")]
#[expect(clippy::struct_field_names, reason = "they are the names of the flags")]
struct ScriptedArgs {
    /// Same seed, same answers
    #[arg(long, default_value_t = 1, value_name = "N")]
    scripted_seed: u64,
    /// How long a simulated call takes
    #[arg(long, default_value = "300..1200", value_name = "MIN..MAX")]
    scripted_latency_ms: LatencyRange,
    /// Failures to play, as JSON
    #[arg(long, value_name = "FILE")]
    scripted_faults: Option<PathBuf>,
    /// What may be done about a call whose answer was lost
    #[arg(long, value_enum, default_value_t = Safety::Idempotent, value_name = "WHICH")]
    scripted_safety: Safety,
}

/// An address of this machine, with its port.
fn address(text: &str) -> Result<SocketAddr, String> {
    text.trim().parse().map_err(|error| {
        format!("{error}; write an IP address and a port, such as 127.0.0.1:8787 or [::1]:0")
    })
}

/// What may be done about a call whose answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Safety {
    /// Send it again: the provider counts a key once.
    Idempotent,
    /// Ask the provider what became of it.
    LookUp,
    /// Neither: a person must say.
    Neither,
}

/// `MIN..MAX` in milliseconds; a single number is both.
#[derive(Clone, Debug, PartialEq, Eq)]
struct LatencyRange(RangeInclusive<u64>);

impl FromStr for LatencyRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |part: &str| {
            part.trim().parse::<u64>().map_err(|error| {
                format!("`{part}` is not a number of milliseconds ({error}); write 300..1200, or 0")
            })
        };
        let (low, high) = match text.split_once("..") {
            Some((low, high)) => (number(low)?, number(high.trim_start_matches('='))?),
            None => (number(text)?, number(text)?),
        };
        if low > high {
            return Err(format!("{low} is more than {high}; write the smaller number first"));
        }
        Ok(Self(low..=high))
    }
}

/// Where the journal is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Database {
    /// A file.
    Sqlite(PathBuf),
    /// A server, by its URL (which may hold a password: it is not shown).
    Postgres(String),
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown())
    }
}

impl Database {
    /// For a person; without what is secret.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Sqlite(file) => format!("SQLite, {}", file.display()),
            Self::Postgres(url) => match reqwest::Url::parse(url) {
                Ok(url) => format!(
                    "Postgres, {}:{}{}",
                    url.host_str().unwrap_or("local socket"),
                    url.port().unwrap_or(5432),
                    url.path()
                ),
                Err(_) => "Postgres".to_owned(),
            },
        }
    }
}

/// How the simulator behaves.
#[derive(Clone, Debug)]
pub(crate) struct Scripted {
    /// Same seed, same answers.
    pub(crate) seed: u64,
    /// How long a call takes.
    pub(crate) latency: RangeInclusive<Duration>,
    /// Failures to play, as the file says them.
    pub(crate) faults: Option<Value>,
    /// What may be done about a lost answer.
    pub(crate) safety: Safety,
}

/// What a data folder holds. Every path in it is made here.
#[derive(Clone, Debug)]
pub(crate) struct DataDir(PathBuf);

impl DataDir {
    /// The folder itself need not be there yet.
    pub(crate) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The SQLite file.
    pub(crate) fn database(&self) -> PathBuf {
        self.0.join("showrunner.db")
    }

    /// Files by content.
    pub(crate) fn objects(&self) -> PathBuf {
        self.0.join("objects")
    }

    /// What the simulator billed.
    pub(crate) fn ledger(&self) -> PathBuf {
        self.0.join("ledger")
    }
}

/// What it means.
#[derive(Debug)]
pub(crate) struct Serving {
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// Where the data is.
    pub(crate) data: DataDir,
    /// Where the journal is.
    pub(crate) database: Database,
    /// Which models there are.
    pub(crate) models: Models,
    /// Who makes pictures, films and voices.
    pub(crate) media: Vec<MediaVendor>,
    /// How the simulator behaves.
    pub(crate) scripted: Scripted,
    /// Whom it may ask beside the public internet.
    pub(crate) outward: Rules,
    /// Who may report from outside, and where people reach it.
    pub(crate) inward: Inward,
    /// Agents of one's own, and what functions may do.
    pub(crate) functions: FunctionSetup,
    /// Agents' calls under way at once.
    pub(crate) limit: Option<NonZeroUsize>,
}

impl ServeArgs {
    /// What was written, checked.
    pub(crate) fn resolve(&self, data_dir: &Path) -> Outcome<Serving> {
        if !self.listen.ip().is_loopback() && !self.allow_remote {
            return Err(Fault::usage(format!("--listen {} opens the server to other machines", self.listen))
                .because("it speaks plain HTTP: whoever sees the traffic sees the token, and the token may do everything")
                .hint("stay on this machine: --listen 127.0.0.1:8787")
                .hint("or put a proxy with TLS before it and add --allow-remote"));
        }
        let data = DataDir::new(data_dir);
        let media = self.media.resolve()?;
        Ok(Serving {
            listen: self.listen,
            database: self.database(&data)?,
            data,
            models: self.models.resolve()?,
            media: if self.models.is_simulated() { Vec::new() } else { media },
            scripted: self.scripted.resolve()?,
            outward: self.outward.rules(),
            inward: self.inward.resolve()?,
            functions: self.functions.resolve()?,
            limit: self.limit,
        })
    }

    fn database(&self, data: &DataDir) -> Outcome<Database> {
        match &self.database_url {
            None => Ok(Database::Sqlite(data.database())),
            Some(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                Ok(Database::Postgres(url.clone()))
            },
            Some(_) => Err(Fault::usage(
                "--database-url is not the address of a Postgres database",
            )
            .because("it does not begin with postgres://")
            .hint("write postgres://user:password@host:5432/database, or leave it out for SQLite")),
        }
    }
}

impl ScriptedArgs {
    fn resolve(&self) -> Outcome<Scripted> {
        let LatencyRange(range) = &self.scripted_latency_ms;
        let faults = self.scripted_faults.as_deref().map(read_faults).transpose()?;
        Ok(Scripted {
            seed: self.scripted_seed,
            latency: Duration::from_millis(*range.start())..=Duration::from_millis(*range.end()),
            faults,
            safety: self.scripted_safety,
        })
    }
}

fn read_faults(file: &Path) -> Outcome<Value> {
    let shown = file.display();
    let text = fs::read_to_string(file).map_err(|error| {
        Fault::usage(format!("--scripted-faults {shown} cannot be read")).because(error.to_string())
    })?;
    serde_json::from_str(&text).map_err(|error| {
        Fault::usage(format!("{shown}:{}:{}: not JSON", error.line(), error.column()))
            .because(error.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::{Database, LatencyRange};

    #[test]
    fn a_range_of_milliseconds() {
        assert_eq!("300..1200".parse(), Ok(LatencyRange(300..=1200)));
        assert_eq!("0".parse(), Ok(LatencyRange(0..=0)));
        assert!("9..1".parse::<LatencyRange>().unwrap_err().contains("smaller number first"));
        assert!("soon".parse::<LatencyRange>().unwrap_err().contains("300..1200"));
    }

    #[test]
    fn a_password_is_not_shown() {
        let database = Database::Postgres("postgres://maker:hush@db.example:5433/work".to_owned());
        assert_eq!(database.shown(), "Postgres, db.example:5433/work");
        assert!(!format!("{database:?}").contains("hush"));
    }
}
