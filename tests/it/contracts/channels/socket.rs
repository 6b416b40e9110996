//! A customer with a socket.

use async_trait::async_trait;
use domain::ids::UserId;
use serde_json::{Value, json};
use tests::people::Person;
use tests::world::socket::Socket;
use tokio_tungstenite::tungstenite::Message;

use super::{Channel, Story, Words};

/// See the file's head.
pub struct BySocket {
    who: Person,
    chat: String,
    socket: Option<Socket>,
    cursor: u64,
    arrived: Vec<Value>,
}

impl BySocket {
    /// The next frame that is no item; items are kept.
    async fn answer(&mut self) -> Value {
        loop {
            let frame = self.socket.as_mut().expect("connected").next().await;
            if frame["t"] == "item" {
                self.keep(frame);
            } else {
                return frame;
            }
        }
    }

    fn keep(&mut self, item: Value) {
        self.cursor = self.cursor.max(item["i"].as_u64().expect("an index"));
        self.arrived.push(item);
    }

    /// The next item, whatever comes before it.
    async fn item(&mut self) -> Value {
        self.socket.as_mut().expect("connected").next_of("item").await
    }

    /// Waits for an item of one's own doing, or for the refusal that names the same field.
    async fn done(&mut self, kind: &str, field: &str) -> Result<(), String> {
        loop {
            let frame = self.socket.as_mut().expect("connected").next().await;
            assert!(!frame.is_null(), "the socket ended");
            if frame["t"] == "nack" && !frame[field].is_null() {
                return Err(frame["code"].as_str().expect("a code").to_owned());
            }
            if frame["t"] == "item" {
                let is_it = frame["k"] == kind;
                self.keep(frame);
                if is_it {
                    return Ok(());
                }
            }
        }
    }

    async fn send(&mut self, frame: Value) {
        self.socket.as_mut().expect("connected").send(frame).await;
    }

    fn message(&self, words: &Words) -> Value {
        json!({"t": "send", "id": words.id, "chat": self.chat, "content": words.content})
    }
}

#[async_trait]
impl Channel for BySocket {
    async fn enter(story: &mut Story, tenant: &'static str, name: &str) -> Self {
        let who = story.world.customer(tenant, name).await;
        let socket = Socket::hello(&mut story.world, &who, 0).await;
        let (chat, _) = story.world.open_chat(&who).await;
        let mut customer = Self { who, chat, socket: Some(socket), cursor: 0, arrived: Vec::new() };
        let hello = story.words("hello");
        customer.say(story, &hello).await.expect("hello is fine");
        customer
    }

    fn user(&self) -> UserId {
        self.who.account().user
    }

    fn chat(&self) -> &str {
        &self.chat
    }

    async fn say(&mut self, _: &mut Story, words: &Words) -> Result<Value, String> {
        let message = self.message(words);
        self.send(message).await;
        loop {
            let frame = self.answer().await;
            match frame["t"].as_str() {
                Some("ack") => return Ok(frame),
                Some("nack") => return Err(frame["code"].as_str().expect("a code").to_owned()),
                Some("close" | "bye") | None => panic!("the socket ended: {frame}"),
                Some(_) => {}
            }
        }
    }

    async fn say_unheard(&mut self, story: &mut Story, words: &Words) {
        let message = self.message(words);
        self.send(message).await;
        self.leave(story).await;
        self.come_back(story).await;
    }

    async fn read(&mut self, _: &mut Story, seq: u64) -> Result<(), String> {
        let frame = json!({"t": "read", "chat": self.chat, "seq": seq});
        self.send(frame).await;
        self.done("read", "chat").await
    }

    async fn recall(&mut self, _: &mut Story, message: &str) -> Result<(), String> {
        let frame = json!({"t": "recall", "chat": self.chat, "message": message});
        self.send(frame).await;
        self.done("recalled", "message").await
    }

    async fn rubbish(&mut self, story: &mut Story) -> String {
        let socket = self.socket.as_mut().expect("connected");
        socket.send_raw(Message::text("{\"t\":")).await;
        let (bye, _) = socket.farewell().await;
        self.come_back(story).await;
        bye.as_str().expect("a code").to_owned()
    }

    async fn receive(&mut self, _: &mut Story, up_to: u64) -> Vec<Value> {
        while self.cursor < up_to {
            let item = self.item().await;
            self.keep(item);
        }
        std::mem::take(&mut self.arrived)
    }

    async fn receive_and_break(&mut self, story: &mut Story, count: usize) -> Vec<Value> {
        self.come_back(story).await;
        for _ in 0..count {
            let item = self.item().await;
            self.keep(item);
        }
        // On its way already, and never seen.
        let _lost = self.item().await;
        self.leave(story).await;
        std::mem::take(&mut self.arrived)
    }

    async fn leave(&mut self, _: &mut Story) {
        self.socket = None;
    }

    async fn come_back(&mut self, story: &mut Story) {
        self.socket = Some(Socket::hello(&mut story.world, &self.who, self.cursor).await);
    }
}
