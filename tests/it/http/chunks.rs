//! Chunks: what a robot has written so far, shown to those who will get the message, and kept nowhere.

use adapters::messaging::{Sender, to_chat};
use domain::chat::command::ChatCommand;
use domain::message::{CONTENT_BYTES_MAX, ChatRole};
use domain::user::event::Role;
use serde_json::{Value, json};
use tests::people::{DEVICE, Person};
use tests::world::socket::Socket;
use tests::world::{ACME, World};

/// Somebody who answers in a chat as its robot.
async fn robot_in(world: &World, login: &str, chat: &str) -> Person {
    let robot = world.staff(ACME, Role::Agent, login).await;
    let account = robot.account();
    let sender = Sender { tenant: account.tenant, user: account.user, role: Role::Agent, address: None };
    let join = ChatCommand::Join { user: account.user, role: ChatRole::Robot };
    let order = to_chat(&world.app, sender, chat.parse().expect("an id"), join);
    world.app.ports.commands.execute(order).await.expect("a robot joins by itself");
    world.settle().await;
    robot
}

fn chunk(chat: &str, id: &str, content: &str) -> Value {
    json!({"t": "chunk", "chat": chat, "id": id, "content": content})
}

fn hex(id: &Value) -> String {
    id.as_str().expect("an id").replace('-', "")
}

#[tokio::test]
async fn a_robots_answer_grows_before_those_who_will_get_it() {
    let mut world = World::new().await;
    let alice = world.agent_on_duty(ACME, "alice").await;
    let (li, wang) = (world.customer(ACME, "li").await, world.customer(ACME, "wang").await);
    let (chat, _) = world.open_chat(&li).await;
    let _ = world.open_chat(&wang).await;
    world.settle().await;
    let robot = robot_in(&world, "robo", &chat).await;
    let mut phone = Socket::hello(&mut world, &li, 0).await;
    let mut desk = Socket::hello(&mut world, &alice, 0).await;
    let mut stranger = Socket::hello(&mut world, &wang, 0).await;
    let mut seat = Socket::hello(&mut world, &robot, 0).await;
    let head = world.app.ports.views.feed_head(li.account().tenant, li.user());
    let id = world.client_id();
    for content in ["您", "您的包裹", "您的包裹\n在路上"] {
        seat.send(chunk(&chat, &id, content)).await;
        // To the customer, the shop writes.
        for (device, writer) in [(&mut phone, chat.clone()), (&mut desk, robot.user().to_string())] {
            let told = device.next_of("chunk").await;
            let expected = json!({"t": "chunk", "chat": chat, "user": writer, "id": told["id"], "content": content});
            assert_eq!(told, expected);
            assert_eq!(hex(&told["id"]), id.replace('-', ""));
        }
    }
    assert!(seat.told_until_pong().await.iter().all(|frame| frame["t"] != "chunk" && frame["t"] != "nack"), "not to itself");
    assert!(stranger.told_until_pong().await.iter().all(|frame| frame["t"] != "chunk"), "a member of another chat");
    assert_eq!(world.app.ports.views.feed_head(li.account().tenant, li.user()), head, "it is in no feed");
    seat.send(json!({"t": "send", "id": id, "chat": chat, "content": "您的包裹在路上。"})).await;
    let item = phone.next_item("message").await;
    assert_eq!((&item["m"]["category"], hex(&item["m"]["client_msg_id"])), (&json!("robot"), id.replace('-', "")));
    world.end().await;
}

#[tokio::test]
async fn a_note_in_the_making_is_for_staff_as_the_note_will_be() {
    let mut world = World::new().await;
    let alice = world.agent_on_duty(ACME, "alice").await;
    let li = world.customer(ACME, "li").await;
    let (chat, _) = world.open_chat(&li).await;
    world.settle().await;
    let robot = robot_in(&world, "robo", &chat).await;
    let mut phone = Socket::hello(&mut world, &li, 0).await;
    let mut desk = Socket::hello(&mut world, &alice, 0).await;
    let mut seat = Socket::hello(&mut world, &robot, 0).await;
    let mut note = chunk(&chat, &world.client_id(), "offer them a refund");
    note["visibility"] = json!("staff");
    seat.send(note).await;
    assert_eq!(desk.next_of("chunk").await["content"], "offer them a refund");
    seat.send(chunk(&chat, &world.client_id(), "One moment")).await;
    assert_eq!(phone.next_of("chunk").await["content"], "One moment", "and nothing before it");
    world.end().await;
}

