//! showrunner-testkit
