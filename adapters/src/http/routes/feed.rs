//! `GET /v1/tenants/{t}/feed`: the caller's own feed, the same items that a socket gets.

use application::access::Action;
use axum::Json;
use axum::extract::State;
use domain::ids::TenantId;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::feed_pages::FeedPages;
use crate::http::auth::Caller;
use crate::http::cursor::page_size;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, Params};
use crate::hub::outbox::Frame;
use crate::render::View;
use crate::state::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read))
}

/// Which items.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ReadFeed {
    /// The last index that the caller has; 0 reads from the beginning.
    after: Option<u64>,
    /// Items, 1 to 200.
    limit: Option<usize>,
}

/// Items of a feed, in their order.
#[derive(Debug, Serialize, ToSchema)]
pub struct FeedBody {
    /// The items, as a socket's `item` frames.
    #[schema(value_type = Vec<Object>)]
    data: Vec<Box<RawValue>>,
    /// The newest index.
    head: u64,
    /// Give it as `after` to get the next items.
    next_after: u64,
    /// Whether there are more.
    has_more: bool,
}

/// Reads the caller's own feed.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/feed",
    tag = "feed",
    params(("t" = String, Path, description = "The tenant."), ReadFeed),
    responses((status = 200, body = FeedBody), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn read(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    Params(params): Params<ReadFeed>,
) -> Result<Json<FeedBody>, ApiError> {
    let own = caller.require_user(tenant, Action::UseOwnAccount)?;
    let limit = page_size(params.limit)?;
    let after = params.after.unwrap_or(0);
    let frames = FeedPages::new(&app, tenant, own.user, View::of(own.row.role)).after(after, limit).await?;
    let head = app.ports.views.feed_head(tenant, own.user);
    let next_after = frames.last().map_or(after, |frame| frame.index);
    let raw = |frame: Frame| RawValue::from_string(frame.text).expect("an item frame is JSON");
    Ok(Json(FeedBody { data: frames.into_iter().map(raw).collect(), head, next_after, has_more: next_after < head }))
}
