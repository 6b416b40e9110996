//! The edge: the real router, and sockets, over a node in memory.

mod attachments;
mod bad_input;
mod boards;
mod campaigns;
mod canned_replies;
mod chunks;
mod descriptions;
mod drain;
mod flows;
mod guests;
mod idempotency;
mod journey;
mod limits;
mod long_poll;
mod notes;
mod openapi;
mod presence;
mod reception;
mod sign_in;
mod signals;
mod signed_channel;
mod socket;
mod threads;
mod tls;
mod users;
mod walk;
