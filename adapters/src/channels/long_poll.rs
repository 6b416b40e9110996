//! The long poll: a device whose frames travel in answers to requests that the server holds. `POST /v1/keepalive` waits for what
//! comes, `POST /v1/sendmessage` carries orders ([`sendmessage`]).
//!
//! Between two polls the device stays linked, so that it counts as present and its outbox gathers. What a poll carried is known to
//! have arrived only when the next one presents its numbers; otherwise it is read from the feed again.

mod order;
pub mod polls;
pub mod sendmessage;

use std::fmt::Write;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll::Ready;
use std::time::Duration;

use application::access::Action;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde::Deserialize;
use tokio::time::{Instant, Sleep};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use self::polls::{Held, Poll, Turn};
use super::link::CaughtUp;
use crate::addresses::TooMany;
use crate::http::auth::{Caller, Identity, SignedIn};
use crate::http::error::{ApiError, InputError, Problem};
use crate::http::extract::{Unread, parse_object};
use crate::hub::outbox::{Bye, Outbox, Taken};
use crate::hub::signal;
use crate::messaging;
use crate::state::App;

/// Where polls go; the router takes them out before it looks.
pub const KEEPALIVE: &str = "/v1/keepalive";
/// Where orders go.
pub const SENDMESSAGE: &str = "/v1/sendmessage";
/// Longest time that the server holds a poll, in milliseconds: below the idle limit of common proxies.
pub const POLL_WAIT_MS: u64 = 25_000;
/// How long what does not press waits for what does: a device's own messages, and unread counts.
const PATIENCE: Duration = Duration::from_secs(1);
/// Room for an answer without events.
const ANSWER_BYTES: usize = 256;
/// Room for an event without its frame.
const EVENT_BYTES: usize = 48;
/// Longest `rs_id` in characters.
const RS_ID_CHARACTERS_MAX: usize = 64;

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
#[derive(Debug, ToSchema)]
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

/// One event: a frame, which is JSON already, and one word for what it is.
#[derive(Debug)]
pub struct Event {
    biz_code: &'static str,
    frame: String,
}

impl Event {
    const fn new(biz_code: &'static str, frame: String) -> Self {
        Self { biz_code, frame }
    }
}

