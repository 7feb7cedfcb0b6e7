//! The copywriter: lines written beforehand, in two languages, filled with the words of the brief.
//!
//! A *concept* is one creative idea with everything that belongs to it, so that hook, pictures and
//! closing line of one piece agree with each other. Which concept a piece gets depends on what it
//! is about and on the seed, not on who asks: strategist and copywriter of one run work on the same
//! one. Feedback moves on to another.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use serde::Deserialize;

use super::brief::{Brief, Domain, Lang, is_japanese};
use super::dice::{Dice, mixed};

/// The lines of one language.
#[derive(Debug, Deserialize)]
pub(super) struct Voice {
    default_audience: String,
    default_brand: String,
    concepts: Vec<Concept>,
    domains: BTreeMap<String, DomainWords>,
    pools: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[expect(clippy::struct_field_names, reason = "a hook concept is one word")]
struct Concept {
    emotion: String,
    mood: String,
    tone: String,
    style: String,
    trend: String,
    direction: Vec<String>,
    hook_concept: Vec<String>,
    hook: Vec<String>,
    headline: Vec<String>,
    body: Vec<String>,
    message: Vec<String>,
    beat: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct DomainWords {
    moment: String,
    cta: Vec<String>,
}

/// What pictures are described with; always English, as picture models read it best.
#[derive(Debug, Deserialize)]
struct Visuals {
    looks: Vec<Look>,
    domains: BTreeMap<String, Scenery>,
    negative: String,
}

#[derive(Debug, Deserialize)]
struct Look {
    #[serde(rename = "look")]
    light: String,
    palette: Vec<String>,
    shots: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Scenery {
    place: String,
    hand: String,
    r#macro: String,
}

#[expect(clippy::expect_used, reason = "the files are part of the program; a test reads them")]
static ENGLISH: LazyLock<Voice> =
    LazyLock::new(|| serde_json::from_str(include_str!("prose/en.json")).expect("en.json"));
#[expect(clippy::expect_used, reason = "the files are part of the program; a test reads them")]
static JAPANESE: LazyLock<Voice> =
    LazyLock::new(|| serde_json::from_str(include_str!("prose/ja.json")).expect("ja.json"));
#[expect(clippy::expect_used, reason = "the files are part of the program; a test reads them")]
static VISUALS: LazyLock<Visuals> =
    LazyLock::new(|| serde_json::from_str(include_str!("prose/visuals.json")).expect("visuals"));

/// Lines to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pool {
    Emotion,
    Mood,
    Tone,
    Style,
    Trend,
    Direction,
    HookConcept,
    Hook,
    Headline,
    Body,
    Message,
    Beat,
    Cta,
    Shot,
    Palette,
    Negative,
    /// One of the language's general pools.
    General(&'static str),
}

/// One piece of work: a brief, and the concept it is worked out with.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    pub(super) brief: &'a Brief,
    concept: usize,
}

impl<'a> Piece<'a> {
    /// Chooses the concept.
    pub(super) fn new(brief: &'a Brief, seed: u64, variation: u32) -> Self {
        let fitting = fitting_concepts(brief.domain);
        let about =
            brief.noun.iter().chain(&brief.brand).fold(seed, |seed, word| mixed(seed, word));
        let first = Dice::new(about).below(fitting.len());
        let shift = usize::try_from(variation).unwrap_or(0);
        let mut concept = fitting.get((first + shift) % fitting.len()).copied().unwrap_or(0);
        // An earlier agent's choice is followed.
        if let Some(prior) = &brief.prior_emotion
            && let Some(known) = [&*ENGLISH, &*JAPANESE]
                .iter()
                .find_map(|voice| voice.concepts.iter().position(|c| c.emotion == *prior))
        {
            concept = known;
        }
        if let Some(feedback) = &brief.feedback {
            concept = asked_for(feedback, concept).unwrap_or_else(|| {
                let others: Vec<usize> =
                    fitting.iter().copied().filter(|c| *c != concept).collect();
                Dice::of(seed, feedback).pick(&others).copied().unwrap_or(concept)
            });
        }
        Self { brief, concept }
    }

