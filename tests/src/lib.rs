//! What the tests share: worlds, people, contract suites, simulations, and faults to be survived.

pub mod contracts;
pub mod delivery_sim;
pub mod dialogues;
pub mod fault_vfs;
pub mod mock_server;
pub mod people;
pub mod provider_desk;
pub mod random;
pub mod recount;
pub mod sim;
pub mod untrusted;
pub mod world;
