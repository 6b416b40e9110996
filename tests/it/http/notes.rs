//! What staff write to each other beside a customer: the customer learns nothing of it, not even by numbers.

use axum::http::Method;
use domain::user::event::Role;
use serde_json::{Value, json};
use tests::people::Person;
use tests::world::{ACME, World};

async fn note(world: &World, who: &Person, chat: &str) -> u64 {
    let body = json!({"id": world.client_id(), "content": "between us", "visibility": "staff"});
    world.post(who, &format!("/v1/tenants/acme/chats/{chat}/messages"), body).await.ok()["seq"].as_u64().unwrap()
}

async fn read(world: &World, who: &Person, chat: &str, seq: u64) {
    let _ = world.post(who, &format!("/v1/tenants/acme/chats/{chat}/read"), json!({"seq": seq})).await.ok();
}

/// The places up to which others have read, as somebody's feed tells them.
async fn told(world: &World, who: &Person) -> Vec<u64> {
    let feed = world.get(who, "/v1/tenants/acme/feed?after=0&limit=200").await.ok();
    let items = feed["data"].as_array().unwrap();
    items.iter().filter(|item| item["k"] == "read").map(|item| item["up_to_seq"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_customer_hears_of_reads_up_to_what_they_see_themself() {
    let world = World::new().await;
    let alice = world.agent_on_duty(ACME, "alice").await;
    let li = world.customer(ACME, "li").await;
    let (chat, _) = world.open_chat(&li).await;
    world.settle().await;
    let _ = world.say(&li, &chat, "hello").await.ok();
    assert_eq!(note(&world, &alice, &chat).await, 2);
    assert_eq!(note(&world, &alice, &chat).await, 3);
    read(&world, &alice, &chat, 2).await;
    assert_eq!((told(&world, &li).await, told(&world, &alice).await), (vec![1], vec![2]), "the last place that they see");
    read(&world, &alice, &chat, 3).await;
    assert_eq!((told(&world, &li).await, told(&world, &alice).await), (vec![1], vec![2, 3]), "and nothing when it did not grow");
    let row = world.get(&li, &format!("/v1/tenants/acme/chats/{chat}")).await.ok();
    let alice_read = |row: &Value| {
        let members = row["members"].as_array().unwrap().clone();
        members.into_iter().find(|member| member["role"] == "agent").unwrap()["read_seq"].clone()
    };
    assert_eq!((&row["last_seq"], alice_read(&row)), (&json!(1), json!(1)));
    let row = world.get(&alice, &format!("/v1/tenants/acme/chats/{chat}")).await.ok();
    assert_eq!((&row["last_seq"], alice_read(&row)), (&json!(3), json!(3)));
    let state = world.post(&li, "/v1/init", json!({})).await.ok();
    assert_eq!((&state["chats"][0]["last_seq"], &state["chats"][0]["unread"]), (&json!(1), &json!(0)));
    let _ = world.say(&li, &chat, "are you there?").await.ok();
    read(&world, &alice, &chat, 4).await;
    assert_eq!(told(&world, &li).await, [1, 4]);
    world.end().await;
}

#[tokio::test]
async fn a_note_is_not_there_for_the_customer_whatever_they_or_anybody_does_with_it() {
    let world = World::new().await;
    let alice = world.agent_on_duty(ACME, "alice").await;
    let li = world.customer(ACME, "li").await;
    let (chat, _) = world.open_chat(&li).await;
    world.settle().await;
    let _ = world.say(&li, &chat, "hello").await.ok();
    let base = format!("/v1/tenants/acme/chats/{chat}/messages");
    let body = json!({"id": world.client_id(), "content": "between us", "visibility": "staff"});
    let note = world.post(&alice, &base, body).await.ok()["message"].as_str().unwrap().to_owned();
    let quoting = |visibility: &str| json!({"id": world.client_id(), "content": "see", "quote": note, "visibility": visibility});
    assert_eq!(world.post(&alice, &base, quoting("all")).await.problem(), (403, "staff_only"), "it would be shown to them");
    let _ = world.post(&alice, &base, quoting("staff")).await.ok();
    assert_eq!(world.post(&li, &base, quoting("all")).await.problem(), (404, "not_found"));
    let hide = format!("{base}/{note}");
    assert_eq!(world.call(&li, Method::DELETE, &hide, Value::Null).await.problem(), (404, "not_found"));
    let _ = world.call(&alice, Method::DELETE, &hide, Value::Null).await.ok();
    // They read up to the last place that they see.
    read(&world, &li, &chat, 3).await;
    assert_eq!(told(&world, &li).await, [1]);
    let feed = world.get(&li, "/v1/tenants/acme/feed?after=0&limit=200").await.ok().to_string();
    assert!(!feed.contains("between us") && !feed.contains(&note.replace('-', "")), "{feed}");
    world.end().await;
}

#[tokio::test]
async fn whoever_gets_a_conversation_reads_the_remark_and_the_customer_does_not() {
    let world = World::new().await;
    let alice = world.agent_on_duty(ACME, "alice").await;
    let li = world.customer(ACME, "li").await;
    let (chat, conversation) = world.open_chat(&li).await;
    world.settle().await;
    let bob = world.agent_on_duty(ACME, "bob").await;
    let path = format!("/v1/tenants/acme/conversations/{conversation}/transfer");
    let to_bob = |remark: &str| json!({"agent": bob.user().to_string(), "remark": remark});
    assert_eq!(world.post(&alice, &path, to_bob(&"r".repeat(2_001))).await.problem(), (400, "invalid_field"));
    assert_eq!(world.post(&alice, &path, to_bob(" ")).await.problem(), (400, "invalid_field"));
    let sam = world.staff(ACME, Role::TenantAdmin, "sam").await;
    let to_alice = json!({"agent": alice.user().to_string(), "remark": "hers anyway"});
    assert_eq!(world.post(&bob, &path, to_alice.clone()).await.problem(), (403, "forbidden"));
    let _ = world.post(&alice, &path, to_bob("wants a refund, is angry")).await.ok();
    world.settle().await;
    let _ = world.call(&alice, Method::PUT, "/v1/tenants/acme/me/service", json!({"status": "stopped"})).await.ok();
    assert_eq!(world.post(&sam, &path, to_alice).await.problem(), (409, "agent_not_available"));
    let messages = async |who: &Person| {
        let page = world.get(who, &format!("/v1/tenants/acme/chats/{chat}/messages")).await.ok();
        page["data"].as_array().unwrap().clone()
    };
    let read = messages(&bob).await;
    assert_eq!(read.len(), 1, "said once, and not when the transfer was refused: {read:?}");
    let told = (&read[0]["content"], &read[0]["style"], &read[0]["visibility"], &read[0]["from"], &read[0]["ext"]["remark"]);
    let from = json!(alice.user().to_string());
    assert_eq!(told, (&json!("wants a refund, is angry"), &json!("toast"), &json!("staff"), &from, &json!("transfer")));
    assert!(messages(&li).await.is_empty());
    let feed = world.get(&li, "/v1/tenants/acme/feed?after=0&limit=200").await.ok();
    assert!(!feed.to_string().contains("refund"));
    world.end().await;
}
