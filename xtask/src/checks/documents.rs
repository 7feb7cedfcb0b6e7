//! What is written for people keeps up with the code, and with itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};

use crate::tree::has_extension;
use crate::{Offence, Tree};

const CODES: &str = "crates/web/src/problem/codes.rs";
const COMMANDS: &str = "crates/showrunner/src/commands.rs";
/// What commands begin with.
const PROGRAM: &str = "showrunner ";
/// Reference pages that must be there.
const REFERENCES: &[&str] = &["docs/reference/definitions.md", "docs/reference/transitions.md"];

/// Every problem code has its page, and every page its code.
pub fn every_code_has_a_page(tree: &Tree) -> Vec<Offence> {
    let table = tree.get(CODES).unwrap_or_default();
    let codes: BTreeMap<&str, usize> = (1..)
        .zip(table.lines())
        .filter_map(|(number, line)| Some((code_of(line)?, number)))
        .collect();
    if codes.is_empty() {
        let advice =
            "the table has another form now: teach xtask/src/checks/documents.rs to read it";
        return vec![Offence::new(CODES, 0, "no codes were found", advice)];
    }
    let page = |code: &str| format!("docs/errors/{code}.md");
    let pageless = codes.iter().filter(|(code, _)| !tree.has(&page(code))).map(|(code, line)| {
        let advice = format!("write {}: what happened, why, what to do", page(code));
        Offence::new(CODES, *line, format!("{code} has no page"), advice)
    });
    let pages = tree.files().filter_map(|(path, text)| {
        let code = path.strip_prefix("docs/errors/")?.strip_suffix(".md")?;
        Some((path, code, text))
    });
    let strays = pages.filter_map(|(path, code, text)| {
        if !codes.contains_key(code) {
            let advice = format!("delete it, or add {code} to {CODES}");
            return Some(Offence::new(path, 0, "a page about a code that does not exist", advice));
        }
        let advice = "begin with `# ` and the title, then what happened, why, what to do";
        (!text.starts_with("# ")).then(|| Offence::new(path, 1, "a page without a title", advice))
    });
    pageless.chain(strays).collect()
}

/// The code of a line like `RUN_STATE "run_state" 409 "…";`.
fn code_of(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    let (name, code, status) = (words.next()?, words.next()?, words.next()?);
    let is_name = name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let code = code.strip_prefix('"')?.strip_suffix('"')?;
    (is_name && status.parse::<u16>().is_ok()).then_some(code)
}

/// The pages that the code's own texts point to are there.
pub fn references_exist(tree: &Tree) -> Vec<Offence> {
    let missing = REFERENCES.iter().filter(|page| !tree.has(page));
    let advice = "restore or generate it; the READMEs and the error texts point there";
    missing.map(|page| Offence::new(page, 0, "a reference page is missing", advice)).collect()
}

/// What must be the same in both languages: levels of headings, and blocks of code.
#[derive(Debug, PartialEq, Eq)]
enum Mark {
    Heading(usize),
    Code(String),
}

/// The skeleton of a text: its headings' levels and its code blocks, with their lines.
fn skeleton(text: &str) -> Vec<(usize, Mark)> {
    let mut marks = Vec::new();
    let mut block: Option<(usize, String)> = None;
    for (number, line) in (1..).zip(text.lines()) {
        match (&mut block, line.starts_with("```")) {
            (None, true) => block = Some((number, format!("{line}\n"))),
            (Some((from, code)), true) => {
                marks.push((*from, Mark::Code(std::mem::take(code))));
                block = None;
            },
            (Some((_, code)), false) => {
                code.push_str(line);
                code.push('\n');
            },
            (None, false) => {
                let level = line.bytes().take_while(|&byte| byte == b'#').count();
                if level > 0 && line.as_bytes().get(level) == Some(&b' ') {
                    marks.push((number, Mark::Heading(level)));
                }
            },
        }
    }
    marks
}

/// The READMEs of both languages say the same.
pub fn readmes_agree(tree: &Tree) -> Vec<Offence> {
    const PAIR: [&str; 2] = ["README.md", "README.ja.md"];
    let [Some(english), Some(japanese)] = PAIR.map(|file| tree.get(file)) else {
        return vec![Offence::new(PAIR[1], 0, "a README is missing", "write both, in step")];
    };
    let (english, japanese) = (skeleton(english), skeleton(japanese));
    let differs = english.iter().zip(&japanese).find(|((_, one), (_, other))| one != other);
    let advice = "the same headings in the same order, and the same commands and outputs, in both";
    if let Some(((one, _), (other, _))) = differs {
        let what = format!("differs from {} line {one}", PAIR[0]);
        return vec![Offence::new(PAIR[1], *other, what, advice)];
    }
    if english.len() != japanese.len() {
        let what =
            format!("{} headings and blocks, {} has {}", japanese.len(), PAIR[0], english.len());
        return vec![Offence::new(PAIR[1], 0, what, advice)];
    }
    Vec::new()
}

