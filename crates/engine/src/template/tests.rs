//! Expressions and templates, by what they say.

use serde_json::{Value, json};

use super::*;

mod conformance;
mod hostile;

/// A scope made of one JSON object: its members are the roots, `steps` the steps.
struct World(Value);

impl Scope for World {
    fn root(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.0.get(name).map(Cow::Borrowed)
    }
    fn output(&self, step: &str) -> Option<Cow<'_, Value>> {
        self.0.get("steps")?.get(step).map(|step| Cow::Borrowed(&step["output"]))
    }
    fn step(&self, step: &str) -> Option<Value> {
        self.0.get("steps")?.get(step).cloned()
    }
}

fn world() -> World {
    World(json!({
        "input": {
            "brand": "Aoi", "count": 3, "ratio": 0.5, "tags": ["tea", "spring"],
            "nested": {"a": {"b": [10, 20]}}, "odd key": 1, "nothing": null,
        },
        "steps": {
            "draft": {"output": {"title": "春の茶", "score": 7, "body": "…"}, "status": "succeeded",
                      "failure": null},
            "later": {"output": null, "status": "pending", "failure": null},
        },
        "item": {"name": "x"}, "index": 2, "loop": {"index": 1},
        "run": {"id": "run_1"},
    }))
}

fn eval(text: &str) -> Value {
    Expression::parse(text).unwrap().eval(&world()).unwrap()
}

fn fault(text: &str) -> String {
    Expression::parse(text).unwrap().eval(&world()).unwrap_err().message
}

fn parse_fault(text: &str) -> String {
    Expression::parse(text).unwrap_err().message
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "reads better where it is called")]
fn check(text: &str, expected: Value) {
    assert_eq!(eval(text), expected, "{text}");
}

#[test]
fn paths_lead_into_values() {
    check("input.brand", json!("Aoi"));
    check("input['odd key']", json!(1));
    check("input.nested.a.b[1]", json!(20));
    check("steps.draft.output.title", json!("春の茶"));
    check("steps.draft.status", json!("succeeded"));
    check("steps.later.output", json!(null));
    check("item", json!({"name": "x"}));
    check("loop.index + index", json!(3));
    check("input.nested.a.b[input.count - 2]", json!(20));
}

#[test]
fn a_wrong_path_says_what_is_there() {
    assert_eq!(
        fault("steps.draft.output.titel"),
        "no key `titel`; there is title, score, body; did you mean `title`?"
    );
    assert_eq!(fault("steps.later.output.title"), "no `title` in null");
    assert_eq!(fault("steps.nobody.output"), "step `nobody` is not visible here");
    assert_eq!(fault("elsewhere"), "`elsewhere` does not exist here");
    assert_eq!(fault("input.tags[5]"), "no element 5 in a list of 2");
    assert_eq!(fault("input.brand.x"), "no `x` in a string");
    // The general evaluator says the same as the fast path.
    assert!(fault("(steps.draft).output.titel").starts_with("no key `titel`; there is"));
}

#[test]
fn a_plain_path_is_recognised_and_borrows() {
    let world = world();
    for text in ["input.brand", "steps.draft.output.title", "item", "input.tags[0]"] {
        let expression = Expression::parse(text).unwrap();
        assert!(expression.path.is_some(), "{text}");
        assert!(matches!(expression.lend(&world).unwrap(), Cow::Borrowed(_)), "{text}");
    }
    assert!(Expression::parse("input.count + 1").unwrap().path.is_none());
    assert!(Expression::parse("input.tags[index]").unwrap().path.is_none());
}

#[test]
fn operators_have_their_precedence() {
    check("1 + 2 * 3 - 4 / 2", json!(5));
    check("-2 + 7 % 4", json!(1));
    check("!(1 == 1) || 2 > 1 && 'a' < 'b'", json!(true));
    check("1 < 2 ? 'yes' : 3 < 4 ? 'no' : 'never'", json!("yes"));
    check("false ? 1 : false ? 2 : 3", json!(3));
    check("1 + 0.5", json!(1.5));
    check("2 == 2.0 && 1 < 1.5", json!(true));
    check("'tea' in input.tags && 'brand' in input", json!(true));
    check("[1, 2] + [3]", json!([1, 2, 3]));
    check("'a' + \"b\" + r'\\n' + '\\n' + '\\u3042'", json!("ab\\n\nあ"));
    check("{'a': 1, 'b': [true, null]}", json!({"a": 1, "b": [true, null]}));
    check("!!true", json!(true));
    check("--3", json!(3));
    check("0xFF + 1e2 // the rest is a comment", json!(355.0));
}

