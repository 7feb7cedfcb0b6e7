//! Every way to fail × every vendor × every call: what class it is, whether it may have been
//! billed (held against the fake's own books); nothing hangs, no key is told. `faults.txt` is the
//! table.

use std::fmt::Write as _;
use std::time::Duration;

use expect_test::expect_file;
use showrunner_providers::{CallFailure, MediaStatus, Outcome, Submitted};
use showrunner_testkit::vendors::{Fault, KEY, Step, Studio, StudioFake};

use super::support::*;

/// Faults of streams of words, which no vendor of media sends.
const OF_STREAMS: [Fault; 8] = [
    Fault::ErrorFirst,
    Fault::ErrorMidStream,
    Fault::InvalidArguments,
    Fault::NoUsage,
    Fault::CutBeforeUsage,
    Fault::Refusal,
    Fault::Filtered,
    Fault::CutOff,
];

/// Faults that only a limit of time ends.
fn is_silent(fault: Fault) -> bool {
    matches!(fault, Fault::SilentBefore | Fault::SilentAfter | Fault::Stall)
}

/// One call in which `fault` strikes: what came of it, and what has been ordered.
async fn struck(studio: Studio, step: Step, fault: Fault) -> (String, usize) {
    let fake = StudioFake::start(studio).await;
    let patient = driver(studio, &fake);
    let mut options = impatient();
    if is_silent(fault) {
        // Only for those that never end; a slow machine needs longer for the others.
        options.idle_timeout = Duration::from_millis(1);
        options.connect_timeout = Duration::from_secs(3);
    }
    let hasty = driver_with(studio, &fake, options, trusting(&fake));
    let what = format!("{studio:?} {step:?} {fault:?}");
    if step == Step::Submit {
        fake.play(step, fault);
        let submitted = soon(&what, hasty.submit(&usual(studio))).await;
        let ordered = fake.ordered().len();
        let line = match submitted {
            Ok(Submitted::Accepted { .. }) => "taken".to_owned(),
            Ok(Submitted::Done(_)) => "done".to_owned(),
            Err(failure) => {
                let known = matches!(failure.outcome, Outcome::NotSent | Outcome::Refused);
                assert!(!known || ordered == 0, "{what}: {failure}");
                of(&failure)
            },
        };
        return (line, ordered);
    }
    if step == Step::Cancel {
        fake.takes(9);
    }
    let id = job(patient.submit(&usual(studio)).await.unwrap());
    fake.play(step, fault);
    let line = if step == Step::Cancel {
        match soon(&what, hasty.cancel(&id)).await {
            Ok(cost) => format!("stopped for {}", cost.0),
            Err(failure) => of(&failure),
        }
    } else {
        match soon(&what, hasty.poll(&id)).await {
            Ok(MediaStatus::Working { .. }) => "working".to_owned(),
            Ok(MediaStatus::Done(_)) => "done".to_owned(),
            Ok(MediaStatus::Failed(failure)) => format!("failed: {}", of(&failure)),
            Err(failure) => of(&failure),
        }
    };
    // Whatever asking came to: nothing was ordered by it.
    (line, fake.ordered().len())
}

fn of(failure: &CallFailure) -> String {
    assert!(!failure.to_string().contains(KEY), "{failure}");
    let wait = failure.retry_after.map_or(String::new(), |wait| format!(" wait {}", wait.0));
    format!("{} {:?} {}{wait}", failure.class.name(), failure.outcome, failure.code)
}

#[tokio::test]
async fn every_fault_of_every_call_has_its_class_and_tells_the_truth_about_the_bill() {
    let steps = [Step::Submit, Step::Status, Step::Result, Step::Cancel];
    let mut all = Vec::new();
    for fault in Fault::ALL.into_iter().filter(|fault| !OF_STREAMS.contains(fault)) {
        all.extend(steps.map(|step| (Studio::Fal, fault, step)));
        // Answered at once: there is nothing else to ask.
        all.push((Studio::OpenAi, fault, Step::Submit));
        all.push((Studio::ElevenLabs, fault, Step::Submit));
    }
    // All at once: a silence is waited for only once.
    let under_way: Vec<_> =
        all.into_iter().map(|case| (case, tokio::spawn(struck(case.0, case.2, case.1)))).collect();
    let mut table = String::new();
    for ((studio, fault, step), struck) in under_way {
        let (line, ordered) = struck.await.unwrap();
        writeln!(table, "{studio:?} {fault:?} {step:?}: {line}; {ordered}").unwrap();
        let is_asking = step != Step::Submit;
        assert!(!is_asking || ordered == 1, "{studio:?} {fault:?} {step:?}");
    }
    expect_file!["faults.txt"].assert_eq(&table);
}

#[tokio::test]
async fn a_file_that_cannot_be_fetched_yet_is_asked_for_again() {
    let faults = [
        Fault::Internal,
        Fault::Unavailable,
        Fault::LimitedSeconds,
        Fault::Hangup,
        Fault::ResetMidBody,
        Fault::LostAnswer,
        Fault::CutInside,
    ];
    for fault in faults {
        let fake = StudioFake::start(Studio::Fal).await;
        let driver = driver(Studio::Fal, &fake);
        let id = job(driver.submit(&picture()).await.unwrap());
        fake.play(Step::File, fault);
        let failure = soon("the fetch", driver.poll(&id)).await.unwrap_err();
        assert_eq!(failure.code, "output_unreachable", "{fault:?}: {failure}");
        let status = driver.poll(&id).await.unwrap();
        assert!(matches!(status, MediaStatus::Done(_)), "{fault:?}: {status:?}");
        assert_eq!(fake.ordered().len(), 1);
    }
}

#[tokio::test]
async fn a_file_that_is_gone_or_is_none_fails_the_job() {
    for (fault, code) in [
        (Fault::NoModel, "output_missing"),
        (Fault::Forbidden, "output_missing"),
        (Fault::HtmlBody, "output_strange"),
        (Fault::WrongSchema, "output_strange"),
    ] {
        let fake = StudioFake::start(Studio::Fal).await;
        let driver = driver(Studio::Fal, &fake);
        let id = job(driver.submit(&picture()).await.unwrap());
        fake.play(Step::File, fault);
        let status = soon("the fetch", driver.poll(&id)).await.unwrap();
        let MediaStatus::Failed(failure) = status else { panic!("{fault:?}: {status:?}") };
        assert_eq!((failure.code.as_str(), failure.outcome), (code, Outcome::Done), "{fault:?}");
    }
}
