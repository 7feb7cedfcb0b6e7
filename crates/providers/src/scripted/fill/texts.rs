//! Texts: which line goes where, and how it is made to fit.

use std::fmt::Write as _;

use super::super::brief::Lang;
use super::super::fields::Role;
use super::super::plan::{Node, TextForm};
use super::super::prose::{Pool, shortened, upper_first};
use super::{Filler, Spot};

/// Tries at a text that fits a pattern.
const PATTERN_TRIES: usize = 12;
/// Sentences added to reach a least length, at most.
const SENTENCES_MAX: usize = 400;
/// An answer to feedback needs so much room.
const FEEDBACK_ROOM: usize = 60;

impl Filler<'_> {
    pub(super) fn text(&mut self, node: &Node, form: &TextForm, spot: Spot) -> Option<String> {
        if form.max.is_some_and(|max| form.min > max) {
            return None;
        }
        if let Some(text) = form.format.as_deref().and_then(|format| self.formatted(format, spot)) {
            return Some(text);
        }
        let text = self.words_in(node, form, spot);
        let Some(pattern) = &form.pattern else { return Some(text) };
        let fits = |text: &str| {
            let length = text.chars().count();
            pattern.check.accepts(&text.into())
                && length >= form.min
                && form.max.is_none_or(|max| length <= max)
        };
        if fits(&text) {
            return Some(text);
        }
        let plain = text.trim_start_matches('#').to_owned();
        let candidates = [format!("#{plain}"), plain.to_lowercase(), plain, self.slug(spot)];
        if let Some(text) = candidates.into_iter().find(|text| fits(text)) {
            return Some(text);
        }
        let sampler = pattern.sampler.as_ref()?;
        (0..PATTERN_TRIES).map(|_| sampler.sample(&mut self.dice)).find(|text| fits(text))
    }

    /// What a node without limits says.
    pub(super) fn words(&mut self, node: &Node, spot: Spot) -> String {
        let form = TextForm { min: 0, max: None, format: None, pattern: None };
        self.words_in(node, &form, spot)
    }

    fn words_in(&mut self, node: &Node, form: &TextForm, spot: Spot) -> String {
        let outer = self.lang;
        self.lang = node.lang.unwrap_or(outer);
        let text = self.composed(node, form, spot);
        let text = self.lengthened(text, node.role, form.min);
        let text = match form.max {
            Some(max) => self.fitting(text, node.role, form.min, max),
            None => text,
        };
        self.lang = outer;
        text
    }

    fn composed(&mut self, node: &Node, form: &TextForm, spot: Spot) -> String {
        let max = form.max.unwrap_or(usize::MAX);
        let brief = self.piece.brief;
        match node.role {
            Role::Picture => self.picture(spot),
            Role::Voiceover => self.spoken_line(spot),
            Role::Script => self.script(),
            Role::Hashtag => self.tag(node, spot),
            Role::Color => self.color(spot),
            Role::Cta => match &brief.prior_cta {
                Some(cta) => cta.clone(),
                None => self.line(Pool::Cta, max),
            },
            Role::Message => match self.fact(spot) {
                Some(fact) => fact,
                None => self.line(Pool::Message, max),
            },
            Role::Audience => self.piece.fill("{A}", self.lang),
            Role::Brand => self.piece.fill("{B}", self.lang),
            Role::Language => if self.lang == Lang::Ja { "ja" } else { "en" }.to_owned(),
            Role::Decision | Role::Verdict => {
                if brief.violation.is_none() { "approved" } else { "rejected" }.to_owned()
            },
            Role::Slug | Role::Url | Role::Email | Role::Other => {
                match self.told(&node.name).and_then(serde_json::Value::as_str) {
                    Some(told) if told.chars().count() <= max.min(200) => told.to_owned(),
                    _ if node.role == Role::Slug => self.slug(spot),
                    _ if node.role == Role::Url => {
                        format!("https://example.com/{}", self.slug(spot))
                    },
                    _ if node.role == Role::Email => "hello@example.com".to_owned(),
                    _ => self.considered(Pool::General("observation"), max),
                }
            },
            Role::Body | Role::Caption => self.told_to_the_public(node.role, max),
            role => match pool_of(role, brief.violation.is_some()) {
                (pool, true) => self.considered(pool, max),
                (pool, false) => self.line(pool, max),
            },
        }
    }

    /// A sentence of the work itself; the first of an answer takes the feedback up.
    fn considered(&mut self, pool: Pool, max: usize) -> String {
        let line = self.line(pool, max);
        let is_due = self.piece.brief.feedback.is_some() && !self.has_answered_feedback;
        if !is_due || max < FEEDBACK_ROOM {
            return line;
        }
        self.has_answered_feedback = true;
        let answer = self.line(Pool::General("taken_up"), max);
        if answer.chars().count() + line.chars().count() >= max {
            return answer;
        }
        joined(&answer, &line, self.lang)
    }

    /// Copy, with what a reviewer wished to be in it.
    fn told_to_the_public(&mut self, role: Role, max: usize) -> String {
        let line = self.line(pool_of(role, false).0, max);
        if !self.piece.brief.has_wish {
            return line;
        }
        let wish = self.line(Pool::General("detail"), max);
        let whole = joined(&line, &wish, self.lang);
        if whole.chars().count() <= max { whole } else { wish }
    }

    /// A line of the pool that was not used yet and fits, filled in.
    fn line(&mut self, pool: Pool, max: usize) -> String {
        let lines = self.piece.lines(pool, self.lang);
        let from = self.dice.below(lines.len());
        let order: Vec<&'static str> =
            (0..lines.len()).filter_map(|n| lines.get((from + n) % lines.len()).copied()).collect();
        for is_strict in [true, false] {
            for line in &order {
                if is_strict && self.used.contains(line) {
                    continue;
                }
                let text = self.piece.fill(line, self.lang);
                if text.chars().count() <= max {
                    self.used.push(line);
                    return text;
                }
            }
        }
        order.first().map_or_else(String::new, |line| self.piece.fill(line, self.lang))
    }

    /// A whole sentence from a pool, without a limit.
    pub(super) fn sentence(&mut self, pool: Pool) -> String {
        self.line(pool, usize::MAX)
    }

    /// Lines of a sequence are spread over the places there are, first on first, last on last.
    fn in_sequence(&self, pool: Pool, spot: Spot) -> Option<&'static str> {
        let lines = self.piece.lines(pool, if pool == Pool::Shot { Lang::En } else { self.lang });
        let last = lines.len().checked_sub(1)?;
        let at = in_six(spot, self.piece.brief.has_wish).unwrap_or(spot.at % lines.len());
        lines.get(at.min(last)).copied()
    }

    fn picture(&self, spot: Spot) -> String {
        self.in_sequence(Pool::Shot, spot).map_or_else(String::new, |shot| self.piece.picture(shot))
    }

    fn spoken_line(&mut self, spot: Spot) -> String {
        let brief = self.piece.brief;
        let text = if let Some(own) = brief.script.get(spot.at) {
            own.clone()
        } else if spot.at >= 6 {
            self.line(Pool::Message, usize::MAX)
        } else if in_six(spot, brief.has_wish) == Some(4) && !brief.details.is_empty() {
            self.line(Pool::General("detail"), usize::MAX)
        } else {
            let line = self.in_sequence(Pool::Beat, spot).unwrap_or("");
            self.used.push(line);
            self.piece.fill(line, self.lang)
        };
        self.spoken.push(text.clone());
        text
    }

    fn script(&mut self) -> String {
        if self.spoken.is_empty() {
            for at in 0..4 {
                self.spoken_line(Spot { depth: 0, at, of: 4 });
            }
        }
        self.spoken.join("\n")
    }

    /// A fact from the brief: what the reviewer asked for first, others in every second place.
    fn fact(&self, spot: Spot) -> Option<String> {
        let brief = self.piece.brief;
        let at = match (brief.feedback.is_some(), spot.at % 2) {
            (true, 0) | (false, 1) => spot.at / 2,
            _ => return None,
        };
        brief.details.get(at).map(|fact| upper_first(fact))
    }

    fn tag(&mut self, node: &Node, spot: Spot) -> String {
        let brief = self.piece.brief;
        let lang = self.lang;
        let words = [
            brief.noun.clone(),
            brief.brand.clone(),
            self.piece.lines(Pool::Emotion, lang).first().map(|e| (*e).to_owned()),
            Some(self.piece.fill("{m}", lang)),
            brief.audience.clone().filter(|people| people.chars().count() <= 20),
            self.piece.lines(Pool::Headline, lang).first().map(|h| (*h).to_owned()),
            self.piece.lines(Pool::Hook, lang).first().map(|h| (*h).to_owned()),
        ];
        let known: Vec<String> =
            words.into_iter().flatten().filter(|word| word.chars().count() <= 32).collect();
        let word = match known.get(spot.at) {
            Some(word) => word.clone(),
            None => format!("{} {}", known.first().map_or("", String::as_str), spot.at),
        };
        if !node.name.to_lowercase().contains("hashtag") {
            return word;
        }
        let mut tag = String::from("#");
        for part in word.split(|c: char| !c.is_alphanumeric() && c != 'ー') {
            tag.push_str(&upper_first(part));
        }
        tag
    }

    fn color(&mut self, spot: Spot) -> String {
        let palette = self.piece.lines(Pool::Palette, Lang::En);
        match palette.get(spot.at) {
            Some(color) => (*color).to_owned(),
            None => format!("#{:06x}", self.dice.bits() & 0x00ff_ffff),
        }
    }

    /// A name for machines, from the noun where that is Latin.
    fn slug(&self, spot: Spot) -> String {
        let brief = self.piece.brief;
        let source = brief.noun.as_deref().or(brief.brand.as_deref()).unwrap_or("");
        let mut slug = String::new();
        for c in source.chars().filter(char::is_ascii) {
            if c.is_ascii_alphanumeric() {
                slug.push(c.to_ascii_lowercase());
            } else if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
        }
        let slug = slug.trim_end_matches('-');
        let slug = if slug.is_empty() { "item" } else { slug };
        if spot.of > 1 { format!("{slug}-{}", spot.at + 1) } else { slug.to_owned() }
    }

    /// `text` with further sentences after it until it is long enough.
    fn lengthened(&mut self, text: String, role: Role, min: usize) -> String {
        const PUBLIC: [Pool; 5] =
            [Pool::Body, Pool::Beat, Pool::Message, Pool::Headline, Pool::Hook];
        const OWN: [Pool; 7] = [
            Pool::General("observation"),
            Pool::General("insight"),
            Pool::Body,
            Pool::Direction,
            Pool::General("note"),
            Pool::HookConcept,
            Pool::General("risk"),
        ];
        let is_public = matches!(
            role,
            Role::Body
                | Role::Hook
                | Role::Headline
                | Role::Voiceover
                | Role::Script
                | Role::Caption
                | Role::Message
                | Role::Cta
                | Role::Title
        );
        let more: &[Pool] = if is_public { &PUBLIC } else { &OWN };
        let mut text = text;
        for n in 0..SENTENCES_MAX {
            if text.chars().count() >= min {
                break;
            }
            let fresh = more.iter().find(|pool| {
                self.piece.lines(**pool, self.lang).iter().any(|line| !self.used.contains(line))
            });
            let Some(pool) = fresh.or_else(|| more.get(n % more.len())) else { break };
            let next = self.sentence(*pool);
            text = joined(&text, &next, self.lang);
        }
        text
    }

    /// `text` cut to its limit; where that would leave too little, another line that fits whole.
    fn fitting(&mut self, text: String, role: Role, min: usize, max: usize) -> String {
        if text.chars().count() <= max {
            return text;
        }
        let cut = shortened(&text, max);
        if cut.chars().count() >= min && ends_well(cut) {
            return cut.to_owned();
        }
        if role != Role::Picture {
            for pool in [Pool::Message, Pool::Headline, Pool::Hook, Pool::Cta, Pool::Emotion] {
                let other = self.line(pool, max);
                let length = other.chars().count();
                if length <= max && length >= min && !other.is_empty() {
                    return other;
                }
            }
        }
        if cut.chars().count() >= min && !cut.is_empty() {
            return cut.to_owned();
        }
        text.chars().take(max).collect()
    }

    fn formatted(&mut self, format: &str, spot: Spot) -> Option<String> {
        let (month, day) = (self.dice.between(1, 12), self.dice.between(1, 28));
        let (hour, minute) = (self.dice.between(9, 18), self.dice.between(0, 3) * 15);
        Some(match format {
            "date" => format!("2027-{month:02}-{day:02}"),
            "date-time" => format!("2027-{month:02}-{day:02}T{hour:02}:{minute:02}:00Z"),
            "time" => format!("{hour:02}:{minute:02}:00Z"),
            "duration" => format!("PT{}S", self.total_tenths.div_ceil(10)),
            "uri" | "uri-reference" | "iri" | "iri-reference" | "url" => {
                format!("https://example.com/{}", self.slug(spot))
            },
            "email" | "idn-email" => "hello@example.com".to_owned(),
            "hostname" | "idn-hostname" => "example.com".to_owned(),
            "ipv4" => format!("192.0.2.{}", self.dice.between(1, 254)),
            "ipv6" => format!("2001:db8::{:x}", self.dice.between(1, 0xfffe)),
            "uuid" => self.uuid(),
            "json-pointer" => "/summary".to_owned(),
            _ => return None,
        })
    }

    fn uuid(&mut self) -> String {
        let (high, low) = (self.dice.bits(), self.dice.bits());
        let mut uuid = String::with_capacity(36);
        let _ignored = write!(
            uuid,
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            (low >> 48) & 0x3fff | 0x8000,
            low & 0xffff_ffff_ffff,
        );
        uuid
    }
}

