//! Callbacks in: who may call, how each signs, and what each says.
//!
//! A vendor's callback is never taken at its word: it says which job to look at, and the provider
//! is asked. A signature decides whether we look at once and remember the message ([`Trust`]).
//! What n8n reports is believed, because it is our own operator's and signed with our secret.

pub mod n8n;
pub mod payload;
mod fal;
mod verify;

use std::collections::BTreeMap;
use std::sync::Arc;

use fal::KeySet;

use crate::egress::Egress;
use crate::signing::Unbelieved;

pub use payload::{JobSays, JobState};

/// Vendors that can be named, in the order of their names.
pub const VENDORS: [&str; 8] =
    ["elevenlabs", "fal", "heygen", "kling", "openai", "pika", "pollo", "runway"];

/// How far a callback is to be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The vendor says so; this is the message's id, for telling replays.
    Signed {
        /// Theirs, or made from the signature where they have none.
        id: String,
    },
    /// Anybody may say so: it is a reason to ask the provider, and no more.
    Hint,
}

/// Why a callback is turned away.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// Nobody has told us the secret, so nobody can be believed.
    #[error("no secret is configured for {0}")]
    NoSecret(String),
    /// It is not signed as it must be.
    #[error(transparent)]
    Unbelieved(#[from] Unbelieved),
    /// The vendor's keys cannot be had at present.
    #[error("the keys of {vendor} cannot be fetched: {why}")]
    NoKeys {
        /// Whose.
        vendor: String,
        /// What was wrong.
        why: String,
    },
    /// Nobody we know.
    #[error("there is no provider `{given}`; known are {}", VENDORS.join(", "))]
    UnknownVendor {
        /// The name that was given.
        given: String,
    },
}

/// Headers of a request by their small-letter names: the value, unless it is missing, there more
/// than once, or no text.
pub trait Headers: Sync {
    /// The only value of a header.
    fn only(&self, name: &str) -> Option<&str>;
}

impl Headers for crate::egress::HeaderMap {
    fn only(&self, name: &str) -> Option<&str> {
        let mut values = self.get_all(name).iter();
        let (first, second) = (values.next(), values.next());
        if second.is_some() {
            return None;
        }
        first?.to_str().ok()
    }
}

/// Whom to believe: the secrets that the operator was given.
#[derive(Clone)]
pub struct Callbacks {
    /// By sender, `n8n` among them; several while one is being replaced.
    secrets: BTreeMap<String, Vec<String>>,
    /// Development mode: senders without a secret are believed.
    is_open: bool,
    fal: Arc<KeySet>,
}

impl std::fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let senders: Vec<&String> = self.secrets.keys().collect();
        f.debug_struct("Callbacks").field("secrets_of", &senders).finish_non_exhaustive()
    }
}

impl Default for Callbacks {
    fn default() -> Self {
        Self::new(BTreeMap::new(), Egress::default())
    }
}

impl Callbacks {
    /// These secrets, and keys fetched by this way.
    pub fn new(secrets: BTreeMap<String, Vec<String>>, egress: Egress) -> Self {
        let fal = Arc::new(KeySet::of(egress, fal::KEYS_URL));
        Self { secrets, is_open: false, fal }
    }

    /// Development mode: whoever has no secret configured is believed without one.
    pub fn open(mut self) -> Self {
        self.is_open = true;
        self
    }

    /// fal's keys are at this URL instead of the usual one.
    pub fn with_fal_keys_at(mut self, egress: Egress, url: &str) -> Self {
        self.fal = Arc::new(KeySet::of(egress, url));
        self
    }

    /// Whether senders without a secret are believed.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    fn secrets_of(&self, sender: &str) -> &[String] {
        self.secrets.get(sender).map(Vec::as_slice).unwrap_or_default()
    }
}
