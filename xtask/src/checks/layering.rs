//! Who may know whom. Each crate is one prohibition; this is where they are written down.

use std::collections::BTreeMap;

use crate::tree::has_extension;
use crate::{Offence, Tree};

/// A crate of ours: its folder, and which of ours it may depend on (for its tests: as well).
struct Layer {
    folder: &'static str,
    may: &'static [&'static str],
    tests_may: &'static [&'static str],
}

const LAYERS: &[Layer] = &[
    Layer { folder: "crates/engine", may: &[], tests_may: &[] },
    Layer { folder: "crates/media", may: &[], tests_may: &[] },
    Layer { folder: "crates/sandbox", may: &[], tests_may: &[] },
    Layer { folder: "crates/providers", may: &["engine"], tests_may: &["testkit"] },
    Layer { folder: "crates/journal", may: &["engine"], tests_may: &["testkit"] },
    Layer {
        folder: "crates/runtime",
        may: &["engine", "journal", "providers", "media", "sandbox"],
        tests_may: &["testkit"],
    },
    Layer {
        folder: "crates/web",
        may: &["engine", "journal", "runtime", "providers"],
        tests_may: &["testkit", "media"],
    },
    Layer {
        folder: "crates/packs",
        may: &["engine", "journal", "runtime", "web"],
        tests_may: &["providers", "testkit", "media"],
    },
    Layer {
        folder: "crates/showrunner",
        may: &["engine", "media", "sandbox", "journal", "providers", "runtime", "web", "packs"],
        tests_may: &["testkit"],
    },
    Layer {
        folder: "testkit",
        may: &["engine", "journal", "providers", "runtime", "media", "web", "packs"],
        tests_may: &[],
    },
    Layer { folder: "xtask", may: &[], tests_may: &[] },
];

/// All that the engine may be built from. No clock, no randomness, no I/O, no async among them.
const ENGINE_MAY: &[&str] = &[
    "serde",
    "serde_json",
    "serde-saphyr",
    "jsonschema",
    "indexmap",
    "thiserror",
    "sha2",
    "jiff",
    "regex",
];

/// Crates that only these may use, and why.
const ONLY: &[(&str, &[&str], &str)] = &[
    ("rusqlite", &["crates/journal"], "the journal is the only crate with SQL"),
    ("tokio-postgres", &["crates/journal", "testkit"], "the journal is the only crate with SQL"),
    (
        "reqwest",
        &["crates/providers", "crates/showrunner"],
        "vendors are called by providers, our own server by the command line, nobody else speaks HTTP",
    ),
    ("axum", &["crates/web", "crates/packs", "crates/showrunner"], "surfaces are in web and packs"),
    ("maud", &["crates/web", "crates/packs"], "screens are in web and packs"),
    ("clap", &["crates/showrunner"], "the command line is in the binary"),
    ("resvg", &["crates/media"], "pixels are made in media"),
    ("image", &["crates/media"], "pixels are made in media"),
    ("rquickjs", &["crates/sandbox"], "code of authors runs in processes that can be killed"),
    ("minijinja", &["crates/sandbox"], "code of authors runs in processes that can be killed"),
];

/// Names under which everything ends up that belongs nowhere.
const TIDE_POOLS: &[&str] =
    &["common", "util", "utils", "types", "shared", "misc", "helpers", "core"];

/// The crates that a manifest names, by section: `dependencies`, `dev-dependencies`.
fn dependencies(manifest: &str) -> BTreeMap<String, Vec<(usize, String)>> {
    let mut sections: BTreeMap<String, Vec<(usize, String)>> = BTreeMap::new();
    let mut section = String::new();
    for (number, line) in (1..).zip(manifest.lines()) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            name.clone_into(&mut section);
            continue;
        }
        let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
        let is_entry = !name.is_empty() && !name.starts_with('#') && line.contains('=');
        if is_entry {
            sections.entry(section.clone()).or_default().push((number, name.to_owned()));
        }
    }
    sections
}

/// Every crate keeps to its layer, and no crate is a place for everything.
pub fn check(tree: &Tree) -> Vec<Offence> {
    let mut offences = Vec::new();
    for (path, manifest) in tree.files().filter(|(path, _)| path.ends_with("/Cargo.toml")) {
        let folder = path.trim_end_matches("/Cargo.toml");
        let name = folder.rsplit('/').next().unwrap_or(folder);
        if TIDE_POOLS.contains(&name) {
            let advice = "put each thing where it gets its meaning; a crate is one prohibition";
            offences.push(Offence::new(path, 0, format!("a crate named {name}"), advice));
        }
        let Some(layer) = LAYERS.iter().find(|layer| layer.folder == folder) else {
            let advice = "say in xtask/src/checks/layering.rs what it may depend on, and in ARCHITECTURE.md which prohibition it is";
            offences.push(Offence::new(path, 0, "a crate without a place in the layers", advice));
            continue;
        };
        for (section, entries) in dependencies(manifest) {
            let is_dev = section == "dev-dependencies";
            if is_dev || section == "dependencies" {
                check_entries(path, layer, is_dev, &entries, &mut offences);
            }
        }
    }
    offences
}

