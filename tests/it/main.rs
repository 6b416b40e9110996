//! The one integration binary: contracts, stored formats, simulation.

mod compat;
mod contracts;
mod http;
mod load_generator;
mod simulation;
mod tidy;
