//! Server-sent events, for those who only read: `GET /v1/events`. The id of an event is the index of its item, so that a reader
//! resumes with `Last-Event-ID`.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::poll_fn;

use application::access::{Action, Denied};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;
use serde::Deserialize;
use utoipa::IntoParams;

use super::link::{CaughtUp, Link};
use crate::addresses::{OpenSocket, TooMany};
use crate::http::auth::{Caller, Identity};
use crate::http::error::{ApiError, InputError, Problem};
use crate::http::extract::Params;
use crate::hub::outbox::{Bye, Taken};
use crate::hub::signal;
use crate::messaging;
use crate::state::App;

/// From where a reader goes on.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ReadEvents {
    /// The last index that the reader has; `Last-Event-ID` wins. Left out: from now on.
    after: Option<u64>,
}

struct Reading {
    link: Link,
    /// It counts among those of its address.
    _open: OpenSocket,
    reached: u64,
    live: bool,
    waiting: VecDeque<Event>,
    ended: bool,
}

/// Streams the caller's feed and what is current.
#[utoipa::path(
    get,
    path = "/v1/events",
    tag = "feed",
    params(ReadEvents),
    responses(
        (status = 200, description = "Events whose id is the index of an item and whose data is a frame.", content_type = "text/event-stream"),
        (status = "default", body = Problem, content_type = "application/problem+json")
    )
)]
pub async fn events(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Params(params): Params<ReadEvents>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let Identity::User(user) = &caller.identity else {
        return Err(ApiError::Denied(Denied::NoRight { action: Action::UseOwnAccount }));
    };
    caller.require_user(user.tenant, Action::UseOwnAccount)?;
    let last = match headers.get("last-event-id").map(|id| id.to_str().ok().and_then(|id| id.parse::<u64>().ok())) {
        None => params.after,
        Some(Some(last)) => Some(last),
        Some(None) => return Err(InputError::InvalidQuery { reason: "Last-Event-ID is an index".to_owned() }.into()),
    };
    if app.shutdown.is_ordered() {
        return Err(ApiError::NotReady);
    }
    let open = app.addresses.opens_socket(caller.address)?;
    if app.hub.is_full((user.tenant, user.user)) {
        return Err(TooMany::SOCKETS.into());
    }
    let link = Link::attach(&app, user);
    if let Some(arrival) = link.arrival()
        && let Err(error) = messaging::execute(&app, arrival).await
    {
        tracing::warn!(tenant.id = %user.tenant, user.id = %user.user, %error, "arrival was not written");
    }
    let reached = link.begin(last);
    let reading = Reading { link, _open: open, reached, live: false, waiting: VecDeque::new(), ended: false };
    let alive = KeepAlive::new().interval(app.config.websocket.ping_after());
    Ok(Sse::new(unfold(reading, next)).keep_alive(alive))
}

async fn next(mut reading: Reading) -> Option<(Result<Event, Infallible>, Reading)> {
    while reading.waiting.is_empty() {
        if reading.ended {
            return None;
        }
        if reading.live { reading.follow().await } else { reading.catch_up().await }
    }
    let event = reading.waiting.pop_front()?;
    Some((Ok(event), reading))
}

impl Reading {
    fn queue_item(&mut self, index: u64, text: &str) {
        self.reached = index;
        self.waiting.push_back(Event::default().id(index.to_string()).data(text));
    }

    async fn catch_up(&mut self) {
        match self.link.catch_up(self.reached).await {
            Ok(CaughtUp::Live) => {
                self.live = true;
                self.waiting.extend(self.link.whole_signals().into_iter().map(|(_, frame)| Event::default().data(frame)));
            }
            Ok(CaughtUp::Items(items)) => items.into_iter().for_each(|item| self.queue_item(item.index, &item.text)),
            Err(error) => {
                tracing::error!(%error, "feed could not be read for an event stream");
                self.end(Bye::Shutdown);
            }
        }
    }

    async fn follow(&mut self) {
        let mut taken = Taken::default();
        let bye = poll_fn(|context| self.link.device().outbox.poll_take(context, &mut taken)).await;
        for item in taken.items {
            self.queue_item(item.index, &item.text);
        }
        self.waiting.extend(signal::frames(&taken.signals).into_iter().map(|(_, frame)| Event::default().data(frame)));
        if let Some(bye) = bye {
            self.end(bye);
        }
    }

    fn end(&mut self, bye: Bye) {
        self.ended = true;
        self.waiting.push_back(Event::default().event("bye").data(super::bye_frame(bye)));
    }
}
