//! What is full says so at once and takes nothing; the error table speaks with one voice.

use adapters::http::error::{ApiError, of_command};
use application::error::CommandError;
use axum::http::StatusCode;

#[test]
fn whatever_may_succeed_later_says_so() {
    for (error, status, code, retry) in [
        (CommandError::Busy, 429, "busy", true),
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

#[test]
fn what_failed_inside_is_not_told_outside() {
    let error = ApiError::Hashing;
    assert_eq!(error.verdict().status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(error.detail(), "the request failed inside the server; the cause was logged");
}
