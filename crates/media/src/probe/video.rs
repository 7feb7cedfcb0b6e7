//! Reads the boxes of an MP4 file (ISO/IEC 14496-12) without trusting them and without giving the
//! file to any program: nothing in it can name another file to be opened.

use serde::{Deserialize, Serialize};

use crate::error::MediaError;

/// Boxes looked at in one file, at most.
const BOXES_MAX: usize = 4_096;

/// What a film's own bytes say.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct VideoFacts {
    /// `video/mp4`.
    pub mime: String,
    /// Of the longest track.
    pub duration_ms: u64,
    /// Pixels, as shown.
    pub width: u32,
    /// Pixels, as shown.
    pub height: u32,
    /// The four letters of the coding of the pictures: `avc1`.
    pub video_codec: String,
    /// The same of the sound, where there is any: `mp4a`.
    pub audio_codec: Option<String>,
    /// Whether a player can begin before the whole file is there.
    pub is_fast_start: bool,
    /// Length of the file in bytes.
    pub bytes: u64,
}

/// Reads a film's facts. Refuses what is no MP4 file with pictures, or one that is cut short.
pub fn probe_video(file: &[u8]) -> Result<VideoFacts, MediaError> {
    let no = |reason: &str| MediaError::NotAFilm { reason: reason.to_owned() };
    if file.get(4..8) != Some(b"ftyp".as_slice()) {
        return Err(no("it does not begin with a file type box"));
    }
    let mut left = BOXES_MAX;
    let mut facts = VideoFacts {
        mime: "video/mp4".to_owned(),
        bytes: u64::try_from(file.len()).unwrap_or(u64::MAX),
        ..VideoFacts::default()
    };
    let (mut has_index, mut has_data) = (false, false);
    for (kind, body) in boxes(file, &mut left)? {
        match &kind {
            b"moov" => {
                facts.is_fast_start = !has_data;
                has_index = true;
                read_index(body, &mut facts, &mut left)?;
            },
            b"mdat" => has_data = true,
            _ => {},
        }
    }
    if !has_index {
        return Err(no("it has no index"));
    }
    if facts.video_codec.is_empty() || facts.width == 0 || facts.height == 0 {
        return Err(no("it has no pictures"));
    }
    if !has_data {
        return Err(no("it has an index and no content"));
    }
    Ok(facts)
}

type Named<'a> = ([u8; 4], &'a [u8]);

/// The boxes within these bytes. A box that says it is longer than what there is ends the reading.
fn boxes<'a>(mut bytes: &'a [u8], left: &mut usize) -> Result<Vec<Named<'a>>, MediaError> {
    let mut found = Vec::new();
    let cut = || MediaError::NotAFilm { reason: "it is cut short".to_owned() };
    while !bytes.is_empty() {
        *left = left.checked_sub(1).ok_or_else(|| MediaError::NotAFilm {
            reason: format!("it has more than {BOXES_MAX} boxes"),
        })?;
        let short = number(bytes, 0).ok_or_else(cut)?;
        let kind: [u8; 4] = bytes.get(4..8).and_then(|k| k.try_into().ok()).ok_or_else(cut)?;
        let (head, length) = match short {
            0 => (8, bytes.len()),
            1 => (16, usize::try_from(long(bytes, 8).ok_or_else(cut)?).map_err(|_too_long| cut())?),
            n => (8, usize::try_from(n).map_err(|_too_long| cut())?),
        };
        let body = bytes.get(head..length).ok_or_else(cut)?;
        found.push((kind, body));
        bytes = bytes.get(length.max(8)..).unwrap_or_default();
    }
    Ok(found)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

fn read_index(body: &[u8], facts: &mut VideoFacts, left: &mut usize) -> Result<(), MediaError> {
    for (kind, body) in boxes(body, left)? {
        match &kind {
            b"mvhd" => facts.duration_ms = lasts(body).unwrap_or(0),
            b"trak" => read_track(body, facts, left)?,
            _ => {},
        }
    }
    Ok(())
}

/// Movie header: time scale and duration, in the lengths of its version.
fn lasts(body: &[u8]) -> Option<u64> {
    let (scale, duration) = match body.first()? {
        0 => (number(body, 12)?, u64::from(number(body, 16)?)),
        _ => (number(body, 20)?, long(body, 24)?),
    };
    duration.checked_mul(1000).map(|ms| ms / u64::from(scale.max(1)))
}

fn read_track(body: &[u8], facts: &mut VideoFacts, left: &mut usize) -> Result<(), MediaError> {
    let mut size = (0, 0);
    let (mut handler, mut coding) = ([0; 4], [0; 4]);
    for (kind, body) in boxes(body, left)? {
        match &kind {
            b"tkhd" => {
                let at = if body.first() == Some(&0) { 76 } else { 88 };
                // 16.16 fixed point.
                let edge = |at| number(body, at).unwrap_or(0) >> 16;
                size = (edge(at), edge(at + 4));
            },
            b"mdia" => {
                for (kind, body) in boxes(body, left)? {
                    match &kind {
                        b"hdlr" => handler = four(body, 8),
                        b"minf" => coding = coding_of(body, left)?.unwrap_or(coding),
                        _ => {},
                    }
                }
            },
            _ => {},
        }
    }
    let coding: String =
        coding.iter().map(|byte| char::from(*byte)).filter(char::is_ascii_alphanumeric).collect();
    match &handler {
        b"vide" => {
            (facts.width, facts.height) = size;
            facts.video_codec = coding;
        },
        b"soun" => facts.audio_codec = Some(coding),
        _ => {},
    }
    Ok(())
}

fn four(body: &[u8], at: usize) -> [u8; 4] {
    body.get(at..at + 4).and_then(|four| four.try_into().ok()).unwrap_or_default()
}

/// The first entry of the table of sample descriptions.
fn coding_of(body: &[u8], left: &mut usize) -> Result<Option<[u8; 4]>, MediaError> {
    for (_, body) in boxes(body, left)?.into_iter().filter(|(kind, _)| kind == b"stbl") {
        let tables = boxes(body, left)?;
        if let Some((_, body)) = tables.iter().find(|(kind, _)| kind == b"stsd") {
            return Ok(Some(four(body, 12)));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_film_is_refused_and_never_followed() {
        let playlist: &[u8] =
            b"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10.0,\nfile:///etc/passwd\n";
        let concat: &[u8] = b"ffconcat version 1.0\nfile '/etc/passwd'\n";
        let svg: &[u8] = b"<svg xmlns:xlink='x'><image xlink:href='file:///etc/passwd'/></svg>";
        let huge: &[u8] = b"\0\0\0\x10ftypisom\0\0\0\0\xff\xff\xff\xffmoov";
        let endless: &[u8] = b"\0\0\0\x08ftyp\0\0\0\x01moov\xff\xff\xff\xff\xff\xff\xff\xff";
        for file in [playlist, concat, svg, huge, endless, b"", b"\0\0\0\x08ftyp"] {
            assert!(matches!(probe_video(file), Err(MediaError::NotAFilm { .. })));
        }
        let mut many = b"\0\0\0\x08ftyp".to_vec();
        for _ in 0..BOXES_MAX {
            many.extend_from_slice(b"\0\0\0\x08free");
        }
        assert!(probe_video(&many).unwrap_err().to_string().contains("boxes"));
    }
}
