//! fal: models of many makers behind one queue.
//!
//! `POST {base}/{model}` takes the model's input and answers with a `request_id`; below
//! `{base}/{owner}/{app}/requests/{id}` are `/status` (GET), the result (GET) and `/cancel` (PUT),
//! without what else is in the model's path. Source: fal.ai/docs, “Queue API” and its OpenAPI
//! document; the types of `@fal-ai/client` 1.10.1.

use async_trait::async_trait;
use reqwest::Method;
use serde_json::{Value, json};
use showrunner_engine::failure::ErrorClass;
use showrunner_engine::money::{MicroUsd, Spend};

use super::super::endpoint::EndpointFault;
use super::super::unsendable;
use super::file::{NoFile, fetch};
use super::line::{Habits, Line};
use super::order::{self, Aspect};
use super::{Access, Outside};
use crate::egress::Egress;
use crate::error::{CallFailure, Outcome};
use crate::media::{MediaJob, MediaKind, MediaProvider, MediaRequest, MediaStatus, Submitted};
use crate::profiles::Unpriced;
use crate::{CallSafety, LookUp, Mode};

/// A model, and what it costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Model {
    /// Its whole path.
    path: &'static str,
    /// `owner` and `app`: where its requests are asked about.
    app: [&'static str; 2],
    price: Price,
}

/// In micro-dollars. What fails is taken not to be billed (workflowlab.dev, “Flux Dev on fal.ai”).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Price {
    /// For each megapixel that is begun.
    Megapixel(i64),
    /// For a film of so many seconds.
    Film { price: i64, seconds: u32 },
}

/// Read on 2026-11-20: FLUX.1 [dev] and both of Pika on their own pages at fal.ai/models; [schnell]
/// at second hand (skillspool.org, “fal-flux-prompting”).
const MODELS: &[Model] = &[
    Model { path: "fal-ai/flux/dev", app: ["fal-ai", "flux"], price: Price::Megapixel(25_000) },
    Model { path: "fal-ai/flux/schnell", app: ["fal-ai", "flux"], price: Price::Megapixel(3_000) },
    Model {
        path: "fal-ai/pika/v2.2/text-to-video",
        app: ["fal-ai", "pika"],
        price: Price::Film { price: 200_000, seconds: 5 },
    },
    Model {
        path: "fal-ai/pika/v2/turbo/text-to-video",
        app: ["fal-ai", "pika"],
        price: Price::Film { price: 200_000, seconds: 5 },
    },
];

/// The models that are used.
#[derive(Clone, Copy, Debug)]
pub struct FalModels {
    image: Model,
    video: Model,
}

impl Default for FalModels {
    fn default() -> Self {
        Self { image: MODELS[0], video: MODELS[2] }
    }
}

impl FalModels {
    /// Uses this model for its kind.
    ///
    /// # Errors
    /// In words: it is not known here, so that it has no price.
    pub fn with(mut self, path: &str) -> Result<Self, String> {
        let found = MODELS.iter().find(|model| model.path == path);
        let Some(model) = found.copied() else {
            let known: Vec<&str> = MODELS.iter().map(|model| model.path).collect();
            return Err(format!(
                "the price of `{path}` is not known, so it is not called; known are {}",
                known.join(", ")
            ));
        };
        match model.price {
            Price::Megapixel(_) => self.image = model,
            Price::Film { .. } => self.video = model,
        }
        Ok(self)
    }
}

impl Model {
    /// What a request costs. All sizes that are asked for are below one megapixel.
    fn price(&self) -> MicroUsd {
        match self.price {
            Price::Megapixel(price) | Price::Film { price, .. } => MicroUsd(price),
        }
    }

