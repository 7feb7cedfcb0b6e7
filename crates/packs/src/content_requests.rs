//! Content requests: a client posts a brief, agents plan, make and check it, a person approves
//! it, and it is published. One request is one run; its status is the run's phase.

mod api;
mod brand;
mod brief;
mod create;
mod event;
mod request;
mod task;
mod ui;

use showrunner_engine::agent::AgentRecord;
use showrunner_engine::id::OrgId;
use showrunner_runtime::Runtime;
use showrunner_web::ui::Words;
use showrunner_web::{Pack, Starter};

use crate::InstallError;

/// The definition of image requests.
const IMAGE: &str = "content-request-image";
/// Who publishes what is shipped.
const PUBLISHER: &str = "system";

const IMAGE_YAML: &str = include_str!("content_requests/definition/image.yaml");
pub(crate) const AGENTS: [(&str, &str); 4] = [
    ("executive.md", include_str!("content_requests/agents/executive.md")),
    ("strategist.md", include_str!("content_requests/agents/strategist.md")),
    ("producer.md", include_str!("content_requests/agents/producer.md")),
    ("qa.md", include_str!("content_requests/agents/qa.md")),
];

/// Publishes the definition, registers the agents, seeds the sample brand.
pub(crate) async fn install(runtime: &Runtime, org: &OrgId) -> Result<Pack, InstallError> {
    for (name, text) in AGENTS {
        let agent = AgentRecord::parse_markdown(text, name).map_err(InstallError::Agents)?;
        runtime.agents().put(agent);
    }
    runtime.library().publish(org, IMAGE_YAML, PUBLISHER).await?;
    brand::seed(runtime, org).await?;
    let mut routes = api::table();
    routes.extend(ui::table());
    let starters = vec![Starter {
        title: Words { en: "Branded image", ja: "ブランド画像" },
        about: Words {
            en: "From a brief to a finished picture: four agents, your approval, a file.",
            ja: "依頼文から完成画像まで。4つの担当エージェントが制作し、承認後に公開します。",
        },
        form: "/new",
        demo: "/demo",
    }];
    Ok(Pack { name: "content_requests", routes, starters, terms: terms() })
}

/// What the members of briefs, concepts and reviews are called on screens.
fn terms() -> Vec<(&'static str, Words)> {
    let term = |name, en, ja| (name, Words { en, ja });
    vec![
        term("title", "Title", "タイトル"),
        term("prompt", "Brief", "依頼文"),
        term("language", "Language", "言語"),
        term("aspect_ratio", "Format", "画面比率"),
        term("style_preset", "Style", "表現スタイル"),
        term("shot_type", "Shot", "ショット"),
        term("preferred_provider", "Preferred provider", "希望する制作サービス"),
        term("provider_tier", "Quality level", "品質レベル"),
        term("auto_approve", "Publish without asking", "承認なしで公開"),
        term("brand", "Brand", "ブランド"),
        term("brand_id", "Brand id", "ブランドID"),
        term("campaign_id", "Campaign id", "キャンペーンID"),
        term("request_type", "Kind", "種類"),
        term("headline", "Headline", "見出し"),
        term("call_to_action", "Call to action", "行動喚起"),
        term("creative_direction", "Creative direction", "クリエイティブの方向性"),
        term("hook_concept", "Hook", "フック"),
        term("target_emotion", "Emotion", "与えたい感情"),
        term("key_messages", "Key messages", "キーメッセージ"),
        term("mood", "Mood", "雰囲気"),
        term("visual_style", "Visual style", "ビジュアルスタイル"),
        term("recommended_trend", "Trend", "トレンド"),
        term("strategy", "Concept", "コンセプト"),
        term("quality", "Review", "品質確認"),
        term("score", "Score", "スコア"),
        term("decision", "Decision", "判定"),
        term("notes", "Notes", "所見"),
        term("approved_by", "Approved by", "承認者"),
        term("intent", "Intent", "意図"),
        term("audience", "Audience", "対象"),
    ]
}
