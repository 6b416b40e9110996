//! A customer of a signed channel.

use async_trait::async_trait;
use axum::http::StatusCode;
use domain::ids::UserId;
use serde_json::{Value, json};
use tests::people::Person;
use tests::world::endpoint::{Mood, Signer};

use super::{Channel, Story, Words, outcome};

/// See the file's head.
pub struct BySignedChannel {
    tenant: &'static str,
    name: String,
    signer: Signer,
    user: UserId,
    chat: String,
    /// Items of the endpoint that were looked at.
    seen: usize,
    requests: u32,
}

impl BySignedChannel {
    async fn order(&mut self, story: &Story, to: &str, body: Value) -> Result<(), String> {
        self.requests += 1;
        let id = format!("{}-{}", self.name, self.requests);
        outcome(self.signer.send(&story.world, to, &id, body).await).map(|_| ())
    }

    /// What has been taken since the last call, once there are so many.
    async fn taken(&mut self, story: &Story, count: usize) -> Vec<Value> {
        let taken = story.endpoint.taken(self.tenant, &self.name, self.seen + count).await;
        let new = taken[self.seen..].to_vec();
        self.seen = taken.len();
        new
    }
}

#[async_trait]
impl Channel for BySignedChannel {
    async fn enter(story: &mut Story, tenant: &'static str, name: &str) -> Self {
        let signer = story.signer(tenant);
        let mut customer =
            Self { tenant, name: name.to_owned(), signer, user: UserId::from_u128(0), chat: String::new(), seen: 0, requests: 0 };
        let hello = story.words("hello");
        let ack = customer.say(story, &hello).await.expect("hello is fine");
        customer.user = ack["user"].as_str().and_then(|user| user.parse().ok()).expect("an id");
        customer.chat = ack["chat"].as_str().expect("an id").to_owned();
        customer
    }

    fn user(&self) -> UserId {
        self.user
    }

    fn chat(&self) -> &str {
        &self.chat
    }

    async fn say(&mut self, story: &mut Story, words: &Words) -> Result<Value, String> {
        let body = json!({"customer": self.name, "sent_at": words.said_at, "content": words.content});
        outcome(self.signer.send(&story.world, "messages", &words.id, body).await)
    }

    async fn say_unheard(&mut self, story: &mut Story, words: &Words) {
        let _lost = self.say(story, words).await;
    }

    async fn read(&mut self, story: &mut Story, seq: u64) -> Result<(), String> {
        let body = json!({"customer": self.name, "seq": seq});
        self.order(story, "read", body).await
    }

    async fn recall(&mut self, story: &mut Story, message: &str) -> Result<(), String> {
        let body = json!({"customer": self.name});
        self.order(story, &format!("messages/{message}/recall"), body).await
    }

    async fn rubbish(&mut self, story: &mut Story) -> String {
        let request = self.signer.request("messages", "m1", story.world.app.now(), "{\"customer\":".to_owned());
        let reply = story.world.send(request, &Person::nobody()).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST);
        reply.problem().1.to_owned()
    }

    async fn receive(&mut self, story: &mut Story, up_to: u64) -> Vec<Value> {
        // Indexes are contiguous, and each is taken once; the rules look whether that is so.
        let missing = usize::try_from(up_to).expect("a short feed") - self.seen;
        self.taken(story, missing).await
    }

    async fn receive_and_break(&mut self, story: &mut Story, count: usize) -> Vec<Value> {
        story.endpoint.be(self.tenant, &self.name, Mood::BreaksAfter(count));
        self.order(story, "ready", json!({})).await.expect("it may say so");
        self.taken(story, count).await
    }

    async fn leave(&mut self, story: &mut Story) {
        story.endpoint.be(self.tenant, &self.name, Mood::Away);
    }

    async fn come_back(&mut self, story: &mut Story) {
        story.endpoint.be(self.tenant, &self.name, Mood::Here);
        self.order(story, "ready", json!({})).await.expect("it may say so");
    }
}
