//! The worst that an author can write ends soon, and never with the server.

use super::*;

/// Runs `work` on a stack of 2 MB, as small as any thread of the server has.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
    thread.spawn(work).unwrap().join().unwrap();
}

/// A list of `n` numbers and a text of `n` characters as input.
fn large(n: usize) -> World {
    World(json!({"input": {
        "list": (0..n).collect::<Vec<_>>(), "text": "x".repeat(n),
        "same": vec!["x".repeat(64); n / 64],
    }}))
}

/// Evaluates and says how it ended and how much work that was.
fn ended(text: &str, world: &World) -> (Result<usize, String>, u64) {
    let expression = Expression::parse(text).unwrap();
    let mut machine = Machine::new(world);
    let outcome = machine.eval(&expression.ast).map(|value| weight(&value));
    (outcome.map_err(meter::Fault::message), machine.meter.used())
}

#[test]
fn long_chains_need_no_stack() {
    on_a_small_stack(|| {
        let n = 900;
        let chains = [
            format!("{}true", "!".repeat(n)),
            format!("{}1", "-".repeat(n)),
            format!("a{}", ".a".repeat(n / 2)),
            format!("1{}", "+1".repeat(n / 2)),
            format!("1{}", "*1".repeat(n / 2)),
            format!("1{}", "<1".repeat(n / 2)),
            format!("true{}", "&&true".repeat(n / 2)),
            format!("false{}", "||false".repeat(n / 2)),
            format!("{}1", "false?0:".repeat(n / 4)),
            format!("[]{}", "+[]".repeat(n / 4)),
            format!("[[1]]{}", "[0]".repeat(n / 4)),
            format!("''{}", ".trim()".repeat(n / 5)),
            format!("[1]{}", ".map(x,x)".repeat(n / 8)),
        ];
        for text in chains {
            let expression =
                Expression::parse(&text).unwrap_or_else(|fault| panic!("{text}: {fault:?}"));
            // Whatever it says, it comes back.
            let _outcome = expression.eval(&world());
        }
    });
}

#[test]
fn nesting_is_refused_before_it_costs_stack() {
    on_a_small_stack(|| {
        for (open, close) in [("[", "]"), ("(", ")"), ("{'a':", "}"), ("size(", ")"), ("a[", "]")] {
            for n in [40, 400, 2_000] {
                let text = format!("{}1{}", open.repeat(n), close.repeat(n));
                let fault = Expression::parse(&text).unwrap_err();
                let is_limit = fault.message.contains("deeper") || fault.message.contains("longer");
                assert!(is_limit, "{}", fault.message);
            }
            // The deepest that is allowed works.
            let text = format!("{}1{}", open.repeat(31), close.repeat(31));
            let _outcome = Expression::parse(&text).unwrap().eval(&world());
        }
        // Nesting without brackets: the middle of a ternary.
        let text = format!("{}1{}", "true?".repeat(100), ":0".repeat(100));
        assert!(Expression::parse(&text).unwrap_err().message.contains("deeper"));
    });
}

#[test]
fn length_is_refused() {
    assert!(parse_fault(&"1+".repeat(600)).contains("longer than 1000 words"));
    assert!(parse_fault(&" ".repeat(5_000)).contains("longer than 4096 bytes"));
    assert!(Template::parse(&"{{ 1 }}".repeat(201)).unwrap_err().message.contains("200"));
    assert!(Template::parse(&"x".repeat(70_000)).unwrap_err().message.contains("longer"));
}

#[test]
fn comprehensions_nest_twice_at_most() {
    assert!(parse_fault("[1].map(a, [1].map(b, [1].map(c, c)))").contains("nested deeper than 2"));
    // One after another is no nesting.
    check("[1].map(a, a).map(b, b).map(c, c).map(d, d)", json!([1]));
}

#[test]
fn work_has_an_end() {
    let world = large(100_000);
    for text in [
        "input.list.map(a, input.list.map(b, a * b))",
        "input.list.all(a, input.list.all(b, a != b || a == b))",
        "input.list.filter(a, input.list.exists(b, b == -1))",
        "input.list.filter(a, a in input.list && false)",
        "distinct(input.list)",
        "input.list.map(a, input.text + 'x')",
        "input.list.map(a, size(input.text))",
        "input.list.map(a, sort(input.list))",
        "input.list.map(a, input.text.matches('(x+x+)+y'))",
        "input.same.map(a, matches(input.text, a))",
        "input.list.map(a, range(10000))",
        "input.list.map(a, json(input.list))",
        "input.list.map(a, input.text.contains('xxxxxxxxxxxxxy'))",
        "input.list.map(a, input.list == input.list)",
    ] {
        let (outcome, used) = ended(text, &world);
        let message = outcome.unwrap_err();
        assert!(
            message.contains("too much work") || message.contains("larger than"),
            "{text}: {message}"
        );
        assert!(used <= 1_000_000, "{text}: {used}");
    }
}

