//! The sample brief, in the language of the reader.

use serde_json::{Map, Value, json};
use showrunner_web::ui::Language;

use crate::content_requests::brief::RequestType;

/// A brief that shows what a brief is.
pub(super) fn in_language(language: Language, kind: RequestType) -> Map<String, Value> {
    match kind {
        RequestType::Image => picture(language),
        RequestType::VideoWithVo | RequestType::VideoNoVo => film(language),
    }
}

fn film(language: Language) -> Map<String, Value> {
    let (title, prompt, style, code) = match language {
        Language::Ja => (
            "秋の新作「朝焼けブレンド」の動画",
            "秋の新作コーヒー「朝焼けブレンド」の発売を知らせる30秒の動画。\
             豆は一つの農園だけから届きます。焙煎してから七日以内に出荷します。\
             見せたいのは、夜明けの台所、湯気の立つコーヒーカップ、朝霧の山の農園、夜の街の焙煎所。\
             忙しい朝に五分だけ自分の時間を持ちたい三十代へ。",
            "温かいフィルム調、ゆっくりした動き",
            "ja",
        ),
        Language::En => (
            "Film for Daybreak Blend",
            "A film of half a minute for the launch of our autumn coffee, Daybreak Blend. The beans \
             come from a single farm. They leave us within seven days of roasting. Show a kitchen at \
             sunrise, a steaming cup of coffee, a farm in the misty mountains, and the roastery in \
             the city at night. For people in their thirties who want five minutes of their own on \
             a busy morning.",
            "warm like film, slow movement",
            "en",
        ),
    };
    let sample = json!({
        "title": title,
        "prompt": prompt,
        "style_preset": style,
        "language": code,
        "aspect_ratio": "16:9",
        "duration_seconds": 30,
    });
    sample.as_object().cloned().unwrap_or_default()
}

fn picture(language: Language) -> Map<String, Value> {
    let (title, prompt, style, code) = match language {
        Language::Ja => (
            "秋の新作「朝焼けブレンド」発売",
            "秋の新作「朝焼けブレンド」発売のキービジュアル。夜明けの台所、窓から入る低い光、\
             湯気の立つ一杯のコーヒー。忙しい朝に五分だけ自分の時間を持ちたい三十代へ。\
             豆は一つの農園から、焙煎して七日以内に届くことを静かに伝えたい。\
             見出しは短く、声に出して気持ちのよい一文に。",
            "温かいフィルム調、余白を広く",
            "ja",
        ),
        Language::En => (
            "Launch of Daybreak Blend",
            "Key visual for the launch of our autumn coffee, Daybreak Blend. A kitchen at sunrise, \
             low light through the window, one steaming cup. For people in their thirties who want \
             five minutes of their own on a busy morning. Say quietly that the beans come from one \
             farm and leave us within seven days of roasting. One short headline that sounds good \
             when read aloud.",
            "warm like film, generous empty space",
            "en",
        ),
    };
    let sample = json!({
        "title": title,
        "prompt": prompt,
        "style_preset": style,
        "language": code,
        "aspect_ratio": "1:1",
    });
    sample.as_object().cloned().unwrap_or_default()
}
