use std::io::Write as _;

use super::super::{LedgerOutcome, MemoryLedger};
use super::*;

fn entry(key: &str, outcome: LedgerOutcome, billed: i64) -> LedgerEntry {
    LedgerEntry {
        at_us: 1,
        key: key.into(),
        agent: "writer".into(),
        place: "run_1/draft".into(),
        request_digest: "d".into(),
        billed_micro_usd: billed,
        outcome,
        answer_digest: None,
        answer: Some(serde_json::json!({"said": key})),
        fault: (outcome == LedgerOutcome::Lost).then_some(0),
    }
}

fn some_calls() -> Vec<LedgerEntry> {
    vec![
        entry("k1", LedgerOutcome::Answered, 10),
        entry("k2", LedgerOutcome::Refused, 0),
        entry("k1", LedgerOutcome::Replayed, 0),
        entry("k3", LedgerOutcome::Lost, 7),
        entry("k3", LedgerOutcome::Answered, 7),
    ]
}

fn open(directory: &Path) -> FileLedger {
    FileLedger::open(directory, Durability::Process).unwrap()
}

#[test]
fn both_ledgers_count_the_same_and_name_what_was_paid_twice() {
    let directory = tempfile::tempdir().unwrap();
    let (file, memory) = (open(directory.path()), MemoryLedger::default());
    for entry in some_calls() {
        file.write(&entry).unwrap();
        memory.write(&entry).unwrap();
    }
    let report = file.report().unwrap();
    assert_eq!(report, memory.report().unwrap());
    assert_eq!((report.calls, report.billed_micro_usd, report.keys_billed), (5, 24, 2));
    assert_eq!(report.keys_billed_twice, ["k3"]);
    assert_eq!((file.struck(0, None), file.struck(0, Some("run_2/draft"))), (1, 0));
    for key in ["k1", "k2", "k3"] {
        assert_eq!(file.find(key).unwrap(), memory.find(key).unwrap(), "{key}");
    }
    assert!(file.find("k2").unwrap().is_none(), "a refused call was not done");
}

#[test]
fn it_survives_its_process() {
    let directory = tempfile::tempdir().unwrap();
    let before = open(directory.path());
    for entry in some_calls() {
        before.write(&entry).unwrap();
    }
    let report = before.report().unwrap();
    drop(before);
    let after = open(directory.path());
    assert_eq!(after.report().unwrap(), report);
    assert_eq!(after.struck(0, Some("run_1/draft")), 1);
    assert_eq!(after.find("k1").unwrap().unwrap().answer.unwrap()["said"], "k1");
}

#[test]
fn a_torn_last_line_costs_only_itself() {
    let directory = tempfile::tempdir().unwrap();
    open(directory.path()).write(&entry("k1", LedgerOutcome::Answered, 10)).unwrap();
    let path = directory.path().join(FILE_NAME);
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(br#"{"at_us":2,"key":"k2","agent":"wri"#).unwrap();

    let ledger = open(directory.path());
    assert_eq!(ledger.report().unwrap().calls, 1);
    ledger.write(&entry("k3", LedgerOutcome::Answered, 5)).unwrap();
    ledger.write(&entry("k4", LedgerOutcome::Answered, 5)).unwrap();
    for ledger in [&ledger, &open(directory.path())] {
        let report = ledger.report().unwrap();
        assert_eq!((report.calls, report.unreadable_lines), (3, 1));
        assert_eq!(ledger.find("k3").unwrap().unwrap().key, "k3");
        assert_eq!(ledger.find("k4").unwrap().unwrap().key, "k4");
    }
}

#[test]
fn two_processes_see_each_other() {
    let directory = tempfile::tempdir().unwrap();
    let (one, other) = (open(directory.path()), open(directory.path()));
    for n in 0..50 {
        one.write(&entry(&format!("one{n}"), LedgerOutcome::Answered, 1)).unwrap();
        other.write(&entry(&format!("other{n}"), LedgerOutcome::Answered, 1)).unwrap();
    }
    one.write(&entry("last", LedgerOutcome::Answered, 1)).unwrap();
    assert_eq!(other.find("last").unwrap().unwrap().key, "last");
    assert_eq!(one.find("other49").unwrap().unwrap().key, "other49");
    assert_eq!(one.report().unwrap(), other.report().unwrap());
    assert_eq!(one.report().unwrap().calls, 101);
}
