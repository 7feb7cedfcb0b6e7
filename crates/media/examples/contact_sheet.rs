//! Draws a set of briefs into a folder, to look at: `cargo run --example contact_sheet -- FOLDER`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a tool for eyes"
)]

use std::{fs, path::PathBuf, time::Instant};

use showrunner_media::{ArtSpec, AspectRatio, Fonts, Language, render_art};

type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    &'static str,
    u64,
    &'static str,
);

const ROWS: &[Row] = &[
    (
        "coffee-ja",
        "新作シングルオリジン珈琲の発売キャンペーン",
        "朝の一杯が、一日を変える。",
        "エチオピアの高地で育った豆を、ゆっくりと焙煎しました。",
        "詳しく見る",
        &["温かい"],
        &[],
        "1:1",
        1,
        "ja",
    ),
    (
        "sea-en",
        "A summer campaign for a seaside hotel on the ocean",
        "Slow mornings by the sea",
        "Seven rooms, one long beach and nothing on the calendar.",
        "Book your stay",
        &["calm"],
        &[],
        "16:9",
        2,
        "en",
    ),
    (
        "city-ja",
        "都市の夜を走る新しい電動タクシーの広告",
        "夜の東京を、静かに走る。",
        "2026年春、都心で運行開始。",
        "予約する",
        &["大胆"],
        &[],
        "9:16",
        3,
        "ja",
    ),
    (
        "tech-en",
        "AI data platform launch for engineering teams",
        "Every decision, on one page",
        "A data platform that explains itself.",
        "Start free",
        &["bold"],
        &["#4338ca", "#06b6d4"],
        "16:9",
        4,
        "en",
    ),
    (
        "spring-ja",
        "桜の季節の新生活応援フェア",
        "はじまりの季節に、花を添えて。",
        "新生活応援フェア 3月20日から",
        "会場を見る",
        &["やさしい"],
        &[],
        "4:5",
        5,
        "ja",
    ),
    (
        "mountain-en",
        "Outdoor brand, mountain hiking boots",
        "Walk further than the map",
        "Boots made for the second day.",
        "See the range",
        &["bold"],
        &[],
        "2:3",
        6,
        "en",
    ),
    (
        "beauty-ja",
        "高級美容液の発表",
        "光をまとう、素肌へ。",
        "植物から生まれた濃密な一滴。",
        "サンプルを申し込む",
        &["高級"],
        &[],
        "1:1",
        7,
        "ja",
    ),
    (
        "music-en",
        "Jazz festival in autumn, three nights of music",
        "Three nights of blue",
        "Autumn Jazz Festival, Riverside Hall",
        "Get tickets",
        &["dark"],
        &[],
        "9:16",
        8,
        "en",
    ),
    (
        "food-ja",
        "産直の果物を使ったレストランのランチ",
        "畑から、まっすぐ食卓へ。",
        "朝採れの果物と野菜でつくる週替わりランチ。",
        "メニューを見る",
        &["楽しい"],
        &[],
        "1:1",
        9,
        "ja",
    ),
    (
        "winter-ja",
        "冬の温泉旅館の案内",
        "雪のなかで、湯につかる。",
        "一日五組だけの静かな宿。",
        "空室を見る",
        &["静か"],
        &[],
        "16:9",
        10,
        "ja",
    ),
    (
        "tradition-ja",
        "京都の老舗和菓子店の正月限定品",
        "新しい年を、ひと口から。",
        "老舗がつくる正月限定の干菓子。",
        "お取り寄せ",
        &[],
        &[],
        "4:5",
        11,
        "ja",
    ),
    (
        "business-en",
        "Quarterly KPI report for a consulting business",
        "Numbers that tell the story",
        "The 2026 annual review",
        "Read the report",
        &["clean"],
        &["#0f766e"],
        "1:1",
        12,
        "en",
    ),
    (
        "bauhaus-en",
        "Design conference for architects",
        "Form follows people",
        "Design Week, 14 to 18 October",
        "Register",
        &["playful"],
        &[],
        "4:5",
        13,
        "en",
    ),
    (
        "nature-ja",
        "オーガニックハーブのスキンケアと森の再生",
        "森から、肌へ。",
        "売上の一部は植林に使われます。",
        "取り組みを読む",
        &["爽やか"],
        &["#15803d"],
        "9:16",
        14,
        "ja",
    ),
    (
        "sport-en",
        "Running shoes built for speed",
        "Faster is a feeling",
        "The new Vento 3. 189 grams.",
        "Shop now",
        &["energetic"],
        &[],
        "1:1",
        15,
        "en",
    ),
    (
        "open-ja",
        "ブランドの新しいビジョンを伝える",
        "まだ名前のない、明日のために。",
        "わたしたちは問い続けます。",
        "ビジョンを読む",
        &[],
        &["#e11d48", "#111827"],
        "3:2",
        16,
        "ja",
    ),
    (
        "tea-en-tall",
        "Matcha tea, luxury gift box",
        "Stillness, whisked",
        "First-harvest matcha from Uji.",
        "Order the box",
        &["luxury"],
        &[],
        "9:16",
        17,
        "en",
    ),
    (
        "night-ja",
        "星空を見る夜のキャンプ",
        "星に、いちばん近い夜。",
        "標高1,500mの天空キャンプ。",
        "予約はこちら",
        &["神秘"],
        &[],
        "1:1",
        18,
        "ja",
    ),
    (
        "isocity-ja",
        "都市開発とスマートシティの未来",
        "まちは、もっと賢くなれる。",
        "データでつなぐ、次の都市づくり。",
        "構想を見る",
        &["明るい"],
        &[],
        "9:16",
        19,
        "ja",
    ),
    (
        "seigaiha-en",
        "Japanese sake festival in Kyoto",
        "A festival of rice and water",
        "Forty breweries, one weekend.",
        "Plan your visit",
        &[],
        &[],
        "16:9",
        20,
        "en",
    ),
    (
        "nightcity-en",
        "City night life guide",
        "The city never asks why",
        "Two hundred places, open late.",
        "Open the guide",
        &[],
        &[],
        "16:9",
        21,
        "en",
    ),
    (
        "still-wide-ja",
        "珈琲豆の定期便",
        "毎月、はじめての味。",
        "世界の農園から届く、三種類の豆。",
        "申し込む",
        &["上質"],
        &[],
        "16:9",
        22,
        "ja",
    ),
    (
        "music-ja",
        "夏の音楽フェスの告知",
        "音が、海まで届く夜。",
        "出演者第一弾を発表しました。",
        "チケット",
        &["楽しい"],
        &[],
        "4:5",
        23,
        "ja",
    ),
    (
        "nature-wide-en",
        "Organic garden herbs",
        "Grown within an hour of you",
        "Fresh herbs, delivered on foot.",
        "Find your garden",
        &["fresh"],
        &[],
        "16:9",
        24,
        "en",
    ),
];

