//! Accounts by API: creating, changing, mapping, closing, erasing.

use axum::http::Method;
use domain::user::event::Role;
use serde_json::{Value, json};
use tests::people::{PASSWORD, Person};
use tests::world::{ACME, World};

const USERS: &str = "/v1/tenants/acme/users";

#[tokio::test]
async fn a_login_belongs_to_one_user() {
    let world = World::new().await;
    let operator = Person::operator();
    let body = json!({"role": "agent", "display_name": "Alice", "login": "alice", "password": PASSWORD});
    let first = world.post_once(&operator, "k1", USERS, body.clone()).await.ok();
    assert_eq!(world.post_once(&operator, "k1", USERS, body.clone()).await.ok()["id"], first["id"], "a retry is answered again");
    assert_eq!(world.post_once(&operator, "k2", USERS, body.clone()).await.problem(), (409, "account_taken"));
    assert_eq!(world.post(&operator, USERS, body).await.problem(), (409, "account_taken"));
    let _ = world.sign_in(ACME, "alice").await;
    world.end().await;
}

#[tokio::test]
async fn those_who_serve_are_in_the_first_group_unless_told_otherwise() {
    let world = World::new().await;
    let operator = Person::operator();
    for (role, groups, expected) in [
        ("agent", Value::Null, json!(["main"])),
        ("supervisor", Value::Null, json!(["main"])),
        ("agent", json!(["vip", "main"]), json!(["main", "vip"])),
        ("agent", json!([]), json!([])),
        ("tenant_admin", Value::Null, json!([])),
    ] {
        let body = json!({"role": role, "display_name": "x", "groups": groups});
        let created = world.post(&operator, USERS, body).await.ok();
        let user = world.get(&operator, &format!("{USERS}/{}", created["id"].as_str().unwrap())).await.ok();
        assert_eq!(user["groups"], expected, "{role}");
    }
    let body = json!({"role": "agent", "display_name": "x", "groups": ["unknown"]});
    assert_eq!(world.post(&operator, USERS, body).await.problem(), (422, "invalid_value"));
    world.end().await;
}

#[tokio::test]
async fn a_change_changes_what_it_names_and_nothing_else() {
    let world = World::new().await;
    let alice = world.staff(ACME, Role::Agent, "alice").await;
    let admin = world.staff(ACME, Role::TenantAdmin, "admin").await;
    let path = format!("{USERS}/{}", alice.user());
    let _ = world.call(&admin, Method::PATCH, &path, json!({"display_name": "Alice", "capacity": 3})).await.ok();
    let changed = world.get(&admin, &path).await.ok();
    assert_eq!((&changed["display_name"], &changed["capacity"], &changed["groups"]), (&json!("Alice"), &json!(3), &json!(["main"])));
    let _ = world.call(&admin, Method::PATCH, &path, json!({"password": "another password"})).await.ok();
    let old = json!({"login": "alice", "password": PASSWORD});
    assert_eq!(world.post(&Person::nobody(), "/v1/tenants/acme/sign-in", old).await.problem(), (401, "wrong_credentials"));
    assert_eq!(world.call(&admin, Method::PATCH, &path, json!({})).await.problem(), (400, "invalid_field"));
    assert_eq!(world.call(&alice, Method::PATCH, &path, json!({"capacity": 1_000})).await.problem(), (403, "forbidden"));
    world.end().await;
}

#[tokio::test]
async fn a_mapped_account_signs_in_as_the_user_it_is_mapped_to() {
    let world = World::new().await;
    let operator = Person::operator();
    let li = world.customer(ACME, "li").await;
    let wang = world.customer(ACME, "wang").await;
    let map = |who: &Person| format!("{USERS}/{}/accounts", who.user());
    let account = json!({"provider": "shop", "account": "li-mobile"});
    let _ = world.post(&operator, &map(&li), account.clone()).await.ok();
    assert_eq!(world.post(&operator, &map(&wang), account).await.problem(), (409, "account_taken"));
    assert_eq!(world.customer(ACME, "li-mobile").await.user(), li.user());
    let local = json!({"provider": "local", "account": "alice"});
    assert_eq!(world.post(&operator, &map(&li), local).await.problem(), (422, "invalid_value"));
    world.end().await;
}

#[tokio::test]
async fn a_closed_account_signs_in_no_more() {
    let world = World::new().await;
    let operator = Person::operator();
    let alice = world.staff(ACME, Role::Agent, "alice").await;
    let _ = world.call(&operator, Method::DELETE, &format!("{USERS}/{}", alice.user()), Value::Null).await.ok();
    let reply = world.call(&alice, Method::GET, "/v1/tenants/acme/me", Value::Null).await;
    assert_eq!(reply.problem(), (401, "deactivated"));
    let body = json!({"login": "alice", "password": PASSWORD});
    assert_eq!(world.post(&Person::nobody(), "/v1/tenants/acme/sign-in", body).await.problem(), (401, "wrong_credentials"));
    world.end().await;
}

#[tokio::test]
async fn an_erased_person_leaves_places_and_times_but_no_words() {
    let world = World::new().await;
    let operator = Person::operator();
    let li = world.customer(ACME, "li").await;
    let (chat, _) = world.open_chat(&li).await;
    let _ = world.say(&li, &chat, "my address is").await.ok();
    world.settle().await;
    let _ = world.call(&operator, Method::DELETE, &format!("{USERS}/{}/key", li.user()), Value::Null).await.ok();
    let messages = world.get(&operator, &format!("/v1/tenants/acme/chats/{chat}/messages")).await.ok();
    assert_eq!((&messages["data"][0]["content"], &messages["data"][0]["seq"]), (&Value::Null, &json!(1)));
    let user = world.get(&operator, &format!("{USERS}/{}", li.user())).await.ok();
    assert_eq!((&user["display_name"], &user["stage"]), (&Value::Null, &json!("deactivated")));
    let body = json!({"provider": "shop", "account": "li", "display_name": "li"});
    let reply = world.post(&operator, "/v1/tenants/acme/customers/mint", body).await;
    assert_eq!(reply.problem(), (409, "deactivated"));
    world.end().await;
}

#[tokio::test]
async fn users_are_listed_page_by_page() {
    let world = World::new().await;
    let operator = Person::operator();
    let mut made = Vec::new();
    for number in 0..5 {
        made.push(world.customer(ACME, &format!("c{number}")).await.user().to_string());
    }
    made.sort();
    let mut listed = Vec::new();
    let mut path = format!("{USERS}?limit=2");
    loop {
        let page = world.get(&operator, &path).await.ok();
        listed.extend(page["data"].as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else {
            assert_eq!(page["has_more"], false);
            break;
        };
        path = format!("{USERS}?limit=2&after={cursor}");
    }
    assert_eq!(listed, made);
    world.make_tenant("rival").await;
    let cursor = world.get(&operator, &format!("{USERS}?limit=2")).await.ok()["next_cursor"].as_str().unwrap().to_owned();
    let reply = world.get(&operator, &format!("/v1/tenants/rival/users?after={cursor}")).await;
    assert_eq!(reply.problem(), (400, "invalid_cursor"), "another tenant's cursor");
    world.end().await;
}
