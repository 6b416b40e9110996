//! Many people at once: sockets that only stay, a storm of all of them coming back, and several devices of each.
//!
//! What is measured differs; what is proved is the same: every item of every feed came to every device, once and in order.

mod crowded;
mod devices;
mod idle;
mod proof;
mod storm;

pub use devices::run as devices;
pub use idle::run as idle;
pub use storm::run as storm;
