//! Programs that would bring a server down: each ends within its limits and hurts nobody. The
//! first ones are those that got past the limits inside the engines when they were measured.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

#[path = "support/support.rs"]
mod support;

use serde_json::{Value, json};
use showrunner_sandbox::{Denied, Fault, Job, Limits, Pool, PoolOptions, Unattended};
use support::{function, options, render};

/// What never comes to an end, or takes what is not its own.
const SCRIPTS: &[&str] = &[
    // Native code that the engine's interrupt never reaches.
    "'a'.repeat(2e5).indexOf('a'.repeat(1e5) + 'b')",
    "'a'.repeat(2e5).split('a'.repeat(1e5) + 'b')",
    "'a'.repeat(2e6).includes('a'.repeat(1e6) + 'b')",
    "Array.prototype.reverse.call({ length: 2 ** 40 })",
    "Array.prototype.splice.call({ length: 2 ** 40 }, 0, 1)",
    "Array.prototype.unshift.call({ length: 2 ** 40 }, 1)",
    "Array.prototype.copyWithin.call({ length: 2 ** 40 }, 1, 2)",
    "(() => { const a = []; a.length = 4294967295; a.sort() })()",
    "new Array(4e8).join('x')",
    "(3n ** 600000n).toString()",
    "(3n ** 6000000n).toString()",
    "'a'.repeat(3e5).lastIndexOf('a'.repeat(1e5) + 'b' + 'a'.repeat(1e5))",
    "'a'.repeat(3e5).replaceAll('a'.repeat(1e5) + 'b', '')",
    "Array.prototype.fill.call({ length: 2 ** 40 }, 1)",
    "Array.prototype.indexOf.call({ length: 2 ** 40 }, 1)",
    "Array.prototype.lastIndexOf.call({ length: 2 ** 40, 0: 1 }, 1)",
    "Array.prototype.includes.call({ length: 2 ** 40 }, 1)",
    "Array.prototype.toString.call(Object.assign([], { length: 4294967295 }))",
    "Array.from({ length: 2 ** 32 - 1 })",
    "new Array(1e8) + ''",
    "(2n ** 2000000n) * (2n ** 2000000n) % (3n ** 500000n) ** 3n",
    "BigInt('9'.repeat(1e7))",
    "JSON.stringify(new Array(1e8).fill(0))",
    "JSON.parse('[' .repeat(1e7))",
    "new Uint8Array(1e8).sort((a, b) => { for (;;); })",
    "Object.keys(new Uint8Array(5e7)).length",
    "[...'x'.repeat(5e7)].length",
    "'x'.repeat(2 ** 29).normalize('NFKD').length",
    "'abc'.repeat(1e7).localeCompare('abc'.repeat(1e7) + 'x') + 'ß'.repeat(1e8).toUpperCase()",
    "/(x+x+)+y/.test('x'.repeat(60))",
    "/^(a|a)*$/.test('a'.repeat(60) + 'b')",
    "'x'.repeat(1e6).replace(/x*y/g, '')",
    "new RegExp('(?:'.repeat(1e6))",
    // Loops, and what would catch the hand that stops them.
    "(() => { for (;;); })()",
    "(() => { for (;;) try { for (;;); } catch {} })()",
    "(() => { for (;;) try { throw 1 } finally { continue } })()",
    "(async () => { for (;;) await null })()",
    "(() => { const go = () => Promise.resolve().then(go); return go().then(() => new Promise(() => {})) })()",
    "(() => { const go = () => queueMicrotask(go); go(); return new Promise(() => {}) })()",
    "(() => { const go = () => setTimeout(go, 0); go(); return new Promise(() => {}) })()",
    "new Promise(() => setInterval(() => {}, 1))",
    "(function* () { try { for (;;) yield } finally { for (;;); } })().next() && (() => { for (;;); })()",
    "({ toString() { for (;;); } }) + ''",
    "({ toJSON() { for (;;); } })",
    "({ get a() { for (;;); } })",
    "new Proxy({}, { ownKeys() { for (;;); } })",
    "({ then() { for (;;); } })",
    "Promise.reject({ get message() { for (;;); } })",
    "[1, 2].sort(() => { for (;;); })",
    "JSON.parse('[1]', () => { for (;;); })",
    "JSON.stringify({}, () => { for (;;); }) || JSON.stringify([1], () => { for (;;); })",
    "`${{ [Symbol.toPrimitive]() { for (;;); } }}`",
    "(() => { for (;;) console.log('x'.repeat(4000)) })()",
    "(() => { class A { static { for (;;); } } })()",
    // Memory and stack.
    "(() => { const a = []; for (;;) a.push(new Array(1e6).fill(a)) })()",
    "(() => { let s = 'x'; for (;;) s += s })()",
    "(() => { const m = new Map(); for (let i = 0; ; i++) m.set(i, { i }) })()",
    "(() => { const a = []; for (;;) try { for (;;) a.push(new Uint8Array(1e7)) } catch {} })()",
    "new ArrayBuffer(2 ** 40)",
    "(() => { let o = {}; for (;;) o = { o } })()",
    "(() => { const f = () => f() + 1; return f() })()",
    "(() => { const f = () => { try { f() } finally { f() } }; f() })()",
    "(() => { let o = []; for (let i = 0; i < 1e6; i++) o = [o]; return o })()",
    "(() => { let o = []; for (let i = 0; i < 150; i++) o = [o]; return o })()",
    "'x'.repeat(2e6)",
    "(() => { const a = {}; a.a = a; return a })()",
    "Buffer.concat(new Array(1e4).fill(Buffer.alloc(1e6)))",
    "ctx.assets.saveBuffer(Buffer.alloc(5e7), { name: 'x' })",
    "(async () => { for (;;) await ctx.assets.saveBuffer(Buffer.alloc(1e6), { name: 'x' }) })()",
    "(async () => { for (;;) await ctx.require('axios').get('http://x.test').catch(() => {}) })()",
];

