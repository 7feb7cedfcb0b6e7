//! Following the journal, webhooks out, callbacks in.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use showrunner_engine::at::{Millis, Timestamp};
use showrunner_engine::id::{OrgId, RunId};
use showrunner_journal::query::callbacks::{KnownJob, Receipt};
use showrunner_journal::query::deliveries::{DeliveryFilter, NewDelivery, Try, Verdict};
use showrunner_journal::query::endpoints::Endpoint;
use showrunner_journal::query::follow::Reached;
use showrunner_journal::{Hooks, Journal};

use super::Places;
use super::fixture::{EPOCH, ORG, Story, chain};

fn after(secs: u64) -> Timestamp {
    EPOCH.plus(Millis::from_secs(secs))
}

fn endpoint(id: &str) -> Endpoint {
    Endpoint {
        id: id.into(),
        org: ORG.into(),
        url: "https://example.com/hook?key=hush".into(),
        description: "川".into(),
        events: vec!["run.completed".into()],
        run_id: None,
        secret: Some("whsec_hush".into()),
        secret_before: None,
        disabled_why: None,
        failing_since: None,
        held_until: None,
        created_at: EPOCH,
        created_by: "user:owner".into(),
        updated_at: EPOCH,
    }
}

fn delivery(id: &str, endpoint: &str, at: Timestamp) -> NewDelivery {
    NewDelivery {
        id: id.into(),
        org: ORG.into(),
        endpoint: endpoint.into(),
        message: format!("msg_{id}"),
        event: "run.completed".into(),
        run_id: Some("run_1".into()),
        seq: 7,
        body: r#"{"type":"run.completed"}"#.into(),
        created_at: at,
    }
}

fn tried(no: u32, at: Timestamp, status: Option<u32>) -> Try {
    let error = status.is_none_or(|status| status >= 300).then(|| "it said no".to_owned());
    Try { no, at, status, duration_ms: 12, error, excerpt: Some("はい".into()) }
}

async fn claim(journal: &Arc<dyn Journal>, now: Timestamp, each: u32) -> Vec<String> {
    let until = now.plus(Millis::from_secs(60));
    let claimed = journal.claim_deliveries(now, until, (10, each)).await.unwrap();
    claimed.into_iter().map(|(delivery, _)| delivery.new.id).collect()
}

pub(super) async fn everything_is_followed_once_and_in_order(places: &dyn Places) {
    let place = places.fresh().await;
    let journal = place.open(Hooks::default()).await;
    assert_eq!(journal.reached("me").await.unwrap(), Reached::default());
    let (mut one, mut two) = (Story::new(&chain(1), 1), Story::new(&chain(1), 2));
    for append in [one.start(), two.start(), one.finish(), two.finish()] {
        journal.append(append).await.unwrap();
    }
    let newest = journal.newest_no().await.unwrap();
    let all = journal.follow(0, newest, None).await.unwrap();
    let runs: Vec<&RunId> = all.iter().map(|followed| &followed.run_id).collect();
    assert_eq!(runs, [&one.id(), &two.id(), &one.id(), &two.id()]);
    assert!(all.windows(2).all(|pair| pair[0].reached.no < pair[1].reached.no));
    assert_eq!((all[0].org.as_str(), all[0].batch.seq_first), (ORG, 1));
    let started = journal.follow(0, newest, Some(&["run.started"])).await.unwrap();
    assert_eq!(started.len(), 2, "only those that name it");
    assert_eq!(journal.place_at(newest).await.unwrap().unwrap(), all[3].reached);

    journal.queue_deliveries(&[], Some(("me", &all[1].reached))).await.unwrap();
    journal.close().await;
    let next = place.open(Hooks::default()).await;
    let reached = next.reached("me").await.unwrap();
    assert_eq!(reached, all[1].reached);
    assert_eq!(next.follow(reached.no, newest, None).await.unwrap().len(), 2);
    assert_eq!(next.reached("another").await.unwrap(), Reached::default());
}

