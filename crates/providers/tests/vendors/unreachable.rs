//! Vendors that cannot be reached at all: certainly nothing was billed.

use showrunner_engine::failure::ErrorClass;
use showrunner_providers::{CallFailure, Outcome};
use showrunner_testkit::vendors::{Fake, Vendor};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::support::*;

async fn fails(vendor: Vendor, base: &str) -> CallFailure {
    let driver = driver(wire(vendor), base, impatient());
    let request = request(profile(usual_model(vendor)), Some(brief()));
    call(&driver, &request).await.0.unwrap_err()
}

#[tokio::test]
async fn a_closed_port_a_name_without_a_host_and_a_broken_handshake_have_sent_nothing() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let not_tls = format!("https://{}", plain.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = plain.accept().await {
            let mut hello = [0; 512];
            drop(stream.read(&mut hello).await);
            drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\nthis is no TLS").await);
        }
    });
    for vendor in Vendor::ALL {
        let nameless = "https://nobody.invalid/v1";
        // A machine without a resolver takes its time to say that there is no such name.
        for (base, codes) in [
            (&*nobody, &["connect_failed"][..]),
            (nameless, &["dns_failed", "connect_timeout"]),
            (&*not_tls, &["tls_failed"]),
        ] {
            let failure = fails(vendor, base).await;
            assert_eq!(failure.class, ErrorClass::Network, "{vendor:?} {base}: {failure}");
            assert_eq!(failure.outcome, Outcome::NotSent, "{vendor:?} {base}: {failure}");
            assert!(codes.contains(&&*failure.code), "{vendor:?} {base}: {failure}");
        }
    }
}

#[tokio::test]
async fn a_model_without_a_price_and_one_that_takes_no_tools_are_not_asked() {
    for vendor in Vendor::ALL {
        let fake = Fake::start(vendor).await;
        let driver = driver_of(vendor, &fake);
        let mut unpriced = profile(usual_model(vendor));
        unpriced.price = None;
        let failure = call(&driver, &request(unpriced, None)).await.0.unwrap_err();
        assert_eq!((failure.class, failure.outcome), (ErrorClass::Budget, Outcome::NotSent));
        let mut simple = profile(usual_model(vendor));
        simple.tools = false;
        let request = with(&request(simple, None), |call| {
            call.tools = std::sync::Arc::new([weather()]);
        });
        let failure = call(&driver, &request).await.0.unwrap_err();
        assert_eq!(
            (failure.code.as_str(), failure.outcome),
            ("tools_unsupported", Outcome::NotSent)
        );
        assert_eq!(fake.heard().len(), 0);
    }
}

#[tokio::test]
async fn the_key_is_in_no_failure_and_in_no_debug_output() {
    let key = showrunner_testkit::vendors::KEY;
    for vendor in Vendor::ALL {
        let fake = Fake::start(vendor).await;
        let other = secrecy::SecretString::from("sk-of-somebody-else-entirely");
        let endpoint =
            showrunner_providers::Endpoint::new("vendor", wire(vendor), &fake.base(), Some(other));
        let clock = std::sync::Arc::new(showrunner_providers::pace::JumpingClock::at(NOW));
        let http = showrunner_providers::Http::new(impatient()).unwrap();
        let driver = showrunner_providers::LiveModel::new(endpoint.unwrap(), http, clock);
        let request = request(profile(usual_model(vendor)), None);
        let failure = call(&driver, &request).await.0.unwrap_err();
        assert_eq!((failure.class, failure.outcome), (ErrorClass::Provider, Outcome::Refused));
        let shown = format!("{failure:?} {failure} {driver:?}");
        assert!(!shown.contains("somebody-else") && !shown.contains(key), "{shown}");
    }
}
