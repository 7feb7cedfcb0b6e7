//! This repository keeps to its own rules. Each failure says where, what, and what to do.

use std::path::Path;
use std::sync::LazyLock;

use xtask::checks::{documents, layering, places, sources, words};
use xtask::{Offence, Tree, ratchet};

static REPOSITORY: LazyLock<Tree> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    Tree::load(&root).unwrap_or_else(|error| panic!("the repository cannot be read: {error:#}"))
});

/// Runs a check over the repository, and takes off what `xtask/ratchet.txt` lets pass.
fn hold(name: &str, check: fn(&Tree) -> Vec<Offence>) {
    hold_by(name, check, |_, _, found| found.len());
}

fn hold_by(
    name: &str,
    check: fn(&Tree) -> Vec<Offence>,
    amount: fn(&Tree, &str, &[Offence]) -> usize,
) {
    let tree = &*REPOSITORY;
    let left = ratchet::judge(tree, name, check(tree), |file, found| amount(tree, file, found));
    let told: Vec<String> = left.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{} rules broken ({name}):\n{}\n", told.len(), told.join("\n"));
}

#[test]
fn every_crate_keeps_to_its_layer() {
    hold("layering", layering::check);
}

#[test]
fn the_engine_is_pure() {
    hold("pure", layering::engine_is_pure);
}

#[test]
fn sql_is_in_the_journal_only() {
    hold("sql", sources::sql_is_in_the_journal);
}

#[test]
fn only_the_door_decides() {
    hold("door", sources::only_the_door_decides);
}

#[test]
fn only_the_configuration_reads_the_environment() {
    hold("environment", sources::only_the_configuration_reads_the_environment);
}

#[test]
fn the_way_out_is_guarded() {
    hold("way-out", sources::the_way_out_is_guarded);
}

#[test]
fn modules_are_files_with_names() {
    hold("mod-files", sources::no_mod_files);
}

#[test]
fn files_are_short() {
    let lines =
        |tree: &Tree, file: &str, _: &[Offence]| tree.get(file).map_or(0, sources::lines_of);
    hold_by("lines", sources::files_are_short, lines);
}

#[test]
fn what_is_left_to_do_has_a_number() {
    hold("to-do", sources::what_is_left_to_do_has_a_number);
}

#[test]
fn every_crate_introduces_itself() {
    hold("introduction", sources::every_crate_introduces_itself);
}

#[test]
fn identifiers_use_the_words_of_the_glossary() {
    hold("words", words::check);
}

#[test]
fn nothing_knows_the_machine_it_was_written_on() {
    hold("places", places::check);
}

#[test]
fn every_problem_code_has_a_page_and_every_page_a_code() {
    hold("error-pages", documents::every_code_has_a_page);
}

#[test]
fn reference_pages_exist() {
    hold("reference", documents::references_exist);
}

#[test]
fn the_readmes_are_in_step() {
    hold("readme", documents::readmes_agree);
}

#[test]
fn decisions_are_numbered() {
    hold("decisions", documents::decisions_are_numbered);
}

#[test]
fn links_lead_somewhere() {
    hold("links", documents::links_lead_somewhere);
}

#[test]
fn make_knows_what_the_documents_say() {
    hold("make", documents::make_knows_what_is_typed);
}

#[test]
fn showrunner_knows_what_the_documents_say() {
    hold("commands", documents::showrunner_knows_what_is_typed);
}
