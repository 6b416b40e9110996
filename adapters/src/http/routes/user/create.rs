//! `POST /v1/tenants/{t}/users`.

use application::access::{Action, Resource};
use application::log::commit;
use application::log::stream::{StreamId, StreamKey};
use application::ports::event_log::Position;
use application::ports::key_store::SubjectId;
use axum::extract::State;
use axum::response::Response;
use domain::ids::{CommandId, GroupId, TenantId, UserId};
use domain::user::command::UserCommand;
use domain::user::event::{ExternalAccount, Profile, Role};
use serde::Deserialize;
use utoipa::ToSchema;

use super::abilities::ChangeAbilities;
use crate::http::accounts;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, InputError, Problem};
use crate::http::extract::{InPath, Order, wait_for};
use crate::http::journey::Journey;
use crate::http::respond::{Created, created};
use crate::http::routes::tenant;
use crate::ids;
use crate::state::{App, AppState};

/// An account elsewhere.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountBody {
    /// Whose account id it is.
    pub provider: String,
    /// The account id there.
    pub account: String,
}

impl From<AccountBody> for ExternalAccount {
    fn from(body: AccountBody) -> Self {
        Self { provider: body.provider, account: body.account }
    }
}

/// A new user.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateUser {
    /// What they are; never changes.
    #[schema(value_type = String, example = "agent")]
    role: Role,
    /// Shown to others.
    display_name: String,
    /// Where the picture is.
    avatar_url: Option<String>,
    /// The name they sign in with; unique in the tenant. Not for customers.
    login: Option<String>,
    /// The password they sign in with, 8 to 256 bytes.
    password: Option<String>,
    /// The groups they serve. Those who serve are in `main` unless told otherwise.
    #[schema(value_type = Option<Vec<String>>)]
    groups: Option<Vec<GroupId>>,
    /// Most conversations at a time.
    capacity: Option<u32>,
    /// What they are able to do.
    abilities: Option<ChangeAbilities>,
    /// An account elsewhere under which they are known.
    account: Option<AccountBody>,
}

/// Creates a user. A login or account that somebody has already is refused.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/users",
    tag = "users",
    params(("t" = String, Path, description = "The tenant.")),
    request_body = CreateUser,
    responses((status = 201, body = Created), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    order: Order<CreateUser>,
) -> Result<Response, ApiError> {
    caller.may(Action::manage_user(order.body.role), Resource::of_tenant(tenant))?;
    tenant::known(&app, tenant)?;
    let journey = Journey::of(&app, &caller, &order)?;
    let body = order.body;
    check(&app, tenant, &body)?;
    let password = match body.password.clone() {
        Some(password) => Some(app.passwords.hash(password).await?),
        None => None,
    };
    let accounts = accounts_of(&body);
    let digests: Vec<_> = accounts.iter().map(|account| accounts::digest(&app.secrets, tenant, account)).collect();
    let user = match digests.first() {
        Some(first) => ids::user_of_account(tenant, *first),
        None => UserId::from_uuid(journey.new_id("user", tenant)),
    };
    if digests.iter().any(|digest| app.ports.views.user_by_account(tenant, *digest).is_some_and(|other| other != user)) {
        return Err(ApiError::AccountTaken);
    }
    app.ports.keys.ensure(tenant, SubjectId::from(user)).await?;
    let mut position = register(&app, &journey, tenant, user, &body).await?;
    for (account, digest) in accounts.into_iter().zip(digests) {
        let step = format!("map {}", account.provider);
        position = journey.to_user(&step, tenant, user, UserCommand::MapExternalAccount { digest, account }).await?.position;
    }
    if let Some(hash) = password {
        position = journey.to_user("set password", tenant, user, UserCommand::SetPassword { hash }).await?.position;
    }
    if body.role.serves() {
        let groups = body.groups.unwrap_or_else(|| vec![first_group()]);
        position = journey.to_user("change groups", tenant, user, UserCommand::ChangeGroups { groups }).await?.position;
    }
    if let Some(capacity) = body.capacity {
        position = journey.to_user("change capacity", tenant, user, UserCommand::ChangeCapacity { capacity }).await?.position;
    }
    if let Some(abilities) = body.abilities {
        let change = UserCommand::ChangeAbilities(Box::new(abilities.into()));
        position = journey.to_user("change abilities", tenant, user, change).await?.position;
    }
    // They can sign in from the answer on.
    wait_for(&app, position).await?;
    Ok(created(user, position))
}

fn first_group() -> GroupId {
    tenant::create::FIRST_GROUP.parse().expect("the first group's name is a slug")
}

fn accounts_of(body: &CreateUser) -> Vec<ExternalAccount> {
    let login = body.login.as_deref().map(accounts::of_login);
    login.into_iter().chain(body.account.clone().map(ExternalAccount::from)).collect()
}

/// Everything that can be refused is refused before the first event, so that no half-made user stays behind.
fn check(app: &AppState, tenant: TenantId, body: &CreateUser) -> Result<(), ApiError> {
    let refused = |field, reason| Err(ApiError::from(InputError::Refused { field, reason }));
    if body.login.is_some() != body.password.is_some() {
        return refused("login", "login and password come together");
    }
    if body.login.as_ref().is_some_and(|login| login.is_empty()) {
        return refused("login", "must not be empty");
    }
    if body.login.is_some() && body.role == Role::Customer {
        return refused("login", "customers sign in with identity tokens or anonymously");
    }
    if let Some(account) = &body.account {
        accounts::check_claimed(&account.clone().into())?;
    }
    if !body.role.serves() && (body.groups.is_some() || body.capacity.is_some() || body.abilities.is_some()) {
        return refused("role", "only agents and supervisors have groups, a capacity and abilities");
    }
    check_groups(app, tenant, body.groups.as_deref().unwrap_or_default())
}

/// Whether the tenant has all of these groups.
pub(super) fn check_groups(app: &AppState, tenant: TenantId, groups: &[GroupId]) -> Result<(), ApiError> {
    let row = tenant::known(app, tenant)?;
    let known = |group: &GroupId| row.groups.iter().any(|(id, _)| id == group);
    if groups.iter().all(known) {
        Ok(())
    } else {
        Err(InputError::Refused { field: "groups", reason: "must be groups of the tenant" }.into())
    }
}

async fn register(app: &AppState, journey: &Journey<'_>, tenant: TenantId, user: UserId, body: &CreateUser) -> Result<Position, ApiError> {
    let profile = Profile { display_name: body.display_name.clone(), avatar_url: body.avatar_url.clone() };
    let stream = StreamId::new(tenant, StreamKey::User(user));
    let command = UserCommand::Register { role: body.role, anonymous: false, profile };
    let answer = journey.execute("register", stream, command).await?;
    // Nothing new: either a retry of this very request, or somebody else has the account.
    if answer.events == 0 && registered_by(app, stream).await? != Some(journey.command_id(&stream, "register")) {
        return Err(ApiError::AccountTaken);
    }
    Ok(answer.position)
}

/// The command that registered a user.
async fn registered_by(app: &AppState, stream: StreamId) -> Result<Option<CommandId>, ApiError> {
    let first = app.ports.log.read_stream(stream, 1, 1).await?.into_iter().next();
    let event = first.as_ref().and_then(|first| commit::events(&first.bytes).ok()?.next()?.ok());
    Ok(event.map(|event| event.meta.command))
}
