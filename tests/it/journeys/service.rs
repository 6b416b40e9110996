//! How a customer comes to an agent, and what happens when either of them goes.

use axum::http::Method;
use domain::time::Millis;
use serde_json::{Value, json};
use tests::people::Person;
use tests::world::{ACME, World};

/// The conversations in a list, by one of their fields.
async fn conversations(world: &World, who: &Person, query: &str) -> Vec<Value> {
    let listed = world.get(who, &format!("/v1/tenants/acme/conversations{query}")).await.ok();
    listed["data"].as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn who_waits_is_served_in_order_as_soon_as_an_agent_is_free() {
    let world = World::new().await;
    let (first, second) = (world.customer("acme", "li").await, world.customer("acme", "wang").await);
    let agent = world.staff("acme", domain::user::event::Role::Agent, "alice").await;
    let path = format!("/v1/tenants/acme/users/{}", agent.user());
    let _ = world.call(&Person::operator(), Method::PATCH, &path, json!({"capacity": 1})).await.ok();
    let (_, earlier) = world.open_chat(&first).await;
    world.clock.pass(domain::time::Millis::seconds(5));
    let (_, later) = world.open_chat(&second).await;
    assert_eq!(conversations(&world, &Person::operator(), "?status=waiting").await.len(), 2);
    world.on_duty(&agent).await;
    let serving = conversations(&world, &agent, "?status=serving").await;
    assert_eq!(serving.iter().map(|row| row["id"].as_str()).collect::<Vec<_>>(), [Some(earlier.as_str())]);
    let _ = world.post(&agent, &format!("/v1/tenants/acme/conversations/{earlier}/close"), json!({})).await.ok();
    let serving = conversations(&world, &agent, "?status=serving").await;
    assert_eq!(serving.iter().map(|row| row["id"].as_str()).collect::<Vec<_>>(), [Some(later.as_str())]);
}

#[tokio::test]
async fn who_enters_right_after_the_end_begins_a_new_conversation() {
    let world = World::new().await;
    let customer = world.customer("acme", "li").await;
    let (chat, before) = world.open_chat(&customer).await;
    // Nothing is waited for in between: the chat has not heard of the end yet.
    let _ = world.post(&customer, &format!("/v1/tenants/acme/conversations/{before}/close"), json!({})).await.ok();
    let (same_chat, after) = world.open_chat(&customer).await;
    assert_eq!(chat, same_chat);
    assert_ne!(before, after);
    let closed = world.get(&customer, &format!("/v1/tenants/acme/conversations/{before}")).await.ok();
    assert_eq!(closed["close_reason"], "abandoned");
    let open = world.get(&customer, &format!("/v1/tenants/acme/conversations/{after}")).await.ok();
    assert_eq!(open["status"], "waiting");
}

#[tokio::test]
async fn a_customer_who_writes_again_soon_goes_on_in_the_same_conversation() {
    let world = World::new().await;
    let customer = world.customer("acme", "li").await;
    let agent = world.staff("acme", domain::user::event::Role::Agent, "alice").await;
    world.on_duty(&agent).await;
    let (chat, conversation) = world.open_chat(&customer).await;
    world.settle().await;
    let _ = world.post(&agent, &format!("/v1/tenants/acme/conversations/{conversation}/close"), json!({})).await.ok();
    world.settle().await;
    world.clock.pass(domain::time::Millis::minutes(9));
    let posted = world.say(&customer, &chat, "one more thing").await.ok();
    assert_eq!(posted["conversation"], conversation.as_str());
    assert_eq!(conversations(&world, &agent, "?status=serving").await.len(), 1, "it has an agent again");
    world.settle().await;
    let _ = world.post(&agent, &format!("/v1/tenants/acme/conversations/{conversation}/close"), json!({})).await.ok();
    world.settle().await;
    world.clock.pass(domain::time::Millis::minutes(11));
    // The access token has run out meanwhile.
    let customer = world.customer("acme", "li").await;
    let posted = world.say(&customer, &chat, "good morning").await.ok();
    assert_ne!(posted["conversation"], conversation.as_str(), "the window is over");
}

#[tokio::test]
async fn a_conversation_that_was_handed_over_belongs_to_the_other_agent_alone() {
    let world = World::new().await;
    let customer = world.customer("acme", "li").await;
    let alice = world.staff("acme", domain::user::event::Role::Agent, "alice").await;
    world.on_duty(&alice).await;
    let (chat, conversation) = world.open_chat(&customer).await;
    world.settle().await;
    let bob = world.staff("acme", domain::user::event::Role::Agent, "bob").await;
    world.on_duty(&bob).await;
    let path = format!("/v1/tenants/acme/conversations/{conversation}/transfer");
    let _ = world.post(&alice, &path, json!({"agent": bob.user().to_string()})).await.ok();
    world.settle().await;
    let _ = world.say(&bob, &chat, "I take it from here").await.ok();
    let refused = world.say(&alice, &chat, "me again").await;
    assert!(matches!(refused.problem(), (409 | 403, "not_yours_any_more" | "not_a_member")), "{:?}", refused.body);
}

#[tokio::test]
async fn an_agent_ends_with_a_word_of_the_shops_own_and_goes_on_within_the_window() {
    let world = World::new().await;
    let alice = world.agent_on_duty(ACME, "alice").await;
    let li = world.customer(ACME, "li").await;
    let (_, conversation) = world.open_chat(&li).await;
    world.settle().await;
    let path = format!("/v1/tenants/acme/conversations/{conversation}");
    let close = format!("{path}/close");
    assert_eq!(world.post(&li, &close, json!({"label": "refunded"})).await.problem(), (422, "invalid_value"));
    let _ = world.post(&alice, &close, json!({"label": "refunded"})).await.ok();
    let row = world.get(&alice, &path).await.ok();
    let ended = (&row["close_reason"], &row["closed_by"], &row["close_label"]);
    assert_eq!(ended, (&json!("ended_by_agent"), &json!(alice.user().to_string()), &json!("refunded")));
    let seen = world.get(&li, &path).await.ok();
    assert_eq!((&seen["closed_by"], seen.get("close_label")), (&seen["chat"], None), "the customer sees that the shop ended it");
    assert_eq!(world.post(&li, &format!("{path}/reopen"), json!({})).await.problem(), (403, "forbidden"));
    world.clock.pass(Millis::minutes(10));
    let _ = world.post(&alice, &format!("{path}/reopen"), json!({})).await.ok();
    let row = world.get(&alice, &path).await.ok();
    let serving = (&row["status"], &row["agent"], &row["closed_by"]);
    assert_eq!(serving, (&json!("serving"), &json!(alice.user().to_string()), &json!(null)), "nobody else is there");
    world.end().await;
}
