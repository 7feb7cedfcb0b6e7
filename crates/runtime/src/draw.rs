//! Pictures, films and voices made on this machine, and the provider that offers them.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use serde_json::{Value, json};
use showrunner_engine::at::Millis;
use showrunner_engine::command::Command;
use showrunner_engine::failure::{ErrorClass, Failure};
use showrunner_engine::money::{MicroUsd, Spend};
use showrunner_media::{
    Fonts, MediaError, Tools, VoiceSpec, Watch, probe_image, probe_video, render_art, render_film,
    speak,
};
use showrunner_providers::{
    CallFailure, CallSafety, LookUp, MediaJob, MediaKind, MediaProvider, MediaRequest, MediaResult,
    MediaStatus, Mode, Outcome, Submitted, Unpriced,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Runtime;
use crate::effects::call_media::Place;

mod order;

/// How often a film on its way is looked at.
const LOOK: Millis = Millis(1_000);

/// A file with what is known about it.
#[derive(Debug, Default)]
pub(crate) struct File {
    pub mime: String,
    pub bytes: Vec<u8>,
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub duration_ms: Option<u64>,
    pub alt: Option<String>,
}

/// Fonts, loaded when the first picture is drawn, and who may make a film now.
#[derive(Clone, Debug)]
pub(crate) struct Easel {
    fonts: Arc<OnceLock<Result<Arc<Fonts>, String>>>,
    tools: Arc<Tools>,
    /// A film takes all of a processor: as many at once as half of them.
    films: Arc<Semaphore>,
}

impl Default for Easel {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            fonts: Arc::default(),
            tools: Arc::default(),
            films: Arc::new(Semaphore::new((cores / 2).max(1))),
        }
    }
}

impl Easel {
    fn fonts(&self) -> Result<Arc<Fonts>, Failure> {
        let loaded = self
            .fonts
            .get_or_init(|| Fonts::system().map(Arc::new).map_err(|error| error.to_string()));
        loaded.clone().map_err(|message| Failure::new(ErrorClass::Internal, "no_fonts", message))
    }

    /// Carries an order out; blocks until it is done or `watch` stops it.
    fn make(&self, (kind, order): (MediaKind, &Value), watch: &Watch) -> Result<File, Failure> {
        match kind {
            MediaKind::Image => self.draw(order),
            MediaKind::Video => self.film(order, watch),
            MediaKind::Voice => self.voice(order, watch),
        }
    }

    fn draw(&self, order: &Value) -> Result<File, Failure> {
        let spec = order::art(order)?;
        let picture = render_art(&*self.fonts()?, &spec).map_err(|error| failure(&error))?;
        Ok(File {
            mime: "image/png".into(),
            bytes: picture.png,
            width: Some(picture.width),
            height: Some(picture.height),
            alt: Some(picture.alt_text),
            ..File::default()
        })
    }

    fn film(&self, order: &Value, watch: &Watch) -> Result<File, Failure> {
        let spec = order::film(order)?;
        let film = render_film(&*self.fonts()?, &self.tools, &spec, watch)
            .map_err(|error| failure(&error))?;
        Ok(File {
            mime: "video/mp4".into(),
            bytes: film.mp4,
            width: Some(film.width),
            height: Some(film.height),
            duration_ms: Some(film.duration_ms),
            alt: Some(film.alt_text),
        })
    }

    fn voice(&self, order: &Value, watch: &Watch) -> Result<File, Failure> {
        let spec: VoiceSpec = order::voice(order);
        let voice = speak(&self.tools, &spec, watch).map_err(|error| failure(&error))?;
        Ok(File {
            mime: "audio/wav".into(),
            bytes: voice.wav,
            duration_ms: Some(voice.duration_ms),
            alt: Some(spec.text),
            ..File::default()
        })
    }
}

/// What cannot be made as ordered will not be made by trying again; a program that was killed or
/// had no room may.
fn failure(error: &MediaError) -> Failure {
    let (class, code) = match error {
        MediaError::ToolMissing { .. } => (ErrorClass::Provider, "program_missing"),
        MediaError::NoJapaneseFont { .. } => (ErrorClass::Internal, "no_fonts"),
        MediaError::ToolFailed { .. } => (ErrorClass::Provider, "program_failed"),
        MediaError::ToolTooSlow { .. } => (ErrorClass::Transient, "program_too_slow"),
        MediaError::Stopped => (ErrorClass::Cancelled, "stopped"),
        _ => (ErrorClass::Validation, "not_drawable"),
    };
    Failure::new(class, code, error.to_string())
}

