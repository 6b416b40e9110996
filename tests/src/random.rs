//! One seeded generator for every test that chooses at random: the same seed chooses the same, everywhere.

use domain::time::Timestamp;
use uuid::Uuid;

/// Bits of a `UUIDv7` that a number has to itself.
const V7_NUMBER: u64 = (1 << 62) - 1;

/// A `UUIDv7` of an instant and a number, of which the two highest bits are left out.
#[must_use]
pub fn v7(at: Timestamp, number: u64) -> Uuid {
    let millis = u128::from(u64::try_from(at.0).unwrap_or(0)) << 80;
    Uuid::from_u128(millis | (7 << 76) | (2 << 62) | u128::from(number & V7_NUMBER))
}

/// A small deterministic generator (SplitMix64, Steele, Lea & Flood 2014).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The generator of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below a limit, which is not 0.
    pub fn below_u64(&mut self, limit: u64) -> u64 {
        self.number() % limit
    }

    /// A number below a bound; 0 for bound 0.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.number() % (bound.max(1) as u64)).expect("below a usize")
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}
