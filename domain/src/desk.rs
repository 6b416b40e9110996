//! stub
pub mod event;
