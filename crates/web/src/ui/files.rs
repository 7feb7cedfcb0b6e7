//! Style and script: embedded, served under their content's hash, cached for ever.

use std::sync::OnceLock;

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use showrunner_engine::id::Digest;

use crate::problem::{Problem, codes};
use crate::routes::{Gives, Permission, Route};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("live.js");
const ICON: &str = include_str!("icon.svg");

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::get("/static/{hash}/{name}", "get_static_file")
            .says("Style and script of the screens.")
            .permit(Permission::Open)
            .answers(200, Gives::Media("*/*"))
            .problems(&[&codes::NOT_FOUND])
            .to(file),
    ]
}

/// The file of this name, with its media type.
fn find(name: &str) -> Option<(&'static str, &'static str)> {
    match name {
        "style.css" => Some((STYLE, "text/css; charset=utf-8")),
        "live.js" => Some((SCRIPT, "text/javascript; charset=utf-8")),
        "icon.svg" => Some((ICON, "image/svg+xml")),
        _ => None,
    }
}

/// The hash of all files together: one new file, new addresses.
fn hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| {
        let digest = Digest::of([STYLE, SCRIPT, ICON].concat().as_bytes());
        digest.as_str().chars().take(12).collect()
    })
}

/// Where a file is.
pub(super) fn address(name: &str) -> String {
    format!("/static/{}/{name}", hash())
}

async fn file(Path((_, name)): Path<(String, String)>) -> Result<Response, Problem> {
    let (text, media) = find(&name).ok_or_else(|| Problem::not_found(&name))?;
    let head = [(CONTENT_TYPE, media), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((head, text).into_response())
}