/// Stops the work when nobody waits for it any more.
struct StopOnDrop(Watch);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Runtime {
    /// The file a job made for this place; orders to make it here are carried out.
    pub(crate) async fn file_of(
        &self,
        place: &Place<'_>,
        result: MediaResult,
    ) -> Result<File, Failure> {
        match result {
            MediaResult::Bytes { mime, bytes } => Ok(looked_at(mime, bytes.to_vec())),
            MediaResult::Render(order) => {
                let (kind, order) = order::opened(order);
                let _turn = match kind {
                    MediaKind::Video => Some(self.turn(place).await?),
                    MediaKind::Image | MediaKind::Voice => None,
                };
                let easel = self.easel().clone();
                let stop = StopOnDrop(Watch::default());
                let watch = stop.0.clone();
                let work = tokio::task::spawn_blocking(move || easel.make((kind, &order), &watch));
                let made = if kind == MediaKind::Video {
                    self.attend(place, work, &stop.0).await
                } else {
                    work.await
                };
                made.map_err(|error| {
                    Failure::new(ErrorClass::Internal, "drawing_panicked", error.to_string())
                })?
            },
        }
    }

    /// A film's turn among the films that are made at once.
    async fn turn(&self, place: &Place<'_>) -> Result<OwnedSemaphorePermit, Failure> {
        let turn = Arc::clone(&self.easel().films).acquire_owned();
        tokio::select! {
            biased;
            () = place.stop.cancelled() => Err(failure(&MediaError::Stopped)),
            turn = turn => turn.map_err(|closed| {
                Failure::new(ErrorClass::Internal, "no_turn", closed.to_string())
            }),
        }
    }

    /// Waits for a film, says how far it is, and stops it when its attempt is called back or the
    /// server stops: it is made again then, for nothing.
    async fn attend<T>(
        &self,
        place: &Place<'_>,
        mut work: tokio::task::JoinHandle<T>,
        watch: &Watch,
    ) -> Result<T, tokio::task::JoinError> {
        let mut told = 0;
        loop {
            tokio::select! {
                biased;
                made = &mut work => return made,
                () = place.stop.cancelled() => {
                    watch.stop();
                    return work.await;
                },
                () = self.clock().sleep(LOOK) => {},
            }
            if self.is_stopping() {
                watch.stop();
            }
            let percent = u8::try_from(watch.permille() / 10).unwrap_or(100);
            // In steps of ten: each is an event that is kept.
            if percent >= told + 10 {
                told = percent;
                let (step, token) = (place.step.clone(), place.token);
                let command =
                    Command::ProgressAttempt { step, token, percent: Some(percent), message: None };
                let told = self.submit(place.run, command).await;
                if matches!(told, Err(crate::submit::SubmitError::Refused(_))) {
                    watch.stop();
                }
            }
        }
    }
}

/// A file somebody else made, with what its own bytes say of it.
fn looked_at(mime: String, bytes: Vec<u8>) -> File {
    if let Ok(facts) = probe_image(&bytes) {
        let (width, height) = (Some(facts.width), Some(facts.height));
        return File { mime, bytes, width, height, ..File::default() };
    }
    if let Ok(facts) = probe_video(&bytes) {
        let (width, height) = (Some(facts.width), Some(facts.height));
        let duration_ms = Some(facts.duration_ms);
        return File { mime, bytes, width, height, duration_ms, alt: None };
    }
    File { mime, bytes, ..File::default() }
}

/// The provider called `local`: makes pictures, films and voices here, at no price, and may be
/// asked as often as one likes.
#[derive(Debug, Default)]
pub struct LocalPictures;

#[async_trait]
impl MediaProvider for LocalPictures {
    fn name(&self) -> &'static str {
        "local"
    }

    fn mode(&self) -> Mode {
        Mode::Local
    }

    fn safety(&self) -> CallSafety {
        CallSafety::Idempotent
    }

    fn makes(&self, _kind: MediaKind) -> bool {
        true
    }

    async fn submit(&self, request: &MediaRequest) -> Result<Submitted, CallFailure> {
        let result = MediaResult::Render(json!({ "kind": request.kind, "spec": request.spec }));
        Ok(Submitted::Done(MediaJob { result, cost: MicroUsd::ZERO, simulated: false }))
    }

    async fn poll(&self, job_id: &str) -> Result<MediaStatus, CallFailure> {
        let message = format!("there is no job {job_id}: pictures are drawn at once");
        Err(CallFailure::new(ErrorClass::Validation, Outcome::Refused, "job_unknown", message))
    }

    async fn look_up(&self, _key: &str) -> Result<LookUp<Submitted>, CallFailure> {
        Ok(LookUp::Denied)
    }

    async fn cancel(&self, _job_id: &str) -> Result<MicroUsd, CallFailure> {
        Ok(MicroUsd::ZERO)
    }

    fn ceiling(&self, _request: &MediaRequest) -> Result<Spend, Unpriced> {
        Ok(Spend::ZERO)
    }
}
