//! What a brief says, as far as a reader without a model can tell: who speaks, about what, to
//! whom, in which language, and what must not be said.

mod english;
mod japanese;
mod reading;
mod words;

use serde_json::Value;

use reading::Reading;

pub(super) use japanese::is_japanese;
pub(super) use reading::Readings;
pub(super) use words::{Domain, Lang};

/// Inputs nested deeper than this are not read.
const DEPTH_MAX: usize = 6;
/// Facts taken over from a brief, at most.
const DETAILS_MAX: usize = 6;

/// A brief as it was understood.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Brief {
    pub(super) lang: Lang,
    pub(super) brand: Option<String>,
    /// What it is about, without article or owner: `cold-brew green tea`.
    pub(super) noun: Option<String>,
    /// Whether the noun is a name of its own, which takes no article.
    pub(super) is_name: bool,
    pub(super) audience: Option<String>,
    /// Facts worth repeating.
    pub(super) details: Vec<String>,
    /// Whether the first of them is what a reviewer asked to be mentioned.
    pub(super) has_wish: bool,
    pub(super) domain: Domain,
    /// How long the thing asked for is to last, in tenths of a second.
    pub(super) duration_tenths: Option<u64>,
    /// The paragraphs of a script that the client has written.
    pub(super) script: Vec<String>,
    /// The word in the brief that the brand rules exclude.
    pub(super) violation: Option<String>,
    pub(super) feedback: Option<String>,
    /// What an earlier agent has decided.
    pub(super) prior_cta: Option<String>,
    pub(super) prior_emotion: Option<String>,
}

