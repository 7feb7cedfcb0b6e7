//! `webhooks`: whom events are sent to, what was sent, and sending it again.

use clap::{Args, Subcommand, ValueEnum};
use serde::Deserialize;
use serde_json::{Value, json};

use super::table::{table, text};
use crate::client::Client;
use crate::client::shapes::Page;
use crate::client::which::escape;
use crate::config::Desk;
use crate::fault::Outcome;
use crate::progress::clip;

/// Columns of a URL in the list.
const URL_WIDTH: usize = 60;

/// What with them.
#[derive(Debug, Subcommand)]
pub(crate) enum WebhooksCommand {
    /// The URLs that events are sent to
    List,
    /// Send events to a URL from now on; prints its secret, once
    Add(AddArgs),
    /// Make a new secret; both sign for a while
    Rotate(RotateArgs),
    /// Send a test message
    Test(OneEndpoint),
    /// Send nothing any more to a URL
    Remove(OneEndpoint),
    /// What was sent, or is to be
    Deliveries(DeliveriesArgs),
    /// Send a message again, under its old id
    Resend(OneDelivery),
}

/// Whereto.
#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// http or https, on the public internet or on the server's --egress-allow list
    #[arg(value_name = "ADDRESS")]
    address: String,
    /// A type of event, `run.completed`; several times for several; all when left out
    #[arg(long = "event", value_name = "TYPE")]
    events: Vec<String>,
    /// For people
    #[arg(long, default_value = "")]
    description: String,
}

/// Which endpoint.
#[derive(Debug, Args)]
pub(crate) struct OneEndpoint {
    /// Its id (whe_…)
    endpoint: String,
}

/// Which endpoint, and how.
#[derive(Debug, Args)]
pub(crate) struct RotateArgs {
    /// Its id (whe_…)
    endpoint: String,
    /// For so many hours the former secret signs as well
    #[arg(long, default_value_t = 24, value_name = "HOURS", value_parser = clap::value_parser!(u32).range(0..=168))]
    overlap: u32,
}

/// Which delivery.
#[derive(Debug, Args)]
pub(crate) struct OneDelivery {
    /// Its id (dlv_…)
    delivery: String,
}

/// How far a delivery is.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Status {
    /// To be sent, or to be tried again.
    Pending,
    /// It has arrived.
    Delivered,
    /// It was given up.
    Failed,
}

/// Which deliveries.
#[derive(Debug, Args)]
pub(crate) struct DeliveriesArgs {
    /// To this endpoint
    #[arg(long, value_name = "ID")]
    endpoint: Option<String>,
    /// How far they are
    #[arg(long, value_enum)]
    status: Option<Status>,
    /// How many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=200))]
    limit: u16,
}

/// An endpoint, as far as it is shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Endpoint {
    id: String,
    url: String,
    events: Vec<String>,
    enabled: bool,
    disabled_reason: Option<String>,
    failing_since: Option<String>,
}

/// A delivery, as far as it is shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Delivery {
    id: String,
    event: String,
    status: String,
    attempts: u32,
    created_at: String,
    last_status: Option<u16>,
    last_error: Option<String>,
}

const ENDPOINTS: &str = "/api/v1/webhooks/endpoints";
const DELIVERIES: &str = "/api/v1/webhooks/deliveries";

/// Lists, makes, changes.
pub(crate) async fn perform(desk: &Desk, command: WebhooksCommand) -> Outcome {
    let client = Client::find(&desk.connect)?;
    match command {
        WebhooksCommand::List => list(desk, &client).await,
        WebhooksCommand::Add(args) => {
            let AddArgs { address, events, description } = args;
            let body = json!({ "url": address, "events": events, "description": description });
            secret(desk, &client.post(ENDPOINTS, &body).await?)
        },
        WebhooksCommand::Rotate(args) => {
            let path = format!("{ENDPOINTS}/{}/rotate", escape(&args.endpoint));
            let body = json!({ "overlap_seconds": u64::from(args.overlap) * 3600 });
            secret(desk, &client.post(&path, &body).await?)
        },
        WebhooksCommand::Test(args) => {
            let path = format!("{ENDPOINTS}/{}/test", escape(&args.endpoint));
            queued(desk, &client.post(&path, &json!({})).await?)
        },
        WebhooksCommand::Remove(args) => {
            client.delete(&format!("{ENDPOINTS}/{}", escape(&args.endpoint))).await?;
            if desk.talk.is_json() {
                return desk.talk.json(&json!({ "removed": args.endpoint }));
            }
            desk.talk.data(&format!("{} is removed; nothing is sent there any more", args.endpoint))
        },
        WebhooksCommand::Deliveries(args) => deliveries(desk, &client, args).await,
        WebhooksCommand::Resend(args) => {
            let path = format!("{DELIVERIES}/{}/resend", escape(&args.delivery));
            queued(desk, &client.post(&path, &json!({})).await?)
        },
    }
}

