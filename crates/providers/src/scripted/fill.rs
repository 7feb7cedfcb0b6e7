//! Fills a plan with the words and numbers of a piece.

mod lists;
mod numbers;
mod texts;

use serde_json::{Map, Value};

use super::brief::Lang;
use super::dice::Dice;
use super::fields::Role;
use super::plan::{Node, NodeId, ObjectForm, Plan, Shape};
use super::prose::{Piece, Pool};

/// Below this depth only what is required is filled, so that recursive schemas come to an end.
const DEPTH_FULL: usize = 8;
/// Below this depth nothing is filled any more.
const DEPTH_MAX: usize = 24;
/// Different ways in which an answer is tried before the schema is given up.
pub(super) const WAYS: u32 = 24;

/// An answer in the making.
pub(super) struct Filler<'a> {
    plan: &'a Plan,
    piece: &'a Piece<'a>,
    input: &'a Value,
    lang: Lang,
    dice: Dice,
    /// Which way of filling this is, from 0; later ones leave more out and choose other branches.
    way: u32,
    /// Lines already used in this answer.
    used: Vec<&'static str>,
    /// Whether the feedback was answered already.
    has_answered_feedback: bool,
    /// What is spoken, scene by scene.
    spoken: Vec<String>,
    /// How long the whole is, in tenths of a second.
    total_tenths: u64,
}

/// Where in the answer something stands.
#[derive(Clone, Copy, Debug)]
struct Spot {
    depth: usize,
    /// Its position in the innermost list, and that list's length.
    at: usize,
    of: usize,
}

impl<'a> Filler<'a> {
    pub(super) fn new(plan: &'a Plan, piece: &'a Piece<'a>, input: &'a Value, seed: u64) -> Self {
        Self {
            plan,
            piece,
            input,
            lang: piece.brief.lang,
            dice: Dice::new(seed),
            way: 0,
            used: Vec::new(),
            has_answered_feedback: false,
            spoken: Vec::new(),
            total_tenths: 0,
        }
    }

    /// A value true to the schema, or none when every way has failed.
    pub(super) fn answer(&mut self) -> Option<Value> {
        let start = self.dice.clone();
        for way in 0..WAYS {
            self.way = way;
            self.dice = start.clone();
            // Every way throws other dice; the first throws those of the seed.
            for _ in 0..way {
                self.dice.bits();
            }
            self.used.clear();
            self.spoken.clear();
            self.has_answered_feedback = false;
            self.total_tenths = self.piece.brief.duration_tenths.unwrap_or(150);
            let value = self.node(self.plan.root, Spot { depth: 0, at: 0, of: 1 });
            if let Some(value) = value.filter(|value| self.plan.schema.accepts(value)) {
                return Some(value);
            }
        }
        None
    }

    fn node(&mut self, id: NodeId, spot: Spot) -> Option<Value> {
        if spot.depth > DEPTH_MAX {
            return None;
        }
        let plan = self.plan;
        let node = plan.node(id)?;
        let spot = Spot { depth: spot.depth + 1, ..spot };
        match &node.shape {
            Shape::Nothing => None,
            Shape::Anything => Some(self.anything(node, spot)),
            Shape::Null => Some(Value::Null),
            Shape::Truth => Some(Value::Bool(self.truth(node))),
            Shape::Fixed(value) => Some(value.clone()),
            Shape::OneOf(values) => self.one_of(node, values, spot),
            Shape::Branches(branches) => {
                let shift = usize::try_from(self.way).unwrap_or(0);
                let mut order = (0..branches.len()).map(|n| (n + shift) % branches.len());
                order.find_map(|n| self.node(*branches.get(n)?, spot))
            },
            Shape::Number(form) => self.number(node, *form, spot),
            Shape::Text(form) => self.text(node, form, spot).map(Value::String),
            Shape::List(form) => self.list(node, form, spot),
            Shape::Object(form) => self.object(form, spot),
        }
    }

    fn object(&mut self, form: &ObjectForm, spot: Spot) -> Option<Value> {
        let mut made: Vec<Option<Value>> = vec![None; form.members.len()];
        // What is put together from other members comes last.
        for is_last in [false, true] {
            for (member, slot) in form.members.iter().zip(&mut made) {
                let role = self.plan.node(member.node).map_or(Role::Other, |node| node.role);
                if matches!(role, Role::Script | Role::TotalDuration) != is_last {
                    continue;
                }
                if member.is_required {
                    *slot = Some(self.node(member.node, spot)?);
                } else if self.fills_optional(spot) {
                    *slot = self.node(member.node, spot);
                }
            }
        }
        let mut object = Map::new();
        for (member, value) in form.members.iter().zip(made) {
            if let Some(value) = value {
                object.insert(member.name.clone(), value);
            }
        }
        self.adjust_count(form, &mut object, spot)?;
        Some(Value::Object(object))
    }

