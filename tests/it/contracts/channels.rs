//! Channels are alike: every way in and out keeps the same promises to the customer who comes by it. A new one is a file beside
//! these, and a module below.

mod long_poll;
mod rules;
mod signed;
mod socket;

use std::sync::Arc;

use async_trait::async_trait;
use domain::ids::UserId;
use serde_json::Value;
use tests::people::Person;
use tests::world::endpoint::{Endpoint, Signer, to_this_machine};
use tests::world::gate::Gate;
use tests::world::{ACME, Reply, World, id};

/// The other tenant, with a shop and a channel of the same names.
const RIVAL: &str = "rival";

/// What a customer says, under the id that their side minted for it.
#[derive(Clone, Debug)]
struct Words {
    id: String,
    said_at: i64,
    content: String,
}

/// The body of an answer, or the code of the refusal.
fn outcome(reply: Reply) -> Result<Value, String> {
    if reply.status.is_success() { Ok(reply.body) } else { Err(reply.problem().1.to_owned()) }
}

/// A customer who comes by the channel under test.
#[async_trait]
trait Channel: Send + Sized {
    /// They come for the first time, and say hello. Nothing was received before.
    async fn enter(story: &mut Story, tenant: &'static str, name: &str) -> Self;
    /// Who they are.
    fn user(&self) -> UserId;
    /// Their chat.
    fn chat(&self) -> &str;
    /// Says something: the ack, or the code of the refusal.
    async fn say(&mut self, story: &mut Story, words: &Words) -> Result<Value, String>;
    /// Says something, and the answer is lost.
    async fn say_unheard(&mut self, story: &mut Story, words: &Words);
    /// Has read up to a place.
    async fn read(&mut self, story: &mut Story, seq: u64) -> Result<(), String>;
    /// Takes a message back.
    async fn recall(&mut self, story: &mut Story, message: &str) -> Result<(), String>;
    /// Sends what makes no sense; the code of the refusal.
    async fn rubbish(&mut self, story: &mut Story) -> String;
    /// Everything that has come since the last call, once the item of this index is there.
    async fn receive(&mut self, story: &mut Story, up_to: u64) -> Vec<Value>;
    /// Comes back, receives so many items, and breaks in the middle of the next one.
    async fn receive_and_break(&mut self, story: &mut Story, count: usize) -> Vec<Value>;
    /// Goes away without a word.
    async fn leave(&mut self, story: &mut Story);
    /// Comes back.
    async fn come_back(&mut self, story: &mut Story);
}

/// A tenant with an agent on duty, and another tenant.
struct Story {
    world: World,
    alice: Person,
    gate: Arc<Gate>,
    endpoint: Endpoint,
    acme: Signer,
    rival: Signer,
}

impl Story {
    async fn begin() -> Self {
        let (mut world, gate) = Gate::world(to_this_machine(), |_| {}).await;
        world.make_tenant(ACME).await;
        world.make_tenant(RIVAL).await;
        let alice = world.agent_on_duty(ACME, "alice").await;
        let endpoint = Endpoint::start().await;
        let acme = Signer::connect(&world, ACME, "wechat", &endpoint.url(ACME)).await;
        let rival = Signer::connect(&world, RIVAL, "wechat", &endpoint.url(RIVAL)).await;
        endpoint.expects(ACME, acme.key.clone(), world.app.now());
        endpoint.expects(RIVAL, rival.key.clone(), world.app.now());
        world.serve().await;
        Self { world, alice, gate, endpoint, acme, rival }
    }

    fn signer(&self, tenant: &str) -> Signer {
        if tenant == RIVAL { self.rival.clone() } else { self.acme.clone() }
    }

    fn words(&self, content: &str) -> Words {
        Words { id: self.world.client_id(), said_at: self.world.clock_ms(), content: content.to_owned() }
    }

    /// The newest index of a customer's feed, once everything has followed.
    async fn head(&self, tenant: &str, user: UserId) -> u64 {
        self.world.settle().await;
        self.world.app.ports.views.feed_head(id(tenant), user)
    }

    /// The agent says something; the message's id and place.
    async fn alice_says(&self, chat: &str, content: &str) -> (String, u64) {
        self.world.settle().await;
        let posted = self.world.say(&self.alice, chat, content).await.ok();
        (posted["message"].as_str().unwrap().to_owned(), posted["seq"].as_u64().unwrap())
    }

    async fn end(self) {
        self.world.end().await;
    }
}

macro_rules! channel_contract {
    ($channel:ty) => {
        channel_contract!(@ $channel:
            an_ack_comes_only_after_the_message_is_durable,
            a_repeat_is_the_same_message_and_other_content_is_refused,
            a_message_whose_answer_was_lost_is_posted_once,
            everything_that_is_said_arrives_once_and_in_order,
            what_was_said_while_away_arrives_on_return,
            a_break_in_the_middle_repeats_only_what_was_not_received,
            notes_of_staff_never_arrive,
            a_recall_arrives_and_hides,
            a_customer_takes_back_what_is_theirs,
            a_read_is_known_to_the_other_side,
            nobody_else_gets_anything,
            what_makes_no_sense_is_refused_and_the_channel_goes_on,
        );
    };
    (@ $channel:ty: $($rule:ident,)*) => {
        $(
            #[tokio::test]
            async fn $rule() {
                let mut story = super::Story::begin().await;
                super::rules::$rule::<$channel>(&mut story).await;
                story.end().await;
            }
        )*
    };
}

mod by_socket {
    channel_contract!(super::socket::BySocket);
}

mod by_long_poll {
    channel_contract!(super::long_poll::ByLongPoll);
}

mod by_signed_channel {
    channel_contract!(super::signed::BySignedChannel);
}
