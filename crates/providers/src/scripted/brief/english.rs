//! Reading an English brief by its small words.

use super::reading::head;

/// A phrase is looked for in so much text.
const PHRASE_BYTES_MAX: usize = 160;

/// Words after which the thing itself is named, the surest first.
const CUES: [&str; 14] = [
    "introducing ",
    "announcing ",
    "launch of ",
    "launching ",
    "promoting ",
    "promote ",
    "advertising ",
    "advertise ",
    "featuring ",
    "showcasing ",
    "about ",
    "for ",
    "of ",
    "showing ",
];

/// Where a phrase ends.
const STOPS: [&str; 24] = [
    ",",
    ".",
    ";",
    ":",
    "!",
    "?",
    "\n",
    "(",
    " - ",
    " – ",
    " — ",
    " for ",
    " to ",
    " that ",
    " which ",
    " who ",
    " with ",
    " aimed ",
    " targeting ",
    " targeted ",
    " using ",
    " by ",
    " and ",
    " as ",
];

/// Words that begin a description of people.
const PEOPLE: [&str; 24] = [
    "people",
    "women",
    "men",
    "students",
    "young",
    "commuters",
    "professionals",
    "parents",
    "teens",
    "teenagers",
    "families",
    "kids",
    "children",
    "customers",
    "clients",
    "beginners",
    "busy",
    "adults",
    "runners",
    "travellers",
    "travelers",
    "developers",
    "gen",
    "office",
];

/// What is not a subject but the form it is asked in.
const FORMS: [&str; 16] = [
    "video",
    "ad",
    "image",
    "poster",
    "campaign",
    "clip",
    "spot",
    "banner",
    "picture",
    "post",
    "commercial",
    "instagram",
    "tiktok",
    "social",
    "brand",
    "product",
];

/// What the brief is about, and whether it stands in quotation marks.
pub(super) fn subject(prompt: &str) -> Option<(String, bool)> {
    if let Some(name) = quoted(prompt) {
        return Some((name.to_owned(), true));
    }
    let lower = prompt.to_ascii_lowercase();
    for cue in CUES {
        for (at, _) in lower.match_indices(cue) {
            let is_word = at == 0 || lower.as_bytes().get(at - 1) == Some(&b' ');
            let phrase = prompt.get(at + cue.len()..).map(phrase).unwrap_or_default();
            if is_word && is_subject(phrase) {
                return Some((phrase.to_owned(), false));
            }
        }
    }
    let opening = phrase(without_request(prompt));
    is_subject(opening).then(|| (opening.to_owned(), false))
}

/// Whom it is for.
pub(super) fn audience(prompt: &str) -> Option<String> {
    let lower = prompt.to_ascii_lowercase();
    for cue in
        ["target audience: ", "audience: ", "aimed at ", "targeting ", "targeted at ", "for "]
    {
        for (at, _) in lower.match_indices(cue) {
            let rest = head(prompt.get(at + cue.len()..).unwrap_or(""), PHRASE_BYTES_MAX);
            let end = ends(rest, &[",", ".", ";", "\n", "!", "?", " — ", " with "]);
            let people = rest.get(..end).unwrap_or(rest).trim();
            let first = people.split(' ').next().unwrap_or("").to_ascii_lowercase();
            let is_people = cue != "for " || PEOPLE.contains(&first.as_str());
            if is_people && (3..=70).contains(&people.len()) {
                return Some(people.to_owned());
            }
        }
    }
    None
}

/// Sentences that say something about the thing rather than about the work.
pub(super) fn facts(prompt: &str) -> Vec<String> {
    const WORK: [&str; 29] = [
        "create", "make", "produce", "design", "write", "generate", "use", "keep", "show",
        "target", "tone", "style", "avoid", "do", "don't", "please", "we", "i", "audience",
        "format", "length", "include", "mention", "end", "start", "focus", "should", "must",
        "think",
    ];
    prompt
        .split(['.', ';', '!', '?', '\n'])
        .skip(1)
        .map(str::trim)
        .filter(|sentence| (8..=90).contains(&sentence.len()))
        .filter(|sentence| {
            let first = sentence.split([' ', ':']).next().unwrap_or("").to_ascii_lowercase();
            !WORK.contains(&first.as_str())
        })
        .map(lower_first)
        .collect()
}

