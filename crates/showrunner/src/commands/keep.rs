//! `backup`, `restore`, `verify`: keeping what was written.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use crate::client::Client;
use crate::config::Desk;
use crate::config::serve::{DataDir, Database};
use crate::fault::{Exit, Fault, Outcome};
use crate::wiring;

/// Whereto.
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// A folder that is new or empty; on the server's machine
    to: PathBuf,
}

/// From where.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// What `showrunner backup` wrote
    from: PathBuf,
}

/// Of what.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// A Postgres that no server has open
    #[arg(long, env = "SHOWRUNNER_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: Option<String>,
}

/// Copies everything into a folder.
pub(crate) async fn backup(desk: &Desk, args: BackupArgs) -> Outcome {
    let to = std::path::absolute(&args.to)?;
    must_be_empty(&to, "the backup")?;
    let value = match server(desk)? {
        Some(client) => client.post_long("/api/v1/system/backup", &json!({ "to": to })).await?,
        None => {
            let data = offline(desk)?;
            wiring::backup(&Database::Sqlite(data.database()), data.path(), &to).await?
        },
    };
    let number = |name: &str| value.get(name).and_then(Value::as_u64).unwrap_or(0);
    let (runs, bytes) = (number("runs"), number("bytes"));
    desk.talk.answer(&value, &format!("{}  {runs} runs, {bytes} bytes", to.display()))?;
    let shown = to.display();
    desk.talk.next(&[(
        format!("showrunner restore {shown} --data-dir NEW"),
        "make a data folder out of it",
    )]);
    Ok(())
}

/// Makes a data folder out of a backup.
pub(crate) async fn restore(desk: &Desk, args: RestoreArgs) -> Outcome {
    let Some(data_dir) = desk.connect.data_dir_said() else {
        return Err(Fault::usage("say where to: --data-dir DIR")
            .because("a restore never guesses which folder it may write to"));
    };
    if !args.from.is_dir() {
        return Err(Fault::usage(format!("{} is not a folder", args.from.display()))
            .hint("give the folder that `showrunner backup DIR` wrote"));
    }
    must_be_empty(data_dir, "the data folder")?;
    let value = wiring::restore(&args.from, data_dir).await?;
    let shown = data_dir.display();
    let runs = value.get("runs").and_then(Value::as_u64).unwrap_or(0);
    desk.talk.answer(&value, &format!("{shown}  {runs} runs restored"))?;
    desk.talk.next(&[
        (format!("showrunner verify --data-dir {shown}"), "check every run's chain"),
        (format!("showrunner serve --data-dir {shown}"), "go on from there"),
    ]);
    Ok(())
}

/// Checks every run's chain of hashes.
pub(crate) async fn verify(desk: &Desk, args: VerifyArgs) -> Outcome {
    let value = match (args.database_url, server(desk)?) {
        (Some(url), None) => {
            wiring::verify(&Database::Postgres(url), desk.connect.data_dir()).await?
        },
        (_, Some(client)) => client.post_long("/api/v1/system/verify", &json!({})).await?,
        (None, None) => {
            let data = offline(desk)?;
            wiring::verify(&Database::Sqlite(data.database()), data.path()).await?
        },
    };
    let number = |name: &str| value.get(name).and_then(Value::as_u64).unwrap_or(0);
    let broken = value.get("broken").and_then(Value::as_array).cloned().unwrap_or_default();
    let (runs, batches) = (number("runs"), number("batches"));
    desk.talk
        .answer(&value, &format!("{runs} runs, {batches} batches, {} broken", broken.len()))?;
    if broken.is_empty() {
        return Ok(());
    }
    let fault = Fault::refused(format!("{} places do not fit the chain of hashes", broken.len()));
    let fault = broken.iter().take(20).fold(fault, |fault, place| {
        let text = |name: &str| place.get(name).and_then(Value::as_str).unwrap_or("?");
        let seq = place.get("seq").and_then(Value::as_u64).unwrap_or(0);
        fault.because(format!("{} event {seq}: {}", text("run"), text("what")))
    });
    Err(fault.hint("stop the server and restore the last good backup: showrunner restore").told())
}

/// The server that has the data open; `None` when none runs, so that the files may be opened.
fn server(desk: &Desk) -> Outcome<Option<Client>> {
    match Client::find(&desk.connect) {
        Ok(client) => Ok(Some(client)),
        Err(fault) if fault.exit == Exit::Unreachable && desk.connect.url.is_none() => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// The data folder of a server that is not running.
fn offline(desk: &Desk) -> Outcome<DataDir> {
    let data = DataDir::new(desk.connect.data_dir());
    if data.database().is_file() {
        return Ok(data);
    }
    Err(Fault::unreachable("no server is running here, and there is no data")
        .because(format!("looked for {}", data.database().display()))
        .hint("say where the data is: --data-dir DIR")
        .hint("or which server: --url URL --token TOKEN"))
}

/// A copy never mixes with what is there.
fn must_be_empty(folder: &std::path::Path, what: &str) -> Outcome {
    let is_taken = match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(error) => {
            return Err(Fault::usage(format!("{} cannot be {what}", folder.display()))
                .because(error.to_string()));
        },
    };
    if is_taken {
        return Err(Fault::refused(format!("{} is not empty", folder.display()))
            .because(format!("{what} must not mix with what is there"))
            .hint("give a folder that is new or empty"));
    }
    Ok(())
}
