//! Languages, and the fields of life that briefs come from.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The language a reader gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::scripted) enum Lang {
    En,
    Ja,
}

/// What kind of thing it is about; decides small words and pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::scripted) enum Domain {
    Drink,
    Food,
    Travel,
    Tech,
    Fashion,
    Beauty,
    Home,
    Event,
    Other,
}

static WORDS: [(Domain, &[&str]); 8] = [
    (
        Domain::Drink,
        &[
            "tea",
            "coffee",
            "latte",
            "beer",
            "wine",
            "sake",
            "juice",
            "drink",
            "water",
            "soda",
            "espresso",
            "blend",
            "茶",
            "コーヒー",
            "珈琲",
            "ラテ",
            "ビール",
            "酒",
            "ジュース",
            "飲料",
            "ドリンク",
            "水出し",
            "焙煎",
            "ブレンド",
        ],
    ),
    (
        Domain::Food,
        &[
            "food",
            "cake",
            "bread",
            "bakery",
            "chocolate",
            "ramen",
            "sushi",
            "snack",
            "restaurant",
            "pizza",
            "sweets",
            "curry",
            "cookie",
            "和菓子",
            "菓子",
            "パン",
            "ケーキ",
            "チョコ",
            "ラーメン",
            "寿司",
            "料理",
            "弁当",
            "レストラン",
            "食品",
            "カレー",
            "スイーツ",
        ],
    ),
    (
        Domain::Travel,
        &[
            "hotel",
            "ryokan",
            "inn",
            "travel",
            "trip",
            "tour",
            "onsen",
            "resort",
            "flight",
            "island",
            "旅館",
            "ホテル",
            "温泉",
            "旅",
            "宿",
            "観光",
            "リゾート",
            "島",
        ],
    ),
    (
        Domain::Tech,
        &[
            "app",
            "software",
            "phone",
            "smartphone",
            "laptop",
            "platform",
            "saas",
            "speaker",
            "headphones",
            "earbuds",
            "camera",
            "watch",
            "アプリ",
            "ソフト",
            "スマホ",
            "スマートフォン",
            "パソコン",
            "イヤホン",
            "カメラ",
            "サービス",
            "システム",
        ],
    ),
    (
        Domain::Fashion,
        &[
            "shoes",
            "shoe",
            "sneaker",
            "sneakers",
            "shirt",
            "jacket",
            "dress",
            "fashion",
            "bag",
            "jeans",
            "coat",
            "靴",
            "スニーカー",
            "シャツ",
            "ジャケット",
            "服",
            "バッグ",
            "コート",
        ],
    ),
    (
        Domain::Beauty,
        &[
            "skincare",
            "cream",
            "serum",
            "shampoo",
            "cosmetics",
            "lipstick",
            "perfume",
            "soap",
            "beauty",
            "化粧",
            "美容",
            "クリーム",
            "シャンプー",
            "コスメ",
            "香水",
            "石けん",
            "スキンケア",
        ],
    ),
    (
        Domain::Home,
        &[
            "sofa",
            "furniture",
            "lamp",
            "chair",
            "table",
            "bed",
            "mattress",
            "apartment",
            "kitchen",
            "家具",
            "ソファ",
            "照明",
            "椅子",
            "ベッド",
            "マンション",
            "住まい",
            "暮らし",
        ],
    ),
    (
        Domain::Event,
        &[
            "festival",
            "concert",
            "event",
            "exhibition",
            "conference",
            "workshop",
            "party",
            "祭",
            "フェス",
            "コンサート",
            "イベント",
            "展示",
            "展覧会",
            "ワークショップ",
            "セミナー",
        ],
    ),
];

impl Domain {
    /// The word that stands last names the thing; those before it describe it: a tea festival is a
    /// festival, and a festival tea is a tea.
    pub(super) fn in_text(text: &str) -> Option<Self> {
        let mut last: Option<(usize, Self)> = None;
        let mut see = |place: usize, domain: Self| {
            if last.is_none_or(|(known, _)| place > known) {
                last = Some((place, domain));
            }
        };
        let mut at = 0;
        for word in text.split(|c: char| !c.is_ascii_alphanumeric()) {
            let place = at;
            at += word.len() + 1;
            if (2..=12).contains(&word.len())
                && let Some(domain) = Self::of_word(&word.to_ascii_lowercase())
            {
                see(place, domain);
            }
        }
        if super::is_japanese(text) {
            for (domain, words) in &WORDS {
                for word in words.iter().filter(|word| !word.is_ascii()) {
                    if let Some(place) = text.rfind(word) {
                        see(place, *domain);
                    }
                }
            }
        }
        last.map(|(_, domain)| domain)
    }

    /// The field that an English word belongs to, in the singular or the plural.
    fn of_word(word: &str) -> Option<Self> {
        static KNOWN: LazyLock<HashMap<&'static str, Domain>> = LazyLock::new(|| {
            let pairs = |(domain, words): &'static (Domain, &'static [&'static str])| {
                words.iter().map(move |word| (*word, *domain))
            };
            WORDS.iter().flat_map(pairs).collect()
        });
        let one = || KNOWN.get(word.strip_suffix('s')?);
        KNOWN.get(word).or_else(one).copied()
    }

    /// The name under which words and pictures of this field are written.
    pub(in crate::scripted) fn name(self) -> &'static str {
        match self {
            Self::Drink => "drink",
            Self::Food => "food",
            Self::Travel => "travel",
            Self::Tech => "tech",
            Self::Fashion => "fashion",
            Self::Beauty => "beauty",
            Self::Home => "home",
            Self::Event => "event",
            Self::Other => "other",
        }
    }
}
