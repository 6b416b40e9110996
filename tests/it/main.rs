//! The one integration binary: contracts, stored formats, simulation.

#![expect(clippy::unwrap_used, reason = "this binary holds tests and nothing else; an unwrap is an assertion here")]

mod compat;
mod contracts;
mod delivery_simulation;
mod http;
mod journeys;
mod load_generator;
mod simulation;
mod tidy;
mod untrusted;
