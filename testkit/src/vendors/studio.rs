//! Fakes of vendors of media: orders that are taken, worked on, asked about, cancelled and fetched,
//! in the vendors' wire format, with books of what was ordered.

mod elevenlabs;
mod fal;
mod openai;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::asked::Denied;
use super::serve::{HUGE, denied, receive, silence, whole};
use super::{Fault, Vendor};

/// Whose interface is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Studio {
    /// fal's queue.
    Fal,
    /// OpenAI's images.
    OpenAi,
    /// ElevenLabs' text to speech.
    ElevenLabs,
}

/// What can be asked of a vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// An order.
    Submit,
    /// How far it is.
    Status,
    /// What came of it.
    Result,
    /// To stop it.
    Cancel,
    /// The file itself.
    File,
}

/// An order that was taken, and is billed unless it is stopped before it runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Ordered {
    /// The vendor's id of it.
    pub id: String,
    /// The model asked for.
    pub model: String,
    /// Its input.
    pub input: Value,
    /// Whether it was stopped in time.
    pub is_cancelled: bool,
    /// How often it was asked about.
    asked: u32,
}

/// A fake vendor, for as long as this lives.
#[derive(Debug)]
pub struct StudioFake {
    url: String,
    books: Arc<Books>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct Books {
    studio: Studio,
    url: String,
    plays: Mutex<VecDeque<(Step, Fault)>>,
    /// Played at this step whenever nothing else is due.
    usual: Mutex<Option<(Step, Fault)>>,
    ordered: Mutex<Vec<Ordered>>,
    heard: Mutex<Vec<Step>>,
    /// An order is done when it has been asked about so often.
    patience: Mutex<u32>,
    /// Told whenever an order is taken.
    news: Notify,
}

/// An answer, before anything goes wrong with it.
struct Answer {
    status: u16,
    media: &'static str,
    body: Vec<u8>,
}

impl Answer {
    fn json(status: u16, body: &Value) -> Self {
        Self { status, media: "application/json", body: body.to_string().into_bytes() }
    }
}

impl StudioFake {
    /// A fake of this vendor on a free port. Its orders are done when first asked about.
    pub async fn start(studio: Studio) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let books = Arc::new(Books {
            studio,
            url: url.clone(),
            plays: Mutex::default(),
            usual: Mutex::default(),
            ordered: Mutex::default(),
            heard: Mutex::default(),
            patience: Mutex::new(0),
            news: Notify::new(),
        });
        let server = tokio::spawn(serve(listener, Arc::clone(&books)));
        Self { url, books, server }
    }

    /// Where it answers, without a path.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What a client of this vendor takes as its base address.
    pub fn base(&self) -> String {
        match self.books.studio {
            Studio::Fal | Studio::ElevenLabs => self.url.clone(),
            Studio::OpenAi => format!("{}/v1", self.url),
        }
    }

    /// Host and port, as a list of allowed hosts takes them.
    pub fn host(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// What goes wrong at the next such step that has no play yet.
    pub fn play(&self, step: Step, fault: Fault) {
        self.books.plays.lock().push_back((step, fault));
    }

    /// What goes wrong at every such step.
    pub fn always(&self, step: Step, fault: Fault) {
        *self.books.usual.lock() = Some((step, fault));
    }

    /// Orders are done when they have been asked about so often.
    pub fn takes(&self, questions: u32) {
        *self.books.patience.lock() = questions;
    }

    /// All orders that were taken.
    pub fn ordered(&self) -> Vec<Ordered> {
        self.books.ordered.lock().clone()
    }

    /// What was asked, in order, refused or not.
    pub fn heard(&self) -> Vec<Step> {
        self.books.heard.lock().clone()
    }

    /// Waits until so many orders have been taken.
    pub async fn has_taken(&self, count: usize) {
        loop {
            let news = self.books.news.notified();
            if self.books.ordered.lock().len() >= count {
                return;
            }
            news.await;
        }
    }
}

impl Drop for StudioFake {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Books {
    /// What goes wrong at this step.
    fn next(&self, step: Step) -> Option<Fault> {
        let mut plays = self.plays.lock();
        if let Some(at) = plays.iter().position(|(at, _)| *at == step) {
            return plays.remove(at).map(|(_, fault)| fault);
        }
        self.usual.lock().filter(|(at, _)| *at == step).map(|(_, fault)| fault)
    }

    /// Takes an order; its id.
    fn take(&self, model: &str, input: Value) -> String {
        let mut ordered = self.ordered.lock();
        let id = format!("764cabcf-b745-4b3e-ae38-{:012}", ordered.len() + 1);
        let model = model.to_owned();
        let order = Ordered { id: id.clone(), model, input, is_cancelled: false, asked: 0 };
        ordered.push(order);
        drop(ordered);
        self.news.notify_waiters();
        id
    }

