//! A fact that nobody can read: what stops, what goes on, and who decides.

use application::log::commit::ChainHash;
use application::log::stream::{StreamId, StreamKey};
use application::ports::event_log::NewCommit;
use domain::ids::UserId;
use domain::time::Timestamp;
use serde_json::{Value, json};
use tests::contracts::event_log::bare_commit;
use tests::people::Person;
use tests::world::{World, id};

/// A commit of a later kefu, in a stream of its own.
fn from_the_future(tenant: &str) -> NewCommit {
    let stream = StreamId::new(id(tenant), StreamKey::User(UserId::from_u128(0xF00)));
    bare_commit(stream, 1, ChainHash::default(), Timestamp(1_700_000_000_000), "user.teleported")
}

async fn stopped(world: &World) -> Vec<Value> {
    let answer = world.get(&Person::operator(), "/v1/consumers").await.ok();
    answer["data"].as_array().cloned().unwrap_or_default()
}

async fn open_conversations(world: &World, tenant: &str) -> usize {
    let path = format!("/v1/tenants/{tenant}/conversations?status=waiting");
    let answer = world.get(&Person::operator(), &path).await.ok();
    answer["data"].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn an_event_that_nobody_can_read_stops_its_tenant_alone_until_an_operator_decides() {
    let world = World::new().await;
    world.make_tenant("bolt").await;
    let (here, there) = (world.customer("acme", "li").await, world.customer("bolt", "li").await);
    world.settle().await;
    let _ = world.app.ports.log.append(from_the_future("acme")).await.unwrap();
    world.settle().await;

    let consumers = stopped(&world).await;
    assert!(consumers.iter().any(|consumer| consumer["consumer"] == "policies"), "{consumers:?}");
    assert!(consumers.iter().any(|consumer| consumer["consumer"] == "conversation_list"), "{consumers:?}");
    assert!(consumers.iter().all(|consumer| consumer["tenant"] == "acme"), "{consumers:?}");
    assert!(consumers.iter().all(|consumer| consumer["cause"].as_str().is_some_and(|cause| cause.contains("user.teleported"))));

    // The other tenant does not notice.
    let _ = world.open_chat(&there).await;
    assert_eq!(open_conversations(&world, "bolt").await, 1);
    // Here commands are still carried out and durable; what follows from them waits.
    let _ = world.open_chat(&here).await;
    assert_eq!(open_conversations(&world, "acme").await, 0);

    for consumer in &consumers {
        let path = format!("/v1/tenants/acme/consumers/{}/resume", consumer["consumer"].as_str().unwrap());
        let _ = world.post(&Person::operator(), &path, json!({"position": consumer["position"], "verdict": "skip"})).await.ok();
    }
    assert_eq!(stopped(&world).await, Vec::<Value>::new());
    assert_eq!(open_conversations(&world, "acme").await, 1, "everything since then was caught up with");
}
