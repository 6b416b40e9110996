//! Files in chats: who may upload and read them, how large and of what kind they may be, and how safely they are served.

mod limits;
mod serving;
mod storing;
mod taken_back;
mod unused;

use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::{Value, json};
use tests::people::Person;
use tests::world::{ACME, Reply, World};

/// What a picture begins with.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";
const PDF: &[u8] = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n";

/// The beginning of a picture and so many bytes in all.
fn png(bytes: usize) -> Vec<u8> {
    let mut png = PNG.to_vec();
    png.resize_with(bytes, || 7);
    png
}

/// A customer in their chat.
async fn chatting(world: &World) -> (Person, String) {
    let li = world.customer(ACME, "li").await;
    let (chat, _) = world.open_chat(&li).await;
    (li, chat)
}

fn request(chat: &str, name: &str) -> axum::http::request::Builder {
    Request::post(format!("/v1/tenants/{ACME}/chats/{chat}/attachments?name={name}"))
}

async fn upload(world: &World, who: &Person, chat: &str, name: &str, body: impl Into<Body>) -> Reply {
    world.send(request(chat, name).body(body.into()).expect("the test's path is valid"), who).await
}

async fn upload_once(world: &World, who: &Person, key: &str, chat: &str, name: &str, body: impl Into<Body>) -> Reply {
    world.send(request(chat, name).header("idempotency-key", key).body(body.into()).expect("the test's path is valid"), who).await
}

/// Where an uploaded file is.
fn url(answer: &Value) -> String {
    answer["url"].as_str().unwrap_or_else(|| panic!("no url in {answer}")).to_owned()
}

async fn read(world: &World, who: &Person, url: &str) -> Reply {
    world.call(who, Method::GET, url, Value::Null).await
}

async fn change_limits(world: &World, limits: Value) {
    let _ = world.call(&Person::operator(), Method::PUT, "/v1/tenants/acme/limits", limits).await.ok();
}

fn header_of<'a>(reply: &'a Reply, name: &str) -> &'a str {
    reply.headers.get(name).unwrap_or_else(|| panic!("no {name}: {:?}", reply.headers)).to_str().expect("headers are ascii")
}

/// A message that shows a file.
async fn show(world: &World, who: &Person, chat: &str, url: &str) {
    let body = json!({"id": world.client_id(), "content": "look", "url": url});
    let _ = world.post(who, &format!("/v1/tenants/acme/chats/{chat}/messages"), body).await.ok();
    world.settle().await;
}

#[tokio::test]
async fn a_file_is_uploaded_first_and_a_message_refers_to_it() {
    let world = World::new().await;
    let (li, chat) = chatting(&world).await;
    let answer = upload(&world, &li, &chat, "%E7%8C%AB.png", png(1_000)).await;
    assert_eq!(answer.status, 201);
    let answer = answer.ok();
    assert_eq!((&answer["kind"], &answer["media_type"], &answer["bytes"]), (&json!("picture"), &json!("image/png"), &json!(1_000)));
    assert_eq!(url(&answer), format!("/v1/tenants/acme/attachments/{}", answer["id"].as_str().unwrap()));
    let message = json!({"id": world.client_id(), "content": "猫.png", "kind": answer["kind"], "url": answer["url"]});
    let _ = world.post(&li, &format!("/v1/tenants/acme/chats/{chat}/messages"), message).await.ok();
    let listed = world.get(&li, &format!("/v1/tenants/acme/chats/{chat}/messages")).await.ok();
    let served = read(&world, &li, listed["data"][0]["url"].as_str().unwrap()).await;
    assert_eq!((served.status.as_u16(), &served.bytes[..]), (200, &png(1_000)[..]));
    world.end().await;
}

#[tokio::test]
async fn whoever_may_read_the_chat_may_read_its_files_and_nobody_else() {
    use domain::user::event::Role;
    let world = World::new().await;
    let alice = world.agent_on_duty(ACME, "alice").await;
    let (li, chat) = chatting(&world).await;
    world.settle().await;
    let of_li = url(&upload(&world, &li, &chat, "a.png", PNG).await.ok());
    let of_alice = url(&upload(&world, &alice, &chat, "b.png", PNG).await.ok());
    show(&world, &li, &chat, &of_li).await;
    show(&world, &alice, &chat, &of_alice).await;
    let readers = [
        li,
        alice,
        world.staff(ACME, Role::TenantAdmin, "admin").await,
        world.staff(ACME, Role::QualityReviewer, "reviewer").await,
        world.integration(ACME, &["read_conversations"]).await,
        Person::operator(),
    ];
    let strangers =
        [world.staff(ACME, Role::Agent, "bob").await, world.customer(ACME, "wang").await, world.integration(ACME, &["robot"]).await];
    for url in [of_li, of_alice] {
        for reader in &readers {
            assert_eq!(read(&world, reader, &url).await.status, 200, "{}", reader.name);
        }
        for stranger in &strangers {
            assert_eq!(read(&world, stranger, &url).await.problem(), (403, "forbidden"), "{}", stranger.name);
        }
        assert_eq!(read(&world, &Person::nobody(), &url).await.problem(), (401, "unauthorized"));
    }
    world.end().await;
}

