//! What an author's function is promised: what it is handed, what it may ask for, and what is
//! said when it goes wrong. Every one runs in a process of its own.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

#[path = "support/support.rs"]
mod support;

use serde_json::{Value, json};
use showrunner_sandbox::{Bytes, Fault, FetchAnswer, FetchFailure, Function, Level};
use support::{Books, function, pool, run, run_with};

async fn value(code: &str) -> Value {
    run(function(code)).await.result.unwrap_or_else(|fault| panic!("{fault}"))
}

#[tokio::test]
async fn a_function_is_a_default_export_a_run_or_a_node_module() {
    let forms = [
        "export default async function (ctx) { return ctx.input.n + 1 }",
        "export default (ctx) => ctx.input.n + 1",
        "export async function run(ctx) { return ctx.input.n + 1 }",
        "const add = (n) => n + 1; export const run = ({ input }) => add(input.n);",
        "module.exports = async (ctx) => ctx.input.n + 1",
        "exports.run = async (ctx) => ctx.input.n + 1",
        "module.exports = async (input, ctx) => input.n + 1 + ctx.settings.zero",
    ];
    for form in forms {
        let job =
            Function { input: json!({"n": 6}), settings: json!({"zero": 0}), ..function(form) };
        assert_eq!(run(job).await.result.unwrap(), 7, "{form}");
    }
    let fault = run(function("const x = 1;")).await.result.unwrap_err();
    assert!(fault.to_string().contains("export default async function"), "{fault}");
}

#[tokio::test]
async fn what_is_around_it_is_there() {
    let job = Function {
        settings: json!({"style": "flat"}),
        feedback: json!("shorter"),
        env: [("API_KEY".to_owned(), "k-1".to_owned())].into(),
        ..function(
            "export default (ctx) => ({ style: ctx.settings.style, feedback: ctx.feedback,
               key: ctx.env.API_KEY, same: process.env.API_KEY, path: process.env.PATH ?? null })",
        )
    };
    let expected =
        json!({"style": "flat", "feedback": "shorter", "key": "k-1", "same": "k-1", "path": null});
    assert_eq!(run(job).await.result.unwrap(), expected);
}

#[tokio::test]
async fn bytes_and_digests_are_as_in_node() {
    let told = value(
        "export default (ctx) => {
          const crypto = ctx.require('crypto');
          const b = Buffer.from('héllo, 世界');
          return {
            utf8: b.toString(), length: b.length, hex: Buffer.from('hi').toString('hex'),
            base64: b.toString('base64'), back: Buffer.from(b.toString('base64'), 'base64').toString('utf8'),
            from_hex: Buffer.from('6869', 'hex').toString(), url: Buffer.from([251, 255]).toString('base64url'),
            joined: Buffer.concat([Buffer.from('a'), Buffer.from('bc')]).toString(),
            is: Buffer.isBuffer(b), part: b.slice(0, 1).toString(),
            encoded: [...new TextEncoder().encode('é')], decoded: new TextDecoder().decode(new Uint8Array([0xe4, 0xb8, 0x96])),
            md5: crypto.createHash('md5').update('abc').digest('hex'),
            sha1: crypto.createHash('sha1').update('a').update('bc').digest('hex'),
            sha256: crypto.createHash('sha256').update(Buffer.from('abc')).digest('base64'),
            sha512: crypto.createHash('sha512').update('abc').digest('hex').slice(0, 16),
            hmac: crypto.createHmac('sha256', 'key').update('The quick brown fox jumps over the lazy dog').digest('hex'),
            same: crypto.timingSafeEqual(Buffer.from('x'), Buffer.from('x')), differs: crypto.timingSafeEqual(Buffer.from('x'), Buffer.from('y')),
            uuid: /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID()),
            atob: atob(btoa('xÿ')).charCodeAt(1),
          };
        }",
    )
    .await;
    // Digests: RFC 1321 A.5, FIPS 180-4 examples; keyed: Wikipedia's HMAC example, as widely tested.
    let expected = json!({
        "utf8": "héllo, 世界", "length": 14, "hex": "6869", "base64": "aMOpbGxvLCDkuJbnlYw=",
        "back": "héllo, 世界", "from_hex": "hi", "url": "-_8", "joined": "abc", "is": true, "part": "h",
        "encoded": [195, 169], "decoded": "世",
        "md5": "900150983cd24fb0d6963f7d28e17f72",
        "sha1": "a9993e364706816aba3e25717850c26c9cd0d89d",
        "sha256": "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
        "sha512": "ddaf35a193617aba",
        "hmac": "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8",
        "same": true, "differs": false, "uuid": true, "atob": 255,
    });
    assert_eq!(told, expected);
}

