//! The readers of what strangers send, each as a function of bytes that says whether it understood them: for fuzzers, and for
//! the inputs that they left behind. Nothing is carried out here.

use crate::channels::{long_poll, websocket};
use crate::http::extract::parse_object;

/// A frame of a socket.
#[must_use]
pub fn frame(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(websocket::understands)
}

/// The body of a poll.
#[must_use]
pub fn poll(bytes: &[u8]) -> bool {
    parse_object::<long_poll::KeepAlive>(bytes).is_ok()
}

/// The body of an order over a poll.
#[must_use]
pub fn order(bytes: &[u8]) -> bool {
    long_poll::sendmessage::understands(bytes)
}
