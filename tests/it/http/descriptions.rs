//! What a tenant knows of its customers: who says it, who reads it, and what is left of it after an erasure.

use axum::http::Method;
use domain::user::event::Role;
use serde_json::{Value, json};
use tests::people::Person;
use tests::world::{ACME, Reply, World};

fn path(of: &Person) -> String {
    format!("/v1/tenants/acme/users/{}/description", of.user())
}

async fn describe(world: &World, who: &Person, of: &Person, change: Value) -> Reply {
    world.call(who, Method::PATCH, &path(of), change).await
}

async fn read(world: &World, who: &Person, of: &Person) -> Reply {
    world.get(who, &path(of)).await
}

#[tokio::test]
async fn what_is_named_changes_and_the_rest_stays() {
    let world = World::new().await;
    let admin = world.staff(ACME, Role::TenantAdmin, "admin").await;
    let li = world.customer(ACME, "li").await;
    let nothing = json!({"tier": null, "language": null, "tags": [], "attributes": {}});
    assert_eq!(read(&world, &admin, &li).await.ok(), nothing);
    let first = json!({"tier": "gold", "language": "zh-CN", "add_tags": ["refund", "angry"], "attributes": {"city": "杭州", "size": "XL"}});
    let _ = describe(&world, &admin, &li, first).await.ok();
    let then = json!({"language": null, "remove_tags": ["angry"], "attributes": {"size": null, "city": "上海"}});
    let _ = describe(&world, &admin, &li, then).await.ok();
    let left = json!({"tier": "gold", "language": null, "tags": ["refund"], "attributes": {"city": "上海"}});
    assert_eq!(read(&world, &admin, &li).await.ok(), left);
    world.end().await;
}

#[tokio::test]
async fn an_agent_describes_the_customers_of_their_chats_and_integrations_describe_all() {
    let world = World::new().await;
    let alice = world.agent_on_duty(ACME, "alice").await;
    let bob = world.staff(ACME, Role::Agent, "bob").await;
    let li = world.customer(ACME, "li").await;
    let vip = json!({"tier": "vip"});
    assert_eq!(describe(&world, &alice, &li, vip.clone()).await.problem(), (403, "forbidden"), "they do not talk yet");
    let (chat, _) = world.open_chat(&li).await;
    let _ = world.say(&li, &chat, "hello").await.ok();
    world.settle().await;
    let _ = describe(&world, &alice, &li, vip.clone()).await.ok();
    assert_eq!(read(&world, &alice, &li).await.ok()["tier"], "vip");
    assert_eq!(describe(&world, &bob, &li, vip.clone()).await.problem(), (403, "forbidden"));
    for curious in [&bob, &li] {
        assert_eq!(read(&world, curious, &li).await.problem(), (403, "forbidden"), "not even their own: it is what the tenant says");
    }
    let crm = world.integration(ACME, &["manage_users"]).await;
    let _ = describe(&world, &crm, &li, json!({"tier": "gold"})).await.ok();
    let reviewer = world.staff(ACME, Role::QualityReviewer, "reviewer").await;
    assert_eq!(read(&world, &reviewer, &li).await.ok()["tier"], "gold");
    assert_eq!(describe(&world, &reviewer, &li, vip).await.problem(), (403, "forbidden"));
    world.end().await;
}

#[tokio::test]
async fn an_erased_customer_keeps_words_and_loses_values() {
    let world = World::new().await;
    let operator = Person::operator();
    let li = world.customer(ACME, "li").await;
    let _ = describe(&world, &operator, &li, json!({"tier": "gold", "add_tags": ["refund"], "attributes": {"city": "杭州"}})).await.ok();
    let _ = world.call(&operator, Method::DELETE, &format!("/v1/tenants/acme/users/{}/key", li.user()), Value::Null).await.ok();
    let left = json!({"tier": "gold", "language": null, "tags": ["refund"], "attributes": {"city": null}});
    assert_eq!(read(&world, &operator, &li).await.ok(), left);
    world.end().await;
}

#[tokio::test]
async fn what_is_no_word_and_who_is_no_customer_is_refused() {
    let world = World::new().await;
    let admin = world.staff(ACME, Role::TenantAdmin, "admin").await;
    let alice = world.staff(ACME, Role::Agent, "alice").await;
    let li = world.customer(ACME, "li").await;
    for bad in
        [json!({"tier": "Gold!"}), json!({"language": "chinese"}), json!({"add_tags": ["两个字"]}), json!({"attributes": {"a b": "x"}})]
    {
        assert_eq!(describe(&world, &admin, &li, bad.clone()).await.problem(), (400, "invalid_field"), "{bad}");
    }
    assert_eq!(describe(&world, &admin, &li, json!({"teir": "gold"})).await.problem().0, 400);
    let long = json!({"attributes": {"note": "x".repeat(513)}});
    assert_eq!(describe(&world, &admin, &li, long).await.problem(), (422, "text_too_long"));
    let tags: Vec<String> = (0..65).map(|nth| format!("t{nth}")).collect();
    assert_eq!(describe(&world, &admin, &li, json!({"add_tags": tags})).await.problem(), (422, "too_many_tags"));
    let attributes: Value = (0..65).map(|nth| (format!("a{nth}"), json!("x"))).collect::<serde_json::Map<_, _>>().into();
    assert_eq!(describe(&world, &admin, &li, json!({"attributes": attributes})).await.problem(), (422, "too_many_attributes"));
    assert_eq!(describe(&world, &admin, &alice, json!({"tier": "gold"})).await.problem(), (422, "only_customers_are_described"));
    let unknown = "/v1/tenants/acme/users/0190000000007000800000000000abcd/description";
    assert_eq!(world.get(&admin, unknown).await.problem().0, 404);
    world.end().await;
}
