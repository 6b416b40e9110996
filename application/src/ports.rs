//! What the application asks of the outside world: one trait per file.

pub mod clock;
pub mod event_log;
pub mod ids;
pub mod key_store;
