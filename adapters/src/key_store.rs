//! Where the keys of private halves are kept: in memory for tests, in a SQLite file of their own for everyone else.
//!
//! Keys lie outside the log and its backups. Nothing here may print, log or copy a key to another place.

pub mod memory;
pub mod sqlite;
