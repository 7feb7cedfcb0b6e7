//! What the two processes say to each other: frames of a length (32 bits, big-endian) and that
//! many bytes of JSON. The worker asks, the parent answers; nothing else crosses.

use std::io::{self, Read, Write};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::confine::Confinement;
use crate::fault::Fault;
use crate::host::{FetchAnswer, FetchFailure, FetchRequest, SavedFile};
use crate::job::LogLine;

/// The largest frame either side takes: an asset of the largest size in base 64, and its name.
pub(crate) const FRAME_BYTES_MAX: usize = 48 * 1024 * 1024;

/// Bytes, as base 64 on the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64_STANDARD.decode(text).map(Self).map_err(serde::de::Error::custom)
    }
}

/// What a worker says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Said {
    /// It is locked in and waits for its job.
    Ready(Confinement),
    /// A line of the author's; no answer.
    Log(LogLine),
    /// It wants something and does nothing until it has it.
    Ask(Ask),
    /// The job is done; the last word.
    Done(Box<Result<Value, Fault>>),
}

/// What a worker may ask for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ask {
    /// An HTTP request.
    Fetch(FetchRequest),
    /// To keep a file.
    Save(SavedFile),
    /// To be woken later.
    Sleep {
        /// In so many milliseconds.
        ms: u64,
    },
}

/// What the parent answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answered {
    /// The request was answered.
    Fetched(FetchAnswer),
    /// It was not.
    NotFetched(FetchFailure),
    /// The file is kept; what is said of it.
    Saved(Value),
    /// The file is not kept.
    NotSaved {
        /// Why.
        message: String,
    },
    /// It is time.
    Woken,
}

/// Writes a frame.
pub(crate) fn write<T: Serialize>(to: &mut impl Write, message: &T) -> io::Result<()> {
    let frame = frame(message)?;
    to.write_all(&frame)?;
    to.flush()
}

/// Reads a frame; `None` at the end of the stream.
pub(crate) fn read<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<Option<T>> {
    let mut head = [0; 4];
    match from.read_exact(&mut head) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let mut body = vec![0; length(head)?];
    from.read_exact(&mut body)?;
    Ok(Some(serde_json::from_slice(&body)?))
}

/// Writes a frame.
pub(crate) async fn send<T: Serialize>(
    to: &mut (impl AsyncWrite + Unpin),
    message: &T,
) -> io::Result<()> {
    let frame = frame(message)?;
    to.write_all(&frame).await?;
    to.flush().await
}

/// Reads a frame.
pub(crate) async fn receive<T: DeserializeOwned>(
    from: &mut (impl AsyncRead + Unpin),
) -> io::Result<T> {
    let mut head = [0; 4];
    from.read_exact(&mut head).await?;
    let length = length(head)?;
    // Grows with what comes, not with what is claimed.
    let mut body = Vec::new();
    let claimed = u64::try_from(length).unwrap_or(u64::MAX);
    from.take(claimed).read_to_end(&mut body).await?;
    if body.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_slice(&body)?)
}

fn frame<T: Serialize>(message: &T) -> io::Result<Vec<u8>> {
    let mut frame = vec![0; 4];
    serde_json::to_writer(&mut frame, message)?;
    let length = frame.len() - 4;
    let head = u32::try_from(length).ok().filter(|_| length <= FRAME_BYTES_MAX);
    let head = head.ok_or_else(|| too_long(length))?.to_be_bytes();
    for (place, byte) in frame.iter_mut().zip(head) {
        *place = byte;
    }
    Ok(frame)
}

fn length(head: [u8; 4]) -> io::Result<usize> {
    let length = usize::try_from(u32::from_be_bytes(head)).unwrap_or(usize::MAX);
    if length > FRAME_BYTES_MAX { Err(too_long(length)) } else { Ok(length) }
}

fn too_long(length: usize) -> io::Error {
    let what = format!("a frame of {length} bytes; the most is {FRAME_BYTES_MAX}");
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn both_sides_read_what_either_wrote() {
        let mut wire = Vec::new();
        let ask = Ask::Sleep { ms: 7 };
        write(&mut wire, &ask).unwrap();
        send(&mut wire, &Ask::Sleep { ms: 8 }).await.unwrap();
        let mut from = wire.as_slice();
        assert!(matches!(read(&mut from).unwrap(), Some(Ask::Sleep { ms: 7 })));
        assert!(matches!(receive(&mut from).await.unwrap(), Ask::Sleep { ms: 8 }));
        assert!(read::<Ask>(&mut from).unwrap().is_none());
    }

    #[tokio::test]
    async fn a_claimed_length_takes_no_memory() {
        let huge = [0xff, 0xff, 0xff, 0xff, b'1'];
        assert!(receive::<Value>(&mut huge.as_slice()).await.is_err());
        let cut_short = [0x02, 0x00, 0x00, 0x00, b'1'];
        assert!(receive::<Value>(&mut cut_short.as_slice()).await.is_err());
        assert!(read::<Value>(&mut huge.as_slice()).is_err());
    }
}
