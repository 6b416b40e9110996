//! The description of the API is one, and describes what is there.

use axum::http::Method;
use serde_json::Value;
use tests::people::Person;
use tests::world::World;

#[tokio::test]
async fn the_description_is_openapi_3_1_and_every_operation_can_fail_as_a_problem() {
    let world = World::empty().await;
    let description = world.call(&Person::nobody(), Method::GET, "/v1/openapi.json", Value::Null).await.ok();
    assert_eq!(description["openapi"], "3.1.0");
    let mut operations = 0;
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations += 1;
            let responses = operation["responses"].as_object().unwrap();
            let problem = &responses.get("default").map_or(&Value::Null, |response| &response["content"]["application/problem+json"]);
            assert!(!problem.is_null() || path == "/livez", "{method} {path}");
            assert!(operation["summary"].is_string(), "{method} {path} says what it does");
            let common = match method.as_str() {
                "get" => "at_least",
                _ if path.contains("/channels/{channel}/") => "webhook-id",
                _ => "Idempotency-Key",
            };
            let takes_it = operation["parameters"].as_array().is_some_and(|all| all.iter().any(|one| one["name"] == common));
            assert_eq!(takes_it, path.starts_with("/v1/") && path != "/v1/ws", "{method} {path} takes {common}");
        }
    }
    assert!(operations > 40);
    let text = description.to_string();
    for reference in text.split("\"$ref\":\"").skip(1) {
        let pointer = reference.split('"').next().unwrap().trim_start_matches('#');
        assert!(description.pointer(pointer).is_some(), "{pointer} is described");
    }
    world.end().await;
}
