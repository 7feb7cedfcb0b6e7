//! Reading a Japanese brief by its particles.

/// What is not a subject but the form it is asked in.
const FORMS: [&str; 16] = [
    "動画",
    "画像",
    "広告",
    "ポスター",
    "バナー",
    "写真",
    "CM",
    "映像",
    "コピー",
    "キャンペーン",
    "投稿",
    "記事",
    "ビジュアル",
    "新商品",
    "新発売",
    "魅力",
];

/// Whether the text has kana or kanji in it.
pub(in crate::scripted) fn is_japanese(text: &str) -> bool {
    text.chars().any(|c| matches!(c, '\u{3041}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}'))
}

/// What the brief is about, and whether it stands in quotation marks.
pub(super) fn subject(prompt: &str) -> Option<(String, bool)> {
    if let Some(name) = quoted(prompt) {
        return Some((name.to_owned(), true));
    }
    let sentence = prompt.split(['。', '\n', '！', '!']).find(|text| !text.trim().is_empty())?;
    let sentence = sentence.trim();
    let object = ["を", "は", "が"].iter().find_map(|particle| {
        let (before, _) = sentence.split_once(particle)?;
        (before.chars().count() >= 2).then_some(before)
    });
    let mut noun = object.unwrap_or(sentence);
    noun = noun.rsplit(['、', ',']).next().unwrap_or(noun).trim();
    for mark in ["向けの", "向けに", "のための"] {
        noun = noun.split_once(mark).map_or(noun, |(_, rest)| rest);
    }
    noun = without_form(noun);
    for lead in ["当社の", "弊社の", "私たちの", "新発売の", "新しい", "新作の", "新商品の"]
    {
        noun = noun.strip_prefix(lead).unwrap_or(noun);
    }
    let length = noun.chars().count();
    ((2..=30).contains(&length) && !is_form(noun)).then(|| (noun.to_owned(), false))
}

/// Whom it is for.
pub(super) fn audience(prompt: &str) -> Option<String> {
    let after = |cue: &str| {
        let (_, rest) = prompt.split_once(cue)?;
        let end = ["です", "。", "、", "\n", "に", "で"].iter().filter_map(|s| rest.find(s)).min();
        Some(rest.get(..end.unwrap_or(rest.len()))?.trim())
    };
    let before = |cue: &str| {
        let (front, _) = prompt.split_once(cue)?;
        front.rsplit(['。', '、', '\n', 'を', 'は', 'が']).next().map(str::trim)
    };
    ["ターゲットは", "ターゲット：", "ターゲット:", "対象は"]
        .iter()
        .find_map(|cue| after(cue))
        .or_else(|| ["をターゲット", "向け", "に向けて"].iter().find_map(|cue| before(cue)))
        .filter(|people| (2..=30).contains(&people.chars().count()))
        .map(str::to_owned)
}

/// Sentences that say something about the thing rather than about the work.
pub(super) fn facts(prompt: &str) -> Vec<String> {
    const WORK: [&str; 18] = [
        "ください",
        "下さい",
        "ターゲット",
        "動画",
        "画像",
        "作成",
        "作って",
        "お願い",
        "向け",
        "したい",
        "雰囲気",
        "トーン",
        "秒",
        "希望",
        "対象",
        "避け",
        "使わない",
        "禁止",
    ];
    prompt
        .split(['。', '\n', '！'])
        .skip(1)
        .map(str::trim)
        .filter(|sentence| (4..=40).contains(&sentence.chars().count()))
        .filter(|sentence| !sentence.ends_with("たい") && !sentence.ends_with("たいです"))
        .filter(|sentence| !WORK.iter().any(|word| sentence.contains(word)))
        .map(|sentence| sentence.trim_end_matches("です").to_owned())
        .collect()
}

/// What a note asks to be mentioned.
pub(super) fn wished(note: &str) -> Option<String> {
    let cues = ["を入れて", "を追加", "を強調", "を加えて", "に触れて", "も入れて", "を伝えて"];
    cues.iter().find_map(|cue| {
        let (front, _) = note.split_once(cue)?;
        let wish = front.rsplit(['。', '、', '\n']).next()?.trim();
        let wish = ["であること", "なこと", "こと"]
            .iter()
            .find_map(|tail| wish.strip_suffix(tail))
            .unwrap_or(wish);
        (2..=40).contains(&wish.chars().count()).then(|| wish.to_owned())
    })
}

fn quoted(prompt: &str) -> Option<&str> {
    [('「', '」'), ('『', '』'), ('“', '”')].iter().find_map(|(open, close)| {
        let (_, rest) = prompt.split_once(*open)?;
        let (name, _) = rest.split_once(*close)?;
        (2..=24).contains(&name.chars().count()).then_some(name)
    })
}

/// `抹茶ラテの15秒動画` is about 抹茶ラテ.
fn without_form(noun: &str) -> &str {
    let mut noun = noun;
    while let Some(at) = noun.rfind('の') {
        let tail = noun.get(at + 'の'.len_utf8()..).unwrap_or("");
        if !is_form(tail) && !tail.ends_with('秒') {
            break;
        }
        noun = noun.get(..at).unwrap_or(noun);
    }
    noun
}

fn is_form(text: &str) -> bool {
    FORMS.iter().any(|form| text.ends_with(form))
}
