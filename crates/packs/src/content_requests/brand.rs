//! Brands: what a request is made in the name of.

use axum::Json as Answer;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use showrunner_engine::id::{Digest, OrgId};
use showrunner_journal::JournalError;
use showrunner_journal::query::brands::Brand;
use showrunner_runtime::Runtime;
use showrunner_web::problem::codes;
use showrunner_web::{App, Caller, Problem};

/// The sample brand of the organisation that every installation begins with.
const SAMPLE: &str = "7c2d1200-0a0a-4b0e-8c0f-a02070b1c0de";

/// A brand as it is stored and shown.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Profile {
    /// How it sounds.
    pub(super) tone: String,
    /// What it always does.
    pub(super) rules: Vec<String>,
    /// What it never does.
    pub(super) negative_constraints: Vec<String>,
    /// What it did well before.
    pub(super) positive_examples: Vec<String>,
    /// Its colours, `#rrggbb`.
    pub(super) palette: Vec<String>,
    /// The language it speaks: `ja` or `en`.
    pub(super) language: String,
}

/// A brand with its name.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct BrandJson {
    /// UUID.
    pub(super) id: String,
    /// Its name.
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) profile: Profile,
}

impl BrandJson {
    fn of(brand: Brand) -> Self {
        let profile = Profile::deserialize(&brand.profile).unwrap_or_default();
        Self { id: brand.id, name: brand.name, profile }
    }

    /// What the definition is given of it.
    pub(super) fn to_input(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "tone": self.profile.tone,
            "rules": self.profile.rules,
            "negative_constraints": self.profile.negative_constraints,
            "positive_examples": self.profile.positive_examples,
            "palette": self.profile.palette,
        })
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct BrandsJson {
    /// Always true; what went wrong is a problem.
    success: bool,
    /// The brands by name.
    data: Vec<BrandJson>,
}

pub(super) async fn list_brands(
    State(app): State<App>,
    caller: Caller,
) -> Result<Answer<BrandsJson>, Problem> {
    Ok(Answer(BrandsJson { success: true, data: all(&app, &caller.org).await? }))
}

/// The brands of an organisation.
pub(super) async fn all(app: &App, org: &OrgId) -> Result<Vec<BrandJson>, Problem> {
    let brands = app.runtime().journal().brands(org).await?;
    Ok(brands.into_iter().map(BrandJson::of).collect())
}

/// One brand of an organisation.
pub(super) async fn find(app: &App, org: &OrgId, id: &str) -> Result<BrandJson, Problem> {
    let found = app.runtime().journal().brand(org, &id.to_ascii_lowercase()).await?;
    found.map(BrandJson::of).ok_or_else(|| {
        Problem::new(&codes::UNKNOWN_BRAND, format!("there is no brand {id}"))
            .with_hint("GET /api/v1/brands lists them")
    })
}

/// The id of an organisation's sample brand: fixed for the first one, derived for any other.
fn sample_id(org: &OrgId) -> String {
    if org.as_str() == "org_default" {
        return SAMPLE.to_owned();
    }
    let digest = Digest::of(format!("sample brand of {org}").as_bytes());
    let hex = |from: usize, to: usize| digest.as_str().get(from..to).unwrap_or_default().to_owned();
    format!("{}-{}-4{}-8{}-{}", hex(0, 8), hex(8, 12), hex(12, 15), hex(15, 18), hex(18, 30))
}

/// Stores the sample brand where no brand is.
pub(super) async fn seed(runtime: &Runtime, org: &OrgId) -> Result<(), JournalError> {
    let journal = runtime.journal();
    if !journal.brands(org).await?.is_empty() {
        return Ok(());
    }
    let profile = Profile {
        tone: "あたたかく、静かで、正直。 Warm, quiet, honest.".into(),
        rules: vec![
            "産地と焙煎の話を先に、値段の話は後にする。 Origin and roast first, price last.".into(),
            "一文は短く。飾らない。 Short sentences, no ornament.".into(),
        ],
        negative_constraints: vec![
            "健康効果をうたわない。 No health claims.".into(),
            "他社と比較しない。 No comparison with competitors.".into(),
        ],
        positive_examples: vec![
            "朝の一杯が、一日を変える。".into(),
            "Roasted slowly, for slow mornings.".into(),
        ],
        palette: vec!["#7c2d12".into(), "#f2e3c6".into(), "#2f6f8f".into()],
        language: "ja".into(),
    };
    let brand = Brand {
        id: sample_id(org),
        org: org.clone(),
        name: "あおぞら珈琲 / Aozora Coffee".into(),
        profile: json!(profile),
        updated_at: runtime.clock().now(),
    };
    journal.put_brand(&brand).await
}
