//! A server on this machine that answers what it is told to, and remembers what it was asked.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Instead of an answer: the connection is closed.
pub(crate) const CLOSE: &[u8] = b"close";

type Answer = dyn Fn(&str) -> Vec<u8> + Send + Sync;

pub(crate) struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves until it is dropped. An empty answer never comes.
    pub(crate) async fn start(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer): (_, Arc<Answer>) = (Arc::clone(&requests), Arc::new(answer));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                drop(tokio::spawn(async move { serve(stream, &seen, &*answer).await }));
            }
        });
        Self { port, requests, task }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().clone()
    }

    pub(crate) fn seen(&self) -> usize {
        self.requests.lock().len()
    }

    /// Nobody listens any more when this returns.
    pub(crate) async fn stop(self) {
        self.task.abort();
        drop(self.task.await);
    }
}

async fn serve(mut stream: TcpStream, seen: &Mutex<Vec<String>>, answer: &Answer) {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut part = [0; 4096];
        match stream.read(&mut part).await {
            Ok(count) if count > 0 => request.extend_from_slice(&part[..count]),
            _ => return,
        }
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let told = answer(&request);
    seen.lock().push(request);
    if told.is_empty() {
        // Held open and silent.
        return std::future::pending().await;
    }
    if told != CLOSE {
        drop(stream.write_all(&told).await);
        drop(stream.shutdown().await);
    }
}

/// 200 with a text.
pub(crate) fn ok(text: &str) -> Vec<u8> {
    let length = text.len();
    format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{text}").into()
}

/// A redirect.
pub(crate) fn redirect(status: u16, to: &str) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status} Elsewhere\r\nconnection: close\r\nlocation: {to}");
    format!("{head}\r\ncontent-length: 0\r\n\r\n").into()
}
