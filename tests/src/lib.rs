//! stub
pub mod contracts;
pub mod fault_vfs;
pub mod sim;
