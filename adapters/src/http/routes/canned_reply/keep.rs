//! `POST /v1/tenants/{t}/canned-replies`, and `PUT` and `DELETE` of one of them.

use application::access::{Action, Resource, reach};
use application::command::{Answer, AnyCommand};
use application::error::{CommandError, Refusal};
use application::log::stream::{StreamId, StreamKey};
use axum::extract::State;
use axum::response::Response;
use domain::ids::{CannedReplyId, GroupId, TenantId};
use domain::labels::Label;
use domain::message::CannedText;
use domain::tenant::command::TenantCommand;
use domain::tenant::error::TenantError;
use domain::user::command::UserCommand;
use domain::user::error::UserError;
use serde::Deserialize;
use utoipa::ToSchema;

use super::Scope;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, InputError, Problem};
use crate::http::extract::{InPath, NoBody, Order, wait_for};
use crate::http::journey::Journey;
use crate::http::respond::{Created, Done, created, done};
use crate::http::routes::tenant;
use crate::reading::look_up;
use crate::state::{App, AppState};

/// A new canned reply.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddCannedReply {
    /// Whose it is.
    scope: Scope,
    /// The group, for a group's.
    #[schema(value_type = Option<String>)]
    group: Option<GroupId>,
    /// What is typed after `/` to find it: `[a-z0-9_]{1,32}`, no two of the same scope.
    #[schema(value_type = String)]
    shortcut: Label,
    /// What it is found by.
    title: String,
    /// What is put into the message.
    text: String,
}

/// What a canned reply says from here on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeCannedReply {
    /// What is typed after `/` to find it: `[a-z0-9_]{1,32}`, no two of the same scope.
    #[schema(value_type = String)]
    shortcut: Label,
    /// What it is found by.
    title: String,
    /// What is put into the message.
    text: String,
}

/// Keeps a canned reply: one's own, a group's, or the tenant's.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/canned-replies",
    tag = "canned replies",
    params(("t" = String, Path, description = "The tenant.")),
    request_body = AddCannedReply,
    responses((status = 201, body = Created), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn add(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    order: Order<AddCannedReply>,
) -> Result<Response, ApiError> {
    let group = order.body.group;
    let home = match order.body.scope {
        Scope::Own => Home::own(&caller, tenant)?,
        Scope::Group | Scope::Tenant => {
            caller.may(Action::ManageCannedReplies, Resource::of_tenant(tenant).in_group(group))?;
            Home::Tenant
        }
    };
    if (order.body.scope == Scope::Group) != group.is_some() {
        return Err(InputError::Refused { field: "group", reason: "goes together with the scope `group`" }.into());
    }
    tenant::known(&app, tenant)?;
    let journey = Journey::of(&app, &caller, &order)?;
    let reply = CannedReplyId::from_uuid(journey.new_id("canned reply", tenant));
    let AddCannedReply { shortcut, title, text, .. } = order.body;
    let content = CannedText { title, text };
    let command = match home {
        Home::Tenant => TenantCommand::AddCannedReply { reply, group, shortcut, content }.into(),
        Home::Own(_) => UserCommand::AddCannedReply { reply, shortcut, content }.into(),
    };
    let answer = home.execute(&journey, "add canned reply", tenant, command).await?;
    // It is found from the answer on.
    wait_for(&app, answer.position).await?;
    Ok(created(reply, answer.position))
}

/// Replaces shortcut and text. Whose it is stays.
#[utoipa::path(
    put,
    path = "/v1/tenants/{t}/canned-replies/{id}",
    tag = "canned replies",
    params(("t" = String, Path, description = "The tenant."), ("id" = String, Path, description = "The canned reply.")),
    request_body = ChangeCannedReply,
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn change(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, reply)): InPath<(TenantId, CannedReplyId)>,
    order: Order<ChangeCannedReply>,
) -> Result<Response, ApiError> {
    let homes = homes(&app, &caller, tenant, reply).await?;
    let journey = Journey::of(&app, &caller, &order)?;
    let ChangeCannedReply { shortcut, title, text } = order.body;
    let content = CannedText { title, text };
    let command = |home| match home {
        Home::Tenant => TenantCommand::ChangeCannedReply { reply, shortcut: shortcut.clone(), content: content.clone() }.into(),
        Home::Own(_) => UserCommand::ChangeCannedReply { reply, shortcut: shortcut.clone(), content: content.clone() }.into(),
    };
    let answer = in_one_of(&homes, &journey, "change canned reply", tenant, command).await?;
    wait_for(&app, answer.position).await?;
    Ok(done(answer.position))
}

