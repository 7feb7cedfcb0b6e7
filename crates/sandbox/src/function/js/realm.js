// The world an author's code finds: its clock, its dice, its timers, and the loop that lets it
// ask the outside for one thing at a time. Runs before the author's code, in the same realm:
// what the author breaks here breaks the author's own call and nothing else.

const { parse, stringify } = JSON;
const frozen = Object.freeze;

// --- time: begins where the parent says, and goes on by what was waited for
let clock = job.now_ms;
const RealDate = Date;
function SteadyDate(...given) {
  const date = Reflect.construct(RealDate, given.length ? given : [clock], new.target || RealDate);
  return new.target ? date : date.toString();
}
SteadyDate.prototype = RealDate.prototype;
SteadyDate.now = () => clock;
SteadyDate.parse = RealDate.parse;
SteadyDate.UTC = RealDate.UTC;
Object.defineProperty(SteadyDate, "name", { value: "Date" });
RealDate.prototype.constructor = SteadyDate;
globalThis.Date = SteadyDate;

// --- dice: sfc32 by Chris Doty-Humphrey (PractRand, public domain), from the parent's seed
let [a, b, c, d] = [job.seed[0], job.seed[1], 0x9e3779b9 | 0, 1];
function draw() {
  const t = (((a + b) | 0) + d) | 0;
  d = (d + 1) | 0;
  a = b ^ (b >>> 9);
  b = (c + (c << 3)) | 0;
  c = (c << 21) | (c >>> 11);
  c = (c + t) | 0;
  return t >>> 0;
}
for (let i = 0; i < 15; i++) draw();
Math.random = () => (draw() * 0x200000 + (draw() >>> 11)) / 0x20000000000000;

// --- timers: what is due next, in order of time and then of setting
const TIMERS_MAX = 1000;
const timers = new Map();
let timer_no = 0;
function set(act, ms, again, args) {
  if (typeof act !== "function") throw new TypeError("a timer needs a function");
  if (timers.size >= TIMERS_MAX) throw new RangeError(`more than ${TIMERS_MAX} timers`);
  const wait = Math.max(again ? 1 : 0, Math.floor(Number(ms) || 0));
  timers.set(++timer_no, { act, args, due: clock + wait, again: again ? wait : 0 });
  return timer_no;
}
globalThis.setTimeout = (act, ms, ...args) => set(act, ms, false, args);
globalThis.setInterval = (act, ms, ...args) => set(act, ms, true, args);
globalThis.clearTimeout = globalThis.clearInterval = (no) => void timers.delete(no);
globalThis.setImmediate = (act, ...args) => set(act, 0, false, args);
globalThis.clearImmediate = globalThis.clearTimeout;

function next_timer() {
  let first = 0;
  for (const [no, timer] of timers) {
    if (!first || timer.due < timers.get(first).due) first = no;
  }
  return first;
}

function fire(no) {
  const timer = timers.get(no);
  clock = Math.max(clock, timer.due);
  if (timer.again) timer.due += timer.again;
  else timers.delete(no);
  timer.act(...timer.args);
}

// --- asking: one question is outside at a time, so that a recorded call replays in its order
const asked = [];
let arrived = null;
const ask = (question, took) =>
  new Promise((resolve, reject) => asked.push({ question, took, resolve, reject }));

// What is to be done next: "again" when something was done, a question for the parent, or ""
// when nothing will ever happen.
function next() {
  const no = next_timer();
  const due = no ? timers.get(no).due : Infinity;
  if (due <= (arrived ? arrived.at : clock)) {
    fire(no);
    return "again";
  }
  if (arrived) {
    const { at, settle } = arrived;
    arrived = null;
    clock = Math.max(clock, at);
    settle();
    return "again";
  }
  if (asked.length) return stringify(asked[0].question);
  return no ? stringify({ sleep: { ms: due - clock } }) : "";
}

function answer(text) {
  const told = parse(text);
  if (told === "woken") {
    clock = Math.max(clock, timers.get(next_timer())?.due ?? clock);
    return;
  }
  const { took, resolve, reject } = asked.shift();
  const { value, error, ms } = took(told);
  arrived = { at: clock + ms, settle: () => (error ? reject(error) : resolve(value)) };
}

// --- what is not there: code out of text, memory that is shared, code from elsewhere
const functions = [
  function () {}, async function () {}, function* () {}, async function* () {},
];
for (const sample of functions) {
  delete Object.getPrototypeOf(sample).constructor;
}
for (const name of ["eval", "Function", "SharedArrayBuffer", "Atomics", "WeakRef",
  "FinalizationRegistry", "performance", "navigator", "gc", "std", "os", "bjson", "print"]) {
  delete globalThis[name];
}
