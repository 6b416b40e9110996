//! The long poll: the same feed as a socket's, in answers that the server holds.

use adapters::hub::signal::Signal;
use domain::user::event::Role;
use serde_json::{Value, json};
use tests::people::{DEVICE, Person};
use tests::world::socket::Socket;
use tests::world::{ACME, World};

mod numbers;
mod own_words;

const OTHER_DEVICE: &str = "0190a3c0b80070008000000000000002";

async fn served(world: &World) -> (Person, Person, String, String) {
    let alice = world.agent_on_duty(ACME, "alice").await;
    let li = world.customer(ACME, "li").await;
    let (chat, conversation) = world.open_chat(&li).await;
    world.settle().await;
    (li, alice, chat, conversation)
}

/// A page that polls as docs/PROTOCOL.md says.
struct Page<'a> {
    world: &'a World,
    who: &'a Person,
    device: &'a str,
    next: u64,
    signals: Option<u64>,
}

impl<'a> Page<'a> {
    fn new(world: &'a World, who: &'a Person) -> Self {
        Self { world, who, device: DEVICE, next: 0, signals: None }
    }

    fn body(&self, wait_ms: u64) -> Value {
        let mut body = json!({"device": self.device, "after": self.next, "rs_id": "r1", "wait_ms": wait_ms});
        if let Some(signals) = self.signals {
            body["signals"] = json!(signals);
        }
        body
    }

    /// One poll whose answer arrives.
    async fn poll(&mut self, wait_ms: u64) -> Value {
        let answer = self.lost_poll(wait_ms).await;
        self.next = answer["next"].as_u64().expect("a number");
        self.signals = answer["signals"].as_u64();
        answer
    }

    /// One poll whose answer is lost on the way.
    async fn lost_poll(&self, wait_ms: u64) -> Value {
        self.world.post(self.who, "/v1/keepalive", self.body(wait_ms)).await.ok()
    }

    /// Polls until there is nothing new; every event.
    async fn drain(&mut self) -> Vec<Value> {
        let mut events = Vec::new();
        loop {
            let answer = self.poll(0).await;
            let some = answer["events"].as_array().expect("a list").clone();
            if some.is_empty() {
                return events;
            }
            events.extend(some);
        }
    }

    async fn order(&self, order: Value) -> Value {
        self.world.post(self.who, "/v1/sendmessage", order).await.ok()
    }
}

fn codes(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["bizCode"].as_str().expect("every event has one")).collect()
}

fn indexes(events: &[Value]) -> Vec<u64> {
    events.iter().filter_map(|event| event["frame"]["i"].as_u64()).collect()
}

