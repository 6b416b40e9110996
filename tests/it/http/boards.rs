//! Boards: how a group stands, told to those who watch it, and to nobody who may not.

use axum::http::Method;
use domain::user::event::Role;
use serde_json::{Value, json};
use tests::people::{DEVICE, Person};
use tests::world::socket::Socket;
use tests::world::{ACME, World};

async fn watch(socket: &mut Socket, groups: Value) {
    socket.send(json!({"t": "watch_board", "groups": groups})).await;
}

/// Whether nothing but the answer comes: no board, no refusal.
async fn is_told_nothing(socket: &mut Socket) -> bool {
    socket.told_until_pong().await.iter().all(|frame| frame["t"] != "board" && frame["t"] != "nack")
}

#[tokio::test]
async fn whoever_watches_a_group_sees_who_waits_and_who_serves() {
    let mut world = World::new().await;
    let (alice, sue) = (world.staff(ACME, Role::Agent, "alice").await, world.staff(ACME, Role::Supervisor, "sue").await);
    let (li, wang) = (world.customer(ACME, "li").await, world.customer(ACME, "wang").await);
    let mut desk = Socket::hello(&mut world, &alice, 0).await;
    watch(&mut desk, json!(["main"])).await;
    let empty = desk.next_of("board").await;
    assert_eq!((&empty["group"], &empty["waiting"], &empty["oldest_at"]), (&json!("main"), &json!(0), &Value::Null));
    let _ = world.open_chat(&li).await;
    let one = desk.next_that("board", |board| board["waiting"] == 1).await;
    world.clock.pass(domain::time::Millis::seconds(5));
    let _ = world.open_chat(&wang).await;
    let two = desk.next_that("board", |board| board["waiting"] == 2).await;
    let queue = world.get(&sue, "/v1/tenants/acme/queue?group=main").await.ok();
    assert_eq!((&two["oldest_at"], &one["oldest_at"]), (&queue["data"][0]["enqueued_at"], &two["oldest_at"]));
    assert_eq!((&two["on_service"], &two["in_service"], &two["free_slots"]), (&json!(0), &json!(0), &json!(0)));
    world.on_duty(&alice).await;
    let served = desk.next_that("board", |board| board["in_service"] == 2).await;
    let agents = world.get(&sue, "/v1/tenants/acme/agents").await.ok();
    let capacity = agents["data"][0]["capacity"].as_u64().expect("a number");
    assert_eq!((&served["waiting"], &served["oldest_at"], &served["on_service"]), (&json!(0), &Value::Null, &json!(1)));
    assert_eq!(served["free_slots"], capacity - 2);

    let mut other = Socket::hello(&mut world, &sue, 0).await;
    watch(&mut other, json!(["main", "main"])).await;
    assert_eq!(other.next_of("board").await, served, "told at once, as it stands");
    watch(&mut other, json!([])).await;
    assert!(is_told_nothing(&mut other).await);
    let _ = world.open_chat(&world.customer(ACME, "zhao").await).await;
    let _ = desk.next_that("board", |board| board["in_service"] == 3).await;
    assert!(is_told_nothing(&mut other).await, "it does not watch any more");
    world.end().await;
}

#[tokio::test]
async fn a_board_is_for_those_who_may_read_the_queue_of_its_group() {
    let mut world = World::new().await;
    let staff = async |role, login| world.staff(ACME, role, login).await;
    let people = [
        (world.customer(ACME, "li").await, "main", "forbidden"),
        (staff(Role::QualityReviewer, "reviewer").await, "main", "forbidden"),
        (staff(Role::Agent, "alice").await, "vip", "forbidden"),
        (staff(Role::Agent, "bob").await, "nowhere", "forbidden"),
        (staff(Role::Supervisor, "sue").await, "nowhere", "not_found"),
        (staff(Role::TenantAdmin, "admin").await, "nowhere", "not_found"),
    ];
    for (person, group, code) in &people {
        let mut socket = Socket::hello(&mut world, person, 0).await;
        watch(&mut socket, json!(["main", group])).await;
        assert_eq!(socket.next_of("nack").await["code"], *code, "{}", person.name);
        assert!(is_told_nothing(&mut socket).await, "one that is refused is none");
        let _ = world.post(person, "/v1/keepalive", json!({"device": DEVICE, "wait_ms": 0})).await.ok();
        let order = json!({"bizCode": "watch_board", "device": DEVICE, "groups": [group]});
        assert_eq!(world.post(person, "/v1/sendmessage", order).await.problem().1, *code, "{}", person.name);
    }
    let mut socket = Socket::hello(&mut world, &people[5].0, 0).await;
    watch(&mut socket, json!(["main", "vip"])).await;
    assert_eq!([socket.next_of("board").await["group"].clone(), socket.next_of("board").await["group"].clone()], ["main", "vip"]);
    let many = (0..101).map(|number| format!("g{number}")).collect::<Vec<_>>();
    watch(&mut socket, json!(many)).await;
    assert_eq!(socket.next_of("nack").await["code"], "too_many_watched");
    watch(&mut socket, json!(many[..100])).await;
    assert_eq!(socket.next_of("nack").await["code"], "not_found");
    world.end().await;
}

