//! The long poll as a device: what is said leaves as `sendmessage`, one request at a time and in order; what comes is taken from
//! held `keepalive` requests. Both look like frames, so that whoever talks need not know which it is.
//!
//! HTTP is written by hand over two connections that stay: a general client would cost the generator more than the server spends.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::error::LoadError;
use super::frame::Opcode;
use super::ids::Hex;
use super::link::Hello;
use super::scan;
use super::socket::Endpoint;

/// Longest head of an answer.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// A connection that stays, one request at a time.
struct Http {
    stream: TcpStream,
    head: String,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Http {
    async fn connect(endpoint: &Endpoint, path: &str, token: &str) -> Result<Self, LoadError> {
        let stream = endpoint.connect(false).await?;
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: ",
            endpoint.path(path),
            endpoint.authority()
        );
        Ok(Self { stream, head, request: Vec::new(), answer: Vec::new() })
    }

    /// Posts a body; answers status and body.
    async fn post(&mut self, body: &[u8]) -> Result<(u16, Vec<u8>), LoadError> {
        self.request.clear();
        self.request.extend_from_slice(self.head.as_bytes());
        self.request.extend_from_slice(body.len().to_string().as_bytes());
        self.request.extend_from_slice(b"\r\n\r\n");
        self.request.extend_from_slice(body);
        self.stream.write_all(&self.request).await?;
        loop {
            if let Some((status, body_at, length)) = read_head(&self.answer)? {
                while self.answer.len() < body_at + length {
                    self.fill().await?;
                }
                let body = self.answer[body_at..body_at + length].to_vec();
                self.answer.drain(..body_at + length);
                return Ok((status, body));
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> Result<(), LoadError> {
        if self.stream.read_buf(&mut self.answer).await? == 0 {
            return Err(LoadError::Socket(std::io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(())
    }
}

/// Status, where the body begins, and its length; `None` while the head is not whole.
fn read_head(answer: &[u8]) -> Result<Option<(u16, usize, usize)>, LoadError> {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return if answer.len() > HEAD_BYTES_MAX { Err(LoadError::Protocol { what: "an answer's head has no end" }) } else { Ok(None) };
    };
    let head = String::from_utf8_lossy(&answer[..end]);
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let length = head.lines().filter_map(|line| line.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|(_, value)| value.trim().parse().ok());
    match (status, length) {
        (Some(status), Some(length)) => Ok(Some((status, end + 4, length))),
        _ => Err(LoadError::Protocol { what: "an answer has no status or no length" }),
    }
}

#[derive(Default)]
struct Shared {
    frames: RefCell<VecDeque<Vec<u8>>>,
    orders: RefCell<VecDeque<Vec<u8>>>,
    came: Notify,
    ordered: Notify,
    ended: RefCell<Option<LoadError>>,
    held: Cell<bool>,
    released: Notify,
}

impl Shared {
    fn push(&self, frame: Vec<u8>) {
        self.frames.borrow_mut().push_back(frame);
        self.came.notify_one();
    }

    /// The first thing that ended it counts.
    fn end(&self, error: LoadError) {
        self.ended.borrow_mut().get_or_insert(error);
        self.came.notify_one();
    }
}

/// What comes.
pub struct Reader {
    shared: Rc<Shared>,
    current: Vec<u8>,
    tasks: [AbortHandle; 2],
}

impl Drop for Reader {
    fn drop(&mut self) {
        // Both connections close with the tasks that hold them.
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

/// What is said.
pub struct Outbox {
    shared: Rc<Shared>,
    device: String,
}

impl Reader {
    /// Waits until something has come.
    pub async fn fill(&self) -> Result<(), LoadError> {
        while self.shared.frames.borrow().is_empty() {
            if let Some(error) = self.shared.ended.borrow_mut().take() {
                return Err(error);
            }
            self.shared.came.notified().await;
        }
        Ok(())
    }

    /// Whether no further poll is sent meanwhile.
    pub fn hold(&self, on: bool) {
        self.shared.held.set(on);
        self.shared.released.notify_one();
    }

    /// The next frame that is here.
    pub fn frame(&mut self) -> Option<(Opcode, &[u8])> {
        self.current = self.shared.frames.borrow_mut().pop_front()?;
        Some((Opcode::Text, &self.current))
    }
}

impl Outbox {
    /// Says something. A receipt is not said: the next poll tells it.
    pub fn push(&self, build: impl FnOnce(&mut Vec<u8>)) {
        let mut frame = Vec::new();
        build(&mut frame);
        let kind = scan::field(&frame, "t").and_then(scan::raw_text).unwrap_or_default();
        let code: &[u8] = match kind {
            b"send" => b"message",
            b"receive" => return,
            other => other,
        };
        let rest = frame.iter().position(|byte| *byte == b',').map_or(&frame[..0], |comma| &frame[comma..]);
        let mut order = Vec::with_capacity(frame.len() + 64);
        order.extend_from_slice(b"{\"bizCode\":\"");
        order.extend_from_slice(code);
        order.push(b'"');
        if code == b"message" {
            order.extend_from_slice(b",\"device\":\"");
            order.extend_from_slice(self.device.as_bytes());
            order.push(b'"');
        }
        order.extend_from_slice(rest);
        self.shared.orders.borrow_mut().push_back(order);
    }

    /// Lets it leave.
    pub fn flush(&self) {
        self.shared.ordered.notify_one();
    }
}

/// Connects a device; the first frame is a welcome.
pub async fn connect(endpoint: &Endpoint, hello: Hello<'_>) -> Result<(Reader, Rc<Outbox>), LoadError> {
    let shared = Rc::new(Shared::default());
    let polls = Http::connect(endpoint, "/v1/keepalive", hello.token).await?;
    let orders = Http::connect(endpoint, "/v1/sendmessage", hello.token).await?;
    let (device, after) = (Hex(hello.device).to_string(), hello.after);
    let outbox = Outbox { shared: Rc::clone(&shared), device: device.clone() };
    let polling = tokio::task::spawn_local({
        let shared = Rc::clone(&shared);
        async move {
            if let Err(error) = poll(polls, &device, after, &shared).await {
                shared.end(error);
            }
        }
    });
    let speaking = tokio::task::spawn_local({
        let shared = Rc::clone(&shared);
        async move {
            if let Err(error) = speak(orders, &shared).await {
                shared.end(error);
            }
        }
    });
    let tasks = [polling.abort_handle(), speaking.abort_handle()];
    Ok((Reader { shared: Rc::clone(&shared), current: Vec::new(), tasks }, Rc::new(outbox)))
}

async fn poll(mut http: Http, device: &str, after: u64, shared: &Shared) -> Result<(), LoadError> {
    let mut cursor: Option<(u64, u64)> = None;
    loop {
        while shared.held.get() {
            shared.released.notified().await;
        }
        let body = match cursor {
            None if after == 0 => format!("{{\"device\":\"{device}\",\"wait_ms\":0}}"),
            None => format!("{{\"device\":\"{device}\",\"after\":{after},\"wait_ms\":0}}"),
            Some((after, signals)) => format!("{{\"device\":\"{device}\",\"after\":{after},\"signals\":{signals}}}"),
        };
        let (status, answer) = http.post(body.as_bytes()).await?;
        match status {
            200 => {}
            401 => return Err(LoadError::Bye { code: "unauthorized".into() }),
            _ => return Err(LoadError::HandshakeRefused { answer: format!("a poll was answered {status}") }),
        }
        let number = |name| scan::field(&answer, name).and_then(scan::number).unwrap_or_default();
        let (next, signals) = (number("next"), number("signals"));
        if cursor.is_none() {
            let head = if after == 0 { next } else { number("head") };
            shared.push(format!("{{\"t\":\"welcome\",\"head\":{head}}}").into_bytes());
        }
        cursor = Some((next, signals));
        for event in scan::elements(scan::field(&answer, "events").unwrap_or_default()) {
            if let Some(frame) = scan::field(event, "frame") {
                shared.push(frame.to_vec());
            }
        }
    }
}

async fn speak(mut http: Http, shared: &Shared) -> Result<(), LoadError> {
    loop {
        let order = shared.orders.borrow_mut().pop_front();
        let Some(order) = order else {
            shared.ordered.notified().await;
            continue;
        };
        let (status, answer) = http.post(&order).await?;
        if let Some(frame) = as_frame(status, &order, &answer) {
            shared.push(frame);
        }
    }
}

/// The answer to an order as the frame that a socket would have got.
fn as_frame(status: u16, order: &[u8], answer: &[u8]) -> Option<Vec<u8>> {
    let raw = |text, name| scan::field(text, name).map(|value| String::from_utf8_lossy(value).into_owned());
    if status == 200 {
        let (id, chat, message, seq) = (raw(answer, "id")?, raw(answer, "chat")?, raw(answer, "message")?, raw(answer, "seq")?);
        let position = raw(answer, "pos")?;
        return Some(
            format!("{{\"t\":\"ack\",\"id\":{id},\"message\":{message},\"chat\":{chat},\"seq\":{seq},\"pos\":{position}}}").into_bytes(),
        );
    }
    let code = raw(answer, "code").unwrap_or_else(|| format!("\"http_{status}\""));
    let id = raw(order, "id").map_or(String::new(), |id| format!("\"id\":{id},"));
    let retry = status == 429 || status >= 500;
    Some(format!("{{\"t\":\"nack\",{id}\"code\":{code},\"retry\":{retry}}}").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{self, Heard};

    #[test]
    fn an_answers_head_is_read_when_it_is_whole() {
        assert!(read_head(b"HTTP/1.1 200 OK\r\nContent-").unwrap().is_none());
        assert_eq!(read_head(b"HTTP/1.1 200 OK\r\nx: y\r\ncontent-length: 12\r\n\r\n{").unwrap(), Some((200, 45, 12)));
        assert!(read_head(b"HTTP/1.1 200 OK\r\nx: y\r\n\r\n").is_err());
    }

    #[test]
    fn what_is_said_becomes_an_order_and_its_answer_a_frame() {
        let outbox = Outbox { shared: Rc::default(), device: "d1".to_owned() };
        outbox.push(|out| wire::send(out, 7, 8, b"\"hi\"", None));
        outbox.push(|out| wire::receive(out, 3));
        outbox.push(|out| wire::read(out, 8, 3));
        let orders: Vec<serde_json::Value> =
            outbox.shared.orders.borrow().iter().map(|order| serde_json::from_slice(order).unwrap()).collect();
        assert_eq!(orders.len(), 2, "a receipt is no order");
        assert_eq!((&orders[0]["bizCode"], &orders[0]["content"]), (&"message".into(), &"hi".into()));
        assert_eq!((&orders[0]["device"], orders[1].get("device")), (&"d1".into(), None), "its echo need not end the poll");
        assert_eq!((&orders[1]["bizCode"], &orders[1]["seq"]), (&"read".into(), &3.into()));
        let (id, order) = (Hex(7), outbox.shared.orders.borrow()[0].clone());
        let answer = format!("{{\"bizCode\":\"ack\",\"id\":\"{id}\",\"chat\":\"{id}\",\"message\":\"{id}\",\"seq\":5,\"pos\":\"s0c3e1\"}}");
        let frame = as_frame(200, &order, answer.as_bytes()).unwrap();
        assert!(matches!(wire::hear(&frame), Heard::Ack { id: 7, message: 7, seq: 5, .. }));
        let frame = as_frame(429, &order, b"{\"code\":\"busy\"}").unwrap();
        assert_eq!(wire::hear(&frame), Heard::Nack { id: Some(7), code: b"busy", retry: true });
    }
}
