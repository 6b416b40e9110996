//! The rules of a conversation, given, when and then.
