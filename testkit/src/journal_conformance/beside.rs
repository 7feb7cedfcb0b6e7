//! The small tables beside the journal.
#![expect(clippy::unwrap_used, reason = "tests")]

use serde_json::json;
use showrunner_engine::at::{Millis, Timestamp};
use showrunner_engine::id::{Digest, OrgId};
use showrunner_journal::query::brands::Brand;
use showrunner_journal::query::cache::CachedResult;
use showrunner_journal::query::definitions::NewDefinition;
use showrunner_journal::query::tokens::StoredToken;
use showrunner_journal::{Hooks, JournalError, OutboxRow};

use super::Places;
use super::fixture::{EPOCH, ORG, Story, chain};

pub(super) async fn versions_of_definitions_never_change(places: &dyn Places) {
    let place = places.fresh().await;
    let journal = place.open(Hooks::default()).await;
    let org = OrgId::from(ORG);
    let new = |source: &str| NewDefinition {
        org: org.clone(),
        slug: "post".into(),
        digest: Digest::of(source.as_bytes()),
        source: source.into(),
        status: "published",
        created_at: EPOCH,
        created_by: "user:engineer".into(),
    };
    let first = journal.put_definition(new("one")).await.unwrap();
    let again = journal.put_definition(new("one")).await.unwrap();
    assert_eq!((first.version, &again), (1, &first), "the same text is the same version");
    let second = journal.put_definition(new("two")).await.unwrap();
    assert_eq!(second.version, 2);
    let newest = journal.definition(&org, "post", None).await.unwrap().unwrap();
    assert_eq!(newest, second);
    let pinned = journal.definition(&org, "post", Some(1)).await.unwrap().unwrap();
    assert_eq!(pinned, first);
    assert!(journal.set_definition_status(&org, "post", 2, "archived").await.unwrap());
    let newest = journal.definition(&org, "post", None).await.unwrap().unwrap();
    assert_eq!(newest, first, "an archived version is not started any more");
    assert!(!journal.set_definition_status(&org, "post", 9, "archived").await.unwrap());
    assert_eq!(journal.definition_versions(&org, "post").await.unwrap().len(), 2);
    assert_eq!(journal.definitions(&org).await.unwrap().len(), 1);
    assert!(journal.definition(&"org_other".into(), "post", None).await.unwrap().is_none());
}

pub(super) async fn brands_tokens_and_facts_are_kept(places: &dyn Places) {
    let place = places.fresh().await;
    let journal = place.open(Hooks::default()).await;
    let org = OrgId::from(ORG);
    let mut brand = Brand {
        id: "0190a1b2-0000-7000-8000-000000000001".into(),
        org: org.clone(),
        name: "川".into(),
        profile: json!({ "tone": "warm" }),
        updated_at: EPOCH,
    };
    journal.put_brand(&brand).await.unwrap();
    brand.profile = json!({ "tone": "cool" });
    journal.put_brand(&brand).await.unwrap();
    assert_eq!(journal.brands(&org).await.unwrap(), [brand.clone()]);
    assert_eq!(journal.brand(&org, &brand.id).await.unwrap().unwrap(), brand);
    assert!(journal.brand(&"org_other".into(), &brand.id).await.unwrap().is_none());
    let same_name = Brand { id: "other".into(), ..brand };
    let refused = journal.put_brand(&same_name).await;
    assert!(matches!(refused, Err(JournalError::Exists(_))), "{refused:?}");

    assert_eq!(journal.token_count().await.unwrap(), 0);
    let token = StoredToken {
        id: "tok_1".into(),
        org: org.clone(),
        principal: "user:owner".into(),
        roles: vec!["owner".into()],
        digest: Digest::of(b"secret"),
        created_at: EPOCH,
        revoked_at: None,
    };
    journal.put_token(&token).await.unwrap();
    assert_eq!(journal.token(&Digest::of(b"secret")).await.unwrap().unwrap(), token);
    assert!(journal.token(&Digest::of(b"guess")).await.unwrap().is_none());
    assert!(journal.revoke_token(&org, "tok_1", EPOCH).await.unwrap());
    assert!(!journal.revoke_token(&org, "tok_1", EPOCH).await.unwrap(), "once");
    let revoked = journal.token(&Digest::of(b"secret")).await.unwrap().unwrap();
    assert_eq!(revoked.revoked_at, Some(EPOCH));

    assert_eq!(journal.set_meta_once("secret", "a").await.unwrap(), "a");
    assert_eq!(journal.set_meta_once("secret", "b").await.unwrap(), "a", "the first stays");
    journal.set_meta("boot", "1").await.unwrap();
    journal.set_meta("boot", "2").await.unwrap();
    assert_eq!(journal.meta("boot").await.unwrap().as_deref(), Some("2"));
    assert_eq!(journal.meta("nothing").await.unwrap(), None);
}

