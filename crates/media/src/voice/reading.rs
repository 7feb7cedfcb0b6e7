//! How Japanese is read: kanji become kana, particles are spoken as they sound.
//!
//! espeak-ng 1.51 reads kana well and says "Chinese letter" for each kanji, so MeCab with the IPA
//! dictionary reads first. Its ninth feature is the pronunciation (`は` as ワ, `へ` as エ); see
//! <https://taku910.github.io/mecab/> ("出力フォーマット") for the placeholders used below.

use crate::{
    error::MediaError,
    scratch::Scratch,
    tool::{Limits, MECAB, Order, Tools, Watch, failed},
};

const LIMITS: Limits =
    Limits { wall_seconds: 30, cpu_seconds: 30, memory_bytes: 1 << 30, file_bytes: 1 << 20 };

/// The text in kana, words apart. Kana alone need no dictionary.
pub(super) fn read(
    tools: &Tools,
    text: &str,
    scratch: &Scratch,
    watch: &Watch,
) -> Result<String, MediaError> {
    let text: String = text.chars().map(plain).collect();
    if !text.chars().any(is_kanji) && tools.find(MECAB).is_err() {
        return Ok(text);
    }
    let order = Order {
        tool: MECAB,
        arguments: ["-F", "%f[0]\\t%f[1]\\t%m\\t%f[8]\\n", "-U", "?\\t?\\t%m\\t\\n", "-E", "\\n"]
            .map(str::to_owned)
            .to_vec(),
        folder: scratch.path(),
        limits: LIMITS,
    };
    let answer = tools.run(&order, watch, |stdin| {
        stdin.write_all(format!("{text}\n").as_bytes()).map_err(|e| failed(&order, &e.to_string()))
    })?;
    let answer = String::from_utf8(answer).map_err(|error| failed(&order, &error.to_string()))?;
    Ok(join(&answer))
}

/// MeCab's lines as one text: what leans on the word before stands without a space.
fn join(lines: &str) -> String {
    let mut text = String::new();
    let mut is_figure = false;
    for line in lines.lines() {
        let mut fields = line.split('\t');
        let (Some(class), Some(detail), Some(word)) = (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let sound = fields.next().filter(|sound| !sound.is_empty() && *sound != "*");
        let was_figure = is_figure;
        is_figure = word.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b',');
        let leans = matches!(class, "助詞" | "助動詞" | "記号")
            || matches!(detail, "接尾" | "非自立")
            || (was_figure && is_figure);
        if !leans && !text.is_empty() {
            text.push(' ');
        }
        if is_figure {
            text.push_str(word);
        } else {
            text.extend(sound.unwrap_or(word).chars().filter_map(spoken));
        }
    }
    text
}

/// Full-width letters and figures as those espeak-ng knows; MeCab is given them so too.
fn plain(c: char) -> char {
    match c {
        '！'..='～' => u32::from(c).checked_sub(0xFEE0).and_then(char::from_u32).unwrap_or(c),
        '　' => ' ',
        _ => c,
    }
}

/// What espeak-ng can say: ヲ sounds as オ; brackets and kanji without a known reading are left out.
fn spoken(c: char) -> Option<char> {
    match c {
        'ヲ' | 'を' => Some('オ'),
        '「' | '」' | '『' | '』' | '【' | '】' | '(' | ')' | '（' | '）' | '〈' | '〉' | '《'
        | '》' => None,
        c if is_kanji(c) => None,
        c => Some(c),
    }
}

fn is_kanji(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '々' | '〆')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(text: &str) -> String {
        let scratch = Scratch::new().unwrap();
        read(&Tools::default(), text, &scratch, &Watch::default()).unwrap()
    }

    #[test]
    fn a_sentence_is_read_as_it_sounds() {
        for (text, expected) in [
            ("これはコーヒーです。", "コレワ コーヒーデス。"),
            ("海へ行く。", "ウミエ イク。"),
            ("豆を届ける", "マメオ トドケル"),
            ("「朝」に", "アサニ"),
            ("１０日", "10ニチ"),
        ] {
            assert_eq!(reading(text).trim(), expected);
        }
    }

    #[test]
    fn no_kanji_is_left_over() {
        let text = "龘の秘密、々、髙橋さんと齋藤さん。";
        assert!(!reading(text).chars().any(is_kanji), "{}", reading(text));
    }

    #[test]
    fn kana_need_no_dictionary() {
        let scratch = Scratch::new().unwrap();
        let none = Tools::in_folders(Vec::new());
        let read = |text| read(&none, text, &scratch, &Watch::default());
        assert_eq!(read("かなだけ").unwrap(), "かなだけ");
        assert!(read("漢字").unwrap_err().to_string().contains("mecab-ipadic-utf8"));
    }
}
