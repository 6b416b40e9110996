//! What the application asks of the outside world: one trait per file.

pub mod blob_store;
pub mod checkpoints;
pub mod clock;
pub mod command_bus;
pub mod event_log;
pub mod ids;
pub mod key_store;
pub mod snapshots;
