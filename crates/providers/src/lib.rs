//! showrunner-providers