    fn voice(lang: Lang) -> &'static Voice {
        match lang {
            Lang::En => &ENGLISH,
            Lang::Ja => &JAPANESE,
        }
    }

    /// All lines of a pool that can be filled from this brief.
    pub(super) fn lines(&self, pool: Pool, lang: Lang) -> Vec<&'static str> {
        let brief = self.brief;
        let can_fill = |line: &&str| {
            let mut rest = *line;
            while let Some((_, after)) = rest.split_once('{') {
                let has = match after.as_bytes() {
                    [b'd', b'}', ..] => !brief.details.is_empty(),
                    [b'w', b'}', ..] => brief.violation.is_some(),
                    [b'f', b'}', ..] => brief.feedback.is_some(),
                    [b'b' | b'B', b'}', ..] => brief.brand.is_some(),
                    _ => true,
                };
                if !has {
                    return false;
                }
                rest = after;
            }
            true
        };
        let mut lines = self.all_lines(pool, lang);
        if lines.iter().any(can_fill) {
            lines.retain(|line| can_fill(line));
        }
        lines
    }

    fn all_lines(&self, pool: Pool, lang: Lang) -> Vec<&'static str> {
        fn all(lines: &'static [String]) -> Vec<&'static str> {
            lines.iter().map(String::as_str).collect()
        }
        let voice = Self::voice(lang);
        let (Some(concept), Some(look)) =
            (voice.concepts.get(self.concept), VISUALS.looks.get(self.concept))
        else {
            return Vec::new();
        };
        match pool {
            Pool::Emotion => vec![&concept.emotion],
            Pool::Mood => vec![&concept.mood],
            Pool::Tone => vec![&concept.tone],
            Pool::Style => vec![&concept.style],
            Pool::Trend => vec![&concept.trend],
            Pool::Direction => all(&concept.direction),
            Pool::HookConcept => all(&concept.hook_concept),
            Pool::Hook => all(&concept.hook),
            Pool::Headline => all(&concept.headline),
            Pool::Body => all(&concept.body),
            Pool::Message => all(&concept.message),
            Pool::Beat => all(&concept.beat),
            Pool::Cta => self.domain_words(lang).map_or_else(Vec::new, |words| all(&words.cta)),
            Pool::Shot => all(&look.shots),
            Pool::Palette => all(&look.palette),
            Pool::Negative => vec![&VISUALS.negative],
            Pool::General(name) => voice.pools.get(name).map_or_else(Vec::new, |lines| all(lines)),
        }
    }

