//! The demo's brief: a real one, as a brand's marketing would write it, in both languages.

use serde_json::{Value, json};

use crate::client::shapes::Brand;
use crate::config::Lang;

/// A brief for a key visual, and for a film of the same launch.
#[derive(Debug)]
pub(crate) struct Brief {
    title: &'static str,
    prompt: &'static str,
    film: &'static str,
    style: &'static str,
    language: &'static str,
}

const JAPANESE: Brief = Brief {
    title: "朝の一杯が、一日を変える。",
    prompt: "秋の新作「朝焼けブレンド」発売のキービジュアルを作ってください。\
             舞台は夜明けの台所。窓から低い光が差し込み、湯気の立つカップが主役です。\
             想定読者は、忙しい朝に五分だけ自分の時間を持ちたい三十代。\
             伝えたいことは三つ。豆は一つの農園だけから届くこと、焙煎してから七日以内に出荷すること、\
             そして最初の一口で肩の力が抜けること。\
             見出しは短く、声に出して読んで気持ちのよい一文に。行動の呼びかけは控えめに。\
             健康への効能や「日本一」のような最上級の表現は使わないでください。",
    film: "秋の新作コーヒー「朝焼けブレンド」の発売を知らせる短い動画を作ってください。\
           豆は一つの農園だけから届きます。焙煎してから七日以内に出荷します。\
           最初の一口で肩の力が抜けます。\
           見せたいのは、夜明けの台所、湯気の立つコーヒーカップ、朝霧の山の農園、夜の街の焙煎所。\
           想定読者は、忙しい朝に五分だけ自分の時間を持ちたい三十代。\
           言葉は声に出して心地よく、行動の呼びかけは控えめに。\
           健康への効能や「日本一」のような最上級の表現は使わないでください。",
    style: "フィルム写真のような温かさ、余白を広く、文字は読みやすく大きめに",
    language: "ja",
};

const ENGLISH: Brief = Brief {
    title: "The first cup changes the day",
    prompt: "Make the key visual for the launch of our autumn coffee, Daybreak Blend. \
             The scene is a kitchen at sunrise: low light through the window, one steaming cup as \
             the hero. The reader is in their thirties, has a busy morning and wants five minutes \
             that belong to nobody else. Three things to say: the beans come from a single farm, \
             they leave us within seven days of roasting, and the first sip makes the shoulders \
             drop. One short headline that sounds good when read aloud, and a quiet call to \
             action. No health claims, and no superlatives.",
    film: "Make a short film for the launch of our autumn coffee, Daybreak Blend. The beans come \
           from a single farm. They leave us within seven days of roasting. The first sip makes the \
           shoulders drop. Show a kitchen at sunrise, a steaming cup of coffee, a farm in the misty \
           mountains, and the roastery in the city at night. The viewer is in their thirties, has a \
           busy morning and wants five minutes that belong to nobody else. Words that are good to \
           hear, and a quiet call to action. No health claims, and no superlatives.",
    style: "warm like film photography, generous empty space, large and legible type",
    language: "en",
};

impl Brief {
    /// The brief in a language.
    pub(crate) fn in_language(lang: Lang) -> &'static Self {
        match lang {
            Lang::Ja => &JAPANESE,
            Lang::En => &ENGLISH,
        }
    }

    /// The title.
    pub(crate) fn title(&self) -> &'static str {
        self.title
    }

    /// The body of a request of this type. `prompt` replaces the brief's own words.
    pub(crate) fn request(
        &self,
        brand: &Brand,
        (kind, aspect): (&str, &str),
        prompt: Option<&str>,
    ) -> Value {
        let own = if kind == "image" { self.prompt } else { self.film };
        json!({
            "brand_id": brand.id,
            "title": prompt.map_or_else(|| self.title.to_owned(), title_of),
            "request_type": kind,
            "prompt": prompt.unwrap_or(own),
            "aspect_ratio": aspect,
            "style_preset": self.style,
            "language": self.language,
            "auto_approve": false,
        })
    }
}

/// Characters of a prompt that make its title.
const TITLE_CHARS: usize = 60;

/// The first line of somebody's own prompt, short enough for a list.
fn title_of(prompt: &str) -> String {
    let line = prompt.lines().find(|line| !line.trim().is_empty()).unwrap_or("Demo").trim();
    let short: String = line.chars().take(TITLE_CHARS).collect();
    if short.len() < line.len() { format!("{short}…") } else { short }
}

#[cfg(test)]
mod tests {
    use super::{Brief, title_of};
    use crate::config::Lang;

    #[test]
    fn both_briefs_keep_the_limits_of_the_api() {
        for lang in [Lang::Ja, Lang::En] {
            let brief = Brief::in_language(lang);
            for prompt in [brief.prompt, brief.film] {
                assert!((200..5000).contains(&prompt.len()), "{}", brief.title);
            }
            assert!(brief.style.chars().count() <= 100 && brief.title.chars().count() <= 255);
        }
    }

    #[test]
    fn a_prompt_of_ones_own_gives_its_first_line_as_title() {
        assert_eq!(title_of("\n  A fox in snow \nat night"), "A fox in snow");
        assert!(title_of(&"雪".repeat(100)).chars().count() <= 61);
    }
}
