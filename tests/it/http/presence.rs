//! Coming online is announced to those who follow it; going only after the grace.

use std::time::Duration;

use axum::http::Method;
use domain::time::Millis;
use domain::user::event::Role;
use serde_json::{Value, json};
use tests::people::Person;
use tests::world::socket::Socket;
use tests::world::{ACME, World};

async fn online(world: &World, who: &Person) -> bool {
    let path = format!("/v1/tenants/acme/users/{}", who.user());
    world.get(&Person::operator(), &path).await.ok()["online"].as_bool().expect("a user is online or not")
}

fn limits(grace_ms: i64) -> Value {
    json!({"offline_grace_ms": grace_ms})
}

#[tokio::test]
async fn an_agent_comes_online_with_the_first_device_and_goes_after_the_grace_of_the_last() {
    let mut world = World::new().await;
    let alice = world.staff(ACME, Role::Agent, "alice").await;
    let sue = world.staff(ACME, Role::Supervisor, "sue").await;
    let mut board = Socket::hello(&mut world, &sue, 0).await;
    board.send(json!({"t": "watch", "users": [alice.user().to_string()]})).await;
    let presence = |online| json!({"t": "presence", "user": alice.user().to_string(), "online": online});
    assert_eq!(board.next_of("presence").await, presence(false));
    let desk = Socket::hello(&mut world, &alice, 0).await;
    assert_eq!(board.next_of("presence").await, presence(true));
    assert!(online(&world, &alice).await);
    let second = Socket::hello(&mut world, &alice, 0).await;
    desk.leave().await;
    // One millisecond of grace, which passes while the device is gone.
    let _ = world.call(&Person::operator(), Method::PUT, "/v1/tenants/acme/limits", limits(1)).await.ok();
    assert!(online(&world, &alice).await, "another device is still there");
    second.leave().await;
    // Time passes until the server has noticed that the device is gone and its grace is over.
    let told = loop {
        world.clock.pass(Millis(1));
        if let Some(frame) = board.next_within(Duration::from_millis(10)).await {
            break frame;
        }
    };
    assert_eq!(told, presence(false));
    assert!(!online(&world, &alice).await);
    world.end().await;
}

#[tokio::test]
async fn a_device_that_comes_back_within_the_grace_was_never_gone() {
    let mut world = World::new().await;
    let alice = world.staff(ACME, Role::Agent, "alice").await;
    let desk = Socket::hello(&mut world, &alice, 0).await;
    assert!(wait_online(&world, &alice).await);
    desk.leave().await;
    let mut desk = Socket::hello(&mut world, &alice, 0).await;
    desk.send(json!({"t": "ping"})).await;
    let _ = desk.next_of("pong").await;
    assert!(online(&world, &alice).await);
    world.end().await;
}

/// Coming online is written while the device is welcomed.
async fn wait_online(world: &World, who: &Person) -> bool {
    for _ in 0..1_000 {
        if online(world, who).await {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}

#[tokio::test]
async fn a_customer_is_announced_by_signals_and_follows_nobody_of_the_shop() {
    let mut world = World::new().await;
    let alice = world.staff(ACME, Role::Agent, "alice").await;
    let bob = world.staff(ACME, Role::Agent, "bob").await;
    world.on_duty(&alice).await;
    let li = world.customer(ACME, "li").await;
    let _ = world.open_chat(&li).await;
    world.settle().await;
    let mut desk = Socket::hello(&mut world, &alice, 0).await;
    desk.send(json!({"t": "watch", "users": [li.user().to_string()]})).await;
    assert_eq!(desk.next_of("presence").await["online"], false);
    let mut phone = Socket::hello(&mut world, &li, 0).await;
    assert_eq!(desk.next_of("presence").await, json!({"t": "presence", "user": li.user().to_string(), "online": true}));
    phone.send(json!({"t": "watch", "users": [bob.user().to_string(), alice.user().to_string()]})).await;
    // What is told of it may come after the first answer.
    for _ in 0..2 {
        let told = phone.told_until_pong().await;
        assert!(
            told.iter().all(|frame| frame["t"] != "presence"),
            "who stands behind the shop is not for them, whoever they are: {told:?}"
        );
    }
    // In a group thread everybody sees the others as they are.
    let member = json!({"user": li.user().to_string(), "label": "influencer", "permissions": ["post"]});
    let thread = json!({"title": "launch", "label": "merchant", "members": [member]});
    let _ = world.post(&alice, "/v1/tenants/acme/threads", thread).await.ok();
    world.settle().await;
    phone.send(json!({"t": "watch", "users": [bob.user().to_string(), alice.user().to_string()]})).await;
    let told = phone.next_of("presence").await;
    assert_eq!((&told["user"], &told["online"]), (&json!(alice.user().to_string()), &json!(true)));
    world.end().await;
}

#[tokio::test]
async fn no_more_than_a_thousand_users_are_followed_by_one_device() {
    let mut world = World::new().await;
    let alice = world.staff(ACME, Role::Agent, "alice").await;
    let mut desk = Socket::hello(&mut world, &alice, 0).await;
    let ids = |count: u128| (1..=count).map(|number| format!("{number:032x}")).collect::<Vec<_>>();
    desk.send(json!({"t": "watch", "users": ids(1_001)})).await;
    assert_eq!(desk.next_of("nack").await["code"], "too_many_watched");
    desk.send(json!({"t": "watch", "users": ids(1_000)})).await;
    desk.send(json!({"t": "ping"})).await;
    assert_eq!(desk.next().await["t"], "pong");
    world.end().await;
}

#[tokio::test]
async fn after_a_restart_whoever_was_online_gets_a_new_grace() {
    let mut world = World::new().await;
    let (alice, sue) = (world.staff(ACME, Role::Agent, "alice").await, world.staff(ACME, Role::Supervisor, "sue").await);
    // The log says that alice is online, and nobody is connected: as after a restart.
    world.on_duty(&alice).await;
    let mut board = Socket::hello(&mut world, &sue, 0).await;
    board.send(json!({"t": "watch", "users": [alice.user().to_string()]})).await;
    assert_eq!(board.next_of("presence").await["online"], true);
    world.clock.pass(Millis::seconds(59));
    assert!(online(&world, &alice).await, "within the tenant's grace of 60 s");
    world.clock.pass(Millis::seconds(2));
    assert_eq!(board.next_of("presence").await["online"], false);
    let agents = world.get(&sue, "/v1/tenants/acme/agents").await.ok();
    let row = agents["data"].as_array().unwrap().iter().find(|row| row["agent"] == alice.user().to_string());
    assert_eq!(row.unwrap()["online"], false);
    world.end().await;
}
