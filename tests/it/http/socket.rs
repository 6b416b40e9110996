//! A device's socket: hello, what it missed, orders and answers, and the ways to be told to go.

use domain::time::Millis;
use serde_json::{Value, json};
use tests::people::Person;
use tests::world::socket::Socket;
use tests::world::{ACME, World};

/// A customer and an agent who serve each other: with the chat.
async fn served(world: &World) -> (Person, Person, String) {
    let alice = world.agent_on_duty(ACME, "alice").await;
    let li = world.customer(ACME, "li").await;
    let (chat, _) = world.open_chat(&li).await;
    world.settle().await;
    (li, alice, chat)
}

fn send(world: &World, chat: &str, content: &str) -> Value {
    json!({"t": "send", "id": world.client_id(), "chat": chat, "content": content})
}

#[tokio::test]
async fn a_message_is_acked_when_durable_and_pushed_to_every_device_of_both() {
    let mut world = World::new().await;
    let (li, alice, chat) = served(&world).await;
    let mut phone = Socket::hello(&mut world, &li, 0).await;
    let mut tablet = Socket::hello(&mut world, &li, 0).await;
    let mut desk = Socket::hello(&mut world, &alice, 0).await;
    let frame = send(&world, &chat, "你好 \"quoted\" \\ and a \n line");
    phone.send(frame.clone()).await;
    let ack = phone.next_of("ack").await;
    assert_eq!((&ack["id"], &ack["chat"], &ack["seq"]), (&frame["id"], &json!(chat), &json!(1)));
    for device in [&mut phone, &mut tablet, &mut desk] {
        let item = device.next_item("message").await;
        assert_eq!(item["m"]["content"], frame["content"]);
        assert_eq!(item["m"]["id"], ack["message"]);
        assert_eq!(item["pos"], ack["pos"]);
        assert_eq!(item["p"].as_u64().unwrap() + 1, item["i"].as_u64().unwrap());
    }
    desk.send(json!({"t": "read", "chat": chat, "seq": 1})).await;
    let read = phone.next_item("read").await;
    assert_eq!((&read["reader"], &read["up_to_seq"]), (&json!(chat), &json!(1)), "to the customer it is the shop that read");
    world.end().await;
}

#[tokio::test]
async fn a_repeated_message_is_acked_again_and_pushed_once() {
    let mut world = World::new().await;
    let (li, _, chat) = served(&world).await;
    let mut phone = Socket::hello(&mut world, &li, 0).await;
    let frame = send(&world, &chat, "once");
    phone.send(frame.clone()).await;
    phone.send(frame.clone()).await;
    let acks = [phone.next_of("ack").await, phone.next_of("ack").await];
    assert_eq!(acks[0]["message"], acks[1]["message"]);
    let mut other = frame.clone();
    other["content"] = json!("twice");
    phone.send(other).await;
    let nack = phone.next_of("nack").await;
    assert_eq!((&nack["id"], &nack["code"], &nack["retry"]), (&frame["id"], &json!("client_id_reused"), &json!(false)));
    let messages = world.get(&li, &format!("/v1/tenants/acme/chats/{chat}/messages")).await.ok();
    assert_eq!(messages["data"].as_array().unwrap().len(), 1);
    world.end().await;
}

#[tokio::test]
async fn messages_that_are_sent_without_waiting_keep_their_order() {
    let mut world = World::new().await;
    let (li, _, chat) = served(&world).await;
    let mut phone = Socket::hello(&mut world, &li, 0).await;
    for number in 0..200 {
        phone.send(send(&world, &chat, &number.to_string())).await;
    }
    for number in 0..200 {
        let item = phone.next_item("message").await;
        assert_eq!((&item["m"]["content"], &item["m"]["seq"]), (&json!(number.to_string()), &json!(number + 1)));
    }
    world.end().await;
}

#[tokio::test]
async fn a_device_that_was_away_gets_exactly_what_it_missed() {
    let mut world = World::new().await;
    let (li, alice, chat) = served(&world).await;
    let mut phone = Socket::hello(&mut world, &li, 0).await;
    let _ = world.say(&li, &chat, "0").await.ok();
    let last = phone.next_item("message").await["i"].as_u64().unwrap();
    phone.leave().await;
    // More than one page of the feed, half of it while the device resumes.
    for number in 1..300 {
        let _ = world.say(&alice, &chat, &number.to_string()).await.ok();
    }
    let mut phone = Socket::hello(&mut world, &li, last).await;
    for number in 300..330 {
        let _ = world.say(&alice, &chat, &number.to_string()).await.ok();
    }
    for number in 1..330 {
        let item = phone.next_of("item").await;
        assert_eq!((&item["i"], &item["m"]["content"]), (&json!(last + number), &json!(number.to_string())));
    }
    world.end().await;
}

