//! Runs an author's JavaScript: a fresh engine, a realm without what is dangerous, and a loop that
//! lets it ask for one thing at a time.

#[expect(clippy::needless_pass_by_value, reason = "JavaScript hands values over")]
mod native;

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use rquickjs::context::intrinsic;
use rquickjs::module::Evaluated;
use rquickjs::promise::PromiseState;
use rquickjs::{
    CaughtError, Context, Ctx, Function as JsFunction, Module, Object, Promise, Runtime,
    Value as JsValue,
};
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) use native::hex;

use crate::fault::Fault;
use crate::job::{Function, Level, LogLine};
use crate::wire::{Answered, Ask};
use crate::worker::Parent;

/// No `Performance`, no `WeakRef`, no `DOMException`: nothing an author needs, and each a way to
/// see time or the collector.
type Intrinsics = (
    intrinsic::Date,
    intrinsic::Eval,
    intrinsic::RegExpCompiler,
    intrinsic::RegExp,
    intrinsic::Json,
    intrinsic::Proxy,
    intrinsic::MapSet,
    intrinsic::TypedArrays,
    intrinsic::Promise,
);

/// The engine's stack; the process has eight megabytes.
const STACK_BYTES: usize = 512 * 1024;
/// A deeper result is refused; what reads it later stops at 128.
const DEPTH_MAX: usize = 100;
/// Lines of a stack that are told.
const STACK_LINES_MAX: usize = 12;

const REALM: &str = concat!(
    "(function (native, job) {\n\"use strict\";\n",
    include_str!("function/js/realm.js"),
    include_str!("function/js/bytes.js"),
    include_str!("function/js/url.js"),
    include_str!("function/js/crypto.js"),
    include_str!("function/js/axios.js"),
    include_str!("function/js/ctx.js"),
    "\n})"
);

/// Runs it to its end.
pub(crate) fn run(job: &Function, parent: &Rc<dyn Parent>) -> Result<Value, Fault> {
    let runtime = Runtime::new().map_err(Fault::unavailable)?;
    runtime.set_memory_limit(job.limits.memory_bytes);
    runtime.set_max_stack_size(STACK_BYTES);
    let watch = Rc::new(Watch::new(job.limits.busy_ms));
    let on_duty = Rc::clone(&watch);
    runtime.set_interrupt_handler(Some(Box::new(move || on_duty.is_over())));
    let context = Context::custom::<Intrinsics>(&runtime).map_err(Fault::unavailable)?;
    context.with(|ctx| Stage { job, parent, watch: &watch, ctx }.perform())
}

#[expect(
    clippy::disallowed_methods,
    reason = "measures what an author's code takes; decides nothing else"
)]
fn now() -> Instant {
    Instant::now()
}

/// How long it may go on computing. It ends most of what takes too long, and says so; the parent ends the rest.
struct Watch {
    deadline: Cell<Instant>,
    is_over: Cell<bool>,
}

impl Watch {
    fn new(busy_ms: u64) -> Self {
        let deadline = Cell::new(now() + Duration::from_millis(busy_ms));
        Self { deadline, is_over: Cell::new(false) }
    }

    fn is_over(&self) -> bool {
        if now() > self.deadline.get() {
            self.is_over.set(true);
        }
        self.is_over.get()
    }

    /// What is waited for does not count.
    fn pausing<T>(&self, wait: impl FnOnce() -> T) -> T {
        let began = now();
        let told = wait();
        self.deadline.set(self.deadline.get() + began.elapsed());
        told
    }
}

/// One function on its way.
struct Stage<'a, 'js> {
    job: &'a Function,
    parent: &'a Rc<dyn Parent>,
    watch: &'a Watch,
    ctx: Ctx<'js>,
}

/// Passes lines on until there are enough.
struct Log {
    parent: Rc<dyn Parent>,
    left: Cell<usize>,
    limit: usize,
}

impl Log {
    fn new(parent: Rc<dyn Parent>, limit: usize) -> Self {
        Self { parent, left: Cell::new(limit), limit }
    }

    fn write(&self, level: &str, text: String) {
        let left = self.left.get();
        if left == 0 {
            return;
        }
        let rest = left.saturating_sub(text.len().max(1));
        self.left.set(rest);
        let line = if rest > 0 {
            LogLine { level: level_of(level), text }
        } else {
            let text = format!("[the rest is dropped: over {} bytes]", self.limit);
            LogLine { level: Level::Warn, text }
        };
        if self.parent.log(line).is_err() {
            self.left.set(0);
        }
    }
}