#[test]
fn a_part_that_cannot_be_evaluated_does_not_matter_when_another_decides() {
    check("input.missing == 1 || true", json!(true));
    check("false && input.missing", json!(false));
    assert!(fault("input.missing || false").starts_with("no key `missing`"));
    assert_eq!(fault("1 && true"), "expected true or false, found a number");
}

#[test]
fn comprehensions_walk_lists_and_keys() {
    check("input.tags.map(t, t.upper())", json!(["TEA", "SPRING"]));
    check("[1, 2, 3, 4].filter(n, n % 2 == 0)", json!([2, 4]));
    check("[1, 2, 3].map(n, n > 1, n * 10)", json!([20, 30]));
    check("[1, 2].all(n, n > 0) && [1, 2].exists(n, n == 2)", json!(true));
    check("[1, 2, 2].exists_one(n, n == 2)", json!(false));
    check("{'a': 1, 'b': 2}.map(k, k)", json!(["a", "b"]));
    check("[1, 2].map(a, [10, 20].map(b, a * b))", json!([[10, 20], [20, 40]]));
    check("[].all(x, x.missing)", json!(true));
    check("[1, {'a': 1}].exists(x, x.a == 1)", json!(true));
    // A variable hides a root of the same name, and only inside.
    check("[1].map(item, item)[0] == 1 && item.name == 'x'", json!(true));
}

#[test]
fn absence_can_be_asked_about() {
    check("has(input.brand)", json!(true));
    check("has(input.missing)", json!(false));
    check("has(steps.later.output.title)", json!(false));
    check("default(input.missing, 'x')", json!("x"));
    check("default(input.nothing, 'x')", json!("x"));
    check("coalesce(steps.later.output.title, input.missing, 3)", json!(3));
    check("coalesce(input.missing)", json!(null));
}

#[test]
fn functions_do_what_they_are_called() {
    check("size('春の茶') + size(input.tags) + size(input)", json!(12));
    check("join(input.tags, ', ') + input.tags.join()", json!("tea, springteaspring"));
    check("'A-b'.lower() + upper('c') + ' x '.trim()", json!("a-bCx"));
    check("'a,b'.split(',') + split('春茶', '')", json!(["a", "b", "春", "茶"]));
    check("'banana'.replace('an', 'o')", json!("booa"));
    check("truncate('春の新しいお茶', 4) + truncate('ab', 4)", json!("春の新…ab"));
    check("'abc'.contains('b') && 'abc'.startsWith('a') && 'abc'.endsWith('c')", json!(true));
    check("'a1'.matches('^[a-z][0-9]$') && matches('x', input.brand) == false", json!(true));
    check(
        "[round(2.5), round(2.345, 2), floor(-1.5), ceil(1.2), abs(-3)]",
        json!([3, 2.35, -2, 2, 3]),
    );
    check("[min(3, 1.5), max([1, 9, 4]), sum([1, 2, 3]), sum([1, 0.5])]", json!([1.5, 9, 6, 1.5]));
    check("average([1, 2])", json!(1.5));
    check(
        "[int('7'), int(2.9), double('1.5'), string(3), string(null), bool('true')]",
        json!([7, 2, 1.5, "3", "", true]),
    );
    check(
        "[type(1), type(1.5), type('a'), type([]), type({}), type(null), type(true)]",
        json!(["int", "double", "string", "list", "map", "null_type", "bool"]),
    );
    check("slice([1, 2, 3, 4], 1, 3) + slice([5, 6], -1)", json!([2, 3, 6]));
    check("'春の茶会'.substring(1, 3)", json!("の茶"));
    check("[first([1, 2]), last([1, 2]), first([])]", json!([1, 2, null]));
    check("reverse([1, 2]) + sort([3, 1, 2]) + distinct([1, 1, 2])", json!([2, 1, 1, 2, 3, 1, 2]));
    check("sort_by([{'n': 2}, {'n': 1}], 'n')", json!([{"n": 1}, {"n": 2}]));
    check("flatten([[1], 2, [[3]]]) + range(2)", json!([1, 2, [3], 0, 1]));
    check("index_of('春の茶', '茶') + [5, 6].index_of(6) + index_of([], 1)", json!(2));
    check("keys({'a': 1}) + values({'a': 1})", json!(["a", 1]));
    check("merge({'a': 1, 'b': 1}, {'b': 2})", json!({"a": 1, "b": 2}));
    check("json({'a': [1]}) + string(parse_json('[1, 2]')[1])", json!("{\"a\":[1]}2"));
    check("duration('1m30s')", json!(90_000));
}

