//! The follower: what was appended becomes deliveries, and an index of the vendors' jobs.

use showrunner_engine::at::Millis;
use showrunner_engine::event::Event;
use showrunner_engine::id::RunId;
use showrunner_journal::JournalError;
use showrunner_journal::query::callbacks::KnownJob;
use showrunner_journal::query::deliveries::NewDelivery;
use showrunner_journal::query::endpoints::Endpoint;
use showrunner_journal::query::follow::{Followed, Reached};
use tokio::sync::broadcast::error::RecvError;

use super::delivery_id;
use super::message::{NAMED, messages};
use crate::Runtime;

/// What it is called in the journal.
const FOLLOWER: &str = "webhooks";
/// What it looks for where nobody wants to be told anything.
const JOBS: [&str; 1] = ["attempt.accepted"];
/// The journal is looked at this often without being told to.
const LOOK_AT_LEAST: Millis = Millis(5_000);
/// Between two looks while somebody wants to be told: what happens meanwhile is taken together.
const PAUSE: Millis = Millis(20);
/// Between two looks while nobody does: jobs are indexed when they are asked for anyway.
const PAUSE_IDLE: Millis = Millis(1_000);
/// How far it may come without noting so, when there was nothing to be made of it.
const UNNOTED_MAX: u64 = 2_000;

impl Runtime {
    /// Follows until the server stops.
    pub(super) async fn follow_journal(self) {
        let mut feed = self.feed().subscribe();
        loop {
            let pause = match self.catch_up().await {
                Ok(true) => PAUSE,
                Ok(false) => PAUSE_IDLE,
                Err(error) => {
                    tracing::warn!(%error, "the journal could not be followed for webhooks");
                    PAUSE_IDLE
                },
            };
            tokio::select! {
                biased;
                () = self.stopping().cancelled() => return,
                () = self.webhooks().to_follow.notified() => continue,
                () = self.clock().sleep(pause) => {},
            }
            tokio::select! {
                biased;
                () = self.stopping().cancelled() => return,
                () = self.webhooks().to_follow.notified() => {},
                heard = feed.recv() => {
                    // Whether it heard one or missed many: the journal says what they were.
                    if matches!(heard, Err(RecvError::Closed)) {
                        self.clock().sleep(LOOK_AT_LEAST).await;
                    }
                    feed = feed.resubscribe();
                },
                () = self.clock().sleep(LOOK_AT_LEAST) => {},
            }
        }
    }

    /// Follows to the journal's present end. Returns whether anybody wants to be told.
    ///
    /// # Errors
    /// The journal cannot be read or written; the next call goes on where this one stopped.
    pub(crate) async fn catch_up(&self) -> Result<bool, JournalError> {
        let journal = self.journal();
        let mut place = self.webhooks().reached.lock().await;
        let noted = match place.take() {
            Some(known) => known,
            None => journal.reached(FOLLOWER).await?,
        };
        let mut reached = noted.clone();
        let (endpoints, has_of_runs) = journal.endpoints_enabled().await?;
        let is_awaited = !endpoints.is_empty() || has_of_runs;
        let mut naming: Vec<&str> = JOBS.to_vec();
        if is_awaited {
            naming.extend(NAMED);
        }
        let end = journal.newest_no().await?;
        let mut made = false;
        loop {
            let page = journal.follow(reached.no, end, Some(&naming)).await?;
            let Some(last) = page.last() else { break };
            let last = last.reached.clone();
            let mut runs: Vec<&RunId> = page.iter().map(|followed| &followed.run_id).collect();
            runs.sort_unstable();
            runs.dedup();
            let own =
                if has_of_runs { journal.endpoints_of_runs(&runs).await? } else { Vec::new() };
            let all: Vec<&Endpoint> = endpoints.iter().chain(&own).collect();
            self.take_page(&page, &all, &last).await?;
            reached = last;
            made = true;
            *place = Some(reached.clone());
        }
        if end > reached.no {
            let is_far = end - reached.no > UNNOTED_MAX;
            reached = match journal.place_at(end).await? {
                Some(at) if is_far => {
                    journal.queue_deliveries(&[], Some((FOLLOWER, &at))).await?;
                    at
                },
                // Not worth a transaction: after a new start it is looked at again.
                _ => Reached { no: end, ..reached },
            };
        }
        *place = Some(reached);
        drop(place);
        if made {
            self.webhooks().to_send.notify_one();
        }
        Ok(is_awaited)
    }

    async fn take_page(
        &self,
        page: &[Followed],
        endpoints: &[&Endpoint],
        last: &Reached,
    ) -> Result<(), JournalError> {
        let (mut jobs, mut deliveries) = (Vec::new(), Vec::new());
        for followed in page {
            let events = followed.batch.events()?;
            jobs.extend(jobs_of(followed, &events));
            self.address(followed, &events, endpoints, &mut deliveries);
        }
        self.journal().put_jobs(&jobs).await?;
        self.journal().queue_deliveries(&deliveries, Some((FOLLOWER, last))).await?;
        for job in &jobs {
            self.take_early(job).await?;
        }
        Ok(())
    }

    /// A delivery for each endpoint that wants what an append says.
    fn address(
        &self,
        followed: &Followed,
        events: &[Event],
        endpoints: &[&Endpoint],
        deliveries: &mut Vec<NewDelivery>,
    ) {
        let may = |endpoint: &&&Endpoint| {
            endpoint.org == followed.org && endpoint.created_at <= followed.batch.at
        };
        let interested: Vec<&&Endpoint> = endpoints.iter().filter(may).collect();
        if interested.is_empty() {
            return;
        }
        let base_url = self.webhooks().base_url.get().map(String::as_str).unwrap_or_default();
        for message in messages(followed, events, base_url) {
            let wanting = interested.iter().filter(|e| e.wants(message.event, &followed.run_id));
            deliveries.extend(wanting.map(|endpoint| NewDelivery {
                id: delivery_id(&endpoint.id, &message.id),
                org: followed.org.clone(),
                endpoint: endpoint.id.clone(),
                message: message.id.clone(),
                event: message.event.to_owned(),
                run_id: Some(followed.run_id.clone()),
                seq: message.seq,
                body: message.body.clone(),
                created_at: followed.batch.at,
            }));
        }
    }
}

fn jobs_of<'a>(followed: &'a Followed, events: &'a [Event]) -> impl Iterator<Item = KnownJob> + 'a {
    events.iter().filter_map(|event| match event {
        Event::JobAccepted { step, token, job } => Some(KnownJob {
            provider: job.provider.clone(),
            job: job.id.clone(),
            run_id: followed.run_id.clone(),
            org: followed.org.clone(),
            step: step.clone(),
            token: token.to_string(),
            accepted_at: followed.batch.at,
        }),
        _ => None,
    })
}
