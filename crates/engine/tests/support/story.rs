//! A story: a definition, commands one a line, and what comes of each.

use std::fmt::Write as _;

use expect_test::Expect;
use showrunner_engine::due::due_after;

use super::show;
use super::words::Line;
use super::world::{World, load};

/// Tells the story and compares it. `UPDATE_EXPECT=1` writes what happens into the test.
#[expect(clippy::needless_pass_by_value, reason = "`expect![…]` reads best as the last argument")]
pub(crate) fn check(definition: &str, commands: &str, expect: Expect) {
    let mut world = World::new(&load(definition));
    expect.assert_eq(&tell(&mut world, commands));
}

/// Runs the commands; the text says what came of each.
pub(crate) fn tell(world: &mut World, commands: &str) -> String {
    let mut text = String::new();
    for line in commands.lines().map(str::trim) {
        if line.is_empty() || line.starts_with("//") {
            continue;
        }
        let _ = writeln!(text, "> {line}");
        text.push_str(&one(world, &Line::read(line)));
    }
    text
}

fn one(world: &mut World, line: &Line) -> String {
    let mut text = String::new();
    let command = world.command(line);
    if line.word(0) == "tick" {
        let _ = writeln!(text, "  at {}", show::clock(world.now));
    }
    match world.submit(command) {
        Err(refusal) => {
            let _ = writeln!(text, "  refused {}: {refusal}", refusal.code());
        },
        Ok(events) => {
            for event in &events {
                let _ = writeln!(text, "  {}", show::event(world, event));
            }
            for effect in due_after(&world.run, &events) {
                let _ = writeln!(text, "  ! {}", show::effect(world, &effect));
            }
            let _ = writeln!(text, "  = {}", show::standing(&world.run));
        },
    }
    text
}
