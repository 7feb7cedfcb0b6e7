//! How each vendor signs: right is believed, everything beside it is not.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use sha2::{Digest as _, Sha256};
use showrunner_engine::at::Timestamp;
use showrunner_providers::callbacks::{Callbacks, Distrust, Trust, VENDORS};
use showrunner_providers::egress::{Egress, HeaderMap, HeaderName, HeaderValue, Rules};

use crate::server::{self, Server};

const NOW_SECS: i64 = 1_795_132_800;
const NOW: Timestamp = Timestamp(NOW_SECS * 1_000_000);
const BODY: &[u8] = br#"{"request_id":"job-1","status":"OK"}"#;
const WHSEC: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
    }
    map
}

fn callbacks() -> Callbacks {
    let one = |sender: &str, secret: &str| (sender.to_owned(), vec![secret.to_owned()]);
    let secrets: BTreeMap<String, Vec<String>> = [
        one("pollo", &STANDARD.encode("pollo-hush")),
        one("elevenlabs", "eleven-hush"),
        one("openai", WHSEC),
    ]
    .into();
    Callbacks::new(secrets, Egress::default())
}

async fn judged(vendor: &str, pairs: &[(&str, &str)], body: &[u8]) -> Result<Trust, Distrust> {
    callbacks().vendor(vendor, &headers(pairs), body, NOW).await
}

fn with_id(id: &str, at: i64, body: &[u8]) -> Vec<u8> {
    [format!("{id}.{at}.").as_bytes(), body].concat()
}

#[tokio::test]
async fn pollo_signs_id_time_and_body() {
    let sign = |at: i64| STANDARD.encode(mac(b"pollo-hush", &with_id("m-1", at, BODY)));
    let given = async |at: i64, signature: &str, body: &[u8]| {
        let at = at.to_string();
        let pairs = [
            ("x-webhook-id", "m-1"),
            ("x-webhook-timestamp", at.as_str()),
            ("x-webhook-signature", signature),
        ];
        judged("pollo", &pairs, body).await
    };
    let right = Trust::Signed { id: "m-1".into() };
    for at in [NOW_SECS, NOW_SECS - 300, NOW_SECS + 300] {
        assert_eq!(given(at, &sign(at), BODY).await, Ok(right.clone()), "{at}");
    }
    for at in [NOW_SECS - 301, NOW_SECS + 301, 0] {
        assert!(given(at, &sign(at), BODY).await.is_err(), "{at}");
    }
    let at = NOW_SECS;
    assert!(given(at, &sign(at), b"{}").await.is_err(), "another body");
    assert!(given(at, &sign(at - 1), BODY).await.is_err(), "another time");
    assert!(given(at, &hex(&mac(b"pollo-hush", &with_id("m-1", at, BODY))), BODY).await.is_err());
    assert!(given(at, "", BODY).await.is_err());
    assert!(judged("pollo", &[], BODY).await.is_err());
}

#[tokio::test]
async fn elevenlabs_signs_time_and_body_in_one_header() {
    let sign = |at: i64, body: &[u8]| {
        hex(&mac(b"eleven-hush", &[format!("{at}.").as_bytes(), body].concat()))
    };
    let given = async |header: &str, body: &[u8]| {
        judged("elevenlabs", &[("elevenlabs-signature", header)], body).await.is_ok()
    };
    for at in [NOW_SECS, NOW_SECS - 1800, NOW_SECS + 1800] {
        assert!(given(&format!("t={at},v0={}", sign(at, BODY)), BODY).await, "{at}");
    }
    let at = NOW_SECS;
    let right = sign(at, BODY);
    for wrong in [
        format!("t={},v0={}", at - 1801, sign(at - 1801, BODY)),
        format!("t={},v0={right}", at - 1),
        format!("t={at},v0={}", sign(at, b"{}")),
        format!("t={at},v1={right}"),
        format!("v0={right}"),
        format!("t={at}"),
        format!("t={at},t={at},v0={right}"),
        format!("t={at},v0={right},v0={right}"),
        format!("t=NaN,v0={right}"),
        String::new(),
    ] {
        assert!(!given(&wrong, BODY).await, "{wrong}");
    }
}

#[tokio::test]
async fn openai_signs_by_the_standard() {
    let key = STANDARD.decode(WHSEC.strip_prefix("whsec_").unwrap()).unwrap();
    let at = NOW_SECS.to_string();
    let signature = format!("v1,{}", STANDARD.encode(mac(&key, &with_id("wh_1", NOW_SECS, BODY))));
    let pairs = [
        ("webhook-id", "wh_1"),
        ("webhook-timestamp", at.as_str()),
        ("webhook-signature", signature.as_str()),
    ];
    assert_eq!(judged("openai", &pairs, BODY).await, Ok(Trust::Signed { id: "wh_1".into() }));
    assert!(judged("openai", &pairs, b"{}").await.is_err());
    assert!(judged("openai", &pairs[..2], BODY).await.is_err());
    // What is signed for one vendor is nothing to another.
    assert!(judged("pollo", &pairs, BODY).await.is_err());
}

#[tokio::test]
async fn who_has_no_signature_gives_hints_and_who_has_no_secret_nothing() {
    for vendor in ["heygen", "kling", "pika", "runway"] {
        assert_eq!(judged(vendor, &[], BODY).await, Ok(Trust::Hint), "{vendor}");
    }
    let nobody = Callbacks::default();
    for vendor in VENDORS {
        let trust = nobody.vendor(vendor, &headers(&[]), BODY, NOW).await;
        assert!(!matches!(trust, Ok(Trust::Signed { .. })), "{vendor}: {trust:?}");
    }
    assert!(nobody.n8n(&headers(&[("x-n8n-signature", "00")]), BODY, NOW).is_err());
    let open = Callbacks::default().open();
    assert!(open.n8n(&headers(&[]), BODY, NOW).is_ok(), "development mode");
    let unknown = judged("nobody", &[], BODY).await;
    assert!(matches!(unknown, Err(Distrust::UnknownVendor { .. })), "{unknown:?}");
    assert!(!format!("{:?}", callbacks()).contains("hush"));
}

