//! showrunner-media
