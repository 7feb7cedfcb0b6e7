//! The way out: how a URL may be written, where its name may lead, and what may come back.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use showrunner_providers::egress::{
    Ask, Caps, Egress, EgressError, Excess, HeaderValue, Names, Rule, Rules,
};

use crate::server::Server;
use crate::{forms, server};

const CAPS: Caps = Caps {
    time_max: Duration::from_mins(1),
    body_max: 64 * 1024,
    excess: Excess::Refuse,
    redirects_max: 5,
};

/// Answers with these addresses in turn; the last one for ever.
#[derive(Debug)]
struct Turns(Mutex<VecDeque<Vec<IpAddr>>>);

impl Turns {
    fn of(turns: &[&[&str]]) -> Arc<Self> {
        let read = |turn: &&[&str]| turn.iter().map(|ip| ip.parse().unwrap()).collect();
        Arc::new(Self(Mutex::new(turns.iter().map(read).collect())))
    }
}

#[async_trait]
impl Names for Turns {
    async fn look_up(&self, _name: &str) -> io::Result<Vec<IpAddr>> {
        let mut turns = self.0.lock();
        let next = if turns.len() > 1 { turns.pop_front() } else { turns.front().cloned() };
        Ok(next.unwrap_or_default())
    }
}

fn allowing(server: &Server) -> Egress {
    Egress::new(Rules::allowing([server.address().parse().unwrap()]))
}

#[tokio::test]
async fn no_form_of_a_url_reaches_what_is_not_public() {
    let egress = Egress::with_names(Rules::default(), forms::names());
    let hostile = forms::hostile();
    assert!(hostile.len() >= 350, "{} forms", hostile.len());
    let mut through = Vec::new();
    for url in &hostile {
        match egress.fetch(Ask::get(url.as_str(), CAPS)).await {
            Err(EgressError::Refused(_)) => {},
            other => through.push(format!("{url}: {other:?}")),
        }
    }
    assert!(through.is_empty(), "{} got through:\n{}", through.len(), through.join("\n"));
}

#[tokio::test]
async fn each_rule_is_named_and_plain_urls_pass() {
    let egress = Egress::with_names(Rules::default(), forms::names());
    for (url, rule) in forms::RULES {
        let refused = egress.vet(url).await.unwrap_err();
        assert_eq!(refused.rule, *rule, "{url}: {refused}");
        assert!(!refused.to_string().contains("hush"), "{url}: {refused}");
    }
    for url in forms::PLAIN {
        let target = egress.vet(url).await;
        assert!(target.is_ok(), "{url}: {target:?}");
    }
}

#[tokio::test]
async fn a_name_that_changes_between_the_check_and_the_connection_gains_nothing() {
    let server = Server::start(|_| server::ok("secret")).await;
    // Public when it is checked, this machine when it is connected to.
    let names = Turns::of(&[&["93.184.215.14"], &["127.0.0.1"]]);
    let rules = Rules { ports: vec![server.port()], ..Rules::default() };
    let egress = Egress::with_names(rules, names);
    let url = format!("http://rebinding.example:{}/", server.port());
    assert!(egress.vet(&url).await.is_ok());
    let fault = egress.fetch(Ask::get(&url, CAPS)).await.unwrap_err();
    assert_eq!(fault.rule(), Some(Rule::Address), "{fault}");
    assert_eq!(server.seen(), 0);
}

#[tokio::test]
async fn one_private_address_among_public_ones_spoils_them_all() {
    let names = Turns::of(&[&["93.184.215.14", "10.0.0.1"]]);
    let egress = Egress::with_names(Rules::default(), names);
    let fault = egress.fetch(Ask::get("http://mixed.example/", CAPS)).await.unwrap_err();
    assert_eq!(fault.rule(), Some(Rule::Address), "{fault}");
    let names = Turns::of(&[&["2606:2800:21f::1", "fd00::1"]]);
    let egress = Egress::with_names(Rules::default(), names);
    assert_eq!(egress.vet("https://mixed.example/").await.unwrap_err().rule, Rule::Address);
}

#[tokio::test]
async fn what_the_operator_lists_is_reached_on_that_port_only() {
    let (listed, other) =
        (Server::start(|_| server::ok("here")).await, Server::start(|_| server::ok("no")).await);
    let by_name = format!("n8n.lan:{}", listed.port());
    let rules = Rules {
        ports: vec![80, 443, other.port()],
        ..Rules::allowing([by_name.parse().unwrap(), listed.address().parse().unwrap()])
    };
    let egress = Egress::with_names(rules, Turns::of(&[&["127.0.0.1"]]));
    for host in ["n8n.lan", "N8N.LAN", "n8n.lan.", "127.0.0.1", "0x7f.1"] {
        let reply = egress.fetch(Ask::get(format!("http://{host}:{}/", listed.port()), CAPS)).await;
        assert_eq!(reply.unwrap().body, "here", "{host}");
    }
    let urls = [
        format!("http://n8n.lan:{}/", other.port()),
        format!("http://127.0.0.1:{}/", other.port()),
        format!("http://localhost:{}/", listed.port()),
        "http://n8n.lan/".to_owned(),
    ];
    for url in urls {
        let fault = egress.fetch(Ask::get(&url, CAPS)).await.unwrap_err();
        assert!(fault.rule().is_some(), "{url}: {fault}");
    }
    assert_eq!(other.seen(), 0);
    // Not even a listed name leads to where clouds keep credentials.
    let rules = Rules::allowing(["n8n.lan:80".parse().unwrap()]);
    let egress = Egress::with_names(rules, Turns::of(&[&["169.254.169.254"]]));
    let fault = egress.fetch(Ask::get("http://n8n.lan/", CAPS)).await.unwrap_err();
    assert_eq!(fault.rule(), Some(Rule::Address), "{fault}");
}

