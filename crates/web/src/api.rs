//! The generic REST interface, one file a resource.

mod runs;
mod steps;
mod events;
mod checkpoints;
mod assets;
mod definitions;
mod system;
mod registry;
mod webhooks;
mod deliveries;
mod callbacks;
mod call_back;

pub use definitions::expected;
pub use runs::mark_accepted;

pub mod key;
pub(crate) mod load;

use crate::Route;

/// The generic part of the route table.
pub(crate) fn table() -> Vec<Route> {
    let parts = [
        system::table(),
        definitions::table(),
        runs::table(),
        steps::table(),
        events::table(),
        checkpoints::table(),
        assets::table(),
        registry::table(),
        webhooks::table(),
        deliveries::table(),
        callbacks::table(),
    ];
    parts.into_iter().flatten().collect()
}
