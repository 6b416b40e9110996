//! `POST /v1/tenants`.

use application::access::{Action, Resource};
use application::ports::key_store::TENANT_SUBJECT;
use axum::extract::State;
use axum::response::Response;
use domain::ids::TenantId;
use domain::tenant::command::TenantCommand;
use domain::tenant::event::Title;
use serde::Deserialize;
use utoipa::ToSchema;

use super::stream;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, InputError, Problem};
use crate::http::extract::{Order, wait_for};
use crate::http::journey::Journey;
use crate::http::respond::{Created, created};
use crate::http::time_zone::is_time_zone;
use crate::state::App;

/// The group that every tenant has from the first day.
pub const FIRST_GROUP: &str = "main";

/// A new tenant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateTenant {
    /// 1 to 32 characters of a-z and 0-9.
    #[schema(value_type = String, example = "acme")]
    id: TenantId,
    /// IANA name of the zone its days are counted in.
    #[schema(example = "Asia/Shanghai")]
    time_zone: String,
    /// Its name.
    title: String,
}

/// Makes a tenant and its first group, `main`. One that is made already with the same zone is answered as if it were new.
#[utoipa::path(
    post,
    path = "/v1/tenants",
    tag = "tenants",
    request_body = CreateTenant,
    responses((status = 201, body = Created), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn create(State(app): State<App>, caller: Caller, order: Order<CreateTenant>) -> Result<Response, ApiError> {
    caller.may(Action::CreateTenant, Resource::platform())?;
    let journey = Journey::of(&app, &caller, &order)?;
    let CreateTenant { id, time_zone, title } = order.body;
    if !is_time_zone(&time_zone) {
        return Err(InputError::InvalidTimeZone { field: "time_zone" }.into());
    }
    app.ports.keys.ensure(id, TENANT_SUBJECT).await?;
    journey.execute("create", stream(id), TenantCommand::Create { time_zone, title: Title { title } }).await?;
    let group = FIRST_GROUP.parse().expect("the first group's name is a slug");
    let formed = TenantCommand::FormGroup { group, title: Title { title: FIRST_GROUP.to_owned() } };
    let answer = journey.execute("first group", stream(id), formed).await?;
    // The next request about this tenant needs no `at_least`: it exists for every route from here on.
    wait_for(&app, answer.position).await?;
    Ok(created(id, answer.position))
}