/// Templates that did the same.
fn templates() -> Vec<String> {
    let mut all: Vec<String> = [
        "{% set ns=namespace(s='x') %}{% for i in range(31) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s }}",
        "{{ '%2000000000d'|format(1) }}",
        "{{ range(9999)|join(big) }}",
        "{{ 'x'|indent(1000000000) }}{{ 'a\nb'|indent(1000000000, true) }}",
        "{{ big|replace('a', big) }}",
        "{{ [1]|batch(1000000000, 'x')|list }}",
        "{{ [1]|slice(1000000000, 'x')|list }}",
        "{{ range(1000000000) }}",
        "{{ 'x' * 2000000000 }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}x{% endfor %}{% endfor %}{% endfor %}",
        "{% for a in range(9999) recursive %}{{ loop(range(9999)) }}{% endfor %}",
        "{{ big|list|tojson(indent=2000000000) }}",
        "{{ (big * 1000)|replace('', big) }}",
        "{{ 9 ** 9 ** 9 ** 9 }}",
        "{% include 'template' %}",
        "{% extends 'template' %}",
        "{% import 'template' as t %}",
        "{% set x = [] %}{% for i in range(5000) %}{% set x = x ~ x %}{% endfor %}",
        "{{ range(9999)|map('string')|join(big)|upper|title|escape|urlencode }}",
        "{{ [big]*100000 }}",
        "{{ ([big]*9999)|join|sort|unique|list }}",
    ]
    .map(str::to_owned)
    .into();
    let forms = [
        ("not ", ""),
        ("- ", ""),
        ("", "|int"),
        ("", ".a"),
        ("", "+1"),
        ("", " and 1"),
        ("", "**1"),
        ("", " if 1 else 1"),
    ];
    for (before, after) in forms {
        let count = 200_000;
        all.push(format!("{{{{ {}1{} }}}}", before.repeat(count), after.repeat(count)));
        let count = 1_900;
        all.push(format!("{{{{ {}1{} }}}}", before.repeat(count), after.repeat(count)));
    }
    all.push(format!("{{{{ {}1{} }}}}", "(".repeat(900), ")".repeat(900)));
    all.push(format!("{}x{}", "{% if 1 %}".repeat(3_000), "{% endif %}".repeat(3_000)));
    all
}

