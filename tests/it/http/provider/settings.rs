//! Connecting a provider, and what a tenant may write down.

use super::*;

fn connection() -> Value {
    json!({"title": "Express", "url": "https://express.example/kefu", "groups": ["vip", "main"], "capacity": 3})
}

fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

async fn put(world: &World, body: Value) -> Reply {
    world.call(&Person::operator(), Method::PUT, PROVIDER, body).await
}

#[tokio::test]
async fn its_secret_is_shown_once_and_it_is_a_seat_of_its_groups() {
    let world = World::new().await;
    let first = put(&world, connection()).await.ok();
    assert!(first["secret"].as_str().and_then(SigningKey::parse).is_some());
    assert_eq!(put(&world, connection()).await.ok()["secret"], Value::Null);
    assert!(put(&world, with(connection(), "rotate", json!(true))).await.ok()["secret"].is_string());
    let listed = world.get(&Person::operator(), "/v1/tenants/acme/providers").await.ok();
    let expected = json!([{"provider": "express", "agent": first["agent"], "title": "Express", "url": "https://express.example/kefu",
        "groups": ["main", "vip"], "capacity": 3, "timeout_ms": 5_000, "accept_within_ms": 120_000, "connected_at": world.clock_ms()}]);
    assert_eq!(listed["data"], expected);
    let agents = world.get(&Person::operator(), "/v1/tenants/acme/agents").await.ok();
    let seat = json!({"agent": first["agent"], "display_name": null, "on_service": true, "online": true, "capacity": 3, "conversations": [], "groups": ["main", "vip"]});
    assert_eq!(agents["data"], json!([seat]));
    let _ = world.call(&Person::operator(), Method::DELETE, PROVIDER, Value::Null).await.ok();
    assert_eq!(world.call(&Person::operator(), Method::DELETE, PROVIDER, Value::Null).await.problem(), (404, "not_found"));
    let agents = world.get(&Person::operator(), "/v1/tenants/acme/agents").await.ok();
    assert_eq!((&agents["data"][0]["on_service"], &agents["data"][0]["online"]), (&json!(false), &json!(false)));
    world.end().await;
}

#[tokio::test]
async fn what_a_tenant_may_not_write_down_is_refused() {
    let world = World::new().await;
    for (body, problem) in [
        (with(connection(), "url", json!("http://express.example/")), (422, "invalid_value")),
        (with(connection(), "url", json!("https://127.0.0.1/")), (422, "invalid_value")),
        (with(connection(), "url", json!("https://169.254.169.254/latest")), (422, "invalid_value")),
        (with(connection(), "groups", json!([])), (422, "invalid_value")),
        (with(connection(), "groups", json!(["nowhere"])), (404, "not_found")),
        (with(connection(), "capacity", json!(0)), (422, "limit_out_of_range")),
        (with(connection(), "capacity", json!(10_001)), (422, "limit_out_of_range")),
        (with(connection(), "timeout_ms", json!(30_001)), (422, "limit_out_of_range")),
        (with(connection(), "accept_within_ms", json!(0)), (422, "limit_out_of_range")),
        (with(connection(), "more", json!(1)), (400, "unknown_field")),
    ] {
        assert_eq!(put(&world, body.clone()).await.problem(), problem, "{body}");
    }
    let supervisor = world.staff(ACME, Role::Supervisor, "sup").await;
    assert_eq!(world.call(&supervisor, Method::GET, "/v1/tenants/acme/providers", Value::Null).await.problem(), (403, "forbidden"));
    world.end().await;
}
