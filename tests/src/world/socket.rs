//! A device in a story: one WebSocket, its frames as JSON.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::World;
use crate::people::Person;

/// A frame that does not come is a failure, not a hang. Far beyond what any frame takes.
const FRAME_MAX: Duration = Duration::from_secs(20);

/// A device.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Socket {
    /// Connects without a word.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn connect(address: SocketAddr) -> Self {
        let (stream, _) = connect_async(format!("ws://{address}/v1/ws")).await.expect("the server upgrades");
        Self { stream }
    }

    /// Connects as somebody after an index, or from now on if it is 0, and reads the welcome.
    ///
    /// # Panics
    /// When the server does not welcome.
    pub async fn hello(world: &mut World, who: &Person, after: u64) -> Self {
        let address = world.serve().await;
        let mut socket = Self::connect(address).await;
        let after = (after > 0).then_some(after);
        socket.send(json!({"t": "hello", "token": who.token, "after": after})).await;
        let welcome = socket.next().await;
        assert_eq!(welcome["t"], "welcome", "{welcome}");
        socket
    }

    /// Sends a frame.
    pub async fn send(&mut self, frame: Value) {
        self.send_raw(Message::text(frame.to_string())).await;
    }

    /// Sends whatever.
    pub async fn send_raw(&mut self, message: Message) {
        // A server that has closed already is what some tests wait for.
        let _ = self.stream.send(message).await;
    }

    /// The next frame, or null after the end.
    ///
    /// # Panics
    /// When none comes, or one that is no JSON text.
    pub async fn next(&mut self) -> Value {
        loop {
            match timeout(FRAME_MAX, self.stream.next()).await.expect("a frame comes") {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).expect("frames are JSON"),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(close))) => {
                    return json!({"t": "close", "code": close.map(|close| u16::from(close.code))});
                }
                Some(Ok(Message::Binary(_) | Message::Frame(_))) => panic!("the server sends text only"),
                Some(Err(_)) | None => return Value::Null,
            }
        }
    }

    /// The next frame, if it comes within this time.
    pub async fn next_within(&mut self, span: Duration) -> Option<Value> {
        timeout(span, self.next()).await.ok()
    }

    /// The next frame of a type; others are passed over.
    ///
    /// # Panics
    /// When the socket ends before.
    pub async fn next_of(&mut self, frame_type: &str) -> Value {
        loop {
            let frame = self.next().await;
            if frame["t"] == frame_type {
                return frame;
            }
            assert!(!frame.is_null() && frame["t"] != "close", "the socket ended before a {frame_type}: {frame}");
        }
    }

    /// The next frame of a type that fits; others are passed over.
    pub async fn next_that(&mut self, frame_type: &str, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let frame = self.next_of(frame_type).await;
            if fits(&frame) {
                return frame;
            }
        }
    }

    /// What is told between here and the answer to a ping.
    ///
    /// # Panics
    /// When the socket ends before.
    pub async fn told_until_pong(&mut self) -> Vec<Value> {
        self.send(json!({"t": "ping"})).await;
        let mut told = Vec::new();
        loop {
            let frame = self.next().await;
            if frame["t"] == "pong" {
                return told;
            }
            assert!(!frame.is_null() && frame["t"] != "close", "the socket ended before a pong: {frame}");
            told.push(frame);
        }
    }

    /// The next item of a kind; others are passed over.
    pub async fn next_item(&mut self, kind: &str) -> Value {
        loop {
            let item = self.next_of("item").await;
            if item["k"] == kind {
                return item;
            }
        }
    }

    /// Reads to the end: the code of the farewell and of the close frame.
    pub async fn farewell(&mut self) -> (Value, Value) {
        let mut bye = Value::Null;
        loop {
            let frame = self.next().await;
            match frame["t"].as_str() {
                Some("bye") => bye = frame["code"].clone(),
                Some("close") => return (bye, frame["code"].clone()),
                None => return (bye, Value::Null),
                Some(_) => {}
            }
        }
    }

    /// Goes without a word.
    pub async fn leave(mut self) {
        let _ = self.stream.close(None).await;
    }
}
