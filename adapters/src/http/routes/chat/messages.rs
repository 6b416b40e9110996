//! `GET /v1/tenants/{t}/chats/{c}/messages`.

use application::queries::MemberRow;
use axum::Json;
use axum::extract::State;
use domain::chat::event::ChatEvent;
use domain::event::Event;
use domain::ids::{ChatId, TenantId};
use domain::message::Visibility;
use domain::user::event::Role;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::readable;
use crate::feed_pages::marks;
use crate::http::auth::{Caller, Identity};
use crate::http::cursor::page_size;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, Params};
use crate::quotes;
use crate::reading::Reader;
use crate::render::{Marks, MessageBody, View, message};
use crate::state::App;

/// Which messages.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListMessages {
    /// The first place; 1 unless told otherwise.
    from_seq: Option<u64>,
    /// Messages, 1 to 200.
    limit: Option<usize>,
}

/// Messages of a chat in their order.
#[derive(Debug, Serialize, ToSchema)]
pub struct Messages {
    /// The messages.
    #[schema(value_type = Vec<MessageBody>)]
    data: Vec<Box<RawValue>>,
    /// Give it as `from_seq` to get the next ones.
    next_seq: Option<u64>,
    /// Whether there are more.
    has_more: bool,
}

/// Reads messages of a chat. A place that the caller may not see is left out; recalled and erased ones have no content.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/chats/{c}/messages",
    tag = "chats",
    params(("t" = String, Path, description = "The tenant."), ("c" = String, Path, description = "The chat."), ListMessages),
    responses((status = 200, body = Messages), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, chat)): InPath<(TenantId, ChatId)>,
    Params(params): Params<ListMessages>,
) -> Result<Json<Messages>, ApiError> {
    let row = readable(&app, &caller, tenant, chat)?;
    let limit = page_size(params.limit)?;
    let view = match &caller.identity {
        Identity::User(user) => View::of(user.row.role),
        Identity::Operator | Identity::ApiKey { .. } => View::Staff,
    };
    let reader = caller.user_of(tenant).map(|user| user.user);
    let sees_notes = caller.user_of(tenant).is_none_or(|user| user.row.role != Role::Customer);
    // A member of a group thread reads what was said since they came.
    let floor = reader.and_then(|reader| row.member(reader)).map_or(0, MemberRow::floor);
    let from_seq = params.from_seq.unwrap_or(1).max(floor + 1);
    let mut page = app.ports.views.messages(tenant, chat, from_seq, limit + 1);
    let has_more = page.len() > limit;
    page.truncate(limit);
    let next_seq = page.last().filter(|_| has_more).map(|(seq, _)| seq + 1);
    let mut events = Reader::new(&app);
    let mut data = Vec::with_capacity(page.len());
    for (seq, at) in page {
        let opened = events.open(at).await?;
        let Event::Chat(ChatEvent::MessagePosted(posted)) = &opened.event else {
            continue;
        };
        if posted.visibility == Visibility::Staff && !sees_notes {
            continue;
        }
        let marks = match reader {
            Some(reader) => marks(&app, tenant, chat, Some(&row), posted, reader),
            None => Marks {
                recalled: app.ports.views.is_recalled(tenant, chat, seq),
                quote_gone: quotes::is_gone(app.ports.views.as_ref(), tenant, chat, posted, None),
                ..Marks::default()
            },
        };
        let body = message(chat, posted, opened.header.time, marks, view);
        data.push(serde_json::value::to_raw_value(&body).expect("a message can be written as JSON"));
    }
    Ok(Json(Messages { data, next_seq, has_more }))
}
