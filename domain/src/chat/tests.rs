//! The rules of a chat, given, when and then.
