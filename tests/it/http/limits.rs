//! What is full says so at once and takes nothing; the error table speaks with one voice.

use adapters::config::{AddressesConfig, Config};
use adapters::http::error::{ApiError, of_command};
use application::error::CommandError;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use domain::time::Millis;
use domain::user::event::Role;
use serde_json::{Value, json};
use tests::people::{PASSWORD, Person};
use tests::world::endpoint::Signer;
use tests::world::socket::Socket;
use tests::world::{ACME, Reply, World};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Error;

#[test]
fn whatever_may_succeed_later_says_so() {
    for (error, status, code, retry) in [
        (CommandError::Busy, 429, "busy", true),
        (CommandError::OverQuota, 429, "over_quota", true),
        (CommandError::Contended, 503, "contended", true),
        (CommandError::Unavailable { reason: "no space left on /secret/path".to_owned() }, 503, "unavailable", true),
        (CommandError::InDoubt, 503, "in_doubt", true),
        (CommandError::NotOwner, 503, "not_owner", true),
        (CommandError::ShuttingDown, 503, "shutting_down", true),
        (CommandError::IdempotencyMismatch, 422, "idempotency_key_reused", false),
        (CommandError::Damaged { place: "log/1".to_owned() }, 500, "damaged", false),
        (CommandError::Gone, 410, "gone", false),
        (CommandError::Erased, 410, "erased", false),
        (CommandError::TooLarge, 413, "too_large", false),
    ] {
        let verdict = of_command(&error);
        assert_eq!((verdict.status.as_u16(), verdict.code, verdict.retry), (status, code, retry), "{error}");
        let detail = ApiError::Command(error).detail();
        assert!(!detail.contains("secret") && !detail.contains("log/1"), "{detail}");
    }
}

#[tokio::test]
async fn a_tenant_over_its_quota_is_refused_at_the_door_and_its_neighbour_is_not() {
    let world = World::new().await;
    world.make_tenant("other").await;
    let limits = json!({"messages_per_second": 3});
    let _ = world.call(&Person::operator(), Method::PUT, "/v1/tenants/acme/limits", limits).await.ok();
    let (storm, quiet) = (world.customer(ACME, "storm").await, world.customer("other", "quiet").await);
    let (chat, _) = world.open_chat(&storm).await;
    let (elsewhere, _) = world.open_chat(&quiet).await;
    for _ in 0..3 {
        let _ = world.say(&storm, &chat, "again").await.ok();
    }
    let refused = world.say(&storm, &chat, "again").await;
    assert_eq!(refused.problem(), (429, "over_quota"));
    assert!(refused.headers.contains_key("retry-after"));
    let _ = world.say(&quiet, &elsewhere, "hello").await.ok();
    // Reading is not posting.
    let _ = world.post(&storm, &format!("/v1/tenants/acme/chats/{chat}/read"), json!({"seq": 3})).await.ok();
    world.clock.pass(Millis(334));
    let _ = world.say(&storm, &chat, "again").await.ok();
    assert_eq!(world.say(&storm, &chat, "again").await.problem(), (429, "over_quota"));
    world.end().await;
}

