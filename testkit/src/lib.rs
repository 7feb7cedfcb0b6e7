//! showrunner-testkit

pub mod journal_conformance;
pub mod throwaway_postgres;
