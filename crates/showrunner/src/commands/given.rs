//! Values given on the command line: JSON, `key=value`, files.

use std::fs;
use std::io::Read;
use std::path::Path;

use serde_json::{Map, Value};

use crate::fault::{Fault, Outcome};

/// What the API accepts in one body; a larger file is refused before it is read whole.
pub(super) const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// JSON given to the option `name`.
pub(super) fn json(name: &str, text: &str) -> Outcome<Value> {
    if let Some(file) = text.strip_prefix('@') {
        return json_file(name, Path::new(file));
    }
    serde_json::from_str(text).map_err(|error| {
        Fault::usage(format!("{name} is not JSON"))
            .because(format!("column {}: {error}", error.column()))
            .hint(format!(
                "quote it for the shell: {name} '{{\"headline\": \"…\"}}', or {name} @FILE"
            ))
    })
}

/// JSON given to the option `name`, which must be an object.
pub(super) fn object(name: &str, text: &str) -> Outcome<Value> {
    let value = json(name, text)?;
    if value.is_object() {
        return Ok(value);
    }
    Err(Fault::usage(format!("{name} must be a JSON object"))
        .because(format!("it is {value}"))
        .hint(format!("write {name} '{{\"name\": \"value\"}}'")))
}

/// JSON in a file, `-` for standard input.
pub(super) fn json_file(name: &str, file: &Path) -> Outcome<Value> {
    let text = read_text(file)?;
    serde_json::from_str(&text).map_err(|error| {
        let (shown, line, column) = (file.display(), error.line(), error.column());
        Fault::usage(format!("{shown}:{line}:{column}: not JSON"))
            .because(format!("{error} (it was given to {name})"))
    })
}

/// The text of a file of at most [`FILE_BYTES_MAX`], `-` for standard input.
pub(super) fn read_text(file: &Path) -> Outcome<String> {
    let is_stdin = file == Path::new("-");
    let shown = if is_stdin { "standard input".to_owned() } else { file.display().to_string() };
    let cannot = |error: std::io::Error| {
        Fault::usage(format!("{shown} cannot be read")).because(error.to_string())
    };
    let mut bytes = Vec::new();
    let mut source: Box<dyn Read> = if is_stdin {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(fs::File::open(file).map_err(cannot)?)
    };
    source.by_ref().take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(Fault::refused(format!("{shown} is larger than {FILE_BYTES_MAX} bytes"))
            .because("that is the most a server takes in one body")
            .hint("definitions and inputs are text: move pictures and data out of them"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Fault::refused(format!("{shown} is not UTF-8 text"))
            .because(format!("byte {} begins no character", at + 1))
            .hint("save it as UTF-8")
    })
}

/// `key=value` pairs as an object. `schema` decides between text and JSON; without it a value that
/// reads as JSON is JSON.
pub(super) fn pairs(pairs: &[String], schema: Option<&Value>) -> Outcome<Map<String, Value>> {
    let mut object = Map::new();
    for pair in pairs {
        let (key, text) = pair.split_once('=').ok_or_else(|| {
            Fault::usage(format!("-i {pair} has no `=`"))
                .hint("write -i name=value; for much input use --input FILE.json")
        })?;
        let text = match text.strip_prefix('@') {
            Some(file) => read_text(Path::new(file))?,
            None => text.to_owned(),
        };
        let value = value(text, schema.and_then(|s| s.pointer(&format!("/properties/{key}/type"))));
        if object.insert(key.to_owned(), value).is_some() {
            return Err(Fault::usage(format!("-i {key} is given twice")));
        }
    }
    Ok(object)
}

fn value(text: String, kind: Option<&Value>) -> Value {
    if kind.and_then(Value::as_str) == Some("string") {
        return Value::String(text);
    }
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

/// The number of an event, as an argument.
pub(super) fn seq(text: &str) -> Result<u64, String> {
    text.trim().parse().map_err(|error| {
        format!("{error}; write an event's number, as showrunner events shows it, or 0 for all")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{object, pairs};

    #[test]
    fn the_schema_decides_what_a_number_is() {
        let given = ["title=2026".to_owned(), "count=3".to_owned(), "brief=朝=夜".to_owned()];
        let schema =
            json!({"properties": {"title": {"type": "string"}, "count": {"type": "integer"}}});
        let object = pairs(&given, Some(&schema)).unwrap();
        assert_eq!(json!(object), json!({"title": "2026", "count": 3, "brief": "朝=夜"}));
    }

    #[test]
    fn mistakes_say_what_to_write() {
        let fault = pairs(&["title".to_owned()], None).unwrap_err();
        assert!(fault.hints[0].contains("name=value"), "{fault:?}");
        let fault = object("--edits", "[1]").unwrap_err();
        assert!(fault.what.contains("--edits must be a JSON object"), "{fault:?}");
    }
}
