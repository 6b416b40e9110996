//! A merchant, an influencer of one agency and a service provider of another talk in one thread, from its making to its end.

use std::sync::Arc;

use adapters::config::Config;
use axum::http::Method;
use domain::time::Millis;
use domain::user::event::Role;
use projections::store::MemoryStore;
use projections::verify::verify;
use serde_json::{Value, json};
use tests::people::Person;
use tests::world::{ACME, World};

const THREADS: &str = "/v1/tenants/acme/threads";

/// Somebody of another tenant, with their account at the host.
struct Guest {
    home: Person,
    here: Person,
    id: String,
}

impl Guest {
    /// They have an account at home, the host makes one for them, and they sign in.
    async fn come(world: &World, admin: &Person, home: &str, name: &str) -> Self {
        let person = world.staff(home, Role::Agent, name).await;
        let body = json!({"tenant": home, "user": person.user().to_string(), "display_name": name});
        let id = world.post(admin, "/v1/tenants/acme/guests", body).await.ok()["id"].as_str().unwrap().to_owned();
        let answer = world.post(&person, "/v1/tenants/acme/sign-in/guest", json!({})).await.ok();
        let here = Person { name: name.to_owned(), token: answer["access_token"].as_str().map(str::to_owned), account: None };
        Self { home: person, here, id }
    }

    fn invitation(&self, label: &str) -> Value {
        json!({"user": self.id, "label": label})
    }
}

/// Somebody says something in the host's thread; the answer's place and id.
async fn say(world: &World, who: &Person, thread: &str, content: &str) -> (u64, String) {
    let path = format!("/v1/tenants/acme/chats/{thread}/messages");
    let posted = world.post(who, &path, json!({"id": world.client_id(), "content": content})).await.ok();
    (posted["seq"].as_u64().unwrap(), posted["message"].as_str().unwrap().to_owned())
}

/// What somebody reads in the thread: who said it as what, and the text if there is one.
async fn reads(world: &World, who: &Person, thread: &str) -> Vec<(String, Option<String>)> {
    let messages = world.get(who, &format!("/v1/tenants/acme/chats/{thread}/messages")).await.ok();
    let line = |message: &Value| (message["category"].as_str().unwrap().to_owned(), message["content"].as_str().map(str::to_owned));
    messages["data"].as_array().unwrap().iter().map(line).collect()
}

fn said(category: &str, content: &str) -> (String, Option<String>) {
    (category.to_owned(), Some(content.to_owned()))
}

