//! Settings of the HTTP listener.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use serde::Deserialize;

/// Settings of the HTTP listener.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// Address and port. Default `127.0.0.1:8080`: nobody outside the machine reaches a server that nobody set up. Port 0 takes
    /// a free one.
    pub listen: SocketAddr,
    /// Certificate chain, PEM. Default none: plain HTTP, for a machine of one's own or behind a proxy that ends TLS.
    pub tls_cert: Option<PathBuf>,
    /// The certificate's private key, PEM. Given together with `tls_cert`.
    pub tls_key: Option<PathBuf>,
    /// Addresses (`10.0.0.7`) and networks (`10.0.0.0/8`) of proxies whose `X-Forwarded-For` is believed. Default none: the peer
    /// is the client.
    pub trusted_proxies: TrustedProxies,
    /// Directory of the built pages. Default none: the API alone.
    pub pages: Option<PathBuf>,
    /// Milliseconds that a client may take for the head of a request, and that a connection may be idle between two. Default
    /// 30,000. Sockets are not meant: they have their own heartbeat.
    pub head_timeout_ms: u64,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            tls_cert: None,
            tls_key: None,
            trusted_proxies: TrustedProxies::default(),
            pages: None,
            head_timeout_ms: 30_000,
        }
    }
}

/// Networks of proxies.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct TrustedProxies(Vec<Network>);

impl TrustedProxies {
    /// Whether an address is one of a trusted proxy.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(address))
    }

    /// The address of the client: the peer unless it is trusted, then the rightmost hop of `X-Forwarded-For` that is not.
    /// Whatever stands left of that hop was written by the client itself and is not believed.
    #[must_use]
    pub fn client<'a>(&self, peer: IpAddr, forwarded_for: impl DoubleEndedIterator<Item = &'a str>) -> IpAddr {
        let mut client = peer.to_canonical();
        let mut hops = forwarded_for.rev().flat_map(|line| line.rsplit(',')).map(str::trim);
        while self.contains(client) {
            match hops.next().map(str::parse::<IpAddr>) {
                Some(Ok(hop)) => client = hop.to_canonical(),
                Some(Err(_)) | None => break,
            }
        }
        client
    }
}

impl FromIterator<Network> for TrustedProxies {
    fn from_iter<I: IntoIterator<Item = Network>>(networks: I) -> Self {
        Self(networks.into_iter().collect())
    }
}

/// An address, or a network in CIDR notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network {
    base: IpAddr,
    prefix_bits: u8,
}

/// The text is neither an address nor a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a network is written as 10.0.0.7 or 10.0.0.0/8")]
pub struct InvalidNetwork;

impl FromStr for Network {
    type Err = InvalidNetwork;
    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let (base, prefix) = match text.split_once('/') {
            Some((base, prefix)) => (base, Some(prefix)),
            None => (text, None),
        };
        let base: IpAddr = base.parse().map_err(|_| InvalidNetwork)?;
        let bits_max = if base.is_ipv4() { 32 } else { 128 };
        let prefix_bits = prefix.map_or(Ok(bits_max), str::parse).map_err(|_| InvalidNetwork)?;
        if prefix_bits > bits_max { Err(InvalidNetwork) } else { Ok(Self { base, prefix_bits }) }
    }
}

impl TryFrom<String> for Network {
    type Error = InvalidNetwork;
    fn try_from(text: String) -> Result<Self, InvalidNetwork> {
        text.parse()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix_bits)
    }
}

impl Network {
    /// The same network with the first of its addresses, however it was written.
    #[must_use]
    pub fn canonical(self) -> Self {
        let bits = u32::from(self.prefix_bits);
        let base = match self.base {
            IpAddr::V4(base) => IpAddr::V4((u32::from(base) & u32::MAX.checked_shl(32 - bits).unwrap_or(0)).into()),
            IpAddr::V6(base) => IpAddr::V6((u128::from(base) & u128::MAX.checked_shl(128 - bits).unwrap_or(0)).into()),
        };
        Self { base, ..self }
    }

    /// Whether an address lies in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let bits = u32::from(self.prefix_bits);
        match (self.base, address) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                u32::from(base).checked_shr(32 - bits).unwrap_or(0) == u32::from(address).checked_shr(32 - bits).unwrap_or(0)
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                u128::from(base).checked_shr(128 - bits).unwrap_or(0) == u128::from(address).checked_shr(128 - bits).unwrap_or(0)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusting(networks: &[&str]) -> TrustedProxies {
        networks.iter().map(|network| network.parse::<Network>().unwrap()).collect()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_peer_is_the_client_unless_it_is_trusted() {
        let nobody = TrustedProxies::default();
        assert_eq!(nobody.client(ip("203.0.113.9"), ["1.2.3.4"].into_iter()), ip("203.0.113.9"));
    }

    #[test]
    fn behind_a_trusted_proxy_the_rightmost_untrusted_hop_is_the_client() {
        let proxies = trusting(&["10.0.0.0/8"]);
        let peer = ip("10.0.0.1");
        assert_eq!(proxies.client(peer, ["6.6.6.6, 198.51.100.7, 10.2.2.2"].into_iter()), ip("198.51.100.7"));
        assert_eq!(proxies.client(peer, ["6.6.6.6", "198.51.100.7"].into_iter()), ip("198.51.100.7"));
        assert_eq!(proxies.client(peer, [].into_iter()), peer);
        assert_eq!(proxies.client(peer, ["nonsense"].into_iter()), peer);
    }

    #[test]
    fn a_network_ends_where_its_prefix_ends() {
        let proxies = trusting(&["192.168.4.0/23", "fd00::/8", "127.0.0.1"]);
        for inside in ["192.168.5.255", "fd12::1", "127.0.0.1", "::ffff:127.0.0.1"] {
            assert!(proxies.contains(ip(inside)), "{inside}");
        }
        for outside in ["192.168.6.0", "fe00::1", "127.0.0.2"] {
            assert!(!proxies.contains(ip(outside)), "{outside}");
        }
        assert!(trusting(&["0.0.0.0/0"]).contains(ip("9.9.9.9")));
        let canonical = |text: &str| text.parse::<Network>().unwrap().canonical().to_string();
        assert_eq!((canonical("10.1.2.3/8"), canonical("10.1.2.3")), ("10.0.0.0/8".to_owned(), "10.1.2.3/32".to_owned()));
        assert_eq!((canonical("2001:db8:1::7/32"), canonical("1.2.3.4/0")), ("2001:db8::/32".to_owned(), "0.0.0.0/0".to_owned()));
        assert_eq!("10.0.0.0/33".parse::<Network>(), Err(InvalidNetwork));
        assert_eq!("ten".parse::<Network>(), Err(InvalidNetwork));
    }
}
