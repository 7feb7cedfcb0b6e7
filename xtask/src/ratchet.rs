//! What is let pass for now: `xtask/ratchet.txt` says how much of what, file by file. An entry may
//! go down, never up, and goes away when nothing is left of it.

use std::collections::BTreeMap;

use crate::{Offence, Tree};

/// Where it is.
pub const FILE: &str = "xtask/ratchet.txt";

/// How much each file may still offend against one check.
fn allowances(tree: &Tree, check: &str) -> BTreeMap<String, usize> {
    let text = tree.get(FILE).unwrap_or_default();
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    let entry = |line: &str| {
        let mut words = line.split_whitespace();
        let is_ours = words.next() == Some(check);
        let (file, count) = (words.next()?, words.next()?.parse().ok()?);
        is_ours.then(|| (file.to_owned(), count))
    };
    lines.filter_map(entry).collect()
}

/// What is left of `offences` when each file's allowance is taken off. For most checks an
/// allowance counts offences; `amount` says what it counts instead.
pub fn judge(
    tree: &Tree,
    check: &str,
    offences: Vec<Offence>,
    amount: impl Fn(&str, &[Offence]) -> usize,
) -> Vec<Offence> {
    let allowed = allowances(tree, check);
    let mut by_file: BTreeMap<String, Vec<Offence>> = BTreeMap::new();
    for offence in offences {
        by_file.entry(offence.file.clone()).or_default().push(offence);
    }
    let stale = allowed.keys().filter(|file| !by_file.contains_key(*file)).map(|file| {
        let what = format!("`{check} {file}` is listed, but nothing is wrong there any more");
        Offence::new(FILE, 0, what, "delete that line: nobody may go back behind it")
    });
    let mut left: Vec<Offence> = stale.collect();
    for (file, found) in by_file {
        let (now, may) = (amount(&file, &found), allowed.get(&file).copied().unwrap_or(0));
        if now <= may {
            continue;
        }
        if may > 0 {
            let what = format!("{check}: {now} here, {FILE} allows {may}");
            left.push(Offence::new(&file, 0, what, "what is listed may shrink, never grow"));
        }
        left.extend(found);
    }
    left
}

#[cfg(test)]
mod tests {
    use super::{FILE, judge};
    use crate::{Offence, Tree};

    fn left(listed: &str, offences: usize) -> Vec<String> {
        let tree = Tree::of(&[(FILE, listed)]);
        let found = vec![Offence::new("a.rs", 1, "bad", "mend it"); offences];
        judge(&tree, "rule", found, |_, found| found.len())
            .into_iter()
            .map(|offence| offence.to_string())
            .collect()
    }

    #[test]
    fn what_is_listed_may_shrink_but_not_grow() {
        assert_eq!(left("rule a.rs 2 # old", 2), [""; 0]);
        assert_eq!(left("rule a.rs 2", 1), [""; 0]);
        assert_eq!(left("rule a.rs 2", 3).len(), 4);
        assert_eq!(left("other a.rs 9", 1), ["a.rs:1: bad\n    do: mend it"]);
    }

    #[test]
    fn what_is_mended_leaves_the_list() {
        assert!(left("rule a.rs 2", 0)[0].contains("nothing is wrong there any more"));
    }
}
