//! One WebSocket to the server: connecting, reading frames, and an outbox that several parts of a task may fill.
//!
//! Single-threaded: an outbox is written from wherever something is to be said, without waking another task. It must not know
//! what the frames mean.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;

use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::error::LoadError;
use super::frame::{Inbox, Opcode, push_frame};
use super::ids::Mint;

/// Longest HTTP head of a handshake's answer.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Bytes that the system takes from the server for a device that does not read: little, so that the rest waits at the server, but
/// more than one segment of a loopback, below which it would be slow when it does read.
const NARROW_BYTES: u32 = 128 * 1024;

/// Where the server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    host: String,
    port: u16,
    authority: String,
    base_path: String,
}

impl Endpoint {
    /// Reads an `http://` address.
    pub fn parse(url: &str) -> Result<Self, LoadError> {
        let invalid = || LoadError::InvalidUrl { url: url.to_owned() };
        let parsed = reqwest::Url::parse(url).map_err(|_| invalid())?;
        match parsed.scheme() {
            "http" => {}
            "https" => return Err(LoadError::TlsNotSupported { url: url.to_owned() }),
            _ => return Err(invalid()),
        }
        let host = parsed.host_str().ok_or_else(invalid)?;
        let port = parsed.port_or_known_default().ok_or_else(invalid)?;
        Ok(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            authority: format!("{host}:{port}"),
            base_path: parsed.path().trim_end_matches('/').to_owned(),
        })
    }

    /// Opens a connection; a narrow one holds little that was not read.
    pub async fn connect(&self, narrow: bool) -> Result<TcpStream, LoadError> {
        let place = (self.host.as_str(), self.port);
        let stream = if narrow { connect_narrow(place).await? } else { TcpStream::connect(place).await? };
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Host and port, as a request names them.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// A path of the API, as a request names it.
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.base_path)
    }

    /// The address under which a path of the API is found.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{}{path}", self.authority, self.base_path)
    }
}

async fn connect_narrow(place: (&str, u16)) -> io::Result<TcpStream> {
    let address = tokio::net::lookup_host(place).await?.next().ok_or(io::ErrorKind::AddrNotAvailable)?;
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Before connecting, because it bounds what the handshake offers.
    socket.set_recv_buffer_size(NARROW_BYTES)?;
    socket.connect(address).await
}

/// The receiving half.
pub struct Reader {
    half: OwnedReadHalf,
    inbox: Inbox,
}

impl Reader {
    /// Waits until something has arrived.
    pub async fn fill(&mut self) -> Result<(), LoadError> {
        let (half, room) = (&mut self.half, self.inbox.room());
        let mut buffer = ReadBuf::new(room);
        poll_fn(|context| Pin::new(&mut *half).poll_read(context, &mut buffer)).await?;
        let bytes = buffer.filled().len();
        if bytes == 0 {
            return Err(LoadError::Socket(io::ErrorKind::UnexpectedEof.into()));
        }
        self.inbox.filled(bytes);
        Ok(())
    }

    /// The next frame that is already here.
    pub fn frame(&mut self) -> Result<Option<(Opcode, &[u8])>, LoadError> {
        self.inbox.take_frame()
    }
}

/// The sending half: frames collect here and leave together.
pub struct Outbox {
    half: OwnedWriteHalf,
    bytes: RefCell<Vec<u8>>,
    payload: RefCell<Vec<u8>>,
    mint: RefCell<Mint>,
    draining: Cell<bool>,
}

impl Outbox {
    /// Adds one text frame, built by `build`.
    pub fn push(&self, build: impl FnOnce(&mut Vec<u8>)) {
        let mut payload = self.payload.borrow_mut();
        payload.clear();
        build(&mut payload);
        self.frame(Opcode::Text, &payload);
    }

    /// Answers a ping.
    pub fn pong(&self, payload: &[u8]) {
        self.frame(Opcode::Pong, payload);
    }

