//! Stories of customers, agents and operators through the real router, over the log in memory.

mod example_tenants;
mod poison;
mod rehearsal;
mod service;
mod threads;
