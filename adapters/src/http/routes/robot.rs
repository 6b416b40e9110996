//! The robots that a tenant has elsewhere: `/v1/tenants/{t}/robots`. How they are asked is `crate::robots::remote`.

use application::access::{Action, Resource};
use application::queries::RobotRow;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::ids::TenantId;
use domain::labels::Label;
use domain::tenant::command::{RobotConnection, TenantCommand};
use domain::tenant::event::{RobotProtocol, RobotSettings, RobotUse, SharedSecret};
use domain::tenant::robots::ROBOT_TIME_OUT_DEFAULT;
use domain::time::Millis;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::channel::refused;
use super::tenant::{known, stream};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, InputError, Problem};
use crate::http::extract::{InPath, NoBody, NoParams, Order, Params, wait_for};
use crate::http::journey::Journey;
use crate::http::respond::{Done, changed, done};
use crate::secrets::Purpose;
use crate::state::{App, AppState};
use crate::webhook_signature::SigningKey;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(connect, disconnect))
}

/// A robot, as the tenant wants it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectRobot {
    /// `http` or `chat_completions`.
    #[schema(value_type = String)]
    protocol: RobotProtocol,
    /// Where it is asked, `https://`.
    url: String,
    /// Of chat completions: the language model.
    model: Option<String>,
    /// Of chat completions: what the language model is told first.
    system: Option<String>,
    /// Of chat completions: the key that the server gave out. Left out, the one before stays.
    api_key: Option<String>,
    /// `seat`, `assist`, or both.
    #[schema(value_type = Vec<String>)]
    uses: Vec<RobotUse>,
    /// How long it may take for an answer, in milliseconds: at most 60,000, and 10,000 unless told.
    timeout_ms: Option<i64>,
    /// Of `http`: whether it gets another secret; the one before is void at once.
    #[serde(default)]
    rotate: bool,
}

impl ConnectRobot {
    /// The wish, with a secret that it gets if it needs one.
    fn connection(self, secret: &[u8]) -> Result<RobotConnection, InputError> {
        let Self { protocol, url, model, system, api_key, uses, timeout_ms, rotate } = self;
        let (secret, rotate) = match protocol {
            RobotProtocol::Http if api_key.is_some() => {
                return Err(InputError::Refused {
                    field: "api_key",
                    reason: "is for chat completions; what goes to an http robot is signed",
                });
            }
            RobotProtocol::Http => (Some(STANDARD.encode(secret)), rotate),
            RobotProtocol::ChatCompletions if rotate => {
                return Err(InputError::Refused { field: "rotate", reason: "is for http robots; give the other key as api_key" });
            }
            RobotProtocol::ChatCompletions => (api_key, true),
        };
        Ok(RobotConnection {
            protocol,
            uses,
            time_out: timeout_ms.map_or(ROBOT_TIME_OUT_DEFAULT, Millis),
            settings: RobotSettings { url, model, system },
            secret: secret.map(|secret| SharedSecret { secret }),
            rotate,
        })
    }
}

/// A connected robot.
#[derive(Serialize, ToSchema)]
pub struct ConnectedRobot {
    /// Its name.
    robot: String,
    /// Of `http`: its secret, `whsec_` and base64; shown when it is new, never again.
    secret: Option<String>,
    /// The position; a read takes it as `at_least`.
    position: String,
}

/// A robot, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct RobotBody {
    /// Its name.
    robot: String,
    /// `http` or `chat_completions`.
    #[schema(value_type = String)]
    protocol: RobotProtocol,
    /// Where it is asked.
    url: String,
    /// The language model.
    model: Option<String>,
    /// What the language model is told first.
    system: Option<String>,
    /// Whether it has a secret, or a key.
    has_secret: bool,
    /// `seat`, `assist`, or both.
    #[schema(value_type = Vec<String>)]
    uses: Vec<RobotUse>,
    /// How long it may take for an answer, in milliseconds.
    timeout_ms: i64,
    /// When it was last connected, in milliseconds since 1970.
    connected_at: i64,
}

/// The robots of a tenant.
#[derive(Debug, Serialize, ToSchema)]
pub struct Robots {
    /// In the order in which they were first connected; without the built-in one.
    data: Vec<RobotBody>,
}

