//! What the author's world is made with: the few things that JavaScript cannot do itself. None of
//! them reaches outside the process.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use rquickjs::{Ctx, Exception, Function, Object, Result, TypedArray};
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use url::{Url, form_urlencoded};

type Octets<'js> = TypedArray<'js, u8>;

/// Base 64 as node reads it: with or without padding.
const FORGIVING: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, FORGIVING);
const BASE64_URL: GeneralPurpose =
    GeneralPurpose::new(&alphabet::URL_SAFE, FORGIVING.with_encode_padding(false));

/// The object that the realm is built from.
pub(super) fn natives<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let native = Object::new(ctx.clone())?;
    native.set("encode", Function::new(ctx.clone(), encode)?)?;
    native.set("decode", Function::new(ctx.clone(), decode)?)?;
    native.set("hash", Function::new(ctx.clone(), hash)?)?;
    native.set("hmac", Function::new(ctx.clone(), keyed)?)?;
    native.set("same", Function::new(ctx.clone(), same)?)?;
    native.set(
        "url",
        Function::new(ctx.clone(), |text: String, base: String| parts(&text, &base))?,
    )?;
    native.set("url_set", Function::new(ctx.clone(), with_part)?)?;
    native.set("form_parse", Function::new(ctx.clone(), |text: String| form_parse(&text))?)?;
    native.set("form_write", Function::new(ctx.clone(), |pairs: String| form_write(&pairs))?)?;
    Ok(native)
}

/// Bytes as they come: a text of one character a byte.
fn octets(packed: &str) -> Vec<u8> {
    packed.chars().map(|c| u8::try_from(u32::from(c) & 0xff).unwrap_or(0)).collect()
}

fn encode(packed: String, encoding: String) -> String {
    match encoding.as_str() {
        "base64" => BASE64.encode(octets(&packed)),
        "base64url" => BASE64_URL.encode(octets(&packed)),
        "hex" => hex(&octets(&packed)),
        "latin1" => packed,
        _ => String::from_utf8_lossy(&octets(&packed)).into_owned(),
    }
}

fn decode(ctx: Ctx<'_>, text: String, encoding: String) -> Result<Octets<'_>> {
    let bytes = match encoding.as_str() {
        // As node does: both alphabets, and what is no digit is passed over.
        "base64" | "base64url" => {
            let digits: String = text
                .chars()
                .filter_map(|c| match c {
                    '-' => Some('+'),
                    '_' => Some('/'),
                    c if c.is_ascii_alphanumeric() || c == '+' || c == '/' => Some(c),
                    _ => None,
                })
                .collect();
            BASE64.decode(digits).unwrap_or_default()
        },
        "hex" => unhex(&text),
        "latin1" => octets(&text),
        _ => text.into_bytes(),
    };
    TypedArray::new(ctx, bytes)
}

fn hash(ctx: Ctx<'_>, name: String, packed: String) -> Result<Octets<'_>> {
    let data = octets(&packed);
    let digest = match name.as_str() {
        "md5" => Md5::digest(data).to_vec(),
        "sha1" => Sha1::digest(data).to_vec(),
        "sha512" => Sha512::digest(data).to_vec(),
        _ => Sha256::digest(data).to_vec(),
    };
    TypedArray::new(ctx, digest)
}

fn keyed(ctx: Ctx<'_>, name: String, key: String, packed: String) -> Result<Octets<'_>> {
    let (key, data) = (&octets(&key), &octets(&packed));
    let digest = match name.as_str() {
        "md5" => mac::<Hmac<Md5>>(key, data),
        "sha1" => mac::<Hmac<Sha1>>(key, data),
        "sha512" => mac::<Hmac<Sha512>>(key, data),
        _ => mac::<Hmac<Sha256>>(key, data),
    };
    let digest = digest.ok_or_else(|| Exception::throw_type(&ctx, "this key cannot be used"))?;
    TypedArray::new(ctx, digest)
}

fn mac<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    let mut mac = <M as KeyInit>::new_from_slice(key).ok()?;
    mac.update(data);
    Some(mac.finalize().into_bytes().to_vec())
}

/// Compares all bytes, wherever they differ.
fn same(one: String, other: String) -> bool {
    let (one, other) = (octets(&one), octets(&other));
    let differing = one.iter().zip(&other).fold(0, |all, (a, b)| all | (a ^ b));
    one.len() == other.len() && differing == 0
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS.get(usize::from(value)).copied().unwrap_or(b'0'));
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Pairs of hexadecimal digits, up to the first that is none, as node reads them.
fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks_exact(2);
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.map_while(pair).collect()
}

/// The parts of a URL as JSON; `null` when it is none.
fn parts(text: &str, base: &str) -> String {
    let parsed = if base.is_empty() {
        Url::parse(text)
    } else {
        Url::parse(base).and_then(|base| base.join(text))
    };
    parsed.map_or_else(|_| "null".to_owned(), |url| shown(&url))
}

fn shown(url: &Url) -> String {
    let part = |lead: &str, value: Option<&str>| match value {
        Some(value) if !value.is_empty() => format!("{lead}{value}"),
        _ => String::new(),
    };
    let hostname = url.host_str().unwrap_or_default();
    let door = url.port().map(|port| port.to_string()).unwrap_or_default();
    json!({
        "href": url.as_str(),
        "protocol": format!("{}:", url.scheme()),
        "username": url.username(),
        "password": url.password().unwrap_or_default(),
        "host": if door.is_empty() { hostname.to_owned() } else { format!("{hostname}:{door}") },
        "hostname": hostname,
        "port": door,
        "pathname": url.path(),
        "search": part("?", url.query()),
        "hash": part("#", url.fragment()),
        "origin": url.origin().ascii_serialization(),
    })
    .to_string()
}

/// A URL with one part changed; unchanged where that is no such part.
fn with_part(href: String, part: String, value: String) -> String {
    let Ok(mut url) = Url::parse(&href) else { return "null".to_owned() };
    let bare = |lead: char| value.strip_prefix(lead).unwrap_or(&value).to_owned();
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    let changed: std::result::Result<(), ()> = match part.as_str() {
        "href" => return parts(&value, ""),
        "protocol" => url.set_scheme(value.trim_end_matches(':')),
        "username" => url.set_username(&value),
        "password" => url.set_password(some(value.clone()).as_deref()),
        "hostname" => url.set_host(Some(&value)).map_err(|_none| ()),
        "host" => match value.split_once(':') {
            Some((name, door)) => url
                .set_host(Some(name))
                .map_err(|_none| ())
                .and_then(|()| url.set_port(door.parse().ok())),
            None => url.set_host(Some(&value)).map_err(|_none| ()),
        },
        "port" => url.set_port(value.parse().ok()),
        "pathname" => {
            url.set_path(&value);
            Ok(())
        },
        "search" => {
            url.set_query(some(bare('?')).as_deref());
            Ok(())
        },
        _ => {
            url.set_fragment(some(bare('#')).as_deref());
            Ok(())
        },
    };
    // The standard ignores what does not fit.
    if changed.is_err() { parts(&href, "") } else { shown(&url) }
}

fn form_parse(text: &str) -> String {
    let pairs: Vec<(String, String)> =
        form_urlencoded::parse(text.as_bytes()).into_owned().collect();
    json!(pairs).to_string()
}

fn form_write(pairs: &str) -> String {
    let pairs: Vec<(String, String)> = serde_json::from_str::<Value>(pairs)
        .ok()
        .and_then(|pairs| serde_json::from_value(pairs).ok())
        .unwrap_or_default();
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}
