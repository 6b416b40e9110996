//! Group threads over HTTP: who makes them, who is in them, and what those see who came late, have gone, or never came.

use axum::body::Body;
use axum::http::{Method, Request};
use domain::user::event::Role;
use serde_json::{Value, json};
use tests::people::Person;
use tests::world::socket::Socket;
use tests::world::{ACME, World};

const THREADS: &str = "/v1/tenants/acme/threads";

fn named(user: &Person, label: &str) -> Value {
    json!({"user": user.user().to_string(), "label": label})
}

/// A thread of somebody's with these members, and its id.
async fn thread(world: &World, owner: &Person, members: &[Value]) -> String {
    let body = json!({"title": "Spring", "label": "merchant", "members": members});
    world.post(owner, THREADS, body).await.ok()["id"].as_str().unwrap().to_owned()
}

async fn put(world: &World, who: &Person, path: String, body: Value) -> tests::world::Reply {
    world.call(who, Method::PUT, &path, body).await
}

async fn delete(world: &World, who: &Person, path: String) -> tests::world::Reply {
    world.call(who, Method::DELETE, &path, Value::Null).await
}

fn member_path(thread: &str, member: &Person) -> String {
    format!("{THREADS}/{thread}/members/{}", member.user())
}

/// The texts that somebody reads in a chat.
async fn texts(world: &World, who: &Person, chat: &str) -> Vec<String> {
    let messages = world.get(who, &format!("/v1/tenants/acme/chats/{chat}/messages")).await.ok();
    let text = |message: &Value| message["content"].as_str().unwrap_or("-").to_owned();
    messages["data"].as_array().unwrap().iter().map(text).collect()
}

/// The last item of somebody's feed.
async fn newest(world: &World, who: &Person) -> Value {
    let feed = world.get(who, "/v1/tenants/acme/feed").await.ok();
    feed["data"].as_array().unwrap().last().cloned().unwrap()
}

#[tokio::test]
async fn a_thread_is_made_by_those_who_work_for_the_host_and_once_per_key() {
    let world = World::new().await;
    let body = json!({"title": "Spring", "label": "merchant"});
    for role in [Role::TenantAdmin, Role::Supervisor, Role::Agent] {
        let person = world.staff(ACME, role, &format!("{role:?}").to_lowercase()).await;
        let first = world.post_once(&person, "k1", THREADS, body.clone()).await.ok();
        assert_eq!(world.post_once(&person, "k1", THREADS, body.clone()).await.ok()["id"], first["id"], "a retry is answered again");
        let listed = world.get(&person, THREADS).await.ok();
        assert_eq!(listed["data"].as_array().unwrap().len(), 1);
        assert_eq!(listed["data"][0]["title"], "Spring");
        assert_eq!(listed["data"][0]["own"]["permissions"], json!(["post", "invite", "remove", "manage"]));
    }
    let reviewer = world.staff(ACME, Role::QualityReviewer, "reviewer").await;
    let customer = world.customer(ACME, "li").await;
    for nobody in [&reviewer, &customer, &Person::operator()] {
        assert_eq!(world.post(nobody, THREADS, body.clone()).await.problem(), (403, "forbidden"), "{}", nobody.name);
    }
    let alice = world.sign_in(ACME, "agent").await;
    for (bad, problem) in [
        (json!({"title": " ", "label": "merchant"}), (422, "title_empty")),
        (json!({"title": "x".repeat(257), "label": "merchant"}), (422, "text_too_long")),
        (json!({"title": "x", "label": "Two Words"}), (400, "invalid_field")),
        (json!({"title": "x"}), (400, "invalid_field")),
        (json!({"title": "x", "label": "a", "members": [{"user": "x", "label": "a"}]}), (400, "invalid_field")),
    ] {
        assert_eq!(world.post(&alice, THREADS, bad).await.problem(), problem);
    }
    world.end().await;
}

