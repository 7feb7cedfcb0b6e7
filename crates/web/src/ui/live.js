// Keeps a page up to date: one stream says that something has happened, the page is fetched
// again, and the parts that differ are replaced. Without this file every page is whole.
"use strict";

const root = document.documentElement;
const words = root.dataset;
const sent = new Map(); // part id -> HTML as the server last sent it

const parts = (main) => [...main.querySelectorAll("[id]")].filter((part) => !part.parentElement.closest("main [id]"));
const keep = (main) => parts(main).forEach((part) => sent.set(part.id, part.outerHTML));

// --- time, told in the reader's own zone -------------------------------------------------------

const language = root.lang;
const absolute = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
const clock = new Intl.DateTimeFormat(language, { timeStyle: "medium" });

function span(seconds) {
  const gap = language === "ja" ? "" : " ";
  if (seconds < 60) return Math.floor(seconds) + gap + words.second;
  if (seconds < 3600) return Math.floor(seconds / 60) + gap + words.minute;
  if (seconds < 86400) return Math.floor(seconds / 3600) + gap + words.hour;
  return Math.floor(seconds / 86400) + gap + words.day;
}

function tell(time) {
  const at = new Date(time.dateTime);
  if (Number.isNaN(at.getTime())) return;
  const away = (at - Date.now()) / 1000;
  const isToday = at.toDateString() === new Date().toDateString();
  let text = isToday ? clock.format(at) : absolute.format(at);
  if ("relative" in time.dataset && Math.abs(away) < 7 * 86400) {
    text = (away > 0 ? words.in : words.ago).replace("{time}", span(Math.abs(away)));
  }
  if (time.textContent !== text) time.textContent = text;
  time.title = absolute.format(at);
}

// A span that is still growing.
function grow(part) {
  const seconds = Math.max(0, (Date.now() - new Date(part.dataset.since)) / 1000);
  const text = seconds < 60 ? seconds.toFixed(1) : null;
  const gap = language === "ja" ? "" : " ";
  const minutes = Math.floor(seconds / 60);
  part.textContent = text ? text + gap + words.second
    : minutes < 60 ? minutes + gap + words.minute + " " + Math.floor(seconds % 60) + gap + words.second
    : Math.floor(minutes / 60) + gap + words.hour + " " + minutes % 60 + gap + words.minute;
}

function tellAll() {
  document.querySelectorAll("time[datetime]").forEach(tell);
  document.querySelectorAll("[data-since]").forEach(grow);
}

// --- the page, fetched again -------------------------------------------------------------------

// A part in which somebody is typing stays as it is until they are done.
function isBusy(part) {
  const active = document.activeElement;
  const fields = [...part.querySelectorAll("textarea, input[type=text], input[type=search]")];
  return fields.some((field) => field === active || field.value !== field.defaultValue);
}

function put(current, fresh) {
  const open = [...current.querySelectorAll("details[open] > summary")].map((s) => s.textContent);
  fresh.querySelectorAll("details > summary").forEach((summary) => {
    if (open.includes(summary.textContent)) summary.parentElement.open = true;
  });
  // Pictures that are the same stay, so that nothing flickers; films, so that they play on.
  const media = "img, video, audio";
  const known = new Map([...current.querySelectorAll(media)].map((one) => [one.getAttribute("src"), one]));
  fresh.querySelectorAll(media).forEach((one) => {
    const same = known.get(one.getAttribute("src"));
    if (same && same.className === one.className) one.replaceWith(same);
  });
  current.replaceWith(fresh);
}

function merge(main, next) {
  const wanted = parts(next);
  const wantedIds = new Set(wanted.map((part) => part.id));
  parts(main).forEach((part) => {
    if (!wantedIds.has(part.id)) { part.remove(); sent.delete(part.id); }
  });
  let structural = false;
  wanted.forEach((fresh) => {
    const html = fresh.outerHTML;
    const current = document.getElementById(fresh.id);
    if (!current) { structural = true; return; }
    const isChecked = fresh.dataset.digest && fresh.dataset.digest !== current.dataset.digest;
    if (sent.get(fresh.id) === html || (isBusy(current) && !isChecked)) return;
    sent.set(fresh.id, html);
    put(current, document.importNode(fresh, true));
  });
  if (structural && !isBusy(main)) {
    main.replaceChildren(...[...next.childNodes].map((node) => document.importNode(node, true)));
    keep(next);
  }
}

let fetching = false;
let again = false;
async function refresh() {
  if (fetching) { again = true; return; }
  fetching = true;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" }, credentials: "same-origin" });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = page.getElementById("main");
    const main = document.getElementById("main");
    if (!next || !main) return;
    merge(main, next);
    document.title = page.title;
    tellAll();
  } catch { /* the stream will call again */ } finally {
    fetching = false;
    if (again) { again = false; schedule(); }
  }
}

let timer = 0;
function schedule() {
  if (!timer) timer = setTimeout(() => { timer = 0; refresh(); }, 120);
}

// --- the stream --------------------------------------------------------------------------------

const light = document.getElementById("live");
function show(state) {
  if (!light) return;
  light.hidden = false;
  light.className = "live is-" + state;
  light.textContent = light.dataset[state];
}

let source = null;
let boot = null;
let quiet = 0;
const NAMES = ["run.started", "run.phase_entered", "run.delivered", "run.closing", "run.completed",
  "run.failed", "run.cancelled", "run.paused", "run.resumed", "run.reopened", "run.rolled_back",
  "step.started", "step.waiting", "step.succeeded", "step.failed", "step.fell_back", "step.skipped",
  "step.cancelled", "steps.reset", "attempt.accepted", "attempt.progressed", "attempt.timed_out",
  "attempt.in_doubt", "attempt.doubt_resolved", "attempt.failed", "checkpoint.opened",
  "checkpoint.answered", "checkpoint.escalated", "gate.decided", "loop.iteration_started",
  "loop.iteration_finished", "for_each.expanded", "for_each.item_started",
  "for_each.item_finished", "callback.received", "reset"];

function listen(address) {
  source = new EventSource(address);
  source.onopen = () => { clearTimeout(quiet); quiet = 0; show("on"); };
  source.onerror = () => { quiet = quiet || setTimeout(() => show("off"), 3000); };
  NAMES.forEach((name) => source.addEventListener(name, schedule));
  source.addEventListener("ping", (event) => {
    const ping = JSON.parse(event.data);
    if (boot && boot !== ping.boot_id) schedule(); // another process: look again
    boot = ping.boot_id;
  });
  source.addEventListener("end", () => { close(); show("over"); schedule(); });
}

function close() {
  if (source) source.close();
  source = null;
}

// --- small things ------------------------------------------------------------------------------

// One press, one request.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  setTimeout(() => form.querySelectorAll("button").forEach((button) => { button.disabled = true; }), 0);
});

// Coming back to a page that was left: its buttons work again.
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-sent]").forEach((form) => {
    delete form.dataset.sent;
    form.querySelectorAll("button").forEach((button) => { button.disabled = false; });
  });
});

// Choosing a language or appearance applies it at once.
document.querySelectorAll(".chooser").forEach((form) => {
  form.querySelector("button").hidden = true;
  form.addEventListener("change", () => form.submit());
});

const main = document.getElementById("main");
tellAll();
setInterval(tellAll, 1000);
if (main && main.dataset.stream) {
  keep(main);
  listen(main.dataset.stream);
  // A hidden tab gives its connection back; a browser has only six for one server.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { close(); } else if (!source) { refresh(); listen(main.dataset.stream); }
  });
}
