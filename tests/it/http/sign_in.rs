//! Signing in, staying signed in, and what cannot be assumed.

use axum::http::{Method, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::time::Millis;
use domain::user::event::Role;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tests::people::{PASSWORD, Person};
use tests::world::socket::Socket;
use tests::world::{ACME, BEGINNING, World, id};

const SECRET: &[u8; 32] = b"an identity secret of acme's own";

async fn with_identity_secret() -> World {
    let world = World::new().await;
    let body = json!({"secret": STANDARD.encode(SECRET)});
    let _ = world.call(&Person::operator(), Method::PUT, "/v1/tenants/acme/identity-secret", body).await.ok();
    world
}

fn identity(sub: &str, audience: &str) -> String {
    let claims = json!({"sub": sub, "name": "Li", "aud": audience, "exp": BEGINNING.0 / 1_000 + 60});
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(SECRET)).expect("HS256 signs anything")
}

async fn sign_in_as(world: &World, who: &Person, token: &str) -> tests::world::Reply {
    world.post(who, "/v1/tenants/acme/customers/sign-in", json!({"identity_token": token})).await
}

async fn me(world: &World, who: &Person) -> tests::world::Reply {
    world.get(who, "/v1/tenants/acme/me").await
}

#[tokio::test]
async fn staff_sign_in_with_a_password_and_nobody_without_the_right_one() {
    let world = World::new().await;
    let alice = world.staff(ACME, Role::Agent, "alice").await;
    assert_eq!(me(&world, &alice).await.ok()["display_name"], "alice");
    for (login, password) in [("alice", "wrong password"), ("nobody", PASSWORD), ("", "")] {
        let reply = world.post(&Person::nobody(), "/v1/tenants/acme/sign-in", json!({"login": login, "password": password})).await;
        assert_eq!(reply.problem(), (401, "wrong_credentials"), "{login}");
    }
    let elsewhere = json!({"login": "alice", "password": PASSWORD});
    assert_eq!(world.post(&Person::nobody(), "/v1/tenants/other/sign-in", elsewhere).await.problem(), (401, "wrong_credentials"));
    world.end().await;
}

#[tokio::test]
async fn a_customer_says_what_language_they_speak_unless_the_tenant_knows() {
    let world = with_identity_secret().await;
    let admin = world.staff(ACME, Role::TenantAdmin, "admin").await;
    let spoken = async |user: &Value| {
        let path = format!("/v1/tenants/acme/users/{}/description", user.as_str().unwrap());
        world.get(&admin, &path).await.ok()["language"].clone()
    };
    let path = "/v1/tenants/acme/customers/sign-in";
    let visitor = world.post(&Person::nobody(), path, json!({"language": "en"})).await.ok();
    let silent = world.post(&Person::nobody(), path, json!({})).await.ok();
    world.settle().await;
    assert_eq!((spoken(&visitor["user"]).await, spoken(&silent["user"]).await), (json!("en"), Value::Null));
    for (said, known) in [("zh-CN", "zh-CN"), ("en", "zh-CN")] {
        let body = json!({"identity_token": identity("u-1", "acme"), "language": said});
        let li = world.post(&Person::nobody(), path, body).await.ok();
        world.settle().await;
        assert_eq!(spoken(&li["user"]).await, known, "what is known stays");
    }
    assert_eq!(world.post(&Person::nobody(), path, json!({"language": "no tongue at all"})).await.problem(), (400, "invalid_field"));
    world.end().await;
}

#[tokio::test]
async fn an_old_token_in_the_header_keeps_nobody_from_signing_in() {
    let world = World::new().await;
    let alice = world.staff(ACME, Role::Agent, "alice").await;
    world.clock.pass(Millis::hours(1));
    assert_eq!(me(&world, &alice).await.problem(), (401, "expired"));
    let body = json!({"login": "alice", "password": PASSWORD});
    assert_eq!(world.post(&alice, "/v1/tenants/acme/sign-in", body).await.status, StatusCode::OK);
    world.end().await;
}

