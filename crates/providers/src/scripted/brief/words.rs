//! Languages, and the fields of life that briefs come from.

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

const WORDS: [(Domain, &[&str]); 8] = [
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
    /// The field of the first of these texts that shows one.
    pub(super) fn of(texts: &[&str]) -> Self {
        texts.iter().find_map(|text| Self::in_text(text)).unwrap_or(Self::Other)
    }

    fn in_text(text: &str) -> Option<Self> {
        let lower = text.to_lowercase();
        let known = |word: &&str| super::contains_word(&lower, word);
        // The word that stands last names the thing; those before it describe it: a tea festival
        // is a festival, and a festival tea is a tea.
        WORDS
            .iter()
            .filter_map(|(domain, words)| {
                let place = words.iter().filter(|w| known(w)).filter_map(|w| lower.rfind(*w)).max();
                place.map(|place| (place, *domain))
            })
            .max_by_key(|(place, _)| *place)
            .map(|(_, domain)| domain)
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