/// The members of the input that matter, the shallowest of each kind.
#[derive(Default)]
struct Found<'a> {
    brand: Option<(usize, &'a str)>,
    product: Option<(usize, &'a str)>,
    prompt: Option<(usize, &'a str)>,
    title: Option<(usize, &'a str)>,
    audience: Option<(usize, &'a str)>,
    language: Option<(usize, &'a str)>,
    feedback: Option<(usize, &'a str)>,
    script: Option<(usize, &'a str)>,
    cta: Option<(usize, &'a str)>,
    emotion: Option<(usize, &'a str)>,
    duration: Option<(usize, f64)>,
    details: Vec<&'a str>,
    forbidden: Vec<&'a str>,
}

impl Brief {
    /// Reads the input of a step and the feedback on its previous attempt.
    pub(super) fn read(input: &Value, feedback: Option<&Value>, known: &Readings) -> Self {
        let mut found = Found::default();
        found.walk(input, "prompt", 0);
        let feedback =
            feedback.and_then(feedback_text).or_else(|| found.feedback.map(|(_, text)| text));
        let prompt = found.prompt.map_or("", |(_, text)| text);
        let title = found.title.map_or("", |(_, text)| text);
        let reading = known.of(prompt);
        let lang = match found.language {
            Some((_, tag)) if tag.starts_with("ja") => Lang::Ja,
            Some((_, tag)) if tag.starts_with("en") => Lang::En,
            _ if is_japanese(prompt) || is_japanese(title) => Lang::Ja,
            _ if prompt.is_empty() && feedback.is_some_and(is_japanese) => Lang::Ja,
            _ => Lang::En,
        };
        let brand = found.brand.map(|(_, text)| text.trim().to_owned());
        let (noun, is_name) = subject(&found, &reading, brand.as_deref());
        let domain = noun
            .as_deref()
            .and_then(Domain::in_text)
            .or(reading.domain)
            .or_else(|| Domain::in_text(title))
            .unwrap_or(Domain::Other);
        let audience = found.audience.map(|(_, text)| text.trim().to_owned());
        let audience = audience.or_else(|| reading.audience.clone());
        Self {
            lang,
            violation: violation(input, &found.forbidden),
            has_wish: feedback.is_some_and(|text| wish(text).is_some()),
            details: details(&found, &reading, feedback),
            duration_tenths: found.duration.and_then(|(_, seconds)| tenths(seconds)),
            script: found.script.map(|(_, text)| paragraphs(text)).unwrap_or_default(),
            feedback: feedback.map(|text| text.trim().trim_end_matches(['.', '。']).to_owned()),
            prior_cta: found.cta.map(|(_, text)| text.to_owned()),
            prior_emotion: found.emotion.map(|(_, text)| text.to_owned()),
            brand,
            noun,
            is_name,
            audience,
            domain,
        }
    }
}

impl<'a> Found<'a> {
    /// Looks at `value`, which is the member `key` of something at this depth.
    fn walk(&mut self, value: &'a Value, key: &str, depth: usize) {
        if depth > DEPTH_MAX {
            return;
        }
        match value {
            Value::String(text) if !text.trim().is_empty() => self.text(key, text, depth),
            Value::Number(number)
                if is(key, &["durationseconds", "duration", "totalduration", "lengthseconds"]) =>
            {
                if let Some(seconds) = number.as_f64() {
                    nearer(&mut self.duration, depth, seconds);
                }
            },
            Value::Array(items) => {
                for item in items {
                    self.walk(item, key, depth + 1);
                }
            },
            Value::Object(members) => {
                let in_brand = key.starts_with("brand");
                for (name, member) in members {
                    let name = bare(name);
                    if in_brand && name == "name" {
                        self.walk(member, "brandname", depth);
                    } else if !in_brand || !is(&name, &["description", "title", "prompt", "brief"])
                    {
                        self.walk(member, &name, depth + 1);
                    }
                }
            },
            _ => {},
        }
    }

    fn text(&mut self, key: &str, text: &'a str, depth: usize) {
        let slot = match key {
            "brand" | "brandname" => &mut self.brand,
            "product" | "productname" | "subject" | "topic" | "service" => &mut self.product,
            "prompt" | "brief" | "description" | "request" | "objective" | "goal" | "question"
            | "theme" | "task" | "query" | "text" | "content" => &mut self.prompt,
            "title" | "name" | "campaignname" => &mut self.title,
            "audience" | "targetaudience" | "target" | "persona" | "targetgroup" => {
                &mut self.audience
            },
            "language" | "lang" | "locale" => &mut self.language,
            "feedback" | "revision" | "revisionnotes" => &mut self.feedback,
            "scripttext" | "script" => &mut self.script,
            "calltoaction" | "cta" => &mut self.cta,
            "targetemotion" | "emotion" => &mut self.emotion,
            "keypoints" | "features" | "benefits" | "sellingpoints" | "usp" | "mustinclude"
            | "highlights" => return self.details.push(text),
            "negativeconstraints"
            | "forbidden"
            | "ngwords"
            | "avoid"
            | "exclusions"
            | "bannedwords"
            | "donot" => return self.forbidden.push(text),
            _ => return,
        };
        nearer(slot, depth, text);
    }
}

/// Keeps what is nearer to the top; of two equally near, the first.
fn nearer<T>(slot: &mut Option<(usize, T)>, depth: usize, found: T) {
    if slot.as_ref().is_none_or(|(known, _)| depth < *known) {
        *slot = Some((depth, found));
    }
}

/// A member's name in one spelling: `brandProfile`, `brand_profile` and `Brand-Profile` are equal.
fn bare(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn is(key: &str, names: &[&str]) -> bool {
    names.contains(&key)
}

/// What a reviewer wrote, in whatever form the surface hands it on.
fn feedback_text(feedback: &Value) -> Option<&str> {
    match feedback {
        Value::String(text) => Some(text.as_str()),
        Value::Array(items) => items.iter().find_map(feedback_text),
        Value::Object(members) => ["comment", "feedback", "reason", "text", "message", "note"]
            .iter()
            .find_map(|name| members.get(*name))
            .or_else(|| members.values().next())
            .and_then(feedback_text),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
    .filter(|text| !text.trim().is_empty())
}

/// What it is about and whether that is a name: what is named as such, else what the prompt says,
/// else the title.
fn subject(found: &Found<'_>, reading: &Reading, brand: Option<&str>) -> (Option<String>, bool) {
    let whole = |text: &str| {
        let noun = english::without_article(text.trim());
        (!noun.is_empty() && noun.chars().count() <= 60).then(|| (noun.to_owned(), false))
    };
    let named = found.product.and_then(|(_, text)| whole(text));
    let Some((noun, quoted)) = named
        .or_else(|| reading.subject.clone())
        .or_else(|| found.title.and_then(|(_, text)| whole(text)))
    else {
        return (None, false);
    };
    let noun = match brand {
        Some(brand) => without_owner(&noun, brand).to_owned(),
        None => noun,
    };
    let is_name = quoted || noun.chars().next().is_some_and(char::is_uppercase);
    (Some(noun).filter(|noun| !noun.is_empty()), is_name)
}

/// `Kaze's green tea` is green tea.
fn without_owner<'a>(noun: &'a str, brand: &str) -> &'a str {
    let Some(rest) = noun.strip_prefix(brand) else { return noun };
    let rest = ["'s ", "’s ", "の", " "].iter().find_map(|owner| rest.strip_prefix(owner));
    rest.map(str::trim).filter(|rest| !rest.is_empty()).unwrap_or(noun)
}

fn details(found: &Found<'_>, reading: &Reading, feedback: Option<&str>) -> Vec<String> {
    // What the reviewer asks to be mentioned comes first.
    let mut details: Vec<String> = feedback.and_then(wish).into_iter().collect();
    details.extend(
        found.details.iter().map(|text| english::lower_first(text.trim_end_matches(['.', '。']))),
    );
    details.extend(reading.facts.iter().cloned());
    details.truncate(DETAILS_MAX);
    details
}

/// What a note asks to be mentioned.
fn wish(note: &str) -> Option<String> {
    if is_japanese(note) { japanese::wished(note) } else { english::wished(note) }
}

fn tenths(seconds: f64) -> Option<u64> {
    (0.5..=36_000.0).contains(&seconds).then(|| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 5 and 360 000"
        )]
        let tenths = (seconds * 10.0).round() as u64;
        tenths
    })
}

fn paragraphs(script: &str) -> Vec<String> {
    script.split('\n').map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// The first excluded word that the brief uses.
fn violation(input: &Value, forbidden: &[&str]) -> Option<String> {
    let terms: Vec<String> = forbidden
        .iter()
        .flat_map(|text| text.split([',', '、', ';', '\n']))
        .map(excluded_term)
        .filter(|term| !term.is_empty())
        .collect();
    if terms.is_empty() {
        return None;
    }
    terms.into_iter().find(|term| uses(input, term, 0))
}

/// `No alcohol` and `アルコール禁止` exclude a word; this is the word.
fn excluded_term(rule: &str) -> String {
    let mut term = rule.trim().trim_end_matches(['.', '。']).to_lowercase();
    for lead in [
        "do not ",
        "don't ",
        "don’t ",
        "never ",
        "avoid ",
        "no ",
        "mention ",
        "mentioning ",
        "use ",
        "using ",
        "show ",
        "showing ",
        "any ",
        "the ",
        "word ",
    ] {
        term = term.strip_prefix(lead).map_or_else(|| term.clone(), str::to_owned);
    }
    for tail in [
        "は使わない",
        "を使わない",
        "には触れない",
        "に触れない",
        "を出さない",
        "の使用禁止",
        "は禁止",
        "禁止",
        "はng",
        "ng",
        "なし",
    ] {
        term = term.strip_suffix(tail).map_or_else(|| term.clone(), str::to_owned);
    }
    term.trim_matches(['"', '“', '”', '「', '」', ' ']).to_owned()
}

fn uses(value: &Value, term: &str, depth: usize) -> bool {
    match value {
        Value::String(text) => contains_word(&text.to_lowercase(), term),
        Value::Array(items) if depth < DEPTH_MAX => {
            items.iter().any(|item| uses(item, term, depth + 1))
        },
        Value::Object(members) if depth < DEPTH_MAX => members.iter().any(|(name, member)| {
            let name = bare(name);
            // The rules themselves, and what the brand says of itself, do not break the rules.
            !name.starts_with("brand")
                && !is(
                    &name,
                    &[
                        "negativeconstraints",
                        "forbidden",
                        "ngwords",
                        "avoid",
                        "exclusions",
                        "bannedwords",
                        "donot",
                        "rules",
                    ],
                )
                && uses(member, term, depth + 1)
        }),
        _ => false,
    }
}

fn contains_word(text: &str, term: &str) -> bool {
    let is_letter = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let ascii = term.is_ascii();
    text.match_indices(term).any(|(at, _)| {
        let before = text.get(..at).and_then(|t| t.chars().next_back());
        let after = text.get(at + term.len()..).and_then(|t| t.chars().next());
        !ascii || !(is_letter(before) || is_letter(after))
    })
}

#[cfg(test)]
mod tests;
