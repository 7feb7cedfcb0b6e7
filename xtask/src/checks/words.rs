//! One word, one meaning: what the glossary rules out occurs in no identifier.

use std::collections::BTreeMap;

use super::sources::identifiers_of;
use crate::rust::words_of;
use crate::{Offence, Tree};

const GLOSSARY: &str = "GLOSSARY.md";
/// The section whose list is read: each line begins with a word in backticks.
const SECTION: &str = "## Words that no identifier contains";
/// Names that others gave: crates, and what is in them.
const OTHERS: &[&str] = &["tokio_util", "futures_util", "Blob"];
/// Where a word is what it says elsewhere too: file, identifier, why.
const MEANT: &[(&str, &str, &str)] = &[
    ("crates/providers/src/scripted/plan/merge.rs", "common", "what two schemas have in common"),
    (
        "crates/providers/src/scripted/plan/merge.rs",
        "common_type",
        "what two schemas have in common",
    ),
    ("crates/media/src/scenes/radial.rs", "common", "a common divisor"),
    ("crates/showrunner/src/config/logs.rs", "util", "a path in tracing-subscriber"),
];

/// The ruled-out words, each with what is said instead.
fn ruled_out(glossary: &str) -> BTreeMap<String, String> {
    let section = glossary.lines().skip_while(|line| *line != SECTION).skip(1);
    let lines = section.take_while(|line| !line.starts_with("## "));
    let entry = |line: &str| {
        let (word, rest) = line.strip_prefix("- `")?.split_once('`')?;
        Some((word.to_owned(), rest.trim_start_matches(':').trim().to_owned()))
    };
    lines.filter_map(entry).collect()
}

/// No identifier of ours contains a word that the glossary rules out.
pub fn check(tree: &Tree) -> Vec<Offence> {
    let ruled_out = ruled_out(tree.get(GLOSSARY).unwrap_or_default());
    if ruled_out.is_empty() {
        let what = format!("no words under `{SECTION}`");
        return vec![Offence::new(GLOSSARY, 0, what, "list them: - `word`: what we say instead")];
    }
    let mut offences = Vec::new();
    for (path, source) in tree.rust() {
        let paths = std::iter::once((1, path.to_owned()));
        for (line, name) in identifiers_of(source).into_iter().chain(file_name(paths)) {
            let is_meant = OTHERS.contains(&name.as_str())
                || MEANT.iter().any(|(file, meant, _)| *file == path && *meant == name);
            let word = words_of(&name).into_iter().find(|word| ruled_out.contains_key(word));
            if let Some(word) = word.filter(|_| !is_meant) {
                let what = format!("`{name}` contains `{word}`");
                let instead = ruled_out.get(&word).cloned().unwrap_or_default();
                offences.push(Offence::new(path, line, what, format!("{GLOSSARY}: {instead}")));
            }
        }
    }
    offences
}

fn file_name(
    paths: impl Iterator<Item = (usize, String)>,
) -> impl Iterator<Item = (usize, String)> {
    paths.map(|(line, path)| {
        let name = path.rsplit('/').next().unwrap_or_default();
        (line, name.trim_end_matches(".rs").to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::Tree;

    const GLOSSARY: &str = "# G\n## Words that no identifier contains\n- `workflow`: definition or run\n- `util`: name it after what it does\n\n## More\n- `run`: fine\n";

    #[test]
    fn a_ruled_out_word_is_found_in_names_only() {
        let source = "//! A workflow is not said.\nuse tokio_util::sync;\nstruct WorkflowState; fn run() { let s = \"util\"; }";
        let tree = Tree::of(&[
            ("GLOSSARY.md", GLOSSARY),
            ("crates/a/src/b.rs", source),
            ("crates/a/src/util.rs", ""),
        ]);
        let found: Vec<String> = check(&tree).into_iter().map(|o| o.to_string()).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("crates/a/src/b.rs:3: `WorkflowState` contains `workflow`"));
    }

    #[test]
    fn a_glossary_without_the_list_is_noticed() {
        assert_eq!(check(&Tree::of(&[("GLOSSARY.md", "# G\n")])).len(), 1);
    }
}