    fn domain_words(&self, lang: Lang) -> Option<&'static DomainWords> {
        Self::voice(lang).domains.get(self.brief.domain.name())
    }

    /// A whole picture prompt around one shot.
    pub(super) fn picture(&self, shot: &str) -> String {
        let look = VISUALS.looks.get(self.concept).map_or("", |look| look.light.as_str());
        upper_first(&format!("{}; {look}", self.fill(shot, Lang::En)))
    }

    /// The line with its places filled in. Members are those of [`Self::word`]; a capital letter
    /// stands for the same word at the beginning of a sentence.
    pub(super) fn fill(&self, line: &str, lang: Lang) -> String {
        let mut text = String::with_capacity(line.len() + 48);
        let mut rest = line;
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            let Some((name, after)) = after.split_once('}') else { break };
            let at = text.len();
            self.word(name, lang, &mut text);
            if name.starts_with(char::is_uppercase)
                && let Some(first) = text.get(at..).and_then(|word| word.chars().next())
                && first.is_lowercase()
            {
                text.replace_range(at..at + first.len_utf8(), &first.to_uppercase().to_string());
            }
            rest = after;
        }
        text.push_str(rest);
        text
    }

    fn word(&self, name: &str, lang: Lang, to: &mut String) {
        let voice = Self::voice(lang);
        let brief = self.brief;
        let brand = brief.brand.as_deref();
        let noun = brief.noun.as_deref();
        let concept = voice.concepts.get(self.concept);
        let scenery = VISUALS.domains.get(brief.domain.name());
        match name {
            "n" | "N" => to.push_str(noun.or(brand).unwrap_or(match lang {
                Lang::En => "the piece",
                Lang::Ja => "この作品",
            })),
            "s" | "S" => self.subject(lang, to),
            "a" | "A" => {
                // People described in the other language would break the sentence.
                let fits = |people: &&str| is_japanese(people) == (lang == Lang::Ja);
                let people = brief.audience.as_deref().filter(fits);
                to.push_str(people.unwrap_or(&voice.default_audience));
            },
            "b" | "B" => to.push_str(brand.unwrap_or(&voice.default_brand)),
            "m" | "M" => to.push_str(self.domain_words(lang).map_or("", |words| &words.moment)),
            "d" => to.push_str(brief.details.first().map_or("", String::as_str)),
            "e" => to.push_str(concept.map_or("", |c| &c.emotion)),
            "t" => to.push_str(concept.map_or("", |c| &c.tone)),
            "l" => to.push_str(concept.and_then(|c| c.headline.first()).map_or("", String::as_str)),
            "h1" => to.push_str(concept.and_then(|c| c.hook.first()).map_or("", String::as_str)),
            "w" => to.push_str(brief.violation.as_deref().unwrap_or("")),
            "f" => to.push_str(brief.feedback.as_deref().unwrap_or("")),
            "place" => to.push_str(scenery.map_or("", |s| &s.place)),
            "hand" => to.push_str(scenery.map_or("", |s| &s.hand)),
            "macro" => to.push_str(scenery.map_or("", |s| &s.r#macro)),
            other => {
                // A place that does not exist is a mistake in our own files; a test finds it.
                let _ignored = write!(to, "{{{other}}}");
            },
        }
    }

    /// `Kaze's green tea`, `the green tea`, `「Kaze」の緑茶`.
    fn subject(&self, lang: Lang, to: &mut String) {
        let brief = self.brief;
        let owner = brief.brand.as_deref();
        let Some(noun) = brief.noun.as_deref() else {
            let nothing = match lang {
                Lang::En => "this piece",
                Lang::Ja => "この作品",
            };
            return to.push_str(owner.unwrap_or(nothing));
        };
        let owner = owner.filter(|owner| !noun.contains(*owner));
        let _ignored = match (lang, owner, brief.is_name) {
            (Lang::Ja, Some(owner), _) => write!(to, "{owner}の{noun}"),
            (Lang::En, Some(owner), false) => write!(to, "{owner}{} {noun}", possessive(owner)),
            (Lang::En, None, false) if !noun.starts_with("the ") => write!(to, "the {noun}"),
            _ => write!(to, "{noun}"),
        };
    }
}

/// The concepts that suit a field of life, by their position: calm, craft, curiosity, company,
/// momentum, season.
fn fitting_concepts(domain: Domain) -> &'static [usize] {
    match domain {
        Domain::Drink | Domain::Food => &[0, 1, 2, 3, 4, 5],
        Domain::Travel => &[0, 1, 3, 5],
        Domain::Tech | Domain::Other => &[0, 1, 2, 4],
        Domain::Fashion => &[1, 2, 4, 5],
        Domain::Beauty => &[0, 1, 4, 5],
        Domain::Home => &[0, 1, 3],
        Domain::Event => &[2, 3, 4, 5],
    }
}

