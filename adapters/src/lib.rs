//! Event logs, stores, channels, HTTP and the wiring of the binary: everything that does I/O.

pub mod event_log;
pub mod key_store;
