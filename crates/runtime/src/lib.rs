//! showrunner-runtime
