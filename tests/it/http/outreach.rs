//! Starting contact with a customer: both sides of the 72 hours, what counts, who may from where, and what is on record of it.

mod evidence;
mod handing_over;

use axum::http::{Method, StatusCode};
use domain::ids::UserId;
use domain::time::{Millis, Timestamp};
use domain::user::event::Role;
use serde_json::{Value, json};
use tests::people::Person;
use tests::world::{ACME, Reply, SHOP, World};

const PATH: &str = "/v1/tenants/acme/outreach";
const THREE_DAYS: Millis = Millis::hours(72);
const ONE_MS: Millis = Millis(1);

/// What an agent sends who starts contact from an order page.
fn order(world: &World, customer: UserId, content: &str) -> Value {
    let customer = customer.to_string();
    json!({"id": world.client_id(), "shop": SHOP, "customer": customer, "entry": "order_page", "order": "A-17", "content": content})
}

/// Alice, who has to sign in again whenever time has passed.
async fn alice(world: &World) -> Person {
    world.sign_in(ACME, "alice").await
}

async fn reach_out(world: &World, body: Value) -> Reply {
    let alice = alice(world).await;
    world.post(&alice, PATH, body).await
}

/// What a refused attempt answers.
#[track_caller]
fn refusal(reply: &Reply) -> (&str, Option<i64>) {
    assert_eq!(reply.problem(), (403, "outreach_refused"));
    (reply.body["reason"].as_str().expect("a reason"), reply.body["age_ms"].as_i64())
}

/// A world with Alice, and somebody who wrote to the shop just now.
async fn somebody_wrote() -> (World, Person, String) {
    let world = World::new().await;
    let _ = world.staff(ACME, Role::Agent, "alice").await;
    let li = world.customer(ACME, "li").await;
    let (chat, _) = world.open_chat(&li).await;
    let _ = world.say(&li, &chat, "is it in stock?").await.ok();
    (world, li, chat)
}

async fn on_record(world: &World) -> Vec<Value> {
    let list = world.get(&Person::operator(), PATH).await.ok();
    list["data"].as_array().expect("a list").clone()
}