#[tokio::test]
async fn only_a_member_uploads_into_a_chat() {
    use domain::user::event::Role;
    let world = World::new().await;
    let (_, chat) = chatting(&world).await;
    let wang = world.customer(ACME, "wang").await;
    let bob = world.staff(ACME, Role::Agent, "bob").await;
    let key = world.integration(ACME, &["read_conversations"]).await;
    assert_eq!(upload(&world, &wang, &chat, "a.png", PNG).await.problem(), (403, "not_a_member"));
    assert_eq!(upload(&world, &bob, &chat, "a.png", PNG).await.problem(), (403, "not_a_member"));
    assert_eq!(upload(&world, &key, &chat, "a.png", PNG).await.problem(), (403, "forbidden"));
    let nowhere = "01900000000070008000000000000001";
    assert_eq!(upload(&world, &wang, nowhere, "a.png", PNG).await.problem(), (404, "not_found"));
    world.end().await;
}

#[tokio::test]
async fn another_tenant_has_neither_the_chat_nor_its_files() {
    use domain::user::event::Role;
    let world = World::new().await;
    world.make_tenant("rival").await;
    let (li, chat) = chatting(&world).await;
    let answer = upload(&world, &li, &chat, "a.png", PNG).await.ok();
    let admin = world.staff("rival", Role::TenantAdmin, "admin").await;
    let buyer = world.customer("rival", "li").await;
    for stranger in [&admin, &buyer] {
        assert_eq!(read(&world, stranger, &url(&answer)).await.problem(), (403, "wrong_tenant"));
        let moved = format!("/v1/tenants/rival/attachments/{}", answer["id"].as_str().unwrap());
        assert_eq!(read(&world, stranger, &moved).await.problem(), (404, "not_found"));
    }
    assert_eq!(upload(&world, &buyer, &chat, "a.png", PNG).await.problem(), (403, "wrong_tenant"));
    world.end().await;
}

#[tokio::test]
async fn an_erased_person_takes_their_files_with_them() {
    let world = World::new().await;
    let alice = world.agent_on_duty(ACME, "alice").await;
    let (li, chat) = chatting(&world).await;
    world.settle().await;
    let of_li = url(&upload(&world, &li, &chat, "a.png", PNG).await.ok());
    let of_alice = url(&upload(&world, &alice, &chat, "b.png", PNG).await.ok());
    show(&world, &li, &chat, &of_li).await;
    show(&world, &alice, &chat, &of_alice).await;
    let path = format!("/v1/tenants/acme/users/{}/key", li.user());
    let _ = world.call(&Person::operator(), Method::DELETE, &path, Value::Null).await.ok();
    for reader in [&alice, &Person::operator()] {
        assert_eq!(read(&world, reader, &of_li).await.problem(), (410, "erased"));
        assert_eq!(world.call(reader, Method::HEAD, &of_li, Value::Null).await.status, 410);
        assert_eq!(read(&world, reader, &of_alice).await.status, 200, "it is sealed under another key");
    }
    world.end().await;
}

#[tokio::test]
async fn an_id_that_is_none_leads_nowhere() {
    let world = World::new().await;
    let (li, _) = chatting(&world).await;
    for (id, expected) in [
        ("nonsense", (400, "invalid_id")),
        ("..%2f..%2fkeys%2finstallation.secret", (400, "invalid_id")),
        ("%2e%2e", (400, "invalid_id")),
        ("..%5c..", (400, "invalid_id")),
        ("_incoming", (400, "invalid_id")),
        ("01900000000070008000000000000001%00", (400, "invalid_id")),
        ("%ff", (400, "invalid_id")),
        ("../../keys/keys.sqlite3", (404, "no_route")),
        ("01900000000070008000000000000001", (404, "not_found")),
    ] {
        assert_eq!(read(&world, &li, &format!("/v1/tenants/acme/attachments/{id}")).await.problem(), expected, "{id}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_request_that_makes_no_sense_is_told_so() {
    let world = World::new().await;
    let (li, chat) = chatting(&world).await;
    assert_eq!(upload(&world, &li, &chat, "a.png", Body::empty()).await.problem(), (422, "invalid_value"));
    assert_eq!(upload(&world, &li, &chat, &"x".repeat(255), PNG).await.status, 201);
    assert_eq!(upload(&world, &li, &chat, &"x".repeat(256), PNG).await.problem(), (422, "invalid_value"));
    assert_eq!(upload(&world, &li, &chat, "a.png&colour=red", PNG).await.problem(), (400, "invalid_query"));
    assert_eq!(upload_once(&world, &li, "two words", &chat, "a.png", PNG).await.problem(), (400, "invalid_idempotency_key"));
    let unnamed = Request::post(format!("/v1/tenants/acme/chats/{chat}/attachments")).body(Body::from(PNG)).unwrap();
    let answer = world.send(unnamed, &li).await.ok();
    let served = read(&world, &li, &url(&answer)).await;
    assert_eq!(header_of(&served, header::CONTENT_DISPOSITION.as_str()), "inline; filename*=UTF-8''attachment");
    world.end().await;
}
