//! Connecting a robot, and what a tenant may write down.

use super::*;

const ROBOTS: &str = "/v1/tenants/acme/robots";
const URL: &str = "https://robots.example/ask";

async fn put(world: &World, robot: &str, body: Value) -> tests::world::Reply {
    world.call(&Person::operator(), Method::PUT, &format!("{ROBOTS}/{robot}"), body).await
}

fn over_http() -> Value {
    json!({"protocol": "http", "url": URL, "uses": ["seat"]})
}

fn language_model() -> Value {
    json!({"protocol": "chat_completions", "url": URL, "model": "guide-7b", "system": "Be kind.", "uses": ["assist", "seat"]})
}

fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

#[tokio::test]
async fn its_secret_is_shown_once_and_a_key_never() {
    let world = World::new().await;
    let first = put(&world, "orders", over_http()).await.ok();
    let secret = first["secret"].as_str().unwrap();
    assert!(SigningKey::parse(secret).is_some(), "whsec_ and base64");
    assert_eq!(put(&world, "orders", over_http()).await.ok()["secret"], Value::Null);
    let rotated = put(&world, "orders", with(over_http(), "rotate", json!(true))).await.ok();
    assert!(rotated["secret"].is_string() && rotated["secret"] != secret);
    let model = with(with(language_model(), "api_key", json!("sk-123")), "timeout_ms", json!(20_000));
    assert_eq!(put(&world, "guide", model).await.ok()["secret"], Value::Null);
    let listed = world.get(&Person::operator(), ROBOTS).await.ok();
    assert!(!listed.to_string().contains("sk-123") && !listed.to_string().contains("whsec_"));
    let connected_at = world.clock_ms();
    let orders = json!({"robot": "orders", "protocol": "http", "url": URL, "model": null, "system": null, "has_secret": true,
        "uses": ["seat"], "timeout_ms": 10_000, "connected_at": connected_at});
    let guide = json!({"robot": "guide", "protocol": "chat_completions", "url": URL, "model": "guide-7b", "system": "Be kind.",
        "has_secret": true, "uses": ["seat", "assist"], "timeout_ms": 20_000, "connected_at": connected_at});
    assert_eq!(listed["data"], json!([orders, guide]));
    world.end().await;
}

#[tokio::test]
async fn what_a_tenant_may_not_write_down_is_refused() {
    let world = World::new().await;
    for url in ["http://robots.example/", "https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest", "ftp://x", "x", ""] {
        assert_eq!(put(&world, "r", with(over_http(), "url", json!(url))).await.problem(), (422, "invalid_value"), "{url}");
    }
    for (body, problem) in [
        (with(over_http(), "uses", json!([])), (422, "invalid_value")),
        (with(over_http(), "uses", json!(["chef"])), (400, "invalid_field")),
        (with(over_http(), "protocol", json!("telnet")), (400, "invalid_field")),
        (with(over_http(), "timeout_ms", json!(0)), (422, "limit_out_of_range")),
        (with(over_http(), "timeout_ms", json!(60_001)), (422, "limit_out_of_range")),
        (with(over_http(), "api_key", json!("sk-1")), (422, "invalid_value")),
        (with(over_http(), "model", json!("guide-7b")), (422, "invalid_value")),
        (with(over_http(), "more", json!(1)), (400, "unknown_field")),
        (with(language_model(), "model", Value::Null), (422, "invalid_value")),
        (with(language_model(), "rotate", json!(true)), (422, "invalid_value")),
        (with(language_model(), "api_key", json!("two words")), (422, "invalid_value")),
    ] {
        assert_eq!(put(&world, "r", body.clone()).await.problem(), problem, "{body}");
    }
    assert_eq!(put(&world, "faq", over_http()).await.problem(), (409, "robot_name_taken"));
    assert_eq!(put(&world, "Guide", over_http()).await.problem(), (400, "invalid_id"));
    let supervisor = world.staff(ACME, Role::Supervisor, "sup").await;
    assert_eq!(world.call(&supervisor, Method::GET, ROBOTS, Value::Null).await.problem(), (403, "forbidden"));
    world.end().await;
}

#[tokio::test]
async fn flows_name_robots_that_are_seats_and_whoever_is_given_to_one_that_is_gone_has_a_human() {
    let shop = Shop::open(Says::Json(json!({"answer": "今天发货。"}))).await;
    let publish = async |seat: &str| {
        let flow = json!({"text": FLOW.replace("guide", seat)});
        shop.world.call(&shop.admin, Method::PUT, "/v1/tenants/acme/flows/reception", flow).await
    };
    assert_eq!(publish("nobody").await.problem(), (422, "flow_faulty"));
    let _ = put(&shop.world, "helper", with(over_http(), "uses", json!(["assist"]))).await.ok();
    assert_eq!(publish("helper").await.problem(), (422, "flow_faulty"));
    let (customer, chat, conversation) = shop.enter("li").await;
    assert_eq!(shop.status(&conversation).await, "reception");
    let _ = shop.world.call(&shop.admin, Method::DELETE, ROBOT, Value::Null).await.ok();
    assert_eq!(shop.world.call(&shop.admin, Method::DELETE, ROBOT, Value::Null).await.problem(), (404, "not_found"));
    shop.says(&customer, &chat, "几时发货？").await;
    assert_eq!(shop.status(&conversation).await, "waiting", "it had a robot, which is gone");
    let (_, _, conversation) = shop.enter("wang").await;
    assert_eq!(shop.status(&conversation).await, "waiting", "nobody receives");
    assert_eq!(shop.robot.asked().len(), 0);
    shop.world.end().await;
}