#[tokio::test]
async fn a_whole_session_by_biz_codes() {
    let world = World::new().await;
    let alice = world.staff(ACME, Role::Agent, "alice").await;
    let li = world.customer(ACME, "li").await;
    let mut page = Page::new(&world, &li);
    let state = page.order(json!({"bizCode": "presence"})).await;
    assert_eq!((&state["bizCode"], &state["chats"], &state["head"]), (&json!("presence"), &json!([]), &json!(0)));
    let joined = page.order(json!({"bizCode": "join", "shop": "flagship", "entry": {"page": "logistics"}})).await;
    assert_eq!(joined["bizCode"], "joined");
    let (chat, conversation) = (joined["chat"].clone(), joined["conversation"].clone());
    world.settle().await;
    let waiting = page.drain().await;
    assert!(codes(&waiting).starts_with(&["joined_chat", "joined", "queueing"]), "{:?}", codes(&waiting));
    let place = waiting.iter().find(|event| event["frame"]["t"] == "queue").expect("the place in the queue is current");
    assert_eq!((&place["frame"]["position"], &place["frame"]["conversation"]), (&json!(1), &conversation));
    let detail = page.order(json!({"bizCode": "session_detail", "chat": chat})).await;
    assert_eq!(detail["chat"]["conversation"]["status"], "waiting");

    let sent = json!({"bizCode": "message", "id": world.client_id(), "chat": chat, "content": "我的包裹在哪里？", "ext": {"sku": [1, 2]}});
    let ack = page.order(sent.clone()).await;
    assert_eq!((&ack["bizCode"], &ack["id"], &ack["seq"]), (&json!("ack"), &sent["id"], &json!(1)));
    assert_eq!(page.order(sent).await["message"], ack["message"], "sent again, posted once");
    world.on_duty(&alice).await;
    let events = page.drain().await;
    assert_eq!(codes(&events).iter().filter(|code| **code == "message").count(), 1);
    assert!(codes(&events).contains(&"agent_joined"), "{:?}", codes(&events));
    let chat_id = chat.as_str().expect("an id");
    let _ = world.say(&alice, chat_id, "正在为您查询").await.ok();
    world.settle().await;
    assert_eq!(codes(&page.drain().await)[0], "message");
    assert_eq!(page.order(json!({"bizCode": "read", "chat": chat, "seq": 2})).await["bizCode"], "ok");
    assert_eq!(page.order(json!({"bizCode": "typing", "chat": chat, "on": true})).await["bizCode"], "ok");
    assert_eq!(page.order(json!({"bizCode": "receive", "i": page.next})).await["bizCode"], "ok");
    assert_eq!(page.order(json!({"bizCode": "recall", "chat": chat, "message": ack["message"]})).await["bizCode"], "ok");
    assert_eq!(page.order(json!({"bizCode": "hide", "chat": chat, "message": ack["message"]})).await["bizCode"], "ok");
    assert_eq!(page.order(json!({"bizCode": "end", "conversation": conversation})).await["bizCode"], "ok");
    let rating = json!({"bizCode": "rating", "conversation": conversation, "score": 5, "tags": ["fast"]});
    assert_eq!(page.order(rating).await["bizCode"], "ok");
    world.settle().await;
    let events = page.drain().await;
    for code in ["read", "recalled", "hidden", "end", "rating"] {
        assert!(codes(&events).contains(&code), "no {code} in {:?}", codes(&events));
    }
    world.end().await;
}

#[tokio::test]
async fn an_answer_that_is_lost_comes_again_with_everything_in_it() {
    let world = World::new().await;
    let (li, alice, chat, _) = served(&world).await;
    let mut page = Page::new(&world, &li);
    let lost = page.lost_poll(0).await;
    let first = page.poll(0).await;
    assert_eq!(lost["events"], first["events"]);
    let mut seen = indexes(first["events"].as_array().unwrap());
    let lost = page.lost_poll(0).await;
    let signals = page.poll(0).await;
    assert_eq!(codes(lost["events"].as_array().unwrap()), codes(signals["events"].as_array().unwrap()), "signals come whole again");
    assert!(codes(signals["events"].as_array().unwrap()).contains(&"unread"));
    for number in 0..5 {
        let _ = world.say(&alice, &chat, &number.to_string()).await.ok();
        world.settle().await;
        let lost = page.lost_poll(0).await;
        let got = page.poll(0).await;
        assert_eq!(
            indexes(lost["events"].as_array().unwrap()),
            indexes(got["events"].as_array().unwrap()),
            "the second answer holds what the first did"
        );
        seen.extend(indexes(got["events"].as_array().unwrap()));
    }
    assert_eq!(seen, (1..=page.next).collect::<Vec<_>>(), "contiguous, and nothing twice");
    world.end().await;
}

