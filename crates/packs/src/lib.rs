//! showrunner-packs
