//! What the disk itself can do.

use std::fs::File;
use std::io::Write as _;

use showrunner_runtime::Clock;

use super::percentile;
use super::stage::{Raw, Stage};

/// A page, as a small commit writes it.
const PAGE: [u8; 4096] = [7; 4096];

/// How long one synced write of a page takes.
pub(super) fn measure(stage: &Stage) -> anyhow::Result<Vec<Raw>> {
    let mut file = File::create(stage.directory().join("fsync"))?;
    // As a log that is used again: the size stays, so that only the data is synced.
    let rounds = stage.size(1000);
    for _ in 0..rounds {
        file.write_all(&PAGE)?;
    }
    file.sync_all()?;
    let mut file = File::options().write(true).open(stage.directory().join("fsync"))?;
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let from = stage.clock().now();
        file.write_all(&PAGE)?;
        file.sync_data()?;
        times.push(stage.millis_since(from));
    }
    times.sort_by(f64::total_cmp);
    Ok(vec![
        ("fsync_p50", percentile(&times, 0.5), "ms"),
        ("fsync_p99", percentile(&times, 0.99), "ms"),
    ])
}