    /// What a picture of this size has cost.
    fn price_of(&self, picture: &Value) -> MicroUsd {
        let side = |name: &str| picture.get(name).and_then(Value::as_u64);
        match (self.price, side("width"), side("height")) {
            (Price::Megapixel(price), Some(width), Some(height)) => {
                let pixels = width.saturating_mul(height);
                let begun = i64::try_from(pixels.div_ceil(1_000_000).max(1)).unwrap_or(i64::MAX);
                MicroUsd(price.saturating_mul(begun))
            },
            _ => self.price(),
        }
    }
}

/// fal.
#[derive(Debug)]
pub struct Fal {
    line: Line,
    egress: Egress,
    models: FalModels,
}

/// The model's input. `None`: it cannot make this.
fn input(models: &FalModels, kind: MediaKind, spec: &Value) -> Option<Value> {
    let prompt = order::words(spec)?;
    match (kind, models.video.price) {
        (MediaKind::Image, _) => {
            // Exactly the format, in steps of 16, and below a million pixels: one megapixel,
            // however fal counts it.
            let (width, height) = match order::aspect(spec, Aspect::Square)? {
                Aspect::Square => (992, 992),
                Aspect::Wide => (1_280, 720),
                Aspect::Tall => (720, 1_280),
                Aspect::FourToFive => (832, 1_040),
                Aspect::ThreeToTwo => (1_200, 800),
                Aspect::TwoToThree => (800, 1_200),
            };
            Some(json!({
                "prompt": prompt,
                "image_size": { "width": width, "height": height },
                "num_images": 1,
                "output_format": "png",
            }))
        },
        (MediaKind::Video, Price::Film { seconds, .. }) => {
            // It makes one silent take; a film with a voice, or a longer one, is for others.
            let fits = order::seconds(spec).is_none_or(|asked| asked <= f64::from(seconds));
            if order::speaks(spec) || !fits {
                return None;
            }
            Some(json!({
                "prompt": prompt,
                "aspect_ratio": order::aspect(spec, Aspect::Wide)?.name(),
                "resolution": "720p",
                "duration": seconds,
            }))
        },
        _ => None,
    }
}

impl Fal {
    /// fal, with a key.
    ///
    /// # Errors
    /// The base address cannot be used.
    pub fn new(
        access: Access<'_>,
        models: FalModels,
        outside: &Outside,
    ) -> Result<Self, EndpointFault> {
        let habits = Habits {
            name: "fal",
            home: "https://queue.fal.run",
            key_header: ("authorization", "Key "),
            fixed: &[],
        };
        let line = Line::new(&habits, access, outside)?;
        Ok(Self { line, egress: outside.egress.clone(), models })
    }

    fn model(&self, kind: MediaKind) -> Model {
        if kind == MediaKind::Video { self.models.video } else { self.models.image }
    }

    /// The app that has a request, and what its queue says of it. The id alone does not tell
    /// which app it is of, and it is all that a callback, or the journal, knows.
    async fn find(&self, job: &str) -> Result<(Model, Value), CallFailure> {
        let mut unknown = None;
        for model in [self.models.image, self.models.video] {
            let [owner, app] = model.app;
            let path = [owner, app, "requests", job, "status"];
            let answer = self.line.ask(Method::GET, &path, None).await?;
            match self.line.refusal(&answer) {
                Some(failure) if answer.status == 404 => unknown = Some(failure),
                _ => return Ok((model, self.line.json(&answer)?)),
            }
        }
        Err(unknown.unwrap_or_else(|| self.line.strange(&Value::Null, "status")))
    }

