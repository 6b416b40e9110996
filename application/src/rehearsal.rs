//! Rehearsals: a recorded period of service played again on the desk itself, as it was or under another flow, roster or capacity.
//!
//! What does not depend on the desk's choices is taken from the log ([`recording`]): who came when and for what, when agents were
//! there, how long a visit kept whoever had it, how long customers were ready to wait. What does is decided anew, by the desk's own
//! decider ([`play`]). So the recorded plan yields the recorded facts, one by one, and whatever differs under another plan follows from
//! that plan. What nobody can know (how long somebody would have waited who was served, how long somebody would have taken who left)
//! is drawn from what the others of the period did ([`chance`]), by a hash, so that the same call answers the same.
//!
//! Nothing here reads a log, a file or a clock.

pub mod chance;
pub mod figures;
pub mod model;
pub mod plan;
pub mod play;
pub mod recording;
mod script;
#[cfg(test)]
mod tests;
pub mod visit;