pub(super) async fn an_endpoint_is_kept_and_belongs_to_one_organisation(places: &dyn Places) {
    let place = places.fresh().await;
    let journal = place.open(Hooks::default()).await;
    let (org, other) = (OrgId::from(ORG), OrgId::from("org_other"));
    let mut own = endpoint("whe_1");
    journal.put_endpoint(&own).await.unwrap();
    let of_run = Endpoint { run_id: Some("run_1".into()), secret: None, ..endpoint("whe_2") };
    journal.put_endpoint(&of_run).await.unwrap();
    assert_eq!(journal.endpoint(&org, "whe_1").await.unwrap(), Some(own.clone()));
    assert_eq!(journal.endpoint(&other, "whe_1").await.unwrap(), None);
    own.secret_before = own.secret.replace("whsec_new".into()).map(|old| (old, after(60)));
    own.events.clear();
    journal.put_endpoint(&own).await.unwrap();
    assert_eq!(journal.endpoints(&org, None, 10).await.unwrap(), [own.clone()]);
    assert_eq!(journal.endpoint_count(&org).await.unwrap(), 1, "not those of runs");
    let behind = Some((EPOCH, "whe_1"));
    assert_eq!(journal.endpoints(&org, behind, 10).await.unwrap(), []);
    assert_eq!(journal.endpoints_enabled().await.unwrap(), (vec![own.clone()], true));
    let (mine, other_run) = (RunId::from("run_1"), RunId::from("run_2"));
    let found = journal.endpoints_of_runs(&[&mine, &other_run]).await.unwrap();
    assert_eq!(found, std::slice::from_ref(&of_run));
    assert_eq!(journal.endpoints_of_runs(&[&other_run]).await.unwrap(), []);
    assert_eq!(own.signing(EPOCH), ["whsec_new", "whsec_hush"]);
    assert_eq!(own.signing(after(60)), ["whsec_new"]);
    assert!(!format!("{own:?}").contains("hush"), "{own:?}");

    assert!(journal.disable_endpoint("whe_1", "gone", after(1)).await.unwrap());
    assert!(!journal.disable_endpoint("whe_1", "again", after(1)).await.unwrap(), "once");
    assert_eq!(journal.endpoints_enabled().await.unwrap(), (vec![], true));
    assert!(!journal.remove_endpoint(&other, "whe_1").await.unwrap());
    assert!(journal.remove_endpoint(&org, "whe_1").await.unwrap());
    assert!(!journal.remove_endpoint(&org, "whe_1").await.unwrap());
    let queued = delivery("dlv_1", "whe_2", EPOCH);
    journal.queue_deliveries(&[queued], None).await.unwrap();
    assert_eq!(journal.forget_run_endpoints(after(1)).await.unwrap(), 0, "it is still told");
    assert_eq!(claim(&journal, EPOCH, 1).await, ["dlv_1"]);
    journal.give_up("dlv_1", "no", EPOCH).await.unwrap();
    assert_eq!(journal.forget_run_endpoints(after(1)).await.unwrap(), 1, "no such run");
    assert_eq!(journal.endpoints_enabled().await.unwrap(), (vec![], false));
}

pub(super) async fn a_delivery_is_tried_until_it_arrives(places: &dyn Places) {
    let place = places.fresh().await;
    let journal = place.open(Hooks::default()).await;
    let org = OrgId::from(ORG);
    journal.put_endpoint(&endpoint("whe_1")).await.unwrap();
    journal.put_endpoint(&endpoint("whe_2")).await.unwrap();
    let many: Vec<NewDelivery> =
        (0..4).map(|n| delivery(&format!("dlv_{n}"), "whe_1", after(n))).collect();
    let other = delivery("dlv_other", "whe_2", after(9));
    journal.queue_deliveries(&many, None).await.unwrap();
    journal.queue_deliveries(&[many[0].clone(), other], None).await.unwrap();
    let filter = DeliveryFilter { limit: 10, ..DeliveryFilter::default() };
    assert_eq!(journal.deliveries(&org, &filter).await.unwrap().len(), 5, "none twice");
    assert_eq!(journal.next_delivery_at().await.unwrap(), Some(EPOCH));

    // A slow endpoint takes so many places, and no other's.
    assert_eq!(claim(&journal, after(9), 2).await, ["dlv_0", "dlv_1", "dlv_other"]);
    assert_eq!(claim(&journal, after(9), 2).await, [""; 0], "they are taken");
    assert_eq!(claim(&journal, after(9), 3).await, ["dlv_2"]);

    let (first, _) = journal.delivery(&org, "dlv_0").await.unwrap().unwrap();
    let again = Verdict::Again(after(20));
    assert!(journal.note_try(&first, &tried(1, after(9), Some(503)), again).await.unwrap());
    let failing = journal.endpoint(&org, "whe_1").await.unwrap().unwrap();
    assert_eq!(failing.failing_since, Some(after(9)));
    assert_eq!(claim(&journal, after(19), 9).await, ["dlv_3"], "not before");
    assert_eq!(claim(&journal, after(20), 9).await, ["dlv_0"]);
    let (second, tries) = journal.delivery(&org, "dlv_0").await.unwrap().unwrap();
    assert_eq!((second.attempts, second.status.as_str(), tries.len()), (1, "pending", 1));
    let arrived = tried(2, after(20), Some(204));
    assert!(journal.note_try(&second, &arrived, Verdict::Delivered).await.unwrap());
    assert!(!journal.note_try(&second, &arrived, Verdict::Delivered).await.unwrap(), "once");
    let (done, tries) = journal.delivery(&org, "dlv_0").await.unwrap().unwrap();
    assert_eq!(
        (done.status.as_str(), done.attempts, done.last_status),
        ("delivered", 2, Some(204))
    );
    assert_eq!(tries, [tried(1, after(9), Some(503)), tried(2, after(20), Some(204))]);
    let healthy = journal.endpoint(&org, "whe_1").await.unwrap().unwrap();
    assert_eq!(healthy.failing_since, None);
    assert_eq!(journal.delivery(&"org_other".into(), "dlv_0").await.unwrap(), None);
    journal.queue_deliveries(&many[..1], None).await.unwrap();
    assert_eq!(
        claim(&journal, after(21), 9).await,
        [""; 0],
        "what has arrived is not queued again"
    );

    // The owner goes away with what it claimed; the next one does not wait for the lease.
    journal.close().await;
    let next = place.open(Hooks::default()).await;
    assert_eq!(claim(&next, after(21), 9).await, ["dlv_1", "dlv_2", "dlv_3", "dlv_other"]);
    next.put_off("dlv_1", after(50)).await.unwrap();
    next.give_up("dlv_2", "disabled", after(21)).await.unwrap();
    let (later, _) = next.delivery(&org, "dlv_1").await.unwrap().unwrap();
    assert_eq!((later.attempts, later.next_at), (0, Some(after(50))));
    let failed = DeliveryFilter { status: Some("failed".into()), ..filter.clone() };
    assert_eq!(next.deliveries(&org, &failed).await.unwrap()[0].new.id, "dlv_2");
    // A lease that has run out is nobody's; a removed endpoint is sent nothing.
    assert_eq!(claim(&next, after(100), 9).await, ["dlv_1", "dlv_3", "dlv_other"]);
    assert!(next.remove_endpoint(&org, "whe_1").await.unwrap());
    assert_eq!(claim(&next, after(200), 9).await, ["dlv_other"]);
    let of_one = DeliveryFilter { endpoint: Some("whe_1".into()), ..filter };
    let left = next.deliveries(&org, &of_one).await.unwrap();
    assert!(left.iter().all(|delivery| delivery.status != "pending"), "{left:?}");
    assert_eq!(next.forget_deliveries(after(1000)).await.unwrap(), 4);
    assert_eq!(next.delivery(&org, "dlv_0").await.unwrap(), None);
}

