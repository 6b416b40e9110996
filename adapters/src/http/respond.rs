//! Answers: JSON bodies, the position header, pages.

use application::ports::event_log::Position;
use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// Where the log stands after a change; a read takes it as `at_least`.
pub const POSITION: HeaderName = HeaderName::from_static("position");

/// A body that says nothing but how far the log is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Done {
    /// The position; a read takes it as `at_least`.
    #[schema(example = "s0c1042e0")]
    pub position: String,
}

/// Something new: its id and how far the log is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Created {
    /// Its id.
    pub id: String,
    /// The position; a read takes it as `at_least`.
    #[schema(example = "s0c1042e0")]
    pub position: String,
}

/// Answers a change with a body.
#[must_use]
pub fn changed(status: StatusCode, position: Position, body: impl Serialize) -> Response {
    let mut response = (status, Json(body)).into_response();
    let value = HeaderValue::from_str(&position.to_string()).expect("a position is ascii letters and digits");
    response.headers_mut().insert(POSITION, value);
    response
}

/// Answers a change that has nothing else to say.
#[must_use]
pub fn done(position: Position) -> Response {
    changed(StatusCode::OK, position, Done { position: position.to_string() })
}

/// Answers a creation.
#[must_use]
pub fn created(id: impl ToString, position: Position) -> Response {
    changed(StatusCode::CREATED, position, Created { id: id.to_string(), position: position.to_string() })
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Give it as `after` to get the next page; null at the end.
    pub next_cursor: Option<String>,
    /// Whether there is a next page.
    pub has_more: bool,
}

impl<T> Page<T> {
    /// A page out of one row more than it may show; `cursor` names the place of its last row.
    #[must_use]
    pub fn cut<R>(mut rows: Vec<R>, limit: usize, cursor: impl FnOnce(&R) -> String) -> (Vec<R>, Option<String>) {
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next = if has_more { rows.last().map(cursor) } else { None };
        (rows, next)
    }

    /// A page with its cursor.
    #[must_use]
    pub fn new(data: Vec<T>, next_cursor: Option<String>) -> Self {
        Self { data, has_more: next_cursor.is_some(), next_cursor }
    }
}
