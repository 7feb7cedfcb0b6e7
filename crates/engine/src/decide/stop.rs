//! A person ends the run.

use super::Decider;
use crate::command::Principal;
use crate::event::{Ending, Event};

impl Decider<'_> {
    pub(super) fn cancel(&mut self, reason: Option<String>, by: &Principal, compensate: bool) {
        self.close_with(Ending::Cancelled, reason, Some(by), (None, compensate));
    }

    pub(super) fn confirm_parent(&mut self) {
        self.emit(Event::ParentNotified);
    }
}
