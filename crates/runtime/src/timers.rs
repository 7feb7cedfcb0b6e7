//! Time passes: runs whose time has come are told so.

use showrunner_engine::at::{Millis, Timestamp};
use showrunner_engine::command::Command;

use crate::Runtime;

/// The journal is asked at least this often, in case a hint got lost.
const LOOK_AT_LEAST: Millis = Millis(5_000);
/// How many runs are woken in one round.
const ROUND: u32 = 500;

impl Runtime {
    /// Notes that a run wants to be woken at `at`; the loop wakes earlier than it meant to.
    pub(crate) fn wake_timers(&self, at: Option<Timestamp>) {
        let Some(at) = at else { return };
        let mut next = self.next_timer().lock();
        if at < *next {
            *next = at;
            drop(next);
            self.timer_moved().notify_one();
        }
    }

    /// Runs until the server stops.
    pub(crate) async fn keep_time(self) {
        while !self.is_stopping() {
            let now = self.clock().now();
            *self.next_timer().lock() = now.plus(LOOK_AT_LEAST);
            if self.wake_due(now).await {
                continue; // there may be more
            }
            let next = self.journal().next_wake_at(now).await.ok().flatten();
            if let Some(next) = next {
                let mut planned = self.next_timer().lock();
                *planned = (*planned).min(next);
            }
            let until = *self.next_timer().lock();
            tokio::select! {
                biased;
                () = self.clock().sleep_until(until) => {},
                () = self.timer_moved().notified() => {},
                () = self.stopping().cancelled() => return,
            }
        }
    }

    /// Wakes the runs whose time has come. Returns whether there may be more.
    async fn wake_due(&self, now: Timestamp) -> bool {
        let due = match self.journal().runs_to_wake(now, ROUND).await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(%error, "timers could not be read");
                return false;
            },
        };
        let many = due.len() >= ROUND as usize;
        let mut progress = false;
        for run in due {
            match self.submit(&run.id, Command::FireTimers).await {
                Ok(receipt) => progress |= !receipt.events.is_empty(),
                Err(error) => {
                    tracing::warn!(run.id = %run.id, %error, "a timer could not be fired");
                },
            }
        }
        many && progress
    }
}
