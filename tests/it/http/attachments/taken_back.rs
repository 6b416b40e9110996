//! Whoever sees no message that shows a file does not read the file.

use domain::time::Millis;
use domain::user::event::Role;

use super::*;

async fn show(world: &World, who: &Person, chat: &str, url: &str, visibility: &str) -> String {
    let body = json!({"id": world.client_id(), "content": "a.png", "url": url, "visibility": visibility});
    let answer = world.post(who, &format!("/v1/tenants/acme/chats/{chat}/messages"), body).await.ok();
    world.settle().await;
    answer["message"].as_str().unwrap().to_owned()
}

async fn served(world: &World) -> (Person, Person, String) {
    let alice = world.agent_on_duty(ACME, "alice").await;
    let (li, chat) = chatting(world).await;
    world.settle().await;
    (alice, li, chat)
}

#[tokio::test]
async fn a_file_that_no_message_shows_yet_is_its_uploaders_alone() {
    let world = World::new().await;
    let (alice, li, chat) = served(&world).await;
    let file = url(&upload(&world, &alice, &chat, "a.png", PNG).await.ok());
    assert_eq!(read(&world, &alice, &file).await.status, 200);
    let boss = world.staff(ACME, Role::Supervisor, "boss").await;
    for other in [&li, &boss, &Person::operator()] {
        assert_eq!(read(&world, other, &file).await.problem(), (404, "not_found"), "{}", other.name);
    }
    let body = json!({"id": world.client_id(), "content": "a.png", "url": file});
    let _ = world.post(&alice, &format!("/v1/tenants/acme/chats/{chat}/messages"), body).await.ok();
    assert_eq!(read(&world, &li, &file).await.status, 200, "also a moment after it was said");
    world.end().await;
}

#[tokio::test]
async fn a_recalled_file_is_read_by_those_alone_who_look_into_what_happened() {
    let world = World::new().await;
    let (alice, li, chat) = served(&world).await;
    let file = url(&upload(&world, &li, &chat, "a.png", PNG).await.ok());
    let message = show(&world, &li, &chat, &file, "all").await;
    assert_eq!(read(&world, &alice, &file).await.status, 200);
    let _ = world.post(&li, &format!("/v1/tenants/acme/chats/{chat}/messages/{message}/recall"), Value::Null).await.ok();
    world.settle().await;
    let key = world.integration(ACME, &["read_conversations"]).await;
    for member in [&alice, &li, &key] {
        assert_eq!(read(&world, member, &file).await.problem(), (410, "gone"), "{}", member.name);
        assert_eq!(world.call(member, Method::HEAD, &file, Value::Null).await.status, 410);
    }
    let auditors = [
        world.staff(ACME, Role::Supervisor, "boss").await,
        world.staff(ACME, Role::TenantAdmin, "admin").await,
        world.staff(ACME, Role::QualityReviewer, "reviewer").await,
        Person::operator(),
    ];
    for auditor in &auditors {
        assert_eq!(read(&world, auditor, &file).await.status, 200, "{}", auditor.name);
    }
    let wang = world.customer(ACME, "wang").await;
    assert_eq!(read(&world, &wang, &file).await.problem(), (403, "forbidden"), "strangers learn nothing new");
    world.end().await;
}

#[tokio::test]
async fn a_file_that_two_messages_show_is_there_as_long_as_one_of_them_is() {
    let world = World::new().await;
    let (alice, li, chat) = served(&world).await;
    let file = url(&upload(&world, &li, &chat, "a.png", PNG).await.ok());
    let first = show(&world, &li, &chat, &file, "all").await;
    world.clock.pass(Millis(1));
    let second = show(&world, &li, &chat, &file, "all").await;
    for (message, status) in [(second, 200), (first, 410)] {
        let _ = world.post(&li, &format!("/v1/tenants/acme/chats/{chat}/messages/{message}/recall"), Value::Null).await.ok();
        world.settle().await;
        assert_eq!(read(&world, &alice, &file).await.status, status);
    }
    world.end().await;
}

#[tokio::test]
async fn what_a_reader_removed_from_their_own_sight_is_gone_for_them_alone() {
    let world = World::new().await;
    let (alice, li, chat) = served(&world).await;
    let file = url(&upload(&world, &alice, &chat, "a.png", PNG).await.ok());
    let message = show(&world, &alice, &chat, &file, "all").await;
    let path = format!("/v1/tenants/acme/chats/{chat}/messages/{message}");
    let _ = world.call(&li, Method::DELETE, &path, Value::Null).await.ok();
    world.settle().await;
    assert_eq!(read(&world, &li, &file).await.problem(), (410, "gone"));
    assert_eq!(read(&world, &alice, &file).await.status, 200);
    world.end().await;
}

#[tokio::test]
async fn a_file_of_a_note_is_not_there_for_the_customer() {
    let world = World::new().await;
    let (alice, li, chat) = served(&world).await;
    let file = url(&upload(&world, &alice, &chat, "a.png", PNG).await.ok());
    show(&world, &alice, &chat, &file, "staff").await;
    assert_eq!(read(&world, &li, &file).await.problem(), (404, "not_found"));
    assert_eq!(read(&world, &alice, &file).await.status, 200);
    show(&world, &alice, &chat, &file, "all").await;
    assert_eq!(read(&world, &li, &file).await.status, 200, "shown to them, too");
    world.end().await;
}

#[tokio::test]
async fn a_file_from_before_somebody_came_into_a_thread_is_not_there_for_them() {
    let world = World::new().await;
    let alice = world.staff(ACME, Role::Agent, "alice").await;
    let wang = world.customer(ACME, "wang").await;
    let made = json!({"title": "Spring", "label": "merchant", "members": []});
    let thread = world.post(&alice, "/v1/tenants/acme/threads", made).await.ok()["id"].as_str().unwrap().to_owned();
    world.settle().await;
    let file = url(&upload(&world, &alice, &thread, "a.png", PNG).await.ok());
    show(&world, &alice, &thread, &file, "all").await;
    let invited = json!({"user": wang.user().to_string(), "label": "guest"});
    let _ = world.post(&alice, &format!("/v1/tenants/acme/threads/{thread}/members"), invited).await.ok();
    world.settle().await;
    assert_eq!(read(&world, &wang, &file).await.problem(), (404, "not_found"));
    show(&world, &alice, &thread, &file, "all").await;
    assert_eq!(read(&world, &wang, &file).await.status, 200);
    world.end().await;
}
