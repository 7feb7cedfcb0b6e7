//! Pictures drawn on this machine, and the provider that offers them.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use serde_json::Value;
use showrunner_engine::failure::{ErrorClass, Failure};
use showrunner_engine::money::{MicroUsd, Spend};
use showrunner_media::{ArtSpec, AspectRatio, Fonts, Language, render_art};
use showrunner_providers::{
    CallFailure, CallSafety, LookUp, MediaJob, MediaKind, MediaProvider, MediaRequest, MediaResult,
    MediaStatus, Mode, Outcome, Submitted, Unpriced,
};

use crate::Runtime;

/// A file with what is known about it.
pub(crate) struct File {
    pub mime: String,
    pub bytes: Vec<u8>,
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub alt: Option<String>,
}

/// Fonts, loaded when the first picture is drawn.
#[derive(Clone, Debug, Default)]
pub(crate) struct Easel {
    fonts: Arc<OnceLock<Result<Arc<Fonts>, String>>>,
}

impl Easel {
    fn fonts(&self) -> Result<Arc<Fonts>, Failure> {
        let loaded = self
            .fonts
            .get_or_init(|| Fonts::system().map(Arc::new).map_err(|error| error.to_string()));
        loaded.clone().map_err(|message| Failure::new(ErrorClass::Internal, "no_fonts", message))
    }

    fn draw(&self, order: &Value) -> Result<File, Failure> {
        let spec = art_spec(order)?;
        let picture = render_art(&*self.fonts()?, &spec).map_err(|error| {
            Failure::new(ErrorClass::Validation, "not_drawable", error.to_string())
        })?;
        Ok(File {
            mime: "image/png".into(),
            bytes: picture.png,
            width: Some(picture.width),
            height: Some(picture.height),
            alt: Some(picture.alt_text),
        })
    }
}

impl Runtime {
    /// The file a job made; orders to draw are carried out.
    pub(crate) async fn file_of(&self, result: MediaResult) -> Result<File, Failure> {
        match result {
            MediaResult::Bytes { mime, bytes } => {
                let facts = showrunner_media::probe_image(&bytes).ok();
                let (width, height) = facts.map(|facts| (facts.width, facts.height)).unzip();
                Ok(File { mime, bytes: bytes.to_vec(), width, height, alt: None })
            },
            MediaResult::Render(order) => {
                let easel = self.easel().clone();
                tokio::task::spawn_blocking(move || easel.draw(&order)).await.map_err(|error| {
                    Failure::new(ErrorClass::Internal, "drawing_panicked", error.to_string())
                })?
            },
        }
    }
}

/// Reads an order as it comes out of a definition: strings where strings are, and a seed made
/// from the brief, so that the same order is the same picture.
fn art_spec(order: &Value) -> Result<ArtSpec, Failure> {
    let text = |name: &str| order.get(name).and_then(Value::as_str).map(str::to_owned);
    let texts = |name: &str| -> Vec<String> {
        let list = order.get(name).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect()
    };
    let aspect = text("aspect_ratio").unwrap_or_else(|| "1:1".into());
    let aspect: AspectRatio = aspect.parse().map_err(|error: showrunner_media::MediaError| {
        Failure::new(ErrorClass::Validation, "aspect_ratio", error.to_string())
    })?;
    let headline = text("headline").unwrap_or_default();
    let prompt = text("prompt").unwrap_or_default();
    let japanese = format!("{prompt}{headline}")
        .chars()
        .any(|c| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}'));
    let digest = showrunner_engine::turn::digest_of(order);
    let seed = digest.as_str().get(..16).and_then(|hex| u64::from_str_radix(hex, 16).ok());
    Ok(ArtSpec {
        prompt,
        headline,
        subline: text("subline"),
        call_to_action: text("call_to_action"),
        brand: text("brand"),
        palette: texts("palette"),
        mood: texts("mood"),
        style: text("style"),
        aspect,
        seed: seed.unwrap_or(0),
        language: if japanese { Language::Ja } else { Language::En },
    })
}

/// The provider called `local`: draws here, at no price, and may be asked as often as one likes.
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

    fn makes(&self, kind: MediaKind) -> bool {
        kind == MediaKind::Image
    }

    async fn submit(&self, request: &MediaRequest) -> Result<Submitted, CallFailure> {
        let result = MediaResult::Render(request.spec.clone());
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
