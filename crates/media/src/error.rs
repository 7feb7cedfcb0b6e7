//! What can go wrong when bytes are turned into other bytes.

use thiserror::Error;

/// Why a picture could not be made, read or resized.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MediaError {
    /// No face with Japanese glyphs was found where fonts were looked for.
    #[error(
        "no font with Japanese glyphs found in {searched}: install the Debian package \
         `fonts-noto-cjk` (apt-get install fonts-noto-cjk), or name a folder that holds such a font"
    )]
    NoJapaneseFont {
        /// The folders searched, or "the system's font folders".
        searched: String,
    },
    /// An aspect ratio nobody draws.
    #[error("aspect ratio {given:?} is not drawn here; accepted are {accepted}")]
    UnknownAspect {
        /// What was asked for, shortened.
        given: String,
        /// The accepted ratios, comma-separated.
        accepted: String,
    },
    /// The bytes are no picture of a kind that is read here (PNG, JPEG, WebP, GIF).
    #[error("not a picture that can be read (PNG, JPEG, WebP or GIF): {reason}")]
    Unreadable {
        /// The decoder's own words.
        reason: String,
    },
    /// The picture is larger than what is decoded here; refused from its header alone.
    #[error("picture of {width}x{height} pixels exceeds the limit of {limit} pixels")]
    TooLarge {
        /// Width in pixels that the header declares.
        width: u32,
        /// Height in pixels that the header declares.
        height: u32,
        /// The most pixels that are decoded.
        limit: u64,
    },
    /// Drawing or encoding failed: a defect here, not in the caller's input.
    #[error("the picture could not be drawn: {reason}")]
    Drawing {
        /// What the renderer or encoder said.
        reason: String,
    },
}
