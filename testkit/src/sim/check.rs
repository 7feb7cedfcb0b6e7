//! What must be true of a world when everything has ended.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use showrunner_engine::definition::{self, Definition};
use showrunner_engine::event::Event;
use showrunner_engine::id::RunId;
use showrunner_engine::run::Run;
use showrunner_engine::turn::CallKind;
use showrunner_providers::ledger::Ledger;

use super::World;

/// What is wrong with a world.
#[derive(Debug, Default)]
pub struct Findings(pub Vec<String>);

impl Findings {
    /// Whether every promise was kept.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn stuck(&mut self, open: &[String]) {
        self.0.push(format!("still open after more time than anything needs: {}", open.join(", ")));
    }

    fn expect(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.0.push(what());
        }
    }
}

/// Reads the whole journal and holds it against the provider's books.
pub fn examine(world: &World) -> (String, Findings) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("it can be built");
    runtime.block_on(async {
        let mut findings = Findings::default();
        let mut transcript = String::new();
        let mut billed = BTreeMap::new();
        let definitions = definitions(world);
        for (id, _) in world.all_runs().await {
            let run =
                read(world, &id, &definitions, (&mut transcript, &mut billed), &mut findings).await;
            if let Some(run) = run {
                examine_run(&run, &mut findings);
            }
        }
        examine_money(world, &billed, &mut findings);
        (transcript, findings)
    })
}

fn definitions(world: &World) -> BTreeMap<String, Arc<Definition>> {
    world
        .story
        .definitions
        .iter()
        .filter_map(|source| definition::load(source, "story", 1).ok())
        .map(|definition| (definition.slug.clone(), Arc::new(definition)))
        .collect()
}

async fn read(
    world: &World,
    id: &RunId,
    definitions: &BTreeMap<String, Arc<Definition>>,
    books: (&mut String, &mut BTreeMap<String, i64>),
    findings: &mut Findings,
) -> Option<Run> {
    let (transcript, billed) = books;
    let batches = world.journal.read(id, 0).await.expect("it can be read");
    let mut run: Option<Run> = None;
    let mut next = 1;
    for batch in &batches {
        let _written =
            writeln!(transcript, "{id} {} @{} {}", batch.seq_first, batch.at.0, batch.body);
        findings.expect(batch.seq_first == next, || format!("{id}: event {next} is missing"));
        next = batch.seq_last + 1;
        for event in batch.events().expect("it decodes") {
            if let Event::RunStarted(started) = &event {
                findings.expect(run.is_none(), || format!("{id} started twice"));
                let definition = definitions.get(&started.definition.slug)?;
                run = Some(Run::new(id.clone(), Arc::clone(definition)));
            }
            note_calls(id, &event, billed);
            if let Some(run) = &mut run {
                showrunner_engine::apply(run, batch.at, &event);
            }
        }
    }
    run
}

fn note_calls(id: &RunId, event: &Event, billed: &mut BTreeMap<String, i64>) {
    if let Event::DoubtResolved { token, call, cost, .. } = event
        && cost.0 > 0
    {
        *billed.entry(format!("{id}/{token}/{call}")).or_insert(0) += cost.0;
    }
    if let Event::AttemptSettled { token, unknown: Some(_), .. } = event {
        // Said to be unknown: whatever the vendor billed for it is not a surprise.
        billed.insert(format!("{id}/{token}/?"), 0);
    }
    let calls = match event {
        Event::CallRecorded { call, .. } => std::slice::from_ref(call),
        Event::StepSucceeded { calls, .. }
        | Event::AttemptFailed { calls, .. }
        | Event::AttemptSettled { calls, .. } => calls,
        _ => return,
    };
    // A child run's price is on its own bill already.
    for call in calls.iter().filter(|call| call.kind != CallKind::Run) {
        *billed.entry(call.billed_key.clone()).or_insert(0) += call.cost.0;
    }
}

fn examine_run(run: &Run, findings: &mut Findings) {
    let id = &run.id;
    findings.expect(run.is_ended(), || format!("{id} has not ended: {}", run.status().name()));
    findings.expect(run.reserved == run.unknown, || format!("{id} still holds {:?}", run.reserved));
    findings.expect(run.open.is_empty(), || format!("{id} has ended with open steps"));
    let due = showrunner_engine::due(run).len();
    findings.expect(due == 0, || format!("{id} has ended with {due} effects due"));
}

/// The vendor's books against ours: nothing twice, nothing lost, to the unit.
fn examine_money(world: &World, ours: &BTreeMap<String, i64>, findings: &mut Findings) {
    let report = world.ledger.report().expect("the books can be read");
    findings.expect(report.keys_billed_twice_count == 0, || {
        format!("billed twice: {:?}", report.keys_billed_twice)
    });
    let mut theirs: BTreeMap<String, i64> = BTreeMap::new();
    for entry in world.ledger.entries() {
        if entry.billed_micro_usd > 0 {
            *theirs.entry(entry.key).or_insert(0) += entry.billed_micro_usd;
        }
    }
    for (key, cost) in ours {
        let vendor = theirs.get(key).copied().unwrap_or(0);
        findings
            .expect(vendor == *cost, || format!("{key}: we booked {cost}, the vendor {vendor}"));
    }
    for (key, cost) in &theirs {
        let attempt = key.rsplit_once('/').map_or("", |(attempt, _)| attempt);
        let admitted = ours.contains_key(&format!("{attempt}/?"));
        findings.expect(admitted || ours.contains_key(key), || {
            format!("{key}: the vendor billed {cost}, which is on no bill of ours")
        });
    }
}
