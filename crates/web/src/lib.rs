//! showrunner-web
