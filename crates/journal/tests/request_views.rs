//! The views under the names of content requests' own tables say the same on both databases, and
//! answer the queries that their clients have, as written.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rusqlite::types::ValueRef;
use serde_json::{Map, Value, json};
use showrunner_engine::command::{Command, FinishAttempt, StartRun};
use showrunner_engine::definition::{self, Definition, Verb};
use showrunner_engine::event::Job;
use showrunner_engine::failure::ErrorClass;
use showrunner_engine::id::Digest;
use showrunner_engine::money::MicroUsd;
use showrunner_engine::turn::{Answer, CallKind, CallRecord, Usage};
use showrunner_journal::query::dead_letters::LetterNote;
use showrunner_journal::{Hooks, Journal, PostgresJournal, PostgresOptions};
use showrunner_journal::{SqliteJournal, SqliteOptions};
use showrunner_testkit::journal_conformance::fixture::{EPOCH, ORG, Story};
use showrunner_testkit::throwaway_postgres::ThrowawayPostgres;

const DEFINITION: &str = r#"
showrunner: 1
id: content-request-image
title: { en: Branded image }
phases: [intake, draft, production, qa, published]
steps:
  - { id: executive, label: { en: Intent Parsing & Validation }, agent: executive, phase: intake, input: { prompt: "{{ input.prompt }}" } }
  - { id: strategist, label: { en: Visual Concept Generation }, agent: strategist, phase: draft, needs: [executive], input: { prompt: "{{ input.prompt }}" }, retry: { attempts: 2 } }
  - { id: producer, label: { en: Image Generation }, agent: producer, phase: production, needs: [strategist], input: { prompt: "{{ input.prompt }}" } }
  - { id: qa, label: { en: Quality Assurance Review }, agent: qa, phase: qa, needs: [producer], input: { prompt: "{{ input.prompt }}" } }
  - id: approval
    label: { en: Approval }
    phase: qa
    needs: [qa]
    checkpoint: { question: { en: Publish it? }, show: {}, options: [continue, retry, abort], roles: [owner], retry_from: strategist }
  - { id: publish, label: { en: Publish }, phase: published, needs: [approval], transform: { done: true } }
outputs: "{{ steps.publish.output }}"
"#;

/// 8.2.1
const TIMELINE: &str = "
SELECT 
  event_type,
  description,
  actor,
  created_at,
  metadata
FROM request_events
WHERE request_id = $1
ORDER BY created_at ASC;";

/// 8.2.2
const LATEST_STATUS: &str = "
SELECT 
  metadata->>'to_status' as current_status,
  created_at as changed_at
FROM request_events
WHERE request_id = $1
  AND event_type = 'status_change'
ORDER BY created_at DESC
LIMIT 1;";

/// 8.2.3
const FAILED_TASKS: &str = "
SELECT 
  metadata->>'task_id' as task_id,
  metadata->>'error_message' as error,
  created_at
FROM request_events
WHERE request_id = $1
  AND event_type = 'task_failed'
ORDER BY created_at DESC;";

/// 8.2.4
const PROCESSING_TIME: &str = "
SELECT 
  EXTRACT(EPOCH FROM (
    (SELECT created_at FROM request_events 
     WHERE request_id = $1 AND event_type = 'status_change' 
       AND metadata->>'to_status' = 'published'
     LIMIT 1)
    -
    (SELECT created_at FROM request_events 
     WHERE request_id = $1 AND event_type = 'created'
     LIMIT 1)
  )) as processing_seconds;";

/// 8.2.4 in the words of SQLite, which has no intervals; the other three are taken as written.
const PROCESSING_TIME_ON_SQLITE: &str = "
SELECT
    unixepoch((SELECT created_at FROM request_events
     WHERE request_id = $1 AND event_type = 'status_change'
       AND metadata->>'to_status' = 'published'
     LIMIT 1), 'subsec')
    -
    unixepoch((SELECT created_at FROM request_events
     WHERE request_id = $1 AND event_type = 'created'
     LIMIT 1), 'subsec') as processing_seconds;";

fn image() -> Arc<Definition> {
    Arc::new(definition::load(DEFINITION, "image.yaml", 1).unwrap())
}

