//! Looks at a picture somebody else made, without trusting it.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, ImageReader, Limits};
use serde::{Deserialize, Serialize};

use crate::error::MediaError;

mod video;
pub use video::{VideoFacts, probe_video};

/// The most pixels that are decoded: 64 megapixels, 256 MB as RGBA.
pub const PIXELS_MAX: u64 = 64 * 1024 * 1024;

/// What a picture's own bytes say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageFacts {
    /// Media type by the bytes, never by a name: `image/png`, `image/jpeg`, `image/webp`, `image/gif`.
    pub mime: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Length of the file in bytes.
    pub bytes: u64,
    /// Nearly one colour everywhere: a placeholder, not a picture.
    pub blank: bool,
}

/// Reads and fully decodes a picture, so that a truncated or lying file is found out.
pub fn probe_image(bytes: &[u8]) -> Result<ImageFacts, MediaError> {
    let (format, image) = decode(bytes)?;
    Ok(ImageFacts {
        mime: format.to_mime_type().to_owned(),
        width: image.width(),
        height: image.height(),
        bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        blank: is_blank(&image),
    })
}

/// Decodes within the limits; dimensions are judged from the header, before memory is taken.
pub(crate) fn decode(bytes: &[u8]) -> Result<(ImageFormat, DynamicImage), MediaError> {
    let reader = || {
        ImageReader::new(Cursor::new(bytes))
            .with_guessed_format()
            .map_err(|error| MediaError::Unreadable { reason: error.to_string() })
    };
    let unreadable =
        |error: image::ImageError| MediaError::Unreadable { reason: error.to_string() };
    let first = reader()?;
    let format = first.format().ok_or_else(|| MediaError::Unreadable {
        reason: "the first bytes are those of no known picture format".to_owned(),
    })?;
    let (width, height) = first.into_dimensions().map_err(unreadable)?;
    if u64::from(width) * u64::from(height) > PIXELS_MAX {
        return Err(MediaError::TooLarge { width, height, limit: PIXELS_MAX });
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(PIXELS_MAX * 8);
    let mut second = reader()?;
    second.limits(limits);
    Ok((format, second.decode().map_err(unreadable)?))
}

/// True if 99.9 % of sampled pixels lie within a few steps of the middle one, channel by channel.
fn is_blank(image: &DynamicImage) -> bool {
    let rgba = image.to_rgba8();
    let step = (rgba.pixels().len() / 40_000).max(1);
    let samples: Vec<[u8; 4]> = rgba.pixels().step_by(step).map(|pixel| pixel.0).collect();
    let mut middle = [0_u8; 4];
    for (i, value) in middle.iter_mut().enumerate() {
        let mut channel: Vec<u8> =
            samples.iter().filter_map(|pixel| pixel.get(i).copied()).collect();
        channel.sort_unstable();
        *value = channel.get(channel.len() / 2).copied().unwrap_or(0);
    }
    let is_far = |pixel: &&[u8; 4]| pixel.iter().zip(middle).any(|(a, b)| a.abs_diff(b) > 8);
    samples.iter().filter(is_far).count() * 1000 <= samples.len()
}