#[test]
fn wrong_expressions_say_where() {
    let fault = Expression::parse("input.a +").unwrap_err();
    assert_eq!(fault.message, "expected a value, found the end of the expression");
    assert_eq!(fault.offset, 9);
    let fault = Expression::parse("'春' + §").unwrap_err();
    assert_eq!((fault.message.as_str(), fault.offset), ("unexpected `§`", 6));
    assert_eq!(
        parse_fault("a = 1"),
        "expected an operator or the end, found `=` (CEL compares with `==`)"
    );
    assert_eq!(parse_fault("uper('x')"), "no function `uper`; did you mean `upper`?");
    assert_eq!(parse_fault("size()"), "size() takes 1 arguments, given 0");
    assert_eq!(parse_fault("has(input)"), "has() takes a path, as in `has(input.title)`");
    assert_eq!(parse_fault("'open"), "a text that never ends: its quote is missing");
    assert_eq!(parse_fault("9223372036854775808"), "whole number out of range");
    assert!(parse_fault("'a'.matches('(')").starts_with("not a usable pattern"));
    assert_eq!(parse_fault(""), "expected a value, found the end of the expression");
    assert_eq!(parse_fault("b'x'"), "byte strings are not supported; write a text");
}

#[test]
fn arithmetic_never_wraps_or_leaves_json() {
    assert_eq!(
        fault("9223372036854775807 + 1"),
        "`9223372036854775807 + 1` does not fit into 64 bits"
    );
    assert_eq!(fault("1 / 0"), "division by zero");
    assert_eq!(fault("1 % 0"), "division by zero");
    assert_eq!(fault("1.0 / 0.0"), "the number is too large or not a number");
    assert_eq!(fault("'a' - 1"), "`-` does not work between a string and a number");
    assert_eq!(fault("-'a'"), "`-` does not work on a string");
}

#[test]
fn references_are_exact() {
    let references = |text: &str| -> Vec<String> {
        let expression = Expression::parse(text).unwrap();
        expression.references().iter().map(|reference| reference.join(".")).collect()
    };
    assert_eq!(references("input.a.b[0]['c'].upper().d"), ["input.a.b.0.c"]);
    assert_eq!(references("steps.a.output[input.k].x"), ["input.k", "steps.a.output"]);
    assert_eq!(references("[1].map(x, x.y + item.z)"), ["item.z"]);
    assert_eq!(references("has(input.q) ? steps.b : 'steps.c'"), ["input.q", "steps.b"]);
    assert_eq!(
        references("input.list.filter(input, input.a).map(e, steps.s)"),
        ["steps.s", "input.list"]
    );
    assert_eq!(references("1 + 2"), Vec::<String>::new());
}

fn render(text: &str) -> Value {
    Template::parse(text).unwrap().render(&world()).unwrap()
}

#[test]
fn a_single_expression_keeps_its_type() {
    assert_eq!(render("{{ input.tags }}"), json!(["tea", "spring"]));
    assert_eq!(render("  {{ input.count }}\n"), json!(3));
    assert_eq!(render("{{ {'a': {'b': 1}} }}"), json!({"a": {"b": 1}}));
    assert_eq!(render("{{ '}}' }}"), json!("}}"));
    assert_eq!(render(""), json!(""));
}

