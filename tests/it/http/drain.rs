//! The order to stop: everybody connected is told to move, what was acknowledged stays, and the server ends by itself.

use axum::http::Method;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::people::Person;
use tests::world::socket::Socket;
use tests::world::{ACME, World};

const SOCKETS_EACH: usize = 25;

async fn people(world: &World, count: usize) -> Vec<Person> {
    let mut people = Vec::new();
    for nth in 0..count {
        people.push(world.customer(ACME, &format!("customer{nth}")).await);
    }
    people
}

#[tokio::test]
async fn sockets_polls_and_streams_are_told_to_move_and_nothing_acknowledged_is_lost() {
    let mut world = World::new().await;
    let people = people(&world, 8).await;
    let mut sockets = Vec::new();
    let mut chats = Vec::new();
    for person in &people {
        chats.push(world.open_chat(person).await.0);
        for _ in 0..SOCKETS_EACH {
            sockets.push(Socket::hello(&mut world, person, 0).await);
        }
    }
    let device = |nth: usize| format!("0190a3c0b800700080000000000000{nth:02}");
    // Everybody polls, too; the first answers tell what is there, the next ones are held.
    let held = people.iter().enumerate().map(|(nth, person)| {
        let (world, device) = (&world, device(nth));
        async move {
            let (mut after, mut signals) = (0, Value::Null);
            loop {
                let body = json!({"device": device, "after": after, "signals": signals, "wait_ms": 25_000});
                let reply = world.post(person, "/v1/keepalive", body).await;
                if reply.status == 503 {
                    // It had just been answered, and came back to a server that stops.
                    return reply.body["code"].clone();
                }
                let answer = reply.ok();
                let last = answer["events"].as_array().expect("a list").last().cloned().unwrap_or_default();
                if last["bizCode"] == "bye" {
                    return last["frame"]["code"].clone();
                }
                (after, signals) = (answer["next"].as_u64().expect("a number"), answer["signals"].clone());
            }
        }
    });
    let story = async {
        let mut acked = Vec::new();
        for (person, chat) in people.iter().zip(&chats) {
            acked.push(world.say(person, chat, "just before").await.ok()["message"].clone());
        }
        world.settle().await;
        world.app.shutdown.order();
        let refused = world.post(&people[0], "/v1/keepalive", json!({"device": device(99)})).await;
        assert_eq!(refused.problem(), (503, "not_ready"));
        let refused = world.call(&people[0], Method::GET, "/v1/events", Value::Null).await;
        assert_eq!(refused.problem(), (503, "not_ready"));
        let farewells = join_all(sockets.iter_mut().map(Socket::farewell)).await;
        for farewell in farewells {
            assert_eq!(farewell, (json!("shutdown"), json!(1012)));
        }
        acked
    };
    let (byes, acked) = tokio::join!(join_all(held), story);
    assert!(byes.iter().all(|bye| bye == "shutdown" || bye == "not_ready"), "{byes:?}");
    for ((person, chat), message) in people.iter().zip(&chats).zip(&acked) {
        let path = format!("/v1/tenants/acme/chats/{chat}/messages");
        let messages = world.call(person, Method::GET, &path, Value::Null).await.ok();
        assert_eq!(&messages["data"][0]["id"], message);
    }
    world.end().await;
}
