//! Access logs to a blocklist that is enforced.
