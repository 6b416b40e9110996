//! `PUT /v1/tenants/{t}/device-policies`: on how many devices users of a role are signed in, and which kinds end which.

use application::access::{Action, Resource};
use axum::extract::State;
use axum::response::Response;
use domain::devices::{DeviceKind, DevicePolicy, Kick};
use domain::ids::TenantId;
use domain::tenant::command::TenantCommand;
use domain::user::event::Role;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{known, stream};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, Order, wait_for};
use crate::http::journey::Journey;
use crate::http::respond::{Done, done};
use crate::state::App;

/// A sign-in on a device of one kind ends those on others.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KickBody {
    /// The kind that comes: `other`, `web`, `desktop`, `mobile`, `tablet`, `mini_app`.
    #[schema(value_type = String)]
    newcomer: DeviceKind,
    /// The kinds that go; its own among them means one device of it at a time.
    #[schema(value_type = Vec<String>)]
    ends: Vec<DeviceKind>,
}

/// What holds for the devices of a role.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DevicePolicyBody {
    /// The role.
    #[schema(value_type = String)]
    role: Role,
    /// Most sign-ins of a user at a time, 1 to 16; a further one ends the one that would expire first.
    devices_max: u8,
    /// What else a sign-in ends, each kind at most once.
    #[serde(default)]
    kicks: Vec<KickBody>,
}

impl From<&(Role, DevicePolicy)> for DevicePolicyBody {
    fn from((role, policy): &(Role, DevicePolicy)) -> Self {
        let kicks = policy.kicks.iter().map(|kick| KickBody { newcomer: kick.newcomer, ends: kick.ends.clone() });
        Self { role: *role, devices_max: policy.devices_max, kicks: kicks.collect() }
    }
}

/// Replaces what holds for the devices of a role. Who is signed in already is held to it at their next sign-in.
#[utoipa::path(
    put,
    path = "/v1/tenants/{t}/device-policies",
    tag = "tenants",
    params(("t" = String, Path, description = "The tenant.")),
    request_body = DevicePolicyBody,
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn change_device_policy(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    order: Order<DevicePolicyBody>,
) -> Result<Response, ApiError> {
    caller.may(Action::ChangeLimits, Resource::of_tenant(tenant))?;
    known(&app, tenant)?;
    let DevicePolicyBody { role, devices_max, kicks } = order.body.clone();
    let kicks = kicks.into_iter().map(|kick| Kick { newcomer: kick.newcomer, ends: kick.ends }).collect();
    let command = TenantCommand::ChangeDevicePolicy { role, policy: DevicePolicy { devices_max, kicks } };
    let answer = Journey::of(&app, &caller, &order)?.execute("change device policy", stream(tenant), command).await?;
    // It is looked up when somebody signs in, so the next one must meet it.
    wait_for(&app, answer.position).await?;
    Ok(done(answer.position))
}
