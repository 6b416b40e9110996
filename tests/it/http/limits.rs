//! What is full says so at once and takes nothing; the error table speaks with one voice.

use adapters::http::error::{ApiError, of_command};
use application::error::CommandError;
use axum::http::{Method, StatusCode};
use domain::time::Millis;
use serde_json::json;
use tests::people::Person;
use tests::world::{ACME, World};

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
