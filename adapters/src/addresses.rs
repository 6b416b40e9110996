//! What one client address may do: fail to prove who it is, make anonymous customers, and hold sockets open. Many people share an
//! address, so nothing that succeeds is counted but what costs something for good.
//!
//! Everything lives in memory and is bounded: of each kind so many addresses are remembered, and the one that was quiet for longest is
//! forgotten. An IPv6 address counts with its whole /64, because that is what one customer of a provider gets.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::time::Timestamp;
use hashbrown::HashMap;

use crate::bucket::{Bucket, Rate};
use crate::config::AddressesConfig;

/// Addresses that are remembered of each kind: at some 50 bytes each a few MiB.
pub const ADDRESSES_MAX: usize = 65_536;

/// Whom an address belongs to, as far as it tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Origin {
    V4(u32),
    V6(u64),
}

impl From<IpAddr> for Origin {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.into()),
            IpAddr::V6(address) => Self::V6(u64::try_from(u128::from(address) >> 64).expect("the upper half of it")),
        }
    }
}

/// What an address did too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limited {
    /// It did not prove who it is.
    Attempts,
    /// It made anonymous customers.
    AnonymousSignIns,
    /// It holds sockets open.
    Sockets,
}

/// No more is taken from an address for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too much of this kind comes from here; try again in {after_s} s")]
pub struct TooMany {
    /// Of what.
    pub what: Limited,
    /// Seconds after which it is worth trying again.
    pub after_s: u32,
}

impl TooMany {
    /// Of sockets. Nobody knows when another one closes.
    pub const SOCKETS: Self = Self { what: Limited::Sockets, after_s: 10 };
}

/// The buckets of addresses: those that were touched lately, and those before. When the young fill up they become the old, and what was
/// old is forgotten.
#[derive(Debug)]
struct Buckets {
    rate: Rate,
    what: Limited,
    young: HashMap<Origin, Bucket>,
    old: HashMap<Origin, Bucket>,
}

impl Buckets {
    fn new(rate: Rate, what: Limited) -> Self {
        Self { rate, what, young: HashMap::new(), old: HashMap::new() }
    }

    fn refused(&self, bucket: Bucket) -> TooMany {
        let after_s = bucket.wait_ms(self.rate).div_ceil(1_000).max(1);
        TooMany { what: self.what, after_s: u32::try_from(after_s).unwrap_or(u32::MAX) }
    }

    /// Whether there is something left, without taking it.
    fn check(&self, origin: Origin, now: Timestamp) -> Result<(), TooMany> {
        let known = self.young.get(&origin).or_else(|| self.old.get(&origin));
        match known.map(|bucket| bucket.filled(self.rate, now)) {
            Some(bucket) if bucket.wait_ms(self.rate) > 0 => Err(self.refused(bucket)),
            Some(_) | None => Ok(()),
        }
    }

    fn take(&mut self, origin: Origin, now: Timestamp) -> Result<(), TooMany> {
        if self.rate.at_once == 0 {
            return Ok(());
        }
        let known = self.young.get(&origin).copied().or_else(|| self.old.remove(&origin));
        let mut bucket = known.map_or(Bucket::full(self.rate, now), |bucket| bucket.filled(self.rate, now));
        let taken = bucket.take();
        if self.young.len() >= ADDRESSES_MAX / 2 && !self.young.contains_key(&origin) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(origin, bucket);
        if taken { Ok(()) } else { Err(self.refused(bucket)) }
    }
}