#[tokio::test]
async fn addresses_are_read_as_the_standard_says() {
    let told = value(
        "export default (ctx) => {
          const { URL: Same } = ctx.require('url');
          const u = new URL('../a b?x=1&y=2#z', 'https://user:pw@Example.com:8443/deep/path');
          u.searchParams.append('q', 'ä &'); u.searchParams.delete('x'); u.port = '443';
          const p = new URLSearchParams({ a: '1', b: 'two words' }); p.append('a', '2');
          let bad = ''; try { new URL('no url') } catch (e) { bad = e.code }
          return { href: u.href, host: u.host, path: u.pathname, user: u.username, origin: u.origin,
            params: p.toString(), all: p.getAll('a'), list: [...p].length, bad, same: Same === URL, can: URL.canParse('x') };
        }",
    )
    .await;
    let expected = json!({
        "href": "https://user:pw@example.com/a%20b?y=2&q=%C3%A4+%26#z", "host": "example.com",
        "path": "/a%20b", "user": "user", "origin": "https://example.com",
        "params": "a=1&b=two+words&a=2", "all": ["1", "2"], "list": 3, "bad": "ERR_INVALID_URL",
        "same": true, "can": false,
    });
    assert_eq!(told, expected);
}

#[tokio::test]
async fn only_three_modules_can_be_required_under_any_name() {
    for name in [
        "fs",
        "child_process",
        "net",
        "http",
        "https",
        "os",
        "vm",
        "worker_threads",
        "node:fs",
        "../axios",
        "axios/lib",
        "",
        "constructor",
        "__proto__",
        "toString",
        "hasOwnProperty",
        "process",
        "module",
        "std",
        "./url.js",
        "AXIOS",
        "node:vm",
    ] {
        let code = format!("export default (ctx) => ctx.require({})", json!(name));
        let fault = run(function(&code)).await.result.unwrap_err();
        assert!(fault.to_string().contains("axios, crypto, url"), "{name}: {fault}");
    }
    let known = "export default (ctx) => ['axios', 'crypto', 'url', 'node:crypto'].map((m) => typeof ctx.require(m))";
    assert_eq!(value(known).await, json!(["function", "object", "object", "object"]));
}

#[tokio::test]
async fn lines_are_told_with_how_loud_they_are_even_when_it_fails() {
    let code = "export default (ctx) => { ctx.log('one', { a: 1 }); console.warn('two'); ctx.log.error(new Error('three').message); throw new Error('end') }";
    let outcome = run(function(code)).await;
    let told: Vec<(Level, &str)> =
        outcome.log.iter().map(|line| (line.level, line.text.as_str())).collect();
    let expected = [(Level::Info, "one {\"a\":1}"), (Level::Warn, "two"), (Level::Error, "three")];
    assert_eq!(told, expected);
    let flood = "export default () => { for (let i = 0; i < 1e5; i++) console.log('x'.repeat(100)); return 1 }";
    let outcome = run(function(flood)).await;
    assert_eq!(outcome.result.unwrap(), 1);
    assert!(outcome.log.len() <= 1_000);
    assert!(outcome.log.last().unwrap().text.contains("dropped"));
}

