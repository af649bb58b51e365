//! What is counted of a log.

use ipnet::IpNet;

use crate::address::ClientField;

/// What is counted of a log.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Where the client stands.
    pub client_field: ClientField,
    /// Whose word is taken for who the client is. Without any, a client field other than the remote address has no effect.
    pub trusted_proxies: Vec<IpNet>,
    /// Requests before this time, seconds since 1970 UTC, are left out.
    pub since: Option<i64>,
    /// Requests at this time and behind are left out.
    pub until: Option<i64>,
    /// How many clients are counted. Where there are more, those with few requests are dropped again.
    pub maximum_clients: usize,
}

impl Default for Settings {
    /// Everything, by remote address, a million clients.
    fn default() -> Self {
        Self {
            client_field: ClientField::default(),
            trusted_proxies: Vec::new(),
            since: None,
            until: None,
            maximum_clients: 1_000_000,
        }
    }
}

impl Settings {
    pub(crate) fn takes(&self, time: i64) -> bool {
        self.since.is_none_or(|since| time >= since) && self.until.is_none_or(|until| time < until)
    }
}