/// See the file's head.
pub struct Addresses {
    attempts: Mutex<Buckets>,
    anonymous: Mutex<Buckets>,
    /// Of each address that has some. Every entry is an open socket at least, so it needs no other bound.
    sockets: Arc<Mutex<HashMap<Origin, u32>>>,
    sockets_max: u32,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Addresses {
    /// Nobody did anything yet.
    #[must_use]
    pub fn new(config: &AddressesConfig) -> Self {
        let attempts = Rate { at_once: config.attempts_at_once, per_minute: config.attempts_per_minute };
        let anonymous = Rate { at_once: config.anonymous_at_once, per_minute: config.anonymous_per_minute };
        Self {
            attempts: Mutex::new(Buckets::new(attempts, Limited::Attempts)),
            anonymous: Mutex::new(Buckets::new(anonymous, Limited::AnonymousSignIns)),
            sockets: Arc::default(),
            sockets_max: config.sockets_max,
        }
    }

    /// Whether an address may try to prove who it is.
    ///
    /// # Errors
    /// [`TooMany`].
    pub fn may_try(&self, address: IpAddr, now: Timestamp) -> Result<(), TooMany> {
        locked(&self.attempts).check(address.into(), now)
    }

    /// An address did not prove who it is.
    ///
    /// # Errors
    /// [`TooMany`] when it did so too often: then it is told that instead of what was wrong.
    pub fn failed(&self, address: IpAddr, now: Timestamp) -> Result<(), TooMany> {
        locked(&self.attempts).take(address.into(), now)
    }

    /// An address makes an anonymous customer.
    ///
    /// # Errors
    /// [`TooMany`].
    pub fn signs_in_anonymously(&self, address: IpAddr, now: Timestamp) -> Result<(), TooMany> {
        locked(&self.anonymous).take(address.into(), now)
    }

    /// An address opens a socket, which is counted until what this answers is dropped.
    ///
    /// # Errors
    /// [`TooMany`].
    pub fn opens_socket(&self, address: IpAddr) -> Result<OpenSocket, TooMany> {
        let origin = address.into();
        let mut sockets = locked(&self.sockets);
        let open = sockets.get(&origin).copied().unwrap_or(0);
        if self.sockets_max > 0 && open >= self.sockets_max {
            return Err(TooMany::SOCKETS);
        }
        sockets.insert(origin, open + 1);
        Ok(OpenSocket { sockets: Arc::clone(&self.sockets), origin })
    }
}

/// A socket that counts as open.
pub struct OpenSocket {
    sockets: Arc<Mutex<HashMap<Origin, u32>>>,
    origin: Origin,
}

impl Drop for OpenSocket {
    fn drop(&mut self) {
        let mut sockets = locked(&self.sockets);
        match sockets.get_mut(&self.origin) {
            Some(open) if *open > 1 => *open -= 1,
            Some(_) | None => _ = sockets.remove(&self.origin),
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::time::Millis;

    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    fn addresses(config: AddressesConfig) -> Addresses {
        Addresses::new(&config)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_fails_so_often_at_once_and_so_often_in_the_long_run() {
        let addresses = addresses(AddressesConfig { attempts_at_once: 3, attempts_per_minute: 6, ..AddressesConfig::default() });
        let (guesser, neighbour) = (ip("203.0.113.9"), ip("203.0.113.10"));
        for _ in 0..3 {
            assert_eq!(addresses.failed(guesser, NOW), Ok(()));
        }
        let refused = TooMany { what: Limited::Attempts, after_s: 10 };
        assert_eq!((addresses.failed(guesser, NOW), addresses.may_try(guesser, NOW)), (Err(refused), Err(refused)));
        assert_eq!(addresses.may_try(neighbour, NOW), Ok(()));
        let later = NOW + Millis::seconds(10);
        assert_eq!(addresses.may_try(guesser, later), Ok(()), "looking takes nothing");
        assert_eq!((addresses.failed(guesser, later), addresses.failed(guesser, later)), (Ok(()), Err(refused)));
    }

    #[test]
    fn an_ipv6_address_counts_with_its_whole_network_and_a_mapped_one_as_what_it_is() {
        let addresses = addresses(AddressesConfig { attempts_at_once: 1, ..AddressesConfig::default() });
        assert!(addresses.failed(ip("2001:db8:1:2::1"), NOW).is_ok());
        assert!(addresses.failed(ip("2001:db8:1:2:ffff::9"), NOW).is_err(), "the same /64");
        assert!(addresses.failed(ip("2001:db8:1:3::1"), NOW).is_ok(), "the next /64");
        assert!(addresses.failed(ip("192.0.2.1"), NOW).is_ok());
        assert!(addresses.failed(ip("::ffff:192.0.2.1"), NOW).is_err());
    }

    #[test]
    fn hostile_networks_make_nothing_grow_and_the_quiet_are_forgotten_first() {
        let addresses = addresses(AddressesConfig { attempts_at_once: 1, ..AddressesConfig::default() });
        let busy = ip("203.0.113.9");
        let _ = addresses.failed(busy, NOW);
        let nth = |nth: u128| IpAddr::V6(((0x2001_0db8_u128 << 96) | (nth << 64)).into());
        for number in 0..3 * ADDRESSES_MAX as u128 {
            let _ = addresses.failed(nth(number), NOW);
            if number % 1_000 == 0 {
                assert!(addresses.failed(busy, NOW).is_err(), "whoever goes on is remembered");
            }
        }
        let buckets = locked(&addresses.attempts);
        assert!(buckets.young.len() + buckets.old.len() <= ADDRESSES_MAX);
        assert!(buckets.check(nth(0).into(), NOW).is_ok(), "forgotten");
        assert!(buckets.check(nth(3 * ADDRESSES_MAX as u128 - 1).into(), NOW).is_err());
    }

    #[test]
    fn so_many_sockets_are_open_at_a_time_and_a_closed_one_makes_room() {
        let addresses = addresses(AddressesConfig { sockets_max: 2, ..AddressesConfig::default() });
        let address = ip("203.0.113.9");
        let first = addresses.opens_socket(address).expect("there is room");
        let second = addresses.opens_socket(address).expect("there is room");
        assert_eq!(addresses.opens_socket(address).err().map(|refused| refused.what), Some(Limited::Sockets));
        assert!(addresses.opens_socket(ip("203.0.113.10")).is_ok());
        drop(first);
        assert!(addresses.opens_socket(address).is_ok());
        drop(second);
        assert!(locked(&addresses.sockets).is_empty());
    }

    #[test]
    fn without_a_limit_there_is_no_end() {
        let none = AddressesConfig { attempts_at_once: 0, anonymous_at_once: 0, sockets_max: 0, ..AddressesConfig::default() };
        let addresses = addresses(none);
        let address = ip("203.0.113.9");
        assert!((0..10_000).all(|_| addresses.failed(address, NOW).is_ok() && addresses.signs_in_anonymously(address, NOW).is_ok()));
        assert!(addresses.may_try(address, NOW).is_ok() && addresses.opens_socket(address).is_ok());
    }
}
