// What an author's function is handed, and how it ends.

const TEXT_MAX = 4096;
function shown(thing) {
  if (typeof thing === "string") return thing;
  if (thing instanceof Error) return String(thing.stack ? `${thing.name}: ${thing.message}\n${thing.stack}` : thing);
  try { return stringify(thing) ?? String(thing); } catch { return String(thing); }
}
const say = (level) => (...things) => native.log(level, things.map(shown).join(" ").slice(0, TEXT_MAX));
const log = say("info");
for (const level of ["debug", "info", "warn", "error"]) log[level] = say(level);
log.log = log;
log.trace = log.debug;
globalThis.console = frozen({ ...log });

const MODULES = frozen({ axios, crypto, url: frozen({ URL, URLSearchParams }), buffer: frozen({ Buffer }) });
function require(name) {
  const plain = String(name).replace(/^node:/, "");
  if (!Object.hasOwn(MODULES, plain)) {
    const error = new Error(`ctx.require: there is no module '${name}' here; axios, crypto, url and buffer are`);
    error.code = "MODULE_NOT_FOUND";
    throw error;
  }
  return MODULES[plain];
}

const kept = { deliverables: [], assets: [] };
function save(file, list) {
  return ask({ save: file }, (told) => {
    if (told.not_saved) return { error: new Error(told.not_saved.message), ms: 0 };
    list.push(told.saved);
    return { value: told.saved, ms: 0 };
  });
}

async function saveBuffer(buffer, { name, filename, mime, mimeType, contentType, alt } = {}) {
  if (!ArrayBuffer.isView(buffer) && !(buffer instanceof ArrayBuffer)) {
    throw new TypeError("ctx.assets.saveBuffer takes a Buffer or a Uint8Array, then { name, mime }");
  }
  const bytes = encode(bytes_of(buffer), "base64");
  const kind = String(mime ?? mimeType ?? contentType ?? "application/octet-stream");
  return save({ name: String(name ?? filename ?? "file"), mime: kind, alt: alt == null ? null : String(alt), is_deliverable: false, bytes }, kept.assets);
}

const FORMATS = { markdown: ["md", "text/markdown"], md: ["md", "text/markdown"], html: ["html", "text/html"],
  json: ["json", "application/json"], text: ["txt", "text/plain"], txt: ["txt", "text/plain"] };
async function create(given) {
  if (given === null || typeof given !== "object") throw new TypeError("ctx.deliverables.create takes { title, content, format }");
  const content = given.content ?? given.data ?? null;
  const format = String(given.format ?? (typeof content === "string" ? "markdown" : "json")).toLowerCase();
  if (!FORMATS[format]) throw new TypeError(`ctx.deliverables.create: format ${format} is not known; ${Object.keys(FORMATS).join(", ")} are`);
  const [ending, mime] = FORMATS[format];
  const title = String(given.title ?? given.name ?? "Deliverable");
  const text = typeof content === "string" ? content : stringify(content, null, 2);
  const bytes = encode(decode(text, "utf8"), "base64");
  const reference = await save({ name: `${title}.${ending}`, mime, alt: null, is_deliverable: true, bytes }, kept.deliverables);
  return { ...reference, title, format };
}

const ctx = {
  input: job.input, settings: job.settings, feedback: job.feedback, env: frozen({ ...job.env }),
  log, require, deliverables: frozen({ create }), assets: frozen({ saveBuffer }),
};
Object.assign(globalThis, {
  module: { exports: {} }, require, process: frozen({ env: ctx.env }), global: globalThis,
});
globalThis.exports = globalThis.module.exports;

let state = "pending";
let said = "";
function fail(error) {
  state = "thrown";
  // The engine throws null when there is no memory left to make an error of. So `throw null` is
  // taken for it too.
  if (error === null) {
    said = '{"name":"InternalError","message":"out of memory","stack":""}';
    return;
  }
  const text = (name) => { try { return String(error[name] ?? ""); } catch { return ""; } };
  const whole = (name) => {
    try { return Number.isInteger(error[name]) && error[name] > 0 && error[name] < 1000 ? error[name] : null; }
    catch { return null; }
  };
  try {
    said = error instanceof Error || (error && typeof error === "object" && "message" in error)
      ? stringify({ name: text("name") || "Error", message: text("message"), stack: text("stack"),
          code: text("code") || null, status: whole("status") })
      : stringify({ name: "Thrown", message: shown(error), stack: "" });
  } catch {
    said = stringify({ name: "Thrown", message: "something that cannot be shown", stack: "" });
  }
}

function start(exported) {
  const { exports } = globalThis.module ?? {};
  const act = [exported.default, exported.run, exports, exports?.run, exports?.default, exports?.handler]
    .find((one) => typeof one === "function");
  if (!act) return false;
  Promise.resolve()
    .then(() => (act.length >= 2 ? act(ctx.input, ctx) : act(ctx)))
    .then((value) => {
      said = stringify(value === undefined ? kept : value) ?? "null";
      state = "done";
    })
    .catch(fail);
  return true;
}

return { next, answer, start, fail, state: () => state, said: () => said };
