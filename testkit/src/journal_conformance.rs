//! Every promise of the journal as a test that each database has to pass.

pub mod fixture;
