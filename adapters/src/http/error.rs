//! The one table from what went wrong to what a client is told: status, stable code, whether trying again helps.
//!
//! HTTP answers it as `application/problem+json`, a socket as `nack`. Causes of failures are logged once, here, and not shown.

use std::borrow::Cow;

use application::access::Denied;
use application::attachment::Unreadable;
use application::error::{CommandError, Refusal};
use application::log::codec::DecodeError;
use application::ports::blob_store::BlobError;
use application::ports::event_log::{Position, ReadError};
use application::ports::key_store::KeyStoreError;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::ids::OutreachId;
use domain::outreach::OutreachRefusal;
use domain::time::Millis;
use serde::Serialize;
use utoipa::ToSchema;

use super::error_refusals::of_refusal;
use crate::addresses::{Limited, TooMany};
use crate::flows::text::TextFault;
use crate::outreach::reason_word;
use crate::reading::OpenError;
use crate::robots::remote::asking::RobotError;
use crate::webhook_signature::SignatureError;

/// Why nobody is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// The request has no `Authorization: Bearer` header.
    #[error("this needs an authorization header with a bearer token or key")]
    Missing,
    /// The token or key is not one of ours.
    #[error("the token or key is not valid")]
    Invalid,
    /// The access token's time is over.
    #[error("the access token has expired")]
    Expired,
    /// The sign-in was ended.
    #[error("the sign-in was ended")]
    SessionEnded,
    /// The account is closed, or another one now.
    #[error("the account may not be used any more")]
    AccountClosed,
    /// Login and password do not fit.
    #[error("login or password is wrong")]
    WrongCredentials,
    /// The identity token is not signed by the tenant, is for somebody else, or its time is over.
    #[error("the identity token is not valid: {reason}")]
    InvalidIdentity {
        /// Which check failed; never the token.
        reason: &'static str,
    },
    /// The refresh token is not the current one of a live sign-in.
    #[error("the refresh token is not valid any more")]
    InvalidRefresh,
    /// The webhook is not signed by whom it claims to be from, or not now.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

/// What is wrong with a request before anybody decides about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// The body is no JSON.
    #[error("the body is not valid JSON (line {line}, column {column})")]
    MalformedJson {
        /// Where, from 1.
        line: usize,
        /// Where, from 1.
        column: usize,
    },
    /// The body is not UTF-8.
    #[error("the body is not valid UTF-8")]
    InvalidUtf8,
    /// The body has a field that nobody knows.
    #[error("{reason}")]
    UnknownField {
        /// Names the field.
        reason: String,
    },
    /// A field is missing or of the wrong type.
    #[error("{reason}")]
    InvalidField {
        /// Names the field.
        reason: String,
    },
    /// The body is of another type.
    #[error("the body must be application/json")]
    NotJson,
    /// The body is over the limit.
    #[error("the body is larger than {bytes_max} bytes")]
    TooLarge {
        /// The limit.
        bytes_max: usize,
    },
    /// The tenant takes no attachments of this kind, whatever the client calls it.
    #[error("the tenant takes no attachments that are a {kind}")]
    KindNotAllowed {
        /// The kind, as the content tells.
        kind: &'static str,
    },
    /// The range begins behind the end.
    #[error("the attachment has {bytes} bytes")]
    RangeNotSatisfiable {
        /// Its size.
        bytes: u64,
    },
    /// The body could not be read to its end.
    #[error("the body ended too early")]
    Interrupted,
    /// An id in the path is none.
    #[error("the path holds an invalid id: {reason}")]
    InvalidId {
        /// What an id looks like.
        reason: String,
    },
    /// A query parameter is unknown or wrong.
    #[error("invalid query: {reason}")]
    InvalidQuery {
        /// Names the parameter.
        reason: String,
    },
    /// The cursor was not made by this list.
    #[error("the cursor is not one of this list")]
    InvalidCursor,
    /// The position is none, or one of another shard.
    #[error("the position is not one of this tenant")]
    ForeignPosition,
    /// The idempotency key cannot be used.
    #[error("an idempotency key is 1 to 255 printable ascii characters")]
    InvalidIdempotencyKey,
    /// Not the name of a time zone.
    #[error("{field} is not an IANA time zone")]
    InvalidTimeZone {
        /// The field.
        field: &'static str,
    },
    /// A value that no rule of an aggregate judges.
    #[error("{field}: {reason}")]
    Refused {
        /// The field.
        field: &'static str,
        /// What it must be.
        reason: &'static str,
    },
    /// More users than a device may watch.
    #[error("no more than {} users can be watched", crate::hub::WATCHED_MAX)]
    TooManyWatched,
    /// More groups than a device may watch.
    #[error("no more than {} boards can be watched", crate::hub::BOARDS_MAX)]
    TooManyBoards,
    /// The request is no WebSocket handshake.
    #[error("this address speaks WebSocket only")]
    NotAWebSocket,
}

