//! Every route, one folder per resource. A route is registered together with its description, so that none is forgotten.

pub mod agents;
pub mod article;
pub mod attachment;
pub mod campaign;
pub mod canned_reply;
pub mod channel;
pub mod chat;
pub mod consumers;
pub mod conversation;
pub mod feed;
pub mod flow;
pub mod guests;
pub mod health;
pub mod me;
pub mod outreach;
pub mod provider;
pub mod queue;
pub mod robot;
pub mod sign_in;
pub mod tenant;
pub mod thread;
pub mod user;

use utoipa_axum::router::OpenApiRouter;

use crate::state::App;

/// All of them, but for the socket and the description itself.
pub fn all() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(tenant::routes())
        .merge(user::routes())
        .merge(guests::routes())
        .merge(sign_in::routes())
        .merge(me::routes())
        .merge(chat::routes())
        .merge(attachment::routes())
        .merge(article::routes())
        .merge(canned_reply::routes())
        .merge(channel::routes())
        .merge(robot::routes())
        .merge(provider::routes())
        .merge(flow::routes())
        .merge(campaign::routes())
        .merge(outreach::routes())
        .merge(thread::routes())
        .merge(conversation::routes())
        .merge(feed::routes())
        .merge(queue::routes())
        .merge(agents::routes())
        .merge(consumers::routes())
        .merge(health::routes())
}
