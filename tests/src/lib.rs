//! stub
pub mod contracts;
pub mod dialogues;
pub mod fault_vfs;
pub mod sim;
