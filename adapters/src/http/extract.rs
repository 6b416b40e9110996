//! Reads requests strictly: ids in paths, known query parameters, JSON bodies without unknown fields, and `at_least`.
//!
//! Every rejection is one of ours, so that a client always gets a problem document. This file must not know a route.

use application::ports::event_log::Position;
use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Request, Uri, header};
use domain::user::describe::Edit;
use http_body_util::{BodyExt, Collected, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use tokio::time::{Duration, timeout};

use super::error::{ApiError, InputError};
use super::idempotency;
use crate::state::{App, AppState};

/// Largest body in bytes: a message with 16 KiB of text and 16 KiB of `ext`, every byte escaped six-fold, and some room.
pub const BODY_BYTES_MAX: usize = 256 * 1024;

/// How long a body may take.
const BODY_WITHIN: Duration = Duration::from_secs(30);

/// Ids in the path.
pub struct InPath<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for InPath<T> {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        match Path::<T>::from_request_parts(parts, app).await {
            Ok(Path(ids)) => Ok(Self(ids)),
            Err(PathRejection::FailedToDeserializePathParams(error)) => Err(InputError::InvalidId { reason: error.body_text() }.into()),
            Err(_) => Err(InputError::InvalidId { reason: "the path cannot be read".to_owned() }.into()),
        }
    }
}

/// Query parameters of a read; waits for `at_least` before the handler runs.
pub struct Params<T>(pub T);

/// A read that takes nothing but `at_least`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoParams {}

/// The name of the parameter that every read takes.
const AT_LEAST: &str = "at_least";

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Params<T> {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let (at_least, others) = split_query(parts.uri.query().unwrap_or_default())?;
        let uri: Uri = format!("/?{others}").parse().map_err(|_| invalid_query("it cannot be read"))?;
        let Query(params) = Query::<T>::try_from_uri(&uri).map_err(|error| invalid_query(&error.body_text()))?;
        if let Some(position) = at_least {
            wait_for(app, position.parse().map_err(|_| InputError::ForeignPosition)?).await?;
        }
        Ok(Self(params))
    }
}

fn invalid_query(reason: &str) -> InputError {
    InputError::InvalidQuery { reason: reason.to_owned() }
}

/// Takes `at_least` out of a query, because every route has it and each route's own parameters refuse unknown names.
fn split_query(query: &str) -> Result<(Option<&str>, String), InputError> {
    let mut at_least = None;
    let mut others = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some((AT_LEAST, _)) if at_least.is_some() => return Err(invalid_query("at_least is given twice")),
            Some((AT_LEAST, position)) => at_least = Some(position),
            Some(_) | None => others.push(pair),
        }
    }
    Ok((at_least, others.join("&")))
}

/// Waits until the read models have reached a position.
///
/// # Errors
/// [`InputError::ForeignPosition`] for another shard's, [`ApiError::Behind`] after 2 s.
pub async fn wait_for(app: &AppState, position: Position) -> Result<(), ApiError> {
    let shard = app.ports.log.shard();
    if position.shard != shard {
        return Err(InputError::ForeignPosition.into());
    }
    let waited = app.ports.views.at_least(position.commit).await;
    waited.map_err(|behind| ApiError::Behind { reached: Position { shard, commit: behind.reached, index: 0 } })
}

/// A request that changes something: its body, and its idempotency key if it has one.
pub struct Order<T> {
    /// The body.
    pub body: T,
    /// See [`idempotency`].
    pub key: Option<String>,
    /// Keyed digest of method, path and body.
    pub digest: u64,
}

/// A request whose body is JSON of which nothing is read yet: for routes that are too busy to look at what they do not need.
pub struct Unread {
    /// The body; none is an empty object.
    pub bytes: Bytes,
    /// See [`idempotency`].
    pub key: Option<String>,
}

impl Unread {
    /// Reads a request to its end.
    ///
    /// # Errors
    /// [`InputError`].
    pub async fn of(parts: Parts, body: impl HttpBody<Data = Bytes, Error: Into<BoxError>>) -> Result<Self, ApiError> {
        let key = idempotency::key_of(&parts.headers)?;
        if parts.uri.query().is_some_and(|query| !query.is_empty()) {
            return Err(invalid_query("this request takes none").into());
        }
        let bytes = read_body(&parts.headers, body).await?;
        if bytes.is_empty() {
            return Ok(Self { bytes: Bytes::from_static(b"{}"), key });
        }
        require_json(&parts.headers)?;
        Ok(Self { bytes, key })
    }
}

impl FromRequest<App> for Unread {
    type Rejection = ApiError;
    async fn from_request(request: Request<Body>, _: &App) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        Self::of(parts, body).await
    }
}

/// A change that is all said by its path. An empty object is fine, too.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoBody {}