async fn said_in(world: &World, chat: &str) -> Vec<Value> {
    let history = world.get(&Person::operator(), &format!("/v1/tenants/acme/chats/{chat}/messages")).await.ok();
    history["data"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn contact_is_started_72_hours_after_the_customers_message_and_not_a_millisecond_later() {
    let (world, li, chat) = somebody_wrote().await;
    world.pass(THREE_DAYS).await;
    let sent = reach_out(&world, order(&world, li.user(), "your order is ready")).await;
    assert_eq!(sent.status, StatusCode::CREATED, "{}", sent.body);
    assert_eq!((&sent.body["verdict"], &sent.body["age_ms"]), (&json!("allowed"), &json!(THREE_DAYS.0)));
    world.pass(ONE_MS).await;
    let late = reach_out(&world, order(&world, li.user(), "and again")).await;
    assert_eq!(refusal(&late), ("too_old", Some(THREE_DAYS.0 + 1)));

    let record = on_record(&world).await;
    assert_eq!(record.len(), 2, "the newest first");
    assert_eq!(
        (&record[0]["id"], &record[0]["verdict"], &record[0]["reason"]),
        (&late.body["attempt"], &json!("refused"), &json!("too_old"))
    );
    assert_eq!((&record[1]["id"], &record[1]["message"], &record[1]["seq"]), (&sent.body["id"], &sent.body["message"], &sent.body["seq"]));
    for attempt in &record {
        let alice = alice(&world).await.user().to_string();
        assert_eq!((&attempt["by"], &attempt["entry"], &attempt["order"]), (&json!(alice), &json!("order_page"), &json!("A-17")));
        assert_eq!((&attempt["qualifying"]["seq"], &attempt["chat"]), (&json!(1), &json!(chat)));
        let one = world.get(&Person::operator(), &format!("{PATH}/{}", attempt["id"].as_str().unwrap())).await.ok();
        assert_eq!(&one, attempt);
    }
    let said = said_in(&world, &chat).await;
    let outreach: Vec<&Value> = said.iter().filter(|message| message["origin"]["outreach"].is_object()).collect();
    assert_eq!(outreach.len(), 1);
    assert_eq!(outreach[0]["origin"]["outreach"]["attempt"], sent.body["id"]);
    assert_eq!((&outreach[0]["content"], &outreach[0]["category"]), (&json!("your order is ready"), &json!("agent")));
    assert_eq!(outreach[0]["conversation"], Value::Null);
    world.end().await;
}

#[tokio::test]
async fn earlier_outreach_and_whatever_is_posted_meanwhile_make_nothing_younger() {
    let (world, li, _) = somebody_wrote().await;
    world.pass(Millis::hours(71)).await;
    assert_eq!(reach_out(&world, order(&world, li.user(), "first")).await.status, StatusCode::CREATED);
    world.pass(Millis(Millis::hours(1).0 + 1)).await;
    assert_eq!(refusal(&reach_out(&world, order(&world, li.user(), "second")).await), ("too_old", Some(THREE_DAYS.0 + 1)));
    // What the customer writes then is younger.
    let li = world.customer(ACME, "li").await;
    let (chat, _) = world.open_chat(&li).await;
    let _ = world.say(&li, &chat, "who is this?").await.ok();
    assert_eq!(reach_out(&world, order(&world, li.user(), "third")).await.status, StatusCode::CREATED);
    world.end().await;
}

#[tokio::test]
async fn a_message_that_was_taken_back_counts() {
    let world = World::new().await;
    let _ = world.staff(ACME, Role::Agent, "alice").await;
    let li = world.customer(ACME, "li").await;
    let (chat, _) = world.open_chat(&li).await;
    let said = world.say(&li, &chat, "a slip").await.ok();
    let recall = format!("/v1/tenants/acme/chats/{chat}/messages/{}/recall", said["message"].as_str().unwrap());
    let _ = world.post(&li, &recall, Value::Null).await.ok();
    assert_eq!(reach_out(&world, order(&world, li.user(), "can I help?")).await.status, StatusCode::CREATED);
    world.end().await;
}

#[tokio::test]
async fn a_customer_who_was_merged_is_the_same_customer() {
    let world = World::new().await;
    let _ = world.staff(ACME, Role::Agent, "alice").await;
    // Li wrote long ago as who they are, and just now as nobody in particular.
    let li = world.customer(ACME, "li").await;
    let (old, _) = world.open_chat(&li).await;
    let _ = world.say(&li, &old, "long ago").await.ok();
    world.pass(Millis(THREE_DAYS.0 + 1)).await;
    let visitor = world.visitor(ACME).await;
    let (new, _) = world.open_chat(&visitor).await;
    let _ = world.say(&visitor, &new, "hello?").await.ok();
    assert_eq!(refusal(&reach_out(&world, order(&world, li.user(), "hi")).await).0, "too_old");
    let merge = format!("/v1/tenants/acme/users/{}/merge", visitor.user());
    let _ = world.post(&Person::operator(), &merge, json!({"into": li.user().to_string()})).await.ok();
    world.settle().await;
    for account in [li.user(), visitor.user()] {
        let sent = reach_out(&world, order(&world, account, "hi")).await.ok();
        assert_eq!((&sent["chat"], &sent["customer"]), (&json!(new), &json!(li.user().to_string())));
        assert_eq!(sent["qualifying"]["sender"], visitor.user().to_string());
    }
    world.end().await;
}

#[tokio::test]
async fn shops_and_tenants_are_apart_and_whoever_never_wrote_is_not_written_to() {
    let (world, li, _) = somebody_wrote().await;
    let _ = world.post(&Person::operator(), "/v1/tenants/acme/shops", json!({"id": "outlet", "title": "Outlet"})).await.ok();
    let mut elsewhere = order(&world, li.user(), "hi");
    elsewhere["shop"] = json!("outlet");
    assert_eq!(refusal(&reach_out(&world, elsewhere).await), ("no_message", None));
    // It opened no chat that the customer would see.
    let wang = world.customer(ACME, "wang").await;
    assert_eq!(refusal(&reach_out(&world, order(&world, wang.user(), "hi")).await), ("no_message", None));
    let feed = world.get(&wang, "/v1/tenants/acme/feed").await.ok();
    assert_eq!(feed["data"], json!([]));
    let (chat, _) = world.open_chat(&wang).await;
    assert_eq!(refusal(&reach_out(&world, order(&world, wang.user(), "hi")).await), ("no_message", None), "entering is not writing");
    let _ = world.say(&wang, &chat, "hello").await.ok();
    assert_eq!(reach_out(&world, order(&world, wang.user(), "hi")).await.status, StatusCode::CREATED);

    world.make_tenant("rival").await;
    let bob = world.staff("rival", Role::Agent, "bob").await;
    let theirs = order(&world, li.user(), "hi");
    assert_eq!(world.post(&bob, PATH, theirs.clone()).await.problem(), (403, "wrong_tenant"));
    assert_eq!(world.post(&bob, "/v1/tenants/rival/outreach", theirs).await.problem(), (404, "not_found"));
    let admin = world.staff("rival", Role::TenantAdmin, "admin").await;
    assert_eq!(world.get(&admin, "/v1/tenants/rival/outreach").await.ok()["data"], json!([]));
    assert_eq!(on_record(&world).await.len(), 4);
    world.end().await;
}

#[tokio::test]
async fn what_a_client_says_of_its_time_counts_for_nothing() {
    let world = World::new().await;
    let _ = world.staff(ACME, Role::Agent, "alice").await;
    let li = world.customer(ACME, "li").await;
    let (chat, _) = world.open_chat(&li).await;
    let minted_at = |at: i64| world.app.ports.ids.uuid_v7(Timestamp(at)).simple().to_string();
    let in_two_days = minted_at(world.clock_ms() + Millis::days(2).0);
    let path = format!("/v1/tenants/acme/chats/{chat}/messages");
    let _ = world.post(&li, &path, json!({"id": in_two_days, "content": "from the future"})).await.ok();
    world.pass(Millis(THREE_DAYS.0 + 1)).await;
    for minted in [world.clock_ms(), world.clock_ms() - Millis::hours(71).0, world.clock_ms() + Millis::hours(100).0] {
        let mut late = order(&world, li.user(), "hi");
        late["id"] = json!(minted_at(minted));
        assert_eq!(refusal(&reach_out(&world, late).await), ("too_old", Some(THREE_DAYS.0 + 1)));
    }
    world.end().await;
}

#[tokio::test]
async fn contact_is_started_from_an_order_page_or_the_agent_console_and_a_refusal_is_on_record() {
    let (world, li, chat) = somebody_wrote().await;
    for (entry, fine) in [("order_page", true), ("agent_console", true), ("shop_page", false), ("mail", false)] {
        let mut body = order(&world, li.user(), "hi");
        body["entry"] = json!(entry);
        let reply = reach_out(&world, body).await;
        if fine { assert_eq!(reply.status, StatusCode::CREATED) } else { assert_eq!(refusal(&reply).0, "entry_not_allowed") }
    }
    let entries: Vec<Value> = on_record(&world).await.iter().map(|attempt| attempt["entry"].clone()).collect();
    assert_eq!(entries, ["mail", "shop_page", "agent_console", "order_page"]);
    assert_eq!(said_in(&world, &chat).await.len(), 3);
    world.end().await;
}

#[tokio::test]
async fn the_same_attempt_twice_is_one_and_another_under_its_id_is_refused() {
    let (world, li, chat) = somebody_wrote().await;
    let body = order(&world, li.user(), "hi");
    let first = reach_out(&world, body.clone()).await.ok();
    let again = reach_out(&world, body.clone()).await;
    assert_eq!((again.status, &again.body), (StatusCode::CREATED, &first));
    let mut other = body.clone();
    other["content"] = json!("something else");
    assert_eq!(reach_out(&world, other).await.problem(), (422, "client_id_reused"));
    assert_eq!(said_in(&world, &chat).await.len(), 2);

    let wang = world.customer(ACME, "wang").await;
    let body = order(&world, wang.user(), "hi");
    let first = reach_out(&world, body.clone()).await;
    // Refused, it stays refused, whatever became possible since.
    let (chat, _) = world.open_chat(&wang).await;
    let _ = world.say(&wang, &chat, "hello").await.ok();
    let again = reach_out(&world, body).await;
    assert_eq!((refusal(&first), &first.body["attempt"]), (refusal(&again), &again.body["attempt"]));
    assert_eq!(on_record(&world).await.len(), 2);
    world.end().await;
}

#[tokio::test]
async fn attempts_at_the_same_time_under_one_id_are_one() {
    let (world, li, chat) = somebody_wrote().await;
    let alice = alice(&world).await;
    let body = order(&world, li.user(), "hi");
    let (first, second) = tokio::join!(world.post(&alice, PATH, body.clone()), world.post(&alice, PATH, body.clone()));
    assert_eq!((first.status, first.body), (StatusCode::CREATED, second.body));
    assert_eq!((on_record(&world).await.len(), said_in(&world, &chat).await.len()), (1, 2));
    world.end().await;
}

#[tokio::test]
async fn a_clock_that_jumped_refuses_until_it_has_run_evenly_for_a_while() {
    let (world, li, _) = somebody_wrote().await;
    world.clock.jump(Millis::seconds(5));
    assert_eq!(reach_out(&world, order(&world, li.user(), "hi")).await.status, StatusCode::CREATED, "five seconds are no jump");
    world.clock.jump(Millis(5_001));
    assert_eq!(refusal(&reach_out(&world, order(&world, li.user(), "hi")).await), ("clock_jumped", Some(10_001)));
    world.pass(Millis(Millis::minutes(10).0 + 1)).await;
    assert_eq!(reach_out(&world, order(&world, li.user(), "hi")).await.status, StatusCode::CREATED);
    // Back by an hour: times in the log stand still, so ages would.
    world.clock.jump(Millis::hours(-1));
    assert_eq!(refusal(&reach_out(&world, order(&world, li.user(), "hi")).await).0, "clock_jumped");
    world.pass(Millis::minutes(50)).await;
    assert_eq!(refusal(&reach_out(&world, order(&world, li.user(), "hi")).await).0, "clock_jumped", "it still lies behind the log");
    world.pass(Millis::minutes(15)).await;
    assert_eq!(reach_out(&world, order(&world, li.user(), "hi")).await.status, StatusCode::CREATED);
    let reasons: Vec<Value> = on_record(&world).await.iter().map(|attempt| attempt["reason"].clone()).collect();
    assert_eq!(reasons, [Value::Null, json!("clock_jumped"), json!("clock_jumped"), Value::Null, json!("clock_jumped"), Value::Null]);
    world.end().await;
}

#[tokio::test]
async fn a_closed_account_is_not_written_to_and_whoever_serves_speaks_alone() {
    let world = World::new().await;
    let _ = world.agent_on_duty(ACME, "alice").await;
    let _ = world.staff(ACME, Role::Agent, "bob").await;
    let li = world.customer(ACME, "li").await;
    let (chat, _) = world.open_chat(&li).await;
    let _ = world.say(&li, &chat, "hello").await.ok();
    world.settle().await;
    let bob = world.sign_in(ACME, "bob").await;
    assert_eq!(refusal(&world.post(&bob, PATH, order(&world, li.user(), "hi")).await).0, "served_by_another");
    // Neither does anybody get a word in otherwise who has no conversation there.
    assert_eq!(world.say(&bob, &chat, "hi").await.problem(), (403, "not_a_member"));
    let alice = alice(&world).await;
    let answer = world.say(&alice, &chat, "what can I do for you?").await;
    assert_eq!(answer.status, StatusCode::OK);
    let gone = format!("/v1/tenants/acme/users/{}", li.user());
    let _ = world.call(&Person::operator(), Method::DELETE, &gone, Value::Null).await.ok();
    assert_eq!(refusal(&reach_out(&world, order(&world, li.user(), "hi")).await).0, "account_closed");
    world.end().await;
}

#[tokio::test]
async fn what_cannot_be_an_attempt_is_told_apart_from_what_may_not() {
    let (world, li, _) = somebody_wrote().await;
    let with = |field: &str, value: Value| {
        let mut body = order(&world, li.user(), "hi");
        body[field] = value;
        body
    };
    let staff = alice(&world).await.user().to_string();
    for (body, problem) in [
        (with("shop", json!("nowhere")), (404, "not_found")),
        (with("customer", json!("0190000000007000800000000000abcd")), (404, "not_found")),
        (with("customer", json!(staff)), (422, "invalid_value")),
        (with("id", json!("0190000000004000800000000000abcd")), (422, "client_id_invalid")),
        (with("content", json!("")), (422, "message_empty")),
        (with("entry", json!("Order Page")), (400, "invalid_field")),
        (with("order", json!("a name, and an address")), (400, "invalid_field")),
        (with("sent_at", json!(1)), (400, "unknown_field")),
        (with("quote", json!("0190000000007000800000000000abcd")), (422, "invalid_value")),
    ] {
        assert_eq!(reach_out(&world, body.clone()).await.problem(), problem, "{body}");
    }
    assert_eq!(on_record(&world).await.len(), 0);
    world.end().await;
}
