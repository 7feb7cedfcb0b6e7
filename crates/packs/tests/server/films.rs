//! Requests for films, from the brief to a file that plays.

use expect_test::expect;
use serde_json::{Value, json};
use showrunner_media::probe_video;

use crate::support::{Server, as_owner};
use axum::body::{Body, to_bytes};
use axum::http::Method;
use tower::ServiceExt as _;

async fn film_brief(server: &Server, kind: &str, language: &str) -> Value {
    let (title, prompt) = match language {
        "ja" => (
            "朝焼けブレンド",
            "秋の新作コーヒー「朝焼けブレンド」の動画。夜明けの台所と湯気の立つ一杯。",
        ),
        _ => (
            "Daybreak Blend",
            "A film for our autumn coffee: a kitchen at sunrise, one steaming cup.",
        ),
    };
    json!({
        "brand_id": server.brand().await,
        "title": title,
        "request_type": kind,
        "prompt": prompt,
        "duration_seconds": 8,
        "aspect_ratio": "9:16",
        "language": language,
    })
}

/// Creates a request and follows it to its approval.
async fn waiting(server: &Server, brief: &Value) -> (Value, String) {
    let created = server.post("/api/v1/requests", brief).await;
    assert_eq!(created.status, 202, "{}", created.text);
    let data = created.json()["data"].clone();
    let id = data["id"].as_str().unwrap().to_owned();
    server.until(&id, "checkpoint.opened").await;
    (data, id)
}

/// Approves a request and fetches the film that it has published.
async fn published(server: &Server, id: &str) -> (Value, Vec<u8>) {
    let approved = server.post(&format!("/api/v1/requests/{id}/approve"), &json!({})).await;
    assert_eq!(approved.status, 200, "{}", approved.text);
    server.until(id, "run.completed").await;
    let done = server.get(&format!("/api/v1/requests/{id}")).await.json();
    assert_eq!(done["data"]["status"], "published");
    let asset = done["data"]["assets"][0].clone();
    let bytes = bytes(server, asset["url"].as_str().unwrap(), None).await.1;
    (asset, bytes)
}

async fn bytes(server: &Server, url: &str, range: Option<&str>) -> (u16, Vec<u8>, Option<String>) {
    let mut request = as_owner(Method::GET, url);
    if let Some(range) = range {
        request = request.header("range", range);
    }
    let response = server.app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let place = response.headers().get("content-range").map(|v| v.to_str().unwrap().to_owned());
    let status = response.status().as_u16();
    (status, to_bytes(response.into_body(), 64 << 20).await.unwrap().to_vec(), place)
}

async fn tasks(server: &Server, id: &str) -> Vec<String> {
    let tasks = server.get(&format!("/api/v1/requests/{id}/tasks")).await.json();
    let line = |task: &Value| {
        let depends = task["depends_on"].as_array().unwrap().iter().map(|d| d.as_str().unwrap());
        let depends: Vec<&str> = depends.filter_map(|d| d.split(':').nth(1)).collect();
        format!(
            "{} {} · {} · after {depends:?} · {} s · {}",
            task["sequence_order"],
            task["agent_role"].as_str().unwrap(),
            task["task_name"].as_str().unwrap(),
            task["estimated_duration_seconds"],
            task["status"].as_str().unwrap(),
        )
    };
    tasks["data"].as_array().unwrap().iter().map(line).collect()
}

async fn output(server: &Server, id: &str, step: &str) -> Value {
    let run = server.get(&format!("/api/v1/runs/{id}/steps/{step}")).await;
    assert_eq!(run.status, 200, "{}", run.text);
    run.json()["output"].clone()
}

