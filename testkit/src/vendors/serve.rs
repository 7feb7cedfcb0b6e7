//! HTTP by hand, so that it can be broken by hand: one request a connection.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::asked::{Asked, Denied, Said};
use super::{Billed, Books, Fault, Play, Vendor, anthropic, google, openai};

/// The longest request that is taken.
const REQUEST_MAX: usize = 8 << 20;
/// The name that a fake gives to its requests.
pub(super) const REQUEST_ID: &str = "req_fake_0001";
/// An answer that nobody wants, in bytes.
pub(super) const HUGE: usize = 50 << 20;

/// A request as it came.
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// A header by its name in small letters.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Answers until nobody holds the fake any more.
pub(super) async fn serve(listener: TcpListener, books: Arc<Books>) {
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
    let is_own = request.path.starts_with("/_");
    if is_own {
        return by_hand(&mut stream, books, &request).await;
    }
    let play = books.next();
    if play.fault == Some(Fault::Hangup) {
        return Ok(());
    }
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    books.hear(body.clone());
    let asked = match books.vendor {
        Vendor::Anthropic => anthropic::asked(&request, &body),
        Vendor::OpenAi => openai::asked(&request, &body),
        Vendor::Google => google::asked(&request, &body),
    };
    match asked {
        Ok(asked) => perform(&mut stream, books, &asked, play).await,
        Err(denied) => refuse(&mut stream, books.vendor, &denied, &[]).await,
    }
}

/// Reads a request; `None` when the other side has left.
pub(super) async fn receive(stream: &mut TcpStream) -> io::Result<Option<Request>> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if bytes.len() > REQUEST_MAX || stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, path) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        headers,
        body: bytes.split_off(head_end + 4),
    };
    let length = request.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    while request.body.len() < length {
        if length > REQUEST_MAX || stream.read_buf(&mut request.body).await? == 0 {
            return Ok(None);
        }
    }
    Ok(Some(request))
}

/// `POST /_play` and `GET /_ledger`, for programs that cannot hold the fake.
async fn by_hand(stream: &mut TcpStream, books: &Books, request: &Request) -> io::Result<()> {
    match request.path.as_str() {
        "/_play" => match serde_json::from_slice::<Play>(&request.body) {
            Ok(play) => {
                books.plays.lock().push_back(play);
                whole(stream, 200, &[], "application/json", b"{}").await
            },
            Err(error) => whole(stream, 400, &[], "text/plain", error.to_string().as_bytes()).await,
        },
        "/_ledger" => {
            let billed = json!(*books.billed.lock()).to_string();
            whole(stream, 200, &[], "application/json", billed.as_bytes()).await
        },
        _ => whole(stream, 404, &[], "text/plain", b"no such page of the fake").await,
    }
}

