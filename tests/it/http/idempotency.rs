//! A repeated request under the same key is carried out once; another one under it is refused; reads wait for what they rest on.

use serde_json::json;
use tests::people::Person;
use tests::world::{ACME, SHOP, World};

#[tokio::test]
async fn a_retry_under_the_same_key_meets_what_it_made() {
    let world = World::new().await;
    let operator = Person::operator();
    let customer = json!({"role": "customer", "display_name": "Li"});
    let first = world.post_once(&operator, "a", "/v1/tenants/acme/users", customer.clone()).await.ok();
    assert_eq!(first["id"], world.post_once(&operator, "a", "/v1/tenants/acme/users", customer.clone()).await.ok()["id"]);
    assert_ne!(first["id"], world.post_once(&operator, "b", "/v1/tenants/acme/users", customer).await.ok()["id"]);
    let key = json!({"title": "bot", "scopes": ["robot"]});
    let issued = world.post_once(&operator, "k", "/v1/tenants/acme/api-keys", key.clone()).await.ok();
    assert_eq!(issued["key"], world.post_once(&operator, "k", "/v1/tenants/acme/api-keys", key).await.ok()["key"]);
    world.end().await;
}

#[tokio::test]
async fn the_same_key_with_another_request_is_refused_whatever_it_is_about() {
    let world = World::new().await;
    let operator = Person::operator();
    let _ = world.post_once(&operator, "k", "/v1/tenants/acme/shops", json!({"id": "s2", "title": "Two"})).await.ok();
    for (path, body) in [
        ("/v1/tenants/acme/shops", json!({"id": "s3", "title": "Three"})),
        ("/v1/tenants/acme/groups", json!({"id": "g2", "title": "Two"})),
        ("/v1/tenants/acme/users", json!({"role": "customer", "display_name": "Li"})),
    ] {
        let reply = world.post_once(&operator, "k", path, body).await;
        assert_eq!(reply.problem(), (422, "idempotency_key_reused"), "{path}");
    }
    let li = world.customer(ACME, "li").await;
    let _ = world.post_once(&li, "k", "/v1/tenants/acme/chats", json!({"shop": SHOP})).await.ok();
    world.end().await;
}

#[tokio::test]
async fn a_message_needs_no_key_because_its_own_id_is_one() {
    let world = World::new().await;
    let li = world.customer(ACME, "li").await;
    let (chat, _) = world.open_chat(&li).await;
    let path = format!("/v1/tenants/acme/chats/{chat}/messages");
    let body = json!({"id": world.client_id(), "content": "once"});
    let first = world.post(&li, &path, body.clone()).await.ok();
    let again = world.post(&li, &path, body.clone()).await.ok();
    assert_eq!((&first["message"], &first["seq"], &first["at"]), (&again["message"], &again["seq"], &again["at"]));
    let mut other = body;
    other["content"] = json!("other");
    assert_eq!(world.post(&li, &path, other).await.problem(), (422, "client_id_reused"));
    world.end().await;
}

#[tokio::test]
async fn a_read_waits_for_the_position_it_is_given() {
    let world = World::new().await;
    let li = world.customer(ACME, "li").await;
    let (chat, _) = world.open_chat(&li).await;
    for number in 1..=20 {
        let answer = world.say(&li, &chat, "x").await;
        let header = answer.headers.get("position").unwrap().to_str().unwrap().to_owned();
        let body = answer.ok();
        assert_eq!(body["position"], header);
        let path = format!("/v1/tenants/acme/chats/{chat}?at_least={header}");
        let read = world.call(&li, axum::http::Method::GET, &path, serde_json::Value::Null).await.ok();
        assert_eq!(read["last_seq"], number);
    }
    world.end().await;
}

#[tokio::test]
async fn a_position_that_is_not_reached_in_time_is_told_with_the_one_that_is() {
    let world = World::new().await;
    let reply = world.get(&Person::operator(), "/v1/tenants/acme?at_least=s0c999999999e0").await;
    assert_eq!(reply.problem(), (503, "behind"));
    assert!(reply.body["reached"].as_str().unwrap().starts_with("s0c"));
    for foreign in ["s1c1e0", "nonsense", ""] {
        let reply = world.get(&Person::operator(), &format!("/v1/tenants/acme?at_least={foreign}")).await;
        assert_eq!(reply.problem(), (400, "foreign_position"), "{foreign}");
    }
    world.end().await;
}
