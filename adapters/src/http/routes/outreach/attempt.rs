//! `POST /v1/tenants/{t}/outreach`.

use application::access::{Action, Resource};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::{ChatId, ClientMessageId, ShopId, TenantId, UserId};
use domain::labels::{Label, Reference};
use domain::message::Visibility;
use domain::outreach::OutreachVerdict;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::attachments::links;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, InputError, Problem};
use crate::http::extract::{InPath, Order};
use crate::http::message_body::message_body;
use crate::http::respond::changed;
use crate::http::routes::tenant;
use crate::messaging::Sender;
use crate::outreach::told::AttemptBody;
use crate::outreach::{self, Wanted};
use crate::state::App;

message_body! {
    /// Contact to start with a customer. Its own id makes a retry harmless; an idempotency key is not needed.
    pub struct ReachOut {
        /// The sender's id for the message, a `UUIDv7`.
        #[schema(value_type = String)]
        id: ClientMessageId,
        /// For which shop.
        #[schema(value_type = String)]
        shop: ShopId,
        /// With whom.
        #[schema(value_type = String)]
        customer: UserId,
        /// From where: `order_page` or `agent_console`; from anywhere else it is refused.
        #[schema(value_type = String)]
        entry: Label,
        /// What the tenant's own systems call the order that it is about.
        #[schema(value_type = Option<String>)]
        order: Option<Reference>,
    }
}

/// Contact that was started.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReachedOut {
    #[serde(flatten)]
    attempt: AttemptBody,
    /// The position; a read takes it as `at_least`.
    position: String,
}

/// Starts contact with a customer who wrote to the shop within the last 72 hours. Refused, it is 403 `outreach_refused` with the
/// attempt and the reason; either way the attempt is on record.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/outreach",
    tag = "outreach",
    params(("t" = String, Path, description = "The tenant.")),
    request_body = ReachOut,
    responses((status = 201, body = ReachedOut), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn attempt(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    order: Order<ReachOut>,
) -> Result<Response, ApiError> {
    caller.may(Action::ReachOut, Resource::of_tenant(tenant))?;
    let user = caller.require_user(tenant, Action::ReachOut)?;
    let row = tenant::known(&app, tenant)?;
    let body = order.body;
    if !row.shops.iter().any(|(known, _)| *known == body.shop) {
        return Err(ApiError::NotFound { kind: "shop" });
    }
    if body.quote.is_some() || body.url.as_deref().is_some_and(|url| links::read(tenant, url).is_some()) {
        return Err(InputError::Refused { field: "quote", reason: "contact is started without a quote and without an attachment" }.into());
    }
    let sender = Sender { tenant, user: user.user, role: user.row.role, address: None };
    let (id, shop, customer, entry, about) = (body.id, body.shop, body.customer, body.entry.clone(), body.order.clone());
    let draft = body.into_draft(id, ChatId::from_uuid(Uuid::nil()), Visibility::All, None)?;
    let wanted = Wanted { shop, customer, entry, order: about, correlation: caller.correlation, draft };
    let told = outreach::attempt(&app, sender, wanted).await?;
    match told.fact.ruling.verdict {
        OutreachVerdict::Allowed => {
            let body = ReachedOut { attempt: AttemptBody::from(&told), position: told.position.to_string() };
            Ok(changed(StatusCode::CREATED, told.position, body))
        }
        OutreachVerdict::Refused(reason) => {
            Err(ApiError::OutreachRefused { attempt: told.fact.attempt, reason, age: told.fact.ruling.age })
        }
    }
}
