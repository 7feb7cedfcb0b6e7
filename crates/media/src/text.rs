//! Copy: cleaned, cut into lines, fitted to its box.

pub(crate) mod clean;
pub(crate) mod breaking;
pub(crate) mod fit;