/// Everything that a request can end with instead of an answer.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// Nobody is signed in.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// They may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The request makes no sense.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The command was not carried out.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// There is no such thing in this tenant.
    #[error("no such {kind}")]
    NotFound {
        /// What was looked for.
        kind: &'static str,
    },
    /// The message that showed it was taken back, or the reader removed it from their own sight.
    #[error("the message that showed this was taken back or removed")]
    TakenBack,
    /// The outreach rule refused; the attempt is a fact.
    #[error("contact may not be started: {}", reason_word(*.reason))]
    OutreachRefused {
        /// Which attempt.
        attempt: OutreachId,
        /// Why.
        reason: OutreachRefusal,
        /// How old the customer's newest message is.
        age: Option<Millis>,
    },
    /// So much comes from one address that no more is taken from there for a while.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// The shop wants to hear nothing of this customer, or from where they are.
    #[error("the shop has blocked this customer, or the address that they come from")]
    Blocked,
    /// Nothing goes in or out of the channel any more.
    #[error("the channel is disconnected")]
    ChannelDisconnected,
    /// The login or account belongs to somebody already.
    #[error("this login or account belongs to somebody already")]
    AccountTaken,
    /// The read models did not reach the position in time.
    #[error("the read models have not reached this position yet")]
    Behind {
        /// Where they are.
        reached: Position,
    },
    /// Too many passwords are being checked.
    #[error("too many sign-ins at a time")]
    SignInsBusy,
    /// Too many attachments are on their way, of the tenant or altogether, or this very one.
    #[error("too many uploads at a time")]
    UploadsBusy,
    /// The store of attachments did not do its work.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// An attachment lies in the store and cannot be read.
    #[error(transparent)]
    Attachment(#[from] Unreadable),
    /// The key store did not do its work.
    #[error(transparent)]
    Keys(#[from] KeyStoreError),
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// An event could not be read.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The document is no flow, or would not do what it says.
    #[error("the flow has {} {}, the first one: {}", .0.len(), if .0.len() == 1 { "fault" } else { "faults" }, .0.first().map_or("", |fault| &fault.problem))]
    Flow(Vec<TextFault>),
    /// A robot elsewhere has no answer.
    #[error(transparent)]
    Robot(#[from] RobotError),
    /// The password could not be hashed.
    #[error("password could not be hashed")]
    Hashing,
    /// A token could not be signed.
    #[error("access token could not be signed")]
    Signing,
    /// No route has this path.
    #[error("no such path")]
    NoRoute,
    /// The path has other methods.
    #[error("this path does not take this method")]
    MethodNotAllowed,
    /// The handler panicked.
    #[error("the request failed inside the server")]
    Panicked,
    /// The server is starting or stopping.
    #[error("the server is not ready")]
    NotReady,
}

impl From<OpenError> for ApiError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Read(error) => Self::Read(error),
            OpenError::Decode(error) => Self::Decode(error),
        }
    }
}

/// What a client is told: the columns of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The HTTP status.
    pub status: StatusCode,
    /// The stable code.
    pub code: &'static str,
    /// Whether the same request can succeed later.
    pub retry: bool,
}

