//! A JSON Schema read once into a plan for making values that fit it.
//!
//! The plan covers what people write in schemas of answers; what it cannot express (`not`,
//! dependencies, odd patterns) is left to the validator: every value is checked before it is given
//! out, and one that does not fit is made again another way.

mod merge;
mod pattern;

use std::collections::HashMap;

use serde_json::{Map, Value};
use showrunner_engine::schema::Schema;

use super::brief::Lang;
use super::fields::{Role, language_of, number_role_of, role_of, truth_role_of};
pub(super) use pattern::Sampler;

/// Schemas nested deeper than this are taken as recursive.
const DEPTH_MAX: usize = 40;
/// Branches of one `anyOf` that are looked at.
const BRANCHES_MAX: usize = 32;

/// The position of a node in its plan.
pub(super) type NodeId = usize;

/// How to make values for one schema.
#[derive(Debug)]
pub(super) struct Plan {
    nodes: Vec<Node>,
    pub(super) root: NodeId,
    pub(super) schema: Schema,
}

/// One place in the answer.
#[derive(Debug)]
pub(super) struct Node {
    /// The member's name, as the author wrote it.
    pub(super) name: String,
    pub(super) role: Role,
    /// The language its name asks for.
    pub(super) lang: Option<Lang>,
    pub(super) shape: Shape,
}

/// What kind of value goes there.
#[derive(Debug)]
pub(super) enum Shape {
    /// No value fits.
    Nothing,
    Anything,
    Null,
    Truth,
    Fixed(Value),
    OneOf(Vec<Value>),
    Branches(Vec<NodeId>),
    Number(NumberForm),
    Text(TextForm),
    List(ListForm),
    Object(ObjectForm),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct NumberForm {
    pub(super) is_integer: bool,
    pub(super) min: Option<f64>,
    pub(super) max: Option<f64>,
    /// Neither bound itself where the schema excludes it.
    pub(super) excludes_min: bool,
    pub(super) excludes_max: bool,
    pub(super) multiple_of: Option<f64>,
}

#[derive(Debug)]
pub(super) struct TextForm {
    pub(super) min: usize,
    pub(super) max: Option<usize>,
    pub(super) format: Option<String>,
    pub(super) pattern: Option<PatternForm>,
}

#[derive(Debug)]
pub(super) struct PatternForm {
    /// Says whether a text fits.
    pub(super) check: Schema,
    /// Makes texts that fit, where the pattern is simple enough.
    pub(super) sampler: Option<Sampler>,
}

#[derive(Debug)]
pub(super) struct ListForm {
    pub(super) first: Vec<NodeId>,
    pub(super) item: Option<NodeId>,
    pub(super) contains: Option<NodeId>,
    pub(super) min: usize,
    pub(super) max: Option<usize>,
    pub(super) is_unique: bool,
}

#[derive(Debug)]
pub(super) struct ObjectForm {
    pub(super) members: Vec<Member>,
    /// What members without a declared name look like, when they are allowed.
    pub(super) others: Option<NodeId>,
    pub(super) members_min: usize,
    pub(super) members_max: Option<usize>,
}

#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) is_required: bool,
    pub(super) node: NodeId,
}

impl Plan {
    /// Reads a schema. Never fails: what cannot be planned shows when values are made.
    pub(super) fn of(schema: &Schema) -> Self {
        let mut reader =
            Reader { document: schema.source(), nodes: Vec::new(), referred: HashMap::new() };
        let root = reader.node(schema.source(), "", 0);
        Self { nodes: reader.nodes, root, schema: schema.clone() }
    }

    pub(super) fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id)
    }
}

struct Reader<'a> {
    document: &'a Value,
    nodes: Vec<Node>,
    /// Nodes made for a `$ref` under a member name; a recursive schema comes back to them.
    referred: HashMap<(String, String), NodeId>,
}

