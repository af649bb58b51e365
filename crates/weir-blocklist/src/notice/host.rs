//! Host names to addresses, in a static binary: the C library cannot look them up there, hickory can.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use tokio::runtime::Builder;
use tokio::time::timeout;

use super::NoticeError;

/// The addresses of `host`, in the order in which they should be tried. Nobody is asked about `localhost`.
pub(super) fn addresses(host: &str, longest: Duration) -> Result<Vec<IpAddr>, NoticeError> {
    if let Ok(address) = host.parse() {
        return Ok(vec![address]);
    }
    if host == "localhost" {
        return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    let failed = |reason: String| NoticeError::Lookup { host: host.to_owned(), reason };
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|error| NoticeError::System { reason: format!("failed to start a runtime: {error}") })?;
    runtime.block_on(async {
        let resolver = TokioResolver::builder_tokio().and_then(|builder| builder.build());
        let resolver = resolver.map_err(|error| failed(weir_http::chain(&error)))?;
        match timeout(longest, resolver.lookup_ip(host)).await {
            Ok(Ok(found)) => Ok(found.iter().collect()),
            Ok(Err(error)) => Err(failed(weir_http::chain(&error))),
            Err(_) => Err(failed(format!("no answer within {} s", longest.as_secs()))),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_and_addresses_need_no_name_server() {
        let find = |host| addresses(host, Duration::from_secs(1)).unwrap();
        assert_eq!(find("192.0.2.7"), ["192.0.2.7".parse::<IpAddr>().unwrap()]);
        assert_eq!(find("::1"), ["::1".parse::<IpAddr>().unwrap()]);
        assert_eq!(find("localhost"), ["127.0.0.1".parse::<IpAddr>().unwrap(), "::1".parse().unwrap()]);
    }
}
