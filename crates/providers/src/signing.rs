//! Signatures of messages: those we send, and those we are sent.
//!
//! Standard Webhooks 1.0.0 (github.com/standard-webhooks/standard-webhooks, spec): the signed text
//! is `{webhook-id}.{webhook-timestamp}.{body}`; `webhook-signature` is a list, separated by
//! spaces, of `v1,` and the base64 of HMAC-SHA256; a secret is `whsec_` and the base64 of 24 to 64
//! random bytes. The same scheme signs OpenAI's webhooks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use showrunner_engine::at::Timestamp;
use subtle::ConstantTimeEq as _;

/// How old a message may be, and how far ahead of our clock, in seconds.
pub const TOLERANCE_SECS: i64 = 300;
/// Bytes of a secret that we make.
pub const SECRET_BYTES: usize = 32;
/// Bytes that the key of a secret may have, by the specification.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// Signatures of one message that are looked at; a list without end is an attack.
const SIGNATURES_MAX: usize = 16;
/// What a secret begins with.
const PREFIX: &str = "whsec_";

/// Why a message is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unbelieved {
    /// A header is missing, there twice, or cannot be read.
    #[error("the header {0} is missing, there more than once, or cannot be read")]
    Header(&'static str),
    /// It was signed too long ago, or in the future.
    #[error("it was signed {age_secs} s ago; {TOLERANCE_SECS} s are allowed either way")]
    Time {
        /// How long ago; negative in the future.
        age_secs: i64,
    },
    /// No signature is right.
    #[error("no signature fits the body and the secret")]
    Signature,
}

/// A secret, never shown by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    text: String,
    key: Vec<u8>,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// A secret of these random bytes.
    pub fn of(bytes: [u8; SECRET_BYTES]) -> Self {
        Self { text: format!("{PREFIX}{}", STANDARD.encode(bytes)), key: bytes.to_vec() }
    }

    /// Reads `whsec_…`.
    pub fn read(text: &str) -> Option<Self> {
        let key = STANDARD.decode(text.strip_prefix(PREFIX)?).ok()?;
        KEY_BYTES.contains(&key.len()).then(|| Self { text: text.to_owned(), key })
    }

    /// As it is handed over, once.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the text stands for.
    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    /// The entry of `webhook-signature` for a message.
    pub fn sign(&self, id: &str, at_secs: i64, body: &[u8]) -> String {
        let signed = standard(&self.key, id, &at_secs.to_string(), body);
        format!("v1,{}", STANDARD.encode(signed))
    }

    /// The source's `X-Webhook-Signature`: the hexadecimal HMAC-SHA256 of the body, with the
    /// secret's own text as key.
    pub fn sign_plainly(&self, body: &[u8]) -> String {
        hex(&hmac(self.text.as_bytes(), &[body]))
    }
}

/// The three headers of a message, each as it came.
#[derive(Clone, Copy, Debug, Default)]
pub struct StandardHeaders<'a> {
    /// `webhook-id`.
    pub id: Option<&'a str>,
    /// `webhook-timestamp`.
    pub timestamp: Option<&'a str>,
    /// `webhook-signature`.
    pub signature: Option<&'a str>,
}

/// Believes a message of the standard's, or says why not. Returns its id.
///
/// # Errors
/// What is missing or wrong; never what would have been right.
pub fn believe<'a>(
    headers: StandardHeaders<'a>,
    body: &[u8],
    keys: &[&[u8]],
    now: Timestamp,
) -> Result<&'a str, Unbelieved> {
    let StandardHeaders { id, timestamp, signature } = headers;
    let id = id.filter(|id| is_id(id)).ok_or(Unbelieved::Header("webhook-id"))?;
    let timestamp = timestamp.ok_or(Unbelieved::Header("webhook-timestamp"))?;
    let at = seconds(timestamp).ok_or(Unbelieved::Header("webhook-timestamp"))?;
    let list = signature.ok_or(Unbelieved::Header("webhook-signature"))?;
    in_time(at, now, TOLERANCE_SECS)?;
    let given: Vec<Vec<u8>> = list
        .split(' ')
        .filter_map(|entry| entry.strip_prefix("v1,"))
        .take(SIGNATURES_MAX)
        .filter_map(|text| STANDARD.decode(text).ok())
        .collect();
    let fits = |key: &&[u8]| {
        let right = standard(key, id, timestamp, body);
        given.iter().any(|given| is_equal(given, &right))
    };
    if keys.iter().any(fits) { Ok(id) } else { Err(Unbelieved::Signature) }
}

/// An id goes into the signed text in front of a dot, and into our memory.
fn is_id(id: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_graphic() && b != b'.';
    !id.is_empty() && id.len() <= 256 && id.bytes().all(is_plain)
}

/// Whole seconds, written in digits and nothing else.
pub(crate) fn seconds(text: &str) -> Option<i64> {
    let is_plain = !text.is_empty() && text.len() <= 12 && text.bytes().all(|b| b.is_ascii_digit());
    is_plain.then(|| text.parse().ok()).flatten()
}

/// Whether something was signed at about this time.
pub(crate) fn in_time(at_secs: i64, now: Timestamp, tolerance: i64) -> Result<(), Unbelieved> {
    let age_secs = now.0.div_euclid(1_000_000).saturating_sub(at_secs);
    if age_secs.saturating_abs() > tolerance { Err(Unbelieved::Time { age_secs }) } else { Ok(()) }
}

/// HMAC-SHA256 over the signed text of the standard.
pub(crate) fn standard(key: &[u8], id: &str, timestamp: &str, body: &[u8]) -> [u8; 32] {
    hmac(key, &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body])
}

/// HMAC-SHA256 over parts, one after the other.
pub(crate) fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // A key of any length will do: longer ones are hashed first (RFC 2104).
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Whether a given signature is the right one, in a time that does not tell how much of it is.
pub(crate) fn is_equal(given: &[u8], right: &[u8; 32]) -> bool {
    given.ct_eq(right).into()
}

/// Small letters.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _always_ok = write!(text, "{byte:02x}");
    }
    text
}

/// Reads hexadecimal, in small or capital letters.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the reference libraries (standard-webhooks, libraries/python, test_webhooks).
    #[test]
    fn a_message_is_signed_as_the_reference_signs_it() {
        let secret = Secret::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed =
            secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    /// RFC 4231, test case 2.
    #[test]
    fn a_hash_is_the_rfcs() {
        let hash = hex(&hmac(b"Jefe", &[b"what do ya want ", b"for nothing?"]));
        assert_eq!(hash, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn secrets_are_read_and_never_shown() {
        let secret = Secret::of([7; SECRET_BYTES]);
        assert_eq!(Secret::read(secret.text()), Some(secret.clone()));
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        for text in
            ["", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
        {
            assert_eq!(Secret::read(text), None, "{text}");
        }
    }
}