#[tokio::test]
async fn a_gap_is_answered_with_the_same_items_again() {
    let mut world = World::new().await;
    let (li, _, chat) = served(&world).await;
    let mut phone = Socket::hello(&mut world, &li, 0).await;
    let mut live = Vec::new();
    for number in 0..5 {
        phone.send(send(&world, &chat, &number.to_string())).await;
        live.push(phone.next_item("message").await);
    }
    let after = live[0]["i"].as_u64().unwrap();
    phone.send(json!({"t": "range", "after": after, "to": after + 3})).await;
    for expected in &live[1..4] {
        assert_eq!(&phone.next_item("message").await, expected);
    }
    phone.send(json!({"t": "range", "after": 5, "to": 5})).await;
    assert_eq!(phone.next_of("nack").await["code"], "invalid_range");
    phone.send(json!({"t": "range", "after": 0, "to": 1_001})).await;
    assert_eq!(phone.next_of("nack").await["code"], "invalid_range");
    let head = live[4]["i"].as_u64().unwrap();
    phone.send(json!({"t": "range", "after": head, "to": head + 5})).await;
    let nack = phone.next_of("nack").await;
    assert_eq!((&nack["code"], &nack["after"]), (&json!("beyond_end"), &json!(head)), "there is nothing yet to wait for");
    world.end().await;
}

#[tokio::test]
async fn a_device_that_had_nothing_gets_everything_and_one_without_an_index_begins_now() {
    let mut world = World::new().await;
    let (li, alice, chat) = served(&world).await;
    let _ = world.say(&alice, &chat, "before").await.ok();
    world.settle().await;
    let head = world.get(&li, "/v1/tenants/acme/feed?limit=1").await.ok()["head"].as_u64().unwrap();
    let address = world.serve().await;
    let mut first = Socket::connect(address).await;
    first.send(json!({"t": "hello", "token": li.token, "after": 0})).await;
    assert_eq!(first.next().await["head"], head);
    for index in 1..=head {
        assert_eq!(first.next_of("item").await["i"], index);
    }
    let mut now = Socket::connect(address).await;
    now.send(json!({"t": "hello", "token": li.token})).await;
    assert_eq!(now.next().await["head"], head);
    let _ = world.say(&alice, &chat, "after").await.ok();
    assert_eq!(now.next_of("item").await["i"], head + 1);
    world.end().await;
}

#[tokio::test]
async fn a_frame_whose_values_make_no_sense_is_refused_by_itself() {
    let mut world = World::new().await;
    let (li, _, chat) = served(&world).await;
    let mut phone = Socket::hello(&mut world, &li, 0).await;
    let id = world.client_id();
    for (frame, about) in [
        (json!({"t": "send", "id": "mine-1", "chat": chat, "content": "x"}), json!({"id": "mine-1"})),
        (json!({"t": "send", "id": id, "chat": chat, "content": "x", "style": "loud"}), json!({"id": id})),
        (json!({"t": "send", "id": id, "chat": chat, "content": "x", "colour": 1}), json!({"id": id})),
        (json!({"t": "send", "id": ["x"], "chat": chat, "content": "x"}), json!({})),
        (json!({"t": "send", "id": "y".repeat(200), "chat": chat, "content": "x"}), json!({})),
        (json!({"t": "read", "chat": chat, "seq": -1}), json!({"chat": chat})),
        (json!({"t": "read", "chat": chat, "seq": "\u{7f}".repeat(9_000)}), json!({"chat": chat})),
        (json!({"t": "hide", "chat": chat, "message": "none"}), json!({"chat": chat, "message": "none"})),
        (json!({"t": "chunk", "chat": chat, "id": "z", "content": "x"}), json!({"chat": chat, "chunk": "z"})),
        (json!({"t": "range", "after": -1, "to": 4}), json!({"after": -1, "to": 4})),
        (json!({"t": "watch", "users": ["nobody"]}), json!({})),
    ] {
        phone.send(frame.clone()).await;
        let nack = phone.next_of("nack").await;
        assert_eq!((&nack["code"], &nack["retry"]), (&json!("invalid_field"), &json!(false)), "{frame}");
        assert!(nack["detail"].as_str().is_some_and(|detail| (1..=200).contains(&detail.chars().count())), "{nack}");
        let told = nack.as_object().unwrap().iter().filter(|(name, _)| !["t", "code", "detail", "retry"].contains(&name.as_str()));
        assert_eq!(told.map(|(name, value)| (name.clone(), value.clone())).collect::<serde_json::Map<_, _>>(), *about.as_object().unwrap());
    }
    phone.send(send(&world, &chat, "and goes on")).await;
    assert_eq!(phone.next_of("ack").await["seq"], 1);
    world.end().await;
}

