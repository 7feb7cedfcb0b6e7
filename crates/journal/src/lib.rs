//! showrunner-journal
