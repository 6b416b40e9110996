//! The readers of what strangers send, each as a function of bytes that says whether it understood them: for fuzzers, and for
//! the inputs that they left behind. Nothing is carried out here.

use crate::channels::{long_poll, websocket};
use crate::http::extract::parse_object;
use crate::robots::remote::chat_completions::Growth;
use crate::robots::remote::signed_http;

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

/// What a robot elsewhere answers.
#[must_use]
pub fn answer(bytes: &[u8]) -> bool {
    signed_http::read(bytes).is_ok()
}

/// What a language model answers, when it comes in parts of so many bytes; nothing, if that is no answer.
#[must_use]
pub fn completion(bytes: &[u8], part: usize) -> Option<String> {
    let mut growth = Growth::default();
    for part in bytes.chunks(part) {
        growth.take(part).ok()?;
    }
    growth.answered().ok().map(|answered| format!("{answered:?}"))
}
