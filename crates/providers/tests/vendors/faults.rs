//! Every way to fail × every vendor: what class it is, whether it may have been billed (held
//! against the fake's own books), how long to wait; and nothing hangs.
#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use std::fmt::Write as _;
use std::time::Duration;

use expect_test::expect;
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
    let options = match is_silent(fault) {
        // Only for those that never end; a slow machine needs longer for the others.
        true => HttpOptions { idle_timeout: Duration::from_millis(1), ..impatient() },
        false => impatient(),
    };
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
    expect![[r#"
        LimitedSeconds Anthropic: rate_limited Refused rate_limit_error wait 7000
        LimitedSeconds OpenAi: rate_limited Refused rate_limit_exceeded wait 7000
        LimitedSeconds Google: rate_limited Refused resource_exhausted wait 7000
        LimitedDate Anthropic: rate_limited Refused rate_limit_error wait 86400000
        LimitedDate OpenAi: rate_limited Refused rate_limit_exceeded wait 86400000
        LimitedDate Google: rate_limited Refused resource_exhausted wait 86400000
        LimitedHuge Anthropic: rate_limited Refused rate_limit_error wait 86400000
        LimitedHuge OpenAi: rate_limited Refused rate_limit_exceeded wait 86400000
        LimitedHuge Google: rate_limited Refused resource_exhausted wait 86400000
        LimitedNegative Anthropic: rate_limited Refused rate_limit_error
        LimitedNegative OpenAi: rate_limited Refused rate_limit_exceeded
        LimitedNegative Google: rate_limited Refused resource_exhausted
        LimitedMillis Anthropic: rate_limited Refused rate_limit_error wait 1500
        LimitedMillis OpenAi: rate_limited Refused rate_limit_exceeded wait 1500
        LimitedMillis Google: rate_limited Refused resource_exhausted wait 1500
        LimitedReset Anthropic: rate_limited Refused rate_limit_error wait 86400000
        LimitedReset OpenAi: rate_limited Refused rate_limit_exceeded wait 360000
        LimitedReset Google: rate_limited Refused resource_exhausted wait 360000
        Spent Anthropic: quota_exceeded Refused enforced_spend_limit_reached
        Spent OpenAi: quota_exceeded Refused insufficient_quota
        Spent Google: rate_limited Refused resource_exhausted
        WrongKey Anthropic: provider Refused authentication_error
        WrongKey OpenAi: provider Refused invalid_api_key
        WrongKey Google: provider Refused unauthenticated
        Forbidden Anthropic: provider Refused permission_error
        Forbidden OpenAi: provider Refused permission_error
        Forbidden Google: provider Refused permission_denied
        NoModel Anthropic: provider Refused not_found_error
        NoModel OpenAi: provider Refused model_not_found
        NoModel Google: provider Refused not_found
        SlowRequest Anthropic: timeout Refused timeout
        SlowRequest OpenAi: timeout Refused invalid_request_error
        SlowRequest Google: timeout Refused invalid_argument
        Conflict Anthropic: transient Refused conflict_error
        Conflict OpenAi: transient Refused invalid_request_error
        Conflict Google: transient Refused aborted
        TooLong Anthropic: validation Refused request_too_large
        TooLong OpenAi: validation Refused invalid_request_error
        TooLong Google: validation Refused invalid_argument
        Unprocessable Anthropic: validation Refused invalid_request_error
        Unprocessable OpenAi: validation Refused invalid_request_error
        Unprocessable Google: validation Refused invalid_argument
        TooEarly Anthropic: transient Refused too_early
        TooEarly OpenAi: transient Refused invalid_request_error
        TooEarly Google: transient Refused invalid_argument
        Internal Anthropic: transient Unknown api_error
        Internal OpenAi: transient Unknown server_error
        Internal Google: transient Unknown internal
        BadGateway: transient Unknown http_502
        Unavailable Anthropic: transient Refused overloaded_error
        Unavailable OpenAi: transient Refused service_unavailable
        Unavailable Google: transient Refused unavailable
        GatewayTimeout Anthropic: timeout Unknown timeout_error
        GatewayTimeout OpenAi: timeout Unknown server_error
        GatewayTimeout Google: timeout Unknown deadline_exceeded
        Overloaded Anthropic: transient Refused overloaded_error
        Overloaded OpenAi: transient Refused service_unavailable
        Overloaded Google: transient Refused unavailable
        Redirect: provider Refused http_307
        Hangup: network Unknown connection_lost
        SilentBefore: timeout Unknown no_answer_in_time
        SilentAfter: timeout Unknown no_answer_in_time
        LostAnswer: network Unknown connection_lost
        ResetMidBody: network Unknown answer_broken_off
        CutBetween: network Unknown answer_broken_off
        CutInside: network Unknown answer_broken_off
        Stall: timeout Unknown answer_not_ended_in_time
        SlowDrip: answered: output
        TruncatedJson: transient Unknown answer_garbled
        InvalidUtf8: transient Unknown answer_garbled
        ErrorBody Anthropic: transient Refused overloaded_error
        ErrorBody OpenAi: transient Unknown service_unavailable
        ErrorBody Google: transient Refused unavailable
        HtmlBody: provider Unknown not_a_stream
        ErrorFirst Anthropic: transient Refused overloaded_error
        ErrorFirst OpenAi: transient Unknown service_unavailable
        ErrorFirst Google: transient Refused unavailable
        ErrorMidStream Anthropic: transient Unknown overloaded_error
        ErrorMidStream OpenAi: transient Unknown service_unavailable
        ErrorMidStream Google: transient Unknown unavailable
        Huge: provider Unknown answer_too_large
        WrongSchema: answered: output
        InvalidArguments: answered: text
        NoUsage: answered: output, estimated
        CutBeforeUsage: answered: output, estimated
        Refusal Anthropic: provider Done model_refused
        Refusal OpenAi: provider Done model_refused
        Refusal Google: provider Done content_filtered
        Filtered Anthropic: provider Done model_refused
        Filtered OpenAi: provider Done content_filtered
        Filtered Google: provider Done content_filtered
        CutOff: validation Done answer_cut_off
        InternalAfter Anthropic: transient Unknown api_error
        InternalAfter OpenAi: transient Unknown server_error
        InternalAfter Google: transient Unknown internal
    "#]]
    .assert_eq(&table);
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