impl Events {
    /// As JSON. Written here, because a library would read every frame again to know that it is JSON.
    fn to_json(&self) -> String {
        let Self { rs_id, now, head, next, signals, more, superseded, events } = self;
        let room: usize = events.iter().map(|event| event.frame.len() + EVENT_BYTES).sum();
        let mut json = String::with_capacity(ANSWER_BYTES + room);
        let rs_id = rs_id.as_ref().map_or_else(|| "null".to_owned(), |id| serde_json::Value::from(id.as_str()).to_string());
        write!(
            json,
            "{{\"rs_id\":{rs_id},\"now\":{now},\"head\":{head},\"next\":{next},\"signals\":{signals},\"more\":{more},\
             \"superseded\":{superseded},\"events\":["
        )
        .expect("writing to a string cannot fail");
        for (nth, Event { biz_code, frame }) in events.iter().enumerate() {
            json.push_str(if nth == 0 { "{\"bizCode\":\"" } else { ",{\"bizCode\":\"" });
            json.push_str(biz_code);
            json.push_str("\",\"frame\":");
            json.push_str(frame);
            json.push('}');
        }
        json.push_str("]}");
        json
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
pub async fn keepalive(State(app): State<App>, caller: Caller, request: Unread) -> Result<Response, ApiError> {
    let user = own(&caller)?;
    let KeepAlive { device, after, signals, rs_id, wait_ms } = parse_object(&request.bytes)?;
    if rs_id.as_ref().is_some_and(|id| id.chars().nth(RS_ID_CHARACTERS_MAX).is_some()) {
        return Err(InputError::Refused { field: "rs_id", reason: "is longer than 64 characters" }.into());
    }
    let wait_ms = wait_ms.unwrap_or(POLL_WAIT_MS);
    if wait_ms > POLL_WAIT_MS {
        return Err(InputError::Refused { field: "wait_ms", reason: "is more than 25000" }.into());
    }
    if app.shutdown.is_ordered() {
        return Err(ApiError::NotReady);
    }
    if app.hub.is_full((user.tenant, user.user)) && app.polls.find(user.session, device).is_none() {
        return Err(TooMany::SOCKETS.into());
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
    let outcome = wait(&poll, &mut turn, after, signals, until).await?;
    let answer = Events {
        rs_id,
        now: app.now().0,
        head: poll.link.head(),
        next: turn.held.progress.reached,
        signals: turn.held.progress.signals,
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
    Ok(json(answer.to_json()))
}

fn json(body: String) -> Response {
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
    turn: &mut Turn<'_>,
    after: Option<u64>,
    signals: Option<u64>,
    until: Instant,
) -> Result<Outcome, ApiError> {
    let (nth, link) = (turn.nth, &poll.link);
    let Held { progress, alarm } = &mut *turn.held;
    let outbox = &link.device().outbox;
    progress.presents(signals);
    let begin = link.begin(after);
    if begin != progress.reached || after.is_none() {
        outbox.resume();
        (progress.reached, progress.live) = (begin, false);
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
    let mut taken = Taken::default();
    let mut whole = Vec::new();
    if !progress.whole_is_due() {
        match until_pressed(outbox, || poll.is_superseded(nth), alarm.as_mut(), until, PATIENCE, &mut taken).await {
            Some(bye) => outcome.bye = bye,
            None => outcome.superseded = true,
        }
    } else {
        // What waits leaves ahead of the whole: later it would be older news of the same things.
        outcome.bye = outbox.take(&mut taken);
        whole = link.whole_signals();
    }
    progress.reached = taken.items.last().map_or(progress.reached, |item| item.index);
    if !(taken.signals.is_empty() && whole.is_empty()) {
        progress.sends_signals();
    }
    outcome.events.extend(taken.items.into_iter().map(|item| Event::new(item.biz_code, item.text)));
    let signals = signal::frames(&taken.signals).into_iter().chain(whole);
    outcome.events.extend(signals.map(|(code, frame)| Event::new(code, frame)));
    if let Some(bye) = outcome.bye {
        outcome.events.push(Event::new("bye", super::bye_frame(bye)));
    }
    Ok(outcome)
}

/// Takes what waits as soon as some of it presses, or has waited for as long as patience goes, or the time is over. `None` when a
/// newer poll takes over, with nothing taken.
async fn until_pressed(
    outbox: &Outbox,
    is_superseded: impl Fn() -> bool,
    mut alarm: Pin<&mut Sleep>,
    until: Instant,
    patience: Duration,
    taken: &mut Taken,
) -> Option<Option<Bye>> {
    alarm.as_mut().reset(until);
    let mut is_patient = true;
    poll_fn(|context| {
        if let Ready(bye) = outbox.poll_take_pressing(context, taken) {
            return Ready(Some(bye));
        }
        if is_superseded() {
            return Ready(None);
        }
        if is_patient && !outbox.is_empty() {
            is_patient = false;
            let soon = Instant::now() + patience;
            if soon < until {
                alarm.as_mut().reset(soon);
            }
        }
        alarm.as_mut().poll(context).map(|()| Some(outbox.take(taken)))
    })
    .await
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use tokio::time::sleep_until;

    use super::*;
    use crate::hub::outbox::{Frame, OutboxLimits};

    const FAR: Duration = Duration::from_secs(3_600);

    fn outbox() -> Outbox {
        let outbox = Outbox::new(OutboxLimits { frames_max: 10, bytes_max: 100 });
        assert!(outbox.go_live(0));
        outbox
    }

    async fn taken_by(outbox: &Outbox, is_superseded: bool, patience: Duration, taken: &mut Taken) -> Option<Option<Bye>> {
        let until = Instant::now() + FAR;
        let alarm = std::pin::pin!(sleep_until(until));
        until_pressed(outbox, || is_superseded, alarm, until, patience, taken).await
    }

    fn frame(index: u64) -> Frame {
        Frame { index, biz_code: "message", text: "{}".to_owned() }
    }

    #[test]
    fn an_answer_is_json_whatever_the_client_calls_itself() {
        let event = |code| Event::new(code, "{\"t\":\"item\",\"i\":1}".to_owned());
        for (rs_id, events) in [(None, vec![]), (Some("a\"\\\n一"), vec![event("message"), event("read")])] {
            let many = events.len();
            let rs_id = rs_id.map(str::to_owned);
            let answer = Events { rs_id: rs_id.clone(), now: 1, head: 2, next: 3, signals: 4, more: true, superseded: false, events };
            let read: serde_json::Value = serde_json::from_str(&answer.to_json()).unwrap();
            assert_eq!((&read["rs_id"], &read["more"], &read["next"]), (&serde_json::json!(rs_id), &true.into(), &3.into()));
            assert_eq!(read["events"].as_array().unwrap().len(), many);
            assert!(read["events"].as_array().unwrap().iter().all(|event| event["frame"]["i"] == 1));
        }
    }

    #[tokio::test]
    async fn what_does_not_press_leaves_when_patience_ends_long_before_the_time_is_over() {
        let (outbox, mut taken) = (outbox(), Taken::default());
        outbox.push_echo(frame(1));
        assert!(taken_by(&outbox, false, FAR, &mut taken).now_or_never().is_none(), "it is waited for more");
        assert!(taken.is_empty());
        assert_eq!(taken_by(&outbox, false, Duration::ZERO, &mut taken).await, Some(None));
        assert_eq!(taken.items, [frame(1)]);
    }

    #[tokio::test]
    async fn a_poll_that_is_superseded_takes_nothing_but_what_presses_goes_first() {
        let (outbox, mut taken) = (outbox(), Taken::default());
        outbox.push_echo(frame(1));
        assert_eq!(taken_by(&outbox, true, FAR, &mut taken).await, None);
        assert!(taken.is_empty() && !outbox.is_empty(), "it is there for the newer one");
        outbox.push_item(frame(2));
        assert_eq!(taken_by(&outbox, true, FAR, &mut taken).await, Some(None));
        assert_eq!(taken.items, [frame(1), frame(2)]);
    }
}
