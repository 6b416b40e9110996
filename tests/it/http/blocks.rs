//! Customers and addresses from which a tenant wants to hear nothing: refused on every way in, and told so.

use axum::body::Body;
use axum::http::{Method, Request, header};
use domain::user::event::Role;
use serde_json::{Value, json};
use tests::people::Person;
use tests::world::endpoint::Signer;
use tests::world::socket::Socket;
use tests::world::{ACME, Reply, SHOP, World};

const FLOW: &str = "\
flow: reception
languages: [en]
robot: [{ seat: faq }]
destinations:
  us: { group: main }
route:
  - { to: us }
";

const BLOCKED: (u16, &str) = (403, "blocked");

fn block_of(user: &Person) -> String {
    format!("/v1/tenants/acme/users/{}/block", user.user())
}

const LIST: &str = "/v1/tenants/acme/blocked-customers";

async fn listed_now(world: &World, who: &Person) -> Vec<String> {
    let list = world.get(who, LIST).await.ok();
    list["data"].as_array().unwrap().iter().map(|row| row["user"].as_str().unwrap().to_owned()).collect()
}

async fn blocks(world: &World, who: &Person, user: &Person) {
    let _ = world.call(who, Method::PUT, &block_of(user), json!({"reason": "threatens agents"})).await.ok();
    world.settle().await;
}

/// A supervisor, and a customer whom a robot has: with the chat and the conversation.
async fn shop(world: &World) -> (Person, Person, String, String) {
    let _ = world.call(&Person::operator(), Method::PUT, "/v1/tenants/acme/flows/reception", json!({"text": FLOW})).await.ok();
    let sam = world.staff(ACME, Role::Supervisor, "sam").await;
    let li = world.customer(ACME, "li").await;
    let (chat, conversation) = world.open_chat(&li).await;
    let _ = world.say(&li, &chat, "hello").await.ok();
    world.settle().await;
    (sam, li, chat, conversation)
}

#[tokio::test]
async fn a_blocked_customer_is_refused_on_every_way_in_and_reads_what_was_said() {
    let mut world = World::new().await;
    let (sam, li, chat, conversation) = shop(&world).await;
    let mut phone = Socket::hello(&mut world, &li, 0).await;
    blocks(&world, &sam, &li).await;
    let row = world.get(&sam, &format!("/v1/tenants/acme/conversations/{conversation}")).await.ok();
    assert_eq!((&row["status"], &row["close_reason"]), (&json!("closed"), &json!("blocked")));
    assert_eq!(world.say(&li, &chat, "let me in").await.problem(), BLOCKED);
    assert_eq!(world.post(&li, "/v1/tenants/acme/chats", json!({"shop": SHOP})).await.problem(), BLOCKED);
    let hand_off = format!("/v1/tenants/acme/conversations/{conversation}/hand-off");
    assert_eq!(world.post(&li, &hand_off, json!({})).await.problem(), BLOCKED);
    let upload = Request::post(format!("/v1/tenants/acme/chats/{chat}/attachments")).body(Body::from("a file")).unwrap();
    assert_eq!(world.send(upload, &li).await.problem(), BLOCKED);
    let poll = |order: Value| world.post(&li, "/v1/sendmessage", order);
    let message = json!({"bizCode": "message", "chat": chat, "id": world.client_id(), "content": "let me in"});
    assert_eq!(poll(message).await.problem(), BLOCKED);
    assert_eq!(poll(json!({"bizCode": "join", "shop": SHOP})).await.problem(), BLOCKED);
    phone.send(json!({"t": "send", "id": world.client_id(), "chat": chat, "content": "let me in"})).await;
    let nack = phone.next_of("nack").await;
    assert_eq!((&nack["code"], &nack["retry"]), (&json!("blocked"), &json!(false)));
    let mint = json!({"provider": "shop", "account": "li", "display_name": "li"});
    assert_eq!(world.post(&Person::operator(), "/v1/tenants/acme/customers/mint", mint).await.problem(), BLOCKED);
    let history = world.get(&li, &format!("/v1/tenants/acme/chats/{chat}/messages")).await.ok();
    assert!(history.to_string().contains("hello"), "what was said stays readable");
    world.end().await;
}

