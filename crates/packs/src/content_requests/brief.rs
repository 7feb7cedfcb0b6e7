//! What a client asks for, and what the definition is given for it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use showrunner_engine::definition::Definition;
use showrunner_web::view::LabelView;

use super::brand::BrandJson;

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum RequestType {
    VideoWithVo,
    VideoNoVo,
    Image,
}

impl RequestType {
    /// Every type.
    pub(super) const ALL: [Self; 3] = [Self::VideoWithVo, Self::VideoNoVo, Self::Image];

    /// As clients write it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::VideoWithVo => "video_with_vo",
            Self::VideoNoVo => "video_no_vo",
            Self::Image => "image",
        }
    }

    /// The type of this name.
    pub(super) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The definition that such requests run by.
    pub(super) fn slug(self) -> &'static str {
        match self {
            Self::VideoWithVo => "content-request-video-with-vo",
            Self::VideoNoVo => "content-request-video-no-vo",
            Self::Image => "content-request-image",
        }
    }

    fn is_film(self) -> bool {
        self != Self::Image
    }
}

/// How good and how dear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Tier {
    Economy,
    Standard,
    Premium,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum BriefLanguage {
    Ja,
    En,
}

/// The formats of pictures and films.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(super) enum Aspect {
    #[serde(rename = "1:1")]
    Square,
    #[serde(rename = "16:9")]
    Wide,
    #[serde(rename = "9:16")]
    Tall,
    #[serde(rename = "4:5")]
    Portrait,
    #[serde(rename = "3:2")]
    Landscape,
    #[serde(rename = "2:3")]
    Poster,
}

/// A request for content.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Brief {
    /// UUID of the brand it is made in the name of.
    #[schemars(regex(
        pattern = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
    ))]
    pub(super) brand_id: String,
    /// For people.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"\S"))]
    pub(super) title: String,
    /// What is to be made.
    pub(super) request_type: RequestType,
    /// The brief itself.
    #[schemars(length(min = 1, max = 5000), regex(pattern = r"\S"))]
    pub(super) prompt: String,
    /// The format; when absent `1:1` for images and `16:9` for films.
    pub(super) aspect_ratio: Option<Aspect>,
    #[schemars(length(max = 100))]
    pub(super) style_preset: Option<String>,
    #[schemars(length(max = 100))]
    pub(super) shot_type: Option<String>,
    /// For films, 30 when absent.
    #[schemars(range(min = 5, max = 300))]
    pub(super) duration_seconds: Option<u32>,
    /// For spoken words: `female`, `male`, `deep`, `bright`, or a name the provider knows.
    #[schemars(length(max = 100))]
    pub(super) voice_id: Option<String>,
    #[schemars(length(max = 100))]
    pub(super) preferred_provider: Option<String>,
    pub(super) provider_tier: Option<Tier>,
    /// For films with a voice: writes the script even when there is one in `script_text`.
    pub(super) auto_script: Option<bool>,
    /// For films with a voice: what is spoken, a scene a paragraph. Nobody writes another one then.
    #[schemars(length(max = 20_000))]
    pub(super) script_text: Option<String>,
    /// Knowledge to be used, by UUID.
    #[schemars(length(max = 50))]
    pub(super) selected_kb_ids: Option<Vec<String>>,
    /// UUID of the campaign it belongs to.
    #[schemars(regex(
        pattern = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
    ))]
    pub(super) campaign_id: Option<String>,
    /// Publishes without asking anybody.
    pub(super) auto_approve: Option<bool>,
    /// Where the request's end is posted to; n8n's `$execution.resumeUrl`, say.
    #[schemars(length(min = 1, max = 2048))]
    pub(super) callback_url: Option<String>,
    /// The language of its words; that of the brief when absent.
    pub(super) language: Option<BriefLanguage>,
}