fn started(number: u64) -> (Story, showrunner_journal::Append) {
    let mut story = Story::new(&image(), number);
    let labels = [
        ("brand_id", "b-1"),
        ("request_type", "image"),
        ("estimated_cost", "0.09"),
        ("estimated_time_seconds", "60"),
    ];
    let start = StartRun {
        org: Some(ORG.into()),
        input: json!({ "prompt": "A cup \u{0} at sunrise", "aspect_ratio": "1:1" }),
        title: Some("Daybreak".into()),
        labels: BTreeMap::from(labels.map(|(key, value)| (key.to_owned(), value.to_owned()))),
        started_by: "user:maker".into(),
        ..StartRun::default()
    };
    let first = story.tell(Command::StartRun(Box::new(start)));
    (story, first)
}

/// A picture by a provider that takes its time, and is paid.
async fn produce(journal: &Arc<dyn Journal>, story: &mut Story) {
    let (step, token) = story.attempt();
    let job = Job { provider: "fal".into(), id: "job-7".into() };
    let accept = Command::AcceptJob { step: step.clone(), token, job };
    journal.append(story.tell(accept)).await.unwrap();
    let call = CallRecord {
        no: 0,
        kind: CallKind::Media,
        request_digest: Digest::of(b"a picture"),
        provider: "fal".into(),
        model: None,
        answer: Answer::Output(json!({ "url": "https://example.com/a.png" })),
        usage: Usage::default(),
        cost: MicroUsd(50_000),
        duration_ms: 900,
        simulated: false,
        billed_key: "key".into(),
        estimated: false,
    };
    let finish = FinishAttempt {
        step,
        token,
        output: json!({ "asset": "a.png" }).into(),
        calls: vec![Arc::new(call)],
        assets: Vec::new(),
        cached: false,
    };
    journal.append(story.tell(Command::FinishAttempt(Box::new(finish)))).await.unwrap();
}

/// Three requests: one published after a try that failed, one failed and noted, one just begun.
async fn tell(journal: &Arc<dyn Journal>) -> [String; 3] {
    let (mut published, first) = started(1);
    journal.append(first).await.unwrap();
    journal.append(published.finish_plainly()).await.unwrap();
    journal.append(published.fail(ErrorClass::Transient)).await.unwrap();
    journal.append(published.let_time_pass()).await.unwrap();
    journal.append(published.finish_plainly()).await.unwrap();
    produce(journal, &mut published).await;
    journal.append(published.finish_plainly()).await.unwrap();
    journal.append(published.answer(Verb::Continue, Some("Good."))).await.unwrap();

    let (mut failed, first) = started(2);
    journal.append(first).await.unwrap();
    journal.append(failed.fail(ErrorClass::Validation)).await.unwrap();
    let letter = journal.dead_letters_of(&failed.id()).await.unwrap().remove(0).id;
    let note = LetterNote { letter, at: EPOCH, by: "user:ann".into(), notes: "By phone.".into() };
    journal.note_dead_letter(&note).await.unwrap();

    let (begun, first) = started(3);
    journal.append(first).await.unwrap();
    [published.id(), failed.id(), begun.id()].map(|id| id.to_string())
}

/// What every database is asked, by name.
fn questions(processing_time: &'static str) -> Vec<(&'static str, String)> {
    let whole = |view: &str, key: &str, order: &str| {
        format!("SELECT * FROM {view} WHERE {key} = $1 ORDER BY {order}")
    };
    vec![
        ("timeline", TIMELINE.to_owned()),
        ("latest status", LATEST_STATUS.to_owned()),
        ("failed tasks", FAILED_TASKS.to_owned()),
        ("processing time", processing_time.to_owned()),
        ("request", whole("content_requests", "id", "id")),
        ("tasks", whole("request_tasks", "request_id", "sequence_order")),
        ("letters", whole("dead_letter_queue", "request_id", "id")),
        (
            "provider",
            "SELECT p.* FROM provider_metadata p JOIN request_tasks t ON t.id = p.request_task_id
             WHERE t.request_id = $1 ORDER BY p.id"
                .to_owned(),
        ),
    ]
}

