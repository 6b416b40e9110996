//! Group threads: who is in them, what each may do, and what they are called. What is said in them goes through the routes of chats.

pub mod change;
pub mod create;
pub mod members;
pub mod own;
pub mod read;

use application::access::{Action, Principal, Resource, reach};
use application::log::stream::{StreamId, StreamKey};
use application::queries::{AccountStage, ChatRow, ThreadRow};
use axum::response::Response;
use domain::chat::command::{By, ChatCommand, Invitation, ThreadCommand};
use domain::chat::permissions::Permissions;
use domain::ids::{ChatId, TenantId, UserId};
use domain::labels::Label;
use domain::message::Permission;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::chat::{is_member, participant};
use super::user;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, InputError};
use crate::http::extract::Order;
use crate::http::journey::Journey;
use crate::http::respond::done;
use crate::state::{App, AppState};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create::create, read::list))
        .routes(routes!(read::one, change::dissolve))
        .routes(routes!(members::invite))
        .routes(routes!(members::change, members::remove))
        .routes(routes!(change::rename))
        .routes(routes!(change::pass_ownership))
        .routes(routes!(own::mute))
        .routes(routes!(own::archive))
}

/// Somebody who shall be in the thread.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationBody {
    /// Who: somebody who takes part in chats, and no anonymous customer.
    #[schema(value_type = String)]
    user: UserId,
    /// What they are to the others, in the tenant's own word: `[a-z0-9_]{1,32}`.
    #[schema(value_type = String, example = "influencer")]
    label: Label,
    /// Of `post`, `invite`, `remove`, `manage`; `post` alone unless told otherwise.
    #[serde(default = "post_alone")]
    #[schema(value_type = Option<Vec<String>>)]
    permissions: Vec<Permission>,
}

fn post_alone() -> Vec<Permission> {
    vec![Permission::Post]
}

impl InvitationBody {
    fn invitation(&self) -> Invitation {
        Invitation { user: self.user, label: self.label.clone(), permissions: self.permissions.iter().copied().collect::<Permissions>() }
    }
}

/// Whether somebody can be in a thread at all.
fn check_invited(app: &AppState, tenant: TenantId, invited: UserId) -> Result<(), ApiError> {
    let row = user::known(app, tenant, invited)?;
    let takes_part = reach(Principal::User { tenant, role: row.role, groups: &[] }, Action::TakePartInChat).is_some();
    if takes_part && !row.anonymous && row.stage == AccountStage::Active {
        Ok(())
    } else {
        Err(InputError::Refused { field: "user", reason: "must be somebody who takes part in chats, is known, and in use" }.into())
    }
}

/// A thread that the caller may read.
fn readable(app: &AppState, caller: &Caller, tenant: TenantId, chat: ChatId) -> Result<(ChatRow, ThreadRow), ApiError> {
    const NOT_FOUND: ApiError = ApiError::NotFound { kind: "thread" };
    caller.enter(tenant, Action::ReadThread)?;
    let row = app.ports.views.chat(tenant, chat).ok_or(NOT_FOUND)?;
    caller.may(Action::ReadThread, Resource::of_tenant(tenant).own(is_member(caller, tenant, &row)))?;
    let thread = *row.thread().ok_or(NOT_FOUND)?;
    Ok((row, thread))
}

/// The caller as somebody who decides about a thread: by what they may do there, or for the tenant that hosts it.
fn deciding(caller: &Caller, tenant: TenantId) -> Result<By, ApiError> {
    let user = participant(caller, tenant)?.user;
    let for_the_host = caller.may(Action::ManageThreads, Resource::of_tenant(tenant)).is_ok();
    Ok(if for_the_host { By::Host(user) } else { By::Member(user) })
}

/// Carries an order to a thread out.
async fn give<T>(
    app: &AppState,
    caller: &Caller,
    order: &Order<T>,
    thread: (TenantId, ChatId),
    command: impl Into<ChatCommand>,
) -> Result<Response, ApiError> {
    let journey = Journey::of(app, caller, order)?;
    let (tenant, chat) = thread;
    let answer = journey.execute("thread", StreamId::new(tenant, StreamKey::Chat(chat)), command.into()).await?;
    Ok(done(answer.position))
}

/// An order that only a thread takes.
fn to_thread(command: ThreadCommand) -> ChatCommand {
    ChatCommand::Thread(command)
}