fn check_entries(
    path: &str,
    layer: &Layer,
    is_dev: bool,
    entries: &[(usize, String)],
    offences: &mut Vec<Offence>,
) {
    for (line, name) in entries {
        let ours = name.strip_prefix("showrunner-");
        let allowed =
            |ours: &str| layer.may.contains(&ours) || is_dev && layer.tests_may.contains(&ours);
        if ours.is_some_and(|ours| !allowed(ours)) {
            let what = format!("{} may not depend on {name}", layer.folder);
            let advice = "dependencies point down only: turn the call round, or move the code to the layer that may";
            offences.push(Offence::new(path, *line, what, advice));
        }
        if is_dev {
            continue;
        }
        if layer.folder == "crates/engine" && ours.is_none() && !ENGINE_MAY.contains(&name.as_str())
        {
            let what = format!("the engine may not depend on {name}");
            let advice = "the engine is pure; take values in instead, or add it to ENGINE_MAY with a decision in docs/decisions";
            offences.push(Offence::new(path, *line, what, advice));
        }
        let only = ONLY.iter().find(|(only, _, _)| only == name);
        if let Some((_, who, why)) = only.filter(|(_, who, _)| !who.contains(&layer.folder)) {
            let what = format!("{} may not use {name}: {why}", layer.folder);
            let advice = format!("ask one of {} to do it", who.join(", "));
            offences.push(Offence::new(path, *line, what, advice));
        }
    }
}

/// Words that would make the engine ask the world for something.
const IMPURE: &[(&str, &str)] = &[
    ("async", "the engine is a function; the runtime waits"),
    ("tokio", "the engine is a function; the runtime waits"),
    ("SystemTime", "time is a value: `At::now`"),
    ("HashMap", "its order differs from process to process: BTreeMap or IndexMap"),
    ("HashSet", "its order differs from process to process: BTreeSet or IndexSet"),
    ("getrandom", "randomness is a value: `At::bits`"),
];

/// The engine's code names nothing that would make it impure.
pub fn engine_is_pure(tree: &Tree) -> Vec<Offence> {
    let mut offences = Vec::new();
    let ours = tree.files().filter(|(path, _)| {
        path.starts_with("crates/engine/src/")
            && has_extension(path, "rs")
            && !crate::tree::is_test(path)
    });
    for (path, source) in ours {
        let code = crate::rust::pieces(source);
        let code = code.iter().filter(|piece| piece.kind == crate::rust::Kind::Code);
        for (line, word) in code.flat_map(crate::rust::identifiers) {
            if let Some((_, why)) = IMPURE.iter().find(|(impure, _)| *impure == word) {
                offences.push(Offence::new(path, line, format!("`{word}` in the engine"), *why));
            }
        }
    }
    offences
}

#[cfg(test)]
mod tests {
    use super::{check, engine_is_pure};
    use crate::Tree;

    fn found(path: &str, manifest: &str) -> Vec<String> {
        check(&Tree::of(&[(path, manifest)])).into_iter().map(|o| o.to_string()).collect()
    }

    #[test]
    fn dependencies_point_down() {
        let up = "[dependencies]\nserde.workspace = true\nshowrunner-runtime.workspace = true\n";
        assert!(
            found("crates/journal/Cargo.toml", up)[0]
                .contains("Cargo.toml:3: crates/journal may not depend on showrunner-runtime")
        );
        let down = "[dependencies]\nshowrunner-journal.workspace = true\n[dev-dependencies]\nshowrunner-testkit.workspace = true\n";
        assert_eq!(found("crates/runtime/Cargo.toml", down), [""; 0]);
        let leaked = "[dependencies]\nshowrunner-testkit.workspace = true\n";
        assert_eq!(found("crates/runtime/Cargo.toml", leaked).len(), 1);
    }

    #[test]
    fn sql_http_and_clocks_stay_where_they_belong() {
        let manifest =
            "[dependencies]\nrusqlite = { workspace = true }\nreqwest.workspace = true\n";
        assert_eq!(found("crates/web/Cargo.toml", manifest).len(), 2);
        assert_eq!(
            found("crates/engine/Cargo.toml", "[dependencies]\ntokio.workspace = true\n").len(),
            1
        );
        let source = "/// An async fn would be wrong.\npub async fn wait() { \"HashMap\"; }";
        assert_eq!(engine_is_pure(&Tree::of(&[("crates/engine/src/a.rs", source)])).len(), 1);
    }

    #[test]
    fn no_crate_is_for_everything_and_every_crate_has_its_place() {
        assert_eq!(found("crates/common/Cargo.toml", "[package]\n").len(), 2);
    }
}