/// Forgets a canned reply.
#[utoipa::path(
    delete,
    path = "/v1/tenants/{t}/canned-replies/{id}",
    tag = "canned replies",
    params(("t" = String, Path, description = "The tenant."), ("id" = String, Path, description = "The canned reply.")),
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn remove(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, reply)): InPath<(TenantId, CannedReplyId)>,
    order: Order<NoBody>,
) -> Result<Response, ApiError> {
    let homes = homes(&app, &caller, tenant, reply).await?;
    let journey = Journey::of(&app, &caller, &order)?;
    let command = |home| match home {
        Home::Tenant => TenantCommand::RemoveCannedReply { reply }.into(),
        Home::Own(_) => UserCommand::RemoveCannedReply { reply }.into(),
    };
    let answer = in_one_of(&homes, &journey, "remove canned reply", tenant, command).await?;
    wait_for(&app, answer.position).await?;
    Ok(done(answer.position))
}

/// Which aggregate has a canned reply.
#[derive(Clone, Copy)]
enum Home {
    /// The tenant, for itself and for its groups.
    Tenant,
    /// A user, for themself.
    Own(domain::ids::UserId),
}

impl Home {
    fn own(caller: &Caller, tenant: TenantId) -> Result<Self, ApiError> {
        Ok(Self::Own(caller.require_user(tenant, Action::KeepOwnCannedReplies)?.user))
    }

    async fn execute(self, journey: &Journey<'_>, step: &str, tenant: TenantId, command: AnyCommand) -> Result<Answer, ApiError> {
        let key = match self {
            Self::Tenant => StreamKey::Tenant,
            Self::Own(user) => StreamKey::User(user),
        };
        journey.execute(step, StreamId::new(tenant, key), command).await
    }
}

/// Where a canned reply may be that the caller wants to change. One that the directory does not show may be their own, or was
/// removed by this very request, which is repeated: then the aggregate that did it knows, and answers the same again.
async fn homes(app: &AppState, caller: &Caller, tenant: TenantId, reply: CannedReplyId) -> Result<Vec<Home>, ApiError> {
    caller.enter(tenant, Action::ReadCannedReplies)?;
    tenant::known(app, tenant)?;
    let shared = || Some(app.ports.views.tenant(tenant)?.canned_replies.iter().find(|known| known.reply == reply)?.group);
    if let Some(group) = look_up(app, shared).await? {
        caller.may(Action::ManageCannedReplies, Resource::of_tenant(tenant).in_group(group))?;
        return Ok(vec![Home::Tenant]);
    }
    let manages = reach(caller.principal(), Action::ManageCannedReplies).is_some();
    Ok(Home::own(caller, tenant).ok().into_iter().chain(manages.then_some(Home::Tenant)).collect())
}

/// Carries a command out where there is such a canned reply.
async fn in_one_of(
    homes: &[Home],
    journey: &Journey<'_>,
    step: &str,
    tenant: TenantId,
    command: impl Fn(Home) -> AnyCommand,
) -> Result<Answer, ApiError> {
    let mut outcome = Err(ApiError::NotFound { kind: "canned reply" });
    for home in homes {
        outcome = home.execute(journey, step, tenant, command(*home)).await;
        if !outcome.as_ref().is_err_and(is_elsewhere) {
            break;
        }
    }
    outcome
}

fn is_elsewhere(error: &ApiError) -> bool {
    let ApiError::Command(CommandError::Refused(refusal)) = error else { return false };
    matches!(refusal, Refusal::Tenant(TenantError::NoSuchCannedReply { .. }) | Refusal::User(UserError::NoSuchCannedReply { .. }))
}
