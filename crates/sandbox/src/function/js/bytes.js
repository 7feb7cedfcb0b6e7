// Bytes and texts. The converting is done by the program around.

const ENCODINGS = { utf8: "utf8", "utf-8": "utf8", base64: "base64", base64url: "base64url",
  hex: "hex", latin1: "latin1", binary: "latin1", ascii: "latin1" };
function encoding_of(name) {
  const known = ENCODINGS[String(name ?? "utf8").toLowerCase()];
  if (!known) throw new TypeError(`Unknown encoding: ${name}; utf8, base64, base64url, hex and latin1 are known`);
  return known;
}
const bytes_of = (view) => ArrayBuffer.isView(view)
  ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength) : new Uint8Array(view);

// Bytes cross to the program around as texts of one character a byte: it may not look into the
// memory of this engine.
const { fromCharCode } = String;
const CHUNK = 8192;
function pack(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK) {
    text += fromCharCode.apply(null, bytes.subarray(at, at + CHUNK));
  }
  return text;
}
const encode = (bytes, encoding) => native.encode(pack(bytes), encoding);
const decode = (text, encoding) => native.decode(text.toWellFormed(), encoding);

class Buffer extends Uint8Array {
  static from(given, encoding, length) {
    if (typeof given === "string") return wrap(decode(given, encoding_of(encoding)));
    if (given instanceof ArrayBuffer) return wrap(new Uint8Array(given.slice(encoding ?? 0, length === undefined ? undefined : (encoding ?? 0) + length)));
    if (given?.type === "Buffer" && Array.isArray(given.data)) return Buffer.from(given.data);
    if (given == null || typeof given === "number") throw new TypeError("Buffer.from takes a string, bytes or an array of bytes");
    return wrap(Uint8Array.from(given));
  }
  static alloc(size, fill) {
    const made = new Buffer(size);
    if (fill !== undefined) made.fill(typeof fill === "string" ? Buffer.from(fill)[0] : fill);
    return made;
  }
  static allocUnsafe(size) { return new Buffer(size); }
  static isBuffer(thing) { return thing instanceof Buffer; }
  static isEncoding(name) { return String(name).toLowerCase() in ENCODINGS; }
  static byteLength(thing, encoding) {
    return typeof thing === "string" ? Buffer.from(thing, encoding).length : thing.byteLength;
  }
  static concat(list, total) {
    const length = total ?? list.reduce((sum, one) => sum + one.length, 0);
    const made = new Buffer(length);
    let at = 0;
    for (const one of list) {
      made.set(one.subarray(0, Math.max(0, length - at)), at);
      at += one.length;
    }
    return made;
  }
  static compare(one, other) { return one.compare(other); }
  toString(encoding, start, end) {
    const part = start === undefined && end === undefined ? this : this.subarray(start ?? 0, end ?? this.length);
    return encode(bytes_of(part), encoding_of(encoding));
  }
  toJSON() { return { type: "Buffer", data: Array.from(this) }; }
  equals(other) { return this.compare(other) === 0; }
  compare(other) {
    for (let i = 0; i < Math.min(this.length, other.length); i++) {
      if (this[i] !== other[i]) return this[i] < other[i] ? -1 : 1;
    }
    return Math.sign(this.length - other.length);
  }
  slice(start, end) { return this.subarray(start, end); }
  write(text, at = 0) {
    const bytes = Buffer.from(text);
    const fits = bytes.subarray(0, Math.max(0, this.length - at));
    this.set(fits, at);
    return fits.length;
  }
  readUInt8(at = 0) { return this[at]; }
  readUInt32BE(at = 0) { return new DataView(this.buffer, this.byteOffset).getUint32(at); }
  readUInt32LE(at = 0) { return new DataView(this.buffer, this.byteOffset).getUint32(at, true); }
  readUInt16BE(at = 0) { return new DataView(this.buffer, this.byteOffset).getUint16(at); }
}
const wrap = (bytes) => new Buffer(bytes.buffer, bytes.byteOffset, bytes.byteLength);

class TextEncoder {
  get encoding() { return "utf-8"; }
  encode(text = "") { return decode(String(text), "utf8"); }
}
class TextDecoder {
  constructor(label = "utf-8") {
    if (!/^utf-?8$/i.test(label)) throw new RangeError(`TextDecoder knows utf-8 only, not ${label}`);
  }
  get encoding() { return "utf-8"; }
  decode(bytes = new Uint8Array()) { return encode(bytes_of(bytes), "utf8").replace(/^\uFEFF/, ""); }
}
const btoa = (text) => encode(decode(String(text), "latin1"), "base64");
const atob = (text) => encode(decode(String(text), "base64"), "latin1");
Object.assign(globalThis, { Buffer, TextEncoder, TextDecoder, btoa, atob });
