//! `run`: starts a run of a published definition.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value, json};

use super::{given, watch};
use crate::client::Client;
use crate::client::which::escape;
use crate::config::Desk;
use crate::fault::{Fault, Outcome};
use crate::progress::short_id;

/// What to start.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The definition's name
    definition: String,
    /// One input value; `name=@FILE` reads a text. May be repeated
    #[arg(short = 'i', value_name = "NAME=VALUE")]
    pairs: Vec<String>,
    /// The input as a JSON file, - for standard input; -i goes on top
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// The definition's version [default: the newest]
    #[arg(long, value_name = "N")]
    version: Option<u32>,
    /// A name for people
    #[arg(long)]
    title: Option<String>,
    /// A limit in dollars
    #[arg(long, value_name = "USD", value_parser = dollars)]
    budget: Option<f64>,
    /// Repeating the command with the same key starts nothing twice
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Show it live until it is over
    #[arg(long, conflicts_with = "wait")]
    watch: bool,
    /// Say nothing until it is over, then print its output
    #[arg(long)]
    wait: bool,
}

/// A limit that limits: `nan` and `inf` are numbers to Rust, and no limit to anybody.
fn dollars(text: &str) -> Result<f64, String> {
    const MOST: f64 = 1_000_000.0;
    let number = text.trim().parse::<f64>().ok();
    number.filter(|usd| (0.0..=MOST).contains(usd)).ok_or_else(|| {
        format!("it is no amount from 0 to {MOST}; write dollars, such as --budget 0.50")
    })
}

/// Starts a run.
pub(crate) async fn perform(desk: &Desk, args: RunArgs) -> Outcome {
    let file = args.input.as_deref().map(|file| given::json_file("--input", file)).transpose()?;
    let client = Client::find(&desk.connect)?;
    let input = input(&client, &args, file).await?;
    let mut body = json!({ "definition": args.definition, "input": input });
    if let Some(version) = args.version {
        body["version"] = json!(version);
    }
    if let Some(title) = &args.title {
        body["title"] = json!(title);
    }
    if let Some(usd) = args.budget {
        body["budget"] = json!({ "usd": usd });
    }
    let key = match args.idempotency_key {
        Some(key) => key,
        None => fresh_key()?,
    };
    let started = client.post_once("/api/v1/runs", &body, &key).await.map_err(|fault| {
        if Path::new(&args.definition).is_file() {
            fault.hint(format!("that is a file: showrunner publish {}", args.definition))
        } else {
            fault
        }
    })?;
    let id = started.pointer("/run/id").or_else(|| started.get("id")).and_then(Value::as_str);
    let id = id.ok_or_else(|| Fault::refused("the server did not name the new run"))?;
    if args.wait {
        return watch::wait(desk, &client, id).await;
    }
    if args.watch {
        desk.talk.say(&format!("{id} started"));
        return watch::until_over(desk, &client, &[id.to_owned()], 0).await;
    }
    desk.talk.answer(&started, id)?;
    desk.talk.next(&[
        (format!("showrunner watch {}", short_id(id)), "see it live"),
        (format!("showrunner runs show {}", short_id(id)), "see where it stands"),
        (format!("showrunner cancel {}", short_id(id)), "end it"),
    ]);
    Ok(())
}

/// The file's object with the pairs on top.
async fn input(client: &Client, args: &RunArgs, file: Option<Value>) -> Outcome<Value> {
    let mut object = match file {
        None => Map::new(),
        Some(Value::Object(object)) => object,
        Some(_) => {
            return Err(Fault::usage("--input must hold a JSON object")
                .hint("its members are the inputs: {\"brief\": \"…\"}"));
        },
    };
    if !args.pairs.is_empty() {
        // Without the definition the server will say itself what it does not know.
        let path = format!("/api/v1/definitions/{}", escape(&args.definition));
        let definition = client.get(&path).await.ok();
        let schema = definition.as_ref().and_then(|definition| definition.get("input_schema"));
        object.extend(given::pairs(&args.pairs, schema)?);
    }
    Ok(Value::Object(object))
}

/// A key that nobody else has: a repetition by the network starts nothing twice.
pub(super) fn fresh_key() -> Outcome<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        Fault::refused("the system gives no randomness").because(error.to_string())
    })?;
    Ok(format!("cli-{:032x}", u128::from_be_bytes(bytes)))
}
