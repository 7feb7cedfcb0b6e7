//! fal's side of its queue.

use serde_json::{Value, json};

use super::super::KEY;
use super::super::asked::{Denied, demand};
use super::super::picture::png;
use super::super::serve::Request;
use super::{Answer, Books, Step};

/// The beginning of an MP4: enough to be known for one.
const FILM: &[u8] = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2";

/// The path in pieces, without its query.
fn pieces(request: &Request) -> Vec<&str> {
    let path = request.path.split('?').next().unwrap_or_default();
    path.trim_start_matches('/').split('/').collect()
}

pub(super) fn step(request: &Request) -> Step {
    match (request.method.as_str(), pieces(request).as_slice()) {
        ("GET", ["files", ..]) => Step::File,
        ("GET", [_, _, "requests", _, "status"]) => Step::Status,
        ("GET", [_, _, "requests", _]) => Step::Result,
        ("PUT", [_, _, "requests", _, "cancel"]) => Step::Cancel,
        _ => Step::Submit,
    }
}

pub(super) fn answer(books: &Books, step: Step, request: &Request) -> Result<Answer, Denied> {
    let pieces = pieces(request);
    if step == Step::File {
        return file(books, pieces.last().copied().unwrap_or_default());
    }
    let key = format!("Key {KEY}");
    if request.header("authorization") != Some(key.as_str()) {
        return Err(Denied::new(401, "authentication_error", "Cannot access application"));
    }
    let (owner, app, id) = match pieces.as_slice() {
        [owner, app, "requests", id, ..] => (*owner, *app, *id),
        _ if request.method == "POST" => return submit(books, &pieces, request),
        _ => return Err(Denied::new(404, "not_found_error", "Path not found")),
    };
    let unknown = || Denied::new(404, "not_found_error", "Request not found");
    let patience = *books.patience.lock();
    let known = books.with(id, |order| {
        if !order.model.starts_with(&format!("{owner}/{app}/")) {
            return None;
        }
        if step == Step::Status {
            order.asked += 1;
        }
        let is_done = order.asked > patience;
        if step == Step::Cancel && !is_done {
            order.is_cancelled = true;
        }
        Some((order.clone(), is_done))
    });
    let (order, is_done) = known.flatten().ok_or_else(unknown)?;
    Ok(match step {
        Step::Status => {
            let status = match order.asked {
                _ if is_done => "COMPLETED",
                1 => "IN_QUEUE",
                _ => "IN_PROGRESS",
            };
            let mut said = links(books, &order.model, id);
            said["status"] = json!(status);
            Answer::json(if is_done { 200 } else { 202 }, &said)
        },
        Step::Cancel if is_done => Answer::json(400, &json!({ "status": "ALREADY_COMPLETED" })),
        Step::Cancel => Answer::json(202, &json!({ "status": "CANCELLATION_REQUESTED" })),
        _ if !is_done => return Err(Denied::new(400, "invalid_request_error", "in progress")),
        _ => Answer::json(200, &result(books, &order.model, &order.input, id)),
    })
}

fn submit(books: &Books, pieces: &[&str], request: &Request) -> Result<Answer, Denied> {
    let input: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let wrong = |words: &str| Denied::new(422, "invalid_request_error", words);
    let is_there = input["prompt"].as_str().is_some_and(|text| !text.is_empty());
    demand(is_there, "prompt: field required").map_err(|denied| wrong(&denied.words))?;
    let model = pieces.join("/");
    if model.starts_with("fal-ai/flux/") {
        let asked = &input["image_size"];
        let fits = |edge: &str| asked[edge].as_u64().is_some_and(|n| (64..=14_142).contains(&n));
        let is_sized = asked.is_string() || fits("width") && fits("height");
        demand(is_sized, "image_size").map_err(|denied| wrong(&denied.words))?;
    } else if model.starts_with("fal-ai/pika/") {
        let resolution = input["resolution"].as_str().unwrap_or("720p");
        demand(matches!(resolution, "720p" | "1080p"), "resolution")
            .map_err(|denied| wrong(&denied.words))?;
    } else {
        return Err(Denied::new(404, "not_found_error", "Application not found"));
    }
    let id = books.take(&model, input);
    let mut said = links(books, &model, &id);
    said["status"] = json!("IN_QUEUE");
    said["queue_position"] = json!(0);
    Ok(Answer::json(200, &said))
}

fn links(books: &Books, model: &str, id: &str) -> Value {
    let app: Vec<&str> = model.split('/').take(2).collect();
    let base = format!("{}/{}/requests/{id}", books.url, app.join("/"));
    json!({
        "request_id": id,
        "response_url": base,
        "status_url": format!("{base}/status"),
        "cancel_url": format!("{base}/cancel"),
    })
}

fn result(books: &Books, model: &str, input: &Value, id: &str) -> Value {
    let url = |extension: &str| format!("{}/files/{id}.{extension}", books.url);
    if model.starts_with("fal-ai/pika/") {
        return json!({ "video": { "url": url("mp4"), "content_type": "video/mp4" } });
    }
    let size = &input["image_size"];
    let (width, height) = (&size["width"], &size["height"]);
    json!({
        "images": [{
            "url": url("png"), "width": width, "height": height, "content_type": "image/png",
        }],
        "timings": { "inference": 1.2 },
        "seed": 42,
        "has_nsfw_concepts": [false],
        "prompt": input["prompt"],
    })
}

fn file(books: &Books, name: &str) -> Result<Answer, Denied> {
    let missing = || Denied::new(404, "not_found_error", "no such file");
    let (id, extension) = name.split_once('.').ok_or_else(missing)?;
    let input = books.with(id, |order| order.input.clone()).ok_or_else(missing)?;
    if extension == "mp4" {
        return Ok(Answer { status: 200, media: "video/mp4", body: FILM.to_vec() });
    }
    let side = |name: &str| {
        let side = input["image_size"][name].as_u64().unwrap_or(64);
        u32::try_from(side).unwrap_or(64)
    };
    let body = png(side("width"), side("height"));
    Ok(Answer { status: 200, media: "image/png", body })
}
