//! `POST /v1/tenants/{t}/customers/sign-in`: with an identity token, or anonymously.

use application::access::Action;
use application::ports::event_log::Position;
use application::ports::key_store::SubjectId;
use axum::extract::State;
use axum::response::Response;
use domain::devices::DeviceKind;
use domain::ids::{TenantId, UserId};
use domain::labels::Language;
use domain::user::command::UserCommand;
use domain::user::describe::{Describe, Edit};
use domain::user::event::{ExternalAccount, Profile, Role};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{SignedInBody, start_session};
use crate::http::accounts;
use crate::http::auth::{Identity, SignedIn, Visitor};
use crate::http::error::{ApiError, AuthError, Problem};
use crate::http::extract::{InPath, Order};
use crate::http::identity_tokens;
use crate::http::journey::Journey;
use crate::http::routes::tenant;
use crate::state::{App, AppState};

/// Who the customer is. Without a token they are nobody in particular.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerSignIn {
    /// Signed by the tenant's own servers: HS256 with the tenant's identity secret; claims sub, aud (the tenant), exp, and name if wanted.
    identity_token: Option<String>,
    /// The device as it names itself.
    device: Option<String>,
    /// What the device is: `other`, `web`, `desktop`, `mobile`, `tablet`, `mini_app`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    device_kind: DeviceKind,
    /// The language that the customer is to be spoken to in, such as `en`, as long as the tenant has noted none.
    #[schema(value_type = Option<String>)]
    language: Option<Language>,
}

/// Signs a customer in. With an identity token and the access token of an anonymous sign-in in the `Authorization` header, the
/// anonymous customer becomes the identified one: whoever asks has proved to be both.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/customers/sign-in",
    tag = "sign-in",
    security((), ("bearer" = [])),
    params(("t" = String, Path, description = "The tenant.")),
    request_body = CustomerSignIn,
    responses((status = 200, body = SignedInBody), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn sign_in(
    State(app): State<App>,
    visitor: Visitor,
    InPath(tenant): InPath<TenantId>,
    order: Order<CustomerSignIn>,
) -> Result<Response, ApiError> {
    match order.body.identity_token.clone() {
        None => anonymously(&app, &visitor, tenant, order.body).await,
        Some(token) => identified(&app, &visitor, tenant, &token, order).await,
    }
}

async fn anonymously(
    app: &AppState,
    visitor: &Visitor,
    tenant: TenantId,
    CustomerSignIn { device, device_kind, language, .. }: CustomerSignIn,
) -> Result<Response, ApiError> {
    tenant::known(app, tenant)?;
    app.blocks.check_address(app, tenant, visitor.address).await?;
    app.addresses.signs_in_anonymously(visitor.address, app.now())?;
    let user = UserId::from_uuid(app.new_id());
    let journey = Journey::of_stranger(app, visitor, user);
    app.ports.keys.ensure(tenant, SubjectId::from(user)).await?;
    let register = UserCommand::Register { role: Role::Customer, anonymous: true, profile: Profile::default() };
    journey.to_user("register", tenant, user, register).await?;
    speaks(app, &journey, (tenant, user), language).await?;
    start_session(app, &journey, tenant, user, (device, device_kind), visitor.address).await
}

/// Notes what language somebody speaks, unless that is known.
async fn speaks(
    app: &AppState,
    journey: &Journey<'_>,
    (tenant, user): (TenantId, UserId),
    language: Option<Language>,
) -> Result<(), ApiError> {
    let Some(language) = language else { return Ok(()) };
    if app.ports.views.description(tenant, user).is_some_and(|row| row.language.is_some()) {
        return Ok(());
    }
    let describe = Describe { language: Edit::Set(language), ..Describe::default() };
    journey.to_user("language", tenant, user, UserCommand::Describe(Box::new(describe))).await?;
    Ok(())
}

async fn identified(
    app: &AppState,
    visitor: &Visitor,
    tenant: TenantId,
    token: &str,
    order: Order<CustomerSignIn>,
) -> Result<Response, ApiError> {
    let no_secret = AuthError::InvalidIdentity { reason: "the tenant accepts none" };
    let refused = |error| visitor.refused(app, error);
    let row = app.ports.views.tenant(tenant).ok_or_else(|| refused(no_secret))?;
    let key = app.identity_secrets.key(app, tenant, row.identity_secret).await?.ok_or_else(|| refused(no_secret))?;
    let identity = identity_tokens::verify(token, &key, tenant, app.now()).map_err(refused)?;
    let account = ExternalAccount { provider: accounts::IDENTITY.to_owned(), account: identity.sub };
    let user = accounts::user_behind(app, tenant, accounts::digest(&app.secrets, tenant, &account));
    app.blocks.check(app, tenant, user, Some(visitor.address)).await?;
    let before = visitor.identify(app)?;
    let journey = Journey::of_user(app, visitor, user, &order)?;
    register(app, &journey, tenant, user, account, identity.name).await?;
    if let Some(Identity::User(before)) = &before {
        become_identified(&journey, tenant, before, user).await?;
    }
    speaks(app, &journey, (tenant, user), order.body.language.clone()).await?;
    start_session(app, &journey, tenant, user, (order.body.device, order.body.device_kind), visitor.address).await
}

/// Makes sure that the customer behind an account is registered under it. Nothing happens when they are; otherwise answers where.
pub(in crate::http::routes) async fn register(
    app: &AppState,
    journey: &Journey<'_>,
    tenant: TenantId,
    user: UserId,
    account: ExternalAccount,
    name: Option<String>,
) -> Result<Option<Position>, ApiError> {
    if app.ports.views.user(tenant, user).is_some_and(|row| row.role == Role::Customer && !row.anonymous) {
        return Ok(None);
    }
    let digest = accounts::digest(&app.secrets, tenant, &account);
    app.ports.keys.ensure(tenant, SubjectId::from(user)).await?;
    let profile = Profile { display_name: name.unwrap_or_default(), avatar_url: None };
    journey.to_user("register", tenant, user, UserCommand::Register { role: Role::Customer, anonymous: false, profile }).await?;
    let mapped = journey.to_user("map account", tenant, user, UserCommand::MapExternalAccount { digest, account }).await?;
    Ok(Some(mapped.position))
}

/// The one way in which a customer merges themself: both proofs in one request.
async fn become_identified(journey: &Journey<'_>, tenant: TenantId, before: &SignedIn, user: UserId) -> Result<(), ApiError> {
    if before.tenant != tenant {
        return Err(application::access::Denied::OtherTenant.into());
    }
    if before.user == user {
        return Ok(());
    }
    if before.row.role != Role::Customer {
        return Err(application::access::Denied::NoRight { action: Action::MergeCustomers }.into());
    }
    let merge = UserCommand::Merge { user: before.user, into: user };
    journey.to_user("merge", tenant, before.user, merge).await?;
    tracing::info!(tenant.id = %tenant, user.id = %before.user, into = %user, "anonymous customer identified");
    Ok(())
}
