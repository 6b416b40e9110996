//! Read models that follow the log, their runner and their verification.
//!
//! A view is rows made from events alone: it can be deleted and comes back the same. This crate reaches the log and the disk
//! through ports only, opens no private half, and never looks at a clock to decide what a row says.

pub mod articles;
pub mod campaigns;
pub mod chain;
pub mod conversation_list;
pub mod decode;
pub mod directory;
pub mod engine;
pub mod feed;
pub mod keys;
pub mod outreach;
pub mod projection;
pub mod queues;
pub mod rows;
pub mod runner;
pub mod store;
pub mod timers;
pub mod unread;
pub mod verify;
pub mod view_set;
pub mod views;

/// Every view.
#[must_use]
pub const fn all() -> &'static [projection::ViewInfo] {
    &view_set::VIEWS
}
