//! What this machine has to offer.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use showrunner_media::{FILM_TOOLS, Fonts, Tools};

use super::Finding;
use crate::wiring;

/// Below this a server refuses work sooner or later; each picture takes a megabyte or two.
const FREE_BYTES_MIN: u64 = 1024 * 1024 * 1024;
/// Below this SQLite itself cannot go on.
const FREE_BYTES_LEAST: u64 = 64 * 1024 * 1024;
/// When this was written: an earlier clock is wrong.
const EARLIEST: &str = "2026-11-01T00:00:00Z";

/// Whether the data folder can be written to.
pub(super) fn data_folder(folder: &Path) -> Finding {
    let name = "data folder";
    let shown = folder.display();
    let place = nearest(folder);
    let probe = place.join(format!(".showrunner-doctor-{}", std::process::id()));
    let written = fs::write(&probe, b"probe").and_then(|()| fs::remove_file(&probe));
    match written {
        Ok(()) if folder.is_dir() => Finding::good(name, format!("{shown} can be written to")),
        Ok(()) => Finding::good(name, format!("{shown} is not there yet; it can be made")),
        Err(error) => Finding::bad(
            name,
            format!("{} cannot be written to: {error}", place.display()),
            "choose another with --data-dir DIR, or give yourself the right to write",
        ),
    }
}

/// Whether functions of agents can be locked in.
pub(super) async fn functions() -> Finding {
    let name = "functions";
    match wiring::functions::can_run().await {
        Ok(()) => Finding::good(name, "run in processes that lock themselves in"),
        Err(why) => {
            Finding::note(name, why, "agents of kind function fail here; everything else works")
        },
    }
}

/// Whether there is room.
pub(super) fn disk(folder: &Path) -> Finding {
    let name = "disk";
    let place = nearest(folder);
    let facts = match rustix::fs::statvfs(&place) {
        Ok(facts) => facts,
        Err(error) => {
            return Finding::note(
                name,
                format!("free space is unknown: {error}"),
                "look with df -h",
            );
        },
    };
    let free = facts.f_bavail.saturating_mul(facts.f_frsize);
    let mebibytes = free / (1024 * 1024);
    let what = format!("{mebibytes} MiB free at {}", place.display());
    if facts.f_favail == 0 && facts.f_files > 0 {
        return Finding::bad(name, "no inodes are left", "remove small files, or use another disk");
    }
    match free {
        0..FREE_BYTES_LEAST => {
            Finding::bad(name, what, "free some space: the server refuses work on a full disk")
        },
        FREE_BYTES_LEAST..FREE_BYTES_MIN => Finding::note(name, what, "free some space soon"),
        _ => Finding::good(name, what),
    }
}

/// Which SQLite is linked in.
pub(super) fn sqlite() -> Finding {
    let name = "SQLite";
    let version = wiring::sqlite_version();
    if is_fixed(&version) {
        Finding::good(name, format!("{version}, linked in"))
    } else {
        Finding::bad(
            name,
            format!("{version} is older than 3.51.3"),
            "older ones can lose a write-ahead log: build again with the bundled SQLite",
        )
    }
}

fn is_fixed(version: &str) -> bool {
    let numbers: Vec<u32> = version.split('.').filter_map(|part| part.parse().ok()).collect();
    numbers.as_slice() >= [3, 51, 3].as_slice()
}

/// Whether Japanese can be set.
pub(super) fn fonts() -> Finding {
    let name = "fonts";
    match Fonts::system() {
        Ok(_) => Finding::good(name, "a font with Japanese glyphs was found"),
        Err(error) => Finding::bad(
            name,
            error.to_string(),
            "apt-get install fonts-noto-cjk   (or: make needs, in a clone)",
        ),
    }
}

/// Whether films with a voice can be made. Everything else works without.
pub(super) fn films() -> Finding {
    let tools = Tools::default();
    let missing: Vec<_> =
        FILM_TOOLS.into_iter().filter(|tool| tools.find(*tool).is_err()).collect();
    let list = |names: Vec<&str>| names.join(", ");
    if missing.is_empty() {
        let all = list(FILM_TOOLS.map(|tool| tool.program).to_vec());
        return Finding::good("films", format!("{all} were found"));
    }
    let packages: Vec<&str> = missing.iter().map(|tool| tool.package).collect();
    Finding::note(
        "films",
        format!(
            "films with a voice cannot be made here, for want of {}",
            list(missing.iter().map(|tool| tool.program).collect())
        ),
        format!("apt-get install {}   (or: make needs, in a clone)", packages.join(" ")),
    )
}

/// Whether the clock can be right.
pub(super) fn clock() -> Finding {
    let now = Timestamp::now();
    let is_late_enough = EARLIEST.parse::<Timestamp>().is_ok_and(|earliest| now >= earliest);
    if is_late_enough {
        Finding::good("clock", format!("{now:.0}"))
    } else {
        Finding::bad(
            "clock",
            format!("it says {now:.0}, which is before this program was made"),
            "set the clock: deadlines and timers go by it (timedatectl set-ntp true)",
        )
    }
}

/// The folder itself, or the nearest one above it that is there.
fn nearest(folder: &Path) -> PathBuf {
    let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    whole.ancestors().find(|place| place.is_dir()).unwrap_or(&whole).to_owned()
}

#[cfg(test)]
mod tests {
    use super::is_fixed;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(is_fixed("3.51.3") && is_fixed("3.100.0") && is_fixed("4.0.0"));
        assert!(!is_fixed("3.51.2") && !is_fixed("3.9.9") && !is_fixed(""));
    }
}
