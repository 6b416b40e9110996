//! A customer in a webview that polls.

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Request, header};
use domain::ids::UserId;
use serde_json::{Value, json};
use tests::people::{DEVICE, Person};
use tests::world::SHOP;

use super::{Channel, Story, Words, outcome};

/// How long a poll is held; it is answered as soon as something comes.
const WAIT_MS: u64 = 20_000;

/// See the file's head.
pub struct ByLongPoll {
    who: Person,
    chat: String,
    cursor: u64,
    signals: Option<u64>,
    arrived: Vec<Value>,
}

impl ByLongPoll {
    async fn order(&self, story: &Story, order: Value) -> Result<Value, String> {
        outcome(story.world.post(&self.who, "/v1/sendmessage", order).await)
    }

    /// One poll: its items, and what to present next.
    async fn poll(&self, story: &Story) -> (Vec<Value>, u64, Option<u64>) {
        let mut body = json!({"device": DEVICE, "after": self.cursor, "wait_ms": WAIT_MS});
        if let Some(signals) = self.signals {
            body["signals"] = json!(signals);
        }
        let answer = story.world.post(&self.who, "/v1/keepalive", body).await.ok();
        let events = answer["events"].as_array().expect("a list").iter().map(|event| event["frame"].clone());
        let items = events.filter(|frame| frame["t"] == "item").collect();
        (items, answer["next"].as_u64().expect("an index"), answer["signals"].as_u64())
    }
}

#[async_trait]
impl Channel for ByLongPoll {
    async fn enter(story: &mut Story, tenant: &'static str, name: &str) -> Self {
        let who = story.world.customer(tenant, name).await;
        let mut customer = Self { who, chat: String::new(), cursor: 0, signals: None, arrived: Vec::new() };
        let joined = customer.order(story, json!({"bizCode": "join", "shop": SHOP})).await.expect("the shop is open");
        customer.chat = joined["chat"].as_str().expect("an id").to_owned();
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

    async fn say(&mut self, story: &mut Story, words: &Words) -> Result<Value, String> {
        self.order(story, json!({"bizCode": "message", "id": words.id, "chat": self.chat, "content": words.content})).await
    }

    async fn say_unheard(&mut self, story: &mut Story, words: &Words) {
        let _lost = self.say(story, words).await;
    }

    async fn read(&mut self, story: &mut Story, seq: u64) -> Result<(), String> {
        self.order(story, json!({"bizCode": "read", "chat": self.chat, "seq": seq})).await.map(|_| ())
    }

    async fn recall(&mut self, story: &mut Story, message: &str) -> Result<(), String> {
        self.order(story, json!({"bizCode": "recall", "chat": self.chat, "message": message})).await.map(|_| ())
    }

    async fn rubbish(&mut self, story: &mut Story) -> String {
        let request = Request::post("/v1/sendmessage").header(header::CONTENT_TYPE, "application/json");
        let reply = story.world.send(request.body(Body::from("{\"bizCode\":")).expect("a valid path"), &self.who).await;
        reply.problem().1.to_owned()
    }

    async fn receive(&mut self, story: &mut Story, up_to: u64) -> Vec<Value> {
        while self.cursor < up_to {
            let (items, next, signals) = self.poll(story).await;
            self.arrived.extend(items);
            (self.cursor, self.signals) = (next, signals);
        }
        std::mem::take(&mut self.arrived)
    }

    async fn receive_and_break(&mut self, story: &mut Story, count: usize) -> Vec<Value> {
        let mut received: Vec<Value> = Vec::new();
        while received.len() < count {
            let (items, ..) = self.poll(story).await;
            // The page was closed before it had shown the rest of the answer.
            received.extend(items.into_iter().take(count - received.len()));
            self.cursor = received.last().and_then(|item| item["i"].as_u64()).unwrap_or(self.cursor);
        }
        received
    }

    async fn leave(&mut self, _: &mut Story) {}

    async fn come_back(&mut self, _: &mut Story) {
        self.signals = None;
    }
}
