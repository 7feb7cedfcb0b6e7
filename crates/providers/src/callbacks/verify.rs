//! How each sender signs. What is not written down by a vendor is not guessed at: its callbacks
//! are hints.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use showrunner_engine::at::Timestamp;
use showrunner_engine::id::Digest;

use super::{Callbacks, Distrust, Headers, Trust, VENDORS};
use crate::signing::{
    Secret, StandardHeaders, TOLERANCE_SECS, Unbelieved, believe, hex, hmac, in_time, is_equal,
    seconds, standard, unhex,
};

/// ElevenLabs' own tolerance (its SDK, `webhooks.construct_event`): half an hour.
const ELEVENLABS_TOLERANCE_SECS: i64 = 30 * 60;

impl Callbacks {
    /// Whether n8n says so. Either `x-n8n-signature`, the hexadecimal HMAC-SHA256 of the body
    /// (the source's section 7.1), or the headers of Standard Webhooks, which a replay does not
    /// get past.
    ///
    /// # Errors
    /// It is not to be believed.
    pub fn n8n(
        &self,
        headers: &dyn Headers,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Trust, Distrust> {
        let secrets = self.secrets_of("n8n");
        if secrets.is_empty() {
            return self.without_secret("n8n", body);
        }
        if headers.only("webhook-signature").is_some() {
            return Ok(standard_headers(headers, body, secrets, now)?);
        }
        let given = headers.only("x-n8n-signature").and_then(unhex);
        let given = given.ok_or(Unbelieved::Header("x-n8n-signature"))?;
        let fits = |secret: &String| is_equal(&given, &hmac(secret.as_bytes(), &[body]));
        if !secrets.iter().any(fits) {
            return Err(Unbelieved::Signature.into());
        }
        // Nothing in it says when it was signed: the same body is the same message for ever.
        Ok(Trust::Signed { id: body_id(body) })
    }

    /// Whether a vendor says so.
    ///
    /// # Errors
    /// It is not to be believed, and not to be taken as a hint either.
    pub async fn vendor(
        &self,
        vendor: &str,
        headers: &dyn Headers,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Trust, Distrust> {
        let secrets = self.secrets_of(vendor);
        match vendor {
            "fal" => self.fal.believe(headers, body, now).await,
            "pollo" | "elevenlabs" | "openai" if secrets.is_empty() => {
                self.without_secret(vendor, body)
            },
            "openai" => Ok(standard_headers(headers, body, secrets, now)?),
            "pollo" => Ok(pollo(headers, body, secrets, now)?),
            "elevenlabs" => Ok(elevenlabs(headers, body, secrets, now)?),
            // Runway makes no callbacks of its own, Kling's and Pika's have no documented
            // signature, and HeyGen's third version names no header.
            "heygen" | "kling" | "pika" | "runway" => Ok(Trust::Hint),
            _ => {
                debug_assert!(!VENDORS.contains(&vendor), "{vendor} is known and not here");
                Err(Distrust::UnknownVendor { given: vendor.chars().take(60).collect() })
            },
        }
    }

    fn without_secret(&self, sender: &str, body: &[u8]) -> Result<Trust, Distrust> {
        if self.is_open {
            return Ok(Trust::Signed { id: body_id(body) });
        }
        Err(Distrust::NoSecret(sender.to_owned()))
    }
}

/// The id of a message that has none: what it says.
fn body_id(body: &[u8]) -> String {
    format!("body_{}", Digest::of(body))
}

fn standard_headers(
    headers: &dyn Headers,
    body: &[u8],
    secrets: &[String],
    now: Timestamp,
) -> Result<Trust, Unbelieved> {
    let given = StandardHeaders {
        id: headers.only("webhook-id"),
        timestamp: headers.only("webhook-timestamp"),
        signature: headers.only("webhook-signature"),
    };
    let keys: Vec<Vec<u8>> = secrets.iter().map(|secret| key_of(secret)).collect();
    let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
    let id = believe(given, body, &keys, now)?.to_owned();
    Ok(Trust::Signed { id })
}

/// `whsec_…` stands for its bytes; any other text for itself.
fn key_of(secret: &str) -> Vec<u8> {
    match Secret::read(secret) {
        Some(secret) => secret.key().to_vec(),
        None => secret.as_bytes().to_vec(),
    }
}

/// Pollo: `X-Webhook-Id`, `-Timestamp` and `-Signature`, the base64 of HMAC-SHA256 over
/// `id.timestamp.body` under the base64-decoded secret (its platform documentation; the signature
/// from implementations by others).
fn pollo(
    headers: &dyn Headers,
    body: &[u8],
    secrets: &[String],
    now: Timestamp,
) -> Result<Trust, Unbelieved> {
    let is_id = |id: &&str| {
        !id.is_empty() && id.len() <= 256 && id.bytes().all(|b| b.is_ascii_graphic() && b != b'.')
    };
    let id = headers.only("x-webhook-id").filter(is_id);
    let id = id.ok_or(Unbelieved::Header("x-webhook-id"))?;
    let timestamp = headers.only("x-webhook-timestamp");
    let timestamp = timestamp.ok_or(Unbelieved::Header("x-webhook-timestamp"))?;
    let at = seconds(timestamp).ok_or(Unbelieved::Header("x-webhook-timestamp"))?;
    let given = headers.only("x-webhook-signature").and_then(|text| STANDARD.decode(text).ok());
    let given = given.ok_or(Unbelieved::Header("x-webhook-signature"))?;
    in_time(at, now, TOLERANCE_SECS)?;
    let fits = |secret: &String| {
        let key = STANDARD.decode(secret).unwrap_or_else(|_plain| secret.as_bytes().to_vec());
        is_equal(&given, &standard(&key, id, timestamp, body))
    };
    if !secrets.iter().any(fits) {
        return Err(Unbelieved::Signature);
    }
    Ok(Trust::Signed { id: id.to_owned() })
}

/// ElevenLabs: `elevenlabs-signature: t=<unix>,v0=<hex>`, HMAC-SHA256 over `t.body` (its SDKs).
fn elevenlabs(
    headers: &dyn Headers,
    body: &[u8],
    secrets: &[String],
    now: Timestamp,
) -> Result<Trust, Unbelieved> {
    const NAME: &str = "elevenlabs-signature";
    let header = headers.only(NAME).ok_or(Unbelieved::Header(NAME))?;
    let part = |name: &str| {
        let mut found = header.split(',').filter_map(|part| part.trim().strip_prefix(name));
        let first = found.next();
        first.filter(|_| found.next().is_none())
    };
    let timestamp = part("t=").ok_or(Unbelieved::Header(NAME))?;
    let at = seconds(timestamp).ok_or(Unbelieved::Header(NAME))?;
    let given = part("v0=").and_then(unhex).ok_or(Unbelieved::Header(NAME))?;
    in_time(at, now, ELEVENLABS_TOLERANCE_SECS)?;
    let right = |secret: &String| hmac(secret.as_bytes(), &[timestamp.as_bytes(), b".", body]);
    if !secrets.iter().any(|secret| is_equal(&given, &right(secret))) {
        return Err(Unbelieved::Signature);
    }
    // Signed once, it is one message.
    Ok(Trust::Signed { id: format!("sig_{}", hex(&given)) })
}
