//! Somebody is found who can do a piece of work now. Who that is is journalled before anything
//! leaves, so that after a crash they, and nobody else, are asked first.

use showrunner_engine::at::Timestamp;
use showrunner_engine::command::Command;
use showrunner_engine::event::FailedProvider;
use showrunner_engine::failure::{ErrorClass, Failure, NO_PROVIDER_LEFT};

use super::pay::{Paid, Payer, Unpaid};
use crate::Runtime;

impl Runtime {
    /// Has the first of the candidates do it that can. One that cannot makes room for the next,
    /// and is not asked again for the same task.
    pub(crate) async fn pay_first<'p, P: Paid>(
        &self,
        payer: Payer<'_>,
        candidates: &'p [P],
    ) -> Result<(&'p P, P::Answer), Unpaid> {
        let mut election = Election::new(payer, candidates.len());
        loop {
            let paid = self.elect(payer, candidates, &election).await?;
            self.note_choice(payer, paid, &mut election).await?;
            self.afford(payer, paid.ceiling()).await?;
            let failure = match self.pay_once(payer, paid).await {
                Ok(answer) => {
                    self.circuit_succeeded(paid.provider()).await;
                    return Ok((paid, answer));
                },
                Err(Unpaid::Failed(failure, None)) => failure,
                Err(Unpaid::Failed(failure, billed)) => {
                    self.circuit_failed(paid.provider(), &failure).await;
                    return Err(Unpaid::Failed(failure, billed));
                },
                Err(Unpaid::InDoubt { no, message }) => {
                    let lost = Failure::new(ErrorClass::Network, "in_doubt", message.clone());
                    self.circuit_failed(paid.provider(), &lost).await;
                    return Err(Unpaid::InDoubt { no, message });
                },
                Err(Unpaid::TakenOver) => return Err(Unpaid::TakenOver),
            };
            self.circuit_failed(paid.provider(), &failure).await;
            let is_out = failure.class == ErrorClass::Provider;
            if !makes_room(failure.class)
                || !(is_out || self.is_other_ready(candidates, &election, paid))
            {
                return Err(Unpaid::Failed(self.cooled(paid.provider(), failure), None));
            }
            election.lose(paid.provider(), failure);
        }
    }

    /// The first candidate whose circuit lets a call through. While none does, time passes.
    async fn elect<'p, P: Paid>(
        &self,
        payer: Payer<'_>,
        candidates: &'p [P],
        election: &Election,
    ) -> Result<&'p P, Unpaid> {
        // Whoever may have been called before is asked before anybody else, whatever the circuit.
        let may_have_left = payer.work.is_recovered || payer.call.timed_out;
        let before = election
            .chosen
            .as_deref()
            .filter(|before| may_have_left && !election.has_lost && !election.is_out(before));
        if let Some(before) = before {
            let found = candidates.iter().find(|paid| paid.provider() == before);
            return found.ok_or_else(|| {
                let message =
                    format!("{before} is not configured any more; it may have been called");
                Unpaid::InDoubt { no: payer.no, message }
            });
        }
        loop {
            let now = self.clock().now();
            let mut next: Option<Timestamp> = None;
            for paid in election.open(candidates) {
                match self.circuits().admit(paid.provider(), now) {
                    Ok(()) => return Ok(paid),
                    Err(until) => next = Some(next.map_or(until, |known| known.min(until))),
                }
            }
            let Some(until) = next else {
                return Err(Unpaid::Failed(election.nobody_left(), None));
            };
            self.say_why(payer, candidates, until).await;
            let woken = self.clock().sleep_until(until);
            self.in_time(payer, woken).await.ok_or(Unpaid::TakenOver)?;
        }
    }

    /// Whoever has no room for us now is asked again when there may be some.
    fn cooled(&self, provider: &str, mut failure: Failure) -> Failure {
        if matches!(failure.class, ErrorClass::QuotaExceeded | ErrorClass::RateLimited)
            && let Some(until) = self.circuits().of(provider).open_until
        {
            let pause = until.millis_since(self.clock().now());
            failure.retry_after_ms.get_or_insert(pause.0);
        }
        failure
    }

    /// Whether somebody else could be called at once.
    fn is_other_ready<P: Paid>(&self, candidates: &[P], election: &Election, paid: &P) -> bool {
        let now = self.clock().now();
        let mut others =
            election.open(candidates).filter(|other| other.provider() != paid.provider());
        others.any(|other| self.circuits().of(other.provider()).admit(now).is_ok())
    }

    /// Nothing waits without saying for what.
    async fn say_why<P: Paid>(&self, payer: Payer<'_>, candidates: &[P], until: Timestamp) {
        let names: Vec<&str> = candidates.iter().map(Paid::provider).collect();
        let message = format!("waits for {}, until {}", names.join(" or "), until.to_rfc3339());
        let (step, token) = (payer.call.step.clone(), payer.call.token);
        let command =
            Command::ProgressAttempt { step, token, percent: None, message: Some(message) };
        self.deliver(payer.work, None, command).await;
    }

    /// Journals who is chosen, where it could be somebody else after a restart.
    async fn note_choice<P: Paid>(
        &self,
        payer: Payer<'_>,
        paid: &P,
        election: &mut Election,
    ) -> Result<(), Unpaid> {
        let failed = election.failed.take();
        let is_known = election.chosen.as_deref() == Some(paid.provider());
        if is_known
            || (!election.has_choice && !paid.is_job())
            || paid.is_free() && failed.is_none()
        {
            return Ok(());
        }
        election.chosen = Some(paid.provider().to_owned());
        let (step, token) = (payer.call.step.clone(), payer.call.token);
        let provider = paid.provider().to_owned();
        let command = Command::ChooseProvider { step, token, provider, failed };
        if self.tell(payer.work, None, command).await { Ok(()) } else { Err(Unpaid::TakenOver) }
    }
}

