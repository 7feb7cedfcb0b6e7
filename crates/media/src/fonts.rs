//! The faces text is set in: found once, memory-mapped when used, shared by every drawing.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use budouy::Parser;
use resvg::usvg::fontdb::{self, Database, ID};
use skrifa::{
    FontRef, MetadataProvider,
    instance::{LocationRef, Size},
};

use crate::error::MediaError;

/// The voices a picture speaks in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Voice {
    /// Heavy sans-serif.
    Loud,
    /// Regular sans-serif.
    Plain,
    /// Heavy serif (mincho).
    Elegant,
}

/// One face with its stand-in for characters that it lacks.
#[derive(Debug, Clone)]
struct Face {
    id: ID,
    family: String,
    weight: u16,
}

/// Fonts found on this machine. Cheap to clone; the font files stay on disk and are mapped
/// while text is measured or drawn, so an idle server holds names and positions only.
#[derive(Debug, Clone)]
pub struct Fonts {
    inner: Arc<Inner>,
}

struct Inner {
    database: Arc<Database>,
    loud: Face,
    plain: Face,
    elegant: Face,
    stand_ins: Vec<Face>,
    phrases: OnceLock<Parser>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner")
            .field("loud", &self.loud.family)
            .field("plain", &self.plain.family)
            .field("elegant", &self.elegant.family)
            .finish_non_exhaustive()
    }
}

impl Fonts {
    /// Looks in the system's font folders.
    pub fn system() -> Result<Self, MediaError> {
        let mut database = Database::new();
        database.load_system_fonts();
        Self::from_database(&database, || "the system's font folders".to_owned())
    }

    /// Looks in these folders only, and below them.
    pub fn from_folders(folders: &[PathBuf]) -> Result<Self, MediaError> {
        let mut database = Database::new();
        for folder in folders {
            database.load_fonts_dir(folder);
        }
        Self::from_database(&database, || {
            let names: Vec<String> =
                folders.iter().map(|folder| folder.display().to_string()).collect();
            if names.is_empty() { "no folder at all".to_owned() } else { names.join(", ") }
        })
    }

    fn from_database(
        all: &Database,
        searched: impl FnOnce() -> String,
    ) -> Result<Self, MediaError> {
        // Folders are listed in no particular order; the order of paths makes the choice, and so
        // the picture, the same on every machine with the same fonts.
        let mut faces: Vec<&fontdb::FaceInfo> =
            all.faces().filter(|face| face.style == fontdb::Style::Normal).collect();
        faces.sort_by(|a, b| (path_of(a), a.index).cmp(&(path_of(b), b.index)));
        let japanese: Vec<&fontdb::FaceInfo> =
            faces.iter().copied().filter(|face| is_japanese(all, face)).collect();
        let best = |serif: bool, weight: u16| {
            japanese.iter().copied().min_by_key(|face| {
                let name = name_of(face);
                let wrong_style = name.contains("Serif") || name.contains("Mincho");
                let is_mono = face.monospaced || name.contains("Mono");
                (
                    wrong_style != serif,
                    is_mono,
                    face.weight.0.abs_diff(weight),
                    !name.contains("JP"),
                )
            })
        };
        let (Some(loud), Some(plain), Some(elegant)) =
            (best(false, 700), best(false, 400), best(true, 700))
        else {
            return Err(MediaError::NoJapaneseFont { searched: searched() });
        };
        let mut database = Database::new();
        let mut keep = |face: &fontdb::FaceInfo| {
            let weight = face.weight.0;
            Face { id: database.push_face_info(face.clone()), family: name_of(face), weight }
        };
        let (loud, plain, elegant) = (keep(loud), keep(plain), keep(elegant));
        let stand_ins = faces
            .iter()
            .filter(|face| matches!(name_of(face).as_str(), "DejaVu Sans" | "Noto Sans"))
            .filter(|face| matches!(face.weight.0, 400 | 700))
            .take(4)
            .map(|face| keep(face))
            .collect();
        Ok(Self {
            inner: Arc::new(Inner {
                database: Arc::new(database),
                loud,
                plain,
                elegant,
                stand_ins,
                phrases: OnceLock::new(),
            }),
        })
    }

    pub(crate) fn database(&self) -> Arc<Database> {
        Arc::clone(&self.inner.database)
    }

    /// The phrase model for Japanese, read at its first use.
    pub(crate) fn phrases(&self) -> &Parser {
        self.inner.phrases.get_or_init(budouy::model::load_default_japanese_parser)
    }

    /// Family and weight, for the renderer.
    pub(crate) fn name(&self, voice: Voice) -> (&str, u16) {
        let face = self.face(voice);
        (&face.family, face.weight)
    }

    fn face(&self, voice: Voice) -> &Face {
        match voice {
            Voice::Loud => &self.inner.loud,
            Voice::Plain => &self.inner.plain,
            Voice::Elegant => &self.inner.elegant,
        }
    }

    /// The advance of every character in ems, `None` where no face has a glyph for it.
    pub(crate) fn advances(&self, voice: Voice, text: &str) -> Vec<Option<f64>> {
        let mut widths: Vec<Option<f64>> = vec![None; text.chars().count()];
        let faces = std::iter::once(self.face(voice)).chain(&self.inner.stand_ins);
        for face in faces {
            if widths.iter().all(Option::is_some) {
                break;
            }
            self.fill_from(face, text, &mut widths);
        }
        widths
    }

    fn fill_from(&self, face: &Face, text: &str, widths: &mut [Option<f64>]) {
        self.inner.database.with_face_data(face.id, |data, index| {
            let Ok(font) = FontRef::from_index(data, index) else { return };
            let metrics = font.glyph_metrics(Size::unscaled(), LocationRef::default());
            let em = f64::from(font.metrics(Size::unscaled(), LocationRef::default()).units_per_em);
            let map = font.charmap();
            for (ch, width) in text.chars().zip(widths.iter_mut()).filter(|(_, w)| w.is_none()) {
                *width = map
                    .map(ch)
                    .and_then(|glyph| metrics.advance_width(glyph))
                    .map(|advance| f64::from(advance) / em.max(1.0));
            }
        });
    }
}

fn name_of(face: &fontdb::FaceInfo) -> String {
    face.families.first().map(|(name, _)| name.clone()).unwrap_or_default()
}

fn path_of(face: &fontdb::FaceInfo) -> &Path {
    match &face.source {
        fontdb::Source::File(path) | fontdb::Source::SharedFile(path, _) => path,
        fontdb::Source::Binary(_) => Path::new(""),
    }
}

/// Has kana and an everyday character, and is not the Korean or Chinese cut of a shared file.
fn is_japanese(database: &Database, face: &fontdb::FaceInfo) -> bool {
    let name = name_of(face);
    let is_other_cut = [" KR", " SC", " TC", " HK"].iter().any(|cut| name.ends_with(cut));
    !is_other_cut
        && database
            .with_face_data(face.id, |data, index| {
                FontRef::from_index(data, index).is_ok_and(|font| {
                    let map = font.charmap();
                    ['あ', 'ア', '漢', '々', '、'].iter().all(|ch| map.map(*ch).is_some())
                })
            })
            .unwrap_or(false)
}
