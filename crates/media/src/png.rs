//! PNG files that say what they are: encoding, and text chunks as the format defines them.

use image::{
    ExtendedColorType, ImageEncoder,
    codecs::png::{CompressionType, FilterType, PngEncoder},
};
use resvg::tiny_skia::Pixmap;

use crate::error::MediaError;

/// Length of the signature and the header chunk, after which text may stand.
const AFTER_HEADER: usize = 8 + 25;

/// Encodes an opaque canvas and writes each (keyword, text) pair into the file.
pub(crate) fn encode(pixmap: &Pixmap, notes: &[(&str, &str)]) -> Result<Vec<u8>, MediaError> {
    let rgb: Vec<u8> =
        pixmap.data().chunks_exact(4).flat_map(|pixel| pixel.iter().take(3).copied()).collect();
    let mut plain = Vec::with_capacity(rgb.len() / 2);
    PngEncoder::new_with_quality(&mut plain, CompressionType::Fast, FilterType::Sub)
        .write_image(&rgb, pixmap.width(), pixmap.height(), ExtendedColorType::Rgb8)
        .map_err(|error| MediaError::Drawing { reason: error.to_string() })?;
    let (Some(head), Some(rest)) = (plain.get(..AFTER_HEADER), plain.get(AFTER_HEADER..)) else {
        return Err(MediaError::Drawing { reason: "the encoder wrote no header".to_owned() });
    };
    let mut file = Vec::with_capacity(plain.len() + 1024);
    file.extend_from_slice(head);
    for (keyword, text) in notes {
        file.extend(text_chunk(keyword, text));
    }
    file.extend_from_slice(rest);
    Ok(file)
}

/// Encodes three bytes a pixel, small rather than quick: it is looked at often.
pub(crate) fn encode_rgb(rgb: &[u8], (width, height): (u32, u32)) -> Result<Vec<u8>, MediaError> {
    let mut file = Vec::with_capacity(rgb.len() / 2);
    PngEncoder::new_with_quality(&mut file, CompressionType::Default, FilterType::Adaptive)
        .write_image(rgb, width, height, ExtendedColorType::Rgb8)
        .map_err(|error| MediaError::Drawing { reason: error.to_string() })?;
    Ok(file)
}

/// An `iTXt` chunk: UTF-8, uncompressed, of no stated language.
fn text_chunk(keyword: &str, text: &str) -> Vec<u8> {
    let mut body = b"iTXt".to_vec();
    body.extend_from_slice(keyword.as_bytes());
    body.extend_from_slice(&[0, 0, 0, 0, 0]);
    body.extend_from_slice(text.as_bytes());
    let length = u32::try_from(body.len().saturating_sub(4)).unwrap_or(0);
    let mut chunk = length.to_be_bytes().to_vec();
    chunk.extend_from_slice(&body);
    chunk.extend_from_slice(&crc(&body).to_be_bytes());
    chunk
}

/// CRC-32 as PNG has it; a few hundred bytes a file do not need a table.
fn crc(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checksum_is_the_one_every_png_ends_with() {
        assert_eq!(super::crc(b"IEND"), 0xAE42_6082);
    }
}
