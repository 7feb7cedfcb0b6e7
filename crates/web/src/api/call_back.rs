//! Starting a run that calls back when it is over.

use showrunner_engine::id::RunId;
use showrunner_providers::signing::Secret;
use showrunner_runtime::{RunCallback, StartRequest, Started};

use super::webhooks::known_events;
use crate::App;
use crate::auth::Caller;
use crate::problem::{FieldError, Problem};

impl App {
    /// Where a run is to be told about, checked: `callback_url`, `callback_secret` and
    /// `callback_events` of whatever starts it.
    ///
    /// # Errors
    /// The address is not asked, there is no such type of message, or the secret is none.
    pub async fn callback(
        &self,
        url: &str,
        secret: Option<&str>,
        events: &[String],
    ) -> Result<RunCallback, Problem> {
        self.vetted(url, "/callback_url").await?;
        known_events(events)?;
        if secret.is_some_and(|secret| Secret::read(secret).is_none()) {
            let words = "a secret is `whsec_` and the base64 of 24 to 64 random bytes";
            return Err(Problem::invalid(vec![FieldError::new("/callback_secret", words)]));
        }
        let (secret, events) = (secret.map(str::to_owned), events.to_vec());
        Ok(RunCallback { url: url.to_owned(), secret, events })
    }

    /// Starts a run. Where it is told about is noted before, so that nothing of it is missed.
    ///
    /// # Errors
    /// As [`showrunner_runtime::SubmitError`] says.
    pub async fn start(
        &self,
        caller: &Caller,
        request: StartRequest,
        callback: Option<RunCallback>,
    ) -> Result<Started, Problem> {
        let runtime = self.runtime();
        let Some(callback) = callback else { return Ok(runtime.start(request).await?) };
        let clock = runtime.clock();
        let id = RunId::at(clock.now(), [clock.random(), clock.random()]);
        runtime.call_back(&id, (&caller.org, &caller.id), callback).await?;
        let started = runtime.start(StartRequest { id: Some(id.clone()), ..request }).await;
        // An earlier request with the same key has its run and its callback already.
        let is_mine = started.as_ref().is_ok_and(|started| started.run == id);
        if !is_mine {
            runtime.forget_call_back(&id, &caller.org).await?;
        }
        Ok(started?)
    }
}
