//! Ways out of a sandbox that worked elsewhere. Each script hands back what it got hold of; none
//! may get hold of anything but its own world.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

#[path = "support/support.rs"]
mod support;

use serde_json::Value;
use showrunner_sandbox::{Denied, Fault, Function, Job, Limits, Pool, PoolOptions, Unattended};
use support::{function, options};

/// Each is tried for code out of text: the marker comes back only from what was made of a text.
const CODE_FROM_TEXT: &[&str] = &[
    "eval('40 + 2')",
    "(0, eval)('40 + 2')",
    "globalThis['ev' + 'al']('40 + 2')",
    "Function('return 42')()",
    "new Function('return 42')()",
    "(() => {}).constructor('return 42')()",
    "(function () {}).constructor('return 42')()",
    "[].map.constructor('return 42')()",
    "''.sub.constructor('return 42')()",
    "({}).toString.constructor('return 42')()",
    "[]['constructor']['constructor']('return 42')()",
    "({}).constructor.constructor('return 42')()",
    "ctx.constructor.constructor('return 42')()",
    "ctx.log.constructor('return 42')()",
    "ctx.require.constructor('return 42')()",
    "ctx.require('axios').constructor('return 42')()",
    "ctx.require('crypto').createHash.constructor('return 42')()",
    "Buffer.constructor('return 42')()",
    "Buffer.from.constructor('return 42')()",
    "URL.constructor('return 42')()",
    "Object.getPrototypeOf(() => {}).constructor('return 42')()",
    "Object.getPrototypeOf(async () => {}).constructor('return 42')()",
    "Object.getPrototypeOf(function* () {}).constructor('yield 42')().next().value",
    "Object.getPrototypeOf(async function* () {}).constructor('yield 42')().next().then((x) => x.value)",
    "Reflect.get(() => {}, 'constructor')('return 42')()",
    "Reflect.construct(Object.getPrototypeOf(class {}).constructor, ['return 42'])()",
    "Object.getOwnPropertyDescriptor(Object.getPrototypeOf(() => {}), 'constructor').value('return 42')()",
    "(class extends Object.getPrototypeOf(() => {}).constructor {}, new (class extends (() => {}).constructor {})('return 42'))()",
    "Error.prepareStackTrace = (e, frames) => frames, new Error().stack[0].getFunction().constructor('return 42')()",
    "Error.prepareStackTrace = (e, frames) => frames[0].getThis().process.mainModule.require('fs'), new Error().stack.x.y",
    "(() => { try { null.x } catch (e) { return e.constructor.constructor('return 42')() } })()",
    "(() => { try { ctx.require('fs') } catch (e) { return e.constructor.constructor('return 42')() } })()",
    "ctx.assets.saveBuffer(1).catch((e) => e.constructor.constructor('return 42')())",
    "ctx.require('axios').get('x').catch((e) => e.constructor.constructor('return 42')())",
    "Promise.resolve().then.constructor('return 42')()",
    "setTimeout.constructor('return 42')()",
    "setTimeout('globalThis.made = 42', 0)",
    "JSON.parse('{\"a\":1}', function () { return this.constructor.constructor('return 42')() })",
    "JSON.parse('{\"__proto__\":{\"made\":42}}').made ?? ({}).made.x",
    "[1].sort.call.call.constructor('return 42')()",
    "(async () => { const m = await import('data:text/javascript,export default 42'); return m.default })()",
    "(async () => { const m = await import('fs'); return m.readFileSync('/etc/passwd') })()",
    "import('/etc/passwd')",
    "import('file:///etc/passwd')",
    "import('std')",
    "import('os')",
    "import('qjs:std')",
    "import('qjs:os')",
    "import('bjson')",
    "import('./function.js')",
    "std.open('/etc/passwd', 'r').readAsString()",
    "os.open('/etc/passwd', 0)",
    "process.binding('fs')",
    "process.mainModule.require('fs')",
    "process.dlopen({}, '/lib/x.so')",
    "global.process.constructor.constructor('return 42')()",
    "module.constructor._load('fs')",
    "module.require('fs')",
    "require('fs').readFileSync('/etc/passwd')",
    "require.main.require('fs')",
    "require.cache.x.y",
    "ctx.require.cache.fs.y",
    "new Worker('data:,42')",
    "new WebAssembly.Module(new Uint8Array([0, 97, 115, 109]))",
    "new SharedArrayBuffer(8).byteLength",
    "Atomics.wait(new Int32Array(8), 0, 0, 1000)",
    "new WeakRef({}).deref()",
    "new FinalizationRegistry(() => {})",
    "performance.now()",
    "navigator.userAgent",
    "new ShadowRealm().evaluate('42')",
    "document.cookie",
    "window.alert(1)",
    "Deno.readTextFileSync('/etc/passwd')",
    "Bun.file('/etc/passwd')",
    "fetch('http://169.254.169.254/')",
    "new XMLHttpRequest()",
    "new WebSocket('ws://x')",
    "load('/etc/passwd')",
    "loadScript('/etc/passwd')",
    "print('x')",
    "gc()",
    "$262.createRealm()",
    "scriptArgs[0]",
    "__loadScript('x')",
    "native.log('x')",
    "job.input",
    "arguments.callee.caller.x.y",
    "(function () { return this.process })().env.PATH.length",
    "(function f() { return f.caller.x })()",
    "ctx.env.PATH.length",
    "process.env.HOME.length",
    "ctx.env.constructor.constructor('return 42')()",
    "ctx.env.__proto__.__proto__.x",
    "Object.assign(ctx.env, { x: 1 }).x.y",
    "ctx.assets.saveBuffer({ byteLength: 1e9 }, { name: 'x' })",
    "ctx.assets.saveBuffer(new Proxy(new Uint8Array(1), {}), { name: 'x' })",
    "ctx.deliverables.create(null)",
    "ctx.deliverables.create({ format: '../../etc/passwd' })",
    "Buffer.from(1e9)",
    "Buffer.alloc(-1)",
    "new TextDecoder('utf-16')",
    "new DataView(Buffer.alloc(8).buffer, 4, 8).getFloat64(0)",
    "Buffer.alloc(4).readUInt32BE(1)",
];

