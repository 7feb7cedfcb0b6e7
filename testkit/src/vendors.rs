//! Fakes of model vendors: they speak the real wire format on 127.0.0.1, refuse what the vendors
//! refuse, keep books of their own, and fail in every way that vendors fail.
//!
//! What they answer fits the schema that is asked for. What they play next can be told from the
//! test ([`Fake::play`]) or, for programs in other languages, by `POST /_play`; `GET /_ledger`
//! shows the books. That they are true to the vendors is proved by the vendors' own Python SDKs:
//! `crates/providers/tests/sdk.rs`.

mod anthropic;
mod asked;
mod fault;
mod google;
mod openai;
mod picture;
mod serve;
mod studio;

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

pub use fault::Fault;
pub use studio::{Ordered, Step, Studio, StudioFake};

/// The key that the fakes take.
pub const KEY: &str = "sk-fake-8c1f6a";

/// Whose interface is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vendor {
    /// Messages.
    Anthropic,
    /// Chat completions.
    OpenAi,
    /// generateContent.
    Google,
}

impl Vendor {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Anthropic, Self::OpenAi, Self::Google];
}

/// What a fake does with one call.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Play {
    /// What goes wrong.
    pub fault: Option<Fault>,
    /// What the model says, instead of what the schema asks for.
    pub say: Option<String>,
    /// Tools the model asks for: name and arguments.
    pub tools: Vec<(String, Value)>,
}

impl Play {
    /// A call in which this goes wrong.
    pub fn fault(fault: Fault) -> Self {
        Self { fault: Some(fault), ..Self::default() }
    }

    /// A call that is answered with these words.
    pub fn say(words: impl Into<String>) -> Self {
        Self { say: Some(words.into()), ..Self::default() }
    }

    /// A call that is answered by asking for a tool.
    pub fn tool(name: &str, arguments: Value) -> Self {
        Self { tools: vec![(name.to_owned(), arguments)], ..Self::default() }
    }
}

/// A call that the fake has done and billed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Billed {
    /// The model asked for.
    pub model: String,
    /// Tokens read at full price.
    pub input: u64,
    /// Tokens read from its cache.
    pub cached: u64,
    /// Tokens written.
    pub output: u64,
    /// What went wrong with it, in its wire name.
    pub fault: Option<Fault>,
}

/// A fake vendor, for as long as this lives.
#[derive(Debug)]
pub struct Fake {
    url: String,
    books: Arc<Books>,
    server: JoinHandle<()>,
}

/// What is between a fake and its connections.
#[derive(Debug)]
struct Books {
    vendor: Vendor,
    plays: Mutex<VecDeque<Play>>,
    /// Played when nothing else is due.
    usual: Mutex<Play>,
    billed: Mutex<Vec<Billed>>,
    /// Bodies of all calls that came, refused ones too.
    heard: Mutex<Vec<Value>>,
    /// Told whenever a call has come or been billed.
    news: Notify,
}

impl Fake {
    /// A fake of this vendor on a free port.
    pub async fn start(vendor: Vendor) -> Self {
        let books = Arc::new(Books {
            vendor,
            plays: Mutex::default(),
            usual: Mutex::default(),
            billed: Mutex::default(),
            heard: Mutex::default(),
            news: Notify::new(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(serve::serve(listener, Arc::clone(&books)));
        Self { url, books, server }
    }

    /// Where it answers, without a path.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What a client of this vendor takes as its base address.
    pub fn base(&self) -> String {
        match self.books.vendor {
            Vendor::OpenAi => format!("{}/v1", self.url),
            Vendor::Anthropic | Vendor::Google => self.url.clone(),
        }
    }

    /// What to do with the next call that has no play yet.
    pub fn play(&self, play: Play) {
        self.books.plays.lock().push_back(play);
    }

    /// What to do with every call that has no play of its own.
    pub fn always(&self, play: Play) {
        *self.books.usual.lock() = play;
    }

    /// All calls that were done and billed, in order.
    pub fn billed(&self) -> Vec<Billed> {
        self.books.billed.lock().clone()
    }

    /// The bodies of all calls that came.
    pub fn heard(&self) -> Vec<Value> {
        self.books.heard.lock().clone()
    }

    /// Waits until so many calls have been billed.
    pub async fn has_billed(&self, count: usize) {
        loop {
            let news = self.books.news.notified();
            if self.books.billed.lock().len() >= count {
                return;
            }
            news.await;
        }
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Books {
    fn next(&self) -> Play {
        self.plays.lock().pop_front().unwrap_or_else(|| self.usual.lock().clone())
    }

    fn hear(&self, body: Value) {
        self.heard.lock().push(body);
    }

    fn bill(&self, billed: Billed) {
        self.billed.lock().push(billed);
        self.news.notify_waiters();
    }
}