/// Decisions are numbered, each number once, and the title says it.
pub fn decisions_are_numbered(tree: &Tree) -> Vec<Offence> {
    let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
    let mut offences = Vec::new();
    for (path, text) in tree.files() {
        let Some(name) = path.strip_prefix("docs/decisions/") else { continue };
        let number = name.get(..4).filter(|number| number.bytes().all(|b| b.is_ascii_digit()));
        let Some(number) = number.filter(|_| name.get(4..5) == Some("-")) else {
            let advice = "name it NNNN-what-was-decided.md";
            offences.push(Offence::new(path, 0, "a decision without a number", advice));
            continue;
        };
        if let Some(other) = taken.insert(number, path) {
            let advice = "take the next free number";
            offences.push(Offence::new(path, 0, format!("{other} has this number too"), advice));
        }
        if !text.starts_with(&format!("# {number}: ")) {
            let advice = format!("begin with `# {number}: ` and what was decided");
            offences.push(Offence::new(path, 1, "the title does not say the number", advice));
        }
    }
    offences
}

/// Links between documents lead somewhere.
pub fn links_lead_somewhere(tree: &Tree) -> Vec<Offence> {
    let mut offences = Vec::new();
    for (path, text) in tree.files().filter(|(path, _)| has_extension(path, "md")) {
        let mut is_code = false;
        for (number, line) in (1..).zip(text.lines()) {
            is_code ^= line.starts_with("```");
            if is_code {
                continue;
            }
            for target in links(line) {
                let file = target.split('#').next().unwrap_or_default();
                if file.is_empty() || file.contains("://") || file.starts_with("mailto:") {
                    continue;
                }
                let there = beside(path, file);
                if !there.as_deref().is_some_and(|there| tree.has(there)) {
                    let advice =
                        "mend the link: relative to this file, to something that is tracked";
                    offences.push(Offence::new(
                        path,
                        number,
                        format!("a dead link: {target}"),
                        advice,
                    ));
                }
            }
        }
    }
    offences
}

/// The targets of `[text](target)` in a line.
fn links(line: &str) -> Vec<&str> {
    line.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect()
}

