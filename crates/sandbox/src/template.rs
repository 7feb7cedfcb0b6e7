//! Renders a long template of an author's. Counted before it is read, because what reads it has
//! no limit of its own; rendered in a process that may die of it.

use minijinja::machinery::{Token, tokenize};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};
use serde_json::Value;

use crate::fault::Fault;
use crate::job::Template;

/// A longer source is refused. Reliability reference, SEC-04.
const SOURCE_BYTES_MAX: usize = 64 * 1024;
/// More operators are refused: 200 000 in a row overflow the stack of whoever reads them.
const OPERATORS_MAX: usize = 2_000;
/// Instructions that a rendering may take.
const FUEL: u64 = 500_000;
/// What it is called in messages.
const NAME: &str = "template";

/// Renders it to a text.
pub(crate) fn render(template: &Template) -> Result<Value, Fault> {
    check(&template.source)?;
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.remove_global("debug");
    environment.add_template(NAME, &template.source).map_err(|error| syntax(&error))?;
    let loaded = environment.get_template(NAME).map_err(|error| syntax(&error))?;
    let text = loaded.render(Serde(&template.context)).map_err(|error| thrown(&error))?;
    if text.len() > template.limits.output_bytes {
        return Err(too_large("the rendered text", template.limits.output_bytes, "bytes"));
    }
    Ok(Value::String(text))
}

/// Refuses what would be dangerous to read.
fn check(source: &str) -> Result<(), Fault> {
    if source.len() > SOURCE_BYTES_MAX {
        return Err(too_large("the template", SOURCE_BYTES_MAX, "bytes"));
    }
    let tokens = tokenize(source, false, SyntaxConfig::default());
    let operators = tokens.take_while(Result::is_ok).flatten().filter(|(t, _)| is_operator(t));
    if operators.count() > OPERATORS_MAX {
        return Err(too_large("the template", OPERATORS_MAX, "operators"));
    }
    Ok(())
}

/// Whether a token can make an expression deeper.
fn is_operator(token: &Token<'_>) -> bool {
    match token {
        Token::TemplateData(_)
        | Token::VariableStart
        | Token::VariableEnd
        | Token::BlockStart
        | Token::BlockEnd
        | Token::Str(_)
        | Token::String(_)
        | Token::Int(_)
        | Token::Int128(_)
        | Token::Float(_)
        | Token::Comma
        | Token::Colon => false,
        Token::Ident(word) => matches!(*word, "not" | "and" | "or" | "if" | "else" | "in" | "is"),
        _ => true,
    }
}

fn too_large(what: &str, limit: usize, unit: &str) -> Fault {
    Fault::TooLarge {
        what: what.to_owned(),
        limit: u64::try_from(limit).unwrap_or(u64::MAX),
        unit: unit.to_owned(),
        advice: "make it shorter, or split it over several steps".to_owned(),
    }
}

fn line_of(error: &minijinja::Error) -> u32 {
    error.line().and_then(|line| u32::try_from(line).ok()).unwrap_or(1)
}

fn what(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

fn syntax(error: &minijinja::Error) -> Fault {
    Fault::Syntax { file: NAME.to_owned(), line: line_of(error), column: 1, message: what(error) }
}

fn thrown(error: &minijinja::Error) -> Fault {
    let advice = match error.kind() {
        ErrorKind::OutOfFuel => "; it loops too often: compute less in it",
        ErrorKind::UndefinedError => "; only what is given to the template can be filled in",
        _ => "",
    };
    Fault::Thrown {
        name: "TemplateError".to_owned(),
        message: format!("{}{advice}", what(error)),
        stack: format!("at {NAME}:{}", line_of(error)),
        code: None,
        status: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rendered(source: &str, context: Value) -> Result<String, Fault> {
        let template = Template { source: source.to_owned(), context, ..Template::default() };
        render(&template).map(|text| text.as_str().unwrap().to_owned())
    }

    #[test]
    fn places_are_filled_in_and_what_is_filled_in_is_not_read_again() {
        let context = json!({"name": "{{ 7 * 7 }} & <b>", "items": [1, 2]});
        let text = "Hi {{ name }}!{% for i in items %} {{ i }}{% endfor %}";
        assert_eq!(rendered(text, context).unwrap(), "Hi {{ 7 * 7 }} & <b>! 1 2");
    }

    #[test]
    fn what_is_missing_is_said_with_its_line() {
        let fault = rendered("a\n{{ nobody.name }}", json!({})).unwrap_err();
        assert!(fault.to_string().contains("undefined"), "{fault}");
        assert!(fault.to_string().contains("template:2"), "{fault}");
        let fault = rendered("a\n\n{{ 1 + }}", json!({})).unwrap_err();
        assert!(matches!(fault, Fault::Syntax { line: 3, .. }), "{fault}");
    }

    #[test]
    fn the_context_is_not_printed_whole() {
        let secret = json!({"secret": "canary-77"});
        for source in ["{{ debug() }}", "{{ self }}", "{{ __class__ }}", "{{ context }}"] {
            let said = format!("{:?}", rendered(source, secret.clone()));
            assert!(!said.contains("canary"), "{source}: {said}");
            assert!(said.starts_with("Err"), "{source}: {said}");
        }
    }

    #[test]
    fn what_would_overflow_the_stack_is_refused_unread() {
        let forms = [
            ("not ", "1"),
            ("- ", "1"),
            ("", "|int"),
            ("", ".a"),
            ("", "+1"),
            ("", " and 1"),
            ("", "**1"),
            ("", " if 1 else 1"),
            ("(", ""),
            ("[", ""),
            ("", "[0]"),
            ("", "~1"),
        ];
        for (before, after) in forms {
            let count = 200_000;
            let long = format!("{{{{ {}x{} }}}}", before.repeat(count), after.repeat(count));
            let refused = rendered(&long, json!({"x": 1})).unwrap_err();
            assert!(matches!(refused, Fault::TooLarge { .. }), "{before}{after}: {refused}");
            let count = 60_000 / (before.len() + after.len());
            let shorter = format!("{{{{ {}x{} }}}}", before.repeat(count), after.repeat(count));
            let refused = rendered(&shorter, json!({"x": 1})).unwrap_err();
            assert!(matches!(refused, Fault::TooLarge { .. }), "{before}{after}: {refused}");
        }
        // A string that looks like the end of a place hides nothing.
        let hidden = format!("{{# \" #}}{{{{ '}}}}' ~ {}1 }}}} \"", "not ".repeat(3_000));
        assert!(matches!(rendered(&hidden, json!({})), Err(Fault::TooLarge { .. })));
    }
}
