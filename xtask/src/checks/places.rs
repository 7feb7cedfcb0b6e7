//! Nothing in the repository knows on which machine it was written, or where packages come from.

use crate::{Offence, Tree};

/// Absolute paths of somebody's machine. Put together here, so that this file has none.
fn machine_paths() -> Vec<String> {
    ["work", "root", "home", "Users"].iter().map(|folder| format!("/{folder}/")).collect()
}

/// Hosts of package registries. Put together here, so that this file names none.
fn registries() -> Vec<String> {
    const HOSTS: &[&[&str]] = &[
        &["crates", "io"],
        &["npmjs", "org"],
        &["npmjs", "com"],
        &["pypi", "org"],
        &["pythonhosted", "org"],
        &["rubygems", "org"],
        &["proxy", "golang", "org"],
        &["deb", "debian", "org"],
    ];
    HOSTS.iter().map(|parts| parts.join(".")).collect()
}

/// No machine's paths and no registry's host in a tracked file.
pub fn check(tree: &Tree) -> Vec<Offence> {
    let (paths, hosts) = (machine_paths(), registries());
    let mut offences = Vec::new();
    for (file, text) in tree.files() {
        for (number, line) in (1..).zip(text.lines()) {
            // The lock file's sources are written by cargo.
            if file == "Cargo.lock" && line.starts_with("source = ") {
                continue;
            }
            if let Some(path) = paths.iter().find(|path| has_path(line, path)) {
                let advice = "take it relative to the repository, or as an argument";
                offences.push(Offence::new(
                    file,
                    number,
                    format!("a path of one machine: {path}…"),
                    advice,
                ));
            }
            if let Some(host) = hosts.iter().find(|host| line.contains(host.as_str())) {
                let advice = "name the package, not where it is fetched from";
                offences.push(Offence::new(
                    file,
                    number,
                    format!("a registry's host: {host}"),
                    advice,
                ));
            }
        }
    }
    offences
}

/// Whether the path begins there: `$HOME/root/` and `a/home/` are others.
fn has_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        !line[..at].ends_with(|c: char| {
            c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '}' | '~' | '*')
        })
    })
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::Tree;

    fn found(file: &str, text: &str) -> usize {
        check(&Tree::of(&[(file, text)])).len()
    }

    #[test]
    fn machines_and_registries_are_found() {
        let path = format!("cp data {}somebody/data", ["", "home", ""].join("/"));
        assert_eq!(found("a.md", &path), 1);
        assert_eq!(found("a.md", &format!("see https://{}", ["crates", "io"].join("."))), 1);
        assert_eq!(found("a.md", "docs/home/page and ~/work/ are nobody's"), 0);
    }

    #[test]
    fn cargo_may_say_where_it_fetched_from() {
        let host = ["crates", "io"].join(".");
        assert_eq!(found("Cargo.lock", &format!("source = \"registry+https://{host}-index\"")), 0);
        assert_eq!(found("Cargo.lock", &format!("name = \"{host}\"")), 1);
    }
}