impl Reader<'_> {
    /// The node for `schema`, which stands under the member `name`.
    fn node(&mut self, schema: &Value, name: &str, depth: usize) -> NodeId {
        let reference = schema.get("$ref").and_then(Value::as_str).map(str::to_owned);
        let key = reference.map(|reference| (reference, name.to_owned()));
        if let Some(known) = key.as_ref().and_then(|key| self.referred.get(key)) {
            return *known;
        }
        let id = self.nodes.len();
        let role = role_of(name);
        let (name, lang) = (name.to_owned(), language_of(name));
        self.nodes.push(Node { name: name.clone(), role, lang, shape: Shape::Nothing });
        if let Some(key) = key {
            self.referred.insert(key, id);
        }
        let (shape, role) = if depth > DEPTH_MAX {
            (Shape::Anything, role)
        } else {
            self.shape(schema, &name, depth)
        };
        if let Some(node) = self.nodes.get_mut(id) {
            node.shape = shape;
            node.role = role;
        }
        id
    }

    fn shape(&mut self, schema: &Value, name: &str, depth: usize) -> (Shape, Role) {
        let role = role_of(name);
        let schema = match schema {
            Value::Bool(false) => return (Shape::Nothing, role),
            Value::Object(members) => merge::flattened(members, self.document),
            _ => return (Shape::Anything, role),
        };
        if let Some(value) = schema.get("const") {
            return (Shape::Fixed(value.clone()), role);
        }
        if let Some(Value::Array(values)) = schema.get("enum") {
            let fitting = merge::of_type(values, schema.get("type"));
            return (Shape::OneOf(fitting), role);
        }
        let branches = merge::branches(&schema, self.document);
        if !branches.is_empty() {
            let nodes = branches.iter().take(BRANCHES_MAX);
            let nodes = nodes.map(|branch| self.node(branch, name, depth + 1)).collect();
            return (Shape::Branches(nodes), role);
        }
        match merge::main_type(&schema) {
            "null" => (Shape::Null, role),
            "boolean" => (Shape::Truth, truth_role_of(name)),
            "integer" => (Shape::Number(number_form(&schema, true)), number_role_of(name)),
            "number" => (Shape::Number(number_form(&schema, false)), number_role_of(name)),
            "string" => (Shape::Text(text_form(&schema)), role),
            "array" => (Shape::List(self.list_form(&schema, name, depth)), role),
            "object" => (Shape::Object(self.object_form(&schema, depth)), role),
            _ => (Shape::Anything, role),
        }
    }

    fn list_form(&mut self, schema: &Map<String, Value>, name: &str, depth: usize) -> ListForm {
        let first = match schema.get("prefixItems") {
            Some(Value::Array(items)) => {
                items.iter().map(|item| self.node(item, name, depth + 1)).collect()
            },
            _ => Vec::new(),
        };
        let item = match schema.get("items") {
            Some(Value::Bool(false)) => None,
            Some(item) => Some(self.node(item, name, depth + 1)),
            None => Some(self.node(&Value::Bool(true), name, depth + 1)),
        };
        let contains = schema.get("contains").map(|item| self.node(item, name, depth + 1));
        let max = count(schema, "maxItems");
        // Without `items` beyond the first ones there is no more than those.
        let max =
            if item.is_none() { Some(max.unwrap_or(first.len()).min(first.len())) } else { max };
        ListForm {
            first,
            item,
            contains,
            min: count(schema, "minItems").unwrap_or(0),
            max,
            is_unique: schema.get("uniqueItems") == Some(&Value::Bool(true)),
        }
    }

    fn object_form(&mut self, schema: &Map<String, Value>, depth: usize) -> ObjectForm {
        let required: Vec<&str> = match schema.get("required") {
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let mut members = Vec::new();
        if let Some(Value::Object(properties)) = schema.get("properties") {
            for (name, property) in properties {
                let is_required = required.contains(&name.as_str());
                if *property != Value::Bool(false) || is_required {
                    let node = self.node(property, name, depth + 1);
                    members.push(Member { name: name.clone(), is_required, node });
                }
            }
        }
        let open =
            schema.get("additionalProperties").or_else(|| schema.get("unevaluatedProperties"));
        for name in required {
            if !members.iter().any(|member| member.name == name) {
                let any = open.cloned().unwrap_or(Value::Bool(true));
                let node = self.node(&any, name, depth + 1);
                members.push(Member { name: name.to_owned(), is_required: true, node });
            }
        }
        let others = match open {
            Some(Value::Bool(false)) => None,
            Some(other) => Some(self.node(other, "", depth + 1)),
            None => Some(self.node(&Value::Bool(true), "", depth + 1)),
        };
        ObjectForm {
            members,
            others,
            members_min: count(schema, "minProperties").unwrap_or(0),
            members_max: count(schema, "maxProperties"),
        }
    }
}

fn number_form(schema: &Map<String, Value>, is_integer: bool) -> NumberForm {
    let number = |name: &str| schema.get(name).and_then(Value::as_f64);
    let (min, above) = (number("minimum"), number("exclusiveMinimum"));
    let (max, below) = (number("maximum"), number("exclusiveMaximum"));
    let excludes_min = above.is_some_and(|above| min.is_none_or(|min| above >= min));
    let excludes_max = below.is_some_and(|below| max.is_none_or(|max| below <= max));
    NumberForm {
        is_integer,
        min: if excludes_min { above } else { min },
        max: if excludes_max { below } else { max },
        excludes_min,
        excludes_max,
        multiple_of: number("multipleOf").filter(|step| *step > 0.0),
    }
}

fn text_form(schema: &Map<String, Value>) -> TextForm {
    let pattern = schema.get("pattern").and_then(Value::as_str).and_then(|pattern| {
        let check = Schema::compile(serde_json::json!({ "pattern": pattern })).ok()?;
        Some(PatternForm { check, sampler: Sampler::of(pattern) })
    });
    TextForm {
        min: count(schema, "minLength").unwrap_or(0),
        max: count(schema, "maxLength"),
        format: schema.get("format").and_then(Value::as_str).map(str::to_owned),
        pattern,
    }
}

/// A count; schemas may write it as `3.0`.
fn count(schema: &Map<String, Value>, name: &str) -> Option<usize> {
    let number = schema.get(name)?;
    let whole = number.as_u64().or_else(|| {
        let float = number.as_f64().filter(|f| f.fract().abs() < f64::EPSILON && *f >= 0.0)?;
        format!("{float:.0}").parse().ok()
    })?;
    usize::try_from(whole).ok()
}