#[tokio::test]
async fn a_user_has_so_many_links_and_no_more() {
    let mut world = World::new().await;
    let li = world.customer(ACME, "li").await;
    let mut links = Vec::new();
    for _ in 0..adapters::hub::LINKS_MAX {
        links.push(Socket::hello(&mut world, &li, 0).await);
    }
    let mut one_more = Socket::connect(world.serve().await).await;
    one_more.send(json!({"t": "hello", "token": li.token})).await;
    assert_eq!(one_more.farewell().await, (json!("too_many_sockets"), json!(1013)));
    assert_eq!(world.get(&li, "/v1/events").await.problem(), (429, "too_many_sockets"));
    let poll = json!({"device": tests::people::DEVICE, "wait_ms": 0});
    assert_eq!(world.post(&li, "/v1/keepalive", poll).await.problem(), (429, "too_many_sockets"));
    let wang = world.customer(ACME, "wang").await;
    let _ = Socket::hello(&mut world, &wang, 0).await;
    world.end().await;
}

#[tokio::test]
async fn a_recall_is_pushed_and_a_second_look_finds_no_content() {
    let mut world = World::new().await;
    let (li, alice, chat) = served(&world).await;
    let mut desk = Socket::hello(&mut world, &alice, 0).await;
    let mut phone = Socket::hello(&mut world, &li, 0).await;
    phone.send(send(&world, &chat, "oops")).await;
    let message = phone.next_of("ack").await["message"].clone();
    let item = desk.next_item("message").await;
    phone.send(json!({"t": "recall", "chat": chat, "message": message})).await;
    let recalled = desk.next_item("recalled").await;
    assert_eq!((&recalled["message"], &recalled["seq"]), (&message, &json!(1)));
    let index = item["i"].as_u64().unwrap();
    desk.send(json!({"t": "range", "after": index - 1, "to": index})).await;
    let again = desk.next_item("message").await;
    assert_eq!((&again["i"], &again["m"]["content"], &again["m"]["is_recalled"]), (&json!(index), &Value::Null, &json!(true)));
    world.clock.pass(Millis::minutes(3));
    phone.send(json!({"t": "recall", "chat": chat, "message": "01900000000070008000000000000001"})).await;
    let nack = phone.next_of("nack").await;
    assert_eq!((&nack["code"], &nack["chat"]), (&json!("not_recallable"), &json!(chat)));
    world.end().await;
}

#[tokio::test]
async fn a_device_learns_at_once_that_its_sign_in_was_ended_and_others_stay() {
    let mut world = World::new().await;
    let (li, _, _) = served(&world).await;
    let elsewhere = world.customer(ACME, "li").await;
    assert_eq!(elsewhere.user(), li.user());
    let mut phone = Socket::hello(&mut world, &li, 0).await;
    let mut tablet = Socket::hello(&mut world, &elsewhere, 0).await;
    let session = format!("/v1/tenants/acme/users/{}/sessions/{}", li.user(), li.account().session);
    let _ = world.call(&elsewhere, axum::http::Method::DELETE, &session, Value::Null).await.ok();
    assert_eq!(phone.farewell().await, (json!("revoked"), json!(4401)));
    tablet.send(json!({"t": "ping"})).await;
    assert_eq!(tablet.next_of("pong").await["now"], world.clock_ms());
    let mut again = Socket::connect(world.serve().await).await;
    again.send(json!({"t": "hello", "token": li.token})).await;
    assert_eq!(again.farewell().await, (json!("revoked"), json!(4401)));
    let path = format!("/v1/tenants/acme/users/{}", li.user());
    let _ = world.call(&Person::operator(), axum::http::Method::DELETE, &path, Value::Null).await.ok();
    assert_eq!(tablet.farewell().await, (json!("deactivated"), json!(4401)));
    world.end().await;
}

#[tokio::test]
async fn a_merged_visitor_gets_the_last_item_and_has_to_go() {
    let mut world = World::new().await;
    let visitor = world.visitor(ACME).await;
    let li = world.customer(ACME, "li").await;
    let (chat, _) = world.open_chat(&visitor).await;
    world.settle().await;
    let mut phone = Socket::hello(&mut world, &visitor, 0).await;
    let mut tablet = Socket::hello(&mut world, &li, 0).await;
    let merge = format!("/v1/tenants/acme/users/{}/merge", visitor.user());
    let _ = world.post(&Person::operator(), &merge, json!({"into": li.user().to_string()})).await.ok();
    assert_eq!(phone.next_item("merged_into").await["into"], li.user().to_string());
    assert_eq!(phone.farewell().await, (json!("revoked"), json!(4401)));
    assert_eq!(tablet.next_item("joined").await["chat"], chat.as_str());
    world.end().await;
}