pub(super) const fn verdict(status: StatusCode, code: &'static str) -> Verdict {
    Verdict { status, code, retry: false }
}

const fn later(status: StatusCode, code: &'static str) -> Verdict {
    Verdict { status, code, retry: true }
}

fn of_auth(error: &AuthError) -> Verdict {
    let unauthorized = |code| verdict(StatusCode::UNAUTHORIZED, code);
    match error {
        AuthError::Missing => unauthorized("unauthorized"),
        AuthError::Invalid => unauthorized("invalid_token"),
        AuthError::Expired => unauthorized("expired"),
        AuthError::SessionEnded => unauthorized("revoked"),
        AuthError::AccountClosed => unauthorized("deactivated"),
        AuthError::WrongCredentials => unauthorized("wrong_credentials"),
        AuthError::InvalidIdentity { .. } => unauthorized("invalid_identity_token"),
        AuthError::InvalidRefresh => unauthorized("invalid_refresh_token"),
        AuthError::Signature(SignatureError::OutOfTolerance) => unauthorized("timestamp_out_of_tolerance"),
        AuthError::Signature(SignatureError::Header { .. } | SignatureError::Wrong) => unauthorized("invalid_signature"),
    }
}

fn of_denied(denied: &Denied) -> Verdict {
    match denied {
        Denied::OtherTenant => verdict(StatusCode::FORBIDDEN, "wrong_tenant"),
        Denied::NoRight { .. } | Denied::OutOfReach { .. } => verdict(StatusCode::FORBIDDEN, "forbidden"),
    }
}