/// Classes of failure after which somebody else is asked.
fn makes_room(class: ErrorClass) -> bool {
    matches!(class, ErrorClass::Provider | ErrorClass::QuotaExceeded | ErrorClass::RateLimited)
}

/// Who has been chosen, and who is out.
struct Election {
    has_choice: bool,
    has_lost: bool,
    chosen: Option<String>,
    failed: Option<FailedProvider>,
    out: Vec<FailedProvider>,
}

impl Election {
    fn new(payer: Payer<'_>, candidates: usize) -> Self {
        Self {
            has_choice: candidates > 1,
            has_lost: false,
            chosen: payer.call.provider.clone(),
            failed: None,
            out: payer.call.shunned.clone(),
        }
    }

    /// Those who are not out. Where there is only one, what it said to an earlier attempt does not
    /// count: whether it is tried again is for the step's own policy.
    fn open<'p, P: Paid>(&self, candidates: &'p [P]) -> impl Iterator<Item = &'p P> {
        let is_only_hope = !self.has_choice && self.chosen.is_none() && !self.has_lost;
        candidates.iter().filter(move |paid| is_only_hope || !self.is_out(paid.provider()))
    }

    fn is_out(&self, provider: &str) -> bool {
        self.out.iter().any(|out| out.provider == provider)
    }

    fn lose(&mut self, provider: &str, failure: Failure) {
        let failed = FailedProvider { provider: provider.to_owned(), failure };
        if failed.failure.class == ErrorClass::Provider {
            self.out.push(failed.clone());
        }
        self.has_lost = true;
        self.failed = Some(failed);
    }

    /// Everybody was asked and could not do it. With nobody else configured, what the only one
    /// said stands as it is, and the step's own policy decides whether it is asked again.
    fn nobody_left(&self) -> Failure {
        match self.out.last() {
            Some(last) if !self.has_choice => last.failure.clone(),
            _ => {
                let said =
                    |out: &FailedProvider| format!("{}: {}", out.provider, out.failure.message);
                let said: Vec<String> = self.out.iter().map(said).collect();
                let message = format!("nobody is left who could do it ({})", said.join("; "));
                Failure::new(ErrorClass::Provider, NO_PROVIDER_LEFT, message)
            },
        }
    }
}