#[tokio::test]
async fn an_access_token_is_good_for_fifteen_minutes_and_is_refreshed() {
    let world = World::new().await;
    let alice = world.staff(ACME, Role::Agent, "alice").await;
    world.clock.pass(Millis(15 * 60_000 - 1));
    let _ = me(&world, &alice).await.ok();
    world.clock.pass(Millis(1));
    assert_eq!(me(&world, &alice).await.problem(), (401, "expired"));
    let body = json!({"refresh_token": alice.account().refresh_token});
    let answer = world.post(&Person::nobody(), "/v1/tenants/acme/token/refresh", body).await.ok();
    let refreshed = Person::signed_in("alice", id(ACME), &answer);
    assert_eq!(refreshed.account().session, alice.account().session);
    let _ = me(&world, &refreshed).await.ok();
    world.end().await;
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_a_copy_ends_the_sign_in() {
    let world = World::new().await;
    let alice = world.staff(ACME, Role::Agent, "alice").await;
    let refresh = json!({"refresh_token": alice.account().refresh_token});
    let path = "/v1/tenants/acme/token/refresh";
    let next = world.post_once(&Person::nobody(), "key-1", path, refresh.clone()).await.ok();
    let retried = world.post_once(&Person::nobody(), "key-1", path, refresh.clone()).await.ok();
    assert_eq!(next["refresh_token"], retried["refresh_token"], "a retry under the same key is no copy");
    assert_eq!(world.post(&Person::nobody(), path, refresh).await.problem(), (401, "invalid_refresh_token"));
    let refreshed = Person::signed_in("alice", id(ACME), &next);
    assert_eq!(me(&world, &refreshed).await.problem(), (401, "revoked"));
    let body = json!({"refresh_token": refreshed.account().refresh_token});
    assert_eq!(world.post(&Person::nobody(), path, body).await.problem(), (401, "invalid_refresh_token"));
    world.end().await;
}

#[tokio::test]
async fn a_sign_in_that_was_not_refreshed_for_thirty_days_is_over() {
    let world = World::new().await;
    let li = world.customer(ACME, "li").await;
    let body = json!({"refresh_token": li.account().refresh_token});
    world.clock.pass(Millis::days(30));
    let reply = world.post(&Person::nobody(), "/v1/tenants/acme/token/refresh", body).await;
    assert_eq!(reply.problem(), (401, "invalid_refresh_token"));
    world.end().await;
}

#[tokio::test]
async fn signing_out_ends_this_sign_in_at_once_and_no_other() {
    let world = World::new().await;
    let (phone, tablet) = (world.customer(ACME, "li").await, world.customer(ACME, "li").await);
    let _ = world.post(&phone, "/v1/tenants/acme/sign-out", json!({})).await.ok();
    let reply = world.call(&phone, Method::GET, "/v1/tenants/acme/me", Value::Null).await;
    assert_eq!(reply.problem(), (401, "revoked"));
    let sessions = world.get(&tablet, &format!("/v1/tenants/acme/users/{}/sessions", tablet.user())).await.ok();
    let ids: Vec<_> = sessions["data"].as_array().unwrap().iter().map(|session| session["id"].clone()).collect();
    assert_eq!(ids, [json!(tablet.account().session.to_string())]);
    world.end().await;
}

#[tokio::test]
async fn a_customer_is_who_the_tenants_token_says_and_the_same_each_time() {
    let world = with_identity_secret().await;
    let answer = sign_in_as(&world, &Person::nobody(), &identity("buyer-1", ACME)).await.ok();
    let again = sign_in_as(&world, &Person::nobody(), &identity("buyer-1", ACME)).await.ok();
    let other = sign_in_as(&world, &Person::nobody(), &identity("buyer-2", ACME)).await.ok();
    assert_eq!(answer["user"], again["user"]);
    assert_ne!(answer["user"], other["user"]);
    let li = Person::signed_in("li", id(ACME), &answer);
    let account = me(&world, &li).await.ok();
    assert_eq!((&account["display_name"], &account["anonymous"], &account["role"]), (&json!("Li"), &json!(false), &json!("customer")));
    world.end().await;
}

#[tokio::test]
async fn two_first_sign_ins_at_the_same_moment_meet_in_one_account() {
    let world = with_identity_secret().await;
    let token = identity("buyer-1", ACME);
    let nobody = Person::nobody();
    let (one, other) = tokio::join!(sign_in_as(&world, &nobody, &token), sign_in_as(&world, &nobody, &token));
    assert_eq!(one.ok()["user"], other.ok()["user"]);
    world.end().await;
}

#[tokio::test]
async fn an_identity_token_for_another_tenant_or_under_another_secret_is_refused() {
    let world = with_identity_secret().await;
    world.make_tenant("rival").await;
    let reply = sign_in_as(&world, &Person::nobody(), &identity("buyer-1", "rival")).await;
    assert_eq!(reply.problem(), (401, "invalid_identity_token"));
    let body = json!({"identity_token": identity("buyer-1", "rival")});
    let reply = world.post(&Person::nobody(), "/v1/tenants/rival/customers/sign-in", body).await;
    assert_eq!(reply.problem(), (401, "invalid_identity_token"), "rival accepts none");
    world.clock.pass(Millis::minutes(3));
    let reply = sign_in_as(&world, &Person::nobody(), &identity("buyer-1", ACME)).await;
    assert_eq!(reply.problem(), (401, "invalid_identity_token"), "its time is over");
    let body = json!({"secret": STANDARD.encode([9; 32])});
    let _ = world.call(&Person::operator(), Method::PUT, "/v1/tenants/acme/identity-secret", body).await.ok();
    let fresh = json!({"sub": "buyer-1", "aud": ACME, "exp": BEGINNING.0 / 1_000 + 3_600});
    let old = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &fresh, &EncodingKey::from_secret(SECRET)).unwrap();
    assert_eq!(sign_in_as(&world, &Person::nobody(), &old).await.problem(), (401, "invalid_identity_token"));
    let new = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &fresh, &EncodingKey::from_secret(&[9; 32])).unwrap();
    let _ = sign_in_as(&world, &Person::nobody(), &new).await.ok();
    world.end().await;
}