pub(super) async fn what_came_in_is_known_again(places: &dyn Places) {
    let place = places.fresh().await;
    let journal = place.open(Hooks::default()).await;
    let job = KnownJob {
        provider: "fal".into(),
        job: "job-1".into(),
        run_id: "run_1".into(),
        org: ORG.into(),
        step: "producer".into(),
        token: "abc".into(),
        accepted_at: EPOCH,
    };
    let stolen = KnownJob { org: "org_other".into(), run_id: "run_2".into(), ..job.clone() };
    journal.put_jobs(std::slice::from_ref(&job)).await.unwrap();
    journal.put_jobs(&[stolen]).await.unwrap();
    assert_eq!(journal.job("fal", "job-1").await.unwrap(), Some(job.clone()), "the first stays");
    assert_eq!(journal.job("pollo", "job-1").await.unwrap(), None);
    let newer = KnownJob { job: "job-2".into(), accepted_at: after(1), ..job.clone() };
    journal.put_jobs(std::slice::from_ref(&newer)).await.unwrap();
    assert_eq!(journal.job_of(&job.run_id, "producer").await.unwrap(), Some(newer));

    let early = Receipt {
        source: "fal".into(),
        id: "m1".into(),
        digest: "d1".into(),
        job: Some("job-9".into()),
        payload: Some("{}".into()),
        received_at: EPOCH,
    };
    assert_eq!(journal.receive(&early).await.unwrap(), None, "new");
    let replayed = Receipt { digest: "d2".into(), received_at: after(1), ..early.clone() };
    assert_eq!(journal.receive(&replayed).await.unwrap(), Some(early.clone()));
    let elsewhere = Receipt { source: "n8n".into(), ..early.clone() };
    assert_eq!(journal.receive(&elsewhere).await.unwrap(), None, "another sender's ids");
    journal.close().await;
    let next = place.open(Hooks::default()).await;
    assert_eq!(next.early_callbacks("fal", "job-9").await.unwrap(), std::slice::from_ref(&early));
    assert_eq!(next.kept_callbacks("fal", 10).await.unwrap(), std::slice::from_ref(&early));
    next.settle_early("fal", "job-9").await.unwrap();
    assert_eq!(next.kept_callbacks("fal", 10).await.unwrap(), []);
    assert_eq!(next.early_callbacks("fal", "job-9").await.unwrap(), []);
    assert!(next.receive(&replayed).await.unwrap().is_some(), "still remembered");
    next.forget_receipt("fal", "m1").await.unwrap();
    assert_eq!(next.receive(&replayed).await.unwrap(), None);
    assert_eq!(next.forget_receipts(after(1)).await.unwrap(), 1);
}
