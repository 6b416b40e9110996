//! Client message ids: UUIDv7, minted without a system call each. It must not know what is sent under them.

use std::time::{SystemTime, UNIX_EPOCH};

/// Mints ids and the masks of frames. Not for secrets: seeded once from the system, then xorshift.
pub struct Mint {
    state: u64,
}

impl Mint {
    /// Seeds from the system's randomness.
    pub fn seeded() -> Self {
        let mut seed = [0; 8];
        // Ids must differ between runs; without randomness the clock is what differs.
        if getrandom::fill(&mut seed).is_err() {
            seed = now_ms().wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
        }
        Self { state: u64::from_le_bytes(seed) | 1 }
    }

    /// 64 pseudo-random bits.
    pub fn bits(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A UUIDv7 of this millisecond.
    pub fn uuid_v7(&mut self) -> u128 {
        let random = u128::from(self.bits()) << 64 | u128::from(self.bits());
        let (rand_a, rand_b) = ((random >> 64) & 0xfff, random & (u128::MAX >> 66));
        u128::from(now_ms()) << 80 | 7 << 76 | rand_a << 64 | 2 << 62 | rand_b
    }
}

/// Milliseconds since the Unix epoch.
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// An id as it is written: 32 hexadecimal digits.
pub struct Hex(pub u128);

impl std::fmt::Display for Hex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Appends an id as 32 hexadecimal digits, faster than through the formatter.
pub fn push_hex(out: &mut Vec<u8>, id: u128) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.extend(id.to_be_bytes().iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minted_id_is_a_uuid_v7_of_now() {
        let before = now_ms();
        let mut mint = Mint::seeded();
        let ids: std::collections::BTreeSet<u128> = (0..10_000).map(|_| mint.uuid_v7()).collect();
        assert_eq!(ids.len(), 10_000, "all different");
        for id in ids {
            let uuid = uuid::Uuid::from_u128(id);
            assert_eq!((uuid.get_version_num(), uuid.get_variant()), (7, uuid::Variant::RFC4122));
            assert!((before..=now_ms()).contains(&u64::try_from(id >> 80).unwrap()));
        }
    }

    #[test]
    fn an_id_is_written_in_32_digits() {
        let mut out = Vec::new();
        push_hex(&mut out, 0xab);
        assert_eq!(String::from_utf8(out).unwrap(), Hex(0xab).to_string());
        assert_eq!(Hex(0xab).to_string(), "000000000000000000000000000000ab");
    }
}
