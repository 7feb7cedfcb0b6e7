//! Small versions of pictures, for lists and previews.

use fast_image_resize::{IntoImageView, Resizer, images::Image};
use image::{ExtendedColorType, ImageEncoder, codecs::webp::WebPEncoder};

use crate::{error::MediaError, num::whole, probe::decode};

/// A lossless WebP whose longer edge is at most `max_edge` pixels (held within 16..=2048).
/// A picture that is smaller already keeps its size.
pub fn thumbnail(bytes: &[u8], max_edge: u32) -> Result<Vec<u8>, MediaError> {
    let (_, image) = decode(bytes)?;
    let source = image::DynamicImage::ImageRgba8(image.to_rgba8());
    let edge = f64::from(max_edge.clamp(16, 2048));
    let scale = (edge / f64::from(source.width().max(source.height()).max(1))).min(1.0);
    let size = |n: u32| whole((f64::from(n) * scale).round(), 2048).max(1);
    let (width, height) = (size(source.width()), size(source.height()));
    let drawing = |error: &dyn std::fmt::Display| MediaError::Drawing { reason: error.to_string() };
    let kind = source
        .pixel_type()
        .ok_or_else(|| MediaError::Drawing { reason: "unknown kind of pixel".to_owned() })?;
    let mut small = Image::new(width, height, kind);
    Resizer::new().resize(&source, &mut small, None).map_err(|error| drawing(&error))?;
    let mut out = Vec::new();
    WebPEncoder::new_lossless(&mut out)
        .write_image(small.buffer(), width, height, ExtendedColorType::Rgba8)
        .map_err(|error| drawing(&error))?;
    Ok(out)
}
