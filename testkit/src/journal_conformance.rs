//! Every promise of the journal as a story that each database has to live up to, by topic.
//! `crates/journal/tests/{sqlite,postgres}.rs` run them all.

pub mod fixture;
mod appends;
mod archive;
mod beside;
mod hooks;
mod ownership;
mod rebuild;
mod recovery;
mod rows;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use showrunner_journal::{Hooks, Journal};

/// A kind of database that journals can be made in.
#[async_trait]
pub trait Places: Send + Sync {
    /// An empty one.
    async fn fresh(&self) -> Box<dyn Place>;
}

/// Where one journal is.
#[async_trait]
pub trait Place: Send + Sync {
    /// Opens the journal, as a process would that has just started.
    async fn open(&self, hooks: Hooks) -> Arc<dyn Journal>;
    /// A directory for whatever a test wants to write.
    fn scratch(&self) -> &Path;
}

/// Runs every topic. The name of the one that fails is the last one printed.
pub async fn exercise(places: &dyn Places) {
    macro_rules! topics {
        ($($topic:path),+ $(,)?) => {
            $(
                say(stringify!($topic));
                $topic(places).await;
            )+
        };
    }
    topics![
        appends::an_append_is_read_back_as_it_was,
        appends::an_append_that_does_not_fit_changes_nothing,
        appends::appends_are_made_in_the_order_of_the_calls,
        appends::many_runs_at_once_stay_whole_and_in_order,
        appends::the_feed_hears_of_an_append_before_its_caller,
        appends::a_repeated_request_gets_the_first_answer,
        appends::a_body_too_long_for_a_row_comes_back_whole,
        appends::one_bad_append_takes_no_other_along,
        appends::what_was_acknowledged_is_there_after_a_new_start,
        rows::a_run_is_shown_as_it_stands,
        rows::a_question_is_open_until_it_is_answered,
        rows::a_withdrawn_question_is_not_shown_as_open,
        rows::runs_are_found_by_what_is_known_of_them,
        rows::a_list_goes_on_where_the_page_before_ended,
        rows::a_failed_agent_leaves_a_dead_letter_until_it_is_retried,
        rows::a_dead_letter_is_noted_once_and_stays_noted,
        rows::home_counts_what_is_there,
        recovery::a_run_with_something_due_is_recovered,
        recovery::a_run_is_woken_when_its_time_comes,
        recovery::several_runs_are_read_at_once,
        beside::versions_of_definitions_never_change,
        beside::brands_tokens_and_facts_are_kept,
        beside::a_result_is_reused_as_it_was_kept,
        beside::a_message_is_delivered_by_one_owner_at_a_time,
        hooks::everything_is_followed_once_and_in_order,
        hooks::an_endpoint_is_kept_and_belongs_to_one_organisation,
        hooks::a_delivery_is_tried_until_it_arrives,
        hooks::what_came_in_is_known_again,
        rebuild::projections_made_again_are_the_same,
        rebuild::a_whole_journal_verifies,
        archive::a_backup_while_serving_holds_what_was_acknowledged,
        archive::a_backup_is_restored_only_into_nothing,
        ownership::one_process_writes_and_the_next_takes_over,
    ];
}

#[expect(clippy::print_stdout, reason = "shown when a test fails")]
fn say(topic: &str) {
    println!("journal promise: {topic}");
}
