//! Reading typed values out of the raw tree, complaining where something else stands there.

use std::ops::RangeInclusive;

use super::problem::{Complaint, Place, Report, complaint};
use super::raw::{Member, Node, Raw};
use super::{Estimate, Label, duration};
use crate::at::Millis;
use crate::money::{Budget, MicroUsd, Spend};
use crate::schema::Schema;

/// A node and the way to it.
#[derive(Clone, Debug)]
pub(super) struct Spot<'n> {
    pub(super) node: &'n Node,
    pub(super) path: String,
}

impl<'n> Spot<'n> {
    pub(super) fn top(node: &'n Node) -> Self {
        Self { node, path: String::new() }
    }

    pub(super) fn place(&self) -> Place {
        self.node.place
    }

    /// The value of a key; a key without a value counts as absent.
    pub(super) fn member(&self, key: &str) -> Option<Self> {
        let node = self.node.get(key).filter(|node| !matches!(node.raw, Raw::Null))?;
        Some(Self { node, path: joined(&self.path, key) })
    }

    pub(super) fn members(&self) -> Vec<(&'n Member, Self)> {
        let Raw::Map(members) = &self.node.raw else { return Vec::new() };
        let spot = |m: &'n Member| (m, Self { node: &m.value, path: joined(&self.path, &m.key) });
        members.iter().map(spot).collect()
    }

    pub(super) fn items(&self) -> Option<Vec<Self>> {
        let Raw::List(items) = &self.node.raw else { return None };
        let spot = |(at, node)| Self { node, path: format!("{}[{at}]", self.path) };
        Some(items.iter().enumerate().map(spot).collect())
    }
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

impl Report {
    /// Files a complaint about a spot.
    pub(super) fn at(&mut self, spot: &Spot<'_>, complaint: Complaint) {
        self.add(spot.place(), &spot.path, complaint);
    }

    fn expected(&mut self, spot: &Spot<'_>, wanted: &str) {
        let found = match &spot.node.raw {
            Raw::Number(number) => number.to_string(),
            _ => spot.node.kind().to_owned(),
        };
        let what = format!("{found} where {wanted} is expected");
        let taker = match spot.path.as_str() {
            "" => "a definition".to_owned(),
            path => format!("`{path}`"),
        };
        self.at(spot, complaint(what, format!("{taker} takes {wanted}")));
    }

    /// Complains of keys that are not `known`; false when it is no object at all.
    pub(super) fn keys(&mut self, spot: &Spot<'_>, known: &[&str]) -> bool {
        if !matches!(spot.node.raw, Raw::Map(_)) {
            self.expected(spot, "an object");
            return false;
        }
        for (member, inner) in spot.members() {
            if !known.contains(&member.key.as_str()) {
                let listed = complaint(
                    format!("unknown key `{}`", member.key),
                    "a key nobody reads is a mistake that nobody notices",
                )
                .hint(format!("known here: {}", known.join(", ")))
                .meant(&member.key, known.iter().copied());
                self.add(member.key_place, &inner.path, listed);
            }
        }
        true
    }

