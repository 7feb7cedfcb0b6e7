//! The fakes are true: the vendors' own Python SDKs understand them, and they refuse what those
//! SDKs expect to be refused.
#![expect(clippy::print_stderr, reason = "what was not run is said loudly")]

use std::path::{Path, PathBuf};

use showrunner_testkit::vendors::{Fake, KEY, Vendor};
use tokio::process::Command;

/// Runs a program to its end: what it said, and whether it went well.
async fn run(program: &Path, args: &[&str]) -> Result<String, String> {
    let mut command = Command::new(program);
    command.args(args).env("PYTHONDONTWRITEBYTECODE", "1").kill_on_drop(true);
    // What is on 127.0.0.1 is not asked for through a proxy.
    command.env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
    let shown = || format!("{} {}", program.display(), args.join(" "));
    let output = command.output().await.map_err(|error| format!("{}: {error}", shown()))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    if !output.status.success() {
        return Err(format!("{}: {}\n{out}\n{err}", shown(), output.status));
    }
    Ok(out)
}

/// A Python with the SDKs.
async fn python() -> Result<PathBuf, String> {
    let made = || showrunner_testkit::python::python(Path::new(env!("CARGO_TARGET_TMPDIR")));
    tokio::task::spawn_blocking(made).await.map_err(|error| error.to_string())?
}

#[tokio::test]
async fn the_vendors_own_clients_understand_the_fakes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testkit/sdk");
    let python = match python().await {
        Ok(python) => python,
        Err(why) if std::env::var_os("CI").is_some() => panic!("no SDKs to prove it with: {why}"),
        Err(why) => {
            eprintln!("\n*** NOT RUN: the vendors' SDKs could not be installed: {why}\n");
            return;
        },
    };
    let anthropic = Fake::start(Vendor::Anthropic).await;
    let openai = Fake::start(Vendor::OpenAi).await;
    let google = Fake::start(Vendor::Google).await;
    let script = folder.join("drive.py");
    let bases = [anthropic.base(), openai.base(), google.base()];
    let mut args = vec![script.to_str().unwrap()];
    args.extend(bases.iter().map(String::as_str));
    args.push(KEY);
    let said = run(&python, &args).await.unwrap_or_else(|why| panic!("{why}"));
    let checks = said.lines().filter(|line| line.starts_with("ok ")).count();
    assert!(checks > 50, "only {checks} checks ran:\n{said}");
}
