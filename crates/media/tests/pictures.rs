//! Whole pictures, from a specification to bytes, on the fonts of this machine.
#![expect(clippy::unwrap_used, reason = "a test that cannot draw should stop")]

use std::sync::LazyLock;

use showrunner_media::{
    ArtSpec, AspectRatio, COMPOSITIONS, Fonts, Language, MediaError, Picture, probe_image,
    render_art, thumbnail,
};

static FONTS: LazyLock<Fonts> = LazyLock::new(|| Fonts::system().unwrap());

fn spec(prompt: &str) -> ArtSpec {
    ArtSpec {
        prompt: prompt.to_owned(),
        headline: "朝の一杯が、一日を変える。".to_owned(),
        subline: Some("高地で育った豆を、ゆっくりと焙煎しました。".to_owned()),
        call_to_action: Some("詳しく見る".to_owned()),
        brand: Some("あおぞら堂".to_owned()),
        palette: Vec::new(),
        mood: Vec::new(),
        style: None,
        aspect: AspectRatio::Square,
        seed: 1,
        language: Language::Ja,
    }
}

fn draw(spec: &ArtSpec) -> Picture {
    render_art(&FONTS, spec).unwrap()
}

#[test]
fn the_same_specification_gives_the_same_bytes() {
    let spec = spec("珈琲の新作");
    // Fonts are looked for afresh: the order in which folders list them must not matter.
    let again = render_art(&Fonts::system().unwrap(), &spec).unwrap();
    assert_eq!(draw(&spec).png, again.png);
}

#[test]
fn another_seed_or_prompt_gives_another_picture() {
    let first = spec("珈琲の新作");
    let reseeded = ArtSpec { seed: 2, ..first.clone() };
    let reworded = ArtSpec { prompt: "珈琲の新作!".to_owned(), ..first.clone() };
    let pictures = [draw(&first).png, draw(&reseeded).png, draw(&reworded).png];
    assert!(pictures[0] != pictures[1] && pictures[0] != pictures[2]);
}

#[test]
fn a_new_headline_or_brand_colour_keeps_the_composition() {
    let first = draw(&spec("an open question"));
    let revised = ArtSpec {
        headline: "別の見出し".to_owned(),
        palette: vec!["#0f766e".to_owned()],
        ..spec("an open question")
    };
    let revised = draw(&revised);
    assert_eq!(first.composition, revised.composition);
    assert_eq!(revised.palette_used.first().map(String::as_str), Some("#0f766e"));
}

#[test]
fn every_aspect_has_its_exact_size_and_is_a_picture() {
    for aspect in AspectRatio::ALL {
        let picture = draw(&ArtSpec { aspect, ..spec("海辺のホテル") });
        let facts = probe_image(&picture.png).unwrap();
        assert_eq!((facts.width, facts.height), aspect.pixels(), "{aspect}");
        assert_eq!((picture.width, picture.height), aspect.pixels(), "{aspect}");
        assert_eq!(facts.mime, "image/png");
        assert!(!facts.blank, "{aspect} is blank");
    }
}

#[test]
fn every_composition_can_be_asked_for_by_name() {
    for name in COMPOSITIONS {
        let picture = draw(&ArtSpec { style: Some(name.to_owned()), ..spec("brief") });
        assert_eq!(picture.composition, name);
        assert!(!probe_image(&picture.png).unwrap().blank, "{name} is blank");
    }
}

#[test]
fn the_file_says_what_it_is() {
    let picture = draw(&spec("珈琲の新作"));
    let holds = |text: &str| picture.png.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(holds("Showrunner") && holds("Procedurally generated"));
    assert!(holds(&picture.alt_text) && picture.alt_text.contains("朝の一杯が、一日を変える。"));
}

#[test]
fn hostile_texts_draw_a_picture_all_the_same() {
    let long = "あ".repeat(10_000);
    let word = "x".repeat(10_000);
    let texts = [
        "",
        "   \u{3000}\n\t ",
        "<script>alert(1)</script>",
        "]]>&amp;&\"'</text></svg><image href=\"/etc/passwd\"/>",
        "🎉🎊👩‍👩‍👧‍👦",
        "مرحبا بالعالم שלום",
        "\u{202E}\u{200B}\u{FEFF}\u{0}\u{7}\u{FFFF}",
        "e\u{301}\u{301}\u{301}\u{301}",
        "。。。、、、」」」",
        "「「「「「「「「",
        long.as_str(),
        word.as_str(),
    ];
    for (i, text) in texts.iter().enumerate() {
        let aspect = AspectRatio::ALL[i % AspectRatio::ALL.len()];
        let hostile = ArtSpec {
            prompt: (*text).to_owned(),
            headline: (*text).to_owned(),
            subline: Some((*text).to_owned()),
            call_to_action: Some((*text).to_owned()),
            brand: Some((*text).to_owned()),
            palette: vec![(*text).to_owned(), "#zzzzzz".to_owned()],
            mood: vec![(*text).to_owned()],
            style: Some((*text).to_owned()),
            aspect,
            seed: u64::MAX,
            language: Language::En,
        };
        let facts = probe_image(&draw(&hostile).png).unwrap();
        assert_eq!(
            (facts.width, facts.height, facts.blank),
            (aspect.pixels().0, aspect.pixels().1, false)
        );
    }
}