    async fn result(&self, model: Model, job: &str) -> Result<MediaStatus, CallFailure> {
        let [owner, app] = model.app;
        let answer = self.line.ask(Method::GET, &[owner, app, "requests", job], None).await?;
        if let Some(failure) = self.line.refusal(&answer) {
            // The model's own failure comes back in place of its result, and says so in its head.
            let is_models = answer.headers.contains_key("x-fal-error-type")
                || matches!(answer.status, 400 | 422);
            return if is_models {
                Ok(MediaStatus::Failed(came_to_nothing(failure)))
            } else {
                Err(failure)
            };
        }
        let said = self.line.json(&answer)?;
        if said.pointer("/has_nsfw_concepts/0") == Some(&json!(true)) {
            let message = "fal's filter has blackened the picture".to_owned();
            let code = "content_filtered";
            let failure = CallFailure::new(ErrorClass::Provider, Outcome::Done, code, message);
            return Ok(MediaStatus::Failed(failure));
        }
        let found = [("/images/0", MediaKind::Image), ("/video", MediaKind::Video)];
        let found = found.into_iter().find_map(|(place, kind)| {
            let file = said.pointer(place)?;
            Some((kind, file, file.get("url")?.as_str()?))
        });
        let Some((kind, file, url)) = found else {
            return Err(self.line.strange(&said, "images and no video"));
        };
        let cost = match kind {
            MediaKind::Image => self.models.image.price_of(file),
            MediaKind::Video | MediaKind::Voice => self.models.video.price(),
        };
        match fetch(&self.egress, self.line.name(), kind, url).await {
            Ok(result) => Ok(MediaStatus::Done(MediaJob { result, cost, simulated: false })),
            Err(NoFile::Never(failure)) => Ok(MediaStatus::Failed(failure)),
            Err(NoFile::NotYet(failure)) => Err(failure),
        }
    }
}

/// What a model's failure binds: this provider, whatever else the status would mean. The order was
/// taken; that another vendor cannot carry it out either is not said.
fn came_to_nothing(mut failure: CallFailure) -> CallFailure {
    failure.class = ErrorClass::Provider;
    failure.outcome = Outcome::Refused;
    failure
}

#[async_trait]
impl MediaProvider for Fal {
    fn name(&self) -> &str {
        self.line.name()
    }

    fn mode(&self) -> Mode {
        Mode::Live
    }

    /// fal makes the `request_id` itself. No way is known to us to give a submission a key of ours,
    /// or to ask for one: what we know of its queue (see above) names none.
    fn safety(&self) -> CallSafety {
        CallSafety::Neither
    }

    fn makes(&self, kind: MediaKind) -> bool {
        kind != MediaKind::Voice
    }

    fn takes(&self, kind: MediaKind, spec: &Value) -> bool {
        input(&self.models, kind, spec).is_some()
    }

    async fn submit(&self, request: &MediaRequest) -> Result<Submitted, CallFailure> {
        let input = input(&self.models, request.kind, &request.spec).ok_or_else(|| {
            let message = "fal's models cannot make this: see what they take in the docs";
            unsendable("not_makeable", message.to_owned())
        })?;
        let path: Vec<&str> = self.model(request.kind).path.split('/').collect();
        let answer = self.line.ask(Method::POST, &path, Some(&input)).await?;
        let said = self.line.json(&answer)?;
        match said.get("request_id").and_then(Value::as_str) {
            Some(id) if !id.is_empty() => Ok(Submitted::Accepted { job_id: id.to_owned() }),
            _ => Err(self.line.strange(&said, "request_id")),
        }
    }

    async fn poll(&self, job_id: &str) -> Result<MediaStatus, CallFailure> {
        let (model, said) = self.find(job_id).await?;
        match said.get("status").and_then(Value::as_str) {
            Some("IN_QUEUE" | "IN_PROGRESS") => {
                Ok(MediaStatus::Working { progress_permille: None })
            },
            Some("COMPLETED") if said.get("error").is_some_and(|error| !error.is_null()) => {
                let failure = self.line.strange(&said, "result");
                Ok(MediaStatus::Failed(came_to_nothing(failure)))
            },
            Some("COMPLETED") => self.result(model, job_id).await,
            _ => Err(self.line.strange(&said, "status that is known")),
        }
    }

    async fn look_up(&self, _key: &str) -> Result<LookUp<Submitted>, CallFailure> {
        Ok(LookUp::CannotSay)
    }