#[test]
fn what_failed_inside_is_not_told_outside() {
    let error = ApiError::Hashing;
    assert_eq!(error.verdict().status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(error.detail(), "the request failed inside the server; the cause was logged");
}

/// A world behind a proxy that is believed, with these limits: a test says from which address a request comes.
async fn limited(addresses: AddressesConfig) -> World {
    let mut config = Config { addresses, ..Config::default() };
    config.http.trusted_proxies = ["0.0.0.0".parse().unwrap()].into_iter().collect();
    let world = World::with_config(config).await;
    world.make_tenant(ACME).await;
    world
}

async fn from(world: &World, address: &str, who: &Person, method: Method, path: &str, body: Value) -> Reply {
    let request = Request::builder().method(method).uri(path).header("x-forwarded-for", address);
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    world.send(request.header(header::CONTENT_TYPE, "application/json").body(body).unwrap(), who).await
}

fn retry_after(reply: &Reply) -> &str {
    reply.headers.get(header::RETRY_AFTER).unwrap_or_else(|| panic!("{} says no time", reply.status)).to_str().unwrap()
}

const GUESSER: &str = "203.0.113.9";
const ELSEWHERE: &str = "203.0.113.10";

fn with_token(token: &str) -> Person {
    Person { token: Some(token.to_owned()), ..Person::nobody() }
}

#[tokio::test]
async fn whoever_fails_too_often_is_told_to_wait_and_those_with_a_credential_are_served() {
    let world = limited(AddressesConfig { attempts_at_once: 5, attempts_per_minute: 6, ..AddressesConfig::default() }).await;
    let alice = world.staff(ACME, Role::Agent, "alice").await;
    let key = world.integration(ACME, &["read_conversations"]).await;
    let login = |password: &str| json!({"login": "alice", "password": password});
    let nobody = Person::nobody();
    let sign_in = |address, password: &str| from(&world, address, &nobody, Method::POST, "/v1/tenants/acme/sign-in", login(password));
    let own = |who: Person, address: &'static str| {
        let world = &world;
        async move { from(world, address, &who, Method::GET, "/v1/tenants/acme/me", Value::Null).await }
    };
    // Each way of failing counts.
    assert_eq!(sign_in(GUESSER, "a guess").await.problem(), (401, "wrong_credentials"));
    assert_eq!(own(with_token("nonsense"), GUESSER).await.problem(), (401, "invalid_token"));
    assert_eq!(own(with_token("kk_nonsense"), GUESSER).await.problem(), (401, "invalid_token"));
    assert_eq!(own(Person::nobody(), GUESSER).await.problem(), (401, "unauthorized"));
    let refresh = json!({"refresh_token": "kr_nonsense"});
    let refreshed = from(&world, GUESSER, &Person::nobody(), Method::POST, "/v1/tenants/acme/token/refresh", refresh.clone()).await;
    assert_eq!(refreshed.problem(), (401, "invalid_refresh_token"));
    // Then nothing is told any more.
    let refused = own(with_token("nonsense"), GUESSER).await;
    assert_eq!((refused.problem(), retry_after(&refused)), ((429, "too_many_attempts"), "10"));
    assert_eq!(own(Person::nobody(), GUESSER).await.problem(), (429, "too_many_attempts"));
    assert_eq!(sign_in(GUESSER, PASSWORD).await.problem(), (429, "too_many_attempts"), "a right guess is not told");
    assert_eq!(own(Person::operator(), GUESSER).await.problem(), (429, "too_many_attempts"), "nor is the operator's key");
    let refreshed = from(&world, GUESSER, &Person::nobody(), Method::POST, "/v1/tenants/acme/token/refresh", refresh).await;
    assert_eq!(refreshed.problem(), (429, "too_many_attempts"));
    // Their neighbours behind the same address notice nothing, and others may fail.
    assert_eq!(own(alice.clone(), GUESSER).await.status, StatusCode::OK);
    let listed = from(&world, GUESSER, &key, Method::GET, "/v1/tenants/acme/conversations", Value::Null).await;
    assert_eq!(listed.status, StatusCode::OK);
    let renewed = json!({"refresh_token": alice.account().refresh_token});
    let renewed = from(&world, GUESSER, &Person::nobody(), Method::POST, "/v1/tenants/acme/token/refresh", renewed).await;
    assert_eq!(renewed.status, StatusCode::OK);
    assert_eq!(own(with_token("nonsense"), ELSEWHERE).await.problem(), (401, "invalid_token"));
    world.clock.pass(Millis::seconds(10));
    assert_eq!(sign_in(GUESSER, PASSWORD).await.status, StatusCode::OK, "whatever succeeds takes nothing");
    assert_eq!(sign_in(GUESSER, PASSWORD).await.status, StatusCode::OK);
    world.end().await;
}

#[tokio::test]
async fn only_a_proxy_that_is_named_says_where_somebody_comes_from() {
    let addresses = AddressesConfig { attempts_at_once: 1, ..AddressesConfig::default() };
    let world = World::with_config(Config { addresses, ..Config::default() }).await;
    let nobody = Person::nobody();
    let guess = |address| from(&world, address, &nobody, Method::GET, "/v1/tenants", Value::Null);
    assert_eq!(guess(GUESSER).await.problem(), (401, "unauthorized"));
    assert_eq!(guess(ELSEWHERE).await.problem(), (429, "too_many_attempts"), "another address is only claimed");
    world.end().await;
}

#[tokio::test]
async fn what_was_valid_once_is_no_attempt() {
    let world = limited(AddressesConfig { attempts_at_once: 1, ..AddressesConfig::default() }).await;
    let li = world.customer(ACME, "li").await;
    world.clock.pass(Millis::minutes(16));
    for _ in 0..5 {
        let told = from(&world, GUESSER, &li, Method::GET, "/v1/tenants/acme/me", Value::Null).await;
        assert_eq!(told.problem(), (401, "expired"));
    }
    world.end().await;
}

