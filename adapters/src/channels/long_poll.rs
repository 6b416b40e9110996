//! The long poll: a device whose frames travel in answers to requests that the server holds. `POST /v1/keepalive` waits for what
//! comes, `POST /v1/sendmessage` carries orders ([`sendmessage`]).
//!
//! Between two polls the device stays linked, so that it counts as present and its outbox gathers. What a poll carried is known to
//! have arrived only when the next one presents its numbers; otherwise it is read from the feed again.

pub mod polls;
pub mod sendmessage;

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use application::access::Action;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use self::polls::{Poll, Progress};
use super::link::CaughtUp;
use crate::http::auth::{Caller, Identity, SignedIn};
use crate::http::error::{ApiError, InputError, Problem};
use crate::http::extract::Order;
use crate::hub::outbox::{Bye, Taken};
use crate::hub::signal;
use crate::messaging;
use crate::state::App;

/// Longest time that the server holds a poll, in milliseconds: below the idle limit of common proxies.
pub const POLL_WAIT_MS: u64 = 25_000;
/// Longest `rs_id` in bytes.
const RS_ID_BYTES_MAX: usize = 64;

/// The routes.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(keepalive)).routes(routes!(sendmessage::sendmessage))
}

/// A poll.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeepAlive {
    /// A UUID that the client keeps for as long as it runs.
    #[schema(value_type = String)]
    device: Uuid,
    /// The last index it has; left out: from now on.
    after: Option<u64>,
    /// What the poll before answered as `signals`; left out or another: all signals are sent whole.
    signals: Option<u64>,
    /// Comes back in the answer.
    rs_id: Option<String>,
    /// How long the server may hold the request, at most and by default 25,000 ms.
    wait_ms: Option<u64>,
}

/// What came, or nothing.
#[derive(Debug, Serialize, ToSchema)]
pub struct Events {
    /// As it was asked with.
    rs_id: Option<String>,
    /// The server's clock.
    now: i64,
    /// The newest index of the feed.
    head: u64,
    /// To be presented as `after`.
    next: u64,
    /// To be presented as `signals`.
    signals: u64,
    /// Whether there is more than this answer holds.
    more: bool,
    /// Whether a newer poll of the device took over.
    superseded: bool,
    /// Each with its `bizCode` and its `frame`.
    #[schema(value_type = Vec<Object>)]
    events: Vec<Event>,
}

/// One event: a frame, and one word for what it is.
#[derive(Debug, Serialize)]
pub struct Event {
    #[serde(rename = "bizCode")]
    biz_code: &'static str,
    frame: Box<serde_json::value::RawValue>,
}

impl Event {
    fn new(biz_code: &'static str, frame: String) -> Self {
        Self { biz_code, frame: serde_json::value::RawValue::from_string(frame).expect("frames are JSON") }
    }
}

/// The caller, who must be somebody signed in.
fn own(caller: &Caller) -> Result<&SignedIn, ApiError> {
    match &caller.identity {
        Identity::User(user) => caller.require_user(user.tenant, Action::UseOwnAccount),
        Identity::Operator | Identity::ApiKey { .. } => {
            Err(ApiError::Denied(application::access::Denied::NoRight { action: Action::UseOwnAccount }))
        }
    }
}

