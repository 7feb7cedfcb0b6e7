//! What went wrong, in plain words: the cause, the attempt, what is done about it, and what a
//! person can do.

use maud::{Markup, html};
use showrunner_engine::decide::possible_on;
use showrunner_engine::run::{Step, StepNo, StepStatus, Wait};

use super::Page;
use crate::ui::parts::{sentence, since, state_icon};

pub(super) fn render(page: &Page<'_>) -> Markup {
    let run = page.run;
    let troubled =
        (0..).zip(&run.steps).filter(|(_, step)| is_trouble(step) && !run.is_ended_well());
    html! { @for (no, step) in troubled { (card(page, no, step)) } }
}

trait Ended {
    fn is_ended_well(&self) -> bool;
}

impl Ended for showrunner_engine::run::Run {
    fn is_ended_well(&self) -> bool {
        self.is_ended() && self.failure.is_none()
    }
}

/// Failed for good, about to be tried again, or in doubt.
fn is_trouble(step: &Step) -> bool {
    let waits = matches!(step.wait, Some(Wait::Retry { .. } | Wait::Doubt));
    step.failure.is_some() && (waits || step.status == StepStatus::Failed)
        || matches!(step.wait, Some(Wait::Doubt))
}

fn card(page: &Page<'_>, no: StepNo, step: &Step) -> Markup {
    let words = page.frame.look.words();
    let tried = step.attempts.saturating_sub(step.attempts_before_reset);
    let (n, max) = (tried.to_string(), page.run.def(no).retry.attempts_max.to_string());
    let doubt = step.attempt.as_ref().and_then(|attempt| attempt.doubt.as_ref());
    let id = format!("trouble-{no}");
    html! {
        section class="trouble" id=(id) {
            div class="trouble-head" {
                (state_icon("failed"))
                h2 { (page.name(no)) }
                @if step.attempts > 0 {
                    span class="muted small" { (sentence(words.attempt_of, &[("n", &n), ("max", &max)])) }
                }
            }
            @if let Some(doubt) = doubt { p { (doubt.message) } }
            @else if let Some(failure) = &step.failure {
                p { (failure.message) }
                p class="muted small" { (words.failed_class) ": " code { (failure.class.name()) } " · " code { (failure.code) } }
            }
            @if let Some(Wait::Retry { until }) = &step.wait {
                p { (words.next_try) ": " strong { (since(*until)) } " · " span class="muted" { (words.handled) } }
            }
            (answers(page, no, step))
        }
    }
}

/// What the engine takes of this step now, and nothing else.
fn answers(page: &Page<'_>, no: StepNo, step: &Step) -> Markup {
    let words = page.frame.look.words();
    let to = |what: &str| format!("/runs/{}/{what}/{}", page.run.id, step.key);
    let possible = possible_on(page.run, no);
    let may = |what: &str| possible.contains(&what);
    html! {
        div class="actions" {
            @if may("resolve_doubt") {
                (settle(page, no, step, &to("resolve")))
            }
            @if may("retry_step") {
                form method="post" action=(to("retry")) {
                    (page.frame.form_key())
                    label { span class="visually-hidden" { (words.feedback) }
                        input type="text" name="feedback" maxlength="2000" placeholder=(words.feedback);
                    }
                    button class="primary" { (words.retry_now) }
                }
            }
            @if may("skip_step") && !may("resolve_doubt") {
                form method="post" action=(to("skip")) {
                    (page.frame.form_key())
                    label { span class="visually-hidden" { (words.skip_reason) }
                        input type="text" name="reason" required maxlength="2000" placeholder=(words.skip_reason);
                    }
                    button { (words.skip) }
                }
            }
        }
    }
}

/// What became of a call in doubt; one that counts as failed may have cost something all the same.
fn settle(page: &Page<'_>, no: StepNo, step: &Step, to: &str) -> Markup {
    let words = page.frame.look.words();
    let since = step.since.to_rfc3339();
    let field = format!("cost-{no}");
    html! {
        form method="post" action=(to) {
            (page.frame.form_key())
            input type="hidden" name="since" value=(since);
            button class="primary" name="verdict" value="resend" { (words.resend) }
        }
        form method="post" action=(to) {
            (page.frame.form_key())
            input type="hidden" name="since" value=(since);
            label for=(field) { (words.doubt_cost) }
            input id=(field) class="amount" type="number" name="cost_usd" min="0" max="1000000" step="any" value="0" inputmode="decimal";
            button name="verdict" value="failed" { (words.count_failed) }
        }
    }
}
