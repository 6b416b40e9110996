//! `GET /v1/tenants/{t}/threads` and `GET /v1/tenants/{t}/threads/{c}`.

use application::queries::{ChatRow, ThreadRow};
use axum::Json;
use axum::extract::State;
use domain::chat::event::ChatEvent;
use domain::chat::permissions::Permissions;
use domain::event::Event;
use domain::ids::{ChatId, TenantId, UserId};
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::chat::participant;
use super::readable;
use crate::http::auth::Caller;
use crate::http::cursor;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, NoParams, Params};
use crate::http::respond::Page;
use crate::profiles;
use crate::reading::Reader;
use crate::state::{App, AppState};

/// A thread and where it stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct ThreadBody {
    /// Its id: that of a chat, whose routes serve what is said in it.
    id: String,
    /// What it is called; null when whoever named it was erased.
    title: Option<String>,
    /// Who owns it; null once it was dissolved.
    owner: Option<String>,
    /// Whether it goes on or was dissolved.
    dissolved: bool,
    /// Since when it exists, in milliseconds since 1970.
    created_at: i64,
    /// How many take part.
    member_count: usize,
    /// Place of the last message.
    last_seq: u64,
    /// When it was posted.
    last_message_at: Option<i64>,
    /// The caller's part, if they are in it.
    own: Option<OwnPart>,
}

/// The caller's part in a thread.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnPart {
    /// What they are to the others.
    label: String,
    /// What they may do.
    #[schema(value_type = Vec<String>)]
    permissions: Permissions,
    /// The first place that they can read.
    from_seq: u64,
    /// Whether they want no notifications.
    muted: bool,
    /// Whether it is aside in their list.
    archived: bool,
    /// Messages that they have not read.
    unread: u64,
}

/// Somebody in a thread.
#[derive(Debug, Serialize, ToSchema)]
pub struct ThreadMember {
    /// Who.
    user: String,
    /// Their name; null when they were erased.
    display_name: Option<String>,
    /// What they are to the others.
    label: String,
    /// What they may do.
    #[schema(value_type = Vec<String>)]
    permissions: Permissions,
    /// Read up to here.
    read_seq: u64,
}

/// A thread with everybody in it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ThreadWithMembers {
    /// The thread.
    #[serde(flatten)]
    thread: ThreadBody,
    /// Everybody who takes part, in the order of coming.
    members: Vec<ThreadMember>,
}

async fn title_of(reader: &mut Reader<'_>, thread: &ThreadRow) -> Result<Option<String>, ApiError> {
    let title = match reader.open(thread.title).await?.event {
        Event::Chat(ChatEvent::GroupCreated(event)) => event.private,
        Event::Chat(ChatEvent::GroupRenamed(event)) => event.private,
        Event::Chat(_)
        | Event::Conversation(_)
        | Event::User(_)
        | Event::Desk(_)
        | Event::Tenant(_)
        | Event::Campaign(_)
        | Event::Retrieval(_) => {
            return Ok(None);
        }
    };
    Ok(title.known().map(|title| title.title.clone()))
}

async fn body(
    app: &AppState,
    reader: &mut Reader<'_>,
    tenant: TenantId,
    row: &ChatRow,
    thread: &ThreadRow,
    caller: Option<UserId>,
) -> Result<ThreadBody, ApiError> {
    let own = caller.and_then(|user| row.member(user)).and_then(|member| {
        let part = member.participant.as_ref()?;
        Some(OwnPart {
            label: part.label.to_string(),
            permissions: part.permissions,
            from_seq: part.floor + 1,
            muted: part.muted,
            archived: part.archived,
            unread: app.ports.views.unread(tenant, row.chat, member.user).unwrap_or(0),
        })
    });
    Ok(ThreadBody {
        id: row.chat.to_string(),
        title: title_of(reader, thread).await?,
        owner: thread.owner.map(|owner| owner.to_string()),
        dissolved: thread.owner.is_none(),
        created_at: thread.created_at.0,
        member_count: row.members.len(),
        last_seq: row.last_seq,
        last_message_at: row.last_message_at.map(|at| at.0),
        own,
    })
}