#[test]
fn a_specification_reads_from_json_with_what_matters_only() {
    let read: ArtSpec = serde_json::from_str(
        r#"{"prompt": "sea", "headline": "Hello", "aspect": "9:16", "language": "en"}"#,
    )
    .unwrap();
    assert_eq!((read.aspect, read.language, read.seed), (AspectRatio::Tall, Language::En, 0));
    assert!(serde_json::from_str::<AspectRatio>(r#""7:3""#).is_err());
}

#[test]
fn an_unknown_aspect_names_the_accepted_ones() {
    let error = "7:3".parse::<AspectRatio>().unwrap_err().to_string();
    assert!(error.contains("7:3") && error.contains("1:1, 16:9, 9:16, 4:5"), "{error}");
    assert_eq!(" 16:9 ".parse::<AspectRatio>().unwrap(), AspectRatio::Wide);
}

#[test]
fn without_a_japanese_font_the_package_to_install_is_named() {
    let empty = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src");
    let error = Fonts::from_folders(&[empty]).unwrap_err();
    assert!(matches!(error, MediaError::NoJapaneseFont { .. }));
    assert!(error.to_string().contains("fonts-noto-cjk"), "{error}");
}

/// A PNG whose header declares a size that its few bytes do not hold.
fn bomb(width: u32, height: u32) -> Vec<u8> {
    let plain = draw(&ArtSpec { headline: String::new(), ..spec("x") }).png;
    let mut header = b"IHDR".to_vec();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    let mut sum = u32::MAX;
    for byte in &header {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ 0xEDB8_8320 } else { sum >> 1 };
        }
    }
    let mut file = plain[..12].to_vec();
    file.extend(header);
    file.extend((!sum).to_be_bytes());
    file.extend(&plain[33..4000]);
    file
}

#[test]
fn a_bomb_is_refused_by_its_header() {
    for (width, height) in [(65_535, 65_535), (1_000_000, 100), (8_193, 8_192)] {
        let bytes = bomb(width, height);
        assert!(
            matches!(probe_image(&bytes), Err(MediaError::TooLarge { .. })),
            "{width}x{height}"
        );
        assert!(matches!(thumbnail(&bytes, 100), Err(MediaError::TooLarge { .. })));
    }
}

#[test]
fn a_row_too_long_for_memory_is_refused() {
    assert!(probe_image(&bomb(2_000_000_000, 1)).is_err());
}

#[test]
fn what_is_no_picture_or_half_a_picture_is_unreadable() {
    let whole = draw(&spec("x")).png;
    let truncated = &whole[..whole.len() / 2];
    for bytes in [&b""[..], b"hello", b"<svg/>", &[0x89, 0x50, 0x4E, 0x47], truncated] {
        assert!(matches!(probe_image(bytes), Err(MediaError::Unreadable { .. })));
    }
}

#[test]
fn a_placeholder_of_one_colour_is_called_blank() {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let grey = image::RgbImage::from_pixel(400, 300, image::Rgb([128, 128, 128]));
    grey.write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
    let facts = probe_image(bytes.get_ref()).unwrap();
    assert_eq!(
        (facts.mime.as_str(), facts.width, facts.height, facts.blank),
        ("image/jpeg", 400, 300, true)
    );
}

#[test]
fn a_thumbnail_keeps_proportions_and_never_grows() {
    let wide = draw(&ArtSpec { aspect: AspectRatio::Wide, ..spec("x") }).png;
    let facts = probe_image(&thumbnail(&wide, 320).unwrap()).unwrap();
    assert_eq!((facts.mime.as_str(), facts.width, facts.height), ("image/webp", 320, 180));
    let small = thumbnail(&wide, 100).unwrap();
    let facts = probe_image(&thumbnail(&small, 2000).unwrap()).unwrap();
    assert_eq!((facts.width, facts.height), (100, 56));
}