/// What the realm hands back to whoever drives it.
struct Controls<'js> {
    next: JsFunction<'js>,
    answer: JsFunction<'js>,
    start: JsFunction<'js>,
    state: JsFunction<'js>,
    said: JsFunction<'js>,
}

#[derive(Default, Deserialize)]
struct Thrown {
    name: String,
    message: String,
    stack: String,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    status: Option<u16>,
}

impl<'js> Stage<'_, 'js> {
    fn perform(&self) -> Result<Value, Fault> {
        let controls = self.set()?;
        let (module, loaded) = self.load()?;
        self.settle(&controls, || loaded.state() != PromiseState::Pending)?;
        if let Some(Err(error)) = loaded.result::<JsValue<'js>>() {
            return Err(self.caught(error));
        }
        let exported: Object<'js> = module.namespace().map_err(|error| self.caught(error))?;
        let has_function: bool = self.called(&controls.start, (exported,))?;
        if !has_function {
            return Err(Fault::NoFunction { file: self.job.file.clone() });
        }
        let is_done = || controls.state.call::<_, String>(()).is_ok_and(|state| state != "pending");
        self.settle(&controls, is_done)?;
        self.ended(&controls)
    }

    /// Builds the realm.
    fn set(&self) -> Result<Controls<'js>, Fault> {
        let build = || -> rquickjs::Result<Controls<'js>> {
            let native = native::natives(&self.ctx)?;
            let log = Log::new(Rc::clone(self.parent), self.job.limits.log_bytes);
            let write = move |level: String, text: String| log.write(&level, text);
            native.set("log", JsFunction::new(self.ctx.clone(), write)?)?;
            let realm: JsFunction<'js> = self.ctx.eval(REALM)?;
            let job = self.ctx.json_parse(self.given().to_string())?;
            let made: Object<'js> = realm.call((native, job))?;
            Ok(Controls {
                next: made.get("next")?,
                answer: made.get("answer")?,
                start: made.get("start")?,
                state: made.get("state")?,
                said: made.get("said")?,
            })
        };
        build().map_err(|error| self.caught(error))
    }

    fn given(&self) -> Value {
        let job = self.job;
        let halves = [job.seed >> 32, job.seed & 0xffff_ffff];
        json!({
            "input": job.input, "settings": job.settings, "feedback": job.feedback,
            "env": job.env, "now_ms": job.now_ms, "seed": halves,
        })
    }

    /// Reads the author's module.
    fn load(&self) -> Result<(Module<'js, Evaluated>, Promise<'js>), Fault> {
        let above = usize::try_from(self.job.line.saturating_sub(1)).unwrap_or(0);
        let source = format!("{}{}", "\n".repeat(above), self.job.code);
        let declared = Module::declare(self.ctx.clone(), self.job.file.as_str(), source);
        let declared = declared.map_err(|error| self.unreadable(error))?;
        declared.eval().map_err(|error| self.caught(error))
    }

    fn unreadable(&self, error: rquickjs::Error) -> Fault {
        match self.caught(error) {
            Fault::Thrown { name, message, stack, .. } if name == "SyntaxError" => {
                let (line, column) = place_in(&stack).unwrap_or((self.job.line, 1));
                Fault::Syntax { file: self.job.file.clone(), line, column, message }
            },
            other => other,
        }
    }

    /// Lets things happen until `is_done`.
    fn settle(&self, controls: &Controls<'js>, is_done: impl Fn() -> bool) -> Result<(), Fault> {
        loop {
            while self.ctx.execute_pending_job() {
                self.may_go_on()?;
            }
            if is_done() {
                return Ok(());
            }
            let question: String = self.called(&controls.next, ())?;
            match question.as_str() {
                "again" => {},
                "" => return Err(Fault::Stuck),
                question => {
                    let told = self.asked(question)?;
                    let _told: JsValue<'js> = self.called(&controls.answer, (told,))?;
                },
            }
        }
    }

    fn asked(&self, question: &str) -> Result<String, Fault> {
        let garbled = |error: serde_json::Error| Fault::Garbled { what: error.to_string() };
        let ask: Ask = serde_json::from_str(question).map_err(garbled)?;
        // Whoever should answer is gone, or has had enough.
        let told = self.watch.pausing(|| self.parent.ask(ask));
        let told: Answered = told.map_err(|_gone| Fault::Stopped)?;
        serde_json::to_string(&told).map_err(garbled)
    }

    fn called<A, R>(&self, function: &JsFunction<'js>, args: A) -> Result<R, Fault>
    where
        A: rquickjs::function::IntoArgs<'js>,
        R: rquickjs::FromJs<'js>,
    {
        let told = function.call(args).map_err(|error| self.caught(error));
        self.may_go_on()?;
        told
    }

    fn may_go_on(&self) -> Result<(), Fault> {
        if self.watch.is_over.get() { Err(self.too_long()) } else { Ok(()) }
    }

    fn too_long(&self) -> Fault {
        Fault::Busy { limit_ms: self.job.limits.busy_ms }
    }

    fn ended(&self, controls: &Controls<'js>) -> Result<Value, Fault> {
        let state: String = self.called(&controls.state, ())?;
        let said: String = self.called(&controls.said, ())?;
        if state != "done" {
            let garbled = |error: serde_json::Error| Fault::Garbled { what: error.to_string() };
            let thrown: Thrown = serde_json::from_str(&said).map_err(garbled)?;
            return Err(self.explained(thrown));
        }
        if said.len() > self.job.limits.output_bytes {
            return Err(too_large("the result", self.job.limits.output_bytes, "bytes"));
        }
        let result: Value = serde_json::from_str(&said).map_err(|error| Fault::Thrown {
            name: "ResultError".to_owned(),
            message: format!("the result cannot be read as JSON: {error}"),
            stack: String::new(),
            code: None,
            status: None,
        })?;
        if depth(&result) > DEPTH_MAX {
            return Err(too_large("the result", DEPTH_MAX, "levels deep"));
        }
        Ok(result)
    }

    /// What was thrown, as a fault.
    fn caught(&self, error: rquickjs::Error) -> Fault {
        let thrown = match CaughtError::from_error(&self.ctx, error) {
            CaughtError::Exception(exception) => Thrown {
                name: exception.as_object().get("name").unwrap_or_else(|_| "Error".to_owned()),
                message: exception.message().unwrap_or_default(),
                stack: exception.stack().unwrap_or_default(),
                ..Thrown::default()
            },
            // The engine throws null when there is no memory left to make an error of.
            CaughtError::Value(value) if value.is_null() => return self.out_of_memory(),
            CaughtError::Value(value) => Thrown {
                name: "Thrown".to_owned(),
                message: self
                    .ctx
                    .json_stringify(value)
                    .ok()
                    .flatten()
                    .map_or_else(String::new, |text| text.to_string().unwrap_or_default()),
                ..Thrown::default()
            },
            CaughtError::Error(rquickjs::Error::Allocation) => return self.out_of_memory(),
            CaughtError::Error(error) => {
                Thrown { name: "Error".to_owned(), message: error.to_string(), ..Thrown::default() }
            },
        };
        self.explained(thrown)
    }

    fn out_of_memory(&self) -> Fault {
        let limit = self.job.limits.memory_bytes;
        Fault::Memory { limit_bytes: u64::try_from(limit).unwrap_or(u64::MAX) }
    }

    /// An error of the author's code, or a limit that looks like one.
    fn explained(&self, thrown: Thrown) -> Fault {
        if self.watch.is_over.get() {
            return self.too_long();
        }
        if thrown.name == "InternalError" && thrown.message == "out of memory" {
            return self.out_of_memory();
        }
        Fault::Thrown {
            name: clipped(thrown.name, 100),
            message: clipped(thrown.message, 2_000),
            stack: own_lines(&thrown.stack, &self.job.file),
            code: thrown.code.map(|code| clipped(code, 100)),
            status: thrown.status,
        }
    }
}

