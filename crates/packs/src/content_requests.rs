//! Content requests: a client posts a brief, agents plan, make and check it, a person approves
//! it, and it is published. One request is one run; its status is the run's phase.

mod api;
mod brand;
mod brief;
mod create;
mod dlq;
mod estimate;
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

/// Who publishes what is shipped.
const PUBLISHER: &str = "system";

const DEFINITIONS: [&str; 3] = [
    include_str!("content_requests/definition/image.yaml"),
    include_str!("content_requests/definition/video_with_vo.yaml"),
    include_str!("content_requests/definition/video_no_vo.yaml"),
];
pub(crate) const AGENTS: [(&str, &str); 6] = [
    ("executive.md", include_str!("content_requests/agents/executive.md")),
    ("strategist.md", include_str!("content_requests/agents/strategist.md")),
    ("task_planner.md", include_str!("content_requests/agents/task_planner.md")),
    ("scriptwriter.md", include_str!("content_requests/agents/scriptwriter.md")),
    ("producer.md", include_str!("content_requests/agents/producer.md")),
    ("qa.md", include_str!("content_requests/agents/qa.md")),
];

/// Publishes the definitions, registers the agents, seeds the sample brand.
pub(crate) async fn install(runtime: &Runtime, org: &OrgId) -> Result<Pack, InstallError> {
    for (name, text) in AGENTS {
        let agent = AgentRecord::parse_markdown(text, name).map_err(InstallError::Agents)?;
        runtime.agents().put(agent);
    }
    for source in DEFINITIONS {
        runtime.library().publish(org, source, PUBLISHER).await?;
    }
    brand::seed(runtime, org).await?;
    let mut routes = api::table();
    routes.extend(ui::table());
    let starters = starters();
    Ok(Pack { name: "content_requests", routes, starters, terms: terms() })
}

/// What can be begun from the home screen.
fn starters() -> Vec<Starter> {
    let image = Starter {
        title: Words { en: "Branded image", ja: "ブランド画像" },
        about: Words {
            en: "From a brief to a finished picture: four agents, your approval, a file.",
            ja: "依頼文から完成画像まで。4つの担当エージェントが制作し、承認後に公開します。",
        },
        form: "/new",
        demo: "/demo",
    };
    let film = Starter {
        title: Words { en: "Branded film", ja: "ブランド動画" },
        about: Words {
            en: "From a brief to an MP4 with captions and, if you like, a spoken voice.",
            ja: "依頼文から字幕付きのMP4まで。ナレーションの音声も付けられます。",
        },
        form: "/new?type=video_with_vo",
        demo: "/demo?type=video_with_vo",
    };
    vec![image, film]
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
        term("duration_seconds", "Length in seconds", "長さ(秒)"),
        term("voice_id", "Voice", "声"),
        term("auto_script", "Write the script", "台本をつくる"),
        term("script_text", "Script", "台本"),
        term("script", "Script", "台本"),
        term("hook", "Opening", "冒頭の言葉"),
        term("scenes", "Scenes", "シーン"),
        term("visual_prompt", "Picture", "映像"),
        term("voiceover", "Voice-over", "ナレーション"),
        term("caption", "Caption", "字幕"),
        term("cta", "Call to action", "行動喚起"),
        term("total_duration", "Total length in seconds", "合計の長さ(秒)"),
        term("plan", "Plan", "進め方"),
        term("use_supplied_script", "Uses the client's script", "支給台本を使う"),
        term("estimated_seconds", "Expected seconds", "想定時間(秒)"),
    ]
}
