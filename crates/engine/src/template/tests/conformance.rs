//! The meaning of CEL is not ours to invent: on everything where JSON and CEL agree on types, the
//! `cel` crate and we say the same.

use cel::{Context, Program};

use super::*;

/// Left out, because we differ on purpose: numbers of mixed kinds, `has` on null, division of
/// doubles by zero, names of types.
const CORPUS: [&str; 76] = [
    "1 + 2 * 3",
    "7 / 2",
    "-7 / 2",
    "7 % 3",
    "-7 % 3",
    "1.5 * 2.0",
    "10 - 3 - 2",
    "2 * 3 % 4",
    "0x1F",
    "1e3",
    "-1",
    "--1",
    "!true",
    "!!false",
    "1 < 2",
    "2 <= 2",
    "'a' < 'b'",
    "'b' >= 'a'",
    "1 == 1",
    "1 != 2",
    "'a' == 'a'",
    "[1, 2] == [1, 2]",
    "[1, 2] == [2, 1]",
    "{'a': 1} == {'a': 1}",
    "null == null",
    "true && false",
    "true || false",
    "false || true",
    "true ? 1 : 2",
    "false ? 1 : true ? 2 : 3",
    "1 in [1, 2]",
    "3 in [1, 2]",
    "'a' in {'a': 1}",
    "'b' in {'a': 1}",
    "[1] + [2, 3]",
    "'a' + 'b'",
    "'\\n\\t\\\\'",
    "r'\\n'",
    "'\\u3042'",
    "'''a'b'''",
    "\"it's\"",
    "size('abc')",
    "size([1, 2, 3])",
    "size({'a': 1})",
    "'abc'.size()",
    "'abc'.contains('b')",
    "'abc'.startsWith('ab')",
    "'abc'.endsWith('bc')",
    "'abc'.matches('a.c')",
    "'abc'.matches('^b')",
    "[1, 2, 3].map(x, x * 2)",
    "[1, 2, 3].filter(x, x > 1)",
    "[1, 2, 3].all(x, x > 0)",
    "[1, 2, 3].exists(x, x > 2)",
    "[1, 2, 3].exists_one(x, x > 2)",
    "[1, 2, 3].map(x, x > 1, x + 1)",
    "[].all(x, false)",
    "[].exists(x, true)",
    "[[1], [2, 3]].map(l, size(l))",
    "[1, 2].map(x, [3, 4].map(y, x * y))",
    "{'a': {'b': 2}}.a.b",
    "{'a': [1, 2]}['a'][1]",
    "has({'a': 1}.a)",
    "has({'a': 1}.b)",
    "int(2.7)",
    "int('42')",
    "double(2)",
    "string(12)",
    "string(true)",
    "int(-2.7)",
    "input.brand + '!'",
    "input.tags[0]",
    "input.nested.a.b[1]",
    "input.tags.map(t, t + t)",
    "input.brand == 'Aoi' ? input.tags : []",
    "'tea' in input.tags",
];

/// What both refuse.
const REFUSED: [&str; 16] = [
    "1 +",
    "(1",
    "[1",
    "{'a' 1}",
    "a b",
    "1 ? 2",
    "'open",
    "1 / 0",
    "1 % 0",
    "'a' - 'b'",
    "9223372036854775807 + 1",
    "input.missing",
    "input.tags[9]",
    "missing",
    "nofunction(1)",
    "!1",
];

fn theirs(text: &str) -> Result<Value, String> {
    let program = Program::compile(text).map_err(|error| error.to_string())?;
    let world = world();
    let mut context = Context::default();
    context.add_variable("input", &world.0["input"]).map_err(|error| error.to_string())?;
    let value = program.execute(&context).map_err(|error| error.to_string())?;
    value.json().map_err(|error| error.to_string())
}

#[test]
fn we_agree_with_the_cel_crate() {
    for text in CORPUS {
        let theirs = theirs(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let same = operate::equal(&mut meter::Meter::new(), &eval(text), &theirs).unwrap();
        assert!(same, "{text}: ours {}, theirs {theirs}", eval(text));
    }
}

#[test]
fn we_refuse_what_the_cel_crate_refuses() {
    for text in REFUSED {
        assert!(theirs(text).is_err(), "{text} is accepted by the crate");
        let ours = Expression::parse(text).map(|expression| expression.eval(&world()));
        assert!(!matches!(ours, Ok(Ok(_))), "{text} is accepted by us");
    }
}

/// Why the crate is a reference and not the evaluator: nothing stops it.
#[test]
fn the_crate_counts_nothing() {
    let text = format!("['0123456789']{}[0]", ".map(x, x + x)".repeat(16));
    let doubled = theirs(&text).unwrap();
    assert_eq!(doubled.as_str().unwrap().len(), 10 << 16);
}