/// Waits for what comes: items after an index, and what is current.
#[utoipa::path(
    post,
    path = "/v1/keepalive",
    tag = "long poll",
    request_body = KeepAlive,
    responses((status = 200, body = Events), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn keepalive(State(app): State<App>, caller: Caller, order: Order<KeepAlive>) -> Result<Response, ApiError> {
    let user = own(&caller)?;
    let KeepAlive { device, after, signals, rs_id, wait_ms } = order.body;
    if rs_id.as_ref().is_some_and(|id| id.len() > RS_ID_BYTES_MAX) {
        return Err(InputError::Refused { field: "rs_id", reason: "is longer than 64 bytes" }.into());
    }
    let wait_ms = wait_ms.unwrap_or(POLL_WAIT_MS);
    if wait_ms > POLL_WAIT_MS {
        return Err(InputError::Refused { field: "wait_ms", reason: "is more than 25000" }.into());
    }
    if app.shutdown.is_ordered() {
        return Err(ApiError::NotReady);
    }
    let (poll, is_new) = app.polls.join(&app, user, device);
    if is_new && let Some(arrival) = poll.link.arrival() {
        // Presence is tried again by whoever watches over it; a poll must not fail for it.
        if let Err(error) = messaging::execute(&app, arrival).await {
            tracing::warn!(tenant.id = %user.tenant, user.id = %user.user, %error, "arrival was not written");
        }
    }
    let mut turn = poll.take_turn().await;
    let until = Instant::now() + Duration::from_millis(wait_ms);
    let outcome = wait(&poll, &mut turn.progress, turn.nth, after, signals, until).await?;
    let answer = Events {
        rs_id,
        now: app.now().0,
        head: poll.link.head(),
        next: turn.progress.reached,
        signals: turn.progress.signals,
        more: outcome.more,
        superseded: outcome.superseded,
        events: outcome.events,
    };
    drop(turn);
    if outcome.bye.is_some() {
        app.polls.forget(user.session, device, &poll);
    } else {
        poll.seen();
    }
    Ok(json(&answer))
}

fn json(answer: &Events) -> Response {
    let body = serde_json::to_vec(answer).expect("an answer can be written as JSON");
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[derive(Default)]
struct Outcome {
    events: Vec<Event>,
    more: bool,
    superseded: bool,
    bye: Option<Bye>,
}

/// Gathers events until there are some, the time is over, or a newer poll takes over. What is taken is noted as sent in the same
/// breath: a request that is dropped here presents the old numbers next time and gets it again.
async fn wait(
    poll: &Arc<Poll>,
    progress: &mut Progress,
    nth: u64,
    after: Option<u64>,
    signals: Option<u64>,
    until: Instant,
) -> Result<Outcome, ApiError> {
    let link = &poll.link;
    let outbox = &link.device().outbox;
    let begin = link.begin(after);
    if begin != progress.reached || after.is_none() {
        outbox.resume();
        *progress = Progress { reached: begin, live: false, ..*progress };
    }
    let mut outcome = Outcome::default();
    while !progress.live {
        match link.catch_up(progress.reached).await? {
            CaughtUp::Live => progress.live = true,
            CaughtUp::Items(items) => {
                progress.reached = items.last().map_or(progress.reached, |item| item.index);
                outcome.more = progress.reached < link.head();
                outcome.events.extend(items.into_iter().map(|item| Event::new(item.biz_code, item.text)));
                return Ok(outcome);
            }
        }
    }
    if signals != Some(progress.signals) || progress.signals == 0 {
        progress.signals += 1;
        outcome.events.extend(link.whole_signals().into_iter().map(|(code, frame)| Event::new(code, frame)));
        // What waits beside it leaves with it; older news of the same things is in it already.
        return Ok(outcome);
    }
    let mut taken = Taken::default();
    let come = poll_fn(|context| outbox.poll_take(context, &mut taken));
    tokio::select! {
        biased;
        told = timeout_at(until, come) => {
            progress.reached = taken.items.last().map_or(progress.reached, |item| item.index);
            progress.signals += u64::from(!taken.signals.is_empty());
            outcome.bye = told.ok().flatten();
        }
        () = poll.superseded(nth) => outcome.superseded = true,
    }
    outcome.events.extend(taken.items.into_iter().map(|item| Event::new(item.biz_code, item.text)));
    outcome.events.extend(signal::frames(&taken.signals).into_iter().map(|(code, frame)| Event::new(code, frame)));
    if let Some(bye) = outcome.bye {
        outcome.events.push(Event::new("bye", super::bye_frame(bye)));
    }
    Ok(outcome)
}