#[tokio::test]
async fn signals_that_were_lost_with_items_come_whole_however_the_items_come_again() {
    let world = World::new().await;
    let (li, alice, chat, _) = served(&world).await;
    let mut page = Page::new(&world, &li);
    let _ = page.drain().await;
    let _ = world.say(&alice, &chat, "hello").await.ok();
    world.settle().await;
    let account = li.account();
    let unread = Signal::Unread { chat: chat.parse().unwrap(), count: 1 };
    world.app.hub.signal((account.tenant, account.user), &unread);
    let lost = page.lost_poll(0).await;
    assert!(codes(lost["events"].as_array().unwrap()).contains(&"unread"), "{lost}");
    let events = page.drain().await;
    let unread = events.iter().rfind(|event| event["bizCode"] == "unread").expect("what it lacks is told once more");
    assert_eq!(unread["frame"]["chats"][&chat.replace('-', "")], 1, "{unread}");
    world.end().await;
}

#[tokio::test]
async fn a_held_poll_is_answered_as_soon_as_something_comes_and_a_newer_one_ends_it() {
    let world = World::new().await;
    let (li, alice, chat, _) = served(&world).await;
    let mut page = Page::new(&world, &li);
    let _ = page.drain().await;
    let held = page.lost_poll(25_000);
    let said = world.say(&alice, &chat, "now");
    let (answer, _) = tokio::join!(held, said);
    assert_eq!((codes(answer["events"].as_array().unwrap()), &answer["rs_id"]), (vec!["message"], &json!("r1")));
    let _ = page.drain().await;
    let held = page.lost_poll(25_000);
    let newer = async {
        tokio::task::yield_now().await;
        page.lost_poll(0).await
    };
    let (first, second) = tokio::join!(held, newer);
    let superseded = [&first, &second].map(|answer| answer["superseded"] == true);
    assert_eq!(superseded.iter().filter(|superseded| **superseded).count(), 1, "{first} {second}");
    world.end().await;
}

#[tokio::test]
async fn a_token_that_was_shown_often_is_refused_once_its_time_is_over() {
    let world = World::new().await;
    let li = world.customer(ACME, "li").await;
    let page = Page::new(&world, &li);
    for _ in 0..3 {
        let _ = page.lost_poll(0).await;
    }
    world.clock.pass(domain::time::Millis::minutes(16));
    let refused = world.post(&li, "/v1/keepalive", page.body(0)).await;
    assert_eq!(refused.problem(), (401, "expired"));
    world.end().await;
}

#[tokio::test]
async fn a_client_that_switches_between_poll_and_socket_gets_each_item_once() {
    let mut world = World::new().await;
    let (li, alice, chat, _) = served(&world).await;
    let mut seen = Vec::new();
    let mut next = 0;
    for round in 0..6 {
        let _ = world.say(&alice, &chat, &format!("before {round}")).await.ok();
        world.settle().await;
        if round % 2 == 0 {
            let mut page = Page { next, ..Page::new(&world, &li) };
            seen.extend(indexes(&page.drain().await));
            let _ = world.say(&alice, &chat, &format!("while {round}")).await.ok();
            world.settle().await;
            seen.extend(indexes(&page.drain().await));
            next = page.next;
        } else {
            let mut socket = Socket::hello(&mut world, &li, next).await;
            let _ = world.say(&alice, &chat, &format!("while {round}")).await.ok();
            while next < world.app.ports.views.feed_head(li.account().tenant, li.user()) {
                let item = socket.next_of("item").await;
                next = item["i"].as_u64().unwrap();
                seen.push(next);
            }
            socket.leave().await;
        }
    }
    assert_eq!(seen, (1..=next).collect::<Vec<_>>());
    world.end().await;
}

#[tokio::test]
async fn each_polling_device_has_its_own_cursor_and_reading_on_one_clears_the_other() {
    let world = World::new().await;
    let (li, alice, chat, _) = served(&world).await;
    let mut phone = Page::new(&world, &li);
    let mut tablet = Page { device: OTHER_DEVICE, ..Page::new(&world, &li) };
    let _ = (phone.drain().await, tablet.drain().await);
    let _ = world.say(&alice, &chat, "to both").await.ok();
    world.settle().await;
    assert_eq!(indexes(&phone.drain().await), indexes(&tablet.drain().await));
    let _ = phone.order(json!({"bizCode": "read", "chat": chat, "seq": 1})).await;
    world.settle().await;
    assert!(codes(&tablet.drain().await).contains(&"read"));
    tablet.signals = None;
    let signals = tablet.drain().await;
    let unread = signals.iter().find(|event| event["bizCode"] == "unread").expect("told whole");
    assert_eq!((&unread["frame"]["chats"], &unread["frame"]["whole"]), (&json!({}), &json!(true)));
    world.end().await;
}

