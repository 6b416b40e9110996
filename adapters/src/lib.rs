//! Event logs, stores, channels, HTTP and the wiring of the binary: everything that does I/O.

pub mod owner_task;
pub mod policy_task;
pub mod snapshot_store;
pub mod timer_task;
pub mod event_log;
pub mod key_store;
