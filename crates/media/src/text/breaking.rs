//! Where a line may end: between phrases in Japanese, between words elsewhere.

use budouy::Parser;

/// May not begin a line (kinsoku): closing marks, small kana, long-vowel and iteration marks.
const NEVER_FIRST: &str = "、。，．・：；？！?!,.:;)]}»）］｝〉》」』】〕〗〙’”…‥ー〜～々ゝゞヽヾ\
                           ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶ％%℃゛゜";
/// May not end a line: opening marks and currency signs.
const NEVER_LAST: &str = "([{«（［｛〈《「『【〔〖〘‘“¥￥$＄#＃";

/// A piece of text that stays on one line while it fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    /// A space stands before it when it is not first in its line.
    pub(crate) is_spaced: bool,
}

/// Cuts text into pieces at every place where a line may end.
pub(crate) fn pieces(text: &str, phrases: &Parser) -> Vec<Piece> {
    let mut out = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let parts = if word.chars().any(is_cjk) {
            keep_rules(phrases.parse(word))
        } else {
            vec![word.to_owned()]
        };
        for (i, text) in parts.into_iter().enumerate() {
            out.push(Piece { text, is_spaced: i == 0 && !out.is_empty() });
        }
    }
    out
}

/// Cuts a piece that is too wide for any line between characters, still keeping the rules.
pub(crate) fn shatter(piece: &Piece) -> Vec<Piece> {
    let characters = piece.text.chars().map(String::from).collect();
    keep_rules(characters)
        .into_iter()
        .enumerate()
        .map(|(i, text)| Piece { text, is_spaced: piece.is_spaced && i == 0 })
        .collect()
}

/// Joins parts wherever a break between them would break a rule.
fn keep_rules(parts: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::with_capacity(parts.len());
    for part in parts {
        match out.last_mut() {
            Some(last) if must_stay_together(last, &part) => last.push_str(&part),
            _ => out.push(part),
        }
    }
    out
}

fn must_stay_together(before: &str, after: &str) -> bool {
    let (Some(end), Some(start)) = (before.chars().last(), after.chars().next()) else {
        return true;
    };
    NEVER_FIRST.contains(start) || NEVER_LAST.contains(end) || (is_run(end) && is_run(start))
}

/// Digits and Latin letters inside Japanese: `2026` or `AI` are never cut.
fn is_run(ch: char) -> bool {
    ch.is_ascii_alphanumeric() || matches!(ch, '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ')
}

/// Kana, kanji and full-width forms.
pub(crate) fn is_cjk(ch: char) -> bool {
    matches!(ch, '\u{2E80}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{FF00}'..='\u{FFEF}'
        | '\u{20000}'..='\u{3FFFF}')
}

/// A good place to pause: a line that ends here reads well.
pub(crate) fn is_pause(text: &str) -> bool {
    text.ends_with(['、', '。', ',', '.', '！', '？', '!', '?', '：', ':', '…', '」'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let parser = budouy::model::load_default_japanese_parser();
        let cut: Vec<String> = pieces(text, &parser)
            .into_iter()
            .map(|piece| if piece.is_spaced { format!("_{}", piece.text) } else { piece.text })
            .collect();
        assert_eq!(cut.join("|"), expected);
    }

    #[test]
    fn japanese_breaks_between_phrases() {
        check("今日は良い天気です。", "今日は|良い|天気です。");
        check("朝の一杯が、一日を変える。", "朝の|一杯が、|一日を|変える。");
        check("桜の季節に会いましょう", "桜の|季節に|会いましょう");
        check("「生成AI」で動画制作を自動化する", "「生成AI」で|動画制作を|自動化する");
    }

    #[test]
    fn words_break_at_spaces_only() {
        check("Coffee, brewed slowly", "Coffee,|_brewed|_slowly");
        check("Tokyo 2026 夏の祭典", "Tokyo|_2026|_夏の|祭典");
    }

    #[test]
    fn no_piece_of_a_shattered_phrase_begins_or_ends_against_the_rules() {
        for text in [
            "コーヒーっっっ、。」「（あ）ー",
            "スーパーカー2026年「新」発売！！",
            "ちょっと待ってぇー",
        ] {
            for piece in shatter(&Piece { text: text.to_owned(), is_spaced: false }).iter().skip(1)
            {
                let first = piece.text.chars().next().unwrap();
                assert!(!NEVER_FIRST.contains(first), "{text}: a line may begin with {first}");
            }
        }
    }
}
