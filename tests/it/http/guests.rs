//! People of other tenants: how the host knows them, how they sign in, and how little they see.

use axum::http::Method;
use domain::time::Millis;
use domain::user::event::Role;
use serde_json::{Value, json};
use tests::people::Person;
use tests::world::{ACME, Reply, World};

const HOME: &str = "agency";

async fn make_guest(world: &World, home: &Person) -> String {
    let body = json!({"tenant": home.account().tenant, "user": home.user().to_string(), "display_name": home.name});
    world.post(&Person::operator(), "/v1/tenants/acme/guests", body).await.ok()["id"].as_str().unwrap().to_owned()
}

async fn sign_in(world: &World, home: &Person) -> Reply {
    world.post(home, "/v1/tenants/acme/sign-in/guest", json!({"device": "phone"})).await
}

/// A guest as somebody who sends requests to the host.
fn at_host(answer: &Value) -> Person {
    Person { name: "guest".to_owned(), token: answer["access_token"].as_str().map(str::to_owned), account: None }
}

async fn world_with_an_agency() -> World {
    let world = World::new().await;
    world.make_tenant(HOME).await;
    world
}

#[tokio::test]
async fn a_guest_signs_in_with_their_sign_in_at_home_once_the_host_knows_them() {
    let world = world_with_an_agency().await;
    let ann = world.staff(HOME, Role::Agent, "ann").await;
    assert_eq!(sign_in(&world, &ann).await.problem(), (403, "wrong_tenant"), "like everybody else of another tenant");
    let guest = make_guest(&world, &ann).await;
    assert_eq!(make_guest(&world, &ann).await, guest, "found again");
    let signed_in = sign_in(&world, &ann).await.ok();
    assert_eq!(signed_in["user"], guest.as_str());
    assert!(signed_in.get("refresh_token").is_none(), "they sign in again instead");
    let me = world.get(&at_host(&signed_in), "/v1/tenants/acme/me").await.ok();
    assert_eq!((&me["id"], &me["role"], &me["display_name"]), (&json!(guest), &json!("customer"), &json!("ann")));
    let own = world.get(&at_host(&signed_in), "/v1/tenants/agency/me").await;
    assert_eq!(own.problem(), (403, "wrong_tenant"), "a guest's token opens nothing at home");
    assert_eq!(world.post(&ann, "/v1/tenants/agency/sign-in/guest", json!({})).await.problem(), (422, "invalid_value"));
    world.end().await;
}

#[tokio::test]
async fn a_sign_in_at_home_that_ended_opens_nothing_and_a_guests_own_ends_soon() {
    let world = world_with_an_agency().await;
    let ann = world.staff(HOME, Role::Agent, "ann").await;
    make_guest(&world, &ann).await;
    let signed_in = at_host(&sign_in(&world, &ann).await.ok());
    let _ = world.post(&ann, "/v1/tenants/agency/sign-out", json!({})).await.ok();
    assert_eq!(sign_in(&world, &ann).await.problem(), (401, "revoked"));
    let _ = world.get(&signed_in, "/v1/tenants/acme/me").await.ok();
    world.clock.pass(Millis::minutes(15));
    assert_eq!(world.get(&signed_in, "/v1/tenants/acme/me").await.problem(), (401, "expired"));
    let again = world.sign_in(HOME, "ann").await;
    let _ = world.get(&at_host(&sign_in(&world, &again).await.ok()), "/v1/tenants/acme/me").await.ok();
    let close = format!("/v1/tenants/agency/users/{}", again.user());
    let _ = world.call(&Person::operator(), Method::DELETE, &close, Value::Null).await.ok();
    assert_eq!(sign_in(&world, &again).await.problem(), (401, "deactivated"));
    world.end().await;
}

#[tokio::test]
async fn nobody_in_particular_is_no_guest_and_neither_is_whom_the_host_put_out() {
    let world = world_with_an_agency().await;
    let visitor = world.visitor(HOME).await;
    make_guest(&world, &visitor).await;
    assert_eq!(sign_in(&world, &visitor).await.problem(), (403, "forbidden"), "anonymous");
    assert_eq!(sign_in(&world, &Person::nobody()).await.problem(), (401, "unauthorized"));
    assert_eq!(sign_in(&world, &Person::operator()).await.problem(), (403, "forbidden"));
    let key = world.integration(HOME, &["manage_users"]).await;
    assert_eq!(sign_in(&world, &key).await.problem(), (403, "wrong_tenant"));
    let ann = world.customer(HOME, "ann").await;
    let guest = make_guest(&world, &ann).await;
    let signed_in = at_host(&sign_in(&world, &ann).await.ok());
    let _ = world.call(&Person::operator(), Method::DELETE, &format!("/v1/tenants/acme/users/{guest}"), Value::Null).await.ok();
    assert_eq!(world.get(&signed_in, "/v1/tenants/acme/me").await.problem(), (401, "deactivated"));
    assert_eq!(sign_in(&world, &ann).await.problem(), (403, "wrong_tenant"));
    let body = json!({"tenant": HOME, "user": ann.user().to_string(), "display_name": "ann"});
    assert_eq!(world.post(&Person::operator(), "/v1/tenants/acme/guests", body).await.problem(), (409, "deactivated"));
    world.end().await;
}