fn of_too_many(too_many: TooMany) -> Verdict {
    match too_many.what {
        Limited::Attempts => later(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts"),
        Limited::AnonymousSignIns => later(StatusCode::TOO_MANY_REQUESTS, "too_many_sign_ins"),
        Limited::Sockets => later(StatusCode::TOO_MANY_REQUESTS, "too_many_sockets"),
    }
}

fn of_input(error: &InputError) -> Verdict {
    let bad = |code| verdict(StatusCode::BAD_REQUEST, code);
    match error {
        InputError::MalformedJson { .. } => bad("malformed_json"),
        InputError::InvalidUtf8 => bad("invalid_utf8"),
        InputError::UnknownField { .. } => bad("unknown_field"),
        InputError::InvalidField { .. } => bad("invalid_field"),
        InputError::NotJson => verdict(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json"),
        InputError::TooLarge { .. } => verdict(StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        InputError::KindNotAllowed { .. } => verdict(StatusCode::UNSUPPORTED_MEDIA_TYPE, "kind_not_allowed"),
        InputError::RangeNotSatisfiable { .. } => verdict(StatusCode::RANGE_NOT_SATISFIABLE, "range_not_satisfiable"),
        InputError::Interrupted => bad("interrupted"),
        InputError::InvalidId { .. } => bad("invalid_id"),
        InputError::InvalidQuery { .. } => bad("invalid_query"),
        InputError::InvalidCursor => bad("invalid_cursor"),
        InputError::ForeignPosition => bad("foreign_position"),
        InputError::InvalidIdempotencyKey => bad("invalid_idempotency_key"),
        InputError::InvalidTimeZone { .. } => verdict(StatusCode::UNPROCESSABLE_ENTITY, "invalid_time_zone"),
        InputError::Refused { .. } => verdict(StatusCode::UNPROCESSABLE_ENTITY, "invalid_value"),
        InputError::TooManyWatched | InputError::TooManyBoards => verdict(StatusCode::UNPROCESSABLE_ENTITY, "too_many_watched"),
        InputError::NotAWebSocket => bad("not_a_websocket"),
    }
}

/// What a client is told about a command that was not carried out.
#[must_use]
pub fn of_command(error: &CommandError) -> Verdict {
    match error {
        CommandError::Refused(refusal) => of_refusal(refusal),
        CommandError::IdempotencyMismatch => verdict(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused"),
        CommandError::WrongStream { .. } => verdict(StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        CommandError::Busy => later(StatusCode::TOO_MANY_REQUESTS, "busy"),
        CommandError::OverQuota => later(StatusCode::TOO_MANY_REQUESTS, "over_quota"),
        CommandError::Contended => later(StatusCode::SERVICE_UNAVAILABLE, "contended"),
        CommandError::Unavailable { .. } | CommandError::KeyMissing => later(StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        CommandError::InDoubt => later(StatusCode::SERVICE_UNAVAILABLE, "in_doubt"),
        CommandError::Damaged { .. } => verdict(StatusCode::INTERNAL_SERVER_ERROR, "damaged"),
        CommandError::Gone => verdict(StatusCode::GONE, "gone"),
        CommandError::Erased => verdict(StatusCode::GONE, "erased"),
        CommandError::TooLarge => verdict(StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        CommandError::NotOwner => later(StatusCode::SERVICE_UNAVAILABLE, "not_owner"),
        CommandError::ShuttingDown => later(StatusCode::SERVICE_UNAVAILABLE, "shutting_down"),
    }
}

impl ApiError {
    /// The row of the table.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let internal = verdict(StatusCode::INTERNAL_SERVER_ERROR, "internal");
        match self {
            Self::Auth(error) => of_auth(error),
            Self::Denied(denied) => of_denied(denied),
            Self::Input(error) => of_input(error),
            Self::Command(error) => of_command(error),
            Self::NotFound { .. } => verdict(StatusCode::NOT_FOUND, "not_found"),
            Self::TakenBack => verdict(StatusCode::GONE, "gone"),
            Self::OutreachRefused { .. } => verdict(StatusCode::FORBIDDEN, "outreach_refused"),
            Self::TooMany(too_many) => of_too_many(*too_many),
            Self::Blocked => verdict(StatusCode::FORBIDDEN, "blocked"),
            Self::ChannelDisconnected => verdict(StatusCode::GONE, "channel_disconnected"),
            Self::AccountTaken => verdict(StatusCode::CONFLICT, "account_taken"),
            Self::Behind { .. } => later(StatusCode::SERVICE_UNAVAILABLE, "behind"),
            Self::SignInsBusy => later(StatusCode::TOO_MANY_REQUESTS, "busy"),
            Self::UploadsBusy => later(StatusCode::TOO_MANY_REQUESTS, "busy"),
            Self::Blob(BlobError::NotFound) => verdict(StatusCode::NOT_FOUND, "not_found"),
            Self::Blob(BlobError::Unavailable { .. }) => later(StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            Self::Attachment(_) => verdict(StatusCode::INTERNAL_SERVER_ERROR, "damaged"),
            Self::Keys(KeyStoreError::Destroyed) => verdict(StatusCode::GONE, "erased"),
            Self::Keys(KeyStoreError::Unavailable { .. }) | Self::Read(ReadError::Unavailable { .. }) => {
                later(StatusCode::SERVICE_UNAVAILABLE, "unavailable")
            }
            Self::Read(ReadError::Gone) => verdict(StatusCode::GONE, "gone"),
            Self::Read(ReadError::Corrupt { .. }) => verdict(StatusCode::INTERNAL_SERVER_ERROR, "damaged"),
            Self::Decode(_) | Self::Hashing | Self::Signing | Self::Panicked => internal,
            Self::Flow(_) => verdict(StatusCode::UNPROCESSABLE_ENTITY, "flow_faulty"),
            Self::Robot(RobotError::Resting) => later(StatusCode::SERVICE_UNAVAILABLE, "robot_resting"),
            Self::Robot(RobotError::Busy) => later(StatusCode::TOO_MANY_REQUESTS, "busy"),
            Self::Robot(RobotError::TimedOut { .. }) => later(StatusCode::GATEWAY_TIMEOUT, "robot_timed_out"),
            Self::Robot(RobotError::Send(_) | RobotError::Status(_) | RobotError::Garbage(_)) => {
                later(StatusCode::BAD_GATEWAY, "robot_failed")
            }
            Self::Robot(RobotError::WithoutSecret) => verdict(StatusCode::CONFLICT, "robot_without_secret"),
            Self::Robot(RobotError::LookUp(error)) => error.verdict(),
            Self::NoRoute => verdict(StatusCode::NOT_FOUND, "no_route"),
            Self::MethodNotAllowed => verdict(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::NotReady => later(StatusCode::SERVICE_UNAVAILABLE, "not_ready"),
        }
    }

    /// Seconds after which it is worth trying again, if it is at all.
    const fn retry_after_s(&self) -> u32 {
        if let Self::TooMany(too_many) = self { too_many.after_s } else { 1 }
    }

    /// What the client may read about it: refusals in full, failures not.
    #[must_use]
    pub fn detail(&self) -> Cow<'static, str> {
        let verdict = self.verdict();
        if verdict.status.is_server_error() && !verdict.retry {
            return Cow::Borrowed("the request failed inside the server; the cause was logged");
        }
        match self {
            // The engine's words may name files.
            Self::Command(CommandError::Unavailable { .. }) | Self::Blob(BlobError::Unavailable { .. }) | Self::Keys(_) | Self::Read(_) => {
                Cow::Borrowed("storage is unavailable; nothing was done")
            }
            Self::Auth(_)
            | Self::Denied(_)
            | Self::Input(_)
            | Self::Command(_)
            | Self::NotFound { .. }
            | Self::TakenBack
            | Self::OutreachRefused { .. }
            | Self::TooMany(_)
            | Self::Blocked
            | Self::ChannelDisconnected
            | Self::AccountTaken
            | Self::Behind { .. }
            | Self::SignInsBusy
            | Self::UploadsBusy
            | Self::Blob(_)
            | Self::Attachment(_)
            | Self::Decode(_)
            | Self::Flow(_)
            | Self::Robot(_)
            | Self::Hashing
            | Self::Signing
            | Self::NoRoute
            | Self::MethodNotAllowed
            | Self::Panicked
            | Self::NotReady => Cow::Owned(self.to_string()),
        }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Self::Command(CommandError::Refused(refusal))
    }
}

/// A problem in the sense of RFC 9457.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Names the kind of problem.
    #[serde(rename = "type")]
    kind: String,
    /// The status in words.
    title: &'static str,
    /// The status.
    status: u16,
    /// What happened this time.
    detail: Cow<'static, str>,
    /// The stable code; programs look at this one.
    code: &'static str,
    /// How far the read models are, with `behind`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reached: Option<String>,
    /// The attempt, with `outreach_refused`.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<String>,
    /// Why, with `outreach_refused`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// How old the customer's newest message is in milliseconds, with `outreach_refused`, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    age_ms: Option<i64>,
    /// Every fault of a flow, with `flow_faulty`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<TextFault>,
}

impl IntoResponse for ApiError {
    fn into_response(mut self) -> Response {
        let verdict = self.verdict();
        if verdict.status.is_server_error() {
            tracing::error!(code = verdict.code, cause = %Causes(&self), "request failed");
        }
        let detail = self.detail();
        let reached = if let Self::Behind { reached } = &self { Some(reached.to_string()) } else { None };
        let (attempt, reason, age_ms) = if let Self::OutreachRefused { attempt, reason, age } = &self {
            (Some(attempt.to_string()), Some(reason_word(*reason)), age.map(|age| age.0))
        } else {
            (None, None, None)
        };
        let faults = if let Self::Flow(faults) = &mut self { std::mem::take(faults) } else { vec![] };
        let problem = Problem {
            kind: format!("urn:kefu:problem:{}", verdict.code),
            title: verdict.status.canonical_reason().unwrap_or("Problem"),
            status: verdict.status.as_u16(),
            detail,
            code: verdict.code,
            reached,
            attempt,
            reason,
            age_ms,
            faults,
        };
        let body = serde_json::to_vec(&problem).expect("a problem is plain text and numbers");
        let mut response = (verdict.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if verdict.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if verdict.retry {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(self.retry_after_s()));
        }
        response
    }
}

/// An error with its sources, for the log.
pub struct Causes<'a>(pub &'a dyn std::error::Error);

impl std::fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}
