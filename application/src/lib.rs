//! Ports, command handling, policies and queries.
//!
//! The bytes of a commit are made and read here, because they are the same in every engine. This crate must not know an
//! engine, a socket, a file or a clock: they reach it through the traits in `ports`.

pub mod access;
pub mod attachment;
pub mod command;
pub mod error;
pub mod log;
pub mod owner;
pub mod policies;
pub mod ports;
pub mod queries;
pub mod rehearsal;
