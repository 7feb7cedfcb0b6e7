//! showrunner-engine