#[tokio::test]
async fn a_hello_without_a_live_token_is_turned_away() {
    let mut world = World::new().await;
    let li = world.customer(ACME, "li").await;
    let address = world.serve().await;
    for (token, code) in [(json!("nonsense"), "unauthorized"), (json!(tests::people::OPERATOR_KEY), "unauthorized")] {
        let mut socket = Socket::connect(address).await;
        socket.send(json!({"t": "hello", "token": token})).await;
        assert_eq!(socket.farewell().await, (json!(code), json!(4401)));
    }
    world.clock.pass(Millis::minutes(15));
    let mut socket = Socket::connect(address).await;
    socket.send(json!({"t": "hello", "token": li.token})).await;
    assert_eq!(socket.farewell().await, (json!("expired"), json!(4401)));
    world.end().await;
}

#[tokio::test]
async fn a_socket_that_says_nothing_is_closed() {
    let mut config = adapters::config::Config::default();
    config.websocket.hello_timeout_s = 0;
    let mut world = World::with_config(config).await;
    let mut socket = Socket::connect(world.serve().await).await;
    assert_eq!(socket.farewell().await, (json!("unauthorized"), json!(4408)));
    world.end().await;
}

#[tokio::test]
async fn a_device_that_does_not_read_is_told_that_it_is_slow_and_resumes_without_loss() {
    let mut config = adapters::config::Config::default();
    config.websocket.queue_frames_max = 4;
    let mut world = World::with_config(config).await;
    world.make_tenant(ACME).await;
    let (li, alice, chat) = served(&world).await;
    let mut phone = Socket::hello(&mut world, &li, 0).await;
    let text = "x".repeat(16 * 1024);
    let mut said = 0;
    // The system's own buffers take some megabytes before the device's queue is used at all.
    while world.app.hub.devices() > 0 && said < 4_000 {
        let _ = world.say(&alice, &chat, &text).await.ok();
        said += 1;
    }
    let mut last = 0;
    let bye = loop {
        let frame = phone.next().await;
        match frame["t"].as_str() {
            Some("item") => last = frame["i"].as_u64().unwrap(),
            Some("bye") => break frame["code"].clone(),
            Some(_) => {}
            None => break Value::Null,
        }
    };
    assert!(bye == "slow" || bye.is_null(), "{bye}: a device that reads nothing may miss the farewell, too");
    let head = world.get(&li, "/v1/tenants/acme/feed?limit=1").await.ok()["head"].as_u64().unwrap();
    assert!(last < head);
    let mut phone = Socket::hello(&mut world, &li, last).await;
    for index in last + 1..=head {
        assert_eq!(phone.next_of("item").await["i"], index);
    }
    world.end().await;
}

#[tokio::test]
async fn a_stopping_server_tells_its_devices_to_come_back() {
    let mut world = World::new().await;
    let li = world.customer(ACME, "li").await;
    let mut phone = Socket::hello(&mut world, &li, 0).await;
    world.app.shutdown.order();
    assert_eq!(phone.farewell().await, (json!("shutdown"), json!(1012)));
    assert_eq!(world.call(&Person::nobody(), axum::http::Method::GET, "/readyz", Value::Null).await.problem(), (503, "not_ready"));
    assert_eq!(world.call(&Person::nobody(), axum::http::Method::GET, "/livez", Value::Null).await.status.as_u16(), 200);
    world.end().await;
}

#[tokio::test]
async fn an_agent_who_lost_the_conversation_is_refused_and_a_stranger_too() {
    let mut world = World::new().await;
    let (li, alice, chat) = served(&world).await;
    let bob = world.agent_on_duty(ACME, "bob").await;
    let mut desk = Socket::hello(&mut world, &alice, 0).await;
    let conversation = world.get(&li, &format!("/v1/tenants/acme/chats/{chat}")).await.ok()["conversation"].as_str().unwrap().to_owned();
    let transfer = format!("/v1/tenants/acme/conversations/{conversation}/transfer");
    let _ = world.post(&alice, &transfer, json!({"agent": bob.user().to_string()})).await.ok();
    world.settle().await;
    let mut frame = send(&world, &chat, "still me");
    frame["assignment"] = json!(1);
    desk.send(frame).await;
    assert_eq!(desk.next_of("nack").await["code"], "not_yours_any_more");
    desk.send(send(&world, &chat, "still me")).await;
    assert_eq!(desk.next_of("nack").await["code"], "not_a_member");
    desk.send(json!({"t": "read", "chat": chat, "seq": 1})).await;
    let nack = desk.next_of("nack").await;
    assert_eq!((&nack["code"], &nack["chat"]), (&json!("not_a_member"), &json!(chat)));
    world.end().await;
}
