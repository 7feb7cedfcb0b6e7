//! The colours of each subject, before mood and brand have their say.

use crate::{brief::Subject, rng::Rng};

/// Lightness, chroma, hue in degrees.
pub(super) type Accent = (f64, f64, f64);

/// Ground hue and four accents, most important first.
const SCHEMES: &[(Subject, f64, [Accent; 4])] = &[
    (
        Subject::Coffee,
        58.0,
        [(0.60, 0.15, 42.0), (0.80, 0.125, 75.0), (0.43, 0.085, 42.0), (0.60, 0.07, 168.0)],
    ),
    (
        Subject::Tea,
        128.0,
        [(0.58, 0.12, 128.0), (0.83, 0.11, 105.0), (0.62, 0.12, 48.0), (0.42, 0.07, 135.0)],
    ),
    (
        Subject::Sea,
        232.0,
        [(0.60, 0.14, 238.0), (0.78, 0.12, 198.0), (0.85, 0.14, 80.0), (0.71, 0.17, 32.0)],
    ),
    (
        Subject::City,
        272.0,
        [(0.67, 0.19, 22.0), (0.82, 0.14, 80.0), (0.56, 0.18, 285.0), (0.74, 0.12, 215.0)],
    ),
    (
        Subject::Tech,
        268.0,
        [(0.60, 0.20, 272.0), (0.80, 0.13, 198.0), (0.68, 0.21, 335.0), (0.86, 0.16, 122.0)],
    ),
    (
        Subject::Nature,
        148.0,
        [(0.56, 0.13, 148.0), (0.76, 0.14, 122.0), (0.84, 0.13, 88.0), (0.63, 0.14, 38.0)],
    ),
    (
        Subject::Spring,
        352.0,
        [(0.76, 0.13, 3.0), (0.89, 0.065, 352.0), (0.70, 0.11, 142.0), (0.86, 0.11, 88.0)],
    ),
    (
        Subject::Summer,
        222.0,
        [(0.72, 0.14, 225.0), (0.87, 0.16, 92.0), (0.70, 0.19, 36.0), (0.77, 0.14, 162.0)],
    ),
    (
        Subject::Autumn,
        52.0,
        [(0.63, 0.17, 40.0), (0.77, 0.15, 72.0), (0.48, 0.14, 26.0), (0.55, 0.09, 118.0)],
    ),
    (
        Subject::Winter,
        242.0,
        [(0.68, 0.10, 240.0), (0.88, 0.05, 215.0), (0.52, 0.12, 262.0), (0.66, 0.18, 22.0)],
    ),
    (
        Subject::Music,
        302.0,
        [(0.66, 0.24, 352.0), (0.79, 0.16, 68.0), (0.56, 0.21, 292.0), (0.80, 0.13, 195.0)],
    ),
    (
        Subject::Food,
        48.0,
        [(0.64, 0.20, 32.0), (0.84, 0.16, 85.0), (0.58, 0.13, 140.0), (0.45, 0.11, 25.0)],
    ),
    (
        Subject::Mountain,
        212.0,
        [(0.56, 0.10, 200.0), (0.86, 0.12, 82.0), (0.70, 0.16, 38.0), (0.48, 0.10, 160.0)],
    ),
    (
        Subject::Night,
        276.0,
        [(0.68, 0.18, 300.0), (0.86, 0.13, 85.0), (0.62, 0.19, 262.0), (0.72, 0.19, 12.0)],
    ),
    (
        Subject::Business,
        256.0,
        [(0.50, 0.17, 260.0), (0.76, 0.13, 200.0), (0.84, 0.15, 84.0), (0.64, 0.19, 30.0)],
    ),
    (
        Subject::Tradition,
        262.0,
        [(0.59, 0.20, 29.0), (0.83, 0.12, 86.0), (0.42, 0.13, 262.0), (0.58, 0.08, 165.0)],
    ),
    (
        Subject::Sport,
        262.0,
        [(0.66, 0.23, 30.0), (0.88, 0.19, 112.0), (0.52, 0.21, 268.0), (0.78, 0.13, 200.0)],
    ),
    (
        Subject::Beauty,
        22.0,
        [(0.72, 0.11, 18.0), (0.88, 0.06, 48.0), (0.55, 0.12, 5.0), (0.82, 0.10, 82.0)],
    ),
];

/// The scheme of a subject; an open subject gets a harmony of its own around a random hue.
pub(super) fn scheme(subject: Subject, rng: &mut Rng) -> (f64, [Accent; 4]) {
    if let Some((_, hue, accents)) = SCHEMES.iter().find(|(known, _, _)| *known == subject) {
        return (*hue, *accents);
    }
    let hue = rng.range(0.0, 360.0);
    let turn = rng.pick(&[150.0, 180.0, 120.0, 210.0], 180.0);
    let accents = [
        (0.60, 0.17, hue),
        (0.82, 0.13, hue + 38.0),
        (0.68, 0.18, hue + turn),
        (0.46, 0.12, hue - 30.0),
    ];
    (hue, accents)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::brief::SUBJECTS;

    #[test]
    fn every_subject_that_is_listened_for_has_its_colours() {
        for (subject, _) in SUBJECTS {
            assert!(SCHEMES.iter().any(|(known, _, _)| known == subject), "{subject:?} has none");
        }
    }
}
