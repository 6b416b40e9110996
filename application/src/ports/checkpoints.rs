//! Where consumers that are not views note how far they are.

/// Keeps one small record per consumer. Losing one repeats work that is recognised as repeated, so it need not be synced.
pub trait Checkpoints: Send + Sync {
    /// The last saved record.
    fn load(&self, consumer: &str) -> Option<Vec<u8>>;
    /// Replaces the record.
    fn save(&self, consumer: &str, bytes: &[u8]);
}