#[tokio::test]
async fn a_visitor_becomes_identified_by_both_proofs_in_one_request() {
    let world = with_identity_secret().await;
    let visitor = world.visitor(ACME).await;
    let (chat, _) = world.open_chat(&visitor).await;
    let _ = world.say(&visitor, &chat, "who am I").await.ok();
    let answer = sign_in_as(&world, &visitor, &identity("buyer-1", ACME)).await.ok();
    let li = Person::signed_in("li", id(ACME), &answer);
    let reply = me(&world, &visitor).await;
    assert_eq!(reply.problem(), (401, "deactivated"), "the anonymous sign-in is over");
    let messages = world.get(&li, &format!("/v1/tenants/acme/chats/{chat}/messages")).await.ok();
    assert_eq!(messages["data"][0]["content"], "who am I");
    let opened = world.post(&li, "/v1/tenants/acme/chats", json!({"shop": tests::world::SHOP})).await.ok();
    assert_eq!(opened["chat"], chat.as_str(), "the chat with this shop goes on");
    world.end().await;
}

#[tokio::test]
async fn a_visitor_can_assume_no_identity_by_themself() {
    let world = with_identity_secret().await;
    let visitor = world.visitor(ACME).await;
    let li = world.customer(ACME, "li").await;
    let merge = format!("/v1/tenants/acme/users/{}/merge", visitor.user());
    let body = json!({"into": li.user().to_string()});
    assert_eq!(world.post(&visitor, &merge, body.clone()).await.problem(), (403, "forbidden"));
    assert_eq!(world.post(&li, &merge, body).await.problem(), (403, "forbidden"));
    let mint = json!({"provider": "shop", "account": "li", "display_name": "x"});
    assert_eq!(world.post(&visitor, "/v1/tenants/acme/customers/mint", mint).await.problem(), (403, "forbidden"));
    let forged = jsonwebtoken::encode(
        &Header::new(Algorithm::HS256),
        &json!({"sub": "li", "aud": ACME, "exp": BEGINNING.0 / 1_000 + 60}),
        &EncodingKey::from_secret(visitor.token.as_ref().unwrap().as_bytes()),
    );
    assert_eq!(sign_in_as(&world, &visitor, &forged.unwrap()).await.problem(), (401, "invalid_identity_token"));
    // An identified customer who presents another identity is refused: only an anonymous one is merged.
    let reply = sign_in_as(&world, &li, &identity("buyer-1", ACME)).await;
    assert_eq!(reply.problem(), (409, "not_anonymous"));
    world.end().await;
}

