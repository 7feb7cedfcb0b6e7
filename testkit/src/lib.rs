//! showrunner-testkit

pub mod journal_conformance;
