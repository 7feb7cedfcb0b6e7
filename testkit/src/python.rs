//! A Python with the packages that prove us true: other people's own clients.

use std::path::{Path, PathBuf};
use std::process::Command;

use showrunner_engine::id::Digest;

const REQUIREMENTS: &str = include_str!("../sdk/requirements.txt");

/// The interpreter of an environment with everything in `sdk/requirements.txt`, made below
/// `folder` once for each list of versions. Blocks while it is made.
///
/// # Errors
/// What the programs said: there is no Python, or the packages cannot be fetched.
pub fn python(folder: &Path) -> Result<PathBuf, String> {
    let digest = Digest::of(REQUIREMENTS.as_bytes());
    let made = folder.join(format!("sdk-{}", &digest.as_str()[..16]));
    let python = made.join("bin/python");
    if made.join("complete").exists() {
        return Ok(python);
    }
    drop(std::fs::remove_dir_all(&made));
    let at = made.to_str().unwrap_or_default();
    run("python3", &["-m", "venv", at])?;
    let list = made.join("requirements.txt");
    std::fs::write(&list, REQUIREMENTS).map_err(|error| error.to_string())?;
    let list = list.to_str().unwrap_or_default();
    let quiet = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", list];
    run(python.to_str().unwrap_or_default(), &quiet)?;
    std::fs::write(made.join("complete"), "").map_err(|error| error.to_string())?;
    Ok(python)
}

fn run(program: &str, args: &[&str]) -> Result<(), String> {
    let output = Command::new(program).args(args).output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program} {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr)))
}
