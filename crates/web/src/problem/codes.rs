//! Every code there is: stable name, status, title, whether trying again may help, and its page.

/// A kind of problem.
#[derive(Debug)]
#[expect(clippy::struct_field_names, reason = "the member is called `code` on the wire too")]
pub struct Code {
    /// Stable name, `run_state`; also the name of its page.
    pub code: &'static str,
    /// HTTP status.
    pub status: u16,
    /// In words.
    pub title: &'static str,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// Markdown: what happened, why, what to do.
    pub page: &'static str,
}

macro_rules! codes {
    ($($name:ident $code:literal $status:literal $title:literal $($retryable:ident)?;)+) => {
        $(
            #[doc = $title]
            pub static $name: Code = Code {
                code: $code,
                status: $status,
                title: $title,
                retryable: codes!(@retryable $($retryable)?),
                page: include_str!(concat!("../../../../docs/errors/", $code, ".md")),
            };
        )+
        /// All codes, in the order of their statuses.
        pub static CODES: &[&Code] = &[$(&$name),+];
    };
    (@retryable retryable) => { true };
    (@retryable) => { false };
}

codes! {
    MALFORMED_JSON "malformed_json" 400 "The body is not JSON";
    TOO_DEEP "too_deep" 400 "The body is nested too deeply";
    BAD_QUERY "bad_query" 400 "The query is wrong";
    BAD_CURSOR "bad_cursor" 400 "The cursor is wrong";
    BAD_HEADER "bad_header" 400 "A header is wrong";
    BAD_CALLBACK "bad_callback" 400 "The callback cannot be read";
    UNAUTHENTICATED "unauthenticated" 401 "Not signed in";
    BAD_SIGNATURE "bad_signature" 401 "Invalid signature";
    NOT_ALLOWED "not_allowed" 403 "Not allowed";
    FORGED_FORM "forged_form" 403 "The form has expired";
    NOT_FOUND "not_found" 404 "There is nothing here";
    UNKNOWN_RUN "unknown_run" 404 "There is no such run";
    UNKNOWN_STEP "unknown_step" 404 "There is no such step";
    UNKNOWN_CHECKPOINT "unknown_checkpoint" 404 "There is no such checkpoint";
    UNKNOWN_DEFINITION "unknown_definition" 404 "There is no such definition";
    UNKNOWN_ASSET "unknown_asset" 404 "There is no such asset";
    UNKNOWN_BRAND "unknown_brand" 404 "There is no such brand";
    UNKNOWN_TASK "unknown_task" 404 "Task not found";
    UNKNOWN_ENDPOINT "unknown_endpoint" 404 "There is no such endpoint";
    UNKNOWN_DEAD_LETTER "unknown_dead_letter" 404 "There is no such dead letter";
    UNKNOWN_DELIVERY "unknown_delivery" 404 "There is no such delivery";
    METHOD_NOT_ALLOWED "method_not_allowed" 405 "The method is not known here";
    RUN_STATE "run_state" 409 "The run does not accept this now";
    STEP_STATE "step_state" 409 "The step does not accept this now";
    STALE_ATTEMPT "stale_attempt" 409 "The attempt is over";
    DEAD_LETTER_STATE "dead_letter_state" 409 "The dead letter was dealt with";
    ALREADY_ANSWERED "already_answered" 409 "Already answered";
    ALREADY_VOTED "already_voted" 409 "You have already answered";
    NOT_OFFERED "not_offered" 409 "The answer is not offered";
    OVER_BUDGET "over_budget" 409 "The budget does not allow it";
    REPLAYED "replayed" 409 "The id of the message was used before";
    TOO_MANY_ENDPOINTS "too_many_endpoints" 409 "There are too many endpoints";
    STALE_CONTENT "stale_content" 412 "The content has changed";
    TOO_LARGE "too_large" 413 "The body is too large";
    UNSUPPORTED_MEDIA_TYPE "unsupported_media_type" 415 "The content type is not accepted";
    BAD_RANGE "bad_range" 416 "The range is outside the file";
    INVALID "invalid" 422 "The request is not valid";
    INVALID_DEFINITION "invalid_definition" 422 "The definition has problems";
    ADDRESS_REFUSED "address_refused" 422 "The address is not asked";
    UNKNOWN_PHASE "unknown_phase" 422 "There is no such phase";
    IDEMPOTENCY_KEY_REUSED "idempotency_key_reused" 422 "The idempotency key was used before";
    NOT_AVAILABLE_YET "not_available_yet" 422 "Not available in this version";
    INTERNAL "internal" 500 "Something went wrong in the server";
    DAMAGED "damaged" 500 "What is stored cannot be right";
    STORAGE_FULL "storage_full" 503 "There is no space left to store it" retryable;
    NO_SECRET "no_secret" 503 "Nobody can be believed yet";
    NOT_STORED "not_stored" 503 "It could not be stored" retryable;
    NOT_SERVING "not_serving" 503 "This server is not taking work now" retryable;
    TOO_SLOW "too_slow" 503 "It took too long" retryable;
}

/// The code with this name.
pub fn find(code: &str) -> Option<&'static Code> {
    CODES.iter().copied().find(|known| known.code == code)
}

#[cfg(test)]
mod tests {
    use super::CODES;

    #[test]
    fn every_page_tells_what_happened_why_and_what_to_do() {
        for code in CODES {
            let sections = ["## What happened", "## Why", "## What to do"];
            for section in sections {
                assert!(code.page.contains(section), "docs/errors/{}.md: {section}", code.code);
            }
            let title = format!("# {}", code.title);
            assert_eq!(code.page.lines().next(), Some(title.as_str()), "{}", code.code);
        }
    }

    #[test]
    fn there_is_no_page_without_a_code() {
        let pages = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors");
        for entry in std::fs::read_dir(pages).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let code = name.strip_suffix(".md").unwrap();
            assert!(super::find(code).is_some(), "{name} explains a code that nobody uses");
        }
    }
}
