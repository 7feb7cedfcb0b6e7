//! fal signs with Ed25519; its keys are a JWKS, fetched through the guard and kept for a day.
//!
//! `X-Fal-Webhook-{Request-Id,User-Id,Timestamp,Signature}`; signed is
//! `request_id\nuser_id\ntimestamp\nsha256hex(body)`, the signature is hexadecimal, ±300 s (fal's
//! webhook documentation).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use showrunner_engine::at::{Millis, Timestamp};
use tokio::sync::Mutex;

use super::{Distrust, Headers, Trust};
use crate::egress::{Ask, Caps, Egress, Excess};
use crate::signing::{TOLERANCE_SECS, Unbelieved, hex, in_time, seconds, unhex};

/// Where fal publishes its keys.
pub(super) const KEYS_URL: &str = "https://rest.fal.ai/.well-known/jwks.json";
/// Keys are asked for again after a day, as fal says.
const KEPT: Millis = Millis::from_secs(24 * 60 * 60);
/// A signature that no key fits may mean new keys: they are looked for, but not more often.
const AGAIN_AFTER: Millis = Millis::from_secs(60);
/// Keys that cannot be had are looked for no more often, however many callbacks come meanwhile.
const FAILED_AGAIN_AFTER: Millis = Millis::from_secs(10);
/// Keys that are looked at.
const KEYS_MAX: usize = 16;
const CAPS: Caps = Caps {
    time_max: Duration::from_secs(10),
    body_max: 64 * 1024,
    excess: Excess::Refuse,
    redirects_max: 2,
};

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    #[serde(default)]
    crv: String,
    #[serde(default)]
    x: String,
}

/// A vendor's keys, as they were last seen.
#[derive(Debug)]
pub(super) struct KeySet {
    egress: Egress,
    url: String,
    known: Mutex<Option<Known>>,
}

#[derive(Clone, Debug)]
struct Known {
    keys: Vec<Vec<u8>>,
    asked_at: Timestamp,
}

impl KeySet {
    pub(super) fn of(egress: Egress, url: &str) -> Self {
        Self { egress, url: url.to_owned(), known: Mutex::new(None) }
    }

    pub(super) async fn believe(
        &self,
        headers: &dyn Headers,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Trust, Distrust> {
        let get = |name: &'static str| {
            let value = headers.only(name).filter(|value| !value.is_empty() && value.len() <= 256);
            value.ok_or(Unbelieved::Header(name))
        };
        let id = get("x-fal-webhook-request-id")?;
        let user = get("x-fal-webhook-user-id")?;
        let timestamp = get("x-fal-webhook-timestamp")?;
        let at = seconds(timestamp).ok_or(Unbelieved::Header("x-fal-webhook-timestamp"))?;
        let signature = unhex(get("x-fal-webhook-signature")?);
        let signature = signature.ok_or(Unbelieved::Header("x-fal-webhook-signature"))?;
        // Before any key is fetched: what is too old costs nobody a request.
        in_time(at, now, TOLERANCE_SECS)?;
        let digest = hex(&Sha256::digest(body));
        let signed = format!("{id}\n{user}\n{timestamp}\n{digest}");
        let fits = |known: &Known| {
            let mut keys = known.keys.iter();
            keys.any(|key| {
                let key = UnparsedPublicKey::new(&ED25519, key);
                key.verify(signed.as_bytes(), &signature).is_ok()
            })
        };
        let mut known = self.keys(now, KEPT).await?;
        if !fits(&known) {
            known = self.keys(now, AGAIN_AFTER).await?;
        }
        if !fits(&known) {
            return Err(Unbelieved::Signature.into());
        }
        // The id comes with every retry of one message; the timestamp tells attempts apart.
        Ok(Trust::Signed { id: id.to_owned() })
    }

    /// The keys, no older than this.
    async fn keys(&self, now: Timestamp, age_max: Millis) -> Result<Known, Distrust> {
        let mut place = self.known.lock().await;
        let known = place.take().unwrap_or(Known { keys: Vec::new(), asked_at: Timestamp(0) });
        let age_max = if known.keys.is_empty() { FAILED_AGAIN_AFTER } else { age_max };
        let mut why = "they could not be had just now".to_owned();
        let keys = if now.millis_since(known.asked_at) < age_max {
            *place = Some(known.clone());
            known.keys
        } else {
            // What was known yesterday is better than nothing.
            let keys = self.fetch().await.unwrap_or_else(|fault| {
                tracing::warn!(fault, "the keys of fal could not be fetched");
                why = fault;
                known.keys
            });
            *place = Some(Known { keys: keys.clone(), asked_at: now });
            keys
        };
        drop(place);
        if keys.is_empty() {
            return Err(Distrust::NoKeys { vendor: "fal".into(), why });
        }
        Ok(Known { keys, asked_at: now })
    }

    async fn fetch(&self) -> Result<Vec<Vec<u8>>, String> {
        let ask = Ask::get(self.url.as_str(), CAPS);
        let reply = self.egress.fetch(ask).await.map_err(|fault| fault.to_string())?;
        if reply.status != 200 {
            return Err(format!("status {}", reply.status));
        }
        let set: Jwks = serde_json::from_slice(&reply.body).map_err(|fault| fault.to_string())?;
        let curves = set.keys.into_iter().filter(|key| key.crv == "Ed25519").take(KEYS_MAX);
        let keys: Vec<Vec<u8>> = curves
            .filter_map(|key| URL_SAFE_NO_PAD.decode(key.x.trim_end_matches('=')).ok())
            .filter(|key| key.len() == 32)
            .collect();
        if keys.is_empty() { Err("no Ed25519 key among them".into()) } else { Ok(keys) }
    }
}
