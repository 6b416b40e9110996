//! The edge: the real router, and sockets, over a node in memory.

mod bad_input;
mod drain;
mod idempotency;
mod journey;
mod limits;
mod long_poll;
mod openapi;
mod presence;
mod sign_in;
mod signals;
mod socket;
mod tls;
mod users;
mod walk;