/// Root mean square of a film's sound, 0..1, decoded as a player would.
fn loudness(film: &[u8]) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("film.mp4");
    std::fs::write(&path, film).unwrap();
    let mut ffmpeg = std::process::Command::new("ffmpeg");
    let ffmpeg = ffmpeg.args(["-nostdin", "-loglevel", "error", "-i"]).arg(&path);
    let sound =
        ffmpeg.args(["-vn", "-ac", "1", "-ar", "8000", "-f", "s16le", "-"]).output().unwrap();
    assert!(sound.status.success(), "{}", String::from_utf8_lossy(&sound.stderr));
    let samples = sound.stdout.chunks_exact(2);
    let count = f64::from(u32::try_from(samples.len().max(1)).unwrap());
    let square =
        |pair: &[u8]| (f64::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0).powi(2);
    (samples.map(square).sum::<f64>() / count).sqrt()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_brief_becomes_a_film_with_a_voice_in_both_languages() {
    let server = Server::start().await;
    for language in ["ja", "en"] {
        let (accepted, id) =
            waiting(&server, &film_brief(&server, "video_with_vo", language).await).await;
        assert_eq!(accepted["request_type"], "video_with_vo");
        assert_eq!(accepted["estimated_time_seconds"], 280);
        assert_eq!(accepted["without_effect"], Value::Null);
        let script = output(&server, &id, "script").await;
        let scenes = script["scenes"].as_array().unwrap();
        let total: f64 = scenes.iter().map(|s| s["duration_seconds"].as_f64().unwrap()).sum();
        assert!((total - 8.0).abs() < 0.05, "{script}");

        let (asset, film) = published(&server, &id).await;
        assert_eq!(asset["mime"], "video/mp4");
        assert_eq!(asset["kind"], "video");
        assert_eq!(asset["duration_seconds"], 8.0);
        let facts = probe_video(&film).unwrap();
        assert_eq!((facts.width, facts.height, facts.duration_ms), (720, 1280, 8_000));
        assert_eq!(
            (facts.video_codec.as_str(), facts.audio_codec.as_deref()),
            ("avc1", Some("mp4a"))
        );
        assert!(facts.is_fast_start);
        let level = loudness(&film);
        assert!(level > 0.04, "a voice in {language}: {level}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_of_films_have_the_names_and_order_that_clients_know() {
    let server = Server::start().await;
    let (_, id) = waiting(&server, &film_brief(&server, "video_no_vo", "en").await).await;
    expect![[r#"
        1 executive · Intent Parsing & Validation · after [] · 5 s · completed
        2 task_planner · Task Planning · after ["executive"] · 10 s · completed
        3 strategist · Visual Strategy Generation · after ["task_planner"] · 25 s · completed
        4 producer · Video Generation · after ["strategist"] · 180 s · completed
        5 qa · Quality Assurance Review · after ["producer"] · 10 s · completed"#]]
    .assert_eq(&tasks(&server, &id).await.join("\n"));
    let (asset, film) = published(&server, &id).await;
    assert_eq!(asset["duration_seconds"], 8.0);
    assert!(asset["alt"].as_str().unwrap().contains("Nobody speaks"), "{asset}");
    let level = loudness(&film);
    assert!((0.002..0.035).contains(&level), "music and nothing louder: {level}");
    assert_eq!(probe_video(&film).unwrap().duration_ms, 8_000);

    let listed = server.get("/api/v1/requests?type=video_no_vo").await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    let listed = server.get("/api/v1/requests?type=image").await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 0);
    assert_eq!(server.get("/api/v1/requests?type=poem").await.verdict(), "400 bad_query");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_of_ones_own_is_spoken_as_it_is_and_nobody_writes_another() {
    let server = Server::start().await;
    let mut brief = film_brief(&server, "video_with_vo", "en").await;
    brief["script_text"] =
        json!("A quiet morning.\r\n\r\n\r\nOne cup of coffee.\n\nDaybreak Blend.");
    let (_, id) = waiting(&server, &brief).await;
    expect![[r#"
        1 executive · Intent Parsing & Validation · after [] · 5 s · completed
        2 task_planner · Task Planning · after ["executive"] · 10 s · completed
        3 strategist · Creative Strategy Generation · after ["task_planner"] · 30 s · completed
        4 copywriter · Script Writing · after ["strategist"] · 45 s · skipped
        5 producer · Video Generation · after ["copywriter"] · 180 s · completed
        6 qa · Quality Assurance Review · after ["producer"] · 10 s · completed"#]]
    .assert_eq(&tasks(&server, &id).await.join("\n"));
    let script = output(&server, &id, "script").await;
    let spoken: Vec<&str> = script["scenes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["voiceover"].as_str().unwrap())
        .collect();
    assert_eq!(spoken, ["A quiet morning.", "One cup of coffee.", "Daybreak Blend."]);
    assert_eq!(script["total_duration"], 8);

    // The page plays it, and players fetch parts of it.
    let page = server.get(&format!("/runs/{id}")).await.text;
    assert!(page.contains("<video src=\"/api/v1/assets/"), "{page}");
    let found = server.get(&format!("/api/v1/requests/{id}")).await.json();
    let asset = &found["data"]["assets"][0];
    let url = asset["url"].as_str().unwrap();
    let (status, part, place) = bytes(&server, url, Some("bytes=4-7")).await;
    assert_eq!((status, part.as_slice()), (206, b"ftyp".as_slice()));
    assert_eq!(place.unwrap(), format!("bytes 4-7/{}", asset["bytes"]));
    assert_eq!(bytes(&server, url, Some("bytes=999999999-")).await.0, 416);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_paragraphs_than_seconds_share_their_scenes() {
    let server = Server::start().await;
    let mut brief = film_brief(&server, "video_with_vo", "en").await;
    brief["script_text"] = json!("One.\n\nTwo.\n\nThree.\n\nFour.\n\nFive.\n\nSix.\n\nSeven.");
    brief["aspect_ratio"] = json!("1:1");
    let (_, id) = waiting(&server, &brief).await;
    let script = output(&server, &id, "script").await;
    let spoken: Vec<&str> = script["scenes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["voiceover"].as_str().unwrap())
        .collect();
    assert_eq!(spoken, ["One.", "Two.\nThree.", "Four.\nFive.", "Six.\nSeven."]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_too_long_for_its_film_says_what_to_do() {
    let server = Server::start().await;
    let mut brief = film_brief(&server, "video_with_vo", "en").await;
    brief["script_text"] = json!("These are many words for a short film. ".repeat(40));
    let created = server.post("/api/v1/requests", &brief).await.json();
    let id = created["data"]["id"].as_str().unwrap();
    server.until(id, "run.failed").await;
    let failed = server.get(&format!("/api/v1/requests/{id}")).await.json();
    assert_eq!(failed["data"]["status"], "failed");
    let why = failed["data"]["failure"]["message"].as_str().unwrap();
    assert!(why.contains("shorten the script"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_that_is_cancelled_is_not_made_to_its_end() {
    let server = Server::start().await;
    let mut brief = film_brief(&server, "video_with_vo", "en").await;
    brief["duration_seconds"] = json!(60);
    let created = server.post("/api/v1/requests", &brief).await.json();
    let id = created["data"]["id"].as_str().unwrap();
    let mut stream = server.stream(id, 0).await;
    while stream.next().await.unwrap().event != "attempt.progressed" {}
    let cancel = server.post(&format!("/api/v1/requests/{id}/cancel"), &json!({})).await;
    assert_eq!(cancel.status, 200, "{}", cancel.text);
    while stream.next().await.unwrap().event != "run.cancelled" {}
    // Another film gets its turn, although only so many are made at once.
    for _ in 0..2 {
        waiting(&server, &film_brief(&server, "video_no_vo", "en").await).await;
    }
}