#[tokio::test]
async fn whoever_is_signed_out_is_told_so_by_the_poll_and_refused_by_the_next() {
    let world = World::new().await;
    let (li, _, _, _) = served(&world).await;
    let mut page = Page::new(&world, &li);
    let _ = page.drain().await;
    assert!(page.signals.is_some(), "the token was shown several times: it is known, and refused all the same");
    let account = li.account();
    let held = page.lost_poll(25_000);
    let path = format!("/v1/tenants/acme/users/{}/sessions/{}", account.user, account.session);
    let ended = world.call(&li, axum::http::Method::DELETE, &path, Value::Null);
    let (answer, _) = tokio::join!(held, ended);
    let last = answer["events"].as_array().unwrap().last().cloned().expect("the farewell");
    assert_eq!((&last["bizCode"], &last["frame"]["code"]), (&json!("bye"), &json!("revoked")));
    let refused = world.post(&li, "/v1/keepalive", json!({"device": DEVICE, "after": 0})).await;
    assert_eq!(refused.problem(), (401, "revoked"));
    world.end().await;
}

#[tokio::test]
async fn polls_and_orders_that_make_no_sense_are_refused() {
    let world = World::new().await;
    let (li, _, chat, _) = served(&world).await;
    for (path, body, expected) in [
        ("/v1/keepalive", json!({}), (400, "invalid_field")),
        ("/v1/keepalive", json!({"device": "x"}), (400, "invalid_field")),
        ("/v1/keepalive", json!({"device": DEVICE, "wait_ms": 25_001}), (422, "invalid_value")),
        ("/v1/keepalive", json!({"device": DEVICE, "rs_id": "r".repeat(65)}), (422, "invalid_value")),
        ("/v1/keepalive", json!({"device": DEVICE, "more": 1}), (400, "unknown_field")),
        ("/v1/sendmessage", json!({}), (400, "invalid_field")),
        ("/v1/sendmessage", json!({"bizCode": "dance"}), (422, "invalid_value")),
        ("/v1/sendmessage", json!({"bizCode": "presence", "more": 1}), (400, "unknown_field")),
        ("/v1/sendmessage", json!({"bizCode": "message", "chat": chat, "content": "x"}), (400, "invalid_field")),
        ("/v1/sendmessage", json!({"bizCode": "message", "id": "x", "chat": chat, "content": "x"}), (400, "invalid_field")),
        ("/v1/sendmessage", json!({"bizCode": "message", "device": 1, "chat": chat, "content": "x"}), (400, "invalid_field")),
        ("/v1/sendmessage", json!({"bizCode": "message", "chat": chat, "content": "x", "more": 1}), (400, "unknown_field")),
        ("/v1/sendmessage", json!({"bizCode": "read", "chat": chat, "seq": 99}), (422, "beyond_end")),
        ("/v1/sendmessage", json!({"bizCode": "watch", "device": DEVICE, "users": []}), (404, "not_found")),
    ] {
        assert_eq!(world.post(&li, path, body.clone()).await.problem(), expected, "{path} {body}");
    }
    let nobody = Person::nobody();
    assert_eq!(world.post(&nobody, "/v1/keepalive", json!({"device": DEVICE})).await.problem(), (401, "unauthorized"));
    assert_eq!(world.post(&Person::operator(), "/v1/keepalive", json!({"device": DEVICE})).await.problem(), (403, "forbidden"));
    world.end().await;
}
