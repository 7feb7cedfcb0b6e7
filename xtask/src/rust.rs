//! As much of Rust as the checks need: what is code, what is text, what is a comment.

/// What a piece of a source file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Everything else.
    Code,
    /// The inside of a string literal.
    Text,
    /// A comment, documentation included.
    Comment,
}

/// A piece of a source file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// What it is.
    pub kind: Kind,
    /// The line it begins on, from 1.
    pub line: usize,
    /// As written.
    pub text: &'a str,
}

/// Cuts a source file into code, texts and comments.
pub fn pieces(source: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let (mut at, mut line, mut code_from, mut code_line) = (0, 1, 0, 1);
    while at < source.len() {
        let rest = &source[at..];
        let Some((kind, before, length, after)) = special(source, at) else {
            let step = rest.chars().next().map_or(1, char::len_utf8);
            line += usize::from(rest.starts_with('\n'));
            at += step;
            continue;
        };
        if code_from < at {
            found.push(Piece { kind: Kind::Code, line: code_line, text: &source[code_from..at] });
        }
        let text = &rest[before..before + length];
        found.push(Piece { kind, line, text });
        line += rest[..before + length + after].matches('\n').count();
        at += before + length + after;
        (code_from, code_line) = (at, line);
    }
    if code_from < source.len() {
        found.push(Piece { kind: Kind::Code, line: code_line, text: &source[code_from..] });
    }
    // A character literal is code with nothing in it that anybody looks for.
    found.retain(|piece| !piece.text.is_empty());
    found
}

/// A comment, string or character that begins at `at`: its kind, and the lengths of what is before,
/// inside and behind it.
fn special(source: &str, at: usize) -> Option<(Kind, usize, usize, usize)> {
    let rest = &source[at..];
    if rest.starts_with("//") {
        return Some((Kind::Comment, 0, rest.find('\n').unwrap_or(rest.len()), 0));
    }
    if rest.starts_with("/*") {
        return Some((Kind::Comment, 0, nested_comment(rest), 0));
    }
    if let Some(inside) = rest.strip_prefix('"') {
        let length = until_quote(inside);
        return Some((Kind::Text, 1, length, usize::from(1 + length < rest.len())));
    }
    let is_inside_word = source[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    if !is_inside_word && (rest.starts_with('r') || rest.starts_with("br")) {
        let start = rest.find('r')? + 1;
        let hashes = rest[start..].bytes().take_while(|&byte| byte == b'#').count();
        if rest[start + hashes..].starts_with('"') {
            let before = start + hashes + 1;
            let end = format!("\"{}", "#".repeat(hashes));
            let length = rest[before..].find(&end).unwrap_or(rest.len() - before);
            return Some((Kind::Text, before, length, end.len().min(rest.len() - before - length)));
        }
    }
    if rest.starts_with('\'') {
        return character(rest).map(|length| (Kind::Code, length, 0, 0));
    }
    None
}

fn nested_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

fn until_quote(inside: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in inside.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at,
            _ => {},
        }
    }
    inside.len()
}

/// The length of a character literal; `None` for a lifetime.
fn character(rest: &str) -> Option<usize> {
    let mut chars = rest.char_indices().skip(1);
    let (_, first) = chars.next()?;
    if first == '\\' {
        let end = rest[2..].char_indices().skip(1).find(|&(_, c)| c == '\'')?;
        return Some(2 + end.0 + 1);
    }
    let (at, second) = chars.next()?;
    (second == '\'').then_some(at + 1)
}

/// The identifiers of a piece of code, each with its line.
pub fn identifiers<'a>(piece: &Piece<'a>) -> Vec<(usize, &'a str)> {
    let mut found = Vec::new();
    for (offset, line) in piece.text.lines().enumerate() {
        let words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
        let words = words.filter(|word| word.starts_with(|c: char| c.is_alphabetic() || c == '_'));
        found.extend(words.map(|word| (piece.line + offset, word)));
    }
    found
}

/// The words of an identifier, in small letters: `ThrowawayPostgres` is two.
pub fn words_of(identifier: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut was_small = false;
    for c in identifier.chars() {
        if c == '_' {
            words.push(String::new());
        } else if c.is_uppercase() && was_small || words.is_empty() {
            words.push(c.to_lowercase().collect());
        } else if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
        was_small = c.is_lowercase() || c.is_numeric();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::{Kind, identifiers, pieces, words_of};

    fn of_kind(source: &str, kind: Kind) -> Vec<(usize, &str)> {
        let found = pieces(source).into_iter().filter(|piece| piece.kind == kind);
        found.map(|piece| (piece.line, piece.text)).collect()
    }

    #[test]
    fn texts_comments_and_code_are_told_apart() {
        let source = "let a = \"x // \\\" y\"; // why \"not\"\nlet b = r#\"raw \" text\"#;\n/* a /* b */ c */ let c = 'd';\n";
        assert_eq!(of_kind(source, Kind::Text), [(1, "x // \\\" y"), (2, "raw \" text")]);
        assert_eq!(
            of_kind(source, Kind::Comment),
            [(1, "// why \"not\""), (3, "/* a /* b */ c */")]
        );
    }

    #[test]
    fn lifetimes_and_quoted_quotes_begin_no_text() {
        let source =
            "fn f<'a>(x: &'a str) -> char { if x == \"é\" { '\"' } else { '\\'' } } // end";
        assert_eq!(of_kind(source, Kind::Text), [(1, "é")]);
        assert_eq!(of_kind(source, Kind::Comment), [(1, "// end")]);
    }

    #[test]
    fn identifiers_know_their_lines_and_words() {
        let source = "let two = 2;\nstruct ThrowawayPostgres;";
        let code = pieces(source);
        assert_eq!(identifiers(&code[0])[3], (2, "ThrowawayPostgres"));
        assert_eq!(words_of("ThrowawayPostgres"), ["throwaway", "postgres"]);
        assert_eq!(words_of("SEQ_LAST_max"), ["seq", "last", "max"]);
    }
}