const STYLES: &[(&str, &str)] = &[
    ("bauhaus", "Bauhaus"),
    ("tradition", "青海波"),
    ("tech", "isometric"),
    ("beauty", "still-life"),
    ("isocity", "isometric"),
    ("seigaiha", "seigaiha"),
];

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "media-look".to_owned()));
    let only = std::env::args().nth(2);
    fs::create_dir_all(&folder).unwrap();
    let fonts = Fonts::system().unwrap();
    let mut small = Vec::new();
    for (name, prompt, headline, subline, action, mood, palette, aspect, seed, language) in ROWS {
        if only.as_deref().is_some_and(|only| !name.contains(only)) {
            continue;
        }
        let spec = ArtSpec {
            prompt: (*prompt).to_owned(),
            headline: (*headline).to_owned(),
            subline: Some((*subline).to_owned()),
            call_to_action: Some((*action).to_owned()),
            brand: Some(if *language == "ja" { "あおぞら堂" } else { "Northwind" }.to_owned()),
            palette: palette.iter().map(|text| (*text).to_owned()).collect(),
            mood: mood.iter().map(|text| (*text).to_owned()).collect(),
            style: STYLES
                .iter()
                .find(|(key, _)| name.contains(key))
                .map(|(_, style)| (*style).to_owned()),
            aspect: aspect.parse::<AspectRatio>().unwrap(),
            seed: *seed,
            language: if *language == "ja" { Language::Ja } else { Language::En },
        };
        let from = Instant::now();
        let picture = render_art(&fonts, &spec).unwrap();
        println!(
            "{name}: {} {} ms, {} kB",
            picture.composition,
            from.elapsed().as_millis(),
            picture.png.len() / 1024
        );
        fs::write(folder.join(format!("{name}.png")), &picture.png).unwrap();
        let image = image::load_from_memory(&picture.png).unwrap().to_rgb8();
        let (w, h) = (620 * image.width() / image.height(), 620);
        small.push(image::imageops::thumbnail(&image, w, h));
    }
    for (i, group) in small.chunks(4).enumerate() {
        let mut sheet = image::RgbImage::from_pixel(2400, 1280, image::Rgb([60, 60, 60]));
        let (mut x, mut y) = (10, 10);
        for picture in group {
            if x + i64::from(picture.width()) > 2400 {
                (x, y) = (10, y + 630);
            }
            image::imageops::overlay(&mut sheet, picture, x, y);
            x += i64::from(picture.width()) + 10;
        }
        sheet.save(folder.join(format!("sheet-{i}.png"))).unwrap();
    }
}
