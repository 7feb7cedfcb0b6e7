//! The names that people know, and who does that work today.
//!
//! Pika has no interface of its own: fal serves its model (fal.ai/models/fal-ai/pika). Midjourney
//! has none at all, Stable Diffusion's is not spoken here, and Pollo resells others' models: fal's
//! models stand for them. DALL·E was retired on 2026-05-12; OpenAI's image models took its place.

/// Names, and the providers that stand for each, the first choice first.
const ALIASES: &[(&str, &[&str])] = &[
    ("pika", &["fal"]),
    ("pollo", &["fal"]),
    ("flux", &["fal"]),
    ("stable_diffusion", &["fal"]),
    ("midjourney", &["fal", "openai"]),
    ("dalle", &["openai", "fal"]),
];

/// The providers that a name stands for, besides itself, the first choice first.
pub fn stands_for(name: &str) -> &'static [&'static str] {
    let plain: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let plain = plain.trim_end_matches(|c: char| c.is_ascii_digit());
    let found = ALIASES.iter().find(|(known, _)| known.replace('_', "") == plain);
    found.map_or(&[], |(_, providers)| providers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_source_lead_to_whoever_does_it_today() {
        for (name, first) in [
            ("pika", "fal"),
            ("Pollo", "fal"),
            ("stable_diffusion", "fal"),
            ("stable-diffusion", "fal"),
            ("midjourney", "fal"),
            ("dalle", "openai"),
            ("DALL-E 3", "openai"),
        ] {
            assert_eq!(stands_for(name).first(), Some(&first), "{name}");
        }
        assert!(stands_for("local").is_empty() && stands_for("").is_empty());
    }
}
