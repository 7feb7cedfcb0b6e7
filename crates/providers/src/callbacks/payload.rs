//! What vendors' callbacks say, in one form. Shapes: the source's section 7.2 (runway, pika,
//! pollo), and the vendors' own of today beside them (fal, Kling, Pollo, Runway, HeyGen).

use serde_json::Value;

/// Ids of jobs are at most so long.
const ID_MAX: usize = 256;

/// How far a job is, by its vendor's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Under way, or not known.
    Pending,
    /// Done.
    Done,
    /// Come to nothing.
    Failed,
}

impl JobState {
    /// The name that the source's answers use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Done => "completed",
            Self::Failed => "failed",
        }
    }
}

/// What a callback says about a job. Nothing of it but the id is acted upon: the provider is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct JobSays {
    /// The vendor's id of the job.
    pub job: String,
    /// How far it is.
    pub state: JobState,
}

/// The first of these places that holds an id.
fn id_at(body: &Value, pointers: &[&str]) -> Option<String> {
    pointers.iter().find_map(|pointer| {
        let id = match body.pointer(pointer)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
        };
        let is_plain = |c: char| c.is_ascii_graphic();
        (!id.is_empty() && id.len() <= ID_MAX && id.chars().all(is_plain)).then_some(id)
    })
}

fn state_at(body: &Value, pointers: &[&str], done: &[&str], failed: &[&str]) -> JobState {
    let mut words = pointers.iter().filter_map(|pointer| body.pointer(pointer)?.as_str());
    match words.next() {
        Some(word) if done.contains(&word) => JobState::Done,
        Some(word) if failed.contains(&word) => JobState::Failed,
        _ => JobState::Pending,
    }
}

/// Reads a vendor's callback. `None`: it does not say which job it is about.
pub fn read(vendor: &str, body: &Value) -> Option<JobSays> {
    let (ids, states, done, failed): (&[&str], &[&str], &[&str], &[&str]) = match vendor {
        "runway" => {
            (&["/id", "/generation_id"], &["/status"], &["SUCCEEDED"], &["FAILED", "CANCELLED"])
        },
        "pika" => (&["/job_id"], &["/state"], &["completed"], &["failed"]),
        "pollo" => (
            &["/taskId", "/task_id"],
            &["/status", "/generations/0/status"],
            &["succeed", "completed"],
            &["failed"],
        ),
        "fal" => (&["/request_id", "/gateway_request_id"], &["/status"], &["OK"], &["ERROR"]),
        "kling" => (
            &["/data/task_id", "/task_id"],
            &["/data/task_status", "/task_status"],
            &["succeed"],
            &["failed"],
        ),
        "heygen" => (
            &["/event_data/video_id", "/data/video_id", "/video_id"],
            &["/event_type"],
            &["avatar_video.success", "video_agent.success", "video_translate.success"],
            &["avatar_video.fail", "video_agent.fail", "video_translate.fail"],
        ),
        "elevenlabs" => (
            &["/data/dubbing_id", "/data/request_id", "/dubbing_id", "/request_id"],
            &["/data/status", "/status"],
            &["dubbed", "done"],
            &["failed"],
        ),
        "openai" => (
            &["/data/id"],
            &["/type"],
            &["response.completed"],
            &["response.failed", "response.cancelled", "response.incomplete"],
        ),
        _ => (&["/id", "/job_id"], &[], &[], &[]),
    };
    let job = id_at(body, ids)?;
    Some(JobSays { job, state: state_at(body, states, done, failed) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn says(vendor: &str, body: &Value) -> Option<(String, &'static str)> {
        read(vendor, body).map(|says| (says.job, says.state.name()))
    }

    #[test]
    fn every_vendor_is_read_in_its_own_words() {
        for (vendor, body, job, state) in [
            ("runway", json!({ "id": "g1", "status": "SUCCEEDED" }), "g1", "completed"),
            ("runway", json!({ "generation_id": "g2", "status": "FAILED" }), "g2", "failed"),
            ("runway", json!({ "id": "g3", "status": "RUNNING" }), "g3", "pending"),
            ("pika", json!({ "job_id": "p", "state": "completed" }), "p", "completed"),
            ("pika", json!({ "job_id": "p", "state": "queued" }), "p", "pending"),
            ("pollo", json!({ "task_id": "t", "status": "completed" }), "t", "completed"),
            ("pollo", json!({ "taskId": "t", "status": "succeed" }), "t", "completed"),
            ("pollo", json!({ "taskId": 12, "status": "failed" }), "12", "failed"),
            ("fal", json!({ "request_id": "r", "status": "OK" }), "r", "completed"),
            ("fal", json!({ "request_id": "r", "status": "ERROR" }), "r", "failed"),
            (
                "kling",
                json!({ "code": 0, "data": { "task_id": "k", "task_status": "succeed" } }),
                "k",
                "completed",
            ),
            (
                "heygen",
                json!({ "event_type": "avatar_video.fail", "event_data": { "video_id": "h" } }),
                "h",
                "failed",
            ),
            (
                "openai",
                json!({ "type": "response.completed", "data": { "id": "resp_1" } }),
                "resp_1",
                "completed",
            ),
            ("another", json!({ "job_id": "x", "status": "completed" }), "x", "pending"),
        ] {
            assert_eq!(says(vendor, &body), Some((job.to_owned(), state)), "{vendor} {body}");
        }
    }

    #[test]
    fn what_names_no_job_says_nothing() {
        let long = "x".repeat(ID_MAX + 1);
        for body in [
            json!({}),
            json!([]),
            json!(null),
            json!({ "request_id": "" }),
            json!({ "request_id": null }),
            json!({ "request_id": {} }),
            json!({ "request_id": ["r"] }),
            json!({ "request_id": "a b" }),
            json!({ "request_id": "a\n" }),
            json!({ "request_id": long }),
        ] {
            assert_eq!(says("fal", &body), None, "{body}");
        }
    }
}
