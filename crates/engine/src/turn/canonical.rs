//! One spelling for equal JSON, so that equal requests have equal digests.

use serde_json::Value;

use crate::id::Digest;

/// SHA-256 of the canonical text of `value`: no spaces, members of objects sorted by name.
pub fn digest_of(value: &Value) -> Digest {
    let mut text = Canonical::default();
    text.value(value);
    text.digest()
}

/// Canonical text in the making. Each part ends with a line feed, which JSON text never contains
/// bare, so no two different sequences of parts have the same text.
#[derive(Default)]
pub(super) struct Canonical(Vec<u8>);

impl Canonical {
    /// Adds a text.
    pub(super) fn text(&mut self, text: &str) {
        write_text(text, &mut self.0);
        self.0.push(b'\n');
    }

    /// Adds a JSON value.
    pub(super) fn value(&mut self, value: &Value) {
        write(value, &mut self.0);
        self.0.push(b'\n');
    }

    /// The digest of all parts.
    pub(super) fn digest(&self) -> Digest {
        Digest::of(&self.0)
    }
}

fn write(value: &Value, to: &mut Vec<u8>) {
    match value {
        Value::Null => to.extend_from_slice(b"null"),
        Value::Bool(true) => to.extend_from_slice(b"true"),
        Value::Bool(false) => to.extend_from_slice(b"false"),
        Value::Number(number) => to.extend_from_slice(number.to_string().as_bytes()),
        Value::String(text) => write_text(text, to),
        Value::Array(items) => {
            to.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    to.push(b',');
                }
                write(item, to);
            }
            to.push(b']');
        },
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_unstable_by_key(|(name, _)| name.as_str());
            to.push(b'{');
            for (at, (name, item)) in sorted.into_iter().enumerate() {
                if at > 0 {
                    to.push(b',');
                }
                write_text(name, to);
                to.push(b':');
                write(item, to);
            }
            to.push(b'}');
        },
    }
}

fn write_text(text: &str, to: &mut Vec<u8>) {
    #[expect(clippy::expect_used, reason = "writing a str into a Vec has no way to fail")]
    serde_json::to_writer(to, text).expect("a str is JSON");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_members_does_not_matter_the_order_of_items_does() {
        assert_eq!(
            digest_of(&json!({"a": 1, "b": [1, 2]})),
            digest_of(&json!({"b": [1, 2], "a": 1}))
        );
        assert_ne!(digest_of(&json!([1, 2])), digest_of(&json!([2, 1])));
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let parts = |texts: &[&str]| {
            let mut canonical = Canonical::default();
            for text in texts {
                canonical.text(text);
            }
            canonical.digest()
        };
        assert_ne!(parts(&["ab", "c"]), parts(&["a", "bc"]));
        assert_ne!(parts(&["a\nb"]), parts(&["a", "b"]));
    }
}
