//! Reads a brief for what to draw: its subject, its composition and its mood.

use crate::rng::Rng;

mod words;
pub(crate) use words::{MOODS, Mood, SUBJECTS};

/// What the picture is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    Coffee,
    Tea,
    Sea,
    City,
    Tech,
    Nature,
    Spring,
    Summer,
    Autumn,
    Winter,
    Food,
    Beauty,
    Night,
    Mountain,
    Music,
    Business,
    Tradition,
    Sport,
    Open,
}

/// A family of compositions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Family {
    Landscape,
    Geometric,
    Ribbons,
    Isometric,
    Botanical,
    Radial,
    NightCity,
    StillLife,
    Seigaiha,
}

impl Family {
    pub(crate) const ALL: [Self; 9] = [
        Self::Landscape,
        Self::Geometric,
        Self::Ribbons,
        Self::Isometric,
        Self::Botanical,
        Self::Radial,
        Self::NightCity,
        Self::StillLife,
        Self::Seigaiha,
    ];

    /// Its public name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Landscape => "landscape",
            Self::Geometric => "geometric",
            Self::Ribbons => "ribbons",
            Self::Isometric => "isometric",
            Self::Botanical => "botanical",
            Self::Radial => "radial",
            Self::NightCity => "night-city",
            Self::StillLife => "still-life",
            Self::Seigaiha => "seigaiha",
        }
    }
}

/// A brief, read.
#[derive(Debug, Clone)]
pub(crate) struct Brief {
    pub(crate) subject: Subject,
    /// A second subject that colours the first: the season of a coffee, the hour of a city.
    pub(crate) hint: Option<Subject>,
    pub(crate) family: Family,
    pub(crate) moods: Vec<Mood>,
}

impl Brief {
    /// `prompt` and `style` speak first; `copy` is listened to only when they say nothing.
    pub(crate) fn read(prompt: &str, style: &str, copy: &str, moods: &[String], rng: &Rng) -> Self {
        let mut found = subjects(&format!("{prompt}\n{style}"));
        if found.is_empty() {
            found = subjects(copy);
        }
        let subject = found.first().copied().unwrap_or(Subject::Open);
        let family = named_family(style)
            .unwrap_or_else(|| rng.fork("family").pick(families(subject), Family::Ribbons));
        let mut feeling = moods.join("\n");
        feeling.push('\n');
        feeling.push_str(style);
        let mut moods = moods_in(&feeling);
        if moods.is_empty() {
            moods = moods_in(prompt);
        }
        Self { subject, hint: found.get(1).copied(), family, moods }
    }

    pub(crate) fn is(&self, subject: Subject) -> bool {
        self.subject == subject || self.hint == Some(subject)
    }

    pub(crate) fn feels(&self, mood: Mood) -> bool {
        self.moods.contains(&mood)
    }
}

/// Compositions that suit a subject; listed twice, chosen twice as often.
fn families(subject: Subject) -> &'static [Family] {
    use Family::{
        Botanical, Geometric, Isometric, Landscape, NightCity, Radial, Ribbons, Seigaiha, StillLife,
    };
    match subject {
        Subject::Coffee | Subject::Tea => &[StillLife, StillLife, StillLife, Radial, Geometric],
        Subject::Sea => &[Landscape, Landscape, Ribbons, Seigaiha],
        Subject::City => &[NightCity, Isometric, NightCity],
        Subject::Tech => &[Isometric, Ribbons, Isometric, Radial, Isometric],
        Subject::Nature => &[Botanical, Landscape, Botanical],
        Subject::Spring => &[Botanical, Botanical, Botanical, Landscape],
        Subject::Summer => &[Landscape, Botanical, Radial],
        Subject::Autumn => &[Landscape, Botanical],
        Subject::Winter | Subject::Mountain => &[Landscape],
        Subject::Food => &[StillLife, StillLife, Radial, Geometric],
        Subject::Beauty => &[StillLife, StillLife, Botanical, Ribbons],
        Subject::Night => &[NightCity, Landscape],
        Subject::Music => &[Radial, Ribbons, Radial],
        Subject::Business => &[Isometric, Geometric, Ribbons],
        Subject::Tradition => &[Seigaiha, Seigaiha, Botanical, Landscape],
        Subject::Sport => &[Ribbons, Geometric, Ribbons, Radial],
        Subject::Open => &[Ribbons, Geometric, Landscape, Radial, StillLife, Isometric],
    }
}