#[tokio::test]
async fn another_tenants_group_of_the_same_name_is_another_one() {
    let mut world = World::new().await;
    world.make_tenant("rival").await;
    let theirs = json!({"id": "theirs", "title": "a group"});
    let _ = world.post(&Person::operator(), "/v1/tenants/rival/groups", theirs).await.ok();
    let (here, there) = (world.staff(ACME, Role::Supervisor, "sue").await, world.staff("rival", Role::Supervisor, "sue").await);
    let mut acme = Socket::hello(&mut world, &here, 0).await;
    let mut rival = Socket::hello(&mut world, &there, 0).await;
    watch(&mut acme, json!(["main"])).await;
    watch(&mut rival, json!(["main"])).await;
    assert_eq!(rival.next_of("board").await["waiting"], 0);
    let _ = world.open_chat(&world.customer(ACME, "li").await).await;
    let _ = acme.next_that("board", |board| board["waiting"] == 1).await;
    for frame in rival.told_until_pong().await {
        // Who is online there is told; who waits here is not.
        assert!(frame["t"] != "board" || frame["waiting"] == 0, "{frame}");
    }
    watch(&mut rival, json!(["main"])).await;
    assert_eq!(rival.next_of("board").await["waiting"], 0);
    watch(&mut acme, json!(["theirs"])).await;
    assert_eq!(acme.next_of("nack").await["code"], "not_found", "it is the other tenant's");
    world.end().await;
}

#[tokio::test]
async fn an_agent_who_serves_a_group_no_more_sees_its_board_no_more() {
    let mut world = World::new().await;
    let alice = world.staff(ACME, Role::Agent, "alice").await;
    let path = format!("/v1/tenants/acme/users/{}", alice.user());
    let groups = async |groups: Value| {
        let _ = world.call(&Person::operator(), Method::PATCH, &path, json!({"groups": groups})).await.ok();
        world.settle().await;
    };
    groups(json!(["main", "vip"])).await;
    let mut desk = Socket::hello(&mut world, &alice, 0).await;
    watch(&mut desk, json!(["main", "vip"])).await;
    let _ = desk.next_that("board", |board| board["group"] == "vip").await;
    let groups = json!({"groups": ["vip"]});
    let _ = world.call(&Person::operator(), Method::PATCH, &path, groups).await.ok();
    let gone = desk.next_that("board", |board| board["gone"] == true).await;
    assert_eq!(gone, json!({"t": "board", "group": "main", "gone": true}));
    let _ = world.open_chat(&world.customer(ACME, "li").await).await;
    world.settle().await;
    watch(&mut desk, json!(["vip"])).await;
    loop {
        let board = desk.next_of("board").await;
        assert_ne!((&board["group"], &board["waiting"]), (&json!("main"), &json!(1)));
        if board["group"] == "vip" && board["agents"] == 1 {
            break;
        }
    }
    watch(&mut desk, json!(["main"])).await;
    assert_eq!(desk.next_of("nack").await["code"], "forbidden");
    world.end().await;
}

#[tokio::test]
async fn a_page_that_polls_watches_in_the_same_way_and_gets_all_of_it_when_it_resumes() {
    let mut world = World::new().await;
    let _ = world.serve().await;
    let alice = world.staff(ACME, Role::Agent, "alice").await;
    let poll = async |signals: Value, wait_ms: u64| {
        let mut body = json!({"device": DEVICE, "after": 0, "wait_ms": wait_ms});
        if !signals.is_null() {
            body["signals"] = signals;
        }
        world.post(&alice, "/v1/keepalive", body).await.ok()
    };
    let boards = |answer: &Value| {
        let events = answer["events"].as_array().expect("a list").iter().filter(|event| event["bizCode"] == "board");
        events.map(|event| event["frame"].clone()).collect::<Vec<_>>()
    };
    let order = json!({"bizCode": "watch_board", "device": DEVICE, "groups": ["main"]});
    assert_eq!(world.post(&alice, "/v1/sendmessage", order.clone()).await.problem(), (404, "not_found"), "nobody polls yet");
    let first = poll(Value::Null, 0).await;
    assert_eq!(world.post(&alice, "/v1/sendmessage", order).await.ok()["bizCode"], "ok");
    let told = poll(first["signals"].clone(), 20_000).await;
    assert_eq!(boards(&told)[0]["waiting"], 0);
    let _ = world.open_chat(&world.customer(ACME, "li").await).await;
    let mut signals = told["signals"].clone();
    let changed = loop {
        let answer = poll(signals, 20_000).await;
        signals = answer["signals"].clone();
        if let Some(board) = boards(&answer).into_iter().find(|board| board["waiting"] == 1) {
            break board;
        }
    };
    assert_eq!(boards(&poll(Value::Null, 0).await), [changed], "all of it when it begins anew");
    world.end().await;
}
