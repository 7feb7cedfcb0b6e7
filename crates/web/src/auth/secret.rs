//! The server's own secret, and what it seals: sessions and forms.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use showrunner_engine::at::{Millis, Timestamp};
use showrunner_engine::id::Digest;
use showrunner_journal::JournalError;
use showrunner_runtime::Runtime;

/// How long a session lasts.
pub(crate) const SESSION_SPAN: Millis = Millis::from_secs(30 * 24 * 60 * 60);
/// Where the secret is kept.
const META_KEY: &str = "web_secret";

/// 256 bits that only this installation knows.
#[derive(Clone)]
pub(crate) struct Secret([u8; 32]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// The secret of this installation, made when there is none.
    pub(crate) async fn of(runtime: &Runtime) -> Result<Self, JournalError> {
        let journal = runtime.journal();
        if let Some(known) = journal.meta(META_KEY).await? {
            return Self::read(&known);
        }
        let fresh = Self::fresh().map_err(|fault| JournalError::Unusable(fault.to_string()))?;
        let kept = journal.set_meta_once(META_KEY, &URL_SAFE_NO_PAD.encode(fresh.0)).await?;
        Self::read(&kept)
    }

    fn fresh() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    fn read(text: &str) -> Result<Self, JournalError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        let damaged = || JournalError::Corrupt(format!("{META_KEY} is not a secret"));
        bytes.map(Self).ok_or_else(damaged)
    }

    fn seal(&self, purpose: &str, text: &str) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(text.as_bytes());
        Some(mac)
    }

    fn sealed(&self, purpose: &str, text: &str) -> String {
        let mac = self.seal(purpose, text);
        mac.map(|mac| URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())).unwrap_or_default()
    }

    fn is_sealed(&self, purpose: &str, text: &str, seal: &str) -> bool {
        let Ok(given) = URL_SAFE_NO_PAD.decode(seal) else { return false };
        self.seal(purpose, text).is_some_and(|mac| mac.verify_slice(&given).is_ok())
    }

    /// A session for the token with this digest: worth nothing without our seal, and nothing
    /// from which the token could be learnt.
    pub(crate) fn session(&self, token: &Digest, now: Timestamp) -> String {
        let facts = format!("{token}.{}", now.plus(SESSION_SPAN).0);
        let seal = self.sealed("session", &facts);
        format!("{facts}.{seal}")
    }

    /// The digest of the token that a session stands for, unless its time is over.
    pub(crate) fn open_session(&self, session: &str, now: Timestamp) -> Option<Digest> {
        let (facts, seal) = session.rsplit_once('.')?;
        if !self.is_sealed("session", facts, seal) {
            return None;
        }
        let (digest, until) = facts.split_once('.')?;
        let until: i64 = until.parse().ok()?;
        (now.0 < until).then(|| digest.into())
    }

    /// What forms of this session must carry.
    pub(crate) fn form_key(&self, session: &str) -> String {
        self.sealed("form", session)
    }

    /// Whether a form carries it.
    pub(crate) fn is_form_key(&self, session: &str, given: &str) -> bool {
        self.is_sealed("form", session, given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_opens_only_unchanged_in_time_and_with_its_own_secret() {
        let (secret, other) = (Secret([7; 32]), Secret([8; 32]));
        let token = Digest::of(b"token");
        let now = Timestamp(1_000_000);
        let session = secret.session(&token, now);
        assert_eq!(secret.open_session(&session, now), Some(token));
        assert_eq!(secret.open_session(&session, now.plus(SESSION_SPAN)), None);
        assert_eq!(other.open_session(&session, now), None);
        let longer = session.replace(".2", ".9");
        assert!(longer == session || secret.open_session(&longer, now).is_none());
        assert_eq!(secret.open_session("x", now), None);
    }

    #[test]
    fn a_form_belongs_to_one_session() {
        let secret = Secret([7; 32]);
        let key = secret.form_key("one");
        assert!(secret.is_form_key("one", &key));
        assert!(!secret.is_form_key("two", &key));
        assert!(!secret.is_form_key("one", ""));
    }
}