/// A style that names a composition, in either language.
fn named_family(style: &str) -> Option<Family> {
    const NAMES: [(&str, Family); 20] = [
        ("landscape", Family::Landscape),
        ("風景", Family::Landscape),
        ("geometric", Family::Geometric),
        ("bauhaus", Family::Geometric),
        ("swiss", Family::Geometric),
        ("幾何", Family::Geometric),
        ("ribbon", Family::Ribbons),
        ("flowing", Family::Ribbons),
        ("isometric", Family::Isometric),
        ("アイソメ", Family::Isometric),
        ("botanical", Family::Botanical),
        ("植物", Family::Botanical),
        ("radial", Family::Radial),
        ("concentric", Family::Radial),
        ("night-city", Family::NightCity),
        ("夜景", Family::NightCity),
        ("still-life", Family::StillLife),
        ("still life", Family::StillLife),
        ("seigaiha", Family::Seigaiha),
        ("青海波", Family::Seigaiha),
    ];
    let style = style.to_lowercase();
    NAMES.iter().find(|(name, _)| style.contains(name)).map(|(_, family)| *family)
}

/// Subjects by how often they are named; earlier in the table wins a tie.
/// Whether a text says what could be drawn.
pub(crate) fn has_subject(text: &str) -> bool {
    !subjects(text).is_empty()
}

fn subjects(text: &str) -> Vec<Subject> {
    let words = Words::of(text);
    let mut found: Vec<(usize, Subject)> = SUBJECTS
        .iter()
        .map(|(subject, keys)| (keys.split(' ').filter(|key| words.has(key)).count(), *subject))
        .filter(|(hits, _)| *hits > 0)
        .collect();
    found.sort_by_key(|(hits, _)| std::cmp::Reverse(*hits));
    found.into_iter().map(|(_, subject)| subject).collect()
}

fn moods_in(text: &str) -> Vec<Mood> {
    let words = Words::of(text);
    MOODS
        .iter()
        .filter(|(_, keys)| keys.split(' ').any(|key| words.has(key)))
        .map(|(mood, _)| *mood)
        .collect()
}

/// A text prepared for look-up: Latin words by word ("tea" is not in "team"), Japanese anywhere.
struct Words {
    text: String,
    latin: std::collections::BTreeSet<String>,
}

impl Words {
    fn of(text: &str) -> Self {
        let text = text.to_lowercase();
        let latin = text
            .split(|ch: char| !ch.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .flat_map(|word| [word.to_owned(), word.trim_end_matches('s').to_owned()])
            .collect();
        Self { text, latin }
    }

    fn has(&self, key: &str) -> bool {
        if key.is_ascii() { self.latin.contains(key) } else { self.text.contains(key) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(prompt: &str) -> Subject {
        Brief::read(prompt, "", "", &[], &Rng::new(1)).subject
    }

    #[test]
    fn words_of_the_brief_choose_the_subject() {
        assert_eq!(subject("Launch of our single-origin coffee"), Subject::Coffee);
        assert_eq!(subject("珈琲専門店の新作ブレンド"), Subject::Coffee);
        assert_eq!(subject("桜の季節のキャンペーン"), Subject::Spring);
        assert_eq!(subject("AI cloud platform for data teams"), Subject::Tech);
        assert_eq!(subject("zzz"), Subject::Open);
    }

    #[test]
    fn a_word_inside_another_word_is_not_heard() {
        assert_eq!(subject("our team in season"), Subject::Open);
    }

    #[test]
    fn a_named_style_wins() {
        let brief = Brief::read("coffee", "Bauhaus poster", "", &[], &Rng::new(1));
        assert_eq!((brief.subject, brief.family), (Subject::Coffee, Family::Geometric));
    }
}