async fn list(desk: &Desk, client: &Client) -> Outcome {
    let value = client.get(&format!("{ENDPOINTS}?limit=200")).await?;
    if desk.talk.is_json() {
        return desk.talk.json(&value);
    }
    let page: Page<Endpoint> = client.shape(value)?;
    if page.data.is_empty() {
        desk.talk.say("Events are sent nowhere.");
        desk.talk.next(&[("showrunner webhooks add ADDRESS".to_owned(), "send them to a URL")]);
        return Ok(());
    }
    let mut rows = table(&["endpoint", "state", "events", "url"]);
    for endpoint in page.data {
        let state = match (endpoint.enabled, &endpoint.failing_since) {
            (true, None) => "enabled".to_owned(),
            (true, Some(_)) => "failing".to_owned(),
            (false, _) => {
                format!("disabled: {}", endpoint.disabled_reason.as_deref().unwrap_or("?"))
            },
        };
        let events =
            if endpoint.events.is_empty() { "all".into() } else { endpoint.events.join(" ") };
        rows.add_row([endpoint.id, state, events, clip(&endpoint.url, URL_WIDTH)]);
    }
    desk.talk.data(&text(&rows))
}

/// The secret goes to standard output alone, so that it can be piped to where it is kept.
fn secret(desk: &Desk, answer: &Value) -> Outcome {
    if desk.talk.is_json() {
        return desk.talk.json(answer);
    }
    let id = answer["endpoint"]["id"].as_str().unwrap_or("?");
    desk.talk.say(&format!("{id}: this is its secret, and it is not shown again."));
    desk.talk.data(answer["secret"].as_str().unwrap_or_default())?;
    desk.talk.next(&[(format!("showrunner webhooks test {id}"), "see whether messages arrive")]);
    Ok(())
}

fn queued(desk: &Desk, answer: &Value) -> Outcome {
    if desk.talk.is_json() {
        return desk.talk.json(answer);
    }
    let word = |name: &str| answer[name].as_str().unwrap_or("?").to_owned();
    desk.talk.data(&format!("{} is queued: {}", word("id"), word("event")))?;
    let next = format!("showrunner webhooks deliveries --endpoint {}", word("endpoint"));
    desk.talk.next(&[(next, "see how it went")]);
    Ok(())
}

async fn deliveries(desk: &Desk, client: &Client, args: DeliveriesArgs) -> Outcome {
    let status = args.status.and_then(|status| status.to_possible_value());
    let wanted = [
        args.endpoint.map(|endpoint| format!("&endpoint={}", escape(&endpoint))),
        status.map(|status| format!("&status={}", status.get_name())),
    ];
    let wanted: String = wanted.into_iter().flatten().collect();
    let path = format!("{DELIVERIES}?limit={}{wanted}", args.limit);
    let value = client.get(&path).await?;
    if desk.talk.is_json() {
        return desk.talk.json(&value);
    }
    let page: Page<Delivery> = client.shape(value)?;
    if page.data.is_empty() {
        desk.talk.say("Nothing was sent.");
        return Ok(());
    }
    let mut rows = table(&["delivery", "event", "since", "status", "tries", "answer"]);
    for delivery in page.data {
        let answer = match (delivery.last_status, delivery.last_error) {
            (Some(status), _) => status.to_string(),
            (None, Some(error)) => clip(&error, URL_WIDTH),
            (None, None) => "–".to_owned(),
        };
        rows.add_row([
            delivery.id,
            delivery.event,
            delivery.created_at.get(..19).unwrap_or("–").to_owned(),
            delivery.status,
            delivery.attempts.to_string(),
            answer,
        ]);
    }
    desk.talk.data(&text(&rows))
}