/// The path from the root of what `target` names beside `file`.
fn beside(file: &str, target: &str) -> Option<String> {
    let folder = Path::new(file).parent()?;
    let mut parts: Vec<&str> = Vec::new();
    let joined = folder.join(target);
    for component in joined.components() {
        match component {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::ParentDir => drop(parts.pop()?),
            Component::CurDir => {},
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

/// What the documents tell people to type after `make` can be typed.
pub fn make_knows_what_is_typed(tree: &Tree) -> Vec<Offence> {
    let makefile = tree.get("Makefile").unwrap_or_default();
    let targets: BTreeSet<&str> =
        makefile.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name).collect();
    let mut offences = Vec::new();
    for (path, text) in tree.files().filter(|(path, _)| has_extension(path, "md")) {
        for (number, line) in (1..).zip(text.lines()) {
            let spans =
                line.split('`').skip(1).step_by(2).chain(line.starts_with("make ").then_some(line));
            let typed = spans.filter_map(|span| span.strip_prefix("make "));
            for target in typed.filter_map(|rest| rest.split_whitespace().next()) {
                if !targets.contains(target) && !target.contains('=') {
                    let advice = "name a target of the Makefile; `make help` lists them";
                    offences.push(Offence::new(
                        path,
                        number,
                        format!("make does not know {target}"),
                        advice,
                    ));
                }
            }
        }
    }
    offences
}

/// What the documents tell people to type after `showrunner` can be typed.
pub fn showrunner_knows_what_is_typed(tree: &Tree) -> Vec<Offence> {
    let known = commands(tree.get(COMMANDS).unwrap_or_default());
    if known.is_empty() {
        let advice =
            "the list has another form now: teach xtask/src/checks/documents.rs to read it";
        return vec![Offence::new(COMMANDS, 0, "no commands were found", advice)];
    }
    let mut offences = Vec::new();
    for (path, text) in tree.files().filter(|(path, _)| has_extension(path, "md")) {
        for (number, line) in (1..).zip(text.lines()) {
            let typed = line.trim_start_matches("target/release/");
            let spans = line
                .split('`')
                .skip(1)
                .step_by(2)
                .chain(typed.starts_with(PROGRAM).then_some(typed));
            let words =
                spans.filter_map(|span| span.strip_prefix(PROGRAM)?.split_whitespace().next());
            let words = words.filter(|word| word.bytes().all(|byte| byte.is_ascii_lowercase()));
            for word in words.filter(|word| !known.contains(*word)) {
                let what = format!("showrunner has no command {word}");
                let advice = "name one that `showrunner --help` lists";
                offences.push(Offence::new(path, number, what, advice));
            }
        }
    }
    offences
}

/// The names of the variants of `enum Command`, as they are typed.
fn commands(source: &str) -> BTreeSet<String> {
    let body = source.lines().skip_while(|line| !line.contains("enum Command {")).skip(1);
    let variants = body.take_while(|line| *line != "}").filter_map(|line| {
        let name = line.strip_prefix("    ")?;
        name.starts_with(|c: char| c.is_ascii_uppercase()).then_some(name)
    });
    let word = |name: &str| name.chars().take_while(char::is_ascii_alphabetic).collect::<String>();
    variants.map(|name| word(name).to_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_pages_belong_together() {
        let tree = |pages: &[(&str, &str)]| {
            let mut files = vec![(CODES, "codes! {\n    RUN_STATE \"run_state\" 409 \"No\";\n}")];
            files.extend_from_slice(pages);
            every_code_has_a_page(&Tree::of(&files)).len()
        };
        assert_eq!(tree(&[("docs/errors/run_state.md", "# No\n")]), 0);
        assert_eq!(tree(&[("docs/errors/run_state.md", "No\n")]), 1);
        assert_eq!(tree(&[("docs/errors/other.md", "# No\n")]), 2);
        assert_eq!(every_code_has_a_page(&Tree::of(&[(CODES, "")])).len(), 1);
    }

    #[test]
    fn the_readmes_differ_in_words_only() {
        let compare = |ja: &str| {
            let en = "# A\ntext\n## B\n```\nmake run\n```\n";
            readmes_agree(&Tree::of(&[("README.md", en), ("README.ja.md", ja)]))
        };
        assert_eq!(compare("# あ\n## い\n本文\n```\nmake run\n```\n"), []);
        assert_eq!(compare("# あ\n## い\n```\nmake test\n```\n")[0].line, 3);
        assert_eq!(compare("# あ\n## い\n").len(), 1);
        assert_eq!(references_exist(&Tree::default()).len(), REFERENCES.len());
    }

    #[test]
    fn decisions_have_a_number_each() {
        let found = |files: &[(&str, &str)]| decisions_are_numbered(&Tree::of(files)).len();
        assert_eq!(found(&[("docs/decisions/0001-a.md", "# 0001: a\n")]), 0);
        assert_eq!(found(&[("docs/decisions/0001-a.md", "# a\n"), ("docs/decisions/b.md", "")]), 2);
        assert_eq!(
            found(&[
                ("docs/decisions/0001-a.md", "# 0001: a"),
                ("docs/decisions/0001-b.md", "# 0001: b")
            ]),
            1
        );
    }

    #[test]
    fn dead_links_and_unknown_targets_are_found() {
        let files =
            [("docs/a.md", "[b](../b.md#x) [c](c.md) [d](https://example.org)"), ("b.md", "")];
        assert_eq!(links_lead_somewhere(&Tree::of(&files)).len(), 1);
        let files = [("Makefile", "run: build\n"), ("a.md", "`make run` and `make coffee`\n")];
        assert_eq!(make_knows_what_is_typed(&Tree::of(&files)).len(), 1);
    }

    #[test]
    fn commands_that_do_not_exist_are_found() {
        let list = "pub(crate) enum Command {\n    /// Start\n    Serve(Box<A>),\n    Runs {\n        a: B,\n    },\n}\n";
        let found = |text| {
            showrunner_knows_what_is_typed(&Tree::of(&[(COMMANDS, list), ("a.md", text)])).len()
        };
        assert_eq!(found("`showrunner serve` and `showrunner runs list`, `showrunner --help`"), 0);
        assert_eq!(found("target/release/showrunner dance"), 1);
        assert_eq!(found("Try `showrunner dance`."), 1);
    }
}