#[tokio::test]
async fn redirects_are_followed_so_far_and_judged_each_time() {
    let inner = Server::start(|_| server::ok("the inside")).await;
    let trap = inner.address();
    let server = Server::start(move |request| {
        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
        match path.strip_prefix("/hops/").and_then(|n| n.parse::<u32>().ok()) {
            Some(0) => server::ok("arrived"),
            Some(n) => server::redirect(302, &format!("/hops/{}", n - 1)),
            None if path == "/inside" => server::redirect(301, &format!("http://{trap}/")),
            None if path == "/metadata" => server::redirect(307, "http://169.254.169.254/latest"),
            None if path == "/file" => server::redirect(302, "file:///etc/passwd"),
            None if path == "/loop" => server::redirect(302, "/loop"),
            None => server::redirect(308, "http://user:hush@example.com/"),
        }
    })
    .await;
    let egress = allowing(&server);
    let get = async |path: &str, caps: Caps| egress.fetch(Ask::get(server.url(path), caps)).await;
    for hops in 0..=5 {
        let reply = get(&format!("/hops/{hops}"), CAPS).await.unwrap();
        assert_eq!((reply.status, &*reply.body), (200, &b"arrived"[..]), "{hops}");
    }
    for hops in 6..=10 {
        let fault = get(&format!("/hops/{hops}"), CAPS).await.unwrap_err();
        assert_eq!(fault.rule(), Some(Rule::Redirects), "{hops}: {fault}");
    }
    for (path, rule) in [
        ("/inside", Rule::Port),
        ("/metadata", Rule::Address),
        ("/file", Rule::Scheme),
        ("/loop", Rule::Redirects),
        ("/credentials", Rule::Credentials),
    ] {
        let fault = get(path, CAPS).await.unwrap_err();
        assert_eq!(fault.rule(), Some(rule), "{path}: {fault}");
        assert!(!fault.to_string().contains("hush"), "{fault}");
    }
    assert_eq!(inner.seen(), 0);
    // A webhook follows nothing: the redirect is its answer.
    let reply = get("/inside", Caps { redirects_max: 0, ..CAPS }).await.unwrap();
    assert_eq!(reply.status, 301);
    let reply = egress.fetch(Ask::post(server.url("/inside"), "{}".into(), CAPS)).await.unwrap();
    assert_eq!(reply.status, 301);
}

#[tokio::test]
async fn keys_are_not_carried_to_another_host() {
    let second = Server::start(|_| server::ok("second")).await;
    let away = second.url("/");
    let first = Server::start(move |_| server::redirect(302, &away)).await;
    let rules = Rules::allowing([first.address(), second.address()].map(|a| a.parse().unwrap()));
    let mut ask = Ask::get(first.url("/"), CAPS);
    ask.headers.insert("authorization", HeaderValue::from_static("Bearer hush"));
    ask.headers.insert("accept", HeaderValue::from_static("video/mp4"));
    assert_eq!(Egress::new(rules).fetch(ask).await.unwrap().body, "second");
    assert!(first.requests()[0].contains("Bearer hush"));
    assert!(!second.requests()[0].contains("hush"), "{:?}", second.requests());
    assert!(second.requests()[0].contains("video/mp4"));
}

#[tokio::test]
async fn the_query_arrives_as_it_was_written() {
    let server = Server::start(|_| server::ok("")).await;
    let path = "/webhook-waiting/12?signature=a%2Fb%3D&x=1&x=2&&y=%E6%97%A5+z";
    allowing(&server).fetch(Ask::post(server.url(path), "{}".into(), CAPS)).await.unwrap();
    let request = server.requests().remove(0);
    assert!(request.starts_with(&format!("POST {path} HTTP/1.1\r\n")), "{request}");
}

#[tokio::test]
async fn long_answers_and_slow_ones_end_where_they_must() {
    let server = Server::start(|request| {
        if request.contains("/slow") { Vec::new() } else { server::ok(&"x".repeat(100_000)) }
    })
    .await;
    let egress = allowing(&server);
    let fault = egress.fetch(Ask::get(server.url("/long"), CAPS)).await.unwrap_err();
    assert!(matches!(fault, EgressError::TooLarge { body_max: 65_536, .. }), "{fault}");
    let cut = Caps { excess: Excess::Cut, body_max: 10, ..CAPS };
    let reply = egress.fetch(Ask::get(server.url("/long"), cut)).await.unwrap();
    assert_eq!((&*reply.body, reply.is_cut), (&b"xxxxxxxxxx"[..], true));
    let short = Caps { time_max: Duration::from_millis(50), ..CAPS };
    let fault = egress.fetch(Ask::get(server.url("/slow"), short)).await.unwrap_err();
    assert!(matches!(fault, EgressError::TooSlow { .. }), "{fault}");
}

#[tokio::test]
async fn nobody_there_is_told_from_a_broken_connection_and_no_error_says_the_path() {
    let server = Server::start(|request| {
        if request.contains("/drop") { server::CLOSE.to_vec() } else { server::ok("") }
    })
    .await;
    let egress = allowing(&server);
    let fault = egress.fetch(Ask::get(server.url("/drop?key=hush"), CAPS)).await.unwrap_err();
    assert!(matches!(fault, EgressError::Broken { .. }), "{fault}");
    assert!(!fault.to_string().contains("hush"), "{fault}");
    let gone = server.url("/gone?key=hush");
    server.stop().await;
    let fault = egress.fetch(Ask::get(gone, CAPS)).await.unwrap_err();
    assert!(matches!(fault, EgressError::Unreachable { .. }), "{fault}");
    assert!(!fault.to_string().contains("hush"), "{fault}");
}