/// What comes back changed, so that the parent would stumble over it: whatever it is, it is data.
const RETURNED: &[&str] = &[
    "({ get then() { throw 1 } })",
    "({ __proto__: null, a: 1 })",
    "JSON.parse('{\"__proto__\": {\"admin\": true}}')",
    "({ constructor: 'x', toString: 'y', hasOwnProperty: 1 })",
    "new Proxy([], { get: (t, k) => (k === 'length' ? 3 : k) })",
    "new Proxy({}, { ownKeys: () => ['a', 'a'] })",
    "({ get a() { return ctx }, b: Symbol('x'), c: () => 1, d: undefined, e: NaN, f: -0, g: 1e400 })",
    "'\\ud800 lone'",
    "({ '\\ud800': 1 })",
    "'\\u0000\\u0001\\u2028'",
    "10n",
    "Symbol('x')",
    "() => 1",
    "undefined",
    "null",
    "new Map([[1, 2]])",
    "new Date(NaN)",
    "new Error('as data')",
    "({ toJSON() { return { ready: {} } } })",
    "({ done: { Ok: 1 } })",
    "(() => { let s = '\"}'; return { x: s.repeat(9) } })()",
    "(() => { const a = { n: 1 }; return [a, a, a] })()",
    "(() => { const s = new String('boxed'); s.toJSON = () => 1e308 * 10; return s })()",
    "({ '{{ 7 * 7 }}': '{% raw %}', sql: \"'; drop table runs; --\" })",
];

fn limits() -> Limits {
    Limits { busy_ms: 10_000, ..Limits::default() }
}

async fn tried(pool: &Pool, script: &str) -> Result<Value, Fault> {
    let job = Function {
        limits: limits(),
        ..function(&format!("export default (ctx) => {{ return ({script}) }}"))
    };
    pool.run("hostile", &Job::Function(Box::new(job)), &Unattended(&Denied)).await.result
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_script_gets_hold_of_anything_but_its_own_world() {
    let pool = Pool::new(PoolOptions { spare: 2, ..options() });
    for script in CODE_FROM_TEXT {
        match tried(&pool, script).await {
            Err(Fault::Thrown { message, stack, .. }) => {
                let said = format!("{message} {stack}");
                for leak in ["/home", "/root", "/work", ".cargo", ".rs:", "root:x:"] {
                    assert!(!said.contains(leak), "{script}: {said}");
                }
            },
            Err(Fault::Syntax { .. } | Fault::Stuck) => {},
            Err(other) => panic!("{script}: {other}"),
            Ok(value) => panic!("{script}: got {value}"),
        }
    }
    assert!(CODE_FROM_TEXT.len() + RETURNED.len() >= 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_comes_back_is_data_or_an_error() {
    let pool = Pool::new(PoolOptions { spare: 2, ..options() });
    for script in RETURNED {
        match tried(&pool, script).await {
            Ok(_) | Err(Fault::Thrown { .. }) => {},
            Err(other) => panic!("{script}: {other}"),
        }
    }
    assert_eq!(
        tried(&pool, "({ done: { Ok: 1 } })").await.unwrap(),
        serde_json::json!({"done": {"Ok": 1}})
    );
}

#[tokio::test]
async fn a_request_carries_what_the_code_said_and_nothing_of_the_server() {
    let books = support::Books::answering(|_, _| Ok(showrunner_sandbox::FetchAnswer::default()));
    let code = "export default async (ctx) => { const axios = ctx.require('axios');
      await axios.get('file:///etc/passwd').catch(() => {}); await axios({ url: 'http://a.test', method: 'connect' }).catch(() => {});
      await axios.get('http://a.test', { headers: { 'X\\r\\nInjected': 'a\\r\\nb' } }).catch(() => {}); return 1 }";
    let outcome = support::run_with(&support::pool(), function(code), &books).await;
    assert_eq!(outcome.result.unwrap(), 1);
    for request in books.asked() {
        assert!(
            request
                .headers
                .iter()
                .all(|(name, _)| !["cookie", "authorization"].contains(&name.as_str()))
        );
        assert!(request.url.starts_with("http") && request.method != "CONNECT", "{request:?}");
        assert!(!format!("{:?}", request.headers).contains("\\r"), "{request:?}");
    }
}