/// The concept that a note asks for by its wording, unless it is the one that was criticised.
fn asked_for(note: &str, present: usize) -> Option<usize> {
    const WISHES: [(usize, &[&str]); 6] = [
        (0, &["calm", "quiet", "slow", "gentle", "softer", "静か", "落ち着", "ゆったり", "やさし"]),
        (1, &["trust", "honest", "serious", "premium", "quality", "信頼", "丁寧", "高級", "誠実"]),
        (2, &["fun", "playful", "surpris", "bold", "curious", "楽し", "遊び", "意外", "大胆"]),
        (3, &["warm", "friend", "famil", "human", "people", "あたたか", "温か", "家族", "親しみ"]),
        (4, &["energ", "bright", "fast", "strong", "upbeat", "明る", "元気", "力強", "勢い"]),
        (5, &["season", "fresh", "light", "poetic", "季節", "さわやか", "爽やか", "詩的"]),
    ];
    let lower = note.to_lowercase();
    let asked =
        WISHES.iter().filter(|(concept, _)| *concept != present).find_map(|(concept, words)| {
            let place = words.iter().filter_map(|word| lower.find(word)).min()?;
            Some((place, *concept))
        });
    asked.map(|(_, concept)| concept)
}

fn possessive(owner: &str) -> &'static str {
    if owner.ends_with(['s', 'S']) { "’" } else { "’s" }
}

/// With a capital at the beginning.
pub(super) fn upper_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// `text` brought to at most `max` characters, at the end of a sentence where that leaves at least
/// half of them, else between words.
pub(super) fn shortened(text: &str, max: usize) -> &str {
    let Some((end, _)) = text.char_indices().nth(max) else { return text };
    let cut = text.get(..end).unwrap_or(text);
    let sentence = cut.rfind(['.', '。', '?', '？', '!', '！']).map(|at| {
        at + cut.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
    });
    if let Some(at) = sentence.filter(|at| *at * 2 >= cut.len()) {
        return cut.get(..at).unwrap_or(cut);
    }
    // Cut in the middle of a word, unless the word ended just there or words have no spaces.
    let ended = text.get(end..).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric));
    let at = cut.rfind(' ').filter(|_| !ended && cut.is_ascii()).unwrap_or(cut.len());
    cut.get(..at).unwrap_or(cut).trim_end_matches([' ', ',', '、', ';', ':', '—'])
}

#[cfg(test)]
mod tests {
    use super::super::brief::Readings;
    use super::*;

    #[test]
    fn both_languages_have_the_same_lines() {
        let (en, ja) = (&*ENGLISH, &*JAPANESE);
        assert_eq!(en.concepts.len(), ja.concepts.len());
        assert_eq!(en.concepts.len(), VISUALS.looks.len());
        assert!(en.pools.keys().eq(ja.pools.keys()));
        assert!(en.domains.keys().eq(ja.domains.keys()));
        assert!(en.domains.keys().eq(VISUALS.domains.keys()));
    }

    #[test]
    fn every_place_in_every_line_is_filled() {
        let input = serde_json::json!({"brand": {"name": "Kaze"}, "product": "green tea",
            "audience": "commuters", "key_points": ["no sugar"], "negative_constraints": ["sugar"],
            "prompt": "tea without sugar"});
        let brief = Brief::read(&input, Some(&serde_json::json!("warmer")), &Readings::default());
        for concept in 0..ENGLISH.concepts.len() {
            let piece = Piece { brief: &brief, concept };
            for lang in [Lang::En, Lang::Ja] {
                let general = ENGLISH.pools.keys().map(|name| Pool::General(name));
                let own = [
                    Pool::Direction,
                    Pool::HookConcept,
                    Pool::Hook,
                    Pool::Headline,
                    Pool::Body,
                    Pool::Message,
                    Pool::Beat,
                    Pool::Cta,
                    Pool::Shot,
                    Pool::Trend,
                    Pool::Style,
                ];
                for pool in general.chain(own) {
                    for line in piece.all_lines(pool, lang) {
                        let text = piece.fill(line, lang);
                        assert!(!text.contains(['{', '}']), "{text}");
                    }
                }
            }
        }
    }

    #[test]
    fn text_is_cut_where_a_person_would_cut_it() {
        assert_eq!(shortened("One. Two three four.", 8), "One.");
        assert_eq!(shortened("One two three four", 9), "One two");
        assert_eq!(shortened("One two three", 7), "One two");
        assert_eq!(shortened("静かな時間。そして朝が来る。", 7), "静かな時間。");
        assert_eq!(shortened("short", 80), "short");
    }
}
