//! Which addresses a request from here may go to: those of the public internet, and internal ones that the operator named.
//!
//! Whoever may write an address into this server must not reach with it what only this server can reach: its own ports, the
//! private network, the cloud's metadata. So every address that a name stands for is checked, and the connection goes to the
//! checked addresses and to no others; a name cannot mean something else a moment later.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::config::Network;

/// An address that is not for everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the address is an internal one")]
pub struct InternalAddress;

/// What may be reached.
#[derive(Clone, Debug)]
pub struct Guard {
    /// Internal networks that the operator named.
    allowed: Vec<Network>,
    /// Whether public addresses may be reached, too.
    public: bool,
}

impl Guard {
    /// Public addresses, and these internal ones.
    #[must_use]
    pub const fn public_and(allowed: Vec<Network>) -> Self {
        Self { allowed, public: true }
    }

    /// These internal addresses alone.
    #[must_use]
    pub const fn only(allowed: Vec<Network>) -> Self {
        Self { allowed, public: false }
    }

    /// Checks one address.
    ///
    /// # Errors
    /// [`InternalAddress`].
    pub fn check(&self, address: IpAddr) -> Result<(), InternalAddress> {
        let canonical = address.to_canonical();
        let named = self.allowed.iter().any(|network| network.contains(canonical));
        if named || self.public && is_public(canonical) { Ok(()) } else { Err(InternalAddress) }
    }

    /// Checks all addresses of a name: one bad one spoils it, because it is not ours to say which is meant.
    fn check_all(&self, addresses: &[SocketAddr]) -> Result<(), InternalAddress> {
        addresses.iter().try_for_each(|address| self.check(address.ip()))
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            guard.check_all(&found)?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Whether an address belongs to the public internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    // The host's own service of one large cloud, at a public address.
    const WIRE_SERVER: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);
    let [a, b, c, _] = address.octets();
    let special = match (a, b) {
        // This network, private, loopback, multicast and reserved.
        (0 | 10 | 127 | 224..=255, _) => true,
        // Shared by a provider's customers; some clouds keep their metadata here.
        (100, 64..=127) => true,
        // Link-local, with most clouds' metadata.
        (169, 254) => true,
        (172, 16..=31) | (192, 168) => true,
        // Protocol assignments, documentation, old relays, benchmarks.
        (192, 0) => matches!(c, 0 | 2),
        (192, 88) => c == 99,
        (198, 18 | 19) => true,
        (198, 51) => c == 100,
        (203, 0) => c == 113,
        (_, _) => false,
    };
    !special && address != WIRE_SERVER
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    // A translator's address stands for the one that it holds.
    if [a, b, c, d, e, f] == [0x64, 0xff9b, 0, 0, 0, 0] {
        let [high, low] = [g.to_be_bytes(), h.to_be_bytes()];
        return is_public_v4(Ipv4Addr::new(high[0], high[1], low[0], low[1]));
    }
    let is_global_unicast = a & 0xe000 == 0x2000;
    // Protocol assignments with their tunnels, documentation, and addresses that hold another one.
    let special = a == 0x2001 && (b < 0x200 || b == 0xdb8) || a == 0x2002 || a == 0x3fff && b < 0x1000;
    is_global_unicast && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn what_only_this_server_can_reach_is_not_reached() {
        let guard = Guard::public_and(vec![]);
        for internal in [
            "0.0.0.0",
            "127.0.0.1",
            "127.8.8.8",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "2002:7f00:1::1",
            "2001::1",
            "2001:db8::1",
        ] {
            assert_eq!(guard.check(ip(internal)), Err(InternalAddress), "{internal}");
        }
        for public in ["1.1.1.1", "100.63.255.255", "172.32.0.1", "198.51.101.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"] {
            assert_eq!(guard.check(ip(public)), Ok(()), "{public}");
        }
    }

    #[test]
    fn an_operator_can_name_internal_networks() {
        let named: Vec<Network> = vec!["10.1.0.0/16".parse().unwrap(), "::1".parse().unwrap()];
        let guard = Guard::public_and(named.clone());
        for fine in ["10.1.2.3", "::ffff:10.1.2.3", "::1", "1.1.1.1"] {
            assert_eq!(guard.check(ip(fine)), Ok(()), "{fine}");
        }
        assert_eq!(guard.check(ip("10.2.0.1")), Err(InternalAddress));
        assert_eq!(Guard::only(named.clone()).check(ip("10.1.2.3")), Ok(()));
        assert_eq!(Guard::only(named).check(ip("1.1.1.1")), Err(InternalAddress));
    }

    #[test]
    fn one_bad_address_of_a_name_spoils_it() {
        let guard = Guard::public_and(vec![]);
        let addresses = |texts: &[&str]| texts.iter().map(|text| SocketAddr::new(ip(text), 443)).collect::<Vec<_>>();
        assert_eq!(guard.check_all(&addresses(&["1.1.1.1", "2606:4700::1111"])), Ok(()));
        assert_eq!(guard.check_all(&addresses(&["1.1.1.1", "127.0.0.1"])), Err(InternalAddress));
    }

    #[tokio::test]
    async fn a_name_of_this_machine_is_not_resolved() {
        let guard = Guard::public_and(vec![]);
        let resolved = guard.resolve("localhost".parse().unwrap()).await;
        assert!(resolved.is_err_and(|error| error.is::<InternalAddress>()));
        let guard = Guard::public_and(vec!["127.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()]);
        assert!(guard.resolve("localhost".parse().unwrap()).await.is_ok());
    }
}
