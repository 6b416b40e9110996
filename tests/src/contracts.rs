//! What every implementation of a port must do, written once and run by each.

pub mod event_log;
pub mod key_store;
