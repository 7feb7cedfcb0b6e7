//! The transcript harness: a small language for stories about runs.
//!
//! ```text
//! start {"topic":"tea"} by=user:ann usd=0.5 reuse={"draft":"…"} parent=step deadline=+1h
//! finish draft {"title":"x"} usd=0.02 tokens=100     finish draft#1 … (an earlier attempt)
//! fail draft transient "busy" after=30s              call draft usd=0.01 no=0
//! job draft j1     dispatch draft 0     doubt draft 0 "lost"     resolve draft resend|failed usd=0.1
//! reserve draft usd=0.5     progress draft 40 "half"     hand draft {"title":"mine"}
//! answer ok continue|retry|abort by=user:a roles=editor "comment" changes={} seen=now
//! callback key {}     tick +5m     tick (until the next timer)
//! child review completed {} | transient "gone"     confirm
//! retry draft edits={} {"feedback":1}     skip draft output={} "why"     rollback phase "why"
//! cancel undo "why"     pause     resume
//! ```
//!
//! Printed are the events, `!` the effects they made due, `=` where the run stands then.

#[path = "invariants.rs"]
pub(crate) mod invariants;
#[path = "show.rs"]
pub(crate) mod show;
#[path = "story.rs"]
pub(crate) mod story;
#[path = "words.rs"]
pub(crate) mod words;
#[path = "world.rs"]
pub(crate) mod world;