    fn fills_optional(&mut self, spot: Spot) -> bool {
        match self.way {
            _ if spot.depth > DEPTH_FULL => false,
            0 | 1 => true,
            2 | 3 => false,
            _ => self.dice.below(2) == 0,
        }
    }

    /// Adds or takes away what is not required until the number of members is allowed.
    fn adjust_count(
        &mut self,
        form: &ObjectForm,
        object: &mut Map<String, Value>,
        spot: Spot,
    ) -> Option<()> {
        if let Some(max) = form.members_max {
            for member in form.members.iter().rev().filter(|member| !member.is_required) {
                if object.len() > max {
                    object.shift_remove(&member.name);
                }
            }
        }
        // An object of which nothing is said at all still says something.
        let is_free = form.members.is_empty() && form.members_max.is_none() && self.way == 0;
        let min = form.members_min.max(usize::from(is_free && form.others.is_some()));
        const NAMES: [&str; 6] = ["summary", "details", "notes", "audience", "tone", "next_step"];
        let mut names = NAMES.iter().map(ToString::to_string);
        for n in 0..min.saturating_mul(2) + 8 {
            if object.len() >= min {
                break;
            }
            let name = names.next().unwrap_or_else(|| format!("point_{n}"));
            if object.contains_key(&name) {
                continue;
            }
            let value = match self.plan.node(form.others?).map(|node| &node.shape) {
                Some(Shape::Anything) => Value::String(self.sentence(Pool::General("summary"))),
                _ => self.node(form.others?, spot)?,
            };
            object.insert(name, value);
        }
        Some(())
    }

    fn anything(&mut self, node: &Node, spot: Spot) -> Value {
        if spot.depth > 1 {
            return self.words(node, spot).into();
        }
        let summary = self.words(node, spot);
        let notes =
            [Pool::General("observation"), Pool::General("note")].map(|pool| self.sentence(pool));
        serde_json::json!({ "summary": summary, "notes": notes })
    }

    fn truth(&self, node: &Node) -> bool {
        let is_good = self.piece.brief.violation.is_none();
        match node.role {
            Role::Refusal => !is_good,
            _ => is_good,
        }
    }

    fn one_of(&mut self, node: &Node, values: &[Value], spot: Spot) -> Option<Value> {
        const GOOD: [&str; 20] = [
            "approve",
            "approved",
            "accept",
            "accepted",
            "pass",
            "passed",
            "ok",
            "valid",
            "continue",
            "proceed",
            "publish",
            "go",
            "yes",
            "success",
            "completed",
            "complete",
            "ready",
            "positive",
            "承認",
            "合格",
        ];
        const BAD: [&str; 20] = [
            "reject",
            "rejected",
            "fail",
            "failed",
            "revise",
            "needs_revision",
            "revision",
            "retry",
            "no",
            "block",
            "blocked",
            "invalid",
            "decline",
            "declined",
            "stop",
            "abort",
            "negative",
            "changes_requested",
            "却下",
            "不合格",
        ];
        const USUAL: [&str; 6] = ["medium", "normal", "standard", "info", "default", "neutral"];
        let named = |words: &[&str]| {
            words.iter().find_map(|word| {
                values.iter().find(|v| v.as_str().is_some_and(|v| v.eq_ignore_ascii_case(word)))
            })
        };
        let verdict = match (named(&GOOD), named(&BAD), &self.piece.brief.violation) {
            (_, Some(bad), Some(_)) => Some(bad),
            (Some(good), Some(_), None) => Some(good),
            (Some(good), None, None) if node.role == Role::Decision => Some(good),
            _ => None,
        };
        let told = self.told(&node.name).filter(|told| values.contains(told));
        let lang = match self.lang {
            Lang::En => "en",
            Lang::Ja => "ja",
        };
        let spoken = (node.role == Role::Language).then(|| named(&[lang])).flatten();
        let fixed = verdict.or(spoken).or(told).or_else(|| named(&USUAL));
        if let Some(value) = fixed.filter(|_| self.way == 0 && spot.of == 1) {
            return Some(value.clone());
        }
        // In a list every place gets another one.
        let from = self.dice.below(values.len());
        let from = if spot.of > 1 { spot.at } else { from };
        values.get(from % values.len().max(1)).cloned()
    }

    /// What the input says under this very name.
    fn told(&self, name: &str) -> Option<&'a Value> {
        let within = |member: &str| self.input.get(member).and_then(|inner| inner.get(name));
        let own = self.input.get(name).or_else(|| within("request"));
        own.or_else(|| within("brief")).or_else(|| within("estimates"))
    }
}
