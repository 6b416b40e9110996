//! What is merely current: places in the queue, unread counts, who writes; and the event stream that carries them, too.

use domain::user::event::Role;
use serde_json::{Value, json};
use tests::people::Person;
use tests::world::socket::Socket;
use tests::world::{ACME, World};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

#[tokio::test]
async fn a_customer_learns_nothing_of_a_note_not_even_that_it_was_taken_back() {
    let world = World::new().await;
    let (alice, customer) = (world.staff(ACME, Role::Agent, "alice").await, world.customer(ACME, "li").await);
    world.on_duty(&alice).await;
    let (chat, _) = world.open_chat(&customer).await;
    world.settle().await;
    let messages = format!("/v1/tenants/acme/chats/{chat}/messages");
    let note = json!({"id": world.client_id(), "content": "careful", "visibility": "staff"});
    let note = world.post(&alice, &messages, note).await.ok();
    let recall = format!("{messages}/{}/recall", note["message"].as_str().expect("an id"));
    let position = world.post(&alice, &recall, json!({})).await.ok()["position"].clone();
    let feed = async |who: &Person| {
        let feed = world.get(who, &format!("/v1/tenants/acme/feed?at_least={}", position.as_str().unwrap())).await.ok();
        let kinds = feed["data"].as_array().unwrap().iter().map(|item| item["k"].as_str().unwrap().to_owned());
        kinds.filter(|kind| kind == "message" || kind == "recalled").collect::<Vec<_>>()
    };
    assert_eq!(feed(&alice).await, ["message", "recalled"]);
    assert_eq!(feed(&customer).await, [""; 0]);
    world.end().await;
}

#[tokio::test]
async fn those_who_wait_see_their_place_change_and_that_they_wait_no_more() {
    let mut world = World::new().await;
    let alice = world.staff(ACME, Role::Agent, "alice").await;
    let (li, wang) = (world.customer(ACME, "li").await, world.customer(ACME, "wang").await);
    let mut phone = Socket::hello(&mut world, &li, 0).await;
    let mut tablet = Socket::hello(&mut world, &wang, 0).await;
    let (_, first) = world.open_chat(&li).await;
    world.settle().await;
    let (_, second) = world.open_chat(&wang).await;
    world.settle().await;
    let of = |conversation: &str, position: Value| {
        let conversation = conversation.to_owned();
        move |frame: &Value| frame["conversation"] == conversation && frame["position"] == position
    };
    let _ = phone.next_that("queue", of(&first, json!(1))).await;
    let _ = tablet.next_that("queue", of(&second, json!(2))).await;
    let mut late = Socket::hello(&mut world, &wang, 0).await;
    let _ = late.next_that("queue", of(&second, json!(2))).await;
    let path = format!("/v1/tenants/acme/users/{}", alice.user());
    let _ = world.call(&Person::operator(), axum::http::Method::PATCH, &path, json!({"capacity": 1})).await.ok();
    world.on_duty(&alice).await;
    let _ = phone.next_that("queue", of(&first, Value::Null)).await;
    let _ = tablet.next_that("queue", of(&second, json!(1))).await;
    world.end().await;
}

#[tokio::test]
async fn who_connects_after_they_were_counted_among_the_waiting_is_told_that_they_wait_no_more() {
    let mut world = World::new().await;
    let alice = world.staff(ACME, Role::Agent, "alice").await;
    let (li, wang) = (world.customer(ACME, "li").await, world.customer(ACME, "wang").await);
    let (_, first) = world.open_chat(&li).await;
    world.settle().await;
    let mut tablet = Socket::hello(&mut world, &wang, 0).await;
    let (_, second) = world.open_chat(&wang).await;
    let of = |conversation: &str, position: Value| {
        let conversation = conversation.to_owned();
        move |frame: &Value| frame["conversation"] == conversation && frame["position"] == position
    };
    // By now the queue was counted, while li was not connected.
    let _ = tablet.next_that("queue", of(&second, json!(2))).await;
    let mut phone = Socket::hello(&mut world, &li, 0).await;
    let _ = phone.next_that("queue", of(&first, json!(1))).await;
    let path = format!("/v1/tenants/acme/users/{}", alice.user());
    let _ = world.call(&Person::operator(), axum::http::Method::PATCH, &path, json!({"capacity": 1})).await.ok();
    world.on_duty(&alice).await;
    let _ = phone.next_that("queue", of(&first, Value::Null)).await;
    world.end().await;
}

#[tokio::test]
async fn unread_counts_follow_what_is_said_and_what_is_read_on_any_device() {
    let mut world = World::new().await;
    let alice = world.agent_on_duty(ACME, "alice").await;
    let li = world.customer(ACME, "li").await;
    let (chat, _) = world.open_chat(&li).await;
    world.settle().await;
    let mut phone = Socket::hello(&mut world, &li, 0).await;
    let mut desk = Socket::hello(&mut world, &alice, 0).await;
    let whole = desk.next_of("unread").await;
    assert_eq!((&whole["whole"], &whole["chats"]), (&json!(true), &json!({})));
    for number in 0..3 {
        phone.send(json!({"t": "send", "id": world.client_id(), "chat": chat, "content": number.to_string()})).await;
    }
    let _ = desk.next_that("unread", |frame| frame["chats"][&chat] == 3).await;
    let mut second = Socket::hello(&mut world, &alice, 0).await;
    let whole = second.next_of("unread").await;
    assert_eq!((&whole["whole"], &whole["chats"][&chat]), (&json!(true), &json!(3)));
    desk.send(json!({"t": "read", "chat": chat, "seq": 3})).await;
    let _ = second.next_that("unread", |frame| frame["chats"][&chat] == 0).await;
    world.end().await;
}

