//! Money, faults and time: what the provider did, what it says it did, and what its books say.

use super::samples::strategist;
use super::*;

fn call() -> Arc<ModelCall> {
    call_of(
        "strategist",
        &json!({"prompt": "A film about our new lamp."}),
        Some(&strategist()),
        None,
    )
}

fn with_fault(safety: &str, fault: &Value) -> World {
    world(json!({"safety": safety, "faults": [{"first": 1, "fault": fault}]}))
}

fn lost() -> Value {
    json!({"fail": {"class": "network", "effect": "after"}})
}

#[test]
fn the_same_key_twice_is_billed_once_where_the_provider_is_idempotent() {
    let world = with_fault("idempotent", &lost());
    let doubt = world.ask(&request("k1", call())).unwrap_err();
    assert!(doubt.is_in_doubt());
    let again = world.ask(&request("k1", call())).unwrap();
    let report = world.ledger.report().unwrap();
    assert_eq!((report.lost, report.replayed, report.answered), (1, 1, 0));
    assert_eq!(report.billed_micro_usd, again.cost.0);
    assert!(report.keys_billed_twice.is_empty());
}

#[test]
fn a_key_that_was_used_for_another_request_is_refused() {
    let world = world(json!({}));
    world.ask(&request("k1", call())).unwrap();
    let other = call_of("strategist", &json!({"prompt": "tea"}), Some(&strategist()), None);
    assert_eq!(world.ask(&request("k1", other)).unwrap_err().code, "key_reused");
}

#[test]
fn a_lost_answer_is_found_by_looking_up() {
    let world = with_fault("look_up", &lost());
    world.ask(&request("k1", call())).unwrap_err();
    let LookUp::Found(found) = now(world.provider.look_up("k1")).unwrap() else { panic!() };
    assert_eq!(found, world.ask(&request("k2", call())).unwrap());
    assert_eq!(now(world.provider.look_up("k3")).unwrap(), LookUp::Denied);
}

#[test]
fn a_call_that_never_arrived_is_denied() {
    let fault = json!({"fail": {"class": "network", "effect": "unseen"}});
    let world = with_fault("look_up", &fault);
    assert!(world.ask(&request("k1", call())).unwrap_err().is_in_doubt());
    assert_eq!(now(world.provider.look_up("k1")).unwrap(), LookUp::Denied);
    assert_eq!(world.ledger.report().unwrap().billed_micro_usd, 0);
}

#[test]
fn without_either_a_resend_pays_twice_and_the_books_say_so() {
    let world = with_fault("neither", &lost());
    world.ask(&request("k1", call())).unwrap_err();
    assert_eq!(now(world.provider.look_up("k1")).unwrap(), LookUp::CannotSay);
    let paid = world.ask(&request("k1", call())).unwrap();
    let report = world.ledger.report().unwrap();
    assert_eq!(report.billed_micro_usd, 2 * paid.cost.0);
    assert_eq!(report.keys_billed_twice, ["k1"]);
}

#[test]
fn every_class_of_failure_can_be_had_before_and_after_the_effect() {
    for class in ErrorClass::ALL {
        for effect in ["before", "unseen", "after"] {
            let fault = json!({"fail": {"class": class, "effect": effect, "retry_after_ms": 700}});
            let world = with_fault("look_up", &fault);
            let failure = world.ask(&request("k1", call())).unwrap_err();
            assert_eq!((failure.class, failure.retry_after), (class, Some(Millis(700))));
            assert_eq!(failure.is_in_doubt(), effect != "before", "{class:?} {effect}");
            let billed = world.ledger.report().unwrap().billed_micro_usd;
            assert_eq!(billed > 0, effect == "after", "{class:?} {effect}");
            world.ask(&request("k2", call())).unwrap();
        }
    }
}

#[test]
fn spoilt_answers_are_billed_and_do_not_fit() {
    let schema = Schema::compile(strategist()).unwrap();
    let broken = with_fault("idempotent", &json!("invalid_json"));
    let Answer::Text(text) = broken.ask(&request("k1", call())).unwrap().answer else { panic!() };
    assert!(serde_json::from_str::<Value>(&text).is_err(), "{text}");
    let breach = with_fault("idempotent", &json!("schema_breach"));
    let Answer::Output(value) = breach.ask(&request("k1", call())).unwrap().answer else {
        panic!()
    };
    assert!(!schema.accepts(&value), "{value}");
    assert_eq!(breach.ledger.report().unwrap().answered, 1);
}

#[test]
fn time_passes_on_the_clock_it_was_given() {
    let latency = json!({"min_ms": 200, "max_ms": 900});
    let world = world(json!({"latency": latency, "faults": [
        {"agent": "slow*", "fault": {"slow": {"extra_ms": 5000}}},
        {"agent": "stuck", "fault": {"hang": {"effect": "after", "after_ms": 60_000}}}]}));
    let took = |world: &World, key: &str, agent: &str| {
        let before = world.clock.now();
        let call = call_of(agent, &json!({}), None, None);
        let answered = world.ask(&request(key, call)).is_ok();
        (world.clock.now().millis_since(before).0, answered)
    };
    let (usual, _) = took(&world, "k1", "writer");
    assert!((200..=900).contains(&usual), "{usual}");
    let (slow, _) = took(&world, "k2", "slow-writer");
    assert!((5200..=5900).contains(&slow), "{slow}");
    assert_eq!(took(&world, "k3", "stuck"), (60_000, false));
    assert_eq!(world.ledger.report().unwrap().lost, 1);
}