/// The kinds of somebody's items, and that their numbers are contiguous from 1.
async fn feed(world: &World, who: &Person) -> Vec<String> {
    let feed = world.get(who, "/v1/tenants/acme/feed?limit=200").await.ok();
    let items = feed["data"].as_array().unwrap().clone();
    for (number, item) in (1_u64..).zip(&items) {
        assert_eq!((item["i"].as_u64(), item["p"].as_u64()), (Some(number), Some(number - 1)), "{}", who.name);
    }
    items.iter().map(|item| item["k"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_merchant_an_influencer_and_a_service_provider_work_together() {
    let store = Arc::new(MemoryStore::default());
    let world = World::over(Config::default(), |engines| engines.view_store = store.clone()).await;
    for tenant in [ACME, "agency", "carrier"] {
        world.make_tenant(tenant).await;
    }
    let admin = world.staff(ACME, Role::TenantAdmin, "admin").await;
    let merchant = world.staff(ACME, Role::Supervisor, "merchant").await;
    let influencer = Guest::come(&world, &admin, "agency", "influencer").await;
    let provider = Guest::come(&world, &admin, "carrier", "provider").await;
    let helper = Guest::come(&world, &admin, "agency", "helper").await;

    // The merchant makes the thread with the influencer, and they talk.
    let body = json!({"title": "Spring launch", "label": "merchant", "members": [influencer.invitation("influencer")]});
    let thread = world.post(&merchant, THREADS, body).await.ok()["id"].as_str().unwrap().to_owned();
    let members = format!("{THREADS}/{thread}/members");
    say(&world, &merchant, &thread, "can you show the red shoes?").await;
    say(&world, &influencer.here, &thread, "on Friday").await;

    // The provider comes late and sees only what comes after.
    let _ = world.post(&merchant, &members, provider.invitation("provider")).await.ok();
    let (seq, _) = say(&world, &provider.here, &thread, "we pick up on Thursday").await;
    assert_eq!(seq, 3);
    assert_eq!(reads(&world, &provider.here, &thread).await, [said("customer", "we pick up on Thursday")]);
    let everything =
        [said("agent", "can you show the red shoes?"), said("customer", "on Friday"), said("customer", "we pick up on Thursday")];
    assert_eq!(reads(&world, &influencer.here, &thread).await, everything);
    assert_eq!(feed(&world, &provider.here).await, ["joined", "message"]);
    assert_eq!(feed(&world, &influencer.here).await, ["joined", "message", "message", "member_joined", "message"]);
    let unread = world.get(&merchant, &format!("/v1/tenants/acme/chats/{thread}")).await.ok();
    assert_eq!(unread["unread"], 2);

    // A helper is brought in with the right to invite, and is put out again.
    let invitation = json!({"user": helper.id, "label": "helper", "permissions": ["post", "invite"]});
    let _ = world.post(&merchant, &members, invitation).await.ok();
    say(&world, &helper.here, &thread, "hi, I do the lights").await;
    let _ = world.call(&merchant, Method::DELETE, &format!("{members}/{}", helper.id), Value::Null).await.ok();
    let gone = world.get(&helper.here, &format!("/v1/tenants/acme/chats/{thread}/messages")).await;
    assert_eq!(gone.problem(), (403, "forbidden"));
    assert_eq!(feed(&world, &helper.here).await, ["joined", "message", "member_left"]);
    let again = world.post(&helper.here, &members, provider.invitation("provider")).await;
    assert_eq!(again.problem(), (403, "not_a_member"));

    // The influencer is erased: their texts are gone, the others' stay, and every number is what it was.
    let before = feed(&world, &merchant).await;
    let erase = format!("/v1/tenants/acme/users/{}/key", influencer.id);
    let _ = world.call(&admin, Method::DELETE, &erase, Value::Null).await.ok();
    let left = [
        said("agent", "can you show the red shoes?"),
        ("customer".to_owned(), None),
        said("customer", "we pick up on Thursday"),
        said("customer", "hi, I do the lights"),
    ];
    assert_eq!(reads(&world, &merchant, &thread).await, left);
    assert_eq!(feed(&world, &merchant).await, before);
    let refused = world.post(&influencer.home, "/v1/tenants/acme/sign-in/guest", json!({})).await;
    assert_eq!(refused.problem(), (403, "wrong_tenant"), "the host knows them no more");
    let at_home = world.get(&influencer.home, "/v1/tenants/agency/me").await.ok();
    assert_eq!(at_home["display_name"], "influencer", "at home nothing was erased");

    // The owner cannot simply go, passes the thread to the provider, and leaves.
    let own = format!("{members}/{}", merchant.user());
    assert_eq!(world.call(&merchant, Method::DELETE, &own, Value::Null).await.problem(), (409, "owner_stays"));
    let _ = world.call(&merchant, Method::PUT, &format!("{THREADS}/{thread}/owner"), json!({"user": provider.id})).await.ok();
    let _ = world.call(&merchant, Method::DELETE, &own, Value::Null).await.ok();
    assert_eq!(world.get(&merchant, &format!("{THREADS}/{thread}")).await.problem(), (403, "forbidden"));

    // A quarter of an hour later the provider signs in again with home's sign-in, and dissolves the thread.
    world.clock.pass(Millis::minutes(15));
    let expired = world.get(&provider.here, THREADS).await;
    assert_eq!(expired.problem(), (401, "expired"));
    let home = world.sign_in("carrier", "provider").await;
    let answer = world.post(&home, "/v1/tenants/acme/sign-in/guest", json!({})).await.ok();
    assert_eq!(answer["user"], provider.id.as_str());
    let provider_here = Person { token: answer["access_token"].as_str().map(str::to_owned), ..provider.here.clone() };
    let _ = world.call(&provider_here, Method::DELETE, &format!("{THREADS}/{thread}"), Value::Null).await.ok();
    let path = format!("/v1/tenants/acme/chats/{thread}/messages");
    let late = world.post(&provider_here, &path, json!({"id": world.client_id(), "content": "anybody?"})).await;
    assert_eq!(late.problem(), (409, "dissolved"));
    assert_eq!(reads(&world, &provider_here, &thread).await.len(), 2, "what they could read they still can");
    let kinds = feed(&world, &provider_here).await;
    assert_eq!(kinds[kinds.len() - 3..], ["thread", "member_left", "thread"], "a new owner, the old one gone, the end");

    // What the read models say is what the log says.
    world.settle().await;
    let log = Arc::clone(&world.app.ports.log);
    world.end().await;
    let report = verify(log, store).await.unwrap();
    assert!(report.ok, "{report:#?}");
}
