//! The checks, one file a subject.

pub mod layering;
pub mod sources;
pub mod words;
pub mod places;
pub mod documents;
