//! The keys of stored rows: the tenant first, ordered like the ids themselves.
//!
//! A key is written as the tenant's slug, a zero byte, and the rest. Slugs hold only `[a-z0-9]`, so all keys of a tenant lie
//! together and no tenant's range reaches into another's. This file must not know what the rows say.

use std::hash::{Hash, Hasher};

use domain::ids::TenantId;
use domain::time::Timestamp;

/// A row that belongs to something with an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Whose row it is.
    pub tenant: TenantId,
    /// The sixteen bytes of a chat's, conversation's or user's id, or of a digest.
    pub id: [u8; 16],
}

/// The id alone is enough to tell rows apart in nearly every case, and the tenant's slug is twice as long.
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(u128::from_ne_bytes(self.id));
    }
}

impl Key {
    /// The key of a row.
    #[must_use]
    pub const fn new(tenant: TenantId, id: [u8; 16]) -> Self {
        Self { tenant, id }
    }

    /// Writes the key as it is stored.
    pub fn write(&self, out: &mut Vec<u8>) {
        write_tenant(out, self.tenant);
        out.extend_from_slice(&self.id);
    }

    /// The key as it is stored.
    #[must_use]
    pub fn to_vec(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(TenantId::as_str(&self.tenant).len() + 17);
        self.write(&mut out);
        out
    }

    /// Reads the tenant and the id at the beginning of a stored key; `None` when it is no key of ours.
    #[must_use]
    pub fn read(stored: &[u8]) -> Option<(Self, &[u8])> {
        let (tenant, rest) = read_tenant(stored)?;
        let (id, rest) = rest.split_first_chunk::<16>()?;
        Some((Self { tenant, id: *id }, rest))
    }
}

/// Writes the tenant's part of a key.
pub fn write_tenant(out: &mut Vec<u8>, tenant: TenantId) {
    out.extend_from_slice(tenant.as_str().as_bytes());
    out.push(0);
}

/// Reads the tenant's part of a key.
#[must_use]
pub fn read_tenant(stored: &[u8]) -> Option<(TenantId, &[u8])> {
    let end = stored.iter().position(|byte| *byte == 0)?;
    let tenant = std::str::from_utf8(&stored[..end]).ok()?.parse().ok()?;
    Some((tenant, &stored[end + 1..]))
}

/// The least key of a tenant.
#[must_use]
pub fn tenant_start(tenant: TenantId) -> Vec<u8> {
    let mut out = Vec::with_capacity(33);
    write_tenant(&mut out, tenant);
    out
}

/// The first key after all keys of a tenant.
#[must_use]
pub fn tenant_end(tenant: TenantId) -> Vec<u8> {
    let mut out = tenant.as_str().as_bytes().to_vec();
    out.push(1);
    out
}

/// The first key after all keys that begin with a prefix.
#[must_use]
pub fn prefix_end(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.last_mut() {
        if *last < u8::MAX {
            *last += 1;
            return end;
        }
        end.pop();
    }
    // Nothing but 0xff: no key of ours begins so, and no key of ours is longer than this.
    vec![u8::MAX; 128]
}

/// An instant as eight bytes in the order of time.
#[must_use]
pub const fn ascending(at: Timestamp) -> [u8; 8] {
    (at.0.cast_unsigned() ^ (1 << 63)).to_be_bytes()
}

/// What [`ascending`] wrote.
#[must_use]
pub const fn instant(bytes: [u8; 8]) -> Timestamp {
    Timestamp((u64::from_be_bytes(bytes) ^ (1 << 63)).cast_signed())
}

/// Turns an ascending order of bytes into a descending one, and back.
#[must_use]
pub fn inverted<const N: usize>(mut bytes: [u8; N]) -> [u8; N] {
    for byte in &mut bytes {
        *byte = !*byte;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_ordered_by_tenant_then_id_and_read_back() {
        let key = |tenant: &str, id: u8| Key::new(tenant.parse().unwrap(), [id; 16]);
        let keys = [key("a", 1), key("a", 2), key("a0", 0), key("ab", 0), key("b", 0)];
        assert!(keys.is_sorted());
        assert!(keys.map(Key::to_vec).is_sorted());
        for key in keys {
            assert_eq!(Key::read(&key.to_vec()), Some((key, [].as_slice())));
            assert!(key.to_vec() >= tenant_start(key.tenant) && key.to_vec() < tenant_end(key.tenant));
        }
    }

    #[test]
    fn instants_are_ordered_like_time_also_before_the_epoch() {
        let instants = [i64::MIN, -1, 0, 1, i64::MAX].map(Timestamp);
        assert!(instants.map(ascending).is_sorted());
        assert!(instants.map(|at| inverted(ascending(at))).iter().rev().is_sorted());
        assert_eq!(instants.map(|at| instant(ascending(at))), instants);
    }
}