/// Does the work, or fails at it, as the play says.
async fn perform(
    stream: &mut TcpStream,
    books: &Books,
    asked: &Asked,
    play: Play,
) -> io::Result<()> {
    let fault = play.fault;
    if let Some((denied, headers)) = fault.and_then(|fault| denied(books.vendor, fault)) {
        return refuse(stream, books.vendor, &denied, &headers).await;
    }
    match fault {
        Some(Fault::SilentBefore) => return silence(stream).await,
        Some(Fault::BadGateway) => {
            let page = b"<html><body><h1>502 Bad Gateway</h1></body></html>";
            return whole(stream, 502, &[], "text/html", page).await;
        },
        Some(Fault::Redirect) => {
            let to = [("location".to_owned(), "http://127.0.0.1:9/elsewhere".to_owned())];
            return whole(stream, 307, &to, "text/plain", b"").await;
        },
        Some(Fault::HtmlBody) => {
            return whole(stream, 200, &[], "text/html", b"<html>Please sign in</html>").await;
        },
        Some(Fault::ErrorBody) => {
            let body = error_body(books.vendor, &Denied::overloaded()).to_string();
            return whole(stream, 200, &[], "application/json", body.as_bytes()).await;
        },
        Some(Fault::ErrorFirst) => {
            let frame = error_frame(books.vendor, &Denied::overloaded());
            return stream_out(stream, &[frame], None).await;
        },
        _ => {},
    }
    let said = Said::of(asked, play);
    books.bill(Billed {
        model: asked.model.clone(),
        input: said.used.input,
        cached: said.used.cached,
        output: said.used.output,
        fault,
    });
    match fault {
        Some(Fault::SilentAfter) => return silence(stream).await,
        Some(Fault::LostAnswer) => return Ok(()),
        Some(Fault::InternalAfter) => {
            let denied = Denied::new(500, "api_error", "it broke behind the gateway");
            return refuse(stream, books.vendor, &denied, &[]).await;
        },
        _ => {},
    }
    if !asked.streams {
        let body = match books.vendor {
            Vendor::Anthropic => anthropic::whole(asked, &said),
            Vendor::OpenAi => openai::whole(asked, &said),
            Vendor::Google => google::whole(asked, &said),
        };
        return whole(stream, 200, &[], "application/json", body.to_string().as_bytes()).await;
    }
    let frames = match books.vendor {
        Vendor::Anthropic => anthropic::frames(asked, &said),
        Vendor::OpenAi => openai::frames(asked, &said),
        Vendor::Google => google::frames(asked, &said),
    };
    let mid = error_frame(books.vendor, &Denied::overloaded());
    stream_out(stream, &spoil(frames, fault, mid), fault).await
}