#[tokio::test]
async fn members_see_who_writes_and_nobody_else_does() {
    let mut world = World::new().await;
    let alice = world.agent_on_duty(ACME, "alice").await;
    let (li, wang) = (world.customer(ACME, "li").await, world.customer(ACME, "wang").await);
    let (chat, _) = world.open_chat(&li).await;
    let (others, _) = world.open_chat(&wang).await;
    world.settle().await;
    let mut phone = Socket::hello(&mut world, &li, 0).await;
    let mut desk = Socket::hello(&mut world, &alice, 0).await;
    // Not a member: nothing is shown. What follows arrives behind it.
    phone.send(json!({"t": "typing", "chat": others, "on": false})).await;
    phone.send(json!({"t": "typing", "chat": chat, "on": true})).await;
    let typing = desk.next_of("typing").await;
    assert_eq!((&typing["chat"], &typing["user"], &typing["on"]), (&json!(chat), &json!(li.user().to_string()), &json!(true)));
    phone.send(json!({"t": "typing", "chat": chat, "on": false})).await;
    assert_eq!(desk.next_of("typing").await["on"], false);
    world.end().await;
}

#[tokio::test]
async fn a_message_removed_from_ones_sight_over_the_socket_is_gone_from_all_of_ones_devices() {
    let mut world = World::new().await;
    let li = world.customer(ACME, "li").await;
    let (chat, _) = world.open_chat(&li).await;
    let mut phone = Socket::hello(&mut world, &li, 0).await;
    let mut tablet = Socket::hello(&mut world, &li, 0).await;
    phone.send(json!({"t": "send", "id": world.client_id(), "chat": chat, "content": "oops"})).await;
    let ack = phone.next_of("ack").await;
    world.settle().await;
    phone.send(json!({"t": "hide", "chat": chat, "message": ack["message"]})).await;
    assert_eq!(tablet.next_item("hidden").await["message"], ack["message"]);
    phone.send(json!({"t": "hide", "chat": chat, "message": "01900000000070008000000000000001"})).await;
    assert_eq!(phone.next_of("nack").await["code"], "not_found");
    world.end().await;
}

/// Reads an event stream over a plain connection: `(id, frame)` of each event.
struct Stream {
    lines: tokio::io::Lines<BufReader<tokio::net::TcpStream>>,
}

impl Stream {
    async fn open(world: &mut World, who: &Person, last: Option<u64>) -> Self {
        let address = world.serve().await;
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let token = who.token.as_deref().unwrap();
        let last = last.map_or(String::new(), |last| format!("last-event-id: {last}\r\n"));
        let request = format!("GET /v1/events HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n{last}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        Self { lines: BufReader::new(stream).lines() }
    }

    async fn next(&mut self) -> (Option<u64>, Value) {
        let (mut id, mut data) = (None, Value::Null);
        while let Some(line) = self.lines.next_line().await.unwrap() {
            if let Some(text) = line.strip_prefix("id: ") {
                id = text.parse().ok();
            } else if let Some(text) = line.strip_prefix("data: ") {
                data = serde_json::from_str(text).expect("frames are JSON");
            } else if line.is_empty() && !data.is_null() {
                return (id, data);
            }
        }
        (None, Value::Null)
    }

    async fn next_item(&mut self) -> (Option<u64>, Value) {
        loop {
            let (id, frame) = self.next().await;
            if id.is_some() || frame.is_null() {
                return (id, frame);
            }
        }
    }
}

#[tokio::test]
async fn an_event_stream_reads_the_same_feed_and_resumes_after_the_last_id() {
    let mut world = World::new().await;
    let li = world.customer(ACME, "li").await;
    let (chat, _) = world.open_chat(&li).await;
    let _ = world.say(&li, &chat, "one").await.ok();
    world.settle().await;
    let head = world.app.ports.views.feed_head(li.account().tenant, li.user());
    let mut stream = Stream::open(&mut world, &li, Some(0)).await;
    for index in 1..=head {
        let (id, frame) = stream.next_item().await;
        assert_eq!((id, frame["i"].as_u64()), (Some(index), Some(index)));
    }
    let _ = world.say(&li, &chat, "two").await.ok();
    let (id, frame) = stream.next_item().await;
    assert_eq!((id, &frame["m"]["content"]), (Some(head + 1), &json!("two")));
    drop(stream);
    let mut stream = Stream::open(&mut world, &li, Some(head)).await;
    assert_eq!(stream.next_item().await.1["m"]["content"], "two");
    world.app.hub.close_all(adapters::hub::outbox::Bye::Shutdown);
    loop {
        let (id, frame) = stream.next().await;
        assert!(id.is_none() && !frame.is_null(), "only signals come before the farewell: {frame}");
        if frame["t"] == "bye" {
            assert_eq!(frame["code"], "shutdown");
            break;
        }
    }
    drop(stream);
    world.end().await;
}
