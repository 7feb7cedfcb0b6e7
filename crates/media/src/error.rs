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
    /// A program that films or voices are made with is not installed.
    #[error(
        "the program `{program}` is not installed: install the Debian package `{package}` \
         (apt-get install {package})"
    )]
    ToolMissing {
        /// The program.
        program: &'static str,
        /// The Debian packages that bring it.
        package: &'static str,
    },
    /// A program ended badly.
    #[error("`{program}` failed: {reason}")]
    ToolFailed {
        /// The program.
        program: &'static str,
        /// How it ended, and the end of what it said.
        reason: String,
    },
    /// A program was stopped because it took longer than it may.
    #[error("`{program}` was stopped after {seconds} s, the longest it may take")]
    ToolTooSlow {
        /// The program.
        program: &'static str,
        /// The limit.
        seconds: u64,
    },
    /// The caller wants the result no more.
    #[error("the work was stopped")]
    Stopped,
    /// A film nobody can make as it is asked for.
    #[error("the film cannot be made as asked: {reason}")]
    Unfilmable {
        /// What does not fit, and what to change.
        reason: String,
    },
    /// The bytes are no film of a kind that is read here (MP4).
    #[error("not a film that can be read (MP4): {reason}")]
    NotAFilm {
        /// What is wrong with them.
        reason: String,
    },
    /// Drawing or encoding failed: a defect here, not in the caller's input.
    #[error("the picture could not be drawn: {reason}")]
    Drawing {
        /// What the renderer or encoder said.
        reason: String,
    },
}