/// The pool for a role, and whether its line speaks about the work, where feedback is answered,
/// rather than to the public.
fn pool_of(role: Role, is_bad: bool) -> (Pool, bool) {
    match role {
        Role::Direction => (Pool::Direction, true),
        Role::HookConcept => (Pool::HookConcept, true),
        Role::Emotion => (Pool::Emotion, false),
        Role::Trend => (Pool::Trend, false),
        Role::Style => (Pool::Style, false),
        Role::Mood => (Pool::Mood, false),
        Role::Tone => (Pool::Tone, false),
        Role::Hook => (Pool::Hook, false),
        Role::Headline => (Pool::Headline, false),
        Role::Body => (Pool::Body, false),
        Role::NegativePrompt => (Pool::Negative, false),
        Role::Summary | Role::Insight | Role::Reason | Role::Issue if is_bad => {
            (Pool::General("bad"), true)
        },
        Role::Summary => (Pool::General("summary"), true),
        Role::Insight => (Pool::General("insight"), true),
        Role::Reason => (Pool::General("good"), true),
        Role::Issue | Role::Risk => (Pool::General("risk"), true),
        Role::Title => (Pool::General("title"), false),
        Role::Name => (Pool::General("name"), false),
        Role::Note => (Pool::General("note"), true),
        Role::Question => (Pool::General("question"), false),
        Role::Description => (Pool::General("description"), true),
        Role::Caption => (Pool::General("caption"), false),
        Role::Step => (Pool::General("step"), false),
        Role::Guidance => (Pool::General("guidance"), true),
        _ => (Pool::General("observation"), true),
    }
}

