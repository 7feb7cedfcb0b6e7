//! Assets: facts and bytes. Bytes never change, so they are cached for ever by their digest.

use std::sync::Arc;

use axum::Json as Answer;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, RANGE,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use showrunner_engine::id::AssetId;
use showrunner_journal::query::assets::AssetView;

use crate::App;
use crate::auth::Caller;
use crate::page::{Query, Whole};
use crate::problem::{Problem, codes, shown};
use crate::routes::{Gives, Route};
use crate::view::asset::AssetJson;

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::get("/api/v1/runs/{id}/assets", "list_assets")
            .says("Lists the files that a run made.")
            .owned_by("id")
            .gives::<Whole<AssetJson>>(200)
            .problems(&[&codes::UNKNOWN_RUN])
            .to(list_assets),
        Route::get("/api/v1/assets/{id}", "get_asset")
            .says("Reads the facts about a file.")
            .owned_by("id")
            .gives::<AssetJson>(200)
            .problems(&[&codes::UNKNOWN_ASSET])
            .to(get_asset),
        Route::get("/api/v1/assets/{id}/content", "get_asset_content")
            .says("Reads a file, or a range of it.")
            .owned_by("id")
            .query("download", "integer", "1: to be saved rather than shown.")
            .answers(200, Gives::Media("*/*"))
            .answers(206, Gives::Media("*/*"))
            .answers(304, Gives::Nothing)
            .problems(&[&codes::UNKNOWN_ASSET, &codes::BAD_RANGE, &codes::DAMAGED])
            .to(get_content),
    ]
}

async fn list_assets(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<Whole<AssetJson>>, Problem> {
    let run = app.run_of(&caller, &id).await?;
    let rows = app.runtime().journal().assets_of(&run.id).await?;
    let data = rows.iter().map(|row| AssetJson::of(&row.asset, row.step.as_str())).collect();
    Ok(Answer(Whole { data }))
}

async fn owned(app: &App, caller: &Caller, id: &str) -> Result<AssetView, Problem> {
    let found = app.runtime().journal().asset(&AssetId::from(id)).await?;
    found.filter(|asset| asset.org == caller.org).ok_or_else(|| {
        Problem::new(&codes::UNKNOWN_ASSET, format!("there is no asset {}", shown(id)))
    })
}

async fn get_asset(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<AssetJson>, Problem> {
    let row = owned(&app, &caller, &id).await?;
    Ok(Answer(AssetJson::of(&row.asset, row.step.as_str())))
}

async fn get_content(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    query: Query,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asset = owned(&app, &caller, &id).await?.asset;
    let etag = format!("\"{}\"", asset.sha256);
    let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| known.contains(&etag) || known.trim() == "*") {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, etag)]).into_response());
    }
    let asked = headers.get(RANGE).and_then(|value| value.to_str().ok());
    let range = match asked.and_then(|text| wanted(text, asset.bytes)) {
        Some(Wanted::Outside) => {
            let words = format!("the file has {} bytes", asset.bytes);
            let mut response = Problem::new(&codes::BAD_RANGE, words).into_response();
            insert(response.headers_mut(), CONTENT_RANGE, &format!("bytes */{}", asset.bytes));
            return Ok(response);
        },
        Some(Wanted::Bytes(first, last)) => Some((first, last)),
        None => None,
    };
    let (first, last) = range.unwrap_or_else(|| (0, asset.bytes.saturating_sub(1)));
    let length = if asset.bytes == 0 { 0 } else { last - first + 1 };
    let objects = Arc::clone(app.runtime().objects());
    let digest = asset.sha256.clone();
    let read = tokio::task::spawn_blocking(move || objects.get_range(&digest, first, length));
    let bytes = read.await.map_err(|fault| Problem::new(&codes::INTERNAL, fault.to_string()))??;
    let bytes = bytes.ok_or_else(|| {
        Problem::new(&codes::DAMAGED, format!("the bytes of asset {} are not stored", asset.id))
    })?;
    let mut response = Response::new(Body::from(bytes));
    if range.is_some() {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let place = format!("bytes {first}-{last}/{}", asset.bytes);
        insert(response.headers_mut(), CONTENT_RANGE, &place);
    }
    let how = if query.get("download").is_some() { "attachment" } else { "inline" };
    let head = response.headers_mut();
    insert(head, CONTENT_DISPOSITION, &disposition(how, &asset.name));
    insert(head, CONTENT_TYPE, shown_as(&asset.mime));
    insert(head, ETAG, &etag);
    insert(head, ACCEPT_RANGES, "bytes");
    insert(head, CACHE_CONTROL, "private, max-age=31536000, immutable");
    Ok(response)
}