/// Lists the robots that the tenant has elsewhere.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/robots",
    tag = "robots",
    params(("t" = String, Path, description = "The tenant.")),
    responses((status = 200, body = Robots), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    _: Params<NoParams>,
) -> Result<Json<Robots>, ApiError> {
    caller.may(Action::ManageRobots, Resource::of_tenant(tenant))?;
    let row = known(&app, tenant)?;
    let mut data = Vec::with_capacity(row.robots.len());
    for robot in &row.robots {
        data.push(body(&app, tenant, robot).await?);
    }
    Ok(Json(Robots { data }))
}

async fn body(app: &AppState, tenant: TenantId, row: &RobotRow) -> Result<RobotBody, ApiError> {
    let RobotSettings { url, model, system } = app.ports.robots.connections.of(tenant, row).await?.settings.clone();
    Ok(RobotBody {
        robot: row.robot.to_string(),
        protocol: row.protocol,
        url,
        model,
        system,
        has_secret: row.secret.is_some(),
        uses: row.uses.clone(),
        timeout_ms: row.time_out.0,
        connected_at: row.connected_at.0,
    })
}

/// Connects a robot, or connects it otherwise: it is asked so from the answer on.
#[utoipa::path(
    put,
    path = "/v1/tenants/{t}/robots/{robot}",
    tag = "robots",
    params(("t" = String, Path, description = "The tenant."), ("robot" = String, Path, description = "1 to 32 characters of a-z, 0-9 and _; flows name it so.")),
    request_body = ConnectRobot,
    responses((status = 200, body = ConnectedRobot), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn connect(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, robot)): InPath<(TenantId, Label)>,
    order: Order<ConnectRobot>,
) -> Result<Response, ApiError> {
    caller.may(Action::ManageRobots, Resource::of_tenant(tenant))?;
    known(&app, tenant)?;
    let journey = Journey::of(&app, &caller, &order)?;
    app.outgoing.check(&order.body.url).map_err(refused)?;
    // Follows from the idempotency key, so that a repeated request answers the same one.
    let nonce = journey.new_id("robot secret", tenant);
    let secret = app.secrets.derive(Purpose::RobotSecret, &[tenant.as_str().as_bytes(), robot.as_str().as_bytes(), nonce.as_bytes()]);
    let connection = order.body.connection(&secret)?.into();
    let answer = journey.execute("connect robot", stream(tenant), TenantCommand::ConnectRobot { robot: robot.clone(), connection }).await?;
    wait_for(&app, answer.position).await?;
    let key = SigningKey::new(secret.to_vec()).to_text();
    let row = known(&app, tenant)?;
    let connected = row.robots.iter().find(|known| known.robot == robot).ok_or(ApiError::NotFound { kind: "robot" })?;
    // The one it has may be an older one, which was shown then; a key is not ours to show.
    let has = app.ports.robots.connections.of(tenant, connected).await?.signing_key();
    let is_new = connected.protocol == RobotProtocol::Http && has.is_some_and(|has| has.to_text() == key);
    let body = ConnectedRobot { robot: robot.to_string(), secret: is_new.then_some(key), position: answer.position.to_string() };
    Ok(changed(StatusCode::OK, answer.position, body))
}

/// Disconnects a robot: it is asked nothing from the answer on, and whoever a flow gives to it goes to the humans.
#[utoipa::path(
    delete,
    path = "/v1/tenants/{t}/robots/{robot}",
    tag = "robots",
    params(("t" = String, Path, description = "The tenant."), ("robot" = String, Path, description = "The robot.")),
    responses((status = 200, body = Done), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn disconnect(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, robot)): InPath<(TenantId, Label)>,
    order: Order<NoBody>,
) -> Result<Response, ApiError> {
    caller.may(Action::ManageRobots, Resource::of_tenant(tenant))?;
    let journey = Journey::of(&app, &caller, &order)?;
    let is_known = known(&app, tenant)?.robots.iter().any(|known| known.robot == robot);
    // A repeated request finds it gone, and is answered like the first time.
    if !is_known && order.key.is_none() {
        return Err(ApiError::NotFound { kind: "robot" });
    }
    let answer = journey.execute("disconnect robot", stream(tenant), TenantCommand::DisconnectRobot { robot }).await?;
    wait_for(&app, answer.position).await?;
    Ok(done(answer.position))
}
