//! The HTTP edge: who asks, what they ask, and what they are answered.
//!
//! A handler reads the request, checks the right in `application::access`, gives commands or asks read models, and answers.
//! It must not decide what a rule allows, and must not know an engine.

pub mod accounts;
pub mod auth;
pub mod cursor;
pub mod error;
mod error_refusals;
pub mod extract;
pub mod idempotency;
pub mod identity_tokens;
pub mod journey;
mod last_asker;
pub(crate) mod message_body;
pub mod openapi;
pub mod pages;
pub mod passwords;
pub mod proof;
pub mod respond;
pub mod router;
pub mod routes;
pub mod time_zone;
pub mod tokens;
