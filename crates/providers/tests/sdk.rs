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

/// A Python with the SDKs, made once for each list of versions.
async fn python(folder: &Path) -> Result<PathBuf, String> {
    let requirements = folder.join("requirements.txt");
    let text = std::fs::read_to_string(&requirements).map_err(|error| error.to_string())?;
    let digest = showrunner_engine::id::Digest::of(text.as_bytes());
    let name = format!("sdk-{}", digest.as_str().get(..16).unwrap_or_default());
    let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let python = made.join("bin/python");
    if made.join("complete").exists() {
        return Ok(python);
    }
    drop(std::fs::remove_dir_all(&made));
    let at = made.to_str().unwrap_or_default();
    run(Path::new("python3"), &["-m", "venv", at]).await?;
    let list = requirements.to_str().unwrap_or_default();
    let quiet = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", list];
    run(&python, &quiet).await?;
    std::fs::write(made.join("complete"), "").map_err(|error| error.to_string())?;
    Ok(python)
}

#[tokio::test]
async fn the_vendors_own_clients_understand_the_fakes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testkit/sdk");
    let python = match python(&folder).await {
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
