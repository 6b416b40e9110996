//! `PATCH /v1/tenants/{t}/users/{u}`.

use axum::extract::State;
use axum::response::Response;
use domain::ids::{GroupId, TenantId, UserId};
use domain::user::abilities::AbilitiesChange;
use domain::user::command::UserCommand;
use domain::user::event::{Profile, Role};
use serde::Deserialize;
use utoipa::ToSchema;

use super::abilities::ChangeAbilities;
use super::create::check_groups;
use super::managed;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, InputError, Problem};
use crate::http::extract::{InPath, Order, wait_for};
use crate::http::journey::Journey;
use crate::http::respond::{Done, done};
use crate::profiles;
use crate::reading::Reader;
use crate::state::App;

/// What changes; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeUser {
    /// Shown to others.
    display_name: Option<String>,
    /// Where the picture is.
    avatar_url: Option<String>,
    /// The password they sign in with, 8 to 256 bytes. Running sign-ins stay.
    password: Option<String>,
    /// All groups they serve.
    #[schema(value_type = Option<Vec<String>>)]
    groups: Option<Vec<GroupId>>,
    /// Most conversations at a time.
    capacity: Option<u32>,
    /// What they are able to do.
    abilities: Option<ChangeAbilities>,
}

/// Changes a user.
#[utoipa::path(
    patch,
    path = "/v1/tenants/{t}/users/{u}",
    tag = "users",
    params(("t" = String, Path, description = "The tenant."), ("u" = String, Path, description = "The user.")),
    request_body = ChangeUser,
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn change(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, user)): InPath<(TenantId, UserId)>,
    order: Order<ChangeUser>,
) -> Result<Response, ApiError> {
    let row = managed(&app, &caller, tenant, user)?;
    let journey = Journey::of(&app, &caller, &order)?;
    let ChangeUser { display_name, avatar_url, password, groups, capacity, abilities } = order.body;
    if password.is_some() && row.role == Role::Customer {
        return Err(InputError::Refused { field: "password", reason: "customers have none" }.into());
    }
    check_groups(&app, tenant, groups.as_deref().unwrap_or_default())?;
    let mut commands = Vec::with_capacity(5);
    if display_name.is_some() || avatar_url.is_some() {
        let before = profiles::read(&mut Reader::new(&app), &row).await?.unwrap_or_default();
        let profile = Profile { display_name: display_name.unwrap_or(before.display_name), avatar_url: avatar_url.or(before.avatar_url) };
        commands.push(("change profile", UserCommand::ChangeProfile { profile }));
    }
    if let Some(password) = password {
        commands.push(("set password", UserCommand::SetPassword { hash: app.passwords.hash(password).await? }));
    }
    if let Some(groups) = groups {
        commands.push(("change groups", UserCommand::ChangeGroups { groups }));
    }
    if let Some(capacity) = capacity {
        commands.push(("change capacity", UserCommand::ChangeCapacity { capacity }));
    }
    let abilities = abilities.map(AbilitiesChange::from).filter(|change| !change.is_nothing());
    if let Some(abilities) = abilities {
        commands.push(("change abilities", UserCommand::ChangeAbilities(abilities.into())));
    }
    let mut position = None;
    for (step, command) in commands {
        position = Some(journey.to_user(step, tenant, user, command).await?.position);
    }
    let nothing = InputError::InvalidField { reason: "nothing to change".to_owned() };
    let position = position.ok_or(nothing)?;
    // A password that was replaced is good for nothing from the answer on.
    wait_for(&app, position).await?;
    Ok(done(position))
}