#[tokio::test]
async fn only_known_people_in_use_are_invited_and_only_members_learn_who_there_is() {
    let world = World::new().await;
    let alice = world.staff(ACME, Role::Agent, "alice").await;
    let bob = world.staff(ACME, Role::Agent, "bob").await;
    let id = thread(&world, &alice, &[]).await;
    let path = format!("{THREADS}/{id}/members");
    let reviewer = world.staff(ACME, Role::QualityReviewer, "reviewer").await;
    let visitor = world.visitor(ACME).await;
    let closed = world.customer(ACME, "closed").await;
    let _ = delete(&world, &Person::operator(), format!("/v1/tenants/acme/users/{}", closed.user())).await.ok();
    world.make_tenant("rival").await;
    let rival = world.customer("rival", "elsewhere").await;
    for stranger in [&reviewer, &visitor, &closed] {
        assert_eq!(world.post(&alice, &path, named(stranger, "guest")).await.problem(), (422, "invalid_value"), "{}", stranger.name);
    }
    assert_eq!(world.post(&alice, &path, named(&rival, "guest")).await.problem(), (404, "not_found"), "unknown in this tenant");
    let body = json!({"title": "x", "label": "merchant", "members": [named(&rival, "guest")]});
    assert_eq!(world.post(&alice, THREADS, body).await.problem(), (404, "not_found"));
    for whom in [&rival, &reviewer, &alice] {
        assert_eq!(world.post(&bob, &path, named(whom, "guest")).await.problem(), (403, "not_a_member"), "whoever it is about");
    }
    let _ = world.post(&alice, &path, named(&bob, "support")).await.ok();
    assert_eq!(world.post(&alice, &path, named(&bob, "other")).await.problem(), (409, "already_a_member"));
    assert_eq!(world.post(&bob, &path, named(&alice, "other")).await.problem(), (403, "not_permitted"));
    world.end().await;
}

#[tokio::test]
async fn whoever_is_not_in_a_thread_neither_reads_nor_speaks() {
    let world = World::new().await;
    let alice = world.staff(ACME, Role::Agent, "alice").await;
    let id = thread(&world, &alice, &[]).await;
    let said = world.say(&alice, &id, "among us").await.ok()["message"].as_str().unwrap().to_owned();
    let outsiders = [
        world.staff(ACME, Role::TenantAdmin, "admin").await,
        world.staff(ACME, Role::Supervisor, "boss").await,
        world.staff(ACME, Role::QualityReviewer, "reviewer").await,
        world.customer(ACME, "li").await,
        world.integration(ACME, &["read_conversations"]).await,
    ];
    let chat = format!("/v1/tenants/acme/chats/{id}");
    for outsider in &outsiders {
        for path in [chat.clone(), format!("{chat}/messages"), format!("{THREADS}/{id}")] {
            assert_eq!(world.get(outsider, &path).await.problem(), (403, "forbidden"), "{} {path}", outsider.name);
        }
    }
    for outsider in [&outsiders[1], &outsiders[3]] {
        assert_eq!(world.say(outsider, &id, "hello").await.problem(), (403, "not_a_member"));
        assert_eq!(delete(&world, outsider, format!("{chat}/messages/{said}")).await.problem(), (403, "not_a_member"));
        assert_eq!(put(&world, outsider, format!("{THREADS}/{id}/mute"), json!({"muted": true})).await.problem(), (403, "not_a_member"));
        assert_eq!(put(&world, outsider, format!("{THREADS}/{id}/title"), json!({"title": "x"})).await.problem(), (403, "not_a_member"));
        assert_eq!(delete(&world, outsider, format!("{THREADS}/{id}")).await.problem(), (403, "not_a_member"));
        assert_eq!(world.get(outsider, THREADS).await.ok()["data"], json!([]));
    }
    assert_eq!(texts(&world, &Person::operator(), &id).await, ["among us"]);
    world.end().await;
}

#[tokio::test]
async fn a_file_of_a_thread_is_for_those_who_are_in_it() {
    let world = World::new().await;
    let alice = world.staff(ACME, Role::Agent, "alice").await;
    let boss = world.staff(ACME, Role::Supervisor, "boss").await;
    let li = world.customer(ACME, "li").await;
    let id = thread(&world, &alice, &[named(&li, "influencer")]).await;
    let path = format!("/v1/tenants/acme/chats/{id}/attachments?name=plan.pdf");
    let upload = || Request::post(&path).body(Body::from(&b"%PDF-1.7\n"[..])).unwrap();
    assert_eq!(world.send(upload(), &boss).await.problem(), (403, "not_a_member"));
    let url = world.send(upload(), &li).await.ok()["url"].as_str().unwrap().to_owned();
    assert_eq!(world.get(&alice, &url).await.problem(), (404, "not_found"), "not yet");
    let body = json!({"id": world.client_id(), "content": "the plan", "url": url});
    let _ = world.post(&li, &format!("/v1/tenants/acme/chats/{id}/messages"), body).await.ok();
    assert_eq!(world.get(&alice, &url).await.status.as_u16(), 200);
    assert_eq!(world.get(&boss, &url).await.problem(), (403, "forbidden"));
    let _ = delete(&world, &li, member_path(&id, &li)).await.ok();
    assert_eq!(world.get(&li, &url).await.problem(), (403, "forbidden"), "not even one's own, once one has gone");
    world.end().await;
}

