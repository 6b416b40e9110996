//! `GET` and `PATCH /v1/tenants/{t}/users/{u}/description`: what a tenant knows of a customer in words of its own.

use std::collections::{BTreeMap, BTreeSet};

use application::access::{Action, Resource};
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use domain::event::Event;
use domain::ids::{TenantId, UserId};
use domain::labels::{Label, Language};
use domain::user::command::UserCommand;
use domain::user::describe::Describe;
use domain::user::event::UserEvent;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::known;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, NoParams, Order, Params, edit, given, wait_for};
use crate::http::journey::Journey;
use crate::http::respond::{Done, done};
use crate::reading::Reader;
use crate::state::{App, AppState};

/// What is known of a customer.
#[derive(Debug, Serialize, ToSchema)]
pub struct DescriptionBody {
    /// The tier they are of, in the tenant's words.
    pub tier: Option<String>,
    /// The language they speak, as browsers name it.
    pub language: Option<String>,
    /// Their tags, in the tenant's words.
    pub tags: Vec<String>,
    /// Their attributes; the value is null when the person was erased.
    pub attributes: BTreeMap<String, Option<String>>,
}

/// What changes; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeDescription {
    /// The tier, `[a-z0-9_]{1,32}`; null takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    tier: Option<Option<Label>>,
    /// The language, such as `zh-CN`; null takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    language: Option<Option<Language>>,
    /// Tags that they get, `[a-z0-9_]{1,32}`.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    add_tags: BTreeSet<Label>,
    /// Tags that they lose.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    remove_tags: BTreeSet<Label>,
    /// Attributes by name, at most 512 bytes each; null takes one away.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, Option<String>>)]
    attributes: BTreeMap<Label, Option<String>>,
}

impl From<ChangeDescription> for Describe {
    fn from(change: ChangeDescription) -> Self {
        let mut describe = Self {
            tier: edit(change.tier),
            language: edit(change.language),
            add_tags: change.add_tags,
            remove_tags: change.remove_tags,
            ..Self::default()
        };
        for (name, value) in change.attributes {
            match value {
                Some(value) => drop(describe.set_attributes.insert(name, value)),
                None => drop(describe.remove_attributes.insert(name)),
            }
        }
        describe
    }
}

/// Whether the caller, if they have an account, is in a chat of the customer's now.
fn serves(app: &AppState, caller: &Caller, tenant: TenantId, customer: UserId) -> bool {
    let views = &app.ports.views;
    let is_member = |own: UserId| {
        let chats = views.chats_of(tenant, customer);
        chats.into_iter().filter_map(|chat| views.chat(tenant, chat)).any(|chat| chat.member(own).is_some())
    };
    caller.user_of(tenant).is_some_and(|own| own.user != customer && is_member(own.user))
}

/// Reads what is known of a customer.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/users/{u}/description",
    tag = "users",
    params(("t" = String, Path, description = "The tenant."), ("u" = String, Path, description = "The customer.")),
    responses((status = 200, body = DescriptionBody), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn read(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, user)): InPath<(TenantId, UserId)>,
    _: Params<NoParams>,
) -> Result<Json<DescriptionBody>, ApiError> {
    caller.enter(tenant, Action::ReadDescriptions)?;
    caller.may(Action::ReadDescriptions, Resource::of_tenant(tenant).own(serves(&app, &caller, tenant, user)))?;
    let user = known(&app, tenant, user)?.user;
    let row = app.ports.views.description(tenant, user).unwrap_or_default();
    let mut reader = Reader::new(&app);
    let mut attributes = BTreeMap::new();
    for (name, at) in row.attributes {
        let value = match reader.open(at).await?.event {
            Event::User(UserEvent::CustomerDescribed(event)) => {
                event.private.known().and_then(|private| private.values.get(&name).cloned())
            }
            Event::User(_)
            | Event::Chat(_)
            | Event::Conversation(_)
            | Event::Desk(_)
            | Event::Tenant(_)
            | Event::Campaign(_)
            | Event::Retrieval(_) => None,
        };
        attributes.insert(name.to_string(), value);
    }
    Ok(Json(DescriptionBody {
        tier: row.tier.map(|tier| tier.to_string()),
        language: row.language.map(|language| language.to_string()),
        tags: row.tags.iter().map(ToString::to_string).collect(),
        attributes,
    }))
}

/// Changes what is known of a customer.
#[utoipa::path(
    patch,
    path = "/v1/tenants/{t}/users/{u}/description",
    tag = "users",
    params(("t" = String, Path, description = "The tenant."), ("u" = String, Path, description = "The customer.")),
    request_body = ChangeDescription,
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn change(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, user)): InPath<(TenantId, UserId)>,
    order: Order<ChangeDescription>,
) -> Result<Response, ApiError> {
    caller.enter(tenant, Action::DescribeCustomers)?;
    caller.may(Action::DescribeCustomers, Resource::of_tenant(tenant).own(serves(&app, &caller, tenant, user)))?;
    let user = known(&app, tenant, user)?.user;
    let journey = Journey::of(&app, &caller, &order)?;
    let describe = UserCommand::Describe(Box::new(order.body.into()));
    let position = journey.to_user("describe", tenant, user, describe).await?.position;
    wait_for(&app, position).await?;
    Ok(done(position))
}
