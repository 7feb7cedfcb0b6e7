//! What the person at the keyboard and the environment ask for. The only place that reads either.

pub(crate) mod functions;
pub(crate) mod logs;
pub(crate) mod media;
pub(crate) mod models;
pub(crate) mod serve;
pub(crate) mod outward;
pub(crate) mod inward;
mod terminal;

use std::path::{Path, PathBuf};

use clap::{Args, Parser, ValueEnum};

use crate::commands::Command;
use crate::talk::{Amount, Talk};

pub(crate) use terminal::Terminal;

/// Where a server keeps its data when nobody says otherwise.
const DATA_DIR_DEFAULT: &str = "data";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "showrunner",
    version,
    about = "Durable orchestration for content made by many AI agents",
    long_about = "Showrunner plans content, runs the agents, asks people where people must decide, \
                  survives any crash without paying twice, and delivers files.\n\n\
                  The first minute:\n  showrunner serve          start a server here (no keys, no cost)\n  \
                  showrunner demo           one picture from brief to file, watched live",
    after_help = "A RUN may be given by the beginning of its id where that is unique, and as `-` or \
                  `@last` for the newest.\n\
                  Exit codes: 0 done · 1 refused or failed · 2 wrong usage · 3 cannot reach a server.",
    propagate_version = false,
    subcommand_required = true,
    arg_required_else_help = true,
    infer_long_args = false
)]
pub(crate) struct Cli {
    /// Which server, and how to talk.
    #[command(flatten)]
    pub(crate) connect: Connect,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// A language that labels are shown in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    /// 日本語
    Ja,
    /// English.
    En,
}

/// Which server, and how to talk. Taken by every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Connect {
    /// The server's address; without it the server of the data folder is used
    #[arg(long, env = "SHOWRUNNER_URL", global = true, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The access token; without it the one that the local server wrote down
    #[arg(
        long,
        env = "SHOWRUNNER_TOKEN",
        global = true,
        value_name = "TOKEN",
        hide_env_values = true
    )]
    pub(crate) token: Option<String>,
    /// The data folder of the local server [default: ./data]
    #[arg(long, env = "SHOWRUNNER_DATA_DIR", global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Print JSON on standard output: one object, or one a line for what streams
    #[arg(long, global = true)]
    json: bool,
    /// Say nothing on standard error but what went wrong
    #[arg(long, short, global = true)]
    quiet: bool,
    /// When to colour
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    color: Colour,
    /// Language of labels and of the demo's brief [default: from LANG]
    #[arg(long, global = true, value_enum)]
    lang: Option<Lang>,
}

impl Connect {
    /// The data folder: said, or the default below the working directory.
    pub(crate) fn data_dir(&self) -> &Path {
        self.data_dir.as_deref().unwrap_or_else(|| Path::new(DATA_DIR_DEFAULT))
    }

    /// The data folder, when it was said.
    pub(crate) fn data_dir_said(&self) -> Option<&Path> {
        self.data_dir.as_deref()
    }
}

/// What every command works with.
#[derive(Debug)]
pub(crate) struct Desk {
    /// Which server.
    pub(crate) connect: Connect,
    /// How to talk.
    pub(crate) talk: Talk,
}

impl Desk {
    /// Settles what the command line and the environment leave open.
    pub(crate) fn new(connect: Connect) -> Self {
        let terminal = Terminal::look(connect.color, connect.lang);
        let talk = Talk::new(Amount { is_json: connect.json, is_quiet: connect.quiet }, terminal);
        Self { connect, talk }
    }

    /// The language that was asked for, or the terminal's.
    pub(crate) fn lang(&self) -> Lang {
        if self.talk.language() == "ja" { Lang::Ja } else { Lang::En }
    }
}