#[tokio::test]
async fn so_many_anonymous_customers_come_from_one_address_at_once() {
    let world = limited(AddressesConfig { anonymous_at_once: 2, anonymous_per_minute: 60, ..AddressesConfig::default() }).await;
    let nobody = Person::nobody();
    let visit = |address| from(&world, address, &nobody, Method::POST, "/v1/tenants/acme/customers/sign-in", json!({}));
    assert_eq!((visit(GUESSER).await.status, visit(GUESSER).await.status), (StatusCode::OK, StatusCode::OK));
    let refused = visit(GUESSER).await;
    assert_eq!((refused.problem(), retry_after(&refused)), ((429, "too_many_sign_ins"), "1"));
    assert_eq!(visit(ELSEWHERE).await.status, StatusCode::OK);
    world.clock.pass(Millis::seconds(1));
    assert_eq!(visit(GUESSER).await.status, StatusCode::OK);
    assert_eq!(visit(GUESSER).await.problem(), (429, "too_many_sign_ins"));
    world.end().await;
}

#[tokio::test]
async fn wrong_signatures_are_attempts_and_a_right_one_is_believed_all_the_same() {
    let world = limited(AddressesConfig { attempts_at_once: 2, ..AddressesConfig::default() }).await;
    let signer = Signer::connect(&world, ACME, "wechat", "https://shop.example/hook").await;
    let unsigned = || Request::post(format!("{}/ready", signer.path)).body(Body::from("{}")).unwrap();
    for expected in [(401, "invalid_signature"), (401, "invalid_signature"), (429, "too_many_attempts")] {
        assert_eq!(world.send(unsigned(), &Person::nobody()).await.problem(), expected);
    }
    assert_eq!(signer.send(&world, "ready", "r1", json!({})).await.status, StatusCode::OK);
    world.end().await;
}

/// Status and code of an upgrade that must be refused.
async fn refused_upgrade(address: std::net::SocketAddr) -> (u16, Value) {
    match connect_async(format!("ws://{address}/v1/ws")).await {
        Err(Error::Http(response)) => {
            assert!(response.headers().contains_key(header::RETRY_AFTER));
            let body = serde_json::from_slice(response.body().as_deref().unwrap_or_default()).unwrap_or(Value::Null);
            (response.status().as_u16(), body["code"].clone())
        }
        other => panic!("the upgrade is not refused: {:?}", other.map(|_| ())),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_many_sockets_are_open_from_one_address() {
    let config = Config { addresses: AddressesConfig { sockets_max: 2, ..AddressesConfig::default() }, ..Config::default() };
    let mut world = World::with_config(config).await;
    world.make_tenant(ACME).await;
    let li = world.customer(ACME, "li").await;
    let first = Socket::hello(&mut world, &li, 0).await;
    let mut silent = Socket::connect(world.serve().await).await;
    assert_eq!(refused_upgrade(world.serve().await).await, (429, json!("too_many_sockets")));
    // One that ends makes room: with its farewell, a moment later.
    silent.send(json!({"t": "hello"})).await;
    let _ = silent.farewell().await;
    let address = world.serve().await;
    while let Err(error) = connect_async(format!("ws://{address}/v1/ws")).await {
        assert!(matches!(error, Error::Http(_)), "{error}");
        tokio::task::yield_now().await;
    }
    first.leave().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_says_hello_with_a_wrong_token_too_often_is_not_let_in_to_say_it_again() {
    let config = Config { addresses: AddressesConfig { attempts_at_once: 3, ..AddressesConfig::default() }, ..Config::default() };
    let mut world = World::with_config(config).await;
    world.make_tenant(ACME).await;
    let address = world.serve().await;
    for hello in [json!({"t": "hello"}), json!({"t": "hello", "token": "nonsense"}), json!({"t": "ping"})] {
        let mut socket = Socket::connect(address).await;
        socket.send(hello).await;
        let _ = socket.farewell().await;
    }
    assert_eq!(refused_upgrade(address).await, (429, json!("too_many_attempts")));
    world.clock.pass(Millis::seconds(1));
    let li = world.customer(ACME, "li").await;
    let socket = Socket::hello(&mut world, &li, 0).await;
    socket.leave().await;
    world.end().await;
}
