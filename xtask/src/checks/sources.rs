//! Rules about our Rust: what may be said in which crate, and how much in one file.

use crate::rust::{Kind, Piece, identifiers, pieces};
use crate::tree::is_test;
use crate::{Offence, Tree};

/// Lines in a file that is not a test.
pub const LINES_MAX: usize = 500;

/// SQL is text of the journal and of nobody else.
pub fn sql_is_in_the_journal(tree: &Tree) -> Vec<Offence> {
    let mut offences = Vec::new();
    let others = tree
        .rust()
        .filter(|(path, _)| !path.starts_with("crates/journal/") && !path.starts_with("xtask/"));
    for (path, source) in others {
        let texts = pieces(source).into_iter().filter(|piece| piece.kind == Kind::Text);
        for piece in texts.filter(|piece| is_sql(piece.text)) {
            let advice = "ask the journal: add a typed question to crates/journal/src/query";
            offences.push(Offence::new(path, piece.line, "SQL outside the journal", advice));
        }
    }
    offences
}

/// Whether a text is a statement: two words of SQL, in capitals, in their order.
fn is_sql(text: &str) -> bool {
    const PAIRS: &[(&str, &str)] = &[
        ("SELECT", "FROM"),
        ("INSERT", "INTO"),
        ("UPDATE", "SET"),
        ("DELETE", "FROM"),
        ("CREATE", "TABLE"),
        ("CREATE", "INDEX"),
        ("ALTER", "TABLE"),
        ("DROP", "TABLE"),
    ];
    let words: Vec<&str> = text.split(|c: char| !c.is_ascii_alphabetic()).collect();
    PAIRS.iter().any(|(first, second)| {
        let at = words.iter().position(|word| word == first);
        at.is_some_and(|at| words.iter().skip(at).any(|word| word == second))
    })
}

/// Where a word is called as a function: `word(`, but not `fn word(`.
fn calls<'a>(piece: &Piece<'a>, names: &[&str]) -> Vec<(usize, &'a str)> {
    let mut found = Vec::new();
    for (offset, line) in piece.text.lines().enumerate() {
        for name in names {
            for (at, word) in line.match_indices(name) {
                let (before, after) = (&line[..at], &line[at + word.len()..]);
                let is_whole = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
                    && after.starts_with('(');
                if is_whole && !before.ends_with("fn ") {
                    found.push((piece.line + offset, word));
                }
            }
        }
    }
    found
}

/// Deciding is done behind the one door.
pub fn only_the_door_decides(tree: &Tree) -> Vec<Offence> {
    const MAY: &[&str] = &["crates/engine/", "crates/runtime/src/submit.rs", "xtask/"];
    let mut offences = Vec::new();
    for (path, source) in tree.rust() {
        if is_test(path) || MAY.iter().any(|may| path.starts_with(may)) {
            continue;
        }
        let code = pieces(source);
        let code = code.iter().filter(|piece| piece.kind == Kind::Code);
        for (line, name) in code.flat_map(|piece| calls(piece, &["decide", "advance"])) {
            let what = format!("`{name}(` outside the one door");
            let advice = "make a Command and hand it to Runtime::submit: there it is made durable";
            offences.push(Offence::new(path, line, what, advice));
        }
    }
    offences
}

/// The environment is read in one place.
pub fn only_the_configuration_reads_the_environment(tree: &Tree) -> Vec<Offence> {
    const MAY: &[&str] = &["crates/showrunner/src/config", "xtask/"];
    const READS: &[&str] = &["env::var", "env::vars", "env::var_os", "env::vars_os"];
    let mut offences = Vec::new();
    for (path, source) in tree.rust() {
        if is_test(path) || MAY.iter().any(|may| path.starts_with(may)) {
            continue;
        }
        for piece in pieces(source).iter().filter(|piece| piece.kind == Kind::Code) {
            for (offset, line) in piece.text.lines().enumerate() {
                let reads = READS.iter().any(|read| line.contains(&format!("{read}(")));
                if reads {
                    let advice =
                        "take it as a value: the binary's config reads it and hands it down";
                    let line = piece.line + offset;
                    offences.push(Offence::new(path, line, "reads the environment", advice));
                }
            }
        }
    }
    offences
}

