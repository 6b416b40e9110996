//! Event logs, stores, channels, HTTP and the wiring of the binary: everything that does I/O.

pub mod cli;
pub mod demo;
pub mod owner_task;
pub mod policy_task;
pub mod snapshot_store;
pub mod timer_task;
pub mod event_log;
pub mod key_store;
pub mod view_store;
pub mod history;
