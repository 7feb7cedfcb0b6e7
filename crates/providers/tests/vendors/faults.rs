//! Every way to fail × every vendor: what class it is, whether it may have been billed (held
//! against the fake's own books), how long to wait; and nothing hangs. `faults.txt` is the table.

use std::fmt::Write as _;
use std::time::Duration;

use expect_test::expect_file;
use showrunner_engine::turn::Answer;
use showrunner_providers::{CallFailure, HttpOptions, ModelAnswer, ModelProvider, Outcome};
use showrunner_testkit::vendors::{Fake, Fault, Play, Vendor};

use super::support::*;

/// Faults that only a limit of time ends.
fn is_silent(fault: Fault) -> bool {
    matches!(fault, Fault::SilentBefore | Fault::SilentAfter | Fault::Stall)
}

/// One call in which `fault` strikes, with what the vendor has billed for it.
async fn struck(vendor: Vendor, fault: Fault) -> (Result<ModelAnswer, CallFailure>, usize) {
    let fake = Fake::start(vendor).await;
    fake.play(Play::fault(fault));
    let mut options = impatient();
    if is_silent(fault) {
        // Only for those that never end; a slow machine needs longer for the others.
        options.idle_timeout = Duration::from_millis(1);
    }
    let options = HttpOptions { connect_timeout: Duration::from_secs(3), ..options };
    let driver = driver(wire(vendor), &fake.base(), options);
    let request = request(profile(usual_model(vendor)), Some(brief()));
    let ceiling = driver.ceiling(&request).unwrap();
    let (answered, _) = call(&driver, &request).await;
    if let Ok(answer) = &answered {
        assert!(answer.cost <= ceiling.cost, "{vendor:?} {fault:?}");
    }
    (answered, fake.billed().len())
}

/// One line: what came of it.
fn line(answered: &Result<ModelAnswer, CallFailure>) -> String {
    match answered {
        Ok(answer) => {
            let kind = match &answer.answer {
                Answer::Output(_) => "output",
                Answer::Text(_) => "text",
                _ => "other",
            };
            let estimated = if answer.estimated { ", estimated" } else { "" };
            format!("answered: {kind}{estimated}")
        },
        Err(failure) => {
            let wait =
                failure.retry_after.map_or(String::new(), |wait| format!(" wait {}", wait.0));
            let (class, code) = (failure.class.name(), &failure.code);
            format!("{class} {:?} {code}{wait}", failure.outcome)
        },
    }
}

/// Whether what the driver says of the bill agrees with the vendor's books.
fn check_bill(what: &str, answered: &Result<ModelAnswer, CallFailure>, billed: usize) {
    match answered {
        Ok(_) => assert_eq!(billed, 1, "{what}: answered"),
        Err(failure) => match failure.outcome {
            Outcome::NotSent | Outcome::Refused => assert_eq!(billed, 0, "{what}: {failure}"),
            Outcome::Done => {
                assert_eq!(billed, 1, "{what}: {failure}");
                let paid = failure.billed.as_ref().unwrap();
                assert!(paid.cost.0 > 0 && !paid.estimated, "{what}: {failure}");
            },
            Outcome::Unknown => {},
        },
    }
}

#[tokio::test]
async fn every_fault_of_every_vendor_has_its_class_and_tells_the_truth_about_the_bill() {
    let mut table = String::new();
    for fault in Fault::ALL {
        let mut lines: Vec<(Vendor, String)> = Vec::new();
        for vendor in Vendor::ALL {
            let (answered, billed) = struck(vendor, fault).await;
            check_bill(&format!("{vendor:?} {fault:?}"), &answered, billed);
            lines.push((vendor, line(&answered)));
        }
        // One line where the vendors agree.
        let agree = lines.iter().all(|(_, line)| *line == lines[0].1);
        if agree {
            writeln!(table, "{fault:?}: {}", lines[0].1).unwrap();
        } else {
            for (vendor, line) in lines {
                writeln!(table, "{fault:?} {vendor:?}: {line}").unwrap();
            }
        }
    }
    expect_file!["faults.txt"].assert_eq(&table);
}

#[tokio::test]
async fn what_was_paid_for_in_vain_is_kept_with_its_price() {
    for vendor in Vendor::ALL {
        for fault in [Fault::CutOff, Fault::Refusal, Fault::Filtered] {
            let fake = Fake::start(vendor).await;
            fake.play(Play::fault(fault));
            let profile = profile(usual_model(vendor));
            let driver = driver_of(vendor, &fake);
            let request = request(profile.clone(), Some(brief()));
            let failure = call(&driver, &request).await.0.unwrap_err();
            let paid = failure.billed.as_ref().unwrap();
            assert_eq!(paid.cost.0, cost_of(&fake.billed(), &profile), "{vendor:?} {fault:?}");
            assert_eq!(failure.request_id.as_deref(), Some("req_fake_0001"), "{vendor:?}");
        }
    }
}

#[tokio::test]
async fn a_count_that_never_came_is_billed_at_the_most_it_can_be_and_says_so() {
    for vendor in Vendor::ALL {
        for fault in [Fault::NoUsage, Fault::CutBeforeUsage] {
            let fake = Fake::start(vendor).await;
            fake.play(Play::fault(fault));
            let driver = driver_of(vendor, &fake);
            let request = request(profile(usual_model(vendor)), Some(brief()));
            let answered = answer(&driver, &request).await;
            let most = driver.ceiling(&request).unwrap();
            assert!(answered.estimated, "{vendor:?} {fault:?}");
            assert_eq!((answered.cost, answered.usage.total()), (most.cost, most.tokens));
            assert!(answered.cost.0 >= cost_of(&fake.billed(), &request.profile));
        }
    }
}

#[tokio::test]
async fn a_body_without_an_end_is_left_before_it_fills_the_memory() {
    let fake = Fake::start(Vendor::OpenAi).await;
    fake.play(Play::fault(Fault::Huge));
    let options = HttpOptions { body_max: 1 << 20, ..impatient() };
    let driver = driver(wire(Vendor::OpenAi), &fake.base(), options);
    let request = request(profile("gpt-6.1-sol"), Some(brief()));
    let failure = call(&driver, &request).await.0.unwrap_err();
    assert_eq!((failure.code.as_str(), failure.outcome), ("answer_too_large", Outcome::Unknown));
}
