//! `GET /v1/tenants/{t}/attachments/{id}`, and `HEAD`.
//!
//! What is served was written by strangers. So nothing but pictures, films and sounds of a fixed list is shown inside a page,
//! and nothing at all is run: no type is guessed, no script is let in, and no other site may embed it.

use std::ops::Range;
use std::sync::Arc;

use application::access::{Action, Resource};
use application::ports::key_store::SubjectKey;
use application::queries::ChatRow;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use domain::ids::{AttachmentId, ChatId, TenantId};
use domain::tenant::event::AttachmentKind;
use futures_util::{StreamExt, stream};

use crate::attachments::sight::{Eyes, Sight, sight};
use crate::attachments::{Stored, kinds, names};
use crate::http::auth::{Caller, Identity};
use crate::http::error::{ApiError, InputError, Problem};
use crate::http::extract::{InPath, NoParams, Params};
use crate::http::routes::chat::{check_reader, reading};
use crate::reading::look_up;
use crate::state::{App, AppState};

/// Content read from the store at a time: sixteen chunks.
const READ_BYTES: u64 = 16 * application::attachment::CHUNK_BYTES as u64;

/// What goes with every attachment, whatever it is.
const SAFE: [(HeaderName, HeaderValue); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'")),
    (header::CACHE_CONTROL, HeaderValue::from_static("private")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (header::ACCEPT_RANGES, HeaderValue::from_static("bytes")),
];

/// Reads an attachment, or one range of it: whoever sees a message that uses it, and before one does, its uploader.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/attachments/{id}",
    tag = "attachments",
    params(("t" = String, Path, description = "The tenant."), ("id" = String, Path, description = "The attachment.")),
    responses(
        (status = 200, description = "All of it.", content_type = "application/octet-stream"),
        (status = 206, description = "The range that was asked for.", content_type = "application/octet-stream"),
        (status = "default", body = Problem, content_type = "application/problem+json")
    )
)]
pub async fn serve(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, attachment)): InPath<(TenantId, AttachmentId)>,
    _: Params<NoParams>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    caller.enter(tenant, Action::ReadChat)?;
    let stored = Stored::find(&app, tenant, attachment).await?.ok_or(ApiError::NotFound { kind: "attachment" })?;
    let row = require_reader(&app, &caller, tenant, stored.header.about.chat).await?;
    require_sight(&app, &caller, tenant, &stored, &row).await?;
    respond(app, stored, &method, &headers).await
}

/// What is answered to somebody who may read an attachment.
///
/// # Errors
/// [`ApiError::Keys`], [`ApiError::Blob`], [`ApiError::Attachment`].
pub async fn respond(app: App, stored: Stored, method: &Method, headers: &HeaderMap) -> Result<Response, ApiError> {
    let key = stored.key(&app)?;
    // Opening the name proves the header, which said whose chat it is.
    let name = stored.header.name(&key)?;
    let total = stored.header.bytes;
    let range = match range_of(headers, total) {
        Ok(range) => range,
        Err(error) => return Ok(unsatisfiable(error, total)),
    };
    let part = range.clone().unwrap_or(0..total);
    let mut response = if *method == Method::HEAD {
        Body::empty().into_response()
    } else {
        // The first piece is read before anything is answered, so that what cannot be read is told as such.
        let first = stored.content(&app, &key, &next_piece(&part)).await?;
        content(app, stored.clone(), key, part.clone(), first).into_response()
    };
    describe(response.headers_mut(), &stored.header.about.media_type, &name, part.end - part.start);
    if range.is_some() {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        response.headers_mut().insert(header::CONTENT_RANGE, plain(&format!("bytes {}-{}/{total}", part.start, part.end - 1)));
    }
    Ok(response)
}

/// Whoever joined a moment ago is let in: before a refusal the read models catch up.
async fn require_reader(app: &AppState, caller: &Caller, tenant: TenantId, chat: ChatId) -> Result<ChatRow, ApiError> {
    let reads = |row: &ChatRow| check_reader(caller, tenant, row);
    let row = || app.ports.views.chat(tenant, chat);
    if let Some(row) = look_up(app, || row().filter(|row| reads(row).is_ok())).await? {
        return Ok(row);
    }
    let row = row().ok_or(ApiError::NotFound { kind: "chat" })?;
    reads(&row).map(|()| row)
}

/// What messages use is for those who see one of them, what none uses yet for its uploader. Staff who may read the chat without being
/// in it also look into what was taken back.
async fn require_sight(app: &AppState, caller: &Caller, tenant: TenantId, stored: &Stored, row: &ChatRow) -> Result<(), ApiError> {
    // Whoever just heard of the message that uses it is let in: before a refusal the read models catch up.
    let uses = look_up(app, || app.ports.views.attachment_uses(tenant, stored.name.attachment)).await?;
    let Some(uses) = uses else {
        let is_uploader = caller.user_of(tenant).is_some_and(|user| user.user == stored.header.about.uploader);
        return if is_uploader { Ok(()) } else { Err(ApiError::NotFound { kind: "attachment" }) };
    };
    let is_key = matches!(caller.identity, Identity::ApiKey { .. });
    let audits = !is_key && caller.may(reading(row), Resource::of_tenant(tenant)).is_ok();
    let member = caller.user_of(tenant).and_then(|user| row.member(user.user)).map(Eyes::of_member);
    let eyes = member.unwrap_or(Eyes { member: None, floor: 0, sees_notes: true, audits: false });
    match sight(app, tenant, &uses, Eyes { audits, ..eyes }) {
        Sight::Seen => Ok(()),
        Sight::TakenBack => Err(ApiError::TakenBack),
        Sight::Unseen => Err(ApiError::NotFound { kind: "attachment" }),
    }
}

