//! How many appends a second become durable, beside what the same disk does on its own.
//!
//! `cargo run --release -p showrunner-journal --example journal_speed -- [DIRECTORY]
//! [CONCURRENT RUNS]`; both databases where Postgres is installed.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a program to be looked at")]
#![expect(clippy::cast_precision_loss, reason = "shown to people")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use showrunner_journal::{
    Append, Hooks, Journal, PostgresJournal, PostgresOptions, SqliteJournal, SqliteOptions,
};
use showrunner_testkit::journal_conformance::fixture::{Story, chain};
use showrunner_testkit::throwaway_postgres::ThrowawayPostgres;

/// Agent steps of a run; each is one append of three events, as W2 of the bench.
const STEPS: usize = 10;

fn main() {
    let mut args = std::env::args().skip(1);
    let directory = args.next().map_or_else(std::env::temp_dir, Into::into);
    let only = args.next().zip(args.next());
    let loads = match only {
        Some((concurrent, runs)) => vec![(concurrent.parse().unwrap(), runs.parse().unwrap())],
        None => vec![(1, 400), (64, 3_000), (500, 12_000)],
    };
    let place = tempfile::tempdir_in(directory).unwrap();
    println!("fsync of 4 KiB: p50 {:?}", fsync_p50(place.path()));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for &(concurrent, runs) in &loads {
        let folder = tempfile::tempdir_in(place.path()).unwrap();
        let journal = SqliteJournal::open(SqliteOptions::in_directory(folder.path())).unwrap();
        runtime.block_on(measure(journal, concurrent, runs));
        let log = std::fs::metadata(folder.path().join("journal.db-wal"));
        println!("      log file {} MiB", log.map_or(0, |found| found.len()) >> 20);
    }
    let Ok(server) = ThrowawayPostgres::start() else { return };
    for (concurrent, runs) in loads {
        runtime.block_on(async {
            let url = server.fresh_database("speed").await.unwrap();
            let objects = place.path().join("objects");
            let options = PostgresOptions { url, objects, hooks: Hooks::default() };
            let journal = PostgresJournal::open(options).await.unwrap();
            measure(journal, concurrent, runs).await;
        });
    }
}

/// Overwrites a block that exists and waits for the disk, many times.
fn fsync_p50(directory: &Path) -> Duration {
    let mut file = File::create(directory.join("fsync")).unwrap();
    file.write_all(&vec![1; 1 << 20]).unwrap();
    file.sync_all().unwrap();
    let mut took: Vec<Duration> = (0..500u64)
        .map(|n| {
            let began = Instant::now();
            file.seek(SeekFrom::Start(n % 256 * 4096)).unwrap();
            file.write_all(&[2; 4096]).unwrap();
            file.sync_data().unwrap();
            began.elapsed()
        })
        .collect();
    took.sort_unstable();
    took[took.len() / 2]
}

async fn measure(journal: Arc<dyn Journal>, concurrent: usize, runs: usize) {
    let definition = chain(STEPS);
    let stories: Vec<Vec<Append>> = (0..runs as u64)
        .map(|number| {
            let mut story = Story::new(&definition, number);
            let mut appends = vec![story.start()];
            appends.extend((0..STEPS).map(|_| story.finish_plainly()));
            appends
        })
        .collect();
    let bytes: usize = stories.iter().flatten().map(|append| append.body.len()).sum();
    let count = runs * (STEPS + 1);
    let began = Instant::now();
    let mut lanes: Vec<Vec<Vec<Append>>> = (0..concurrent).map(|_| Vec::new()).collect();
    for (no, story) in stories.into_iter().enumerate() {
        lanes[no % concurrent].push(story);
    }
    let tasks: Vec<_> = lanes
        .into_iter()
        .map(|lane| {
            let journal = Arc::clone(&journal);
            tokio::spawn(async move {
                let mut took = Vec::new();
                for append in lane.into_iter().flatten() {
                    let began = Instant::now();
                    journal.append(append).await.unwrap();
                    took.push(began.elapsed());
                }
                took
            })
        })
        .collect();
    let mut took = Vec::with_capacity(count);
    for task in tasks {
        took.extend(task.await.unwrap());
    }
    let elapsed = began.elapsed();
    let busy = cpu_of_threads();
    took.sort_unstable();
    let at = |share: usize| took[(took.len() - 1) * share / 1000];
    println!(
        "{}, {concurrent:>4} at once: {:>7.0} appends/s, p50 {:?}, p99 {:?}, p99.9 {:?}, max {:?}, {} bytes a body",
        journal.database(),
        count as f64 / elapsed.as_secs_f64(),
        at(500),
        at(990),
        at(999),
        at(1000),
        bytes / count,
    );
    for (thread, cpu) in busy {
        println!(
            "      {thread}: {:.2} µs of CPU an append",
            cpu.as_secs_f64() * 1e6 / count as f64
        );
    }
    journal.close().await;
}

/// Processor time of the journal's own threads: what bounds the rate, whatever else runs here.
fn cpu_of_threads() -> Vec<(String, Duration)> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let mut found = Vec::new();
    for task in tasks {
        let path = task.unwrap().path();
        let name = std::fs::read_to_string(path.join("comm")).unwrap_or_default();
        let stat = std::fs::read_to_string(path.join("schedstat")).unwrap_or_default();
        let nanos = stat.split_whitespace().next().and_then(|text| text.parse().ok());
        if name.starts_with("journal") {
            found.push((name.trim().to_owned(), Duration::from_nanos(nanos.unwrap_or(0))));
        }
    }
    found
}
