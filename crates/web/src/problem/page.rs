//! Problems as pages: what happened now, and what a code means at all.

use maud::{Markup, html};

use super::{Code, Problem};
use crate::App;
use crate::ui::{Look, shell};

/// The page of a problem that somebody has just met.
pub(super) fn render(_app: &App, problem: &Problem, request_id: &str, look: Look) -> Markup {
    let words = look.words();
    shell::plain(
        look,
        problem.code.title,
        &html! {
            article class="notice" {
                p class="notice-code" { (problem.code.status) " · " (problem.code.code) }
                h1 { (problem.code.title) }
                p { (problem.detail) }
                @if !problem.errors.is_empty() {
                    ul { @for error in &problem.errors { li { code { (error.pointer) } " " (error.detail) } } }
                }
                @if let Some(hint) = &problem.hint { p class="muted" { (hint) } }
                p class="actions" {
                    @if problem.code.status == 401 {
                        a class="button primary" href="/login" { (words.sign_in) }
                    } @else {
                        a class="button primary" href="/" { (words.home) }
                    }
                    a class="button" href=(format!("/problems/{}", problem.code.code)) { (words.what_it_means) }
                }
                p class="muted small" { (words.request_id) " " code { (request_id) } }
            }
        },
    )
}

/// The page that explains a code.
pub fn problem_page(code: &Code, look: Look) -> Markup {
    shell::plain(
        look,
        code.title,
        &html! {
            article class="notice prose" lang="en" {
                p class="notice-code" { (code.status) " · " (code.code) }
                (markdown(code.page))
            }
        },
    )
}

/// The little Markdown that our own pages use: headings, paragraphs, and code.
fn markdown(text: &str) -> Markup {
    html! {
        @for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            @if let Some(title) = line.strip_prefix("# ") {
                h1 { (title) }
            } @else if let Some(title) = line.strip_prefix("## ") {
                h2 { (title) }
            } @else {
                p { (inline(line)) }
            }
        }
    }
}

fn inline(line: &str) -> Markup {
    html! {
        @for (at, part) in line.split('`').enumerate() {
            @if at % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}
