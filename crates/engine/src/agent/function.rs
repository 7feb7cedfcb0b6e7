//! The code of a function agent: the one block of JavaScript in its file. What is around it is for
//! people.

use std::sync::Arc;

use super::Problems;

/// What a function agent runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionCode {
    /// JavaScript, as written.
    pub code: Arc<str>,
    /// The line of the file on which it begins, from 1.
    pub line: u32,
}

/// Finds the block between ```` ```js ```` (or `javascript`) and ```` ``` ````. `body_line` is
/// where the body begins in the file.
pub(super) fn find(body: &str, body_line: u32, found: &mut Problems<'_>) -> Option<FunctionCode> {
    const HINT: &str = "put the code in one block between a line ```js and a line ```";
    let mut blocks: Vec<FunctionCode> = Vec::new();
    let mut open: Option<(u32, bool, String)> = None;
    for (line, text) in (body_line..).zip(body.lines()) {
        let fence = text.trim().strip_prefix("```");
        match (&mut open, fence) {
            (None, Some(language)) => {
                let is_code = matches!(language.trim(), "js" | "javascript");
                open = Some((line.saturating_add(1), is_code, String::new()));
            },
            (Some(_), Some("")) => {
                if let Some((line, true, code)) = open.take() {
                    blocks.push(FunctionCode { code: code.into(), line });
                }
            },
            (Some((_, _, code)), _) => {
                code.push_str(text);
                code.push('\n');
            },
            (None, None) => {},
        }
    }
    if let Some((line, true, _)) = open {
        found.add(line.saturating_sub(1), "the block of JavaScript is not closed", HINT);
        return None;
    }
    match <[FunctionCode; 1]>::try_from(blocks) {
        Ok([only]) => Some(only),
        Err(blocks) => {
            let what =
                format!("a function agent has one block of JavaScript, not {}", blocks.len());
            let line = blocks.get(1).map_or(body_line, |second| second.line);
            found.add(line, what, HINT);
            None
        },
    }
}