    fn frame(&self, opcode: Opcode, payload: &[u8]) {
        let mask = self.mint.borrow_mut().bits() as u32;
        push_frame(&mut self.bytes.borrow_mut(), opcode, payload, mask);
    }

    /// Sends what has collected. What the socket does not take now follows by itself; a broken socket is noticed by its reader.
    pub fn flush(self: &Rc<Self>) {
        if self.draining.get() || self.write_some() {
            return;
        }
        self.draining.set(true);
        let outbox = Rc::clone(self);
        tokio::task::spawn_local(async move {
            while outbox.half.writable().await.is_ok() && !outbox.write_some() {}
            outbox.draining.set(false);
        });
    }

    /// Whether there is nothing left to do.
    fn write_some(&self) -> bool {
        let mut bytes = self.bytes.borrow_mut();
        if bytes.is_empty() {
            return true;
        }
        match self.half.try_write(&bytes) {
            Ok(written) => {
                bytes.drain(..written);
                bytes.is_empty()
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
            Err(_) => {
                bytes.clear();
                true
            }
        }
    }
}

/// Connects to a path and shakes hands.
pub async fn connect(endpoint: &Endpoint, path: &str, narrow: bool) -> Result<(Reader, Rc<Outbox>), LoadError> {
    let mut stream = endpoint.connect(narrow).await?;
    let key = generate_key();
    let (path, authority) = (endpoint.path(path), &endpoint.authority);
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let (half, write_half) = stream.into_split();
    let mut reader = Reader { half, inbox: Inbox::default() };
    let mut received = 0;
    loop {
        reader.fill().await?;
        if let Some(head) = reader.inbox.take_head() {
            check_head(&String::from_utf8_lossy(head), &key)?;
            break;
        }
        received += 1;
        if received > HEAD_BYTES_MAX {
            return Err(LoadError::Protocol { what: "the answer to the handshake has no end" });
        }
    }
    let outbox = Outbox {
        half: write_half,
        bytes: RefCell::new(Vec::new()),
        payload: RefCell::new(Vec::new()),
        mint: RefCell::new(Mint::seeded()),
        draining: Cell::new(false),
    };
    Ok((reader, Rc::new(outbox)))
}

fn check_head(head: &str, key: &str) -> Result<(), LoadError> {
    let mut lines = head.lines();
    let status = lines.next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("101") {
        return Err(LoadError::HandshakeRefused { answer: status.to_owned() });
    }
    let accept = lines.filter_map(|line| line.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-accept"));
    match accept {
        Some((_, value)) if value.trim() == derive_accept_key(key.as_bytes()) => Ok(()),
        Some(_) | None => Err(LoadError::Protocol { what: "the handshake's answer does not fit its key" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_plain_http() {
        assert_eq!(Endpoint::parse("http://127.0.0.1:8080").unwrap().url("/v1/x"), "http://127.0.0.1:8080/v1/x");
        assert_eq!(Endpoint::parse("http://[::1]/base/").unwrap().url("/v1/x"), "http://[::1]:80/base/v1/x");
        assert_eq!(Endpoint::parse("http://[::1]").unwrap().host, "::1");
        assert!(matches!(Endpoint::parse("https://shop.example"), Err(LoadError::TlsNotSupported { .. })));
        for url in ["", "kefu", "ftp://x", "http://"] {
            assert!(matches!(Endpoint::parse(url), Err(LoadError::InvalidUrl { .. })), "{url}");
        }
    }

    #[test]
    fn a_handshake_needs_101_and_the_right_key() {
        let accept = derive_accept_key(b"key");
        let head = format!("HTTP/1.1 101 Switching Protocols\r\nsec-websocket-accept: {accept}\r\n\r\n");
        assert!(check_head(&head, "key").is_ok());
        assert!(matches!(check_head(&head, "other"), Err(LoadError::Protocol { .. })));
        assert!(matches!(check_head("HTTP/1.1 429 Too Many Requests\r\n\r\n", "key"), Err(LoadError::HandshakeRefused { .. })));
    }
}
