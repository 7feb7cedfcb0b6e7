//! What a vendor made: fetched through the guard, as every address that another names, and looked
//! at before it is believed to be what was asked for.

use std::time::Duration;

use bytes::Bytes;
use showrunner_engine::failure::ErrorClass;

use crate::egress::{Ask, Caps, Egress, EgressError, Excess};
use crate::error::{CallFailure, Outcome};
use crate::media::{MediaKind, MediaResult};

/// The largest picture or voice, in bytes.
const SMALL_MAX: usize = 64 << 20;
/// The largest film, in bytes.
const FILM_MAX: usize = 256 << 20;
const FETCH_MAX: Duration = Duration::from_mins(2);

/// Why there is no file.
#[derive(Debug)]
pub(super) enum NoFile {
    /// Asking again may help.
    NotYet(CallFailure),
    /// It will not come, though it was paid for.
    Never(CallFailure),
}

/// Fetches a result.
pub(super) async fn fetch(
    egress: &Egress,
    provider: &str,
    kind: MediaKind,
    url: &str,
) -> Result<MediaResult, NoFile> {
    let body_max = if kind == MediaKind::Video { FILM_MAX } else { SMALL_MAX };
    let caps = Caps { time_max: FETCH_MAX, body_max, excess: Excess::Refuse, redirects_max: 3 };
    let never = |code: &str, words: String| {
        let message = format!("the result of {provider} cannot be used: {words}");
        NoFile::Never(CallFailure::new(ErrorClass::Provider, Outcome::Done, code, message))
    };
    let not_yet = |words: String| {
        let message = format!("the result of {provider} cannot be fetched: {words}");
        let code = "output_unreachable";
        NoFile::NotYet(CallFailure::new(ErrorClass::Network, Outcome::Refused, code, message))
    };
    let reply = match egress.fetch(Ask::get(url, caps)).await {
        Ok(reply) => reply,
        Err(EgressError::Refused(refused)) => {
            return Err(never("output_refused", refused.to_string()));
        },
        Err(error @ EgressError::TooLarge { .. }) => {
            return Err(never("output_too_large", error.to_string()));
        },
        Err(error) => return Err(not_yet(error.to_string())),
    };
    match reply.status {
        200 => taken(provider, kind, reply.body).map_err(NoFile::Never),
        // The addresses of results expire.
        401 | 403 | 404 | 410 => Err(never("output_missing", format!("status {}", reply.status))),
        status => Err(not_yet(format!("status {status}"))),
    }
}

/// Bytes that a vendor says are of this kind, as what they are.
pub(super) fn taken(
    provider: &str,
    kind: MediaKind,
    bytes: Bytes,
) -> Result<MediaResult, CallFailure> {
    let found = looked_at(&bytes).filter(|(found, _)| *found == kind);
    let Some((_, mime)) = found else {
        let wanted = match kind {
            MediaKind::Image => "picture (PNG, JPEG, WebP)",
            MediaKind::Video => "film (MP4, WebM)",
            MediaKind::Voice => "voice (MP3, WAV)",
        };
        let message = format!("what {provider} made, {} bytes, is no {wanted}", bytes.len());
        let code = "output_strange";
        return Err(CallFailure::new(ErrorClass::Provider, Outcome::Done, code, message));
    };
    Ok(MediaResult::Bytes { mime: mime.to_owned(), bytes })
}

/// What a file is by its first bytes, whatever is said of it.
fn looked_at(bytes: &[u8]) -> Option<(MediaKind, &'static str)> {
    use MediaKind::{Image, Video, Voice};
    let at = |from: usize, word: &[u8]| bytes.get(from..from + word.len()) == Some(word);
    Some(match () {
        () if at(0, b"\x89PNG\r\n\x1a\n") => (Image, "image/png"),
        () if at(0, b"\xff\xd8\xff") => (Image, "image/jpeg"),
        () if at(0, b"RIFF") && at(8, b"WEBP") => (Image, "image/webp"),
        () if at(0, b"RIFF") && at(8, b"WAVE") => (Voice, "audio/wav"),
        () if at(0, b"ID3") => (Voice, "audio/mpeg"),
        // The head of an MPEG audio frame: eleven ones, then version, and layer III.
        () if at(0, b"\xff") && bytes.get(1).is_some_and(|byte| byte & 0xe6 == 0xe2) => {
            (Voice, "audio/mpeg")
        },
        () if at(4, b"ftyp") => (Video, "video/mp4"),
        () if at(0, b"\x1a\x45\xdf\xa3") => (Video, "video/webm"),
        () => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_bytes_are() {
        for (bytes, mime) in [
            (&b"\x89PNG\r\n\x1a\n.."[..], Some("image/png")),
            (b"\xff\xd8\xff\xe0..", Some("image/jpeg")),
            (b"RIFF....WEBPVP8 ", Some("image/webp")),
            (b"RIFF....WAVEfmt ", Some("audio/wav")),
            (b"ID3\x04", Some("audio/mpeg")),
            (b"\xff\xfb\x90\x00", Some("audio/mpeg")),
            (b"....ftypisom", Some("video/mp4")),
            (b"\x1a\x45\xdf\xa3", Some("video/webm")),
            (b"<html>", None),
            (b"\xff", None),
            (b"", None),
        ] {
            assert_eq!(looked_at(bytes).map(|(_, mime)| mime), mime, "{bytes:?}");
        }
        let page = taken("fal", MediaKind::Image, Bytes::from_static(b"<html>")).unwrap_err();
        assert_eq!((page.code.as_str(), page.outcome), ("output_strange", Outcome::Done));
        taken("fal", MediaKind::Video, Bytes::from_static(b"\x89PNG\r\n\x1a\n")).unwrap_err();
    }
}
