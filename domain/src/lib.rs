//! The facts, rules and refusals of kefu.
//!
//! Everything here is pure: a decider takes a state, a command and a time and answers with events or a refusal. This crate
//! must not know sockets, files, engines, clocks or random numbers; they reach it as values inside commands.

pub mod campaign;
pub mod chat;
pub mod conversation;
pub mod decider;
pub mod desk;
pub mod devices;
pub mod event;
pub mod flow;
pub mod ids;
pub mod labels;
pub mod message;
pub mod outreach;
pub mod private;
pub mod remark;
pub mod retrieval;
mod schema;
pub mod tenant;
pub mod time;
pub mod user;

#[cfg(test)]
pub mod testing;