#[tokio::test]
async fn an_api_key_does_what_its_scope_says_until_it_is_revoked() {
    let world = World::new().await;
    let key = world.integration(ACME, &["mint_identities"]).await;
    let mint = json!({"provider": "shop", "account": "li", "display_name": "Li"});
    let path = "/v1/tenants/acme/customers/mint";
    let minted = world.post(&key, path, mint.clone()).await.ok();
    assert_eq!(minted["user"], world.post(&key, path, mint.clone()).await.ok()["user"]);
    assert_eq!(world.get(&key, "/v1/tenants/acme/users").await.problem(), (403, "forbidden"));
    let tenant = world.get(&Person::operator(), "/v1/tenants/acme").await.ok();
    let id = tenant["api_keys"][0]["id"].as_str().unwrap();
    let _ = world.call(&Person::operator(), Method::DELETE, &format!("/v1/tenants/acme/api-keys/{id}"), Value::Null).await.ok();
    assert_eq!(world.post(&key, path, mint).await.problem(), (401, "invalid_token"));
    for wrong in ["kk_", "kk_x_y", "kk_01900000000070008000000000000001_acme.00"] {
        let reply = world.get(&Person::integration("wrong", wrong.to_owned()), "/v1/tenants/acme").await;
        assert_eq!(reply.problem(), (401, "invalid_token"), "{wrong}");
    }
    world.end().await;
}

#[tokio::test]
async fn minting_never_goes_together_with_talking_to_customers() {
    let world = World::new().await;
    for scope in ["reception", "robot", "provider"] {
        let body = json!({"title": "x", "scopes": ["mint_identities", scope]});
        let reply = world.post(&Person::operator(), "/v1/tenants/acme/api-keys", body).await;
        assert_eq!(reply.problem(), (422, "scopes_do_not_go_together"), "{scope}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_device_that_the_policy_does_not_allow_beside_another_ends_it_and_tells_why() {
    let mut world = World::new().await;
    let policy = json!({"role": "agent", "devices_max": 3, "kicks": [{"newcomer": "mobile", "ends": ["mobile", "tablet"]}]});
    let path = "/v1/tenants/acme/device-policies";
    let _ = world.call(&Person::operator(), Method::PUT, path, policy.clone()).await.ok();
    assert_eq!(world.get(&Person::operator(), "/v1/tenants/acme").await.ok()["device_policies"], json!([policy]));
    let desk = world.staff(ACME, Role::Agent, "alice").await;
    let user = desk.user();
    let on = async |world: &World, kind: &str| {
        let body = json!({"login": "alice", "password": PASSWORD, "device_kind": kind});
        Person::signed_in(kind, id(ACME), &world.post(&Person::nobody(), "/v1/tenants/acme/sign-in", body).await.ok())
    };
    let tablet = on(&world, "tablet").await;
    let mut kicked = Socket::hello(&mut world, &tablet, 0).await;
    let mut stays = Socket::hello(&mut world, &desk, 0).await;
    let telephone = on(&world, "mobile").await;
    assert_eq!(kicked.farewell().await, (json!("superseded"), json!(4401)));
    assert_eq!(me(&world, &tablet).await.problem().0, 401);
    stays.send(json!({"t": "ping"})).await;
    assert_eq!(stays.next_of("pong").await["t"], "pong");
    let sessions = world.get(&telephone, &format!("/v1/tenants/acme/users/{user}/sessions")).await.ok();
    let mut kinds: Vec<&str> =
        sessions["data"].as_array().unwrap().iter().map(|session| session["device_kind"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["mobile", "other"]);
    // Customers are not held to what agents are.
    let customers = [world.customer(ACME, "li").await, world.customer(ACME, "li").await];
    for customer in &customers {
        let _ = me(&world, customer).await.ok();
    }
    let unsound = world.call(&Person::operator(), Method::PUT, path, json!({"role": "agent", "devices_max": 0})).await;
    assert_eq!(unsound.problem(), (422, "device_policy_unsound"));
    stays.leave().await;
    world.end().await;
}
