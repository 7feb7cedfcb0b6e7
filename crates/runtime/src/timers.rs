//! Time passes: runs whose time has come are told so.

use std::future::ready;

use futures_util::{StreamExt, stream};
use showrunner_engine::at::{Millis, Timestamp};
use showrunner_engine::command::Command;
use showrunner_engine::id::RunId;

use crate::Runtime;

/// The journal is asked at least this often, in case a hint got lost.
const LOOK_AT_LEAST: Millis = Millis(5_000);
/// How many runs are woken in one round.
const ROUND: u32 = 500;
/// How many of them at once: their appends share the disk's syncs.
const AT_ONCE: usize = 64;

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
            self.hurry_overdue(now).await;
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
        let fired = stream::iter(due.into_iter().map(|run| self.fire(run.id)));
        let progress =
            fired.buffer_unordered(AT_ONCE).fold(false, |any, one| ready(any || one)).await;
        many && progress
    }

    /// Tells a run that time has passed. Returns whether that changed anything.
    async fn fire(&self, run: RunId) -> bool {
        match self.submit(&run, Command::FireTimers).await {
            Ok(receipt) => !receipt.events.is_empty(),
            Err(error) => {
                tracing::warn!(run.id = %run, %error, "a timer could not be fired");
                false
            },
        }
    }

    /// Whoever works on an attempt watches its time while it waits for an answer; here it is
    /// watched wherever else it may hang: in a queue, in a look-up, in an error of ours.
    async fn hurry_overdue(&self, now: Timestamp) {
        for cell in self.residents().all() {
            let run = {
                let mut resident = cell.lock();
                let mut is_overdue = false;
                for work in resident.in_flight.values_mut() {
                    if work.deadline.is_some_and(|deadline| deadline <= now) {
                        // Once is enough: what follows from it has a time of its own.
                        work.deadline = None;
                        is_overdue = true;
                    }
                }
                is_overdue.then(|| resident.run.id.clone())
            };
            if let Some(run) = run {
                self.fire(run).await;
            }
        }
    }
}