#[tokio::test]
async fn a_block_says_who_and_why_and_is_taken_back() {
    let world = World::new().await;
    let (sam, li, chat, _) = shop(&world).await;
    let free = json!({"blocked": false, "at": null, "by": null, "reason": null});
    assert_eq!(world.get(&sam, &block_of(&li)).await.ok(), free);
    assert_eq!(world.call(&sam, Method::PUT, &block_of(&li), json!({"reason": ""})).await.problem(), (400, "invalid_field"));
    assert_eq!(world.call(&sam, Method::PUT, &block_of(&sam), json!({"reason": "x"})).await.problem(), (422, "only_customers_are_blocked"));
    let alice = world.staff(ACME, Role::Agent, "alice").await;
    for nobody in [&alice, &li] {
        assert_eq!(world.call(nobody, Method::PUT, &block_of(&li), json!({"reason": "x"})).await.problem(), (403, "forbidden"));
    }
    blocks(&world, &sam, &li).await;
    let block = world.get(&sam, &block_of(&li)).await.ok();
    let said = (&block["blocked"], &block["reason"], &block["by"]);
    assert_eq!(said, (&json!(true), &json!("threatens agents"), &json!(sam.user().to_string())));
    let wang = world.customer(ACME, "wang").await;
    blocks(&world, &sam, &wang).await;
    let mut both = [&li, &wang].map(|who| who.user().to_string());
    both.sort();
    let page = world.get(&sam, &format!("{LIST}?limit=1")).await.ok();
    let next = page["next_cursor"].as_str().unwrap();
    let rest = world.get(&sam, &format!("{LIST}?limit=1&after={next}")).await.ok();
    let listed = [&page["data"][0], &rest["data"][0]];
    assert_eq!((listed.map(|row| row["user"].as_str().unwrap().to_owned()), &rest["has_more"]), (both, &json!(false)));
    assert!(listed.iter().all(|row| row["reason"] == "threatens agents" && row["by"] == sam.user().to_string()), "{listed:?}");
    assert_eq!(world.get(&alice, LIST).await.problem(), (403, "forbidden"));
    let _ = world.call(&sam, Method::DELETE, &block_of(&wang), Value::Null).await.ok();
    assert_eq!(listed_now(&world, &sam).await, [li.user().to_string()]);
    let _ = world.call(&sam, Method::DELETE, &block_of(&li), Value::Null).await.ok();
    assert_eq!(world.get(&sam, &block_of(&li)).await.ok(), free);
    let _ = world.say(&li, &chat, "thank you").await.ok();
    world.end().await;
}

#[tokio::test]
async fn a_customer_of_a_channel_is_blocked_there_too() {
    let world = World::new().await;
    let sam = world.staff(ACME, Role::Supervisor, "sam").await;
    let signer = Signer::connect(&world, ACME, "wechat", "https://shop.example/hook").await;
    let hello = json!({"customer": "li", "sent_at": world.clock_ms(), "content": "hi"});
    let user = signer.send(&world, "messages", "m1", hello.clone()).await.ok()["user"].as_str().unwrap().to_owned();
    world.settle().await;
    let path = format!("/v1/tenants/acme/users/{user}/block");
    let _ = world.call(&sam, Method::PUT, &path, json!({"reason": "spam"})).await.ok();
    assert_eq!(signer.send(&world, "messages", "m2", hello).await.problem(), BLOCKED);
    world.end().await;
}

#[tokio::test]
async fn who_they_turn_out_to_be_is_blocked_too() {
    let world = World::new().await;
    let sam = world.staff(ACME, Role::Supervisor, "sam").await;
    let (visitor, li) = (world.visitor(ACME).await, world.customer(ACME, "li").await);
    let (chat, _) = world.open_chat(&li).await;
    blocks(&world, &sam, &visitor).await;
    let merge = format!("/v1/tenants/acme/users/{}/merge", visitor.user());
    let _ = world.post(&Person::operator(), &merge, json!({"into": li.user().to_string()})).await.ok();
    world.settle().await;
    assert_eq!(world.get(&sam, &block_of(&li)).await.ok()["blocked"], true);
    assert_eq!(listed_now(&world, &sam).await, [li.user().to_string()], "an account that is somebody else's now is not among them");
    assert_eq!(world.say(&li, &chat, "it was not me").await.problem(), BLOCKED);
    world.end().await;
}

async fn from(world: &World, address: &str, who: &Person, path: &str, body: Value) -> Reply {
    let request = Request::post(path).header("x-forwarded-for", address).header(header::CONTENT_TYPE, "application/json");
    world.send(request.body(Body::from(body.to_string())).unwrap(), who).await
}

