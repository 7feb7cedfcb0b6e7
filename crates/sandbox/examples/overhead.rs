//! What a call costs: `cargo run -p showrunner-sandbox --example overhead -- PROGRAM`, where
//! PROGRAM is a built `showrunner` or `sandbox-probe`.
#![expect(clippy::print_stdout, reason = "its figures are what it is for")]

use std::time::Duration;

use showrunner_sandbox::{Denied, Function, Job, Pool, PoolOptions, Unattended};
use tokio::time::Instant;

const CALLS: u32 = 60;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let program = std::env::args().nth(1).ok_or("which program?")?;
    for (name, spare, pause) in [
        ("a process started for the call", 0, Duration::ZERO),
        ("a process that waits ready", 2, Duration::from_millis(60)),
        ("one after another, two waiting ready", 2, Duration::ZERO),
    ] {
        let pool = Pool::new(PoolOptions { spare, ..PoolOptions::new(&program) });
        let job = Job::Function(Box::new(Function {
            code: "export default (ctx) => ctx.input.n + 1".to_owned(),
            line: 1,
            file: "f.md".to_owned(),
            input: serde_json::json!({"n": 1}),
            ..Function::default()
        }));
        let mut times = Vec::new();
        for _ in 0..CALLS {
            tokio::time::sleep(pause).await;
            let began = Instant::now();
            pool.run("t", &job, &Unattended(&Denied)).await.result?;
            times.push(began.elapsed());
        }
        times.sort();
        let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or_default();
        println!("{name}: median {:.1?}, 90 % {:.1?}", at(50), at(90));
    }
    Ok(())
}
