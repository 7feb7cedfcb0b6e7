//! Whether the money is there for another attempt.

use super::settle::has_attempts;
use crate::definition::StepKind;
use crate::money::{Budget, MicroUsd, Spend};
use crate::run::{Run, StepNo};

/// Whose budget would not hold `more`, and the figures.
pub(super) fn over_budget(run: &Run, no: StepNo, more: Spend) -> Option<(String, String)> {
    accounts(run, no).into_iter().find_map(|account| {
        let committed = account.spent.plus(account.reserved).plus(more);
        let figures = || (account.whose.to_string(), figures(committed, &account.budget));
        (!account.budget.allows(committed)).then(figures)
    })
}

/// Whether `more` would fit if what others hold back were not needed after all.
pub(super) fn fits_later(run: &Run, no: StepNo, more: Spend) -> bool {
    accounts(run, no).iter().all(|account| account.budget.allows(account.spent.plus(more)))
}

/// What has to be held back before an attempt of step `no` begins. A child run whose author says
/// no figure may take all that is left.
pub(super) fn first_hold(run: &Run, no: StepNo) -> Spend {
    let def = run.def(no);
    let estimate = def.estimate.spend;
    if !estimate.is_zero() || !matches!(def.kind, StepKind::Orchestration(_)) {
        return estimate;
    }
    let mut rest: Option<Budget> = None;
    for account in accounts(run, no) {
        let taken = account.spent.plus(account.reserved);
        let left = Budget {
            cost: account.budget.cost.map(|max| MicroUsd((max.0 - taken.cost.0).max(0))),
            tokens: account.budget.tokens.map(|max| max.saturating_sub(taken.tokens)),
        };
        rest = Some(rest.map_or(left, |rest| rest.tighter(left)));
    }
    let rest = rest.unwrap_or_default();
    Spend { cost: rest.cost.unwrap_or(MicroUsd::ZERO), tokens: rest.tokens.unwrap_or(0) }
}

/// The budget of a child run: what its parent holds back for it, in whatever is limited there.
pub(crate) fn child_budget(run: &Run, no: StepNo, held: Spend) -> Budget {
    let limits = accounts(run, no).into_iter().map(|account| account.budget);
    let limit = limits.fold(Budget::default(), Budget::tighter);
    Budget { cost: limit.cost.map(|_| held.cost), tokens: limit.tokens.map(|_| held.tokens) }
}

/// Whether a step whose turn has come is held back because attempts in flight hold the money that
/// it may cost. It starts when they have cost less, and fails when they have not.
pub fn waits_for_money(run: &Run, no: StepNo) -> bool {
    let def = run.def(no);
    if !has_attempts(&def.kind) {
        return false;
    }
    let takes_the_rest =
        def.estimate.spend.is_zero() && matches!(def.kind, StepKind::Orchestration(_));
    // Something at least has to be left for whoever takes all that is.
    let least = Spend { cost: MicroUsd(1), tokens: 1 };
    let more = if takes_the_rest { least } else { def.estimate.spend };
    let mut is_short = false;
    for account in accounts(run, no) {
        let spent = account.spent.plus(more);
        if !account.budget.allows(spent) {
            return false;
        }
        is_short |= !account.budget.allows(spent.plus(account.reserved));
    }
    is_short
}

/// Whether any step could be held back at all while so much is spent and reserved.
pub(super) fn is_tight(run: &Run, reserved: Spend) -> bool {
    let definition = &run.definition;
    let fits = |spend: Spend| run.budget.allows(run.spent.plus(reserved).plus(spend));
    !definition.agent_budgets.is_empty()
        || definition.steps.iter().any(|step| {
            let takes_the_rest =
                matches!(step.kind, StepKind::Orchestration(_)) && run.budget != Budget::default();
            takes_the_rest || !fits(step.estimate.spend) || step.budget != Budget::default()
        })
}

enum Whose<'a> {
    Run,
    Step(&'a crate::id::StepKey),
    Agent(&'a str),
}

impl std::fmt::Display for Whose<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Run => f.write_str("the run"),
            Self::Step(key) => write!(f, "step {key}"),
            Self::Agent(name) => write!(f, "agent {name}"),
        }
    }
}

/// A budget and what has gone from it.
struct Account<'a> {
    whose: Whose<'a>,
    spent: Spend,
    reserved: Spend,
    budget: Budget,
}

/// The accounts that an attempt of step `no` is booked on and that have a limit.
fn accounts(run: &Run, no: StepNo) -> Vec<Account<'_>> {
    let mut accounts = Vec::new();
    if run.budget != Budget::default() {
        // What nobody knows the price of comes back no more than what was spent.
        let (spent, budget) = (run.spent.plus(run.unknown), run.budget);
        let reserved = run.reserved.minus(run.unknown);
        accounts.push(Account { whose: Whose::Run, spent, reserved, budget });
    }
    let (def, step) = (run.def(no), run.step(no));
    if def.budget != Budget::default() {
        let held = step.attempt.iter().chain(&step.past);
        let reserved = held.fold(Spend::ZERO, |sum, attempt| sum.plus(attempt.reserved));
        let spent = step.spent.plus(step.unknown);
        let (whose, budget) = (Whose::Step(&step.key), def.budget);
        accounts.push(Account { whose, spent, reserved, budget });
    }
    let limits = &run.definition.agent_budgets;
    let agent = def.kind.agent().map(|agent| agent.agent.as_str());
    if let Some((name, budget)) = limits.iter().find(|(name, _)| Some(name.as_str()) == agent) {
        // Spent and reserved are one figure here: what is in flight shows in the run's.
        let both = run.by_agent.get(name).copied().unwrap_or(Spend::ZERO);
        let reserved = reserved_by(run, name);
        let (whose, spent) = (Whose::Agent(name), both.minus(reserved));
        accounts.push(Account { whose, spent, reserved, budget: *budget });
    }
    accounts
}

/// What attempts of this agent hold back.
fn reserved_by(run: &Run, agent: &str) -> Spend {
    let own = run
        .open
        .iter()
        .filter(|&&no| run.def(no).kind.agent().is_some_and(|other| other.agent == agent));
    own.flat_map(|&no| run.step(no).attempt.iter().chain(&run.step(no).past))
        .fold(Spend::ZERO, |sum, attempt| sum.plus(attempt.reserved))
}

fn figures(committed: Spend, budget: &Budget) -> String {
    let cost =
        budget.cost.map(|max| format!("${:.6} of ${:.6}", committed.cost.as_usd(), max.as_usd()));
    let tokens = budget.tokens.map(|max| format!("{} of {max} tokens", committed.tokens));
    cost.into_iter().chain(tokens).collect::<Vec<_>>().join(", ")
}
