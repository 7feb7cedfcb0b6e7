//! What was typed: the tree of the YAML or JSON text with the place of every part. Nothing is
//! known of steps here.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::Spanned;

use super::problem::{Complaint, Place, complaint};

/// Longest source, in bytes.
pub(super) const SOURCE_MAX: usize = 1024 * 1024;

/// Deepest nesting of the text, aliases included; four blocks in each other with a schema inside
/// need under thirty. The YAML reader recurses: a level takes some 35 KB of stack in a debug
/// build, and threads have 2 MB.
const DEPTH_MAX: usize = 36;

/// Most scalars, lists and objects in a text; the steps of the largest definition need a tenth.
const NODES_MAX: usize = 200_000;

/// Most events that aliases may repeat: enough for shared schemas, too few for a bomb.
const REPEATED_MAX: usize = 20_000;

/// A part of the text.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) raw: Raw,
}

/// What it is.
#[derive(Debug)]
pub(super) enum Raw {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Member>),
}

/// A key with its value.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) key: String,
    pub(super) key_place: Place,
    pub(super) value: Node,
}

impl Node {
    /// The same without places.
    pub(super) fn to_json(&self) -> Value {
        match &self.raw {
            Raw::Null => Value::Null,
            Raw::Bool(truth) => Value::Bool(*truth),
            Raw::Number(number) => Value::Number(number.clone()),
            Raw::Text(text) => Value::String(text.clone()),
            Raw::List(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            Raw::Map(members) => {
                let members = members.iter().map(|m| (m.key.clone(), m.value.to_json()));
                Value::Object(members.collect::<Map<_, _>>())
            },
        }
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match &self.raw {
            Raw::Map(members) => members.iter().find(|m| m.key == key).map(|m| &m.value),
            _ => None,
        }
    }

    /// What it is, for a message.
    pub(super) fn kind(&self) -> &'static str {
        match &self.raw {
            Raw::Null => "nothing",
            Raw::Bool(_) => "true or false",
            Raw::Number(_) => "a number",
            Raw::Text(_) => "a text",
            Raw::List(_) => "a list",
            Raw::Map(_) => "an object",
        }
    }
}

/// Reads a source. A key given twice is a complaint of its own beside the tree in which the last
/// one counts, so that the rest is checked all the same.
pub(super) fn read(source: &str) -> (Option<Node>, Option<(Place, Complaint)>) {
    if source.len() > SOURCE_MAX {
        let what = format!("the definition is {} bytes long", source.len());
        let why = format!("the limit is {SOURCE_MAX} bytes");
        let complaint = complaint(what, why)
            .hint("move long texts into assets or agents, and parts into child orchestrations");
        return (None, Some((Place { line: 1, column: 1 }, complaint)));
    }
    let fault = match parse(source, serde_saphyr::DuplicateKeyPolicy::Error) {
        Ok(node) => return (Some(node), None),
        Err(fault) => fault,
    };
    let complaint = Some((place_of(fault.location()), describe(&fault)));
    match parse(source, serde_saphyr::DuplicateKeyPolicy::LastWins) {
        Ok(node) => (Some(node), complaint),
        Err(_) => (None, complaint),
    }
}

fn parse(
    source: &str,
    duplicate_keys: serde_saphyr::DuplicateKeyPolicy,
) -> Result<Node, serde_saphyr::Error> {
    let mut budget = serde_saphyr::budget::Budget::default();
    budget.max_depth = DEPTH_MAX;
    budget.max_nodes = NODES_MAX;
    budget.max_events = 2 * NODES_MAX;
    budget.max_documents = 1;
    let mut options = serde_saphyr::Options::default();
    options.budget = Some(budget);
    options.duplicate_keys = duplicate_keys;
    options.strict_booleans = true;
    options.alias_limits.max_total_replayed_events = REPEATED_MAX;
    serde_saphyr::from_str_with_options(source, options)
}

fn place_of(location: Option<serde_saphyr::Location>) -> Place {
    location.map_or(Place { line: 1, column: 1 }, |location| place(&location))
}

fn place(location: &serde_saphyr::Location) -> Place {
    let number = |n: u64| u32::try_from(n).unwrap_or(u32::MAX).max(1);
    Place { line: number(location.line()), column: number(location.column()) }
}

/// A fault of the YAML reader in our words; the place stands in the problem already.
fn describe(fault: &serde_saphyr::Error) -> Complaint {
    use serde_saphyr::Error;
    use serde_saphyr::budget::BudgetBreach;
    let repeated = || {
        complaint(
            format!("aliases repeat more than {REPEATED_MAX} values"),
            "a small text may not grow into a huge one",
        )
        .hint("write out what differs, and let `for_each` repeat what does not")
    };
    let too_deep = || {
        complaint(
            format!("nested deeper than {DEPTH_MAX}"),
            "nobody can read it, and reading it takes memory for every level",
        )
        .hint("close the brackets, or move inner parts into steps or child orchestrations")
    };
    let fault = fault.without_snippet();
    match fault {
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().unwrap_or("?");
            complaint(format!("key `{key}` twice"), "only one of them could count")
                .hint("remove or rename one")
        },
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => too_deep(),
        Error::Budget {
            breach: BudgetBreach::Nodes { .. } | BudgetBreach::Events { .. }, ..
        } => complaint(format!("more than {NODES_MAX} values"), "that is more than a definition")
            .hint("move lists of values into the input, and parts into child orchestrations"),
        Error::AliasReplayLimitExceeded { .. } => repeated(),
        Error::MultipleDocuments { .. }
        | Error::Budget { breach: BudgetBreach::Documents { .. }, .. } => {
            complaint("more than one document", "a file holds one definition")
                .hint("remove the `---` in the middle")
        },
        Error::Eof { .. } => complaint("an empty text", "a definition starts with `showrunner: 1`")
            .hint("examples/definitions has one for each kind of step"),
        other => {
            let text = other.to_string();
            let first = text.lines().next().unwrap_or_default();
            let what = first.split(" at line ").next().unwrap_or(first).trim_end_matches(':');
            // The scanner's own limit on brackets, and whatever happens inside an alias, come as
            // words only.
            if what.contains("recursion limit") || what.contains("Depth {") {
                return too_deep();
            }
            if what.contains("alias replay limit") {
                return repeated();
            }
            complaint(format!("not readable: {what}"), "it has to be YAML or JSON")
                .hint("look for a bracket, a quote or an indentation that is not closed before it")
        },
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Raw>::deserialize(from)?;
        Ok(Self { place: place(&spanned.referenced), raw: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Raw, D::Error> {
        Raw::deserialize(from)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Raw, E> {
        Ok(Raw::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Raw, E> {
        Ok(Raw::Number(number.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Raw, E> {
        let finite = Number::from_f64(number).map(Raw::Number);
        finite.ok_or_else(|| E::custom("infinity and NaN are not numbers here"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Raw, E> {
        Ok(Raw::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = from.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Raw, A::Error> {
        let mut members: Vec<Member> = Vec::new();
        while let Some(key) = from.next_key::<Spanned<String>>()? {
            let value = from.next_value()?;
            members.push(Member { key: key.value, key_place: place(&key.referenced), value });
        }
        Ok(Raw::Map(members))
    }
}
