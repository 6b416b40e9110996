//! `GET /v1/tenants/{t}/users` and `GET /v1/tenants/{t}/users/{u}`.

use application::access::{Action, Resource};
use application::queries::{AccountStage, ServiceStatus, UserRow};
use axum::Json;
use axum::extract::State;
use domain::ids::{TenantId, UserId};
use domain::user::event::Role;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::abilities::AbilitiesBody;
use super::known;
use crate::http::auth::Caller;
use crate::http::cursor;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, NoParams, Params};
use crate::http::respond::Page;
use crate::profiles;
use crate::reading::Reader;
use crate::state::App;

/// A user.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserBody {
    /// Their id.
    pub id: String,
    /// What they are.
    #[schema(value_type = String)]
    pub role: Role,
    /// Shown to others; null when the person was erased.
    pub display_name: Option<String>,
    /// Where the picture is.
    pub avatar_url: Option<String>,
    /// Whether nobody vouches for who they are.
    pub anonymous: bool,
    /// `active`, `deactivated` or `merged`.
    pub stage: &'static str,
    /// The account they are now, if merged.
    pub merged_into: Option<String>,
    /// Since when, in milliseconds since 1970.
    pub registered_at: i64,
    /// Whether a device is connected, or was within the grace.
    pub online: bool,
    /// `started`, `paused` or `stopped`, for those who serve.
    pub service: Option<&'static str>,
    /// The groups they serve.
    pub groups: Vec<String>,
    /// Most conversations at a time, for those who serve.
    pub capacity: Option<u32>,
    /// What they are able to do, for those who serve.
    pub abilities: Option<AbilitiesBody>,
}

/// Describes a user.
pub(in crate::http::routes) async fn body(reader: &mut Reader<'_>, row: &UserRow) -> Result<UserBody, ApiError> {
    let profile = profiles::read(reader, row).await?;
    let (stage, merged_into) = match row.stage {
        AccountStage::Active => ("active", None),
        AccountStage::Deactivated => ("deactivated", None),
        AccountStage::Merged { into } => ("merged", Some(into.to_string())),
    };
    let service = match row.service {
        ServiceStatus::Started => "started",
        ServiceStatus::Paused => "paused",
        ServiceStatus::Stopped => "stopped",
    };
    let (display_name, avatar_url) = profile.map_or((None, None), |profile| (Some(profile.display_name), profile.avatar_url));
    Ok(UserBody {
        id: row.user.to_string(),
        role: row.role,
        display_name,
        avatar_url,
        anonymous: row.anonymous,
        stage,
        merged_into,
        registered_at: row.registered_at.0,
        online: row.online,
        service: row.role.serves().then_some(service),
        groups: row.groups.iter().map(ToString::to_string).collect(),
        capacity: row.role.serves().then_some(row.capacity),
        abilities: row.role.serves().then(|| (&row.abilities).into()),
    })
}

/// A page of users.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListUsers {
    /// Rows, 1 to 200.
    limit: Option<usize>,
    /// The cursor of the page before.
    after: Option<String>,
}

impl ListUsers {
    /// How many, and after whom.
    ///
    /// # Errors
    /// [`ApiError::Input`].
    pub(super) fn read(self, app: &App, of: &'static str, tenant: TenantId) -> Result<(usize, Option<UserId>), ApiError> {
        let after = self.after.map(|after| cursor::read(&app.secrets, of, Some(tenant), &after)).transpose()?;
        Ok((cursor::page_size(self.limit)?, after.map(|place| UserId::from_uuid(uuid::Uuid::from_bytes(place)))))
    }
}

/// Lists users by id.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/users",
    tag = "users",
    params(("t" = String, Path, description = "The tenant."), ListUsers),
    responses((status = 200, body = Page<UserBody>), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    Params(params): Params<ListUsers>,
) -> Result<Json<Page<UserBody>>, ApiError> {
    caller.may(Action::ListUsers, Resource::of_tenant(tenant))?;
    super::super::tenant::known(&app, tenant)?;
    let (limit, after) = params.read(&app, "users", tenant)?;
    let rows = app.ports.views.users(tenant, after, limit + 1);
    let cursor = |last: &std::sync::Arc<UserRow>| cursor::write(&app.secrets, "users", Some(tenant), last.user.as_bytes());
    let (rows, next) = Page::<UserBody>::cut(rows, limit, cursor);
    let mut reader = Reader::new(&app);
    let mut data = Vec::with_capacity(rows.len());
    for row in rows {
        data.push(body(&mut reader, &row).await?);
    }
    Ok(Json(Page::new(data, next)))
}

/// Reads one user.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/users/{u}",
    tag = "users",
    params(("t" = String, Path, description = "The tenant."), ("u" = String, Path, description = "The user.")),
    responses((status = 200, body = UserBody), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn one(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, user)): InPath<(TenantId, UserId)>,
    _: Params<NoParams>,
) -> Result<Json<UserBody>, ApiError> {
    caller.may(Action::ReadUser, Resource::of_tenant(tenant).own(caller.is(tenant, user)))?;
    let row = known(&app, tenant, user)?;
    Ok(Json(body(&mut Reader::new(&app), &row).await?))
}
