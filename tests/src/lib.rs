//! stub
pub mod contracts;
pub mod dialogues;
pub mod fault_vfs;
pub mod mock_server;
pub mod people;
pub mod random;
pub mod sim;
pub mod world;
