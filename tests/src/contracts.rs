//! What every implementation of a port must do, written once and run by each.
#![expect(clippy::unwrap_used, reason = "a contract is test code, although it lies in a library so that every engine can run it")]

pub mod blob_store;
pub mod event_log;
pub mod key_store;