#[tokio::test]
async fn who_comes_late_has_nothing_of_what_was_said_before() {
    let world = World::new().await;
    let alice = world.staff(ACME, Role::Agent, "alice").await;
    let late = world.customer(ACME, "late").await;
    let id = thread(&world, &alice, &[]).await;
    let before = world.say(&alice, &id, "before").await.ok()["message"].as_str().unwrap().to_owned();
    let _ = world.post(&alice, &format!("{THREADS}/{id}/members"), named(&late, "influencer")).await.ok();
    let joined = newest(&world, &late).await;
    assert_eq!((&joined["k"], &joined["role"], &joined["label"]), (&json!("joined"), &json!("participant"), &json!("influencer")));
    let _ = world.say(&alice, &id, "after").await.ok();
    let chat = format!("/v1/tenants/acme/chats/{id}");
    assert_eq!(texts(&world, &late, &id).await, ["after"]);
    let from_one = world.get(&late, &format!("{chat}/messages?from_seq=1&limit=1")).await.ok();
    assert_eq!(from_one["data"][0]["seq"], 2, "asking for the first place changes nothing");
    assert_eq!(texts(&world, &alice, &id).await, ["before", "after"]);
    assert_eq!(world.get(&late, &chat).await.ok()["unread"], 1);
    assert_eq!(world.get(&late, &format!("{THREADS}/{id}")).await.ok()["own"]["from_seq"], 2);
    let quoting = json!({"id": world.client_id(), "content": "this?", "quote": before});
    assert_eq!(world.post(&late, &format!("{chat}/messages"), quoting).await.problem(), (404, "not_found"));
    assert_eq!(delete(&world, &late, format!("{chat}/messages/{before}")).await.problem(), (404, "not_found"));
    let _ = world.post(&late, &format!("{chat}/read"), json!({"seq": 2})).await.ok();
    let read = world.get(&alice, &format!("{chat}/messages")).await.ok();
    assert_eq!((&read["data"][0]["is_read"], &read["data"][1]["is_read"]), (&json!(false), &json!(true)), "they never saw the first");
    world.end().await;
}

#[tokio::test]
async fn who_has_gone_reads_nothing_and_comes_back_as_a_newcomer() {
    let world = World::new().await;
    let alice = world.staff(ACME, Role::Agent, "alice").await;
    let (li, wang) = (world.customer(ACME, "li").await, world.customer(ACME, "wang").await);
    let id = thread(&world, &alice, &[named(&li, "influencer"), named(&wang, "carrier")]).await;
    let _ = world.say(&li, &id, "hello").await.ok();
    let _ = delete(&world, &li, member_path(&id, &li)).await.ok();
    let _ = delete(&world, &alice, member_path(&id, &wang)).await.ok();
    for gone in [&li, &wang] {
        assert_eq!(newest(&world, gone).await["k"], "member_left");
        let path = format!("/v1/tenants/acme/chats/{id}/messages");
        assert_eq!(world.get(gone, &path).await.problem(), (403, "forbidden"), "{}", gone.name);
        assert_eq!(world.get(gone, &format!("{THREADS}/{id}")).await.problem(), (403, "forbidden"));
        assert_eq!(world.say(gone, &id, "still here").await.problem(), (403, "not_a_member"));
    }
    assert_eq!(delete(&world, &alice, member_path(&id, &alice)).await.problem(), (409, "owner_stays"));
    let _ = world.post(&alice, &format!("{THREADS}/{id}/members"), named(&li, "influencer")).await.ok();
    assert_eq!(texts(&world, &li, &id).await, Vec::<String>::new(), "not even one's own words from before");
    world.end().await;
}