/// What a note asks to be mentioned.
pub(super) fn wished(note: &str) -> Option<String> {
    let lower = note.to_ascii_lowercase();
    ["mention ", "include ", "add ", "emphasise ", "emphasize ", "highlight "].iter().find_map(
        |cue| {
            let at = lower.find(cue)? + cue.len();
            let rest = note.get(at..)?;
            let wish = rest.get(..ends(rest, &[",", ".", ";", "!", " and make ", " and use "]))?;
            let wish = wish.trim().strip_prefix("that ").unwrap_or_else(|| wish.trim());
            (3..=80).contains(&wish.len()).then(|| wish.to_owned())
        },
    )
}

/// Without `a`, `our new` and the like.
pub(super) fn without_article(phrase: &str) -> &str {
    let mut rest = phrase.trim();
    while let Some((word, more)) = rest.split_once(' ') {
        let word = word.to_ascii_lowercase();
        let is_article = matches!(
            word.as_str(),
            "a" | "an"
                | "the"
                | "our"
                | "my"
                | "their"
                | "your"
                | "its"
                | "this"
                | "new"
                | "brand-new"
                | "upcoming"
                | "latest"
                | "some"
                | "launch"
        );
        if !is_article {
            break;
        }
        rest = more.trim_start();
    }
    rest
}

fn quoted(prompt: &str) -> Option<&str> {
    [('"', '"'), ('“', '”'), ('「', '」'), ('『', '』')].iter().find_map(|(open, close)| {
        let (_, rest) = prompt.split_once(*open)?;
        let (name, _) = rest.split_once(*close)?;
        ((2..=48).contains(&name.len()) && name.split(' ').count() <= 5).then_some(name)
    })
}

/// The phrase at the beginning of `rest`, without its article.
fn phrase(rest: &str) -> &str {
    let rest = head(rest, PHRASE_BYTES_MAX);
    let mut end = ends(rest, &STOPS);
    // `in` and `from` belong to it before a name (an inn in Kyoto), else not (shoes in blue).
    for link in [" in ", " from ", " at ", " on "] {
        for (at, _) in rest.match_indices(link) {
            let next = rest.get(at + link.len()..).and_then(|t| t.chars().next());
            if at < end && !next.is_some_and(char::is_uppercase) {
                end = at;
            }
        }
    }
    let words = without_article(rest.get(..end).unwrap_or(rest));
    let cut = words.match_indices(' ').nth(6).map_or(words.len(), |(at, _)| at);
    words.get(..cut).unwrap_or(words).trim()
}

fn is_subject(phrase: &str) -> bool {
    let first = phrase.split(' ').next().unwrap_or("").to_ascii_lowercase();
    let last = phrase.split(' ').next_back().unwrap_or("").to_ascii_lowercase();
    phrase.len() >= 3
        && !first.starts_with(|c: char| c.is_ascii_digit())
        && !PEOPLE.contains(&first.as_str())
        && !FORMS.contains(&last.as_str())
}

/// `Create a 15-second video of` is a request; what follows is meant.
fn without_request(prompt: &str) -> &str {
    let mut rest = without_article(prompt);
    while let Some((word, more)) = rest.split_once(' ') {
        let lower = word.to_ascii_lowercase();
        let is_request = matches!(
            lower.as_str(),
            "create"
                | "make"
                | "produce"
                | "design"
                | "write"
                | "generate"
                | "draw"
                | "please"
                | "shoot"
                | "film"
                | "show"
                | "short"
                | "me"
                | "us"
                | "we"
                | "want"
                | "need"
                | "i"
        ) || FORMS.contains(&lower.as_str())
            || lower.starts_with(|c: char| c.is_ascii_digit());
        if !is_request {
            break;
        }
        rest = without_article(more);
    }
    rest
}

fn ends(text: &str, stops: &[&str]) -> usize {
    stops.iter().filter_map(|stop| text.find(stop)).min().unwrap_or(text.len())
}

pub(super) fn lower_first(sentence: &str) -> String {
    let mut chars = sentence.chars();
    let (first, second) = (chars.next(), chars.clone().next());
    match first {
        // `USB` and `I` keep their capitals.
        Some(first) if second.is_some_and(char::is_lowercase) => {
            first.to_lowercase().chain(chars).collect()
        },
        _ => sentence.to_owned(),
    }
}
