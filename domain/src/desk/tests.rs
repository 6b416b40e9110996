//! The rules of a desk, given, when and then.