struct Fal {
    pair: Ed25519KeyPair,
}

impl Fal {
    fn new(seed: u8) -> Self {
        Self { pair: Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap() }
    }

    fn jwks(&self) -> String {
        let x = URL_SAFE_NO_PAD.encode(self.pair.public_key().as_ref());
        format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}]}}"#)
    }

    fn signed(&self, at: i64, body: &[u8]) -> HeaderMap {
        let digest = hex(&Sha256::digest(body));
        let signature = self.pair.sign(format!("r-1\nu-1\n{at}\n{digest}").as_bytes());
        headers(&[
            ("x-fal-webhook-request-id", "r-1"),
            ("x-fal-webhook-user-id", "u-1"),
            ("x-fal-webhook-timestamp", &at.to_string()),
            ("x-fal-webhook-signature", &hex(signature.as_ref())),
        ])
    }
}

fn at_keys(server: &Server) -> Callbacks {
    let egress = Egress::new(Rules::allowing([server.address().parse().unwrap()]));
    Callbacks::new(BTreeMap::new(), egress.clone())
        .with_fal_keys_at(egress, &server.url("/.well-known/jwks.json"))
}

#[tokio::test]
async fn fal_signs_with_keys_that_are_fetched_once() {
    let fal = Fal::new(7);
    let jwks = fal.jwks();
    let keys = Server::start(move |_| server::ok(&jwks)).await;
    let callbacks = at_keys(&keys);
    let right = Trust::Signed { id: "r-1".into() };
    for at in [NOW_SECS, NOW_SECS - 300, NOW_SECS + 300] {
        let trust = callbacks.vendor("fal", &fal.signed(at, BODY), BODY, NOW).await;
        assert_eq!(trust, Ok(right.clone()), "{at}");
    }
    assert_eq!(keys.seen(), 1);
    for at in [NOW_SECS - 301, NOW_SECS + 301] {
        assert!(callbacks.vendor("fal", &fal.signed(at, BODY), BODY, NOW).await.is_err(), "{at}");
    }
    let mut wrong = vec![(fal.signed(NOW_SECS, BODY), &b"{}"[..])];
    for name in ["request-id", "user-id", "timestamp", "signature"] {
        let name = format!("x-fal-webhook-{name}").parse::<HeaderName>().unwrap();
        let mut missing = fal.signed(NOW_SECS, BODY);
        missing.remove(&name);
        wrong.push((missing, BODY));
        let mut twice = fal.signed(NOW_SECS, BODY);
        let value = twice.get(&name).unwrap().clone();
        twice.append(name.clone(), value);
        wrong.push((twice, BODY));
        let mut other = fal.signed(NOW_SECS, BODY);
        other.insert(name, HeaderValue::from_static("1795132801"));
        wrong.push((other, BODY));
    }
    wrong.push((Fal::new(8).signed(NOW_SECS, BODY), BODY));
    for (headers, body) in &wrong {
        let trust = callbacks.vendor("fal", headers, body, NOW).await;
        assert!(trust.is_err(), "{headers:?}");
    }
    // A flood of forgeries makes nobody fetch keys again and again.
    assert_eq!(keys.seen(), 1);
}

#[tokio::test]
async fn new_keys_are_found_and_old_ones_serve_while_none_can_be_fetched() {
    let (old, new) = (Fal::new(1), Fal::new(2));
    let sets = [old.jwks(), new.jwks(), "gone".to_owned()];
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let keys = Server::start(move |_| {
        let no = asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        server::ok(&sets[no.min(2)])
    })
    .await;
    let callbacks = at_keys(&keys);
    let later = |secs: i64| Timestamp(NOW.0 + secs * 1_000_000);
    let believed = async |fal: &Fal, secs: i64| {
        let signed = fal.signed(NOW_SECS + secs, BODY);
        callbacks.vendor("fal", &signed, BODY, later(secs)).await.is_ok()
    };
    assert!(believed(&old, 0).await);
    assert!(!believed(&new, 10).await, "not asked again so soon");
    assert!(believed(&new, 100).await, "after a minute");
    assert!(believed(&new, 90_000).await, "what was known yesterday");
    assert_eq!(keys.seen(), 3);
}

#[tokio::test]
async fn without_keys_nobody_is_believed() {
    let fal = Fal::new(7);
    for answer in ["", "{}", r#"{"keys":[]}"#, r#"{"keys":[{"crv":"P-256","x":"AA"}]}"#] {
        let keys = Server::start(move |_| server::ok(answer)).await;
        let trust = at_keys(&keys).vendor("fal", &fal.signed(NOW_SECS, BODY), BODY, NOW).await;
        assert!(matches!(trust, Err(Distrust::NoKeys { .. })), "{answer}: {trust:?}");
    }
    // Keys are fetched through the guard.
    let inside = Callbacks::new(BTreeMap::new(), Egress::default())
        .with_fal_keys_at(Egress::default(), "http://127.0.0.1/jwks.json");
    let trust = inside.vendor("fal", &fal.signed(NOW_SECS, BODY), BODY, NOW).await;
    assert!(matches!(trust, Err(Distrust::NoKeys { .. })), "{trust:?}");
}
