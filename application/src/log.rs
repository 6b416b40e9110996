//! The log's own words: streams, commits, events as bytes, and how private halves are sealed.

pub mod codec;
pub mod commit;
pub mod decoded;
pub mod seal;
pub mod stream;