fn level_of(word: &str) -> Level {
    match word {
        "debug" => Level::Debug,
        "warn" => Level::Warn,
        "error" => Level::Error,
        _ => Level::Info,
    }
}

/// The lines of a stack that are in the author's file.
fn own_lines(stack: &str, file: &str) -> String {
    let own = stack.lines().map(str::trim).filter(|line| line.contains(file));
    clipped(own.take(STACK_LINES_MAX).collect::<Vec<_>>().join("\n"), 2_000)
}

/// Line and column of the first place in a stack: `at file.js:3:7`.
fn place_in(stack: &str) -> Option<(u32, u32)> {
    let first = stack.lines().next()?.trim().trim_end_matches(')');
    let mut parts = first.rsplit(':');
    let column = parts.next()?.parse().ok()?;
    let line = parts.next()?.parse().ok()?;
    Some((line, column))
}

fn clipped(text: String, bytes: usize) -> String {
    if text.len() <= bytes {
        return text;
    }
    let end = (0..=bytes).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    format!("{} …", text.get(..end).unwrap_or_default())
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn too_large(what: &str, limit: usize, unit: &str) -> Fault {
    Fault::TooLarge {
        what: what.to_owned(),
        limit: u64::try_from(limit).unwrap_or(u64::MAX),
        unit: unit.to_owned(),
        advice: "return less, and keep what is large with ctx.assets.saveBuffer".to_owned(),
    }
}