/// Which of the six stations of a story stands at this place: opening, two steps of tension, the
/// product, what speaks for it, the close. None beyond six.
fn in_six(spot: Spot, has_wish: bool) -> Option<usize> {
    const STATIONS: [&[usize]; 7] =
        [&[3], &[3], &[3, 5], &[0, 3, 5], &[0, 3, 4, 5], &[0, 1, 3, 4, 5], &[0, 1, 2, 3, 4, 5]];
    match (spot.of, has_wish) {
        // What a reviewer asked for has its place in a short piece too.
        (2 | 3, true) => Some(spot.at + 3),
        _ => STATIONS.get(spot.of)?.get(spot.at).copied(),
    }
}

fn joined(first: &str, second: &str, lang: Lang) -> String {
    let first = first.trim_end();
    let is_closed = first.ends_with(['.', '。', '?', '？', '!', '！', '」']);
    match (lang, first.is_empty(), is_closed) {
        (_, true, _) => second.to_owned(),
        (Lang::En, _, true) => format!("{first} {second}"),
        (Lang::En, _, false) => format!("{first}. {second}"),
        (Lang::Ja, _, true) => format!("{first}{second}"),
        (Lang::Ja, _, false) => format!("{first}。{second}"),
    }
}

/// Whether a cut text can stand as it is.
fn ends_well(text: &str) -> bool {
    text.ends_with(['.', '。', '?', '？', '!', '！'])
}
