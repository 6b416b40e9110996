//! The private half of an event: what a destroyed key makes unreadable.
//!
//! Deciders and views work on the clear half alone, so that counts and waits stay what they were after an erasure. This file
//! must not know how sealing is done.

/// Personal data or content inside an event.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Private<T> {
    /// The reader holds the text.
    Known(T),
    /// The key was destroyed: nobody can read it again.
    Erased,
    /// The reader had no need to open it.
    #[default]
    Closed,
}

impl<T> Private<T> {
    /// The text, if the reader holds it.
    #[must_use]
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Erased | Self::Closed => None,
        }
    }
}

/// Which of the three a private half is, without its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrivateState {
    /// This event has no private half.
    Absent,
    /// See [`Private::Known`].
    Known,
    /// See [`Private::Erased`].
    Erased,
    /// See [`Private::Closed`].
    Closed,
}