/// HTTP clients are made where every address is judged, and for talking to our own server.
pub fn the_way_out_is_guarded(tree: &Tree) -> Vec<Offence> {
    const MAY: &[&str] = &[
        "crates/providers/",
        "crates/showrunner/src/client.rs",
        "crates/showrunner/src/commands/bench/",
        // It tries whether a locked-in process gets out.
        "crates/sandbox/src/bin/sandbox-probe.rs",
        "xtask/",
    ];
    const MAKES: &[&str] = &[
        "reqwest::Client",
        "reqwest::get",
        "Client::builder",
        "TcpStream::connect",
        "lookup_host",
        "to_socket_addrs",
    ];
    let mut offences = Vec::new();
    for (path, source) in tree.rust() {
        if is_test(path) || MAY.iter().any(|may| path.starts_with(may)) {
            continue;
        }
        for piece in pieces(source).iter().filter(|piece| piece.kind == Kind::Code) {
            for (offset, line) in piece.text.lines().enumerate() {
                if let Some(makes) = MAKES.iter().find(|makes| line.contains(*makes)) {
                    let what = format!("`{makes}` outside the guarded way out");
                    let advice =
                        "ask showrunner_providers::egress::Egress: it judges every address";
                    offences.push(Offence::new(path, piece.line + offset, what, advice));
                }
            }
        }
    }
    offences
}

/// `foo.rs` beside `foo/`: the name stays in the tab.
pub fn no_mod_files(tree: &Tree) -> Vec<Offence> {
    let mods = tree.rust().filter(|(path, _)| path.ends_with("/mod.rs"));
    let advice = "name it after its folder, beside the folder: foo.rs and foo/";
    mods.map(|(path, _)| Offence::new(path, 0, "a mod.rs", advice)).collect()
}

/// A file tells one story.
pub fn files_are_short(tree: &Tree) -> Vec<Offence> {
    let mut offences = Vec::new();
    for (path, source) in tree.rust().filter(|(path, _)| !is_test(path)) {
        let lines = lines_of(source);
        if lines > LINES_MAX {
            let what = format!("{lines} lines; {LINES_MAX} at most");
            let advice = "cut it where a second story begins";
            offences.push(Offence::new(path, 0, what, advice));
        }
    }
    offences
}

/// How long a file is, for the ratchet.
pub fn lines_of(source: &str) -> usize {
    source.lines().count()
}

/// What is left to do has a number under which it is remembered.
pub fn what_is_left_to_do_has_a_number(tree: &Tree) -> Vec<Offence> {
    let mut offences = Vec::new();
    for (path, text) in tree.files().filter(|(path, _)| !path.starts_with("xtask/")) {
        let mut look = |first_line: usize, text: &str| {
            for (offset, line) in text.lines().enumerate() {
                if let Some(word) = unnumbered(line) {
                    let what = format!("{word} without an issue number");
                    let advice = format!("write {word}(#12): what, or do it now");
                    offences.push(Offence::new(path, first_line + offset, what, advice));
                }
            }
        };
        if crate::tree::has_extension(path, "rs") {
            let comments = pieces(text).into_iter().filter(|piece| piece.kind == Kind::Comment);
            comments.for_each(|piece| look(piece.line, piece.text));
        } else if path != "Cargo.lock" {
            look(1, text);
        }
    }
    offences
}

fn unnumbered(line: &str) -> Option<&'static str> {
    ["TODO", "FIXME"].into_iter().find(|word| {
        line.match_indices(word).any(|(at, _)| {
            let (before, after) = (&line[..at], &line[at + word.len()..]);
            let is_word = !before.ends_with(char::is_alphanumeric)
                && !after.starts_with(char::is_alphanumeric);
            let number = after.strip_prefix("(#").and_then(|rest| rest.split(')').next());
            is_word && number.is_none_or(|number| number.parse::<u32>().is_err())
        })
    })
}

/// Every crate says what it owns: a README, or the documentation of its root.
pub fn every_crate_introduces_itself(tree: &Tree) -> Vec<Offence> {
    let manifests = tree.files().filter(|(path, _)| path.ends_with("/Cargo.toml"));
    let silent = manifests.filter(|(path, _)| {
        let folder = path.trim_end_matches("/Cargo.toml");
        let root = ["lib.rs", "main.rs"]
            .iter()
            .find_map(|root| tree.get(&format!("{folder}/src/{root}")))
            .unwrap_or_default();
        let is_introduced = root.starts_with("#![doc") || documented(root) >= 40;
        !is_introduced && !tree.has(&format!("{folder}/README.md"))
    });
    let advice =
        "write a README.md, or begin its root with //!: what it owns, and what it does not";
    silent
        .map(|(path, _)| Offence::new(path, 0, "a crate that does not say what it is", advice))
        .collect()
}