impl Brief {
    /// Members that say nothing about what is asked for, so that nobody waits for their effect.
    /// `is_configured` knows the providers of media.
    pub(super) fn without_effect(&self, is_configured: impl Fn(&str) -> bool) -> Vec<&'static str> {
        let is_unknown = |name: &String| !is_configured(name);
        let is_spoken = self.request_type == RequestType::VideoWithVo;
        let is_film = self.request_type.is_film();
        let given = [
            ("duration_seconds", !is_film && self.duration_seconds.is_some()),
            ("voice_id", !is_spoken && self.voice_id.is_some()),
            ("auto_script", !is_spoken && self.auto_script.is_some()),
            ("script_text", !is_spoken && self.script_text.is_some()),
            ("preferred_provider", self.preferred_provider.as_ref().is_some_and(is_unknown)),
            ("selected_kb_ids", self.selected_kb_ids.as_ref().is_some_and(|ids| !ids.is_empty())),
        ];
        given.into_iter().filter_map(|(name, is_given)| is_given.then_some(name)).collect()
    }

    /// The format that is meant where none is named.
    fn aspect(&self) -> Aspect {
        let usual = if self.request_type.is_film() { Aspect::Wide } else { Aspect::Square };
        self.aspect_ratio.unwrap_or(usual)
    }

    /// The language its words shall have.
    pub(super) fn language(&self) -> BriefLanguage {
        let is_japanese = |c: char| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}');
        self.language.unwrap_or_else(|| {
            let is_ja = self.title.chars().chain(self.prompt.chars()).any(is_japanese);
            if is_ja { BriefLanguage::Ja } else { BriefLanguage::En }
        })
    }

    /// What the definition is given.
    pub(super) fn to_input(&self, brand: &BrandJson) -> Value {
        let mut input = Map::new();
        input.insert("title".into(), json!(self.title));
        input.insert("prompt".into(), json!(self.prompt));
        input.insert("language".into(), json!(self.language()));
        input.insert("aspect_ratio".into(), json!(self.aspect()));
        let optional = [
            ("style_preset", json!(self.style_preset)),
            ("shot_type", json!(self.shot_type)),
            ("preferred_provider", json!(self.preferred_provider)),
            ("provider_tier", json!(self.provider_tier)),
            ("auto_approve", json!(self.auto_approve)),
        ];
        let is_spoken = self.request_type == RequestType::VideoWithVo;
        let of_films = [
            ("duration_seconds", self.request_type.is_film(), json!(self.duration_seconds)),
            ("voice_id", is_spoken, json!(self.voice_id)),
            ("auto_script", is_spoken, json!(self.auto_script)),
            ("script_text", is_spoken, json!(self.script_text)),
        ];
        let of_films = of_films.into_iter().filter(|(_, has_effect, _)| *has_effect);
        let of_films = of_films.map(|(name, _, value)| (name, value));
        let given = optional.into_iter().chain(of_films).filter(|(_, value)| !value.is_null());
        input.extend(given.map(|(name, value)| (name.to_owned(), value)));
        input.insert("brand".into(), brand.to_input());
        Value::Object(input)
    }
}

/// What a request is expected to take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Expected {
    pub(super) usd: f64,
    pub(super) seconds: u64,
}

/// The expectations of the steps that will run.
pub(super) fn expected(definition: &Definition, auto_approve: bool) -> Expected {
    let steps = definition.root.iter().map(|&ix| definition.step(ix));
    let (mut micros, mut ms) = (0_i64, 0_u64);
    for step in steps.filter(|step| !(auto_approve && step.id == "qa")) {
        micros = micros.saturating_add(step.estimate.spend.cost.0);
        ms = ms.saturating_add(step.estimate.duration.0);
    }
    Expected {
        usd: showrunner_engine::money::MicroUsd(micros).as_usd(),
        seconds: ms.div_ceil(1000),
    }
}

/// The formats with what they are for, as the form offers them.
pub(super) fn aspects() -> [(&'static str, LabelView); 6] {
    let label = |en: &str, ja: &str| LabelView { en: en.into(), ja: ja.into() };
    [
        ("1:1", label("Square 1:1", "正方形 1:1")),
        ("16:9", label("Wide 16:9", "横長 16:9")),
        ("9:16", label("Tall 9:16", "縦長 9:16")),
        ("4:5", label("Portrait 4:5", "縦 4:5")),
        ("3:2", label("Landscape 3:2", "横 3:2")),
        ("2:3", label("Poster 2:3", "ポスター 2:3")),
    ]
}
