//! A device's way to the server, whichever it is: a socket, or the long poll.

use std::rc::Rc;

use super::error::LoadError;
use super::frame::Opcode;
use super::{poll, socket, wire};

/// What may be asked for at once.
const RANGE_MAX: u64 = 1_000;

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// `GET /v1/ws`.
    Socket,
    /// `POST /v1/keepalive` and `POST /v1/sendmessage`.
    Poll,
}

/// Who connects.
#[derive(Clone, Copy, Debug)]
pub struct Hello<'a> {
    /// By which they are known.
    pub token: &'a str,
    /// The last index that the device has; 0: from now on.
    pub after: u64,
    /// The device, which keeps its id for as long as it runs; a socket needs none.
    pub device: u128,
    /// Whether the system is to hold little for it, because it will not always read.
    pub narrow: bool,
}

/// What comes.
pub enum Reader {
    /// By socket.
    Socket(socket::Reader),
    /// By polls.
    Poll(poll::Reader),
}

/// What is said.
#[derive(Clone)]
pub enum Outbox {
    /// By socket.
    Socket(Rc<socket::Outbox>),
    /// By orders.
    Poll(Rc<poll::Outbox>),
}

/// Connects; a welcome comes first.
pub async fn connect(transport: Transport, endpoint: &socket::Endpoint, hello: Hello<'_>) -> Result<(Reader, Outbox), LoadError> {
    match transport {
        Transport::Socket => {
            let (reader, outbox) = socket::connect(endpoint, "/v1/ws", hello.narrow).await?;
            outbox.push(|out| wire::hello(out, hello.token, hello.after));
            outbox.flush();
            Ok((Reader::Socket(reader), Outbox::Socket(outbox)))
        }
        Transport::Poll => {
            let (reader, outbox) = poll::connect(endpoint, hello).await?;
            Ok((Reader::Poll(reader), Outbox::Poll(outbox)))
        }
    }
}

impl Reader {
    /// Waits until something has arrived.
    pub async fn fill(&mut self) -> Result<(), LoadError> {
        match self {
            Self::Socket(reader) => reader.fill().await,
            Self::Poll(reader) => reader.fill().await,
        }
    }

    /// Whether nothing more is asked for meanwhile: a socket is simply not read, but polls go on by themselves.
    pub fn hold(&self, on: bool) {
        match self {
            Self::Socket(_) => {}
            Self::Poll(reader) => reader.hold(on),
        }
    }

    /// The next frame that is already here.
    pub fn frame(&mut self) -> Result<Option<(Opcode, &[u8])>, LoadError> {
        match self {
            Self::Socket(reader) => reader.frame(),
            Self::Poll(reader) => Ok(reader.frame()),
        }
    }
}

impl Outbox {
    /// Adds one frame.
    pub fn push(&self, build: impl FnOnce(&mut Vec<u8>)) {
        match self {
            Self::Socket(outbox) => outbox.push(build),
            Self::Poll(outbox) => outbox.push(build),
        }
    }

    /// Asks for the items after one index up to another, or for as many of them as may be asked for at once; a poll always goes on
    /// after the index it has.
    pub fn ask_range(&self, after: u64, to: u64) {
        match self {
            Self::Socket(outbox) => outbox.push(|out| wire::range(out, after, to.min(after + RANGE_MAX))),
            Self::Poll(_) => {}
        }
    }

    /// Answers a ping; a poll has none.
    pub fn pong(&self, payload: &[u8]) {
        match self {
            Self::Socket(outbox) => outbox.pong(payload),
            Self::Poll(_) => {}
        }
    }

    /// Sends what has collected.
    pub fn flush(&self) {
        match self {
            Self::Socket(outbox) => outbox.flush(),
            Self::Poll(outbox) => outbox.flush(),
        }
    }
}