/// Enough to compute something, little enough to try many.
fn tight() -> Limits {
    Limits { busy_ms: 300, wall_ms: 3_000, memory_bytes: 64 << 20, ..Limits::default() }
}

async fn add(pool: &Pool, tenant: &str) -> Value {
    let job = Job::Function(Box::new(function("export default () => 1 + 1")));
    let outcome = pool.run(tenant, &job, &Unattended(&Denied)).await;
    outcome.result.unwrap_or_else(|fault| panic!("an innocent call failed: {fault}"))
}

/// The memory of this very process, in kilobytes.
fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_exhausting_script_ends_and_the_next_call_and_the_one_beside_it_are_served() {
    let pool = Pool::new(PoolOptions { places: 2, spare: 1, ..options() });
    let before = resident_kb();
    let mut survivors = Vec::new();
    for script in SCRIPTS {
        let code = format!("export default (ctx) => {script}");
        let mut job = function(&code);
        job.limits = tight();
        let job = Job::Function(Box::new(job));
        let (outcome, beside) =
            tokio::join!(pool.run("hostile", &job, &Unattended(&Denied)), add(&pool, "innocent"));
        assert_eq!(beside, 2, "beside {script}");
        match outcome.result {
            Err(Fault::Unavailable { why }) => panic!("{script}: {why}"),
            Err(_) => {},
            Ok(value) => {
                survivors.push((script, value.to_string().chars().take(40).collect::<String>()));
            },
        }
    }
    assert_eq!(add(&pool, "after").await, 2);
    // A machine may be fast enough for a few of them; none may be told of as endless.
    assert!(survivors.len() < 4, "too many came to an end: {survivors:?}");
    let grown = resident_kb().saturating_sub(before);
    assert!(grown < 400 * 1024, "the parent took {grown} kB for it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_exhausting_template_ends_and_the_next_one_is_rendered() {
    let pool = Pool::new(PoolOptions { places: 2, spare: 1, memory_bytes: 192 << 20, ..options() });
    let context = json!({ "big": "a".repeat(60_000) });
    for source in templates() {
        let shown: String = source.chars().take(60).collect();
        let (outcome, beside) = tokio::join!(
            render(&pool, &source, context.clone(), tight()),
            render(&pool, "Hi {{ name }}", json!({"name": "Mio"}), function("").limits),
        );
        assert_eq!(beside.result.unwrap(), "Hi Mio", "beside {shown}");
        if let Ok(Value::String(text)) = &outcome.result {
            assert!(text.len() <= tight().output_bytes, "{shown}: {} bytes", text.len());
        }
        assert!(!matches!(outcome.result, Err(Fault::Unavailable { .. })), "{shown}");
    }
}

#[tokio::test]
async fn what_needs_too_much_memory_is_told_so() {
    for greedy in [
        "const a = []; for (;;) a.push(new Array(1e6).fill(a))",
        "const a = []; for (;;) a.push(new Uint8Array(1e6).fill(1))",
        "let o = {}; for (;;) o = { o }",
    ] {
        let mut job = function(&format!("export default () => {{ {greedy} }}"));
        job.limits.memory_bytes = 32 << 20;
        let outcome = support::run(job).await;
        assert_eq!(outcome.result, Err(Fault::Memory { limit_bytes: 32 << 20 }), "{greedy}");
    }
}

#[tokio::test]
async fn what_computed_too_long_is_told_so_with_what_it_wrote_before() {
    for forever in ["for (;;);", "Array.prototype.reverse.call({ length: 2 ** 40 })"] {
        let mut job =
            function(&format!("export default () => {{ console.log('began'); {forever} }}"));
        job.limits.busy_ms = 200;
        let outcome = support::run(job).await;
        assert_eq!(outcome.result, Err(Fault::Busy { limit_ms: 200 }), "{forever}");
        assert_eq!(outcome.log[0].text, "began");
    }
}
