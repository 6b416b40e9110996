//! A fact that nobody can read: what stops, what goes on, and who decides.

use adapters::config::Config;
use application::log::commit::ChainHash;
use application::log::stream::{StreamId, StreamKey};
use application::ports::event_log::NewCommit;
use axum::http::Method;
use domain::ids::{ChatId, ConversationId, UserId};
use domain::time::Timestamp;
use domain::user::event::Role;
use serde_json::{Value, json};
use tests::contracts::event_log::{bare_commit, written_commit};
use tests::people::Person;
use tests::world::cover::{Cover, Covered};
use tests::world::gate::Gate;
use tests::world::{SHOP, World, id};

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

#[tokio::test]
async fn what_a_commit_says_before_the_event_that_nobody_can_read_is_reacted_to() {
    let world = World::new().await;
    let li = world.customer("acme", "li").await;
    world.settle().await;
    let (chat, conversation) = (ChatId::from_u128(0xC4A7), ConversationId::from_u128(0xC0));
    let stream = |key| StreamId::new(id("acme"), key);
    let begun = json!({"conversation": conversation, "shop": SHOP, "customer": li.user(), "entry": {"page": "order"}});
    let says = [("chat.conversation_started", begun), ("chat.teleported", json!({}))];
    let commit = written_commit(stream(StreamKey::Chat(chat)), 1, ChainHash::default(), Timestamp(1_700_000_000_000), &says);
    let _ = world.app.ports.log.append(commit).await.unwrap();
    world.settle().await;

    let followed = world.app.ports.log.read_stream(stream(StreamKey::Conversation(conversation)), 1, 1).await.unwrap();
    assert_eq!(followed.len(), 1, "the conversation that began was opened");
    let consumers = stopped(&world).await;
    let policies = consumers.iter().find(|consumer| consumer["consumer"] == "policies").expect("they stop at what follows");
    assert!(policies["cause"].as_str().unwrap().contains("chat.teleported"), "{policies}");
}

#[tokio::test]
async fn a_flow_that_nobody_can_read_stops_its_tenant_alone_until_it_is_mended() {
    let (world, log) = Gate::world(Config::default(), |_| {}).await;
    for tenant in ["acme", "bolt"] {
        world.make_tenant(tenant).await;
    }
    let admin = world.staff("acme", Role::TenantAdmin, "admin").await;
    let flow = json!({"text": "flow: reception\nlanguages: [en]\ndestinations: { all: { group: main } }\nroute: [{ to: all }]\n"});
    let published = world.call(&admin, Method::PUT, "/v1/tenants/acme/flows/reception", flow).await.ok();
    world.settle().await;
    log.damage(Some(World::position(&published).commit));

    let (here, there) = (world.customer("acme", "li").await, world.customer("bolt", "li").await);
    let _ = world.open_chat(&here).await;
    world.settle().await;
    let consumers = stopped(&world).await;
    assert_eq!(consumers.len(), 1, "{consumers:?}");
    let stands = &consumers[0];
    assert_eq!((&stands["consumer"], &stands["tenant"]), (&json!("policies"), &json!("acme")));
    assert!(stands["cause"].as_str().unwrap().contains("flow cannot be read"), "{stands}");
    assert_eq!(open_conversations(&world, "acme").await, 0);

    let _ = world.open_chat(&there).await;
    world.settle().await;
    assert_eq!(open_conversations(&world, "bolt").await, 1, "the other tenant does not notice");

    log.damage(None);
    let resume = json!({"position": stands["position"], "verdict": "retry"});
    let _ = world.post(&Person::operator(), "/v1/tenants/acme/consumers/policies/resume", resume).await.ok();
    world.settle().await;
    assert_eq!(stopped(&world).await, Vec::<Value>::new());
    assert_eq!(open_conversations(&world, "acme").await, 1, "who came meanwhile waits for an agent");
}

#[tokio::test]
async fn a_key_that_is_lost_stops_its_tenant_alone_until_it_is_brought_back() {
    let (world, cover) = Cover::world().await;
    for tenant in ["acme", "bolt"] {
        world.make_tenant(tenant).await;
    }
    let admin = world.staff("acme", Role::TenantAdmin, "admin").await;
    let flow = "\
flow: reception
languages: [en]
destinations: { all: { group: main } }
route: [{ to: all }]
rating: { invite: on_close, say: { en: How did we do? } }
";
    let _ = world.call(&admin, Method::PUT, "/v1/tenants/acme/flows/reception", json!({"text": flow})).await.ok();
    let alice = world.agent_on_duty("acme", "alice").await;
    let (here, there) = (world.customer("acme", "li").await, world.customer("bolt", "li").await);
    let (chat, conversation) = world.open_chat(&here).await;
    world.settle().await;
    let of_li = here.user();
    cover.cover(Some(((id("acme"), of_li.into()), Covered::Unknown)));
    let _ = world.post(&alice, &format!("/v1/tenants/acme/conversations/{conversation}/close"), json!({})).await.ok();
    world.settle().await;
    let consumers = stopped(&world).await;
    assert_eq!(consumers.len(), 1, "{consumers:?}");
    assert_eq!((&consumers[0]["consumer"], &consumers[0]["tenant"]), (&json!("policies"), &json!("acme")));
    assert!(consumers[0]["cause"].as_str().unwrap().contains("key"), "{consumers:?}");
    let _ = world.open_chat(&there).await;
    world.settle().await;
    assert_eq!(open_conversations(&world, "bolt").await, 1, "the other tenant does not notice");

    cover.cover(None);
    let resume = json!({"position": consumers[0]["position"], "verdict": "retry"});
    let _ = world.post(&Person::operator(), "/v1/tenants/acme/consumers/policies/resume", resume).await.ok();
    world.settle().await;
    assert_eq!(stopped(&world).await, Vec::<Value>::new());
    let said = world.get(&here, &format!("/v1/tenants/acme/chats/{chat}/messages")).await.ok();
    assert_eq!(said["data"].as_array().unwrap().iter().filter(|said| said["content"] == "How did we do?").count(), 1, "{said}");
}