#[test]
fn the_pieces_put_together_are_the_answer() {
    let world = world(json!({"latency": {"min_ms": 10, "max_ms": 10}}));
    let heard = Heard::default();
    let answer = now(world.provider.complete(&request("k1", call()), &heard)).unwrap();
    let pieces = heard.0.lock();
    assert!(pieces.len() > 3, "{} pieces", pieces.len());
    let whole: Value = serde_json::from_str(&pieces.concat()).unwrap();
    assert_eq!(Answer::Output(whole), answer.answer);
    assert_eq!(world.clock.now().0, 10_000);
}

#[test]
fn usage_and_cost_follow_the_texts_and_stay_under_the_ceiling() {
    let world = world(json!({}));
    let asked = request("k1", call());
    let ceiling = world.provider.ceiling(&asked).unwrap();
    let answer = world.ask(&asked).unwrap();
    assert!(answer.usage.input_tokens > 50 && answer.usage.output_tokens > 50, "{answer:?}");
    assert_eq!(answer.cost, asked.profile.price.unwrap().cost(answer.usage));
    assert!(answer.cost <= ceiling.cost && answer.usage.total() <= ceiling.tokens);
    assert_eq!(world.ledger.entries()[0].billed_micro_usd, answer.cost.0);
}

#[test]
fn an_answer_longer_than_allowed_is_cut_off() {
    let world = world(json!({}));
    let mut asked = request("k1", call());
    let mut profile = (*asked.profile).clone();
    profile.max_output_tokens = 20;
    asked.profile = Arc::new(profile);
    let answer = world.ask(&asked).unwrap();
    assert_eq!(answer.usage.output_tokens, 20);
    assert!(matches!(answer.answer, Answer::Text(_)));
}

#[test]
fn a_rule_counts_its_strikes_over_restarts_and_by_step() {
    let ledger: Arc<dyn Ledger> = Arc::new(MemoryLedger::default());
    let provider = || {
        let faults =
            json!([{"first": 1, "per_step": true, "fault": {"fail": {"class": "transient"}}}]);
        let config = serde_json::from_value(json!({ "faults": faults })).unwrap();
        let clock = Arc::new(JumpingClock::default());
        ScriptedModel::new("scripted", config, Arc::clone(&ledger), clock)
    };
    let ask = |provider: &ScriptedModel, key: &str, step: &str| {
        let asked = ModelRequest { step: step.into(), ..request(key, call()) };
        now(provider.complete(&asked, &crate::model::NoDeltas)).is_ok()
    };
    let first = provider();
    assert!(!ask(&first, "k1", "draft"));
    assert!(!ask(&first, "k2", "qa"), "each step has its own count");
    let second = provider();
    assert!(ask(&second, "k3", "draft"));
    assert!(ask(&second, "k4", "qa"));
}

#[test]
fn a_share_of_calls_is_struck_and_always_the_same_ones() {
    let config =
        json!({"faults": [{"share_permille": 300, "fault": {"fail": {"class": "provider"}}}]});
    let struck = || {
        let world = world(config.clone());
        let failed = (0..200).filter(|n| world.ask(&request(&format!("k{n}"), call())).is_err());
        failed.collect::<Vec<_>>()
    };
    let first = struck();
    assert!((30..=90).contains(&first.len()), "{} of 200", first.len());
    assert_eq!(first, struck());
}

#[test]
fn a_media_job_is_taken_goes_on_and_ends_with_an_order() {
    use crate::media::{
        MediaKind, MediaProvider, MediaRequest, MediaResult, MediaStatus, Submitted,
    };
    let ledger = Arc::new(MemoryLedger::default());
    let clock = Arc::new(JumpingClock::default());
    let media = |latency: u64| {
        let config = json!({"latency": {"min_ms": latency, "max_ms": latency}});
        let config = serde_json::from_value(config).unwrap();
        let (ledger, clock) = (Arc::clone(&ledger) as _, Arc::clone(&clock) as _);
        ScriptedMedia::new("scripted-media", config, MediaPrices::default(), ledger, clock)
    };
    let order = |key: &str| MediaRequest {
        key: key.into(),
        run: "run_1".into(),
        step: "producer".into(),
        agent: "producer".into(),
        kind: MediaKind::Image,
        spec: json!({"prompt": "a lamp"}),
    };
    let slow = media(1000);
    let Submitted::Accepted { job_id } = now(slow.submit(&order("k1"))).unwrap() else { panic!() };
    now(clock.sleep(Millis(250)));
    let status = now(slow.poll(&job_id)).unwrap();
    assert_eq!(status, MediaStatus::Working { progress_permille: Some(250) });
    // Another process, the same books.
    let other = media(1000);
    now(clock.sleep(Millis(750)));
    let MediaStatus::Done(job) = now(other.poll(&job_id)).unwrap() else { panic!() };
    let MediaResult::Render(render) = &job.result else { panic!() };
    assert_eq!((render["spec"]["prompt"].as_str(), job.simulated), (Some("a lamp"), true));

    let Submitted::Accepted { job_id } = now(slow.submit(&order("k2"))).unwrap() else { panic!() };
    assert_eq!(now(slow.cancel(&job_id)).unwrap().0, 40_000);
    let MediaStatus::Failed(failure) = now(other.poll(&job_id)).unwrap() else { panic!() };
    assert_eq!(failure.class, ErrorClass::Cancelled);

    assert!(matches!(now(media(0).submit(&order("k3"))).unwrap(), Submitted::Done(_)));
    assert_eq!(ledger.report().unwrap().billed_micro_usd, 120_000);
    assert_eq!(now(slow.poll("job-unknown")).unwrap_err().code, "job_unknown");
}
