//! Another process appends and is killed, or loses its disk. Whatever it said was durable is
//! there afterwards.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use showrunner_engine::id::Digest;
use showrunner_journal::{AppendError, Hooks, Journal, SqliteJournal, SqliteOptions};
use showrunner_testkit::journal_conformance::fixture::{Story, chain};

/// Set for the process that is to be killed: where it appends, and from which number on.
const DIRECTORY: &str = "JOURNAL_CRASH_DIRECTORY";
const NUMBER: &str = "JOURNAL_CRASH_NUMBER";
const LANES: u64 = 8;

/// Only does something in the process that is to be killed.
#[tokio::test(flavor = "multi_thread")]
async fn appends_until_it_is_killed() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let number: u64 = std::env::var_os(NUMBER).unwrap().to_str().unwrap().parse().unwrap();
    let hooks = Hooks {
        on_durable: None,
        fatal: Arc::new(|reason| say(&format!("fatal {}", reason.replace(' ', "_")))),
    };
    let options = SqliteOptions { hooks, ..SqliteOptions::in_directory(Path::new(&directory)) };
    let journal: Arc<dyn Journal> = SqliteJournal::open(options).unwrap();
    let lanes: Vec<_> = (0..LANES)
        .map(|lane| {
            let journal = Arc::clone(&journal);
            tokio::spawn(async move { append_for_ever(&journal, number + lane * 100_000).await })
        })
        .collect();
    for lane in lanes {
        lane.await.unwrap();
    }
    say("end");
}

/// Says what was acknowledged, only after it was.
async fn append_for_ever(journal: &Arc<dyn Journal>, from: u64) {
    for number in from.. {
        let mut story = Story::new(&chain(4), number);
        let mut append = story.start();
        for _ in 0..5 {
            match journal.append(append).await {
                Ok(appended) => {
                    let hash = Digest::from_raw(&appended.hash);
                    say(&format!("acked {} {} {hash}", story.id(), appended.seq_last));
                },
                Err(AppendError::Unavailable(_)) => return say("unavailable"),
                Err(error) => return say(&format!("error {error:?}")),
            }
            if story.run.is_ended() {
                break;
            }
            append = story.finish_plainly();
        }
    }
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // The parent may have stopped listening because it has heard enough.
    drop(out.write_all(format!("\n{line}\n").as_bytes()));
    drop(out.flush());
}

fn child(directory: &Path, number: u64, limit_blocks: Option<u32>) -> Child {
    let program = std::env::current_exe().unwrap();
    let limit = match limit_blocks {
        // A write beyond the limit fails like that of a broken disk.
        Some(blocks) => format!("trap '' XFSZ; ulimit -f {blocks}; "),
        None => String::new(),
    };
    Command::new("sh")
        .args(["-c", &format!("{limit}exec \"$0\" \"$@\"")])
        .arg(program)
        .args(["appends_until_it_is_killed", "--exact", "--nocapture", "--test-threads=1"])
        .env(DIRECTORY, directory)
        .env(NUMBER, number.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The newest acknowledged event of each run, and its hash.
type Acked = BTreeMap<String, (u64, String)>;

fn note(acked: &mut Acked, line: &str) -> bool {
    let words: Vec<&str> = line.split(' ').collect();
    // The last line may have been cut off with its process.
    if let ["acked", run, seq, hash] = words[..]
        && hash.len() == 64
    {
        acked.insert(run.to_owned(), (seq.parse().unwrap(), hash.to_owned()));
        return true;
    }
    false
}

async fn check(directory: &Path, acked: &Acked) {
    let journal: Arc<dyn Journal> =
        SqliteJournal::open(SqliteOptions::in_directory(directory)).unwrap();
    let verified = journal.verify().await.unwrap();
    assert_eq!(verified.breaks, []);
    for (run, (seq, hash)) in acked {
        let batches = journal.read(&run.as_str().into(), 0).await.unwrap();
        let batch = batches.iter().find(|batch| batch.seq_last == *seq);
        let batch = batch.unwrap_or_else(|| panic!("{run} was acknowledged up to {seq}"));
        assert_eq!(Digest::from_raw(&batch.hash).as_str(), hash);
    }
    journal.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_loses_nothing_that_it_acknowledged() {
    let place = tempfile::tempdir().unwrap();
    let mut acked = Acked::new();
    for round in 0..12u64 {
        let mut process = child(place.path(), round * 10_000_000, None);
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        // Killed at another moment each time: in the first transaction, and in the thousandth.
        let enough = 1 + round * round * 17;
        let mut heard = 0;
        for line in lines {
            heard += u64::from(note(&mut acked, &line.unwrap()));
            if heard == enough {
                process.kill().unwrap();
            }
        }
        process.wait().unwrap();
        assert!(heard >= enough, "round {round}: it ended by itself after {heard}");
        check(place.path(), &acked).await;
    }
    assert!(acked.len() > 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_write_ends_all_promises_at_once() {
    let place = tempfile::tempdir().unwrap();
    let mut acked = Acked::new();
    // Two MiB, in blocks of 512 bytes: the log gets there within a second.
    let mut process = child(place.path(), 0, Some(4096));
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let (mut fatal, mut unavailable, mut late) = (0, 0, 0);
    for line in lines {
        let line = line.unwrap();
        if note(&mut acked, &line) {
            late += u64::from(fatal > 0 && unavailable == LANES);
        }
        fatal += u64::from(line.starts_with("fatal "));
        unavailable += u64::from(line == "unavailable");
        assert!(!line.starts_with("error "), "{line}");
    }
    process.wait().unwrap();
    assert_eq!((fatal, unavailable, late), (1, LANES, 0), "told once, to everybody, for good");
    assert!(!acked.is_empty());
    check(place.path(), &acked).await;
}
