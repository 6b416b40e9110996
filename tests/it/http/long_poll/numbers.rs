//! What the numbers and names of a poll say: which signals have arrived, in which order they leave, and how much may be said.

use serde_json::{Value, json};
use tests::people::DEVICE;
use tests::world::World;
use tests::world::socket::Socket;

use super::{Page, codes, served};

fn events(answer: &Value) -> &[Value] {
    answer["events"].as_array().expect("a list")
}

#[tokio::test]
async fn a_number_from_an_earlier_link_is_no_sign_that_signals_of_this_one_arrived() {
    let world = World::new().await;
    let (li, ..) = served(&world).await;
    let mut page = Page::new(&world, &li);
    let _ = page.drain().await;
    // As many other devices of the sign-in take the place of this one.
    for number in 0..8 {
        let device = format!("0190a3c0b8007000800000000000010{number}");
        let _ = world.post(&li, "/v1/keepalive", json!({"device": device, "wait_ms": 0})).await.ok();
    }
    let lost = page.lost_poll(0).await;
    assert!(codes(events(&lost)).contains(&"unread"));
    assert_ne!(lost["signals"].as_u64(), page.signals);
    let again = page.poll(0).await;
    assert_eq!(codes(events(&again)), codes(events(&lost)), "signals come whole again");
    assert!(page.signals < Some(1 << 53), "and their number is exact in every client");
    assert_eq!(codes(events(&page.poll(0).await)), [""; 0], "this one has arrived");
    world.end().await;
}

#[tokio::test]
async fn what_waits_leaves_ahead_of_signals_that_come_whole() {
    let world = World::new().await;
    let (li, alice, chat, _) = served(&world).await;
    let mut page = Page::new(&world, &li);
    let _ = page.drain().await;
    let _ = world.say(&alice, &chat, "one").await.ok();
    world.settle().await;
    page.signals = None;
    let answer = page.poll(0).await;
    assert_eq!(codes(events(&answer))[0], "message");
    let whole = events(&answer).iter().rposition(|event| event["frame"]["t"] == "unread").expect("told whole");
    assert_eq!(events(&answer)[whole]["frame"]["chats"][&chat], 1);
    assert_eq!(events(&answer)[whole]["frame"]["whole"], true, "nothing older comes after it");
    assert_eq!(answer["next"], answer["head"]);
    world.end().await;
}

#[tokio::test]
async fn a_message_is_acknowledged_in_the_same_words_on_every_way() {
    let mut world = World::new().await;
    let (li, _, chat, _) = served(&world).await;
    let fields = |ack: &Value| {
        let fields = ack.as_object().expect("an object").keys().filter(|name| *name != "t" && *name != "bizCode");
        fields.cloned().collect::<Vec<_>>()
    };
    let mut phone = Socket::hello(&mut world, &li, 0).await;
    phone.send(json!({"t": "send", "id": world.client_id(), "chat": chat, "content": "one"})).await;
    let by_socket = phone.next_of("ack").await;
    let page = Page::new(&world, &li);
    let by_poll = page.order(json!({"bizCode": "message", "id": world.client_id(), "chat": chat, "content": "two"})).await;
    assert_eq!(fields(&by_poll), fields(&by_socket));
    assert_eq!((&by_poll["bizCode"], by_poll["pos"].is_string()), (&json!("ack"), true));
    phone.leave().await;
    world.end().await;
}

#[tokio::test]
async fn the_name_of_a_request_is_counted_in_characters() {
    let world = World::new().await;
    let (li, ..) = served(&world).await;
    let poll = async |rs_id: String| world.post(&li, "/v1/keepalive", json!({"device": DEVICE, "rs_id": rs_id, "wait_ms": 0})).await;
    assert_eq!(poll("请".repeat(64)).await.ok()["rs_id"], "请".repeat(64));
    assert_eq!(poll("请".repeat(65)).await.problem(), (422, "invalid_value"));
    world.end().await;
}