#[test]
fn values_do_not_explode() {
    let world = large(1_000);
    let doubling = format!("[input.text]{}[0]", ".map(x, x + x)".repeat(40));
    let lists = format!("[input.list]{}[0]", ".map(x, x + x)".repeat(40));
    let nested = format!("[input.list]{}", ".map(x, [x, x, x])".repeat(30));
    let replaced = "input.text.replace('x', input.text).replace('x', input.text)";
    let split = "input.text.replace('x', input.text).split('').map(c, c + c)";
    let joined = "range(10000).map(n, input.text).join(input.text)";
    let merged = format!("{{'a': input.list}}{}", ".merge({'b': input.list})".repeat(90));
    for text in [&doubling, &lists, &nested, replaced, split, joined] {
        let (outcome, _) = ended(text, &world);
        let message = outcome.unwrap_err();
        assert!(
            message.contains("larger than") || message.contains("too much"),
            "{text}: {message}"
        );
    }
    // Growing only a little is allowed.
    assert!(ended(&merged, &world).0.is_ok());
}

#[test]
fn a_result_is_limited_in_size_and_depth() {
    let world = large(100_000);
    let expression = Expression::parse("input.list").unwrap();
    assert!(expression.eval(&world).unwrap_err().message.contains("larger than 1048576"));
    let deep = World(json!({"input": (0..100).fold(json!(1), |inner, _| json!([inner]))}));
    let fault = Expression::parse("input").unwrap().eval(&deep).unwrap_err();
    assert!(fault.message.contains("nested deeper"));
    // Many that are allowed alone are refused together.
    let half = World(json!({"input": "x".repeat(600_000)}));
    let mapping = Mapping::parse(&json!(["{{ input }}", "{{ input }}"])).unwrap();
    assert!(mapping.render(&half).unwrap_err().message.contains("larger"));
    let text = Template::parse("a {{ input }}").unwrap();
    assert!(text.render(&half).unwrap_err().message.contains("longer than 262144"));
    let quarter = World(json!({"input": "x".repeat(200_000)}));
    let text = Template::parse("{{ input }}{{ input }}").unwrap();
    assert!(text.render(&quarter).unwrap_err().message.contains("longer than 262144"));
}

#[test]
fn a_large_pattern_is_refused() {
    assert!(parse_fault("'x'.matches('((a{1000}){1000}){1000}')").contains("not a usable pattern"));
    assert!(
        parse_fault(&format!("'x'.matches('{}')", "a".repeat(600))).contains("longer than 512")
    );
    assert!(fault("'x'.matches('((a{1000}){1000}){1' + '000}')").contains("not a usable pattern"));
}

/// The generous wall clock behind the counted work: all of the worst together.
#[test]
#[expect(clippy::disallowed_methods, reason = "the claim is about time")]
fn the_worst_ends_within_seconds() {
    let started = std::time::Instant::now();
    work_has_an_end();
    values_do_not_explode();
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn random_text_never_panics() {
    use proptest::prelude::*;
    let alphabet = proptest::sample::select(vec![
        "input", "steps", ".", "[", "]", "(", ")", "{", "}", "{{", "}}", "'", "\"", "\\", "1",
        "0.5", "e9", "+", "-", "!", "?", ":", ",", "&&", "||", "==", "in", "map", "x", " ", "春",
        "\u{0}", "has", "default", "r'", "0x", "null", "matches", "\\u12", "//", "\n",
    ]);
    let words = proptest::collection::vec(alphabet, 0..60).prop_map(|words| words.concat());
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    runner
        .run(&words, |text| {
            if let Ok(expression) = Expression::parse(&text) {
                let _outcome = expression.eval(&world());
            }
            if let Ok(template) = Template::parse(&text) {
                let _outcome = template.render(&world());
            }
            Ok(())
        })
        .unwrap();
}
