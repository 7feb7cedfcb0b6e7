//! What a member of an answer is for, told by its name.

use super::brief::Lang;

/// The purpose of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Direction,
    HookConcept,
    Emotion,
    Cta,
    Message,
    Trend,
    Style,
    Hook,
    Picture,
    NegativePrompt,
    Voiceover,
    Script,
    Headline,
    Body,
    Hashtag,
    Summary,
    Insight,
    Reason,
    Issue,
    Mood,
    Tone,
    Title,
    Name,
    Note,
    Risk,
    Question,
    Description,
    Caption,
    Step,
    Guidance,
    Audience,
    Brand,
    Color,
    Language,
    Slug,
    Url,
    Email,
    Verdict,
    Decision,
    Refusal,
    Score,
    Duration,
    TotalDuration,
    Order,
    Count,
    Cost,
    Percent,
    Year,
    Width,
    Height,
    Other,
}

use Role as R;

/// Names and what they are for; the first that fits, whole names before parts of names.
const WHOLE: [(&str, Role); 34] = [
    ("hook", R::Hook),
    ("cta", R::Cta),
    ("body", R::Body),
    ("id", R::Slug),
    ("key", R::Slug),
    ("title", R::Title),
    ("name", R::Name),
    ("text", R::Body),
    ("copy", R::Body),
    ("url", R::Url),
    ("prompt", R::Picture),
    ("mood", R::Mood),
    ("tone", R::Tone),
    ("style", R::Style),
    ("language", R::Language),
    ("lang", R::Language),
    ("brand", R::Brand),
    ("valid", R::Verdict),
    ("ok", R::Verdict),
    ("pass", R::Verdict),
    ("status", R::Decision),
    ("result", R::Decision),
    ("order", R::Order),
    ("index", R::Order),
    ("no", R::Order),
    ("n", R::Order),
    ("scene", R::Order),
    ("number", R::Order),
    ("year", R::Year),
    ("width", R::Width),
    ("height", R::Height),
    ("confidence", R::Score),
    ("answer", R::Summary),
    ("lines", R::Voiceover),
];

const PARTS: [(&str, Role); 86] = [
    ("creative_direction", R::Direction),
    ("direction", R::Direction),
    ("concept", R::HookConcept),
    ("hook_concept", R::HookConcept),
    ("emotion", R::Emotion),
    ("feeling", R::Emotion),
    ("call_to_action", R::Cta),
    ("button", R::Cta),
    ("key_message", R::Message),
    ("message", R::Message),
    ("selling_point", R::Message),
    ("benefit", R::Message),
    ("trend", R::Trend),
    ("negative_prompt", R::NegativePrompt),
    ("visual_prompt", R::Picture),
    ("image_prompt", R::Picture),
    ("video_prompt", R::Picture),
    ("prompt", R::Picture),
    ("shot", R::Picture),
    ("visual_description", R::Picture),
    ("visual_style", R::Style),
    ("art_style", R::Style),
    ("style", R::Style),
    ("palette", R::Color),
    ("colour", R::Color),
    ("color", R::Color),
    ("voiceover", R::Voiceover),
    ("voice_over", R::Voiceover),
    ("narration", R::Voiceover),
    ("dialogue", R::Voiceover),
    ("spoken", R::Voiceover),
    ("script", R::Script),
    ("subhead", R::Message),
    ("sub_head", R::Message),
    ("headline", R::Headline),
    ("tagline", R::Headline),
    ("slogan", R::Headline),
    ("catch", R::Headline),
    ("hashtag", R::Hashtag),
    ("tags", R::Hashtag),
    ("keyword", R::Hashtag),
    ("body", R::Body),
    ("caption", R::Caption),
    ("summary", R::Summary),
    ("overview", R::Summary),
    ("conclusion", R::Summary),
    ("insight", R::Insight),
    ("finding", R::Insight),
    ("analysis", R::Insight),
    ("rationale", R::Reason),
    ("reason", R::Reason),
    ("justification", R::Reason),
    ("explanation", R::Reason),
    ("issue", R::Issue),
    ("violation", R::Issue),
    ("problem", R::Issue),
    ("error", R::Issue),
    ("breach", R::Issue),
    ("warning", R::Issue),
    ("risk", R::Risk),
    ("concern", R::Risk),
    ("mood", R::Mood),
    ("atmosphere", R::Mood),
    ("guidance", R::Guidance),
    ("guideline", R::Guidance),
    ("tonal", R::Guidance),
    ("tone", R::Tone),
    ("question", R::Question),
    ("note", R::Note),
    ("recommendation", R::Note),
    ("suggestion", R::Note),
    ("feedback", R::Note),
    ("comment", R::Note),
    ("improvement", R::Note),
    ("change", R::Note),
    ("plan", R::Step),
    ("step", R::Step),
    ("task", R::Step),
    ("action", R::Step),
    ("audience", R::Audience),
    ("persona", R::Audience),
    ("description", R::Description),
    ("hook", R::Hook),
    ("title", R::Title),
    ("subject", R::Title),
    ("product", R::Name),
];

