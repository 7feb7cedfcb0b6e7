//! The built server, killed without warning again and again while clients, people and watchers
//! go about their work; then the faults stop, everything must end, and a checker outside holds
//! what the server says against what clients were told and against the provider's own books.
#![expect(clippy::print_stdout, reason = "the counts are part of the result")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

#[path = "support/support.rs"]
mod support;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use showrunner_testkit::throwaway_postgres::ThrowawayPostgres;
use support::check::{Verdict, examine};
use support::client::{Client, Door};
use support::dice::Dice;
use support::load::{Accepted, Order, brand, place, publish, requests, runs, spread};
use support::people::{Deeds, look_after};
use support::server::{Home, Server};
use support::stream::{Seen, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How long everything may take to end once the faults have stopped.
const HEALING_MAX: Duration = Duration::from_mins(1);
/// How many runs are watched live from beginning to end.
const WATCHED: usize = 12;

/// What is done to the server.
struct Plan {
    name: &'static str,
    seed: u64,
    kills: u64,
    requests: usize,
    rounds: usize,
}

/// What happened to the server.
#[derive(Debug, Default)]
struct Chaos {
    kills: u64,
    early: u64,
    pauses: u64,
    restarts: Vec<Duration>,
}

impl Chaos {
    fn restarted(&mut self, server: &Server) {
        self.restarts.push(server.age());
    }

    /// The median and the longest time from start to first answer.
    fn restart_times(&mut self) -> (Duration, Duration) {
        self.restarts.sort();
        let middle = self.restarts[self.restarts.len() / 2];
        (middle, self.restarts.last().copied().unwrap_or_default())
    }
}

/// Kills and restarts until there were enough kills; hands back the last server, alive.
async fn rage(home: &Home, door: &Door, mut server: Server, plan: &Plan) -> (Server, Chaos) {
    let (mut dice, mut chaos) = (Dice::new(plan.seed), Chaos::default());
    while chaos.kills < plan.kills {
        if dice.percent(20) && chaos.kills > 0 {
            // In the middle of a start, perhaps in the middle of a recovery.
            nap(dice.between(5, 150)).await;
            chaos.early += 1;
        } else {
            door.open(server.ready().await);
            chaos.restarted(&server);
            nap(dice.between(10, 700)).await;
            if dice.percent(5) || chaos.kills == plan.kills / 2 {
                server.stop();
                nap(dice.between(1_000, 2_000)).await;
                server.go_on();
                nap(dice.between(10, 100)).await;
                chaos.pauses += 1;
            }
        }
        server.kill();
        door.shut();
        chaos.kills += 1;
        server = home.spawn();
    }
    door.open(server.ready().await);
    chaos.restarted(&server);
    (server, chaos)
}

async fn nap(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

/// Other chaos, where somebody wants it: `SHOWRUNNER_KILL_SEED=123`.
fn seed(usual: u64) -> u64 {
    std::env::var("SHOWRUNNER_KILL_SEED").map_or(usual, |seed| seed.parse().unwrap())
}

/// The whole story: work, chaos, healing, judgement.
async fn survive(home: &Home, plan: &Plan) {
    let began = Instant::now();
    let client = Client::new();
    let (server, address) = home.start().await;
    client.door.open(address);
    publish(&client).await;
    let mut orders = requests(&brand(&client).await, plan.requests);
    orders.extend(runs(plan.rounds));
    let is_over = Arc::new(AtomicBool::new(false));
    let people =
        tokio::spawn(look_after(client.clone(), home.data().to_owned(), Arc::clone(&is_over)));
    let crowd = tokio::spawn(crowd(client.clone(), orders, plan, Arc::clone(&is_over)));
    let (server, mut chaos) = rage(home, &client.door, server, plan).await;
    let raged = began.elapsed();
    let (accepted, watchers) = crowd.await.unwrap();
    heal(&client, &accepted).await;
    is_over.store(true, Ordering::Relaxed);
    let healed = began.elapsed().saturating_sub(raged);
    let deeds = people.await.unwrap();
    let watched = watchers.join_all().await;
    let verdict = examine(&client, home.data(), &accepted, (&deeds, &watched)).await;
    report(plan, (&mut chaos, &verdict), (&deeds, &watched), &client, (raged, healed));
    tell(&client, home, &verdict).await;
    verdict.must_be_clean();
    server.close();
    has_whole_chains(home);
}

/// Clients who arrive over the time of the chaos, and watchers of some of the runs.
fn crowd(
    client: Client,
    orders: Vec<Order>,
    plan: &Plan,
    is_over: Arc<AtomicBool>,
) -> impl Future<Output = (Vec<Accepted>, JoinSet<Seen>)> + use<> {
    let mut dice = Dice::new(plan.seed + 1);
    let time = Duration::from_millis(plan.kills * 450);
    async move {
        let mut clients = JoinSet::new();
        for order in orders {
            let wait = spread(&mut dice, time);
            clients.spawn(place(client.clone(), order, wait));
        }
        let (mut accepted, mut watchers) = (Vec::new(), JoinSet::new());
        while let Some(placed) = clients.join_next().await {
            let placed = placed.unwrap();
            if accepted.len().is_multiple_of(2) && watchers.len() < WATCHED {
                watchers.spawn(watch(client.clone(), placed.id.clone(), Arc::clone(&is_over)));
            }
            accepted.push(placed);
        }
        (accepted, watchers)
    }
}

/// Waits until every run has ended; whatever has not after the time for it is stuck, which the
/// checker will say.
async fn heal(client: &Client, accepted: &[Accepted]) {
    let began = Instant::now();
    while began.elapsed() < HEALING_MAX {
        let rows = client.all("/api/v1/runs").await;
        let is_open = |status: &str| !["completed", "failed", "cancelled"].contains(&status);
        let open = rows.iter().filter(|row| is_open(row["status"].as_str().unwrap())).count();
        if open == 0 && rows.len() >= accepted.len() {
            return;
        }
        nap(100).await;
    }
}

/// What there is to know about the runs that something is wrong with.
async fn tell(client: &Client, home: &Home, verdict: &Verdict) {
    let words = verdict
        .wrong
        .iter()
        .flat_map(|wrong| wrong.split(|c: char| !c.is_alphanumeric() && c != '_'));
    let runs: std::collections::BTreeSet<&str> =
        words.filter(|word| word.starts_with("run_")).collect();
    let books = std::fs::read_to_string(home.data().join("ledger/ledger.jsonl")).unwrap();
    for run in &runs {
        println!("--- {run}");
        for event in client.events(run).await {
            println!("{}", event.to_string().chars().take(400).collect::<String>());
        }
        for line in books.lines().filter(|line| line.contains(run)) {
            println!("billed: {}", line.chars().take(330).collect::<String>());
        }
    }
    if !runs.is_empty() {
        println!("{}", home.log());
    }
}

fn report(
    plan: &Plan,
    (chaos, verdict): (&mut Chaos, &Verdict),
    (deeds, watched): (&Deeds, &[Seen]),
    client: &Client,
    (raged, healed): (Duration, Duration),
) {
    let (restart_p50, restart_max) = chaos.restart_times();
    let seen: usize = watched.iter().map(|seen| seen.events.len()).sum();
    let breaks: u64 = watched.iter().map(|seen| seen.breaks).sum();
    println!(
        "kill loop {} (seed {}): {} kills ({} while starting, {} pauses), {} runs, {} steps, {} \
         events; restart p50 {restart_p50:.0?} max {restart_max:.0?}; sent again {} times; {} \
         decisions, {} callbacks, {} doubts ({} billed); {} calls billed, {} micro-dollars, {} \
         said to be unknown; {} pictures; {} watchers saw {seen} events over {breaks} breaks; \
         {raged:.1?} of chaos, healed in {healed:.1?}; lost {} doubled {} stuck {}",
        plan.name,
        plan.seed,
        chaos.kills,
        chaos.early,
        chaos.pauses,
        verdict.runs,
        verdict.steps,
        verdict.events,
        client.again.load(Ordering::Relaxed),
        deeds.decisions.values().sum::<u64>(),
        deeds.callbacks.len(),
        deeds.doubts,
        deeds.doubts_billed,
        verdict.calls_billed,
        verdict.billed_micros,
        verdict.calls_unknown,
        verdict.assets,
        watched.len(),
        verdict.lost,
        verdict.doubled,
        verdict.stuck,
    );
}

/// Every chain of hashes is whole; read by the program itself, with no server running.
fn has_whole_chains(home: &Home) {
    let url = home.flags.iter().position(|flag| flag == "--database-url");
    let mut args = vec!["verify", "--json", "--data-dir", home.data().to_str().unwrap()];
    if let Some(at) = url {
        args.extend(["--database-url", &home.flags[at + 1]]);
    }
    let said = home.run(&args);
    assert_eq!(said.ends(0).json()["broken"], serde_json::json!([]));
}

fn rough_day() -> String {
    let file = "../../examples/faults/rough-day.json";
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file).to_str().unwrap().to_owned()
}

fn home(safety: &str) -> Home {
    Home::new().with(&["--scripted-safety", safety, "--scripted-faults", &rough_day()])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_can_be_asked_is_paid_once_over_forty_kills() {
    let plan = Plan { name: "look-up", seed: seed(20_261_120), kills: 42, requests: 40, rounds: 4 };
    survive(&home("look-up"), &plan).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_counts_a_key_once_is_paid_once_over_forty_kills() {
    let plan = Plan { name: "idempotent", seed: seed(7), kills: 40, requests: 40, rounds: 3 };
    survive(&home("idempotent"), &plan).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_cannot_say_anything_is_paid_once_because_people_are_asked() {
    let plan = Plan { name: "neither", seed: seed(99), kills: 16, requests: 16, rounds: 3 };
    survive(&home("neither"), &plan).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_holds_on_postgres() {
    let Some(cluster) = ThrowawayPostgres::start_or_skip("the kill loop on Postgres") else {
        return;
    };
    let url = cluster.fresh_database("showrunner_kill_loop").await.unwrap();
    let plan = Plan { name: "postgres", seed: seed(11), kills: 14, requests: 16, rounds: 2 };
    survive(&home("look-up").with(&["--database-url", &url]), &plan).await;
}