impl<T: DeserializeOwned> FromRequest<App> for Order<T> {
    type Rejection = ApiError;
    async fn from_request(request: Request<Body>, app: &App) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let key = idempotency::key_of(&parts.headers)?;
        if parts.uri.query().is_some_and(|query| !query.is_empty()) {
            return Err(invalid_query("this request takes none").into());
        }
        let bytes = read_body(&parts.headers, body).await?;
        let digest = app.secrets.request_digest(&[parts.method.as_str().as_bytes(), parts.uri.path().as_bytes(), &bytes]);
        let parsed = parse_body(&parts.headers, &bytes)?;
        Ok(Self { body: parsed, key, digest })
    }
}

/// Reads a body to its end, unless it is over the limit, or does not come in time.
///
/// # Errors
/// [`InputError`].
pub async fn read_body(headers: &HeaderMap, body: impl HttpBody<Data = Bytes, Error: Into<BoxError>>) -> Result<Bytes, InputError> {
    let too_large = InputError::TooLarge { bytes_max: BODY_BYTES_MAX };
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > BODY_BYTES_MAX as u64) {
        return Err(too_large);
    }
    let read = timeout(BODY_WITHIN, Limited::new(body, BODY_BYTES_MAX).collect()).await.map_err(|_| InputError::Interrupted)?;
    read.map(Collected::to_bytes).map_err(|error| if error.is::<LengthLimitError>() { too_large } else { InputError::Interrupted })
}

/// Reads a JSON body; none is an empty object.
///
/// # Errors
/// [`InputError`].
pub fn parse_body<T: DeserializeOwned>(headers: &HeaderMap, bytes: &[u8]) -> Result<T, InputError> {
    if bytes.is_empty() {
        return parse_json(b"{}");
    }
    require_json(headers)?;
    parse_object(bytes)
}

/// Whether a text can only be a JSON object, if it is JSON at all.
#[must_use]
pub fn is_object(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().first() == Some(&b'{')
}

/// As [`parse_json`], for what has fields: a list of their values is not taken for them.
///
/// # Errors
/// [`InputError`].
pub fn parse_object<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, InputError> {
    if is_object(bytes) {
        return parse_json(bytes);
    }
    // What is no JSON is told so rather.
    parse_json::<serde::de::IgnoredAny>(bytes)?;
    Err(InputError::InvalidField { reason: "the body is not an object".to_owned() })
}

fn require_json(headers: &HeaderMap) -> Result<(), InputError> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") { Ok(()) } else { Err(InputError::NotJson) }
}

/// Reads JSON and says what is wrong with it: its encoding, its syntax, a field too many, or a wrong one.
///
/// # Errors
/// [`InputError`].
pub fn parse_json<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, InputError> {
    let text = std::str::from_utf8(bytes).map_err(|_| InputError::InvalidUtf8)?;
    serde_json::from_str(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data if error.to_string().starts_with("unknown field") => {
            InputError::UnknownField { reason: error.to_string() }
        }
        serde_json::error::Category::Data => InputError::InvalidField { reason: error.to_string() },
        serde_json::error::Category::Syntax | serde_json::error::Category::Eof | serde_json::error::Category::Io => {
            InputError::MalformedJson { line: error.line(), column: error.column() }
        }
    })
}

/// Tells a null that was written from a key that was left out.
///
/// # Errors
/// Whatever the deserializer reports.
pub(crate) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// What a key asks for that may be left out, null, or a value.
pub(crate) fn edit<T>(given: Option<Option<T>>) -> Edit<T> {
    match given {
        None => Edit::Keep,
        Some(None) => Edit::Clear,
        Some(Some(value)) => Edit::Set(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Body {
        name: String,
    }

    #[test]
    fn a_body_is_told_what_is_wrong_with_it() {
        assert_eq!(parse_json::<Body>(br#"{"name":"x"}"#), Ok(Body { name: "x".to_owned() }));
        assert!(matches!(parse_json::<Body>(br#"{"name":"x","more":1}"#), Err(InputError::UnknownField { .. })));
        assert!(matches!(parse_json::<Body>(br#"{"name":1}"#), Err(InputError::InvalidField { .. })));
        assert!(matches!(parse_json::<Body>(br"{}"), Err(InputError::InvalidField { .. })));
        assert!(matches!(parse_json::<Body>(br#"{"name":"#), Err(InputError::MalformedJson { line: 1, .. })));
        assert!(matches!(parse_json::<Body>(br#"{"name":"x"} trailing"#), Err(InputError::MalformedJson { .. })));
        assert_eq!(parse_json::<Body>(b"{\"name\":\"\xff\"}"), Err(InputError::InvalidUtf8));
    }

    #[test]
    fn at_least_is_taken_out_of_the_query_once() {
        assert_eq!(split_query("a=1&at_least=s0c1e0&b=2"), Ok((Some("s0c1e0"), "a=1&b=2".to_owned())));
        assert_eq!(split_query(""), Ok((None, String::new())));
        assert!(split_query("at_least=s0c1e0&at_least=s0c2e0").is_err());
    }
}