const NUMBERS: [(&str, Role); 22] = [
    ("total_duration", R::TotalDuration),
    ("duration_total", R::TotalDuration),
    ("total_seconds", R::TotalDuration),
    ("duration", R::Duration),
    ("seconds", R::Duration),
    ("score", R::Score),
    ("rating", R::Score),
    ("quality", R::Score),
    ("confidence", R::Score),
    ("probability", R::Score),
    ("percent", R::Percent),
    ("ratio", R::Percent),
    ("cost", R::Cost),
    ("price", R::Cost),
    ("order", R::Order),
    ("index", R::Order),
    ("position", R::Order),
    ("rank", R::Order),
    ("count", R::Count),
    ("width", R::Width),
    ("height", R::Height),
    ("year", R::Year),
];

const REFUSALS: [&str; 14] = [
    "issue",
    "reject",
    "block",
    "violat",
    "flag",
    "fail",
    "skip",
    "error",
    "needs_",
    "requires_",
    "invalid",
    "unsafe",
    "denied",
    "risk",
];

/// What the member is for, by its name; `Other` where the name says nothing.
pub(super) fn role_of(name: &str) -> Role {
    let name = plain(name);
    let whole = WHOLE.iter().find(|(known, _)| *known == name);
    whole.or_else(|| longest(&PARTS, &name)).map_or_else(|| by_form(&name), |(_, role)| *role)
}

/// What a number is for.
pub(super) fn number_role_of(name: &str) -> Role {
    let name = plain(name);
    let whole = WHOLE.iter().find(|(known, _)| *known == name);
    longest(&NUMBERS, &name).or(whole).map_or(Role::Other, |(_, role)| *role)
}

/// What a truth value is for: something to be wished for, or something to be afraid of.
pub(super) fn truth_role_of(name: &str) -> Role {
    let name = plain(name);
    let is_feared = REFUSALS.iter().any(|word| name.contains(word));
    if is_feared { Role::Refusal } else { Role::Verdict }
}

/// The language that a member's name asks for: `summaryJa`, `headline_en`.
pub(super) fn language_of(name: &str) -> Option<Lang> {
    match words(name).rsplit('_').next() {
        Some("ja" | "jp" | "japanese") => Some(Lang::Ja),
        Some("en" | "english") => Some(Lang::En),
        _ => None,
    }
}

fn longest(table: &'static [(&str, Role)], name: &str) -> Option<&'static (&'static str, Role)> {
    table.iter().filter(|(part, _)| name.contains(part)).max_by_key(|(part, _)| part.len())
}

fn by_form(name: &str) -> Role {
    if name.ends_with("_id") || name.ends_with("slug") {
        Role::Slug
    } else if name.ends_with("url") || name.ends_with("link") {
        Role::Url
    } else if name.contains("email") {
        Role::Email
    } else if name.contains("decision") || name.contains("verdict") {
        Role::Decision
    } else if name.ends_with("name") {
        Role::Name
    } else {
        Role::Other
    }
}

/// Lower case with underscores, without the language at the end.
fn plain(name: &str) -> String {
    let words = words(name);
    match language_of(name) {
        Some(_) => {
            words.rsplit_once('_').map_or_else(|| words.clone(), |(front, _)| front.to_owned())
        },
        None => words,
    }
}

/// `callToAction` and `Call-To-Action` as `call_to_action`.
fn words(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    let mut was_lower = false;
    for c in name.chars() {
        if c.is_uppercase() && was_lower {
            words.push('_');
        }
        was_lower = c.is_lowercase() || c.is_ascii_digit();
        match c {
            '-' | ' ' | '.' => words.push('_'),
            c => words.extend(c.to_lowercase()),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_is_meant_in_whatever_spelling() {
        for (name, role) in [
            ("creative_direction", Role::Direction),
            ("hook_concept", Role::HookConcept),
            ("hookConcept", Role::HookConcept),
            ("hook", Role::Hook),
            ("target_emotion", Role::Emotion),
            ("call_to_action", Role::Cta),
            ("callToAction", Role::Cta),
            ("keyMessages", Role::Message),
            ("recommended_trend", Role::Trend),
            ("visual_style", Role::Style),
            ("visual_prompt", Role::Picture),
            ("negative_prompt", Role::NegativePrompt),
            ("voiceover", Role::Voiceover),
            ("script_text", Role::Script),
            ("summaryJa", Role::Summary),
            ("targetInsight", Role::Insight),
            ("tonalGuidance", Role::Guidance),
            ("asset_id", Role::Slug),
            ("decision", Role::Decision),
            ("frobnication", Role::Other),
        ] {
            assert_eq!(role_of(name), role, "{name}");
        }
        assert_eq!(language_of("summaryJa"), Some(Lang::Ja));
        assert_eq!(language_of("ninja"), None);
        assert_eq!(number_role_of("quality_score"), Role::Score);
        assert_eq!(number_role_of("duration_seconds"), Role::Duration);
        assert_eq!(number_role_of("total_duration"), Role::TotalDuration);
        assert_eq!(truth_role_of("has_issues"), Role::Refusal);
        assert_eq!(truth_role_of("approved"), Role::Verdict);
    }
}
