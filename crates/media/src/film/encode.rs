//! Pictures and sound become a file. ffmpeg is given raw pictures and our own WAV, and nothing of
//! anybody else's; it opens files and pipes only, in a folder of its own.

use std::fs;

use crate::{
    error::MediaError,
    film::reel::Reel,
    scratch::Scratch,
    tool::{FFMPEG, Limits, Order, Tools, Watch, failed},
    voice::wave::Wave,
};

/// How long a film may take to be made: as long as it lasts, so many times over, and a minute.
const SECONDS_PER_SECOND: u64 = 20;
/// The address space of an encoder of this size, with room.
const MEMORY_MAX: u64 = 3 << 30;
const FILE_MAX: u64 = 512 << 20;

/// Encodes a film. The same pictures, sound and ffmpeg give the same bytes.
pub(super) fn encode(
    tools: &Tools,
    scratch: &Scratch,
    reel: &mut Reel<'_>,
    track: Option<&Wave>,
    watch: &Watch,
) -> Result<Vec<u8>, MediaError> {
    if let Some(track) = track {
        let put = fs::write(scratch.path().join("track.wav"), track.to_file());
        put.map_err(|error| MediaError::Drawing { reason: format!("track.wav: {error}") })?;
    }
    let length = reel.length();
    let lasts = length as u64 / u64::from(reel.rate().max(1)) + 1;
    let order = Order {
        tool: FFMPEG,
        arguments: arguments(reel, track.is_some()),
        folder: scratch.path(),
        limits: Limits {
            wall_seconds: 60 + lasts * SECONDS_PER_SECOND,
            cpu_seconds: 120 + lasts * SECONDS_PER_SECOND * 2,
            memory_bytes: MEMORY_MAX,
            file_bytes: FILE_MAX,
        },
    };
    tools.run(&order, watch, |stdin| {
        for n in 0..length {
            watch.go_on()?;
            let frame = reel.frame(n)?;
            for plane in &frame.0 {
                stdin.write_all(&plane.data).map_err(|error| failed(&order, &error.to_string()))?;
            }
            let done = 50 + n * 940 / length;
            watch.tell(u16::try_from(done).unwrap_or(990));
        }
        stdin.flush().map_err(|error| failed(&order, &error.to_string()))
    })?;
    let file = fs::read(scratch.path().join("film.mp4"));
    file.map_err(|error| failed(&order, &format!("it left no film: {error}")))
}

/// What ffmpeg is told. `+bitexact` keeps its version and the time out of the file; the number of
/// x264's threads is fixed, for another number would be another file.
fn arguments(reel: &Reel<'_>, has_track: bool) -> Vec<String> {
    let (w, h) = reel.size();
    let (size, rate) = (format!("{w}x{h}"), reel.rate().to_string());
    let mut all = vec!["-hide_banner", "-nostdin", "-loglevel", "error", "-y"];
    all.extend(["-protocol_whitelist", "file,pipe", "-f", "rawvideo", "-pixel_format", "yuv420p"]);
    all.extend(["-video_size", &size, "-framerate", &rate, "-i", "pipe:0"]);
    if has_track {
        all.extend(["-protocol_whitelist", "file,pipe", "-f", "wav", "-i", "track.wav"]);
        all.extend(["-map", "0:v:0", "-map", "1:a:0", "-c:a", "aac", "-b:a", "128k"]);
        all.extend(["-ar", "48000", "-ac", "2", "-flags:a", "+bitexact"]);
    }
    all.extend(["-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-profile:v", "high"]);
    all.extend(["-pix_fmt", "yuv420p", "-threads:v", "1", "-g", "48", "-flags:v", "+bitexact"]);
    all.extend(["-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709"]);
    all.extend(["-color_range", "tv", "-map_metadata", "-1", "-fflags", "+bitexact"]);
    all.extend(["-movflags", "+faststart", "-f", "mp4", "film.mp4"]);
    all.into_iter().map(str::to_owned).collect()
}
