//! The section `[blocklist]` of a parameter file.

use serde::{Deserialize, Serialize};
use validator::Validate;
use weir_contract::blocklist::Method;
use weir_stage::{Failure, Params, ParamsArgs};

/// The parameter file that ships with Weir, as (name, text).
pub const DEFAULT_PARAMS: (&str, &str) =
    ("pipeline/params/blocklist.toml", include_str!("../../../pipeline/params/blocklist.toml"));

/// Who is taken for a flooding client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate)]
#[serde(deny_unknown_fields, default)]
pub struct BlocklistParams {
    /// How clients are told apart.
    pub method: Method,
    /// Fewest requests of a client that is listed; 30.
    pub minimum_requests: u64,
    /// Fewest surplus requests in its worst ten seconds; 40.
    pub minimum_surplus: u64,
    /// The same where [`BlocklistParams::many`] clients make so many; 20.
    pub minimum_surplus_of_many: u64,
    /// So many clients are many; 10.
    pub many: u64,
    /// Least share of its requests that are surplus; .5. Who shares an address with many has less.
    #[validate(range(min = 0.0, max = 1.0))]
    pub minimum_share: f64,
    /// Surplus requests in one second from which a client is listed where there are no two groups; 30, 0 for never.
    pub limit: u64,
    /// Least ratio of the rates at peak of two groups; 5.
    #[validate(range(min = 1.0))]
    pub ratio: f64,
    /// Least Ashman's D of two groups; 2.
    #[validate(range(min = 0.0))]
    pub ashman: f64,
    /// Largest share of the clients that may be listed; .5.
    #[validate(range(min = 0.0, max = 1.0))]
    pub client_cap: f64,
    /// So many may be listed whatever their share; 5.
    pub clients_always: u64,
    /// Largest share of all ordinary requests that those listed may have made; .5.
    #[validate(range(min = 0.0, max = 1.0))]
    pub traffic_cap: f64,
    /// Ordinary requests per second from which a client may be a proxy; 2.
    #[validate(range(min = 0.0))]
    pub gateway_rate: f64,
    /// Share of all ordinary requests from which such a client is spared, and the others with it where they all have more than
    /// [`BlocklistParams::traffic_cap`]; .1.
    #[validate(range(min = 0.0, max = 1.0))]
    pub gateway_share: f64,
    /// Addresses and networks that are never listed.
    pub allow: Vec<String>,
    /// One's own addresses and networks: never listed.
    pub own: Vec<String>,
    /// Proxies whose word on the client's address is taken: never listed.
    pub trusted_proxies: Vec<String>,
    /// `remote`, `last`, or the number of the quoted field after the user agent, from 1.
    pub client_field: String,
    /// Clients counted exactly.
    #[validate(range(min = 1))]
    pub maximum_clients: u64,
    /// How long somebody is blocked, seconds.
    #[validate(range(min = 1, max = 31_536_000))]
    pub block_seconds: u64,
}

impl Default for BlocklistParams {
    fn default() -> Self {
        Self {
            method: Method::Robust,
            minimum_requests: 30,
            minimum_surplus: 40,
            minimum_surplus_of_many: 20,
            many: 10,
            minimum_share: 0.5,
            limit: 30,
            ratio: 5.0,
            ashman: 2.0,
            client_cap: 0.5,
            clients_always: 5,
            traffic_cap: 0.5,
            gateway_rate: 2.0,
            gateway_share: 0.1,
            allow: Vec::new(),
            own: Vec::new(),
            trusted_proxies: Vec::new(),
            client_field: "remote".to_owned(),
            maximum_clients: 1_000_000,
            block_seconds: 3_600,
        }
    }
}

/// The parameters of text, file or build, with what `--set` sets; built in are [`DEFAULT_PARAMS`].
///
/// # Errors
/// Those of [`Params::load`].
pub fn load(args: &ParamsArgs) -> Result<Params, Failure> {
    let given = args.params.is_some() || args.params_text.as_deref().is_some_and(|text| !text.trim().is_empty());
    if given { args.load() } else { Params::load(None, DEFAULT_PARAMS, &args.set) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_file_the_blocklist_s_own_holds() {
        let args = ParamsArgs { set: vec!["blocklist.limit=7".to_owned()], ..ParamsArgs::default() };
        let params = load(&args).unwrap().section::<BlocklistParams>("blocklist").unwrap();
        assert_eq!(params, BlocklistParams { limit: 7, ..BlocklistParams::default() });
        let args = ParamsArgs { params_text: Some("[blocklist]\nlimit = 9".to_owned()), ..args };
        assert_eq!(load(&args).unwrap().section::<BlocklistParams>("blocklist").unwrap().limit, 7, "--set comes last");
    }

    #[test]
    fn the_shipped_section_says_what_the_defaults_are() {
        let shipped = Params::load(None, DEFAULT_PARAMS, &[]).unwrap();
        assert_eq!(shipped.section::<BlocklistParams>("blocklist").unwrap(), BlocklistParams::default());
    }
}
