//! Makes a sample film, to look at: `cargo run --example film -- FILE ja|en 16:9 SECONDS`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a tool for eyes"
)]

use std::{env, fs, time::Instant};

use showrunner_media::{
    FilmScene, FilmSpec, Fonts, Language, Tools, Watch, probe_video, render_film,
};

fn scene(visual: &str, words: &str, seconds: f64) -> FilmScene {
    FilmScene {
        visual_prompt: visual.to_owned(),
        voiceover: words.to_owned(),
        caption: None,
        duration_seconds: seconds,
    }
}

fn scenes(is_ja: bool) -> Vec<FilmScene> {
    if is_ja {
        vec![
            scene(
                "夜明けの台所、窓から入る低い光、湯気の立つ一杯のコーヒー",
                "五分だけ、自分の朝を。",
                5.0,
            ),
            scene(
                "山あいの農園、朝霧とコーヒーの木",
                "豆は、一つの農園から届きます。朝霧の中で育った実を、一粒ずつ手で摘みました。",
                8.0,
            ),
            scene("焙煎所の静かな夜、街の灯り", "焙煎してから七日以内に、あなたの台所へ。", 7.0),
            scene(
                "テーブルの上の花とカップ",
                "秋の新作「朝焼けブレンド」。忙しい朝に、静かな一杯をどうぞ。",
                10.0,
            ),
        ]
    } else {
        vec![
            scene(
                "A kitchen at sunrise, one steaming cup of coffee",
                "Five minutes of your own.",
                5.0,
            ),
            scene(
                "A farm in the mountains in morning mist",
                "The beans come from one farm. Every cherry is picked by hand, in the mist of the morning.",
                8.0,
            ),
            scene(
                "The roastery at night, city lights",
                "They leave us within seven days of roasting.",
                7.0,
            ),
            scene(
                "Flowers and a cup on a table",
                "Daybreak Blend, our new coffee for autumn. A quiet cup for a busy morning.",
                10.0,
            ),
        ]
    }
}

fn main() {
    let given: Vec<String> = env::args().skip(1).collect();
    let get = |n: usize, usual: &str| given.get(n).cloned().unwrap_or_else(|| usual.to_owned());
    let is_ja = get(1, "ja") == "ja";
    let seconds: u64 = get(3, "30").parse().unwrap();
    let some = |ja: &str, en: &str| Some(if is_ja { ja } else { en }.to_owned());
    let spec = FilmSpec {
        scenes: scenes(is_ja),
        duration_ms: seconds * 1000,
        topic: None,
        hook: some("五分だけ、自分の朝を。", "Five minutes of your own."),
        closing: some("朝焼けブレンド", "Daybreak Blend"),
        call_to_action: some("詳しく見る", "Taste the morning"),
        brand: some("あおぞら珈琲", "Aozora Coffee"),
        palette: vec!["#c2410c".to_owned(), "#1e3a5f".to_owned()],
        mood: vec!["warm".to_owned(), "calm".to_owned()],
        style: None,
        aspect: get(2, "16:9").parse().unwrap(),
        seed: 7,
        language: if is_ja { Language::Ja } else { Language::En },
        voice: Some(String::new()),
        has_music: true,
        short_edge: 720,
        frames_per_second: 24,
    };
    let began = Instant::now();
    let film = render_film(&Fonts::system().unwrap(), &Tools::default(), &spec, &Watch::default())
        .unwrap();
    println!("{:?} for {} bytes", began.elapsed(), film.mp4.len());
    println!("{:?}\n{}", probe_video(&film.mp4).unwrap(), film.alt_text);
    let path = get(0, "film.mp4");
    fs::write(format!("{path}.png"), &film.poster).unwrap();
    fs::write(path, &film.mp4).unwrap();
}
