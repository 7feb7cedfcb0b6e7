//! `version`: which program this is.

use serde_json::json;

use crate::config::Desk;
use crate::fault::Outcome;
use crate::wiring;

/// Prints the version.
pub(crate) fn perform(desk: &Desk) -> Outcome {
    let version = env!("CARGO_PKG_VERSION");
    let sqlite = wiring::sqlite_version();
    desk.talk.answer(
        &json!({ "name": "showrunner", "version": version, "sqlite": sqlite }),
        &format!("showrunner {version}"),
    )
}
