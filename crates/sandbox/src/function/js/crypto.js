// What of node's crypto is of use to somebody who calls an interface: digests, keyed digests,
// names that nobody else has. Drawn from the call's seed: the same call draws the same.

const HASHES = ["md5", "sha1", "sha256", "sha512"];
const any_bytes = (data, encoding) => typeof data === "string" ? Buffer.from(data, encoding) : bytes_of(data);
const out = (bytes, encoding) => (encoding ? wrap(bytes).toString(encoding) : wrap(bytes));

class Digester {
  #name; #key; #parts = []; #done = false;
  constructor(name, key) {
    this.#name = String(name).toLowerCase().replace("-", "");
    if (!HASHES.includes(this.#name)) throw new Error(`Digest method not supported: ${name}; ${HASHES.join(", ")} are`);
    this.#key = key;
  }
  update(data, encoding) {
    if (this.#done) throw new Error("Digest already called");
    this.#parts.push(any_bytes(data, encoding));
    return this;
  }
  digest(encoding) {
    if (this.#done) throw new Error("Digest already called");
    this.#done = true;
    const all = bytes_of(Buffer.concat(this.#parts));
    return out(this.#key ? native.hmac(this.#name, pack(bytes_of(this.#key)), pack(all)) : native.hash(this.#name, pack(all)), encoding);
  }
}

const crypto = {
  createHash: (name) => new Digester(name, null),
  createHmac: (name, key) => new Digester(name, any_bytes(key)),
  getHashes: () => [...HASHES],
  randomBytes(count) {
    const made = Buffer.alloc(count);
    for (let i = 0; i < count; i++) made[i] = draw() >>> 24;
    return made;
  },
  getRandomValues(view) {
    const bytes = bytes_of(view);
    for (let i = 0; i < bytes.length; i++) bytes[i] = draw() >>> 24;
    return view;
  },
  randomInt(from, to) {
    const [low, high] = to === undefined ? [0, from] : [from, to];
    return low + Math.floor(Math.random() * (high - low));
  },
  randomUUID() {
    const bytes = crypto.randomBytes(16);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  },
  timingSafeEqual(one, other) {
    const [left, right] = [bytes_of(one), bytes_of(other)];
    if (left.length !== right.length) throw new RangeError("Input buffers must have the same byte length");
    return native.same(pack(left), pack(right));
  },
};
globalThis.crypto = crypto;
