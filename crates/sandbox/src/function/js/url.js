// URL and URLSearchParams. Reading and writing is done by the program around, which knows the
// WHATWG standard.

class URLSearchParams {
  #pairs = [];
  #owner = null;
  constructor(init = "") {
    if (typeof init === "string") this.#pairs = parse(native.form_parse(init.replace(/^\?/, "")));
    else if (init && typeof init[Symbol.iterator] === "function") this.#pairs = [...init].map(([name, value]) => [String(name), String(value)]);
    else if (init) this.#pairs = Object.entries(init).map(([name, value]) => [name, String(value)]);
  }
  static of(owner, query) {
    const made = new URLSearchParams(query);
    made.#owner = owner;
    return made;
  }
  #changed() { this.#owner?.(this.toString()); }
  append(name, value) { this.#pairs.push([String(name), String(value)]); this.#changed(); }
  delete(name) { this.#pairs = this.#pairs.filter(([known]) => known !== String(name)); this.#changed(); }
  get(name) { return this.#pairs.find(([known]) => known === String(name))?.[1] ?? null; }
  getAll(name) { return this.#pairs.filter(([known]) => known === String(name)).map(([, value]) => value); }
  has(name) { return this.#pairs.some(([known]) => known === String(name)); }
  set(name, value) {
    const at = this.#pairs.findIndex(([known]) => known === String(name));
    if (at < 0) return this.append(name, value);
    this.#pairs = this.#pairs.filter(([known], no) => no <= at || known !== String(name));
    this.#pairs[at][1] = String(value);
    this.#changed();
  }
  sort() { this.#pairs.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0)); this.#changed(); }
  get size() { return this.#pairs.length; }
  forEach(act) { for (const [name, value] of this.#pairs) act(value, name, this); }
  entries() { return this.#pairs.map((pair) => [...pair])[Symbol.iterator](); }
  keys() { return this.#pairs.map(([name]) => name)[Symbol.iterator](); }
  values() { return this.#pairs.map(([, value]) => value)[Symbol.iterator](); }
  [Symbol.iterator]() { return this.entries(); }
  toString() { return native.form_write(stringify(this.#pairs)); }
}

class URL {
  #parts;
  #params = null;
  constructor(text, base) {
    this.#parts = parse(native.url(String(text), base === undefined ? "" : String(base)));
    if (this.#parts === null) {
      const error = new TypeError(`Invalid URL: ${text}`);
      error.code = "ERR_INVALID_URL";
      throw error;
    }
  }
  static canParse(text, base) { return native.url(String(text), base === undefined ? "" : String(base)) !== "null"; }
  #set(part, value) {
    this.#parts = parse(native.url_set(this.#parts.href, part, String(value))) ?? this.#parts;
    if (part !== "search" || !this.#params) this.#params = null;
  }
  get searchParams() {
    return (this.#params ??= URLSearchParams.of((query) => this.#set("search", query), this.#parts.search));
  }
  toString() { return this.#parts.href; }
  toJSON() { return this.#parts.href; }
  get origin() { return this.#parts.origin; }
  static {
    for (const part of ["href", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash"]) {
      Object.defineProperty(URL.prototype, part, {
        get() { return this.#parts[part]; },
        set(value) { this.#params = null; this.#set(part, value); },
        enumerable: true, configurable: true,
      });
    }
  }
}
Object.assign(globalThis, { URL, URLSearchParams });