#[tokio::test]
async fn nobody_but_a_robot_of_the_chat_shows_what_they_write() {
    let mut world = World::new().await;
    let alice = world.agent_on_duty(ACME, "alice").await;
    let (li, wang) = (world.customer(ACME, "li").await, world.customer(ACME, "wang").await);
    let (chat, _) = world.open_chat(&li).await;
    let (other, _) = world.open_chat(&wang).await;
    world.settle().await;
    let elsewhere = robot_in(&world, "robo", &other).await;
    let reviewer = world.staff(ACME, Role::QualityReviewer, "reviewer").await;
    let id = world.client_id();
    for person in [&li, &alice, &wang, &elsewhere, &reviewer] {
        let mut socket = Socket::hello(&mut world, person, 0).await;
        socket.send(chunk(&chat, &id, "let me in")).await;
        let nack = socket.next_of("nack").await;
        assert_eq!((&nack["code"], &nack["chat"], &nack["retry"]), (&json!("forbidden"), &json!(chat), &json!(false)), "{}", person.name);
        assert_eq!(hex(&nack["chunk"]), id.replace('-', ""));
        assert!(nack["id"].is_null(), "it is not the message that is refused");
        let order = json!({"bizCode": "chunk", "chat": chat, "id": id, "content": "let me in"});
        assert_eq!(world.post(person, "/v1/sendmessage", order).await.problem(), (403, "forbidden"), "{}", person.name);
    }
    let mut seat = Socket::hello(&mut world, &elsewhere, 0).await;
    seat.send(chunk(&other, &id, &"x".repeat(CONTENT_BYTES_MAX + 1))).await;
    assert_eq!(seat.next_of("nack").await["code"], "message_too_long");
    seat.send(chunk("01900000000070008000000000000001", &id, "nowhere")).await;
    assert_eq!(seat.next_of("nack").await["code"], "forbidden", "whether there is such a chat is not told");
    seat.send(json!({"t": "chunk", "chat": other, "content": "without an id"})).await;
    assert_eq!(seat.farewell().await, (json!("bad_frame"), json!(4400)));
    world.end().await;
}

#[tokio::test]
async fn a_robot_that_polls_is_heard_by_a_page_that_polls() {
    let mut world = World::new().await;
    let _ = world.serve().await;
    let li = world.customer(ACME, "li").await;
    let (chat, _) = world.open_chat(&li).await;
    world.settle().await;
    let robot = robot_in(&world, "robo", &chat).await;
    let first = world.post(&li, "/v1/keepalive", json!({"device": DEVICE, "wait_ms": 0})).await.ok();
    let mut signals = first["signals"].clone();
    let text = "x".repeat(CONTENT_BYTES_MAX);
    let order = json!({"bizCode": "chunk", "chat": chat, "id": world.client_id(), "content": text});
    assert_eq!(world.post(&robot, "/v1/sendmessage", order).await.ok()["bizCode"], "ok");
    let told = loop {
        let poll = json!({"device": DEVICE, "after": first["next"], "signals": signals, "wait_ms": 20_000});
        let answer = world.post(&li, "/v1/keepalive", poll).await.ok();
        signals = answer["signals"].clone();
        let found = answer["events"].as_array().expect("a list").iter().find(|event| event["bizCode"] == "chunk").cloned();
        if let Some(event) = found {
            break event;
        }
    };
    assert_eq!((&told["frame"]["t"], &told["frame"]["content"]), (&json!("chunk"), &json!(text)));
    world.end().await;
}
