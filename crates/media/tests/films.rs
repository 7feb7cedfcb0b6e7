//! Whole films, from a specification to bytes, with the programs of this machine.
#![expect(clippy::unwrap_used, reason = "a test that cannot film should stop")]

use std::{fs, process::Command, sync::LazyLock};

use showrunner_media::{
    AspectRatio, Film, FilmScene, FilmSpec, Fonts, Language, MediaError, Tools, Watch, probe_image,
    probe_video, render_film,
};

static FONTS: LazyLock<Fonts> = LazyLock::new(|| Fonts::system().unwrap());

fn scene(visual: &str, words: &str, seconds: f64) -> FilmScene {
    FilmScene {
        visual_prompt: visual.to_owned(),
        voiceover: words.to_owned(),
        caption: None,
        duration_seconds: seconds,
    }
}

fn spec() -> FilmSpec {
    FilmSpec {
        scenes: vec![
            scene("a cup of coffee at sunrise", "A quiet morning.", 3.0),
            scene("mountains in mist", "Beans from one farm.", 4.0),
        ],
        duration_ms: 7_000,
        topic: None,
        hook: Some("A quiet morning".to_owned()),
        closing: Some("Daybreak Blend".to_owned()),
        call_to_action: Some("Taste it".to_owned()),
        brand: Some("Aozora".to_owned()),
        palette: vec!["#c2410c".to_owned()],
        mood: vec!["warm".to_owned()],
        style: None,
        aspect: AspectRatio::Wide,
        seed: 1,
        language: Language::En,
        voice: Some(String::new()),
        has_music: false,
        short_edge: 240,
        frames_per_second: 12,
    }
}

fn make(spec: &FilmSpec) -> Film {
    render_film(&FONTS, &Tools::default(), spec, &Watch::default()).unwrap()
}

