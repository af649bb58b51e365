//! Names to addresses in a static binary: the C library cannot look them up there, hickory can.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::vec::IntoIter;

use hickory_resolver::TokioResolver;
use hyper_util::client::legacy::connect::dns::Name;
use tower::Service;

/// Asks the name servers of `/etc/resolv.conf`, and nobody about `localhost`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lookup;

impl Service<Name> for Lookup {
    type Response = IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        Box::pin(async move { Ok(addresses(name.as_str()).await?.into_iter()) })
    }
}

/// The addresses of `host`, with port 0.
async fn addresses(host: &str) -> io::Result<Vec<SocketAddr>> {
    let with_port = |ip: IpAddr| SocketAddr::new(ip, 0);
    if let Ok(ip) = host.trim_matches(['[', ']']).parse() {
        return Ok(vec![with_port(ip)]);
    }
    if host == "localhost" {
        return Ok(vec![with_port(Ipv4Addr::LOCALHOST.into()), with_port(Ipv6Addr::LOCALHOST.into())]);
    }
    let failed = |error: &dyn std::error::Error| {
        io::Error::other(format!("failed to find the address of {host}: {}", weir_http::chain(error)))
    };
    let resolver = TokioResolver::builder_tokio().and_then(|builder| builder.build());
    let found = resolver.map_err(|error| failed(&error))?.lookup_ip(host).await.map_err(|error| failed(&error))?;
    Ok(found.iter().map(with_port).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_and_addresses_need_no_name_server() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let find = |host| runtime.block_on(addresses(host)).unwrap();
        assert_eq!(find("127.0.0.1"), ["127.0.0.1:0".parse().unwrap()]);
        assert_eq!(find("[::1]"), ["[::1]:0".parse().unwrap()]);
        assert_eq!(find("localhost"), ["127.0.0.1:0".parse().unwrap(), "[::1]:0".parse().unwrap()]);
    }
}
