//! Ways in and out beside plain HTTP: the outside world to commands, events to the outside world.

pub mod websocket;