    /// Does something with an order.
    fn with<T>(&self, id: &str, work: impl FnOnce(&mut Ordered) -> T) -> Option<T> {
        self.ordered.lock().iter_mut().find(|order| order.id == id).map(work)
    }
}

async fn serve(listener: TcpListener, books: Arc<Books>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        let books = Arc::clone(&books);
        tokio::spawn(async move {
            // Clients leave in the middle; that is their right.
            drop(attend(stream, &books).await);
        });
    }
}

async fn attend(mut stream: TcpStream, books: &Books) -> io::Result<()> {
    let Some(request) = receive(&mut stream).await? else { return Ok(()) };
    let step = match books.studio {
        Studio::Fal => fal::step(&request),
        Studio::OpenAi | Studio::ElevenLabs => Step::Submit,
    };
    let fault = books.next(step);
    if fault == Some(Fault::Hangup) {
        return Ok(());
    }
    books.heard.lock().push(step);
    if let Some((denied, headers)) = fault.and_then(|fault| denied(Vendor::OpenAi, fault)) {
        let body = error(books.studio, &denied).to_string();
        // ElevenLabs says of a spent quota that the caller is not authorized.
        let is_quiet = books.studio == Studio::ElevenLabs && denied.code == "spent";
        let status = if is_quiet { 401 } else { denied.status };
        return whole(&mut stream, status, &headers, "application/json", body.as_bytes()).await;
    }
    match fault {
        Some(Fault::SilentBefore) => return silence(&mut stream).await,
        Some(Fault::BadGateway) => {
            let page = b"<html><body><h1>502 Bad Gateway</h1></body></html>";
            return whole(&mut stream, 502, &[], "text/html", page).await;
        },
        Some(Fault::Redirect) => {
            let to = [("location".to_owned(), "http://127.0.0.1:9/elsewhere".to_owned())];
            return whole(&mut stream, 307, &to, "text/plain", b"").await;
        },
        Some(Fault::HtmlBody) => {
            return whole(&mut stream, 200, &[], "text/html", b"<html>Please sign in</html>").await;
        },
        Some(Fault::ErrorBody) => {
            let body = error(books.studio, &Denied::overloaded()).to_string();
            return whole(&mut stream, 200, &[], "application/json", body.as_bytes()).await;
        },
        _ => {},
    }
    let answer = match books.studio {
        Studio::Fal => fal::answer(books, step, &request),
        Studio::OpenAi => openai::answer(books, &request),
        Studio::ElevenLabs => elevenlabs::answer(books, &request),
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(denied) => Answer::json(denied.status, &error(books.studio, &denied)),
    };
    spoil(&mut stream, books.studio, answer, fault).await
}

/// Sends an answer as a fault leaves it.
async fn spoil(
    stream: &mut TcpStream,
    studio: Studio,
    mut answer: Answer,
    fault: Option<Fault>,
) -> io::Result<()> {
    let half = answer.body.len() / 2;
    match fault {
        Some(Fault::SilentAfter) => return silence(stream).await,
        Some(Fault::LostAnswer) => return Ok(()),
        Some(Fault::InternalAfter) => {
            let denied = Denied::new(500, "api_error", "it broke behind the gateway");
            answer = Answer::json(500, &error(studio, &denied));
        },
        Some(Fault::TruncatedJson) => answer.body.truncate(half),
        Some(Fault::InvalidUtf8) => answer.body.splice(half..half, *b"\xff\xfe\xc3").for_each(drop),
        Some(Fault::WrongSchema) => answer.body = b"{\"unexpected\":true}".to_vec(),
        Some(Fault::Huge) => answer.body = vec![b' '; HUGE],
        Some(
            Fault::ResetMidBody
            | Fault::CutBetween
            | Fault::CutInside
            | Fault::Stall
            | Fault::SlowDrip,
        ) => return trickle(stream, &answer, fault).await,
        _ => {},
    }
    whole(stream, answer.status, &[], answer.media, &answer.body).await
}

/// An answer in pieces, of which not all may come.
async fn trickle(stream: &mut TcpStream, answer: &Answer, fault: Option<Fault>) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {} Said\r\ncontent-type: {}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        answer.status,
        answer.media,
        answer.body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    if fault == Some(Fault::SlowDrip) {
        for piece in answer.body.chunks(answer.body.len() / 32 + 1) {
            stream.write_all(piece).await?;
            stream.flush().await?;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        return stream.shutdown().await;
    }
    stream.write_all(&answer.body[..answer.body.len() / 2]).await?;
    match fault {
        Some(Fault::Stall) => silence(stream).await,
        Some(Fault::ResetMidBody) => stream.set_zero_linger(),
        _ => stream.shutdown().await,
    }
}

/// A refusal in the vendor's form.
fn error(studio: Studio, denied: &Denied) -> Value {
    match studio {
        Studio::Fal => json!({ "detail": denied.words }),
        Studio::OpenAi => super::openai::error(denied),
        Studio::ElevenLabs => elevenlabs::error(denied),
    }
}