#[tokio::test]
async fn a_repeated_message_is_answered_although_what_it_quotes_is_out_of_sight() {
    let world = World::new().await;
    let alice = world.staff(ACME, Role::Agent, "alice").await;
    let li = world.customer(ACME, "li").await;
    let id = thread(&world, &alice, &[named(&li, "influencer")]).await;
    let said = world.say(&alice, &id, "when?").await.ok()["message"].clone();
    let path = format!("/v1/tenants/acme/chats/{id}/messages");
    let quoting = json!({"id": world.client_id(), "content": "now", "quote": said});
    // Not settled: who was answered may quote what they were answered.
    let first = world.post(&li, &path, quoting.clone()).await.ok();
    let _ = delete(&world, &li, member_path(&id, &li)).await.ok();
    world.settle().await;
    assert_eq!(world.post(&li, &path, quoting).await.ok()["seq"], first["seq"], "it is there, whatever its sender sees now");
    let another = json!({"id": world.client_id(), "content": "now", "quote": said});
    assert_eq!(world.post(&li, &path, another).await.problem(), (403, "not_a_member"));
    world.end().await;
}

#[tokio::test]
async fn permissions_are_given_taken_and_told() {
    let world = World::new().await;
    let alice = world.staff(ACME, Role::Agent, "alice").await;
    let li = world.customer(ACME, "li").await;
    let id = thread(&world, &alice, &[named(&li, "influencer")]).await;
    let silence = world.call(&alice, Method::PATCH, &member_path(&id, &li), json!({"permissions": ["manage"]})).await;
    let _ = silence.ok();
    let told = newest(&world, &li).await;
    assert_eq!((&told["k"], &told["event"], &told["permissions"]), (&json!("thread"), &json!("permissions"), &json!(["manage"])));
    assert_eq!(told["user"], li.user().to_string());
    assert_eq!(world.say(&li, &id, "hello").await.problem(), (403, "not_permitted"));
    let _ = put(&world, &li, format!("{THREADS}/{id}/title"), json!({"title": "Summer"})).await.ok();
    let renamed = newest(&world, &alice).await;
    assert_eq!((&renamed["event"], &renamed["title"]), (&json!("renamed"), &json!("Summer")));
    let refused = world.call(&li, Method::PATCH, &member_path(&id, &li), json!({"permissions": ["manage", "post"]})).await;
    assert_eq!(refused.problem(), (403, "not_yours_to_give"));
    let owner = world.call(&li, Method::PATCH, &member_path(&id, &alice), json!({"permissions": []})).await;
    assert_eq!(owner.problem(), (409, "owner_has_all"));
    let unknown = world.call(&alice, Method::PATCH, &member_path(&id, &li), json!({"permissions": ["fly"]})).await;
    assert_eq!(unknown.problem(), (400, "invalid_field"));
    assert_eq!(
        put(&world, &li, format!("{THREADS}/{id}/owner"), json!({"user": li.user().to_string()})).await.problem(),
        (403, "not_the_owner")
    );
    let admin = world.staff(ACME, Role::TenantAdmin, "admin").await;
    let _ = put(&world, &admin, format!("{THREADS}/{id}/owner"), json!({"user": li.user().to_string()})).await.ok();
    let passed = newest(&world, &alice).await;
    assert_eq!((&passed["event"], &passed["user"]), (&json!("owner"), &json!(li.user().to_string())), "the host's administrator may");
    world.end().await;
}

