//! Something outside reports under a key of this run.

use std::sync::Arc;

use serde_json::Value;

use super::{Decider, shared};
use crate::event::Event;
use crate::refusal::Refusal;
use crate::run::{StepNo, Wait};
use crate::schema::Breach;
use crate::turn::digest_of;

/// Callbacks that nobody waits for yet are kept, but not without bound.
const INBOX_MAX: usize = 256;

impl Decider<'_> {
    pub(super) fn receive_callback(&mut self, key: String, payload: Value) -> Result<(), Refusal> {
        let waiting = self.waiting_for(&key);
        let known = self.run.inbox.contains_key(&key);
        if waiting.is_none() && !known && self.run.inbox.len() >= INBOX_MAX {
            let message = format!("{INBOX_MAX} callbacks are waiting to be taken already");
            let breaches = vec![Breach { pointer: "/key".into(), message }];
            return Err(Refusal::Invalid { what: "the callback".into(), breaches });
        }
        // The first one counts; a doubled one changes nothing, also when its wait is over and the
        // next one under the same key has not begun.
        let is_repeated = || self.run.taken.get(&key) == Some(&digest_of(&payload));
        if waiting.is_none() && (known || is_repeated()) {
            return Ok(());
        }
        let payload = shared(payload);
        self.emit(Event::CallbackReceived { key, payload: Arc::clone(&payload) });
        if let Some(no) = waiting {
            self.succeed_with(no, (*payload).clone());
        }
        Ok(())
    }

    fn waiting_for(&self, key: &str) -> Option<StepNo> {
        self.run.open.iter().copied().find(|&no| {
            matches!(&self.run.step(no).wait, Some(Wait::Callback { key: own, .. }) if own == key)
        })
    }
}