#[test]
fn mixed_text_is_text() {
    assert_eq!(render("{{ input.brand }}: {{ input.count }}"), json!("Aoi: 3"));
    assert_eq!(
        render("a{{ input.nothing }}b {{ input.tags }} {{ true }}"),
        json!("ab [\"tea\",\"spring\"] true")
    );
    assert_eq!(render("春 {{ steps.draft.output.title }} 茶"), json!("春 春の茶 茶"));
    assert_eq!(render("\\{{ not this }} but {{ input.brand }}"), json!("{{ not this }} but Aoi"));
    assert_eq!(render("single } and { brace"), json!("single } and { brace"));
}

#[test]
fn an_unclosed_expression_is_a_fault_where_it_opens() {
    let fault = Template::parse("春: {{ input.a ").unwrap_err();
    assert_eq!((fault.message.as_str(), fault.offset), ("`{{` without its `}}`", 3));
    let fault = Template::parse("ab {{ 1 + }}").unwrap_err();
    assert_eq!(fault.offset, 9);
    assert!(Template::parse("{{ }}").is_err());
}

#[test]
fn what_an_agent_wrote_is_data_and_never_evaluated() {
    let hostile = World(json!({"steps": {"a": {"output": "{{ input.secret }} ${x} {% y %}"}},
        "input": {"secret": "s3cret"}}));
    let template = Template::parse("Said: {{ steps.a.output }}").unwrap();
    let text = template.render(&hostile).unwrap();
    assert_eq!(text, json!("Said: {{ input.secret }} ${x} {% y %}"));
    // Not even when one rendering goes through another.
    let mapping = Mapping::parse(&json!({"a": ["{{ steps.a.output }}"]})).unwrap();
    assert_eq!(
        mapping.render(&hostile).unwrap(),
        json!({"a": ["{{ input.secret }} ${x} {% y %}"]})
    );
}

#[test]
fn a_mapping_renders_every_text_in_it() {
    let mapping = Mapping::parse(&json!({
        "brand": "{{ input.brand }}", "n": 3, "fixed": "as it is", "escaped": "\\{{x}}",
        "list": [{"deep": "<{{ item.name }}>"}, null, true],
    }));
    assert_eq!(
        mapping.unwrap().render(&world()).unwrap(),
        json!({
            "brand": "Aoi", "n": 3, "fixed": "as it is", "escaped": "{{x}}",
            "list": [{"deep": "<x>"}, null, true],
        })
    );
    let (pointer, fault) = Mapping::parse(&json!({"a/b": [1, "{{ ! }}"]})).unwrap_err();
    assert_eq!((pointer.as_str(), fault.offset), ("/a~1b/1", 4));
}

#[test]
fn a_condition_is_true_or_false_or_a_fault() {
    let holds = |text: &str| Expression::parse(text).unwrap().holds(&world());
    assert_eq!(holds("input.count > 2"), Ok(true));
    assert_eq!(holds("false"), Ok(false));
    assert_eq!(
        holds("input.count").unwrap_err().to_string(),
        "`input.count`: expected true or false, found a number"
    );
}

/// What most steps do: a mapping of a few paths. It has to disappear beside everything else.
#[test]
#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "the claim is about time"
)]
fn a_plain_path_costs_well_under_a_microsecond() {
    const ROUNDS: u32 = 10_000;
    let world = world();
    // The quickest of ten batches: what the machine does beside is not what is measured.
    let time = |what: &str, run: &dyn Fn()| {
        let batches = (0..10).map(|_| {
            let started = std::time::Instant::now();
            (0..ROUNDS).for_each(|_| run());
            started.elapsed().as_nanos() as f64 / f64::from(ROUNDS)
        });
        let ns = batches.fold(f64::MAX, f64::min);
        println!("{what}: {ns:.0} ns");
        ns
    };
    let path = Expression::parse("steps.draft.output.title").unwrap();
    let template = Template::parse("{{ steps.draft.output.title }}").unwrap();
    let text = Template::parse("About {{ steps.draft.output.title }}").unwrap();
    let condition = Expression::parse("steps.draft.output.score >= 7 && input.count < 5").unwrap();
    let fastest = time("path", &|| drop(path.eval(&world)));
    time("template of one path", &|| drop(template.render(&world)));
    time("text", &|| drop(text.render(&world)));
    time("condition", &|| drop(condition.holds(&world)));
    let limit_ns = if cfg!(debug_assertions) { 50_000.0 } else { 1_000.0 };
    assert!(fastest < limit_ns, "{fastest}");
}
