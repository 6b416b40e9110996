//! `GET /v1/tenants/{t}/canned-replies`.

use application::access::{Action, Resource};
use application::queries::CannedReplyRow;
use axum::Json;
use axum::extract::State;
use domain::event::Event;
use domain::ids::TenantId;
use domain::labels::{LABEL_BYTES_MAX, Label};
use domain::message::CannedText;
use domain::private::Private;
use domain::tenant::event::TenantEvent;
use domain::user::event::UserEvent;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Scope;
use crate::http::auth::Caller;
use crate::http::cursor;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, Params};
use crate::http::respond::Page;
use crate::http::routes::tenant;
use crate::reading::Reader;
use crate::state::{App, AppState};

/// The list, as its cursors know it.
const LIST: &str = "canned replies";
/// A place in the list: the shortcut, padded with zero bytes, then whose it is, then the id.
type Place = [u8; LABEL_BYTES_MAX + 1 + 16];

/// Which canned replies.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListCannedReplies {
    /// What their shortcuts begin with.
    #[serde(default)]
    prefix: String,
    /// Rows, 1 to 200.
    limit: Option<usize>,
    /// The cursor of the page before.
    after: Option<String>,
}

/// A canned reply.
#[derive(Debug, Serialize, ToSchema)]
pub struct CannedReplyBody {
    /// Its id.
    id: String,
    /// Whose it is.
    scope: Scope,
    /// The group, for a group's.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    /// What is typed after `/` to find it.
    #[schema(value_type = String)]
    shortcut: Label,
    /// What it is found by.
    title: String,
    /// What is put into the message.
    text: String,
}

/// Lists the canned replies that the caller may use, by shortcut: their own, their groups', the tenant's.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/canned-replies",
    tag = "canned replies",
    params(("t" = String, Path, description = "The tenant."), ListCannedReplies),
    responses((status = 200, body = Page<CannedReplyBody>), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    Params(params): Params<ListCannedReplies>,
) -> Result<Json<Page<CannedReplyBody>>, ApiError> {
    caller.enter(tenant, Action::ReadCannedReplies)?;
    let limit = cursor::page_size(params.limit)?;
    let after: Option<Place> = params.after.map(|after| cursor::read(&app.secrets, LIST, Some(tenant), &after)).transpose()?;
    let mut rows = usable(&app, &caller, tenant)?;
    rows.retain(|row| row.1.shortcut.as_str().starts_with(&params.prefix) && after.is_none_or(|after| place(row) > after));
    rows.sort_by_key(place);
    rows.truncate(limit + 1);
    let (rows, next) = Page::<CannedReplyBody>::cut(rows, limit, |last| cursor::write(&app.secrets, LIST, Some(tenant), &place(last)));
    let mut reader = Reader::new(&app);
    let mut data = Vec::with_capacity(rows.len());
    for (scope, row) in rows {
        // Nothing is left of one whose words were erased.
        let Some(CannedText { title, text }) = content(&mut reader, &row).await? else { continue };
        let group = row.group.map(|group| group.to_string());
        data.push(CannedReplyBody { id: row.reply.to_string(), scope, group, shortcut: row.shortcut, title, text });
    }
    Ok(Json(Page::new(data, next)))
}

/// What the caller may use, in no order.
fn usable(app: &AppState, caller: &Caller, tenant: TenantId) -> Result<Vec<(Scope, CannedReplyRow)>, ApiError> {
    let row = tenant::known(app, tenant)?;
    let reaches = |row: &&CannedReplyRow| {
        let of_group = Resource::of_tenant(tenant).in_group(row.group);
        row.group.is_none() || caller.may(Action::ReadCannedReplies, of_group).is_ok()
    };
    let shared = row.canned_replies.iter().filter(reaches).cloned();
    let shared = shared.map(|row| (if row.group.is_some() { Scope::Group } else { Scope::Tenant }, row));
    let own = caller.user_of(tenant).map(|user| app.ports.views.own_canned_replies(tenant, user.user)).unwrap_or_default();
    Ok(shared.chain(own.into_iter().map(|row| (Scope::Own, row))).collect())
}

fn place((scope, row): &(Scope, CannedReplyRow)) -> Place {
    let mut place = [0; LABEL_BYTES_MAX + 1 + 16];
    let shortcut = row.shortcut.as_str().as_bytes();
    place[..shortcut.len()].copy_from_slice(shortcut);
    place[LABEL_BYTES_MAX] = *scope as u8;
    place[LABEL_BYTES_MAX + 1..].copy_from_slice(row.reply.as_bytes());
    place
}

async fn content(reader: &mut Reader<'_>, row: &CannedReplyRow) -> Result<Option<CannedText>, ApiError> {
    let private = match reader.open(row.content).await?.event {
        Event::Tenant(TenantEvent::CannedReplySaved(saved)) => saved.private,
        Event::User(UserEvent::CannedReplySaved(saved)) => saved.private,
        Event::Tenant(_)
        | Event::User(_)
        | Event::Chat(_)
        | Event::Conversation(_)
        | Event::Desk(_)
        | Event::Campaign(_)
        | Event::Retrieval(_) => {
            return Ok(None);
        }
    };
    match private {
        Private::Known(content) => Ok(Some(content)),
        Private::Erased | Private::Closed => Ok(None),
    }
}