/// How many characters of documentation a root begins with.
fn documented(root: &str) -> usize {
    root.lines().map_while(|line| line.strip_prefix("//!")).map(str::len).sum()
}

/// Names in code that are not said here; see the glossary.
pub fn identifiers_of(source: &str) -> Vec<(usize, String)> {
    let code = pieces(source);
    let code = code.iter().filter(|piece| piece.kind == Kind::Code);
    code.flat_map(identifiers).map(|(line, word)| (line, word.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::{
        every_crate_introduces_itself, files_are_short, no_mod_files,
        only_the_configuration_reads_the_environment, only_the_door_decides, sql_is_in_the_journal,
        the_way_out_is_guarded, what_is_left_to_do_has_a_number,
    };
    use crate::Tree;

    #[test]
    fn sql_is_found_across_lines_and_prose_is_not_sql() {
        let source =
            "let a = \"SELECT id\n FROM runs\";\nlet b = \"Select a picture from the list\";";
        let found = sql_is_in_the_journal(&Tree::of(&[("crates/web/src/a.rs", source)]));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 1);
        assert!(
            sql_is_in_the_journal(&Tree::of(&[("crates/journal/src/a.rs", source)])).is_empty()
        );
    }

    #[test]
    fn nobody_goes_out_beside_the_guard() {
        let source = "// reqwest::Client\nlet a = reqwest::Client::new();";
        let found = |path| the_way_out_is_guarded(&Tree::of(&[(path, source)])).len();
        assert_eq!(found("crates/web/src/a.rs"), 1);
        assert_eq!(found("crates/providers/src/egress/client.rs"), 0);
        assert_eq!(found("crates/web/tests/a.rs"), 0);
    }

    #[test]
    fn nobody_decides_beside_the_door() {
        let source =
            "fn decide() {}\n// decide( nothing )\nlet x = engine::advance(run, command, at);";
        let found = |path| only_the_door_decides(&Tree::of(&[(path, source)])).len();
        assert_eq!(found("crates/web/src/a.rs"), 1);
        assert_eq!(found("crates/runtime/src/submit.rs"), 0);
        assert_eq!(found("crates/runtime/tests/a.rs"), 0);
    }

    #[test]
    fn the_environment_is_read_by_the_configuration() {
        let source = "let home = std::env::var(\"HOME\");";
        let found =
            |path| only_the_configuration_reads_the_environment(&Tree::of(&[(path, source)])).len();
        assert_eq!(found("crates/web/src/a.rs"), 1);
        assert_eq!(found("crates/showrunner/src/config/terminal.rs"), 0);
    }

    #[test]
    fn long_files_and_mod_files_are_found() {
        let long = "// line\n".repeat(501);
        let tree = Tree::of(&[("crates/a/src/mod.rs", &long), ("crates/a/tests/b.rs", &long)]);
        assert_eq!(files_are_short(&tree).len(), 1);
        assert_eq!(no_mod_files(&tree).len(), 1);
    }

    #[test]
    fn what_is_left_to_do_is_numbered() {
        let found = |text| what_is_left_to_do_has_a_number(&Tree::of(&[("a.md", text)])).len();
        assert_eq!(found("FIXME: later"), 1);
        assert_eq!(found("TODO(#12): later"), 0);
        assert_eq!(found("MASTODON"), 0);
    }

    #[test]
    fn a_crate_says_what_it_is() {
        let short = [("crates/a/Cargo.toml", ""), ("crates/a/src/lib.rs", "//! a\npub mod b;")];
        assert_eq!(every_crate_introduces_itself(&Tree::of(&short)).len(), 1);
        let long = [
            ("crates/a/Cargo.toml", ""),
            ("crates/a/src/lib.rs", "//! The letters of the alphabet, in their order.\n"),
        ];
        assert!(every_crate_introduces_itself(&Tree::of(&long)).is_empty());
    }
}