#[tokio::test]
async fn guests_are_made_by_those_who_manage_customers_and_claimed_in_no_other_way() {
    let world = world_with_an_agency().await;
    let ann = world.staff(HOME, Role::Agent, "ann").await;
    let body = json!({"tenant": HOME, "user": ann.user().to_string(), "display_name": "ann"});
    let path = "/v1/tenants/acme/guests";
    let supervisor = world.staff(ACME, Role::Supervisor, "boss").await;
    assert_eq!(world.post(&supervisor, path, body.clone()).await.problem(), (403, "forbidden"));
    let rival = world.staff(HOME, Role::TenantAdmin, "rival").await;
    assert_eq!(world.post(&rival, path, body.clone()).await.problem(), (403, "wrong_tenant"));
    for maker in [world.staff(ACME, Role::TenantAdmin, "admin").await, world.integration(ACME, &["manage_users"]).await] {
        let _ = world.post(&maker, path, body.clone()).await.ok();
    }
    let own = json!({"tenant": ACME, "user": supervisor.user().to_string(), "display_name": "x"});
    assert_eq!(world.post(&Person::operator(), path, own).await.problem(), (422, "invalid_value"));
    let account = json!({"provider": "kefu", "account": format!("agency/{}", ann.user())});
    let map = format!("/v1/tenants/acme/users/{}/accounts", supervisor.user());
    assert_eq!(world.post(&Person::operator(), &map, account.clone()).await.problem(), (422, "invalid_value"));
    let mint = json!({"provider": "kefu", "account": format!("agency/{}", ann.user()), "display_name": "x"});
    assert_eq!(world.post(&Person::operator(), "/v1/tenants/acme/customers/mint", mint).await.problem(), (422, "invalid_value"));
    let user = json!({"role": "agent", "display_name": "x", "account": account});
    assert_eq!(world.post(&Person::operator(), "/v1/tenants/acme/users", user).await.problem(), (422, "invalid_value"));
    world.end().await;
}

#[tokio::test]
async fn a_guest_sees_the_threads_they_are_in_and_nothing_else_of_the_host() {
    let world = world_with_an_agency().await;
    let alice = world.staff(ACME, Role::Agent, "alice").await;
    let ann = world.staff(HOME, Role::TenantAdmin, "ann").await;
    let guest_id = make_guest(&world, &ann).await;
    let guest = at_host(&sign_in(&world, &ann).await.ok());
    let make =
        |members: Value| world.post(&alice, "/v1/tenants/acme/threads", json!({"title": "x", "label": "merchant", "members": members}));
    let own = make(json!([{"user": guest_id, "label": "influencer"}])).await.ok()["id"].as_str().unwrap().to_owned();
    let other = make(json!([])).await.ok()["id"].as_str().unwrap().to_owned();
    let buyer = world.customer(ACME, "li").await;
    let (chat, conversation) = world.open_chat(&buyer).await;
    let _ = world.get(&guest, &format!("/v1/tenants/acme/chats/{own}")).await.ok();
    for path in [
        format!("/chats/{other}"),
        format!("/chats/{other}/messages"),
        format!("/threads/{other}"),
        format!("/chats/{chat}"),
        format!("/chats/{chat}/messages"),
        format!("/conversations/{conversation}"),
        format!("/users/{}", buyer.user()),
        "/users".to_owned(),
        "/queue".to_owned(),
        "/agents".to_owned(),
    ] {
        assert_eq!(world.get(&guest, &format!("/v1/tenants/acme{path}")).await.problem(), (403, "forbidden"), "{path}");
    }
    assert_eq!(world.get(&guest, "/v1/tenants/acme/conversations").await.ok()["data"], json!([]));
    assert_eq!(world.get(&guest, "/v1/tenants/acme/threads").await.ok()["data"].as_array().unwrap().len(), 1);
    // Being an administrator at home is nothing here.
    let rename = world.call(&guest, Method::PUT, &format!("/v1/tenants/acme/threads/{own}/title"), json!({"title": "mine"})).await;
    assert_eq!(rename.problem(), (403, "not_permitted"));
    assert_eq!(world.get(&ann, &format!("/v1/tenants/acme/threads/{own}")).await.problem(), (403, "wrong_tenant"));
    assert_eq!(world.get(&ann, &format!("/v1/tenants/agency/threads/{own}")).await.problem(), (404, "not_found"), "it lies at the host");
    world.end().await;
}
