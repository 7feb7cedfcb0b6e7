//! `completions`: a script that completes commands and options in a shell.

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use crate::config::{Cli, Desk};
use crate::fault::Outcome;

/// For which shell.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// bash, zsh, fish, elvish or powershell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the script.
pub(crate) fn perform(desk: &Desk, args: &CompletionsArgs) -> Outcome {
    let mut script = Vec::new();
    generate(args.shell, &mut Cli::command(), "showrunner", &mut script);
    desk.talk.data(String::from_utf8_lossy(&script).trim_end())?;
    let shell = args.shell.to_string();
    let how = match shell.as_str() {
        "bash" => "source <(showrunner completions bash)".to_owned(),
        "fish" => "showrunner completions fish | source".to_owned(),
        _ => format!("showrunner completions {shell} > a file your shell reads"),
    };
    desk.talk.next(&[(how, "use it in this shell")]);
    Ok(())
}
