//! What n8n reports: the source's `N8NCallbackPayload` (sections 3 and 7.1), `external_job_id` and
//! `provider_job_id` being two names of one thing there.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use showrunner_engine::money::MicroUsd;

/// Texts are at most so long, in characters.
const TEXT_MAX: usize = 2_000;

/// What came of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// `completed`.
    Completed,
    /// `failed`.
    Failed,
}

/// A report about a task.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// `<run>:<step>`.
    pub task: String,
    /// What came of it.
    pub outcome: Outcome,
    /// Where its file is.
    pub output_url: Option<String>,
    /// What was wrong.
    pub error: Option<String>,
    /// The job it was, at whoever did it.
    pub job: Option<String>,
    /// Whoever did it.
    pub provider: Option<String>,
    /// What it cost.
    pub cost: MicroUsd,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// Whatever else n8n wants to say.
    pub metadata: Map<String, Value>,
}

#[derive(Deserialize)]
struct Sent {
    request_task_id: Option<String>,
    status: Option<Value>,
    output_url: Option<String>,
    error_message: Option<String>,
    provider_job_id: Option<String>,
    external_job_id: Option<String>,
    provider_name: Option<String>,
    cost_incurred: Option<f64>,
    execution_time_ms: Option<f64>,
    metadata: Option<Map<String, Value>>,
}

impl Report {
    /// Reads a report.
    ///
    /// # Errors
    /// The source's words for what is missing or wrong.
    pub fn read(body: &Value) -> Result<Self, String> {
        let sent = Sent::deserialize(body).map_err(|fault| fault.to_string())?;
        let task = sent.request_task_id.filter(|task| !task.is_empty());
        let task = task.ok_or("Missing required field: request_task_id")?;
        let outcome = match sent.status.as_ref().and_then(Value::as_str) {
            Some("completed") => Outcome::Completed,
            Some("failed") => Outcome::Failed,
            _ => return Err(r#"Invalid status. Must be "completed" or "failed""#.into()),
        };
        let cut = |text: String| text.chars().take(TEXT_MAX).collect::<String>();
        Ok(Self {
            task,
            outcome,
            output_url: sent.output_url.filter(|url| !url.is_empty()),
            error: sent.error_message.map(cut),
            job: sent.provider_job_id.or(sent.external_job_id).map(cut),
            provider: sent.provider_name.map(cut),
            cost: micros(sent.cost_incurred)?,
            duration_ms: millis(sent.execution_time_ms),
            metadata: sent.metadata.unwrap_or_default(),
        })
    }

    /// The run and step of the task.
    pub fn place(&self) -> Option<(&str, &str)> {
        self.task.split_once(':').filter(|(run, step)| !run.is_empty() && !step.is_empty())
    }

    /// What of it belongs to the task's output, by the source's names.
    pub fn facts(&self) -> Map<String, Value> {
        let facts = json!({
            "provider_name": self.provider,
            "external_job_id": self.job,
            "execution_time_ms": self.duration_ms,
            "output_url": self.output_url,
            "metadata": self.metadata,
        });
        match facts {
            Value::Object(facts) => facts,
            _ => Map::new(),
        }
    }
}

/// Dollars as they are counted here; more than a million is a mistake.
fn micros(dollars: Option<f64>) -> Result<MicroUsd, String> {
    let dollars = dollars.unwrap_or(0.0);
    if !(0.0..=1_000_000.0).contains(&dollars) {
        return Err("Invalid cost_incurred. Must be dollars between 0 and 1000000".into());
    }
    #[expect(clippy::cast_possible_truncation, reason = "a million at most")]
    let micros = (dollars * 1_000_000.0).round() as i64;
    Ok(MicroUsd(micros))
}

fn millis(span: Option<f64>) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between zero and a year"
    )]
    let millis = span.unwrap_or(0.0).clamp(0.0, 31_536_000_000.0) as u64;
    millis
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_as_the_source_writes_it() {
        let report = Report::read(&json!({
            "request_task_id": "run_1:producer", "status": "completed",
            "output_url": "https://cdn.example/v.mp4", "provider_name": "runway",
            "external_job_id": "job-1", "cost_incurred": 0.5, "execution_time_ms": 1234,
            "metadata": { "execution_id": "7" },
        }))
        .unwrap();
        assert_eq!(report.place(), Some(("run_1", "producer")));
        assert_eq!((report.cost, report.duration_ms), (MicroUsd(500_000), 1234));
        assert_eq!(report.job.as_deref(), Some("job-1"));
        assert_eq!(report.facts()["metadata"]["execution_id"], "7");
    }

    #[test]
    fn what_is_missing_is_named_in_the_sources_words() {
        let wrong = |body: Value| Report::read(&body).unwrap_err();
        let missing = "Missing required field: request_task_id";
        assert_eq!(wrong(json!({})), missing);
        assert_eq!(wrong(json!({ "request_task_id": "", "status": "completed" })), missing);
        let status = r#"Invalid status. Must be "completed" or "failed""#;
        for given in [json!(null), json!("done"), json!(1), json!(["completed"])] {
            assert_eq!(wrong(json!({ "request_task_id": "a:b", "status": given })), status);
        }
        for cost in [-1.0, 1e12] {
            let body =
                json!({ "request_task_id": "a:b", "status": "failed", "cost_incurred": cost });
            assert!(wrong(body).contains("cost_incurred"));
        }
        assert!(Report::read(&json!("text")).is_err());
    }
}