/// Decodes with ffmpeg, as a player would.
fn decoded(film: &Film, arguments: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("film.mp4");
    fs::write(&path, &film.mp4).unwrap();
    let mut ffmpeg = Command::new("ffmpeg");
    let output = ffmpeg.args(["-nostdin", "-loglevel", "error", "-i"]).arg(&path).args(arguments);
    let output = output.arg("-").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Grey pictures, two a second, 64 × 64.
fn frames(film: &Film) -> Vec<Vec<u8>> {
    let raw = ["-vf", "fps=2,scale=64:64", "-pix_fmt", "gray", "-f", "rawvideo"];
    decoded(film, &raw).chunks_exact(64 * 64).map(<[u8]>::to_vec).collect()
}

/// Root mean square of the sound between two moments, 0..1.
fn loudness(film: &Film, from: usize, to: usize) -> f64 {
    let raw = decoded(film, &["-vn", "-ac", "1", "-ar", "8000", "-f", "s16le"]);
    let samples: Vec<f64> = raw
        .chunks_exact(2)
        .map(|pair| f64::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0)
        .skip(from * 8)
        .take((to - from) * 8)
        .collect();
    let sum: f64 = samples.iter().map(|sample| sample * sample).sum();
    (sum / f64::from(u32::try_from(samples.len().max(1)).unwrap())).sqrt()
}

fn difference(a: &[u8], b: &[u8]) -> u64 {
    a.iter().zip(b).map(|(a, b)| u64::from(a.abs_diff(*b))).sum::<u64>() / 64
}

#[test]
fn every_format_has_its_size_length_streams_and_motion() {
    for (aspect, size) in [
        (AspectRatio::Wide, (426, 240)),
        (AspectRatio::Tall, (240, 426)),
        (AspectRatio::Square, (240, 240)),
    ] {
        let film = make(&FilmSpec { aspect, ..spec() });
        let facts = probe_video(&film.mp4).unwrap();
        assert_eq!((facts.width, facts.height), size);
        assert!(facts.duration_ms.abs_diff(7_000) <= 100, "{}", facts.duration_ms);
        assert_eq!(
            (facts.video_codec.as_str(), facts.audio_codec.as_deref()),
            ("avc1", Some("mp4a"))
        );
        assert!(facts.is_fast_start && film.spoken_ms > 1_500);
        assert!(!probe_image(&film.poster).unwrap().blank);
        let frames = frames(&film);
        assert_eq!(frames.len(), 14, "{aspect}");
        // Within one shot the camera moves, and between shots the picture changes.
        assert!(difference(&frames[7], &frames[8]) > 20, "{aspect}");
        assert!(difference(&frames[1], &frames[8]) > 400, "{aspect}");
    }
}

#[test]
fn somebody_speaks_where_somebody_should_and_nowhere_else() {
    let spoken = make(&spec());
    assert!(loudness(&spoken, 400, 1_200) > 0.02, "{}", loudness(&spoken, 400, 1_200));
    // The first scene's words are over long before it ends.
    assert!(loudness(&spoken, 2_300, 3_100) < 0.004, "{}", loudness(&spoken, 2_300, 3_100));
    let silent = make(&FilmSpec { voice: None, ..spec() });
    assert_eq!((probe_video(&silent.mp4).unwrap().audio_codec, silent.spoken_ms), (None, 0));
    let music = make(&FilmSpec { voice: None, has_music: true, ..spec() });
    let level = loudness(&music, 1_000, 6_000);
    assert!((0.003..0.08).contains(&level), "{level}");
}

#[test]
fn the_same_specification_gives_the_same_film_and_another_seed_another() {
    let first = make(&spec());
    assert!(first.mp4 == make(&spec()).mp4);
    assert!(first.mp4 != make(&FilmSpec { seed: 2, ..spec() }).mp4);
}

#[test]
fn words_that_need_more_time_get_it_or_are_refused() {
    let mut tight = spec();
    tight.scenes[1].voiceover =
        "Beans from one farm, roasted slowly and sent to you within seven days of that.".to_owned();
    assert!(make(&tight).spoken_ms > 3_000, "spoken quicker, and with time from the other scene");
    tight.scenes[1].voiceover = tight.scenes[1].voiceover.repeat(5);
    let refused = render_film(&FONTS, &Tools::default(), &tight, &Watch::default()).unwrap_err();
    assert!(refused.to_string().contains("shorten the script"), "{refused}");
}

#[test]
fn orders_that_make_no_sense_are_refused_in_words() {
    let refused = |spec: &FilmSpec| {
        render_film(&FONTS, &Tools::default(), spec, &Watch::default()).unwrap_err().to_string()
    };
    assert!(refused(&FilmSpec { scenes: Vec::new(), ..spec() }).contains("0 scenes"));
    assert!(refused(&FilmSpec { duration_ms: 0, ..spec() }).contains("seconds"));
    assert!(refused(&FilmSpec { duration_ms: 1_000, ..spec() }).contains("do not fit"));
    assert!(refused(&FilmSpec { short_edge: 9_999, ..spec() }).contains("pixels"));
    let nowhere = Tools::in_folders(Vec::new());
    let missing = render_film(&FONTS, &nowhere, &spec(), &Watch::default()).unwrap_err();
    assert!(missing.to_string().contains("apt-get install ffmpeg"), "{missing}");
}

#[test]
fn words_stay_words_whatever_they_look_like() {
    let canary = tempfile::NamedTempFile::new().unwrap();
    fs::write(canary.path(), "canary").unwrap();
    let path = canary.path().display().to_string();
    let mut hostile = spec();
    hostile.hook = Some(format!("<image href='file://{path}'/> %{{pts}} [0:v]movie={path}"));
    hostile.brand = Some("</text><script>".to_owned());
    hostile.scenes[0].visual_prompt = format!("concat:{path} -i {path}");
    hostile.scenes[0].voiceover = format!("-f {path} <audio src='{path}'/>");
    hostile.palette = vec![format!("url(file://{path})")];
    hostile.voice = Some(format!("../../{path}"));
    let before = fs::metadata(canary.path()).unwrap().accessed().unwrap();
    let film = make(&hostile);
    assert!(probe_video(&film.mp4).is_ok());
    assert_eq!(fs::metadata(canary.path()).unwrap().accessed().unwrap(), before);
}

#[test]
fn a_film_that_is_wanted_no_more_is_not_finished() {
    let watch = Watch::default();
    let stop = watch.clone();
    let long = FilmSpec { duration_ms: 300_000, frames_per_second: 24, ..spec() };
    let ended = std::thread::scope(|scope| {
        let film = scope.spawn(|| render_film(&FONTS, &Tools::default(), &long, &watch));
        while stop.permille() < 60 && !film.is_finished() {
            std::thread::yield_now();
        }
        stop.stop();
        film.join().unwrap()
    });
    assert!(matches!(ended, Err(MediaError::Stopped)), "{:?}", ended.map(|film| film.duration_ms));
    assert!(watch.permille() < 900);
}