    /// A text that is not empty.
    pub(super) fn text<'n>(&mut self, spot: &Spot<'n>) -> Option<&'n str> {
        match &spot.node.raw {
            Raw::Text(text) if !text.trim().is_empty() => Some(text),
            _ => {
                self.expected(spot, "a text");
                None
            },
        }
    }

    /// A text or a list of texts.
    pub(super) fn texts<'n>(&mut self, spot: &Spot<'n>) -> Vec<(&'n str, Spot<'n>)> {
        match spot.items() {
            None => self.text(spot).map(|text| (text, spot.clone())).into_iter().collect(),
            Some(items) => items
                .into_iter()
                .filter_map(|item| self.text(&item).map(|text| (text, item.clone())))
                .collect(),
        }
    }

    pub(super) fn flag(&mut self, spot: &Spot<'_>) -> Option<bool> {
        match spot.node.raw {
            Raw::Bool(truth) => Some(truth),
            _ => {
                self.expected(spot, "true or false");
                None
            },
        }
    }

    /// A whole number within limits.
    pub(super) fn count(&mut self, spot: &Spot<'_>, range: RangeInclusive<u32>) -> Option<u32> {
        let (least, most) = (range.start(), range.end());
        let number = match &spot.node.raw {
            Raw::Number(number) => number.as_u64().and_then(|n| u32::try_from(n).ok()),
            _ => None,
        };
        if let Some(number) = number.filter(|number| range.contains(number)) {
            return Some(number);
        }
        self.expected(spot, &format!("a whole number from {least} to {most}"));
        None
    }

    /// A number from 0 to `most`.
    pub(super) fn amount(&mut self, spot: &Spot<'_>, most: f64) -> Option<f64> {
        let number = match &spot.node.raw {
            Raw::Number(number) => number.as_f64(),
            _ => None,
        };
        if let Some(number) = number.filter(|number| (0.0..=most).contains(number)) {
            return Some(number);
        }
        self.expected(spot, &format!("a number from 0 to {most}"));
        None
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&mut self, spot: &Spot<'_>, choices: &[(&str, T)]) -> Option<T> {
        let word = self.text(spot)?;
        if let Some((_, chosen)) = choices.iter().find(|(name, _)| *name == word) {
            return Some(*chosen);
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let wrong = complaint(
            format!("`{word}` is not a choice here"),
            format!("`{}` is one of {}", spot.path, names.join(", ")),
        );
        self.at(spot, wrong.meant(word, names.iter().copied()));
        None
    }

    pub(super) fn duration(&mut self, spot: &Spot<'_>) -> Option<Millis> {
        let Raw::Text(text) = &spot.node.raw else {
            self.expected(spot, "a time such as \"90s\", \"5m\", \"2h\" or \"3d\"");
            return None;
        };
        match duration::parse(text) {
            Ok(span) if span > Millis(0) => Some(span),
            Ok(_) => {
                self.at(spot, complaint("a time of zero", "it would be over before it began"));
                None
            },
            Err(message) => {
                let wrong = complaint(message, "times need a number and a unit");
                self.at(spot, wrong.hint("units are ms, s, m, h and d"));
                None
            },
        }
    }

    /// A text, or `{en, ja}`.
    pub(super) fn label(&mut self, spot: &Spot<'_>) -> Option<Label> {
        let [en, ja] = self.languages(spot)?.map(|text| text.map(|(text, _)| text.to_owned()));
        match (en, ja) {
            (Some(en), ja) => Some(Label { en, ja }),
            (None, Some(ja)) => Some(Label { en: ja.clone(), ja: Some(ja) }),
            (None, None) => None,
        }
    }

    /// English and Japanese of a text that may be given in both.
    pub(super) fn languages<'n>(
        &mut self,
        spot: &Spot<'n>,
    ) -> Option<[Option<(&'n str, Spot<'n>)>; 2]> {
        if let Raw::Text(_) = &spot.node.raw {
            return Some([self.text(spot).map(|text| (text, spot.clone())), None]);
        }
        if !self.keys(spot, &["en", "ja"]) {
            return None;
        }
        let both = ["en", "ja"].map(|language| {
            let spot = spot.member(language)?;
            self.text(&spot).map(|text| (text, spot))
        });
        if both.iter().all(Option::is_none) {
            self.expected(spot, "a text, or an object with en and ja");
        }
        Some(both)
    }

    /// `{usd, tokens}` as limits.
    pub(super) fn budget(&mut self, spot: &Spot<'_>) -> Budget {
        if !self.keys(spot, &["usd", "tokens"]) {
            return Budget::default();
        }
        Budget { cost: self.usd(spot), tokens: self.tokens(spot) }
    }

    fn usd(&mut self, within: &Spot<'_>) -> Option<MicroUsd> {
        const MOST: f64 = 1_000_000_000.0;
        let spot = within.member("usd")?;
        let usd = self.amount(&spot, MOST)?;
        #[expect(clippy::cast_possible_truncation, reason = "at most 10^15")]
        let micros = (usd * 1_000_000.0).round() as i64;
        Some(MicroUsd(micros))
    }

    fn tokens(&mut self, within: &Spot<'_>) -> Option<u64> {
        let spot = within.member("tokens")?;
        self.count(&spot, 0..=u32::MAX).map(u64::from)
    }

    /// `{seconds, usd, tokens}`.
    pub(super) fn estimate(&mut self, spot: &Spot<'_>) -> Estimate {
        const DAYS_MAX: f64 = 30.0;
        if !self.keys(spot, &["seconds", "usd", "tokens"]) {
            return Estimate::default();
        }
        let seconds = spot.member("seconds");
        let seconds = seconds.and_then(|spot| self.amount(&spot, DAYS_MAX * 86_400.0));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 0 to 30 days"
        )]
        let duration = Millis(seconds.map_or(0, |seconds| (seconds * 1_000.0).round() as u64));
        let cost = self.usd(spot).unwrap_or_default();
        let tokens = self.tokens(spot).unwrap_or_default();
        Estimate { duration, spend: Spend { cost, tokens } }
    }

    /// A JSON Schema.
    pub(super) fn schema(&mut self, spot: &Spot<'_>) -> Option<Schema> {
        if !matches!(spot.node.raw, Raw::Map(_) | Raw::Bool(_)) {
            self.expected(spot, "a JSON Schema");
            return None;
        }
        match Schema::compile(spot.node.to_json()) {
            Ok(schema) => Some(schema),
            Err(message) => {
                let wrong = complaint(
                    format!("not a JSON Schema: {message}"),
                    "values are checked against it while the run goes on",
                );
                self.at(spot, wrong);
                None
            },
        }
    }
}

/// Whether `text` is an id: a letter, then letters, digits and `_`, 64 at most.
pub(super) fn is_id(text: &str) -> bool {
    const LONGEST: usize = 64;
    text.len() <= LONGEST
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// Whether `text` is a slug: as an id, with `-` allowed.
pub(super) fn is_slug(text: &str) -> bool {
    is_id(&text.replace('-', "_"))
}

/// An id that is allowed and like `text`.
pub(super) fn like_id(text: &str) -> Option<String> {
    let id: String = text
        .trim()
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    is_id(&id).then_some(id)
}
