#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use expect_test::{Expect, expect};
use serde_json::json;

use super::*;

fn problems(text: &str, expected: &Expect) {
    let found = AgentRecord::parse_markdown(text, "a.md").unwrap_err();
    expected.assert_eq(&found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_whole_agent_file_is_read() {
    let agent = AgentRecord::parse_markdown(
        "---\nname: strategist\nversion: 3\ntitle: { en: Strategist, ja: 戦略担当 }\n\
         role: strategy\ndepartment: creative\nmodel: scripted-large\n\
         settings: { temperature: 0.7, max_output_tokens: 900 }\nskills: [positioning]\n\
         tools: [search]\noutput_schema:\n  type: object\n  required: [hook]\n---\n\n\
         Find the idea.\n",
        "strategist.md",
    )
    .unwrap();
    assert_eq!(&*agent.name, "strategist");
    assert_eq!((agent.version, agent.kind), (3, AgentKind::Model));
    assert_eq!(agent.title.in_language("ja"), "戦略担当");
    assert_eq!((agent.role.as_str(), agent.department.as_deref()), ("strategy", Some("creative")));
    assert_eq!((&*agent.model, agent.settings.max_output_tokens), ("scripted-large", 900));
    assert_eq!(agent.tools, ["search"]);
    assert!(!agent.output_schema.as_ref().unwrap().accepts(&json!({})));
    assert_eq!(&*agent.render(&json!({}), None).unwrap(), "Find the idea.");
}

#[test]
fn defaults_are_those_of_a_model_agent() {
    let agent = AgentRecord::parse_markdown("---\r\nname: qa\r\n---\r\nCheck.", "qa.md").unwrap();
    assert_eq!((agent.version, agent.kind, &*agent.model), (1, AgentKind::Model, "default"));
    assert_eq!((agent.title.en.as_str(), agent.role.as_str()), ("qa", "qa"));
}

#[test]
fn kinds_that_come_later_are_read_and_refused() {
    for kind in ["context", "api", "tool", "orchestrator", "remote", "media"] {
        let text = format!("---\nname: x\nkind: {kind}\n---\nWork.");
        let agent = AgentRecord::parse_markdown(&text, "x.md").unwrap();
        let refused = agent.check_runs_as_model().unwrap_err();
        assert_eq!(refused.code, "agent_kind_unsupported", "{kind}");
        assert_eq!(agent.kind.runs(), kind == "media");
    }
}

#[test]
fn every_problem_names_its_line_and_what_to_do() {
    problems(
        "Just text",
        &expect![[
            r#"a.md:1: there is no front matter (begin the file with a line `---`, then `name: …`, then another line `---`)"#
        ]],
    );
    problems(
        "---\nname: a\nnever closed",
        &expect![[
            r#"a.md:1: there is no front matter (begin the file with a line `---`, then `name: …`, then another line `---`)"#
        ]],
    );
    problems(
        "---\nname: a\ncolour: red\n---\nx",
        &expect![
            "a.md:3: unknown field `colour`, expected one of name, version, kind, title, role, department, model, settings, skills, tools, env, output_schema (see `title: { en, ja }`, `settings: { temperature, max_output_tokens }` and the other fields of an agent file)"
        ],
    );
    problems(
        "---\nversion: 1\n---\nx",
        &expect![
            "a.md:2: missing field `name` (see `title: { en, ja }`, `settings: { temperature, max_output_tokens }` and the other fields of an agent file)"
        ],
    );
    problems(
        "---\nname: no spaces\nversion: 0\nsettings:\n  temperature: 3\noutput_schema:\n  type: 7\n---\n",
        &expect![[r#"
            a.md:2: `no spaces` is no agent name (1 to 64 letters, digits, `_` and `-`)
            a.md:3: versions count from 1
            a.md:4: `temperature` is outside 0 to 2
            a.md:6: `output_schema` is no JSON Schema: 7 is not valid under any of the schemas listed in the 'anyOf' keyword
            a.md:9: there are no instructions (write them below the second `---`)"#]],
    );
}

#[test]
fn instructions_are_filled_in_per_attempt() {
    let text = "---\nname: a\n---\nWrite for {{ input.brand.name }}.\n\n{{ feedback }}";
    let agent = AgentRecord::parse_markdown(text, "a.md").unwrap();
    let input = json!({"brand": {"name": "Kaze"}});
    assert_eq!(agent.render(&input, None).unwrap().trim(), "Write for Kaze.");
    let note = json!("Shorter.");
    assert_eq!(&*agent.render(&input, Some(&note)).unwrap(), "Write for Kaze.\n\nShorter.");
    problems(
        "---\nname: a\n---\n\nFine.\n{{ input. }}",
        &expect![
            "a.md:6: expected the name of a member, found the end of the expression (`{{ input.x }}` and `{{ feedback }}` can be filled in)"
        ],
    );
    problems(
        "---\nname: a\n---\n{{ steps.draft.output }}",
        &expect![
            "a.md:4: instructions cannot see `steps` (only `input` and `feedback` can be filled in)"
        ],
    );
}

#[test]
fn a_function_agent_is_its_one_block_of_code() {
    let text = "---\nname: f\nkind: function\nenv: [API_KEY]\n---\nAdds one.\n\n```yaml\nn: 1\n```\n\n```js\nexport default (ctx) => `{{ ${ctx.input.n} }}`;\n```\n";
    let agent = AgentRecord::parse_markdown(text, "f.md").unwrap();
    let function = agent.function.as_ref().unwrap();
    assert_eq!(&*function.code, "export default (ctx) => `{{ ${ctx.input.n} }}`;\n");
    assert_eq!((function.line, agent.env.as_slice()), (13, &["API_KEY".to_owned()][..]));
    assert_eq!(text.lines().nth(12).unwrap(), function.code.trim_end());
    assert!(agent.kind.runs());
    problems(
        "---\nname: f\nkind: function\n---\nNo code.",
        &expect![
            "a.md:5: a function agent has one block of JavaScript, not 0 (put the code in one block between a line ```js and a line ```)"
        ],
    );
    problems(
        "---\nname: f\nkind: function\n---\n```js\n1\n```\n```js\n2\n```",
        &expect![
            "a.md:9: a function agent has one block of JavaScript, not 2 (put the code in one block between a line ```js and a line ```)"
        ],
    );
    problems(
        "---\nname: f\nkind: function\n---\n\n```js\n1",
        &expect![
            "a.md:6: the block of JavaScript is not closed (put the code in one block between a line ```js and a line ```)"
        ],
    );
    problems(
        "---\nname: m\nenv: [KEY]\n---\nWrite.",
        &expect!["a.md:3: `env` is of no use here (only agents of kind function see variables)"],
    );
}
