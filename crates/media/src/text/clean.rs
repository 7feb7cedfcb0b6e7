//! Untrusted text made fit to be measured, set and described.

/// Drops what cannot be seen or would disturb the line (controls, bidirectional overrides,
/// zero-width and private characters), folds white space, and shortens to `max` characters.
pub(crate) fn clean(text: &str, max: usize) -> String {
    let mut out = String::new();
    let mut pending_space = false;
    let mut count = 0;
    for ch in text.chars() {
        if ch.is_whitespace() {
            pending_space = count > 0;
            continue;
        }
        if is_unwanted(ch) {
            continue;
        }
        if count + usize::from(pending_space) >= max {
            break;
        }
        if pending_space {
            out.push(' ');
            count += 1;
            pending_space = false;
        }
        out.push(ch);
        count += 1;
    }
    out
}

fn is_unwanted(ch: char) -> bool {
    ch.is_control()
        || matches!(ch,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{180E}'
            | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFF0}'..='\u{FFFF}'
            | '\u{E000}'..='\u{F8FF}' | '\u{E0000}'..='\u{10FFFF}')
}

/// Shortens to `max` characters and says so with an ellipsis.
pub(crate) fn shorten(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(max.saturating_sub(1)).collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_can_see_is_gone() {
        assert_eq!(clean("a\u{0}\u{200B}b\u{202E}c\u{FEFF}", 9), "abc");
        assert_eq!(clean(" \t\n ", 9), "");
        assert_eq!(clean("  朝の \n\n 珈琲　店 ", 99), "朝の 珈琲 店");
        assert_eq!(clean(&"あ".repeat(10_000), 50).chars().count(), 50);
    }

    #[test]
    fn shortening_is_visible() {
        assert_eq!(shorten("abc", 3), "abc");
        assert_eq!(shorten("ab cd", 4), "ab…");
    }
}