#[tokio::test]
async fn requests_go_where_the_server_lets_them_one_after_another() {
    let books = Books::answering(|no, request| {
        let body = json!({"no": no, "echo": String::from_utf8_lossy(&request.body.clone().unwrap_or_default().0)});
        Ok(FetchAnswer {
            status: if request.url.ends_with("missing") { 404 } else { 200 },
            headers: vec![("content-type".into(), "application/json".into())],
            body: Bytes(body.to_string().into_bytes()),
            took_ms: 40,
        })
    });
    let code = "export default async (ctx) => {
      const axios = ctx.require('axios');
      const api = axios.create({ baseURL: 'https://api.test/v1/', headers: { 'X-Key': 'k' } });
      const began = Date.now();
      const [a, b] = await Promise.all([api.post('items', { n: 1 }), axios.get('https://api.test/x', { params: { q: 'a b' } })]);
      let status; try { await axios.get('https://api.test/missing') } catch (e) { status = [e.response.status, e.code, axios.isAxiosError(e), e.response.data.no] }
      const raw = await axios.get('https://api.test/raw', { responseType: 'arraybuffer' });
      return { a: a.data, b: b.data.no, status, bytes: Buffer.isBuffer(raw.data), took: Date.now() - began };
    }";
    let outcome = run_with(&pool(), function(code), &books).await;
    let expected = json!({
        "a": {"no": 0, "echo": "{\"n\":1}"}, "b": 1,
        "status": [404, "ERR_BAD_REQUEST", true, 2], "bytes": true, "took": 160,
    });
    assert_eq!(outcome.result.unwrap(), expected);
    let asked = books.asked();
    let lines: Vec<String> = asked.iter().map(|r| format!("{} {}", r.method, r.url)).collect();
    assert_eq!(
        lines,
        [
            "POST https://api.test/v1/items",
            "GET https://api.test/x?q=a+b",
            "GET https://api.test/missing",
            "GET https://api.test/raw",
        ]
    );
    assert!(asked[0].headers.contains(&("x-key".to_owned(), "k".to_owned())));
    assert!(asked[0].headers.contains(&("content-type".to_owned(), "application/json".to_owned())));
}

#[tokio::test]
async fn a_request_that_is_not_allowed_is_an_error_that_says_so() {
    let code = "export default (ctx) => ctx.require('axios').get('http://169.254.169.254/latest')";
    let fault = run(function(code)).await.result.unwrap_err();
    let said = fault.to_string();
    assert!(said.contains("169.254.169.254") && said.contains("operator"), "{said}");
    let caught = "export default async (ctx) => { try { await ctx.require('axios').post('http://x.test', {}) } catch (e) { return e.code } }";
    assert_eq!(value(caught).await, "ERR_REFUSED");
}

#[tokio::test]
async fn so_many_requests_and_no_more() {
    let books = Books::answering(|_, _| Ok(FetchAnswer { status: 200, ..FetchAnswer::default() }));
    let code = "export default async (ctx) => { let n = 0; try { for (;;) { await ctx.require('axios').get('http://x.test'); n++ } } catch (e) { return [n, e.code] } }";
    let outcome = run_with(&pool(), function(code), &books).await;
    assert_eq!(outcome.result.unwrap(), json!([32, "ERR_TOO_MANY"]));
    let mut job = function(
        "export default async (ctx) => { try { await ctx.require('axios').get('http://x.test') } catch (e) { return e.code } }",
    );
    job.limits.fetch_bytes = 10;
    let books = Books::answering(|_, request| {
        assert_eq!(request.bytes_max, 10);
        Ok(FetchAnswer { status: 200, body: Bytes(vec![b'x'; 11]), ..FetchAnswer::default() })
    });
    assert_eq!(run_with(&pool(), job, &books).await.result.unwrap(), "ERR_TOO_LARGE");
    let books = Books::answering(|_, _| {
        Err(FetchFailure { code: "ECONNREFUSED".into(), ..FetchFailure::refused("nobody there") })
    });
    let code = "export default (ctx) => ctx.require('axios').get('http://x.test')";
    let fault = run_with(&pool(), function(code), &books).await.result.unwrap_err();
    assert!(fault.to_string().contains("nobody there"), "{fault}");
}

#[tokio::test]
async fn files_and_deliverables_are_kept_within_limits() {
    let code = "export default async (ctx) => {
      const file = await ctx.assets.saveBuffer(Buffer.from('PNG'), { name: 'a.png', mime: 'image/png', alt: 'A' });
      const text = await ctx.deliverables.create({ title: 'Report', content: '# Hi' });
      const data = await ctx.deliverables.create({ title: 'Data', content: { a: 1 } });
      let refused; try { await ctx.assets.saveBuffer(new Uint8Array(5000), { name: 'big' }) } catch (e) { refused = e.message }
      return { file, names: [text.name, data.name], refused };
    }";
    let mut job = function(code);
    job.limits.file_bytes = 1_000;
    let books = Books::answering(|_, _| Err(FetchFailure::refused("no")));
    let outcome = run_with(&pool(), job, &books).await;
    let told = outcome.result.unwrap();
    assert_eq!(told["file"]["bytes"], 3);
    assert_eq!(told["names"], json!(["Report.md", "Data.json"]));
    assert!(told["refused"].as_str().unwrap().contains("up to 1000 bytes"), "{told}");
    let kept = books.kept();
    assert_eq!(kept.len(), 3);
    assert_eq!((kept[0].mime.as_str(), kept[0].alt.as_deref()), ("image/png", Some("A")));
    assert_eq!(kept[1].bytes.0, b"# Hi");
    assert!(kept[1].is_deliverable && !kept[0].is_deliverable);
    let silent = "export default async (ctx) => { await ctx.assets.saveBuffer(Buffer.from('x'), { name: 'x' }) }";
    assert_eq!(value(silent).await["assets"][0]["name"], "x");
}