const RANGES: &str = "/v1/tenants/acme/blocked-addresses";

#[tokio::test]
async fn whoever_comes_from_a_blocked_range_is_refused_and_others_and_staff_are_not() {
    let mut config = adapters::config::Config::default();
    config.http.trusted_proxies = ["0.0.0.0".parse().unwrap()].into_iter().collect();
    let world = World::with_config(config).await;
    world.make_tenant(ACME).await;
    let (sam, li, chat, _) = shop(&world).await;
    let alice = world.agent_on_duty(ACME, "alice").await;
    for (range, id) in [("203.0.113.7/24", "first"), ("2001:db8::1/48", "second")] {
        let _ = world.post_once(&sam, id, RANGES, json!({"range": range, "reason": "floods us"})).await.ok();
    }
    let message = |content: &str| json!({"id": world.client_id(), "content": content});
    let post = format!("/v1/tenants/acme/chats/{chat}/messages");
    for inside in ["203.0.113.255", "2001:db8:0:ffff::1", "::ffff:203.0.113.1"] {
        assert_eq!(from(&world, inside, &li, &post, message("hi")).await.problem(), BLOCKED, "{inside}");
        assert_eq!(from(&world, inside, &li, "/v1/tenants/acme/chats", json!({"shop": SHOP})).await.problem(), BLOCKED);
        let visit = from(&world, inside, &Person::nobody(), "/v1/tenants/acme/customers/sign-in", json!({})).await;
        assert_eq!(visit.problem(), BLOCKED);
        let order = json!({"bizCode": "message", "chat": chat, "id": world.client_id(), "content": "hi"});
        assert_eq!(from(&world, inside, &li, "/v1/sendmessage", order).await.problem(), BLOCKED);
    }
    for outside in ["203.0.114.0", "2001:db8:1::1"] {
        let _ = from(&world, outside, &li, &post, message("hi")).await.ok();
    }
    let note = json!({"id": world.client_id(), "content": "staff are not asked", "visibility": "staff"});
    assert_ne!(from(&world, "203.0.113.1", &alice, &post, note).await.body["code"], "blocked");
    world.end().await;
}

#[tokio::test]
async fn a_socket_that_is_open_hears_of_a_range_that_is_blocked() {
    let mut world = World::new().await;
    let (sam, li, chat, _) = shop(&world).await;
    let mut phone = Socket::hello(&mut world, &li, 0).await;
    let _ = world.post(&sam, RANGES, json!({"range": "127.0.0.0/8", "reason": "floods us"})).await.ok();
    phone.send(json!({"t": "send", "id": world.client_id(), "chat": chat, "content": "hi"})).await;
    assert_eq!(phone.next_of("nack").await["code"], "blocked");
    world.end().await;
}

#[tokio::test]
async fn ranges_are_listed_and_taken_back_by_their_id() {
    let world = World::new().await;
    let sam = world.staff(ACME, Role::Supervisor, "sam").await;
    for wrong in ["everybody", "203.0.113.0/33", ""] {
        let refused = world.post(&sam, RANGES, json!({"range": wrong, "reason": "x"})).await;
        assert_eq!(refused.problem(), (422, "invalid_value"), "{wrong:?}");
    }
    let first = world.post(&sam, RANGES, json!({"range": "203.0.113.9/24", "reason": "floods us"})).await.ok();
    let again = world.post(&sam, RANGES, json!({"range": "203.0.113.0/24", "reason": "still"})).await.ok();
    assert_eq!(first["id"], again["id"], "the same range, however it is written");
    let list = world.get(&sam, RANGES).await.ok();
    let only = &list["data"][0];
    assert_eq!((list["data"].as_array().unwrap().len(), &only["id"]), (1, &first["id"]));
    assert_eq!((&only["range"], &only["reason"]), (&json!("203.0.113.0/24"), &json!("floods us")));
    let path = format!("{RANGES}/{}", first["id"].as_str().unwrap());
    let _ = world.call(&sam, Method::DELETE, &path, Value::Null).await.ok();
    assert_eq!(world.get(&sam, RANGES).await.ok()["data"], json!([]));
    assert_eq!(world.call(&sam, Method::DELETE, &path, Value::Null).await.problem(), (404, "not_found"));
    world.end().await;
}
