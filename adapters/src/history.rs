//! What happened elsewhere and is brought here: recorded dialogues, read and played into a log.

pub mod dialogues;
pub mod import;