#[tokio::test]
async fn the_same_call_comes_to_the_same_end() {
    let code = "export default async (ctx) => {
      const began = Date.now(); const order = [];
      setTimeout(() => order.push('b'), 20); setTimeout(() => order.push('a'), 10);
      const every = setInterval(() => order.push('i'), 7);
      await new Promise((done) => setTimeout(done, 25)); clearInterval(every);
      return { began, order: order.join(''), took: Date.now() - began, random: [Math.random(), Math.random()],
        uuid: crypto.randomUUID(), date: new Date().toISOString(), text: typeof Date() };
    }";
    let job = || Function { now_ms: 1_700_000_000_000, seed: 42, ..function(code) };
    let first = run(job()).await.result.unwrap();
    assert_eq!(first, run(job()).await.result.unwrap());
    assert_eq!(first["order"], "iaibi");
    assert_eq!((&first["began"], &first["took"]), (&json!(1_700_000_000_000_i64), &json!(25)));
    let other = run(Function { seed: 43, ..job() }).await.result.unwrap();
    assert_ne!(first["uuid"], other["uuid"]);
}

#[tokio::test]
async fn mistakes_are_told_with_their_place_in_the_file() {
    let job = Function { line: 11, ..function("export default (ctx) => {\n  return 1 +;\n}") };
    match run(job).await.result.unwrap_err() {
        Fault::Syntax { file, line, column, .. } => {
            assert_eq!((file.as_str(), line), ("agents/test.md", 12));
            assert!(column > 1);
        },
        other => panic!("{other}"),
    }
    let code =
        "function deep(x) {\n  return x.nothing.here;\n}\nexport default async () => deep({});";
    match run(Function { line: 5, ..function(code) }).await.result.unwrap_err() {
        Fault::Thrown { name, message, stack, .. } => {
            assert_eq!(name, "TypeError");
            assert!(message.contains("undefined"), "{message}");
            assert!(stack.starts_with("at deep (agents/test.md:6:"), "{stack}");
            assert!(!stack.contains("eval_script") && !stack.contains("native"), "{stack}");
        },
        other => panic!("{other}"),
    }
    let thrown = [
        ("throw 'text'", "text"),
        ("throw { message: 'object' }", "object"),
        ("throw { code: 7 }", "7"),
        ("throw undefined", "undefined"),
        ("await Promise.reject(new RangeError('far'))", "RangeError: far"),
        ("class Own extends Error { name = 'Own' }; throw new Own('mine')", "Own: mine"),
        ("throw { get message() { throw 1 } }", "Error"),
        ("throw new Proxy({}, { get() { throw 1 }, has() { throw 2 } })", ""),
    ];
    for (code, expected) in thrown {
        let code = format!("export default async () => {{ {code} }}");
        let fault = run(function(&code)).await.result.unwrap_err();
        assert!(fault.to_string().contains(expected), "{code}: {fault}");
    }
}

#[tokio::test]
async fn what_waits_for_nothing_is_told_so() {
    let forever = "export default () => new Promise(() => {})";
    assert_eq!(run(function(forever)).await.result.unwrap_err(), Fault::Stuck);
    assert_eq!(
        run(function("await new Promise(() => {}); export default () => 1"))
            .await
            .result
            .unwrap_err(),
        Fault::Stuck
    );
    let mut late = function("export default () => new Promise((done) => setTimeout(done, 1e9))");
    late.limits.wall_ms = 300;
    let fault = run(late).await.result.unwrap_err();
    assert_eq!(fault, Fault::TimedOut { limit_ms: 300 });
}
