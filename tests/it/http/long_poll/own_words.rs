//! What a device that polls says itself: its answer tells it, so its poll goes on; everybody else hears it at once.

use std::sync::Arc;
use std::task::{Context, Waker};

use adapters::hub::Device;
use adapters::hub::outbox::Taken;
use serde_json::{Value, json};
use tests::people::{DEVICE, Person};
use tests::world::World;
use tests::world::socket::Socket;

use super::{OTHER_DEVICE, Page, indexes, served};

/// A message as the device that polls sends it.
fn message_of(world: &World, page: &Page<'_>, chat: &str, content: &str) -> Value {
    json!({"bizCode": "message", "device": page.device, "id": world.client_id(), "chat": chat, "content": content})
}

fn contents(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["frame"]["m"]["content"].as_str()).collect()
}

/// What waits for the devices of a user, and whether a held poll would be answered with it at once. So no test has to know how
/// long a poll is patient. What would be answered at once is taken.
fn waiting(world: &World, who: &Person) -> Vec<Waits> {
    let account = who.account();
    let of = |device: &Arc<Device>| {
        let mut taken = Taken::default();
        let told = device.outbox.poll_take_pressing(&mut Context::from_waker(Waker::noop()), &mut taken);
        match (told.is_ready(), device.outbox.is_empty()) {
            (true, _) => Waits::AtOnce(taken.items.len()),
            (false, true) => Waits::Nothing,
            (false, false) => Waits::Patiently,
        }
    };
    world.app.hub.devices_of((account.tenant, account.user)).iter().map(of).collect()
}

/// How something waits for a device.
#[derive(Debug, PartialEq, Eq)]
enum Waits {
    /// There is nothing.
    Nothing,
    /// It waits for what presses.
    Patiently,
    /// So many items answer a poll at once.
    AtOnce(usize),
}

#[tokio::test]
async fn what_a_device_says_does_not_end_its_own_poll_and_leaves_with_what_comes_next() {
    let world = World::new().await;
    let (li, alice, chat, _) = served(&world).await;
    let mut page = Page::new(&world, &li);
    let _ = page.drain().await;
    assert_eq!(waiting(&world, &li), [Waits::Nothing]);
    let from = page.next;
    let ack = page.order(message_of(&world, &page, &chat, "mine")).await;
    world.settle().await;
    assert_eq!(waiting(&world, &li), [Waits::Patiently]);
    let _ = world.say(&alice, &chat, "theirs").await.ok();
    world.settle().await;
    let answer = page.lost_poll(25_000).await;
    let events = answer["events"].as_array().unwrap();
    assert_eq!((contents(events), indexes(events)), (vec!["mine", "theirs"], vec![from + 1, from + 2]));
    assert_eq!(events[0]["frame"]["m"]["id"], ack["message"]);
    // That answer was lost; everything in it comes again, and nothing twice after it.
    let again = page.poll(0).await;
    assert_eq!(indexes(again["events"].as_array().unwrap()), [from + 1, from + 2]);
    assert_eq!(indexes(&page.drain().await), Vec::<u64>::new());
    // A poll whose time is over takes it along.
    let _ = page.order(message_of(&world, &page, &chat, "more")).await;
    world.settle().await;
    assert_eq!(contents(&page.drain().await), ["more"]);
    world.end().await;
}

#[tokio::test]
async fn what_one_device_says_reaches_the_others_of_its_user_at_once() {
    let from_none_that_polls = "0190a3c0b80070008000000000000003";
    for (device, phone_waits) in [
        (Some(DEVICE), Waits::Patiently),
        (Some(from_none_that_polls), Waits::AtOnce(1)),
        // A client that does not say which device it is hears itself at once, as it always did.
        (None, Waits::AtOnce(1)),
    ] {
        let world = World::new().await;
        let (li, _, chat, _) = served(&world).await;
        let mut phone = Page::new(&world, &li);
        let mut tablet = Page { device: OTHER_DEVICE, ..Page::new(&world, &li) };
        let _ = (phone.drain().await, tablet.drain().await);
        let mut order = message_of(&world, &phone, &chat, "from here");
        match device {
            Some(device) => order["device"] = json!(device),
            None => _ = order.as_object_mut().unwrap().remove("device"),
        }
        let _ = phone.order(order).await;
        world.settle().await;
        assert_eq!(waiting(&world, &li), [phone_waits, Waits::AtOnce(1)], "said by {device:?}");
        world.end().await;
    }
}

#[tokio::test]
async fn a_message_whose_ack_is_lost_is_said_again_and_heard_once() {
    let world = World::new().await;
    let (li, alice, chat, _) = served(&world).await;
    let mut page = Page::new(&world, &li);
    let mut seen = indexes(&page.drain().await);
    let mut said = Vec::new();
    for (number, heard_between) in [(0, false), (1, true), (2, false)] {
        let order = message_of(&world, &page, &chat, &number.to_string());
        let lost = page.order(order.clone()).await;
        world.settle().await;
        if heard_between {
            seen.extend(indexes(&page.drain().await));
        }
        let ack = page.order(order.clone()).await;
        assert_eq!((&ack["message"], &ack["seq"], &ack["id"]), (&lost["message"], &lost["seq"], &order["id"]));
        let _ = world.say(&alice, &chat, "heard").await.ok();
        world.settle().await;
        let lost = page.lost_poll(0).await;
        let got = page.poll(0).await;
        assert_eq!(indexes(lost["events"].as_array().unwrap()), indexes(got["events"].as_array().unwrap()));
        let events = got["events"].as_array().unwrap();
        seen.extend(indexes(events));
        said.extend(contents(events).into_iter().map(str::to_owned));
    }
    assert_eq!(seen, (1..=page.next).collect::<Vec<_>>());
    assert_eq!(said, ["0", "heard", "heard", "2", "heard"], "each once; the second was heard before it was said again");
    world.end().await;
}

#[tokio::test]
async fn a_device_that_changes_to_the_socket_while_its_own_message_waits_gets_it_there_once() {
    let mut world = World::new().await;
    let (li, _, chat, _) = served(&world).await;
    let mut page = Page::new(&world, &li);
    let mut seen = indexes(&page.drain().await);
    let _ = page.order(message_of(&world, &page, &chat, "by request")).await;
    world.settle().await;
    let mut next = page.next;
    let mut socket = Socket::hello(&mut world, &li, next).await;
    let item = socket.next_of("item").await;
    assert_eq!(item["m"]["content"], "by request");
    next = item["i"].as_u64().unwrap();
    seen.push(next);
    socket.leave().await;
    let mut page = Page { next, ..Page::new(&world, &li) };
    let _ = page.order(message_of(&world, &page, &chat, "by request again")).await;
    world.settle().await;
    let events = page.drain().await;
    assert_eq!(contents(&events), ["by request again"]);
    seen.extend(indexes(&events));
    assert_eq!(seen, (1..=page.next).collect::<Vec<_>>());
    world.end().await;
}
