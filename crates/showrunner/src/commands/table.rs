//! Tables on standard output: plain columns, right widths for CJK, no frame to cut away in a pipe.

use comfy_table::{ContentArrangement, Table, presets};

/// A table with these columns.
pub(super) fn table(columns: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.iter().map(|column| column.to_uppercase()));
    table
}

/// The table's text without the blanks that pad its last column.
pub(super) fn text(table: &Table) -> String {
    let lines: Vec<String> = table.lines().map(|line| line.trim().to_owned()).collect();
    lines.join("\n")
}