fn plain(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).expect("printable ascii by construction")
}

fn describe(headers: &mut HeaderMap, media_type: &str, name: &str, bytes: u64) {
    let shown = match kinds::kind_of(media_type) {
        AttachmentKind::Picture | AttachmentKind::Video | AttachmentKind::Audio => "inline",
        AttachmentKind::File => "attachment",
    };
    headers.extend(SAFE);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(media_type).unwrap_or(HeaderValue::from_static(kinds::UNKNOWN)));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes));
    headers.insert(header::CONTENT_DISPOSITION, plain(&format!("{shown}; filename*={}", names::encoded(name))));
}

fn unsatisfiable(error: InputError, total: u64) -> Response {
    let mut response = ApiError::from(error).into_response();
    response.headers_mut().insert(header::CONTENT_RANGE, plain(&format!("bytes */{total}")));
    response
}

/// The range that is asked for. What is no single range of bytes is answered with all of it, as RFC 9110 has it; so is a range
/// under a condition, because nothing here has a validator.
fn range_of(headers: &HeaderMap, total: u64) -> Result<Option<Range<u64>>, InputError> {
    let asked = headers.get(header::RANGE).filter(|_| !headers.contains_key(header::IF_RANGE)).and_then(|value| value.to_str().ok());
    let Some((first, last)) = asked.and_then(|asked| asked.strip_prefix("bytes=")).and_then(|range| range.trim().split_once('-')) else {
        return Ok(None);
    };
    let number =
        |text: &str| (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().unwrap_or(u64::MAX));
    let range = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(total),
        (Some(first), None) if last.is_empty() => first..total,
        (None, Some(last)) if first.is_empty() => total.saturating_sub(last)..total,
        (Some(_) | None, Some(_) | None) => return Ok(None),
    };
    if range.start >= range.end { Err(InputError::RangeNotSatisfiable { bytes: total }) } else { Ok(Some(range)) }
}

/// The piece of a range that is read next: up to a place where a chunk begins.
fn next_piece(range: &Range<u64>) -> Range<u64> {
    range.start..((range.start / READ_BYTES + 1) * READ_BYTES).min(range.end)
}

/// The content of a range, read while it is sent: a slow reader holds one piece in memory.
fn content(app: App, stored: Stored, key: SubjectKey, range: Range<u64>, first: Bytes) -> Body {
    let rest = range.start + first.len() as u64..range.end;
    let stored = Arc::new(stored);
    let pieces = stream::try_unfold(rest, move |rest| {
        let (app, stored) = (Arc::clone(&app), Arc::clone(&stored));
        async move {
            if rest.is_empty() {
                return Ok(None);
            }
            let piece = next_piece(&rest);
            let bytes = stored.content(&app, &key, &piece).await.inspect_err(|error| {
                // The status is sent already; all that is left is to break off.
                tracing::error!(attachment.id = %stored.name.attachment, %error, "an attachment broke off");
            })?;
            Ok::<_, ApiError>(Some((bytes, piece.end..rest.end)))
        }
    });
    Body::from_stream(stream::iter([Ok(first)]).chain(pieces))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(asked: &str) -> Result<Option<Range<u64>>, InputError> {
        let headers = HeaderMap::from_iter([(header::RANGE, asked.parse().unwrap())]);
        range_of(&headers, 100)
    }

    #[test]
    fn one_range_is_understood_and_anything_else_is_all_of_it() {
        for (asked, expected) in [
            ("bytes=0-0", Some(0..1)),
            ("bytes=10-19", Some(10..20)),
            ("bytes=90-", Some(90..100)),
            ("bytes=-10", Some(90..100)),
            ("bytes=-1000", Some(0..100)),
            ("bytes=99-1000", Some(99..100)),
            ("bytes=0-99999999999999999999999", Some(0..100)),
            ("bytes=5-4", None),
            ("bytes=-", None),
            ("bytes=0-1,5-6", None),
            ("bytes=+1-2", None),
            ("bytes=a-b", None),
            ("items=0-1", None),
            ("nonsense", None),
        ] {
            assert_eq!(range(asked), Ok(expected), "{asked}");
        }
        for asked in ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=99999999999999999999999-"] {
            assert_eq!(range(asked), Err(InputError::RangeNotSatisfiable { bytes: 100 }), "{asked}");
        }
    }

    #[test]
    fn a_range_under_a_condition_is_answered_with_all_of_it() {
        let headers = HeaderMap::from_iter([
            (header::RANGE, HeaderValue::from_static("bytes=0-0")),
            (header::IF_RANGE, HeaderValue::from_static("\"x\"")),
        ]);
        assert_eq!(range_of(&headers, 100), Ok(None));
    }

    #[test]
    fn pieces_end_where_a_chunk_begins_and_miss_nothing() {
        let (mut at, end) = (READ_BYTES - 3, 3 * READ_BYTES + 5);
        while at < end {
            let piece = next_piece(&(at..end));
            assert!(piece.start == at && piece.end > at && (piece.end == end || piece.end.is_multiple_of(READ_BYTES)));
            at = piece.end;
        }
    }
}
