//! What is around this process: the port, the server, its providers, a Postgres.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use serde_json::Value;

use super::Finding;
use crate::client::Client;
use crate::client::place::Ready;
use crate::config::Desk;
use crate::config::outward::OutwardArgs;
use crate::config::serve::Database;
use crate::config::{media, models};
use crate::fault::Exit;
use crate::wiring;

/// Whether the address that a server would take is free.
pub(super) fn port(address: SocketAddr, data_dir: &Path) -> Finding {
    let name = "port";
    let Err(error) = TcpListener::bind(address) else {
        return Finding::good(name, format!("{address} is free"));
    };
    let ours = Ready::of(data_dir).ok().flatten().filter(Ready::is_alive);
    match ours {
        Some(ready) if ready.url.ends_with(&format!(":{}", address.port())) => {
            Finding::good(name, format!("{address} is taken by the server of this data folder"))
        },
        _ => Finding::note(
            name,
            format!("{address} cannot be taken: {error}"),
            "serve with --listen 127.0.0.1:0, or end what has it (ss -ltnp)",
        ),
    }
}

/// Whom a server would ask for others: the public internet, and what is listed beside it.
pub(super) fn egress(outward: &OutwardArgs) -> Finding {
    let name = "egress";
    let ports: Vec<String> = outward.ports().iter().map(ToString::to_string).collect();
    let public = format!("public addresses on port {}", ports.join(", "));
    let listed = outward.shown();
    if listed.is_empty() {
        return Finding::good(name, format!("{public}; nothing of your own network"));
    }
    Finding::note(
        name,
        format!("{public}, and {}", listed.join(", ")),
        "whoever may register a webhook can make the server post there: keep the list short",
    )
}

/// Whether a server answers, and what it simulates.
pub(super) async fn server(desk: &Desk) -> Vec<Finding> {
    let name = "server";
    let client = match Client::find(&desk.connect) {
        Ok(client) => client,
        Err(fault) if fault.exit == Exit::Unreachable => {
            return vec![Finding::note(name, fault.what, "showrunner serve")];
        },
        Err(fault) => return vec![Finding::bad(name, fault.what, fault.hints.join("; "))],
    };
    let system = match client.get("/api/v1/system").await {
        Ok(system) => system,
        Err(fault) => {
            let what = [fault.what].into_iter().chain(fault.why).collect::<Vec<_>>().join(": ");
            return vec![Finding::bad(name, what, fault.hints.join("; "))];
        },
    };
    let text = |name: &str| system.get(name).and_then(Value::as_str).unwrap_or("?").to_owned();
    let base = client.base();
    let version = text("version");
    let what = format!("{base} answers: version {version}, {}", text("database"));
    let mine = env!("CARGO_PKG_VERSION");
    let mut findings = vec![if version == mine {
        Finding::good(name, what)
    } else {
        Finding::note(name, what, format!("this command is {mine}: use the same version for both"))
    }];
    findings.push(role(&client).await);
    findings.push(providers(&client).await);
    findings
}

/// Whether the server takes work, or waits until another one ends.
async fn role(client: &Client) -> Finding {
    let name = "role";
    // A standby answers 503 with the same body.
    let (ready, fault) = match client.get("/readyz").await {
        Ok(ready) => (Some(ready), None),
        Err(fault) => (fault.problem.clone(), Some(fault)),
    };
    let role = ready.as_ref().and_then(|ready| ready.get("role")).and_then(Value::as_str);
    match (role, fault) {
        (Some("standby"), _) => Finding::note(
            name,
            "this server is a standby: another process owns the database",
            "nothing, if that is what you want; it takes over when the other one ends",
        ),
        (role, None) => {
            let role = role.unwrap_or("owner");
            Finding::good(name, format!("this server is the {role} of its database"))
        },
        (_, Some(fault)) => Finding::bad(name, fault.what, "it is not ready: see its log"),
    }
}

async fn providers(client: &Client) -> Finding {
    let name = "providers";
    let answer = match client.get("/api/v1/providers").await {
        Ok(answer) => answer,
        Err(fault) => return Finding::bad(name, fault.what, fault.hints.join("; ")),
    };
    // A bare list by contract; a page is understood as well.
    let list = answer.as_array().or_else(|| answer.get("data").and_then(Value::as_array));
    let names: Vec<String> = list
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .map(|provider| {
            let text = |name: &str| provider.get(name).and_then(Value::as_str).unwrap_or("?");
            match text("mode") {
                "scripted" => format!("{} (simulated)", text("name")),
                mode => format!("{} ({mode})", text("name")),
            }
        })
        .collect();
    if names.is_empty() {
        return Finding::bad(
            name,
            "none is configured",
            "start the server again: the simulator needs nothing",
        );
    }
    Finding::good(name, names.join(", "))
}

/// Which vendors a server started here would call. Never shows a key.
pub(super) fn models() -> Finding {
    let name = "models";
    let found = [models::keys_found(), media::keys_found()].concat();
    if found.is_empty() {
        let what = "no key of a vendor is set here: a server started here simulates";
        return Finding::good(name, what);
    }
    let found: Vec<String> =
        found.iter().map(|(key, vendor)| format!("{vendor} ({key})")).collect();
    let what = format!("a server started here calls, and pays: {}", found.join(", "));
    Finding::note(name, what, "nothing, if that is what you want; serve --simulate calls nobody")
}

/// Whether the Postgres answers.
pub(super) async fn postgres(url: &str) -> Finding {
    let name = "Postgres";
    let shown = Database::Postgres(url.to_owned()).shown();
    match wiring::postgres_version(url).await {
        Ok(version) => Finding::good(name, format!("{shown}: {version}")),
        Err(error) => Finding::bad(
            name,
            format!("{shown}: {error:#}"),
            "check address, name and password; make run-postgres starts a throwaway one",
        ),
    }
}
