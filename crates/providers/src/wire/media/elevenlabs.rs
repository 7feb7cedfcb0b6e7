//! ElevenLabs: text to speech, answered with the audio itself.
//!
//! `POST {base}/v1/text-to-speech/{voice_id}` with `xi-api-key`; MP3 where nothing else is asked
//! for. Source: the Python SDK 2.78.0.

use async_trait::async_trait;
use reqwest::Method;
use serde_json::{Value, json};
use showrunner_engine::failure::ErrorClass;
use showrunner_engine::money::{MicroUsd, Spend};

use super::super::endpoint::EndpointFault;
use super::super::unsendable;
use super::file::taken;
use super::line::{Habits, Line};
use super::{Access, Outside, order};
use crate::error::{CallFailure, Outcome};
use crate::media::{MediaJob, MediaKind, MediaProvider, MediaRequest, MediaStatus, Submitted};
use crate::profiles::Unpriced;
use crate::{CallSafety, LookUp, Mode};

/// The model with Japanese and English.
const MODEL: &str = "eleven_multilingual_v2";
/// In micro-dollars for a character: 0.10 $ a thousand (developer.puter.com, “ElevenLabs API
/// Pricing”, June 2026, read on 2026-11-20). Some voices of its library cost a multiple.
const CHARACTER: i64 = 100;
/// The longest text that the model takes, in characters (sonnalabs.app, “ElevenLabs Text to
/// Speech”).
const TEXT_MAX: usize = 10_000;
/// “George”, a voice of the vendor's own for all accounts; not checked against its library.
const VOICE: &str = "JBFqnCBsd6RMkjVDRZzb";

/// ElevenLabs.
#[derive(Debug)]
pub struct ElevenLabs {
    line: Line,
}

/// What is to be said. `None`: nothing, or too much.
fn words(spec: &Value) -> Option<&str> {
    let words = order::text(spec, "text").or_else(|| order::text(spec, "prompt"))?;
    (words.chars().count() <= TEXT_MAX).then_some(words)
}

/// The vendor's voice. Voices of this machine have other names.
fn voice(spec: &Value) -> &str {
    let is_theirs =
        |id: &&str| id.len() == 20 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    order::text(spec, "voice_id").filter(is_theirs).unwrap_or(VOICE)
}

impl ElevenLabs {
    /// ElevenLabs, with a key.
    ///
    /// # Errors
    /// The base address cannot be used.
    pub fn new(access: Access<'_>, outside: &Outside) -> Result<Self, EndpointFault> {
        let habits = Habits {
            name: "elevenlabs",
            home: "https://api.elevenlabs.io",
            key_header: ("xi-api-key", ""),
            fixed: &[],
        };
        Ok(Self { line: Line::new(&habits, access, outside)? })
    }
}

/// It is answered at once, so there is no job to be asked about.
fn no_jobs() -> CallFailure {
    let message = "elevenlabs speaks at once; it has no jobs".to_owned();
    CallFailure::new(ErrorClass::Provider, Outcome::Refused, "job_unknown", message)
}

fn price(words: &str) -> MicroUsd {
    let count = i64::try_from(words.chars().count()).unwrap_or(i64::MAX);
    MicroUsd(count.saturating_mul(CHARACTER))
}

#[async_trait]
impl MediaProvider for ElevenLabs {
    fn name(&self) -> &str {
        self.line.name()
    }

    fn mode(&self) -> Mode {
        Mode::Live
    }

    /// No way is known to us to give a call a key of ours, or to ask for one.
    fn safety(&self) -> CallSafety {
        CallSafety::Neither
    }

    fn makes(&self, kind: MediaKind) -> bool {
        kind == MediaKind::Voice
    }

    fn takes(&self, kind: MediaKind, spec: &Value) -> bool {
        self.makes(kind) && words(spec).is_some()
    }

    async fn submit(&self, request: &MediaRequest) -> Result<Submitted, CallFailure> {
        let words = words(&request.spec).filter(|_| self.makes(request.kind)).ok_or_else(|| {
            let message = format!("elevenlabs speaks texts of 1 to {TEXT_MAX} characters");
            unsendable("not_makeable", message)
        })?;
        let body = json!({ "text": words, "model_id": MODEL });
        let path = ["v1", "text-to-speech", voice(&request.spec)];
        let answer = self.line.ask(Method::POST, &path, Some(&body)).await?;
        if let Some(failure) = self.line.refusal(&answer) {
            return Err(failure);
        }
        if answer.media() == "application/json" {
            let said = self.line.json(&answer)?;
            return Err(self.line.strange(&said, "audio"));
        }
        // Billed, and of no use: nobody but a person can say what to do with that.
        let result = taken(self.name(), request.kind, answer.body)
            .map_err(|failure| CallFailure { outcome: Outcome::Unknown, ..failure })?;
        Ok(Submitted::Done(MediaJob { result, cost: price(words), simulated: false }))
    }

    async fn poll(&self, _job_id: &str) -> Result<MediaStatus, CallFailure> {
        Err(no_jobs())
    }

    async fn look_up(&self, _key: &str) -> Result<LookUp<Submitted>, CallFailure> {
        Ok(LookUp::CannotSay)
    }

    async fn cancel(&self, _job_id: &str) -> Result<MicroUsd, CallFailure> {
        Err(no_jobs())
    }

    fn ceiling(&self, request: &MediaRequest) -> Result<Spend, Unpriced> {
        let cost = words(&request.spec).map_or(MicroUsd::ZERO, price);
        Ok(Spend { cost, tokens: 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_spoken_by_a_voice_that_the_vendor_has() {
        let spec = json!({ "text": "お茶です", "prompt": "not this", "voice_id": "ja" });
        assert_eq!((words(&spec), voice(&spec)), (Some("お茶です"), VOICE));
        assert_eq!(price("お茶です"), MicroUsd(400));
        let id = "21m00Tcm4TlvDq8ikWAM";
        assert_eq!(voice(&json!({ "voice_id": id })), id);
        assert_eq!(voice(&json!({ "voice_id": "../v1/user/x/y/z/0/" })), VOICE);
        assert_eq!(words(&json!({ "text": "a".repeat(TEXT_MAX + 1) })), None);
        assert_eq!(words(&json!({ "text": " " })), None);
    }
}