/// Reads a thread with everybody in it.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/threads/{c}",
    tag = "threads",
    params(("t" = String, Path, description = "The tenant."), ("c" = String, Path, description = "The thread.")),
    responses((status = 200, body = ThreadWithMembers), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn one(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, chat)): InPath<(TenantId, ChatId)>,
    _: Params<NoParams>,
) -> Result<Json<ThreadWithMembers>, ApiError> {
    let (row, thread) = readable(&app, &caller, tenant, chat)?;
    let mut reader = Reader::new(&app);
    let asking = caller.user_of(tenant).map(|user| user.user);
    let thread = body(&app, &mut reader, tenant, &row, &thread, asking).await?;
    let mut members = Vec::with_capacity(row.members.len());
    for member in &row.members {
        let Some(part) = &member.participant else { continue };
        let profile = match app.ports.views.user(tenant, member.user) {
            Some(account) => profiles::read(&mut reader, &account).await?,
            None => None,
        };
        members.push(ThreadMember {
            user: member.user.to_string(),
            display_name: profile.map(|profile| profile.display_name),
            label: part.label.to_string(),
            permissions: part.permissions,
            read_seq: member.read_seq,
        });
    }
    Ok(Json(ThreadWithMembers { thread, members }))
}

/// Which threads.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListThreads {
    /// Those that the caller put aside instead of the others.
    archived: Option<bool>,
    /// Rows, 1 to 200.
    limit: Option<usize>,
    /// The cursor of the page before.
    after: Option<String>,
}

const LIST: &str = "threads";

/// A thread's place in the list: newest activity first.
fn place(row: &ChatRow, thread: &ThreadRow) -> (Timestamp, ChatId) {
    (row.last_message_at.unwrap_or(thread.created_at), row.chat)
}

fn write_place((at, chat): (Timestamp, ChatId)) -> [u8; 24] {
    let mut place = [0; 24];
    place[..8].copy_from_slice(&at.0.to_be_bytes());
    place[8..].copy_from_slice(chat.as_bytes());
    place
}

fn read_place(place: [u8; 24]) -> (Timestamp, ChatId) {
    let at = i64::from_be_bytes(place[..8].try_into().expect("eight bytes"));
    let id = Uuid::from_bytes(place[8..].try_into().expect("sixteen bytes"));
    (Timestamp(at), ChatId::from_uuid(id))
}

/// Lists the caller's own threads, newest activity first.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/threads",
    tag = "threads",
    params(("t" = String, Path, description = "The tenant."), ListThreads),
    responses((status = 200, body = Page<ThreadBody>), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    Params(params): Params<ListThreads>,
) -> Result<Json<Page<ThreadBody>>, ApiError> {
    let user = participant(&caller, tenant)?.user;
    let limit = cursor::page_size(params.limit)?;
    let archived = params.archived.unwrap_or(false);
    let after = params.after.map(|after| cursor::read(&app.secrets, LIST, Some(tenant), &after)).transpose()?.map(read_place);
    let views = &app.ports.views;
    let wanted = |row: &ChatRow| row.member(user).and_then(|member| Some(member.participant.as_ref()?.archived == archived));
    let chats = views.chats_of(tenant, user).into_iter().filter_map(|chat| views.chat(tenant, chat));
    let threads = chats.filter(|row| wanted(row) == Some(true)).filter_map(|row| row.thread().copied().map(|thread| (row, thread)));
    let mut rows: Vec<(ChatRow, ThreadRow)> =
        threads.filter(|(row, thread)| after.is_none_or(|after| place(row, thread) < after)).collect();
    rows.sort_unstable_by_key(|(row, thread)| std::cmp::Reverse(place(row, thread)));
    let (rows, next) = Page::<ThreadBody>::cut(rows, limit, |(row, thread)| {
        cursor::write(&app.secrets, LIST, Some(tenant), &write_place(place(row, thread)))
    });
    let mut reader = Reader::new(&app);
    let mut data = Vec::with_capacity(rows.len());
    for (row, thread) in &rows {
        data.push(body(&app, &mut reader, tenant, row, thread, Some(user)).await?);
    }
    Ok(Json(Page::new(data, next)))
}