type Answers = BTreeMap<(&'static str, usize), Vec<Map<String, Value>>>;

fn ask_sqlite(database: &Path, ids: &[String; 3]) -> Answers {
    let conn = rusqlite::Connection::open(database).unwrap();
    let mut answers = Answers::new();
    for (name, sql) in questions(PROCESSING_TIME_ON_SQLITE) {
        let mut question = conn.prepare(&sql).unwrap();
        let names: Vec<String> = question.column_names().map(ToString::to_string).collect();
        for (place, id) in ids.iter().enumerate() {
            let mut rows = question.query([id]).unwrap();
            let found = answers.entry((name, place)).or_default();
            while let Some(row) = rows.next().unwrap() {
                let cell = |ix: usize| match row.get_ref(ix).unwrap() {
                    ValueRef::Integer(value) => json!(value),
                    ValueRef::Real(value) => json!(value),
                    ValueRef::Text(text) => json!(String::from_utf8_lossy(text)),
                    ValueRef::Null | ValueRef::Blob(_) => Value::Null,
                };
                found.push(names.iter().enumerate().map(|(ix, n)| (n.clone(), cell(ix))).collect());
            }
        }
    }
    answers
}

async fn ask_postgres(url: &str, ids: &[String; 3]) -> Answers {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut answers = Answers::new();
    for (name, sql) in questions(PROCESSING_TIME) {
        // As it is written, and its rows as JSON.
        let sql = sql.trim_end_matches(';');
        let sql = format!("SELECT COALESCE(json_agg(q), '[]')::TEXT FROM ({sql}) q");
        for (place, id) in ids.iter().enumerate() {
            let row = client.query_one(&sql, &[id]).await.unwrap();
            answers.insert((name, place), serde_json::from_str(row.get(0)).unwrap());
        }
    }
    drop(client);
    connection.await.unwrap().unwrap();
    answers
}

/// A value without the differences between the databases: JSON as text, and how instants, numbers
/// and booleans are written.
fn plain(name: &str, value: &Value) -> Value {
    let json = ["metadata", "output_data", "response_payload", "task_snapshot", "depends_on"];
    let text = value.as_str();
    if json.contains(&name) {
        let mut value =
            text.map_or_else(|| value.clone(), |text| serde_json::from_str(text).unwrap());
        // The first letters of JSON, which each database spaces and orders in its own way.
        if let Some(summary) = value.get_mut("output_summary") {
            assert!(summary.as_str().unwrap().starts_with('{'), "{summary}");
            *summary = json!("…");
        }
        return value;
    }
    // SQLite computes with milliseconds.
    if name == "processing_seconds" {
        return json!(value.as_f64().map(|seconds| (seconds * 1000.0).round() / 1000.0));
    }
    if name.ends_with("_at") {
        let text = text.map(|text| text.trim_end_matches('Z').trim_end_matches("+00:00"));
        return text.map_or(Value::Null, |text| {
            let text = if text.contains('.') { text.trim_end_matches('0') } else { text };
            json!(text.trim_end_matches('.'))
        });
    }
    match value {
        Value::Bool(value) => json!(f64::from(u8::from(*value))),
        Value::Number(number) => json!(number.as_f64()),
        other => other.clone(),
    }
}

/// U+0000 is one character more that one database knows.
fn normal(answers: &Answers) -> BTreeMap<String, Vec<Map<String, Value>>> {
    let row = |row: &Map<String, Value>| -> Map<String, Value> {
        let cells = row.iter().map(|(name, value)| (name.clone(), plain(name, value)));
        let text = Value::Object(cells.collect()).to_string();
        serde_json::from_str(&text.replace("\\u0000", "\u{fffd}")).unwrap()
    };
    let named = |((name, place), rows): (&(&str, usize), &Vec<Map<String, Value>>)| {
        (format!("{name} of {place}"), rows.iter().map(row).collect())
    };
    answers.iter().map(named).collect()
}

/// What both must say.
fn check(answers: &Answers) {
    let answers = normal(answers);
    let lines: Vec<String> = answers["timeline of 0"]
        .iter()
        .map(|row| {
            ["event_type", "description", "actor"].map(|n| row[n].as_str().unwrap()).join(" · ")
        })
        .collect();
    assert_eq!(lines.join("\n"), TOLD);
    assert_eq!(answers["latest status of 0"][0]["current_status"], "published");
    assert_eq!(answers["latest status of 1"][0]["current_status"], "failed");
    assert_eq!(answers["latest status of 2"].len(), 0, "still where it began");
    let failed = &answers["failed tasks of 0"];
    assert_eq!(failed.len(), 1);
    assert!(failed[0]["task_id"].as_str().unwrap().ends_with(":strategist"));
    assert_eq!(failed[0]["error"], "the model did not answer");
    let seconds = answers["processing time of 0"][0]["processing_seconds"].as_f64().unwrap();
    let request = &answers["request of 0"][0];
    assert!(seconds > 0.0, "{seconds}");
    assert_eq!(request["actual_time_seconds"], json!(seconds.floor()));
    assert_eq!(answers["processing time of 1"][0]["processing_seconds"], Value::Null);
    let said = ["status", "title", "brand_id", "prompt", "request_type"].map(|n| &request[n]);
    assert_eq!(said, ["published", "Daybreak", "b-1", "A cup \u{fffd} at sunrise", "image"]);
    assert_eq!(
        (&request["estimated_cost"], &request["actual_cost"]),
        (&json!(0.09), &json!(0.0548))
    );
    assert_eq!(answers["request of 1"][0]["status"], "failed");
    let statuses = |place: usize| -> Vec<String> {
        let tasks = answers[&format!("tasks of {place}")].iter();
        tasks
            .map(|row| format!("{} {}", row["agent_role"], row["status"]).replace('"', ""))
            .collect()
    };
    assert_eq!(
        statuses(0),
        ["executive completed", "strategist completed", "producer completed", "qa completed"]
    );
    assert_eq!(
        statuses(2),
        ["executive in_progress", "strategist pending", "producer pending", "qa pending"]
    );
    let strategist = &answers["tasks of 0"][1];
    assert_eq!(strategist["retry_count"], json!(1.0));
    assert!(strategist["depends_on"][0].as_str().unwrap().ends_with(":executive"));
    assert_eq!(strategist["output_data"]["headline"], "秋の川");
    let provider = &answers["provider of 0"];
    assert_eq!(provider.len(), 1, "{provider:?}");
    let said =
        ["provider_name", "external_job_id", "cost_incurred"].map(|n| provider[0][n].clone());
    assert_eq!(said, [json!("fal"), json!("job-7"), json!(0.05)]);
    let letter = &answers["letters of 1"][0];
    let said = ["error_category", "resolved_by", "resolution_notes"].map(|n| &letter[n]);
    assert_eq!(said, ["VALIDATION", "user:ann", "By phone."]);
    assert_eq!((&letter["resolved"], &letter["failed_attempts"]), (&json!(1.0), &json!(1.0)));
    assert!(letter["task_snapshot"]["input"]["prompt"].as_str().unwrap().starts_with("A cup"));
}

const TOLD: &str = "\
created · Request created · user:maker
task_started · Intent Parsing & Validation started · executive
task_completed · Intent Parsing & Validation completed · executive
status_change · Status changed from intake to draft · system
task_started · Visual Concept Generation started · strategist
task_failed · Visual Concept Generation failed: the model did not answer · strategist
retry · Visual Concept Generation is done again: the model did not answer · system
task_completed · Visual Concept Generation completed · strategist
status_change · Status changed from draft to production · system
task_started · Image Generation started · producer
agent_log · Image Generation: job accepted · system
task_completed · Image Generation completed · producer
status_change · Status changed from production to qa · system
task_started · Quality Assurance Review started · qa
task_completed · Quality Assurance Review completed · qa
agent_log · Approval: asked · system
agent_log · Approval: continue · user:owner
status_change · Status changed from qa to published · system";

#[tokio::test]
async fn requests_can_be_asked_about_in_the_words_of_their_own_tables() {
    let place = tempfile::tempdir().unwrap();
    let sqlite = SqliteJournal::open(SqliteOptions::in_directory(place.path())).unwrap();
    let journal: Arc<dyn Journal> = sqlite;
    let ids = tell(&journal).await;
    let on_sqlite = ask_sqlite(&place.path().join("journal.db"), &ids);
    check(&on_sqlite);
    journal.close().await;

    let Some(server) = ThrowawayPostgres::start_or_skip("the views on Postgres") else { return };
    let url = server.fresh_database("request_views").await.unwrap();
    let objects = place.path().join("objects_beside");
    let options = PostgresOptions { url: url.clone(), objects, hooks: Hooks::default() };
    let journal: Arc<dyn Journal> = PostgresJournal::open(options).await.unwrap();
    assert_eq!(tell(&journal).await, ids, "the same story");
    let on_postgres = ask_postgres(&url, &ids).await;
    check(&on_postgres);
    journal.close().await;
    assert_eq!(normal(&on_sqlite), normal(&on_postgres));
}
