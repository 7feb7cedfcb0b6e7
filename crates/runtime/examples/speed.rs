//! scratch
#![allow(
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::allow_attributes_without_reason,
    clippy::allow_attributes,
    clippy::disallowed_methods
)]
use serde_json::json;
use showrunner_engine::command::StartRun;
use showrunner_engine::money::*;
use showrunner_engine::turn::{Answer, Usage};
use showrunner_journal::{Hooks, Journal, SqliteJournal, SqliteOptions};
use showrunner_providers::*;
use showrunner_runtime::*;
use std::sync::Arc;
use std::time::Instant;

#[derive(Debug)]
struct Echo;
#[async_trait::async_trait]
impl ModelProvider for Echo {
    fn name(&self) -> &str {
        "scripted"
    }
    fn mode(&self) -> Mode {
        Mode::Scripted
    }
    fn safety(&self) -> CallSafety {
        CallSafety::Idempotent
    }
    async fn complete(
        &self,
        r: &ModelRequest,
        _d: &dyn DeltaSink,
    ) -> Result<ModelAnswer, CallFailure> {
        Ok(ModelAnswer {
            answer: Answer::Output(
                json!({"text": "an answer of usual length for a short step", "score": 7}),
            ),
            usage: Usage { input_tokens: 100, output_tokens: 20, cached_tokens: 0 },
            cost: MicroUsd(10),
            model: "m".into(),
            simulated: true,
        })
    }
    async fn look_up(&self, _k: &str) -> Result<LookUp<ModelAnswer>, CallFailure> {
        Ok(LookUp::CannotSay)
    }
}
fn def(n: usize) -> String {
    let mut s = String::from(
        "showrunner: 1\nid: chain\ntitle: Chain\ninput: {type: object, properties: {brief: {type: string}}}\nsteps:\n",
    );
    for i in 0..n {
        let input = if i == 0 {
            "{{ input.brief }}".to_string()
        } else {
            format!("{{{{ steps.s{}.output.text }}}}", i - 1)
        };
        s += &format!(
            "  - id: s{i}\n    agent: worker\n    input: {{ brief: \"{input}\" }}\n    output: {{ type: object, required: [text, score], properties: {{ text: {{type: string}}, score: {{type: integer}} }} }}\n"
        );
    }
    s
}
async fn wait(rt: &Runtime, id: &showrunner_engine::id::RunId) {
    let _ = (rt, id);
}
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let dir = std::path::PathBuf::from(std::env::args().nth(1).unwrap_or("/work/tmp-speed".into()));
    let _ = std::fs::remove_dir_all(&dir);
    let feed = Feed::default();
    let done = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let notify = Arc::new(tokio::sync::Notify::new());
    let (d2, n2) = (done.clone(), notify.clone());
    let mut o = SqliteOptions::in_directory(&dir);
    o.hooks = Hooks {
        on_durable: Some(Arc::new(move |c: &showrunner_journal::Committed| {
            if !c.open {
                d2.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                n2.notify_one();
            }
        })),
        fatal: Arc::new(|m| println!("fatal {m}")),
    };
    let j = SqliteJournal::open(o).unwrap();
    let journal: Arc<dyn Journal> = j;
    let objects = journal.objects().clone();
    let mut p = Providers::new(Profiles::shipped());
    p.add_model(Arc::new(Echo), 10000);
    let rt = Runtime::new(
        Parts {
            journal,
            objects,
            clock: Arc::new(SystemClock::new().unwrap()),
            providers: p,
            feed,
        },
        Options::default(),
    );
    rt.agents().put(
        showrunner_engine::agent::AgentRecord::parse_markdown(
            "---\nname: worker\n---\nDo it for the brief.",
            "w.md",
        )
        .unwrap(),
    );
    let org = showrunner_engine::id::OrgId::from("org_default");
    let d = rt.library().publish(&org, &def(10), "me").await.unwrap().definition;
    let start = |rt: &Runtime| StartRequest {
        definition: d.clone(),
        start: StartRun {
            input: json!({"brief":"hello"}),
            started_by: "me".into(),
            ..Default::default()
        },
        id: None,
        idempotency: None,
    };
    // W1
    let n = 300;
    let t = Instant::now();
    for i in 0..n {
        rt.start(start(&rt)).await.unwrap();
        while done.load(std::sync::atomic::Ordering::Relaxed) <= i {
            notify.notified().await;
        }
    }
    let e = t.elapsed();
    println!(
        "W1 {} runs: {:?} per step {:.3} ms",
        n,
        e,
        e.as_secs_f64() * 1000.0 / (n as f64 * 10.0)
    );
    // W2
    for _ in 0..3 {
        let m = 5000;
        let base = done.load(std::sync::atomic::Ordering::Relaxed);
        let t = Instant::now();
        let sem = Arc::new(tokio::sync::Semaphore::new(500));
        let started = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let mut hs = vec![];
        for _ in 0..500 {
            let rt = rt.clone();
            let st = started.clone();
            let s = start(&rt);
            let done = done.clone();
            let _ = &sem;
            hs.push(tokio::spawn(async move {
                let _ = done;
                loop {
                    if st.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= m {
                        break;
                    }
                    rt.start(s.clone()).await.unwrap();
                }
            }));
        }
        for h in hs {
            h.await.unwrap();
        }
        while done.load(std::sync::atomic::Ordering::Relaxed) < base + m {
            notify.notified().await;
        }
        let e = t.elapsed();
        println!(
            "W2 {} runs: {:?} {:.0} steps/s resident {}",
            m,
            e,
            m as f64 * 10.0 / e.as_secs_f64(),
            rt.resident_count()
        );
    }
    let _ = wait;
}