pub(super) async fn a_result_is_reused_as_it_was_kept(places: &dyn Places) {
    let place = places.fresh().await;
    let journal = place.open(Hooks::default()).await;
    let key = Digest::of(b"agent version and input");
    assert_eq!(journal.cached(&key).await.unwrap(), None);
    let result = CachedResult {
        output: json!({ "n": 1 }),
        assets: vec![],
        simulated: true,
        created_at: EPOCH,
    };
    journal.put_cached(&key, &result).await.unwrap();
    let other = CachedResult { output: json!({ "n": 2 }), ..result.clone() };
    journal.put_cached(&key, &other).await.unwrap();
    assert_eq!(journal.cached(&key).await.unwrap(), Some(result), "the first stays");
}

pub(super) async fn a_message_is_delivered_by_one_owner_at_a_time(places: &dyn Places) {
    let place = places.fresh().await;
    let journal = place.open(Hooks::default()).await;
    let message = |id: &str, due_at: Timestamp| OutboxRow {
        id: id.into(),
        topic: "webhook".into(),
        payload: r#"{"hello":1}"#.into(),
        due_at,
    };
    let soon = EPOCH.plus(Millis::from_secs(1));
    let late = EPOCH.plus(Millis::from_secs(1000));
    let mut story = Story::new(&chain(1), 1);
    let sent = story.start().sending(vec![message("m1", soon), message("m2", late)]);
    journal.append(sent).await.unwrap();
    let lease = soon.plus(Millis::from_secs(30));
    assert!(journal.claim_outbox(EPOCH, lease, 10).await.unwrap().is_empty(), "not due yet");
    let claimed = journal.claim_outbox(soon, lease, 10).await.unwrap();
    assert_eq!((claimed.len(), claimed[0].id.as_str(), claimed[0].attempts), (1, "m1", 1));
    assert_eq!((claimed[0].run_id.clone(), claimed[0].seq), (story.id(), story.run.seq));
    assert!(journal.claim_outbox(soon, lease, 10).await.unwrap().is_empty(), "it is taken");
    let again = soon.plus(Millis::from_secs(5));
    assert!(journal.retry_outbox("m1", again, "503").await.unwrap());
    assert!(journal.claim_outbox(soon, lease, 10).await.unwrap().is_empty(), "not before");
    assert_eq!(journal.claim_outbox(again, lease, 10).await.unwrap()[0].attempts, 2);
    // The owner goes away with the claim; the next one does not wait for the lease.
    journal.close().await;
    let next = place.open(Hooks::default()).await;
    assert_eq!(next.claim_outbox(again, lease, 10).await.unwrap()[0].attempts, 3);
    assert!(next.ack_outbox("m1", again).await.unwrap());
    assert!(!next.ack_outbox("m1", again).await.unwrap(), "once");
    assert!(next.claim_outbox(lease, lease, 10).await.unwrap().is_empty(), "delivered");
    // A lease that has run out is nobody's.
    let end = late.plus(Millis::from_secs(10));
    assert_eq!(next.claim_outbox(late, end, 10).await.unwrap().len(), 1);
    assert_eq!(next.claim_outbox(end, end.plus(Millis(1)), 10).await.unwrap()[0].attempts, 2);
}