    /// What waits in the queue costs nothing. What runs is only asked to stop, and may be billed:
    /// it is booked at its price.
    async fn cancel(&self, job_id: &str) -> Result<MicroUsd, CallFailure> {
        let (model, said) = self.find(job_id).await?;
        let [owner, app] = model.app;
        let path = [owner, app, "requests", job_id, "cancel"];
        let answer = self.line.ask(Method::PUT, &path, None).await?;
        // It says so with a status of 400; any other refusal is one.
        let word = serde_json::from_slice::<Value>(&answer.body).unwrap_or_default();
        match word.get("status").and_then(Value::as_str) {
            Some("CANCELLATION_REQUESTED" | "OK") if answer.is_success() => {},
            Some("ALREADY_COMPLETED") => {
                // Asked again, it says what it made.
                let message = "fal has completed it already".to_owned();
                let (class, code) = (ErrorClass::Transient, "already_completed");
                return Err(CallFailure::new(class, Outcome::Refused, code, message));
            },
            // A page of somebody in between has stopped nothing.
            _ => {
                let said = self.line.json(&answer)?;
                return Err(self.line.strange(&said, "word that it stops"));
            },
        }
        let waits = said.get("status").and_then(Value::as_str) == Some("IN_QUEUE");
        Ok(if waits { MicroUsd::ZERO } else { model.price() })
    }

    fn ceiling(&self, request: &MediaRequest) -> Result<Spend, Unpriced> {
        Ok(Spend { cost: self.model(request.kind).price(), tokens: 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_one_megapixel_of_exactly_the_format() {
        for (name, ratio) in [
            ("1:1", (1, 1)),
            ("16:9", (16, 9)),
            ("9:16", (9, 16)),
            ("4:5", (4, 5)),
            ("3:2", (3, 2)),
            ("2:3", (2, 3)),
        ] {
            let spec = json!({ "prompt": "tea", "aspect_ratio": name });
            let input = input(&FalModels::default(), MediaKind::Image, &spec).unwrap();
            let side = |side: &str| input["image_size"][side].as_u64().unwrap();
            let (width, height) = (side("width"), side("height"));
            assert_eq!(width * ratio.1, height * ratio.0, "{name}");
            assert!(width * height < 1_000_000 && width % 16 == 0 && height % 16 == 0, "{name}");
            let cost = MODELS[0].price_of(&json!({ "width": width, "height": height }));
            assert_eq!(cost, MODELS[0].price(), "{name}");
        }
        let large = json!({ "width": 1024, "height": 1024 });
        assert_eq!(MODELS[1].price_of(&large), MicroUsd(6_000));
        assert_eq!(MODELS[1].price_of(&json!({})), MicroUsd(3_000));
    }

    #[test]
    fn a_film_is_one_silent_take() {
        let models = FalModels::default();
        let film = |spec: Value| input(&models, MediaKind::Video, &spec);
        let input = film(json!({ "prompt": "tea", "duration_seconds": 5 })).unwrap();
        assert_eq!((&input["duration"], &input["aspect_ratio"]), (&json!(5), &json!("16:9")));
        for spec in [
            json!({ "prompt": "tea", "duration_seconds": 6 }),
            json!({ "prompt": "tea", "with_voice": true }),
            json!({ "prompt": "tea", "aspect_ratio": "7:1" }),
            json!({ "duration_seconds": 5 }),
        ] {
            assert_eq!(film(spec.clone()), None, "{spec}");
        }
    }

    #[test]
    fn a_model_without_a_price_is_refused() {
        let models = FalModels::default().with("fal-ai/flux/schnell").unwrap();
        assert_eq!(models.image.price(), MicroUsd(3_000));
        let what = models.with("fal-ai/new/model").unwrap_err();
        assert!(what.contains("price") && what.contains("fal-ai/flux/dev"), "{what}");
    }
}
