use super::*;

const LIMITS: Limits =
    Limits { wall_seconds: 60, cpu_seconds: 20, memory_bytes: 1 << 30, file_bytes: 1 << 20 };

fn shell(script: &str, limits: Limits, watch: &Watch) -> Result<Vec<u8>, MediaError> {
    let folder = tempfile::tempdir().unwrap();
    let order = Order {
        tool: Tool { program: "sh", package: "dash" },
        arguments: vec!["-c".to_owned(), script.to_owned()],
        folder: folder.path(),
        limits,
    };
    Tools::default().run(&order, watch, |stdin| {
        // Who does not listen is not a fault here: most of these programs do not.
        let _maybe_closed = stdin.write_all(b"hello\n");
        Ok(())
    })
}

#[test]
fn a_program_answers_what_it_was_fed_and_sees_no_environment() {
    let watch = Watch::default();
    assert_eq!(shell("cat", LIMITS, &watch).unwrap(), b"hello\n");
    let seen = String::from_utf8(shell("env", LIMITS, &watch).unwrap()).unwrap();
    assert!(!seen.contains("CARGO"), "{seen}");
}

#[test]
fn a_program_that_hangs_is_killed_with_its_children() {
    let limits = Limits { wall_seconds: 1, ..LIMITS };
    let fault = shell("sleep 3600 & sleep 3600; wait", limits, &Watch::default()).unwrap_err();
    assert!(matches!(fault, MediaError::ToolTooSlow { program: "sh", seconds: 1 }), "{fault}");
}

#[test]
fn a_program_that_is_wanted_no_more_is_killed() {
    let watch = Watch::default();
    let stopper = watch.clone();
    let fault = thread::scope(|scope| {
        let run = scope.spawn(|| shell("sleep 3600", LIMITS, &watch));
        stopper.stop();
        run.join().unwrap().unwrap_err()
    });
    assert!(matches!(fault, MediaError::Stopped), "{fault}");
}

#[test]
fn limits_of_memory_files_and_time_hold() {
    let watch = Watch::default();
    let limits = Limits { memory_bytes: 64 << 20, ..LIMITS };
    assert!(shell("tail -c 500000000 /dev/zero | tail -n 1", limits, &watch).is_err());
    assert!(shell("head -c 2000000 /dev/zero > big", LIMITS, &watch).is_err());
    let limits = Limits { cpu_seconds: 1, ..LIMITS };
    assert!(shell("while :; do :; done", limits, &watch).is_err());
}

#[test]
fn how_it_ended_and_what_it_said_last_is_told() {
    let script = "i=0; while [ $i -lt 999 ]; do echo noise $i >&2; i=$((i+1)); done; \
                  echo the reason >&2; exit 7";
    let fault = shell(script, LIMITS, &Watch::default()).unwrap_err().to_string();
    assert!(fault.contains('7') && fault.ends_with("the reason"), "{fault}");
    assert!(fault.len() < COMPLAINT_MAX + 200);
}

#[test]
fn a_missing_program_names_its_package() {
    let fault = Tools::in_folders(Vec::new()).find(ESPEAK).unwrap_err().to_string();
    assert!(fault.contains("apt-get install espeak-ng"), "{fault}");
}
