//! Something outside reports under a key of this run.

use std::sync::Arc;

use serde_json::Value;

use super::{Decider, shared};
use crate::event::Event;
use crate::refusal::Refusal;
use crate::run::{StepNo, Wait};
use crate::schema::Breach;

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
        if waiting.is_none() && known {
            return Ok(()); // the first one counts; a doubled one changes nothing
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