fn insert(headers: &mut HeaderMap, name: axum::http::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Only what cannot carry a program of its own is shown as what it is.
fn shown_as(mime: &str) -> &str {
    let is_harmless = matches!(mime, "application/json" | "application/pdf" | "text/plain")
        || (mime.starts_with("image/") && mime != "image/svg+xml")
        || mime.starts_with("video/")
        || mime.starts_with("audio/");
    if is_harmless { mime } else { "application/octet-stream" }
}

/// File names in any script, as RFC 6266 wants them.
fn disposition(how: &str, name: &str) -> String {
    use std::fmt::Write as _;
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "._- ".contains(c) { c } else { '_' })
        .collect();
    let mut coded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) {
            coded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _always_ok = write!(coded, "%{byte:02X}");
        }
    }
    format!("{how}; filename=\"{plain}\"; filename*=UTF-8''{coded}")
}

#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Bytes(u64, u64),
    Outside,
}

/// One range; anything else (several, other units, nonsense) is answered with the whole file.
fn wanted(text: &str, size: u64) -> Option<Wanted> {
    let range = text.trim().strip_prefix("bytes=")?;
    let (first, last) = range.split_once('-')?;
    let last_byte = size.checked_sub(1);
    match (first.trim(), last.trim()) {
        ("", suffix) => {
            let count: u64 = suffix.parse().ok()?;
            match (count, last_byte) {
                (0, _) | (_, None) => Some(Wanted::Outside),
                (count, Some(end)) => Some(Wanted::Bytes(size.saturating_sub(count), end)),
            }
        },
        (first, last) => {
            let first: u64 = first.parse().ok()?;
            let last: u64 = if last.is_empty() { u64::MAX } else { last.parse().ok()? };
            match last_byte {
                Some(end) if first <= end && first <= last => {
                    Some(Wanted::Bytes(first, last.min(end)))
                },
                _ if first > last => None,
                _ => Some(Wanted::Outside),
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{Wanted, disposition, wanted};

    #[test]
    fn ranges_are_read_as_browsers_mean_them() {
        let cases = [
            ("bytes=0-9", Some(Wanted::Bytes(0, 9))),
            ("bytes=90-", Some(Wanted::Bytes(90, 99))),
            ("bytes=-10", Some(Wanted::Bytes(90, 99))),
            ("bytes=-1000", Some(Wanted::Bytes(0, 99))),
            ("bytes=50-1000", Some(Wanted::Bytes(50, 99))),
            ("bytes=100-", Some(Wanted::Outside)),
            ("bytes=-0", Some(Wanted::Outside)),
            ("bytes=9-0", None),
            ("bytes=0-1,5-6", None),
            ("lines=0-1", None),
        ];
        for (text, expected) in cases {
            assert_eq!(wanted(text, 100), expected, "{text}");
        }
        assert_eq!(wanted("bytes=0-", 0), Some(Wanted::Outside));
    }

    #[test]
    fn a_japanese_name_survives() {
        let header = disposition("attachment", "春の新作.png");
        assert_eq!(
            header,
            "attachment; filename=\"____.png\"; \
             filename*=UTF-8''%E6%98%A5%E3%81%AE%E6%96%B0%E4%BD%9C.png"
        );
    }
}