/// The refusals among the faults, with the headers that go with them.
pub(super) fn denied(vendor: Vendor, fault: Fault) -> Option<(Denied, Vec<(String, String)>)> {
    let limited = || Denied::new(429, "rate_limit_error", "too many calls");
    let wait = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    let reset = match vendor {
        Vendor::Anthropic => [
            ("anthropic-ratelimit-requests-remaining", "0"),
            ("anthropic-ratelimit-requests-reset", "2100-01-01T00:00:00Z"),
        ],
        Vendor::OpenAi | Vendor::Google => {
            [("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "6m0s")]
        },
    };
    let plain = |status, code, words| (Denied::new(status, code, words), Vec::new());
    Some(match fault {
        Fault::LimitedSeconds => (limited(), wait("retry-after", "7")),
        Fault::LimitedDate => (limited(), wait("retry-after", "Fri, 31 Dec 2100 23:59:59 GMT")),
        Fault::LimitedHuge => (limited(), wait("retry-after", "31556952000")),
        Fault::LimitedNegative => (limited(), wait("retry-after", "-5")),
        Fault::LimitedMillis => (limited(), wait("retry-after-ms", "1500")),
        Fault::LimitedReset => {
            let headers = reset.map(|(name, value)| (name.to_owned(), value.to_owned()));
            (limited(), headers.to_vec())
        },
        Fault::Spent => plain(429, "spent", "the month's money is spent"),
        Fault::WrongKey => plain(401, "authentication_error", "invalid x-api-key"),
        Fault::Forbidden => plain(403, "permission_error", "not for this key"),
        Fault::NoModel => plain(404, "not_found_error", "no such model"),
        Fault::SlowRequest => plain(408, "timeout", "the request took too long to arrive"),
        Fault::Conflict => plain(409, "conflict_error", "try again"),
        Fault::TooLong => plain(413, "request_too_large", "too long"),
        Fault::Unprocessable => plain(422, "invalid_request_error", "makes no sense"),
        Fault::TooEarly => plain(425, "too_early", "not yet"),
        Fault::Internal => plain(500, "api_error", "it broke"),
        Fault::Unavailable => plain(503, "overloaded_error", "down for a moment"),
        Fault::GatewayTimeout => plain(504, "timeout_error", "took too long"),
        Fault::Overloaded if vendor == Vendor::Anthropic => (Denied::overloaded(), Vec::new()),
        Fault::Overloaded => plain(503, "overloaded_error", "overloaded"),
        _ => return None,
    })
}

/// An answer as a fault leaves it.
fn spoil(mut frames: Vec<Vec<u8>>, fault: Option<Fault>, error: Vec<u8>) -> Vec<Vec<u8>> {
    let half = frames.len() / 2;
    match fault {
        Some(Fault::CutBetween | Fault::ResetMidBody | Fault::Stall) => frames.truncate(half),
        Some(Fault::CutInside) => {
            frames.truncate(half + 1);
            if let Some(last) = frames.last_mut() {
                last.truncate(last.len() / 2);
            }
        },
        Some(Fault::TruncatedJson) => {
            // A whole event, with half of its JSON.
            frames.truncate(half + 1);
            if let Some(last) = frames.last_mut() {
                last.truncate(last.len() - 6);
                last.extend_from_slice(b"\n\n");
            }
        },
        Some(Fault::InvalidUtf8) => {
            frames.insert(half, b"data: {\"x\":\"\xff\xfe\xc3\"}\n\n".to_vec());
        },
        Some(Fault::ErrorMidStream) => {
            frames.truncate(half);
            frames.push(error);
        },
        Some(Fault::Huge) => {
            let noise = format!(": {}\n\n", "x".repeat(64 << 10)).into_bytes();
            frames.truncate(half);
            let count = HUGE / noise.len();
            frames.extend(std::iter::repeat_n(noise, count));
        },
        _ => {},
    }
    frames
}

/// Sends frames as a stream of events in chunks, ended as the fault says.
async fn stream_out(
    stream: &mut TcpStream,
    frames: &[Vec<u8>],
    fault: Option<Fault>,
) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n\
         request-id: {REQUEST_ID}\r\nx-request-id: {REQUEST_ID}\r\n\
         transfer-encoding: chunked\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    for frame in frames {
        let size = if fault == Some(Fault::SlowDrip) { 7 } else { frame.len().max(1) };
        for piece in frame.chunks(size) {
            let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
            chunk.extend_from_slice(piece);
            chunk.extend_from_slice(b"\r\n");
            stream.write_all(&chunk).await?;
            stream.flush().await?;
            if fault == Some(Fault::SlowDrip) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }
    match fault {
        Some(Fault::Stall) => silence(stream).await,
        Some(Fault::ResetMidBody | Fault::CutBeforeUsage) => stream.set_zero_linger(),
        _ => stream.write_all(b"0\r\n\r\n").await,
    }
}

/// Says nothing until the other side has had enough.
pub(super) async fn silence(stream: &mut TcpStream) -> io::Result<()> {
    let mut nothing = [0; 64];
    while stream.read(&mut nothing).await? > 0 {}
    Ok(())
}

async fn refuse(
    stream: &mut TcpStream,
    vendor: Vendor,
    denied: &Denied,
    headers: &[(String, String)],
) -> io::Result<()> {
    let body = error_body(vendor, denied).to_string();
    whole(stream, denied.status, headers, "application/json", body.as_bytes()).await
}

fn error_body(vendor: Vendor, denied: &Denied) -> Value {
    match vendor {
        Vendor::Anthropic => anthropic::error(denied),
        Vendor::OpenAi => openai::error(denied),
        Vendor::Google => google::error(denied),
    }
}

/// An error within a stream.
fn error_frame(vendor: Vendor, denied: &Denied) -> Vec<u8> {
    let body = error_body(vendor, denied);
    match vendor {
        Vendor::Anthropic => format!("event: error\ndata: {body}\n\n").into_bytes(),
        Vendor::OpenAi | Vendor::Google => format!("data: {body}\n\n").into_bytes(),
    }
}

pub(super) async fn whole(
    stream: &mut TcpStream,
    status: u16,
    headers: &[(String, String)],
    media: &str,
    body: &[u8],
) -> io::Result<()> {
    let mut head = format!(
        "HTTP/1.1 {status} Said\r\ncontent-type: {media}\r\ncontent-length: {}\r\n\
         request-id: {REQUEST_ID}\r\nx-request-id: {REQUEST_ID}\r\nconnection: close\r\n",
        body.len()
    );
    for (name, value) in headers {
        for part in [name, ": ", value, "\r\n"] {
            head.push_str(part);
        }
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body).await?;
    stream.shutdown().await
}
