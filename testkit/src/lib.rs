//! Simulation, crashes, conformance: what the proofs are made of. For tests only.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on stops"
)]

pub mod sim;

pub mod journal_conformance;
pub mod python;
pub mod throwaway_postgres;
pub mod vendors;