#[tokio::test]
async fn muting_and_archiving_concern_ones_own_list_only() {
    let world = World::new().await;
    let alice = world.staff(ACME, Role::Agent, "alice").await;
    let li = world.customer(ACME, "li").await;
    let mut made = Vec::new();
    for _ in 0..3 {
        world.clock.pass(domain::time::Millis::seconds(1));
        made.push(thread(&world, &alice, &[named(&li, "influencer")]).await);
    }
    let _ = put(&world, &li, format!("{THREADS}/{}/archive", made[1]), json!({"archived": true})).await.ok();
    assert_eq!(newest(&world, &li).await["event"], "archived");
    let _ = put(&world, &li, format!("{THREADS}/{}/mute", made[0]), json!({"muted": true})).await.ok();
    assert_ne!(newest(&world, &alice).await["k"], "thread", "nobody else hears of it");
    let ids = |page: &Value| page["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let first = world.get(&li, &format!("{THREADS}?limit=1")).await.ok();
    assert_eq!(ids(&first), [made[2].clone()], "the newest activity first");
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = world.get(&li, &format!("{THREADS}?limit=1&after={cursor}")).await.ok();
    assert_eq!((ids(&second), &second["has_more"]), (vec![made[0].clone()], &json!(false)));
    assert_eq!(second["data"][0]["own"]["muted"], true);
    assert_eq!(ids(&world.get(&li, &format!("{THREADS}?archived=true")).await.ok()), [made[1].clone()]);
    assert_eq!(ids(&world.get(&alice, THREADS).await.ok()).len(), 3);
    assert_eq!(world.get(&alice, &format!("{THREADS}?after={cursor}x")).await.problem(), (400, "invalid_cursor"));
    let _ = put(&world, &li, format!("{THREADS}/{}/archive", made[1]), json!({"archived": false})).await.ok();
    assert_eq!(world.get(&li, THREADS).await.ok()["data"].as_array().unwrap().len(), 3);
    world.end().await;
}

#[tokio::test]
async fn what_is_said_in_a_thread_is_pushed_to_every_device_of_everybody_in_it() {
    let mut world = World::new().await;
    let alice = world.staff(ACME, Role::Agent, "alice").await;
    let (li, wang) = (world.customer(ACME, "li").await, world.customer(ACME, "wang").await);
    let id = thread(&world, &alice, &[named(&li, "influencer")]).await;
    world.settle().await;
    let mut desk = Socket::hello(&mut world, &alice, 0).await;
    let mut phone = Socket::hello(&mut world, &li, 0).await;
    let mut outside = Socket::hello(&mut world, &wang, 0).await;
    let frame = json!({"t": "send", "id": world.client_id(), "chat": id, "content": "shall we?"});
    outside.send(json!({"t": "send", "id": world.client_id(), "chat": id, "content": "me too"})).await;
    assert_eq!(outside.next_of("nack").await["code"], "not_a_member");
    phone.send(frame).await;
    let ack = phone.next_of("ack").await;
    assert_eq!((&ack["seq"], &ack["conversation"]), (&json!(1), &Value::Null));
    for device in [&mut desk, &mut phone] {
        let item = device.next_item("message").await;
        let shown = (&item["m"]["content"], &item["m"]["category"], &item["m"]["persona"]);
        assert_eq!(shown, (&json!("shall we?"), &json!("customer"), &json!("oneself")));
    }
    desk.send(json!({"t": "read", "chat": id, "seq": 1})).await;
    assert_eq!(phone.next_item("read").await["reader"], alice.user().to_string());
    let _ = put(&world, &alice, format!("{THREADS}/{id}/title"), json!({"title": "Summer"})).await.ok();
    assert_eq!(phone.next_item("thread").await["title"], "Summer");
    world.end().await;
}

#[tokio::test]
async fn a_dissolved_thread_is_read_and_nothing_else() {
    let world = World::new().await;
    let alice = world.staff(ACME, Role::Agent, "alice").await;
    let li = world.customer(ACME, "li").await;
    let id = thread(&world, &alice, &[named(&li, "influencer")]).await;
    let _ = world.say(&li, &id, "goodbye").await.ok();
    assert_eq!(delete(&world, &li, format!("{THREADS}/{id}")).await.problem(), (403, "not_the_owner"));
    let _ = delete(&world, &alice, format!("{THREADS}/{id}")).await.ok();
    assert_eq!(newest(&world, &li).await["event"], "dissolved");
    assert_eq!(world.say(&li, &id, "hello?").await.problem(), (409, "dissolved"));
    assert_eq!(world.post(&alice, &format!("{THREADS}/{id}/members"), named(&li, "other")).await.problem(), (409, "dissolved"));
    assert_eq!(texts(&world, &li, &id).await, ["goodbye"]);
    let row = world.get(&li, &format!("{THREADS}/{id}")).await.ok();
    assert_eq!((&row["dissolved"], &row["owner"], &row["member_count"]), (&json!(true), &Value::Null, &json!(2)));
    assert_eq!(row["members"][1]["display_name"], "li");
    world.end().await;
}

#[tokio::test]
async fn a_chat_with_a_customer_is_no_thread() {
    let world = World::new().await;
    let li = world.customer(ACME, "li").await;
    let (chat, _) = world.open_chat(&li).await;
    assert_eq!(world.get(&li, &format!("{THREADS}/{chat}")).await.problem(), (404, "not_found"));
    assert_eq!(world.get(&li, THREADS).await.ok()["data"], json!([]));
    for reply in [
        put(&world, &li, format!("{THREADS}/{chat}/mute"), json!({"muted": true})).await,
        put(&world, &li, format!("{THREADS}/{chat}/title"), json!({"title": "x"})).await,
        delete(&world, &li, format!("{THREADS}/{chat}")).await,
        delete(&world, &li, member_path(&chat, &li)).await,
    ] {
        assert_eq!(reply.problem(), (409, "other_kind_of_chat"));
    }
    world.end().await;
}
