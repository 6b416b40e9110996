//! `POST /v1/tenants/{t}/customers/import`: customers whom another system knows already, many at a time.

use application::access::{Action, Resource};
use application::ports::event_log::Position;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::{TenantId, UserId};
use domain::user::event::ExternalAccount;
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::accounts;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, InputError, Problem};
use crate::http::extract::{InPath, Order};
use crate::http::journey::Journey;
use crate::http::respond::changed;
use crate::http::routes::sign_in::customer::register;
use crate::http::routes::tenant;
use crate::state::{App, AppState};

/// Most customers of one request: what fits its largest body.
const CUSTOMERS_MAX: usize = 1_000;
/// Customers of one request who are registered at a time: they share flushes, and leave room for others.
const AT_A_TIME: usize = 64;

/// A customer of another system.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportedCustomer {
    /// Whose account id it is.
    provider: String,
    /// The account id there.
    account: String,
    /// Shown to others; taken at the first time only.
    display_name: Option<String>,
}

/// Customers to register.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportCustomers {
    /// Who, 1 to 1,000.
    customers: Vec<ImportedCustomer>,
}

/// Who they are here.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportedCustomers {
    /// Their ids, in the order of the request.
    users: Vec<String>,
    /// The position; a read takes it as `at_least`.
    position: String,
}

/// Registers customers whom another system knows. Those who are known already stay as they are; who sends the same again gets the
/// same ids.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/customers/import",
    tag = "users",
    params(("t" = String, Path, description = "The tenant.")),
    request_body = ImportCustomers,
    responses((status = 200, body = ImportedCustomers), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn import(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    order: Order<ImportCustomers>,
) -> Result<Response, ApiError> {
    caller.may(Action::ManageCustomers, Resource::of_tenant(tenant))?;
    tenant::known(&app, tenant)?;
    let customers = &order.body.customers;
    if !(1..=CUSTOMERS_MAX).contains(&customers.len()) {
        return Err(InputError::Refused { field: "customers", reason: "must be 1 to 1,000 entries" }.into());
    }
    let accounts: Vec<ExternalAccount> = customers
        .iter()
        .map(|customer| ExternalAccount { provider: customer.provider.clone(), account: customer.account.clone() })
        .collect();
    // Nobody is registered if one of them cannot be.
    accounts.iter().try_for_each(accounts::check_claimed)?;
    let journey = Journey::of(&app, &caller, &order)?;
    let mut known = Vec::with_capacity(customers.len());
    let mut under_way = FuturesOrdered::new();
    for (account, customer) in accounts.into_iter().zip(customers) {
        if under_way.len() >= AT_A_TIME {
            known.extend(under_way.next().await.transpose()?);
        }
        under_way.push_back(registered(&app, &journey, tenant, account, customer.display_name.clone()));
    }
    while let Some(next) = under_way.next().await {
        known.push(next?);
    }
    let position = match known.iter().filter_map(|(_, position)| *position).max() {
        Some(position) => position,
        None => Position { shard: app.ports.log.shard(), commit: app.ports.views.reached(), index: 0 },
    };
    let users = known.iter().map(|(user, _)| user.to_string()).collect();
    Ok(changed(StatusCode::OK, position, ImportedCustomers { users, position: position.to_string() }))
}

async fn registered(
    app: &AppState,
    journey: &Journey<'_>,
    tenant: TenantId,
    account: ExternalAccount,
    name: Option<String>,
) -> Result<(UserId, Option<Position>), ApiError> {
    let user = accounts::user_behind(app, tenant, accounts::digest(&app.secrets, tenant, &account));
    Ok((user, register(app, journey, tenant, user, account, name).await?))
}
