//! The circuit breakers of all providers: shared by all runs, and known again after a restart.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use showrunner_engine::at::Timestamp;
use showrunner_engine::failure::Failure;
use showrunner_journal::JournalError;
use showrunner_providers::Breaker;

use crate::Runtime;

/// Where the journal keeps them.
const META_KEY: &str = "circuits";

/// A breaker for each provider that was called.
#[derive(Clone, Debug, Default)]
pub struct Circuits {
    breakers: Arc<Mutex<BTreeMap<String, Breaker>>>,
}

impl Circuits {
    /// The breaker of a provider as it is now.
    pub fn of(&self, provider: &str) -> Breaker {
        self.breakers.lock().get(provider).cloned().unwrap_or_default()
    }

    /// Lets a call to this provider through.
    ///
    /// # Errors
    /// When to ask again.
    pub(crate) fn admit(&self, provider: &str, now: Timestamp) -> Result<(), Timestamp> {
        match self.breakers.lock().get_mut(provider) {
            Some(breaker) => breaker.admit(now),
            None => Ok(()),
        }
    }

    fn change(&self, provider: &str, change: impl FnOnce(&mut Breaker) -> bool) -> Option<String> {
        let mut breakers = self.breakers.lock();
        let changed = change(breakers.entry(provider.to_owned()).or_default());
        changed.then(|| serde_json::to_string(&*breakers).unwrap_or_default())
    }
}

impl Runtime {
    /// Takes up the circuits as they were before this process began.
    pub(crate) async fn recover_circuits(&self) -> Result<(), JournalError> {
        let Some(text) = self.journal().meta(META_KEY).await? else { return Ok(()) };
        match serde_json::from_str(&text) {
            Ok(breakers) => *self.circuits().breakers.lock() = breakers,
            Err(error) => tracing::warn!(%error, "the circuits are not readable; all are closed"),
        }
        Ok(())
    }

    /// A provider has answered.
    pub(crate) async fn circuit_succeeded(&self, provider: &str) {
        if self.circuits().of(provider) == Breaker::default() {
            return;
        }
        if let Some(text) = self.circuits().change(provider, Breaker::succeeded) {
            tracing::info!(provider, "a provider answers again; its circuit is closed");
            self.store_circuits(&text).await;
        }
    }

    /// A provider has failed.
    pub(crate) async fn circuit_failed(&self, provider: &str, failure: &Failure) {
        let now = self.clock().now();
        let changed = self.circuits().change(provider, |breaker| breaker.failed(failure, now));
        if let Some(text) = changed {
            let until = self.circuits().of(provider).open_until;
            tracing::warn!(provider, ?until, code = failure.code, "a provider's circuit is open");
            self.store_circuits(&text).await;
        }
    }

    /// A restart that does not know them only finds out again.
    async fn store_circuits(&self, text: &str) {
        if let Err(error) = self.journal().set_meta(META_KEY, text).await {
            tracing::warn!(%error, "the circuits could not be stored");
        }
    }
}
