//! Given a history, when a command comes, then these events or this refusal: the tests of every decider are told with this.
//!
//! ```text
//! given::<User>([registered(Role::Agent)]).when(UserCommand::StartService).then([ServiceStarted {}.into()]);
//! ```
//!
//! It must not know any aggregate.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::decider::Decider;
use crate::time::Timestamp;

/// The time at which everything happens unless [`Given::at`] says otherwise: 2023-11-14T22:13:20Z.
pub const NOW: Timestamp = Timestamp(1_700_000_000_000);

/// A history that happened at [`NOW`], in this order.
#[must_use]
pub fn given<D: Decider>(history: impl IntoIterator<Item = D::Event>) -> Given<D> {
    Given { state: D::State::default(), at: NOW }.and(history)
}

/// What has happened so far, and what time it is.
pub struct Given<D: Decider> {
    state: D::State,
    at: Timestamp,
}

impl<D: Decider> Given<D> {
    /// It is now `time`: for the history added and the commands given from here on.
    #[must_use]
    pub fn at(mut self, time: Timestamp) -> Self {
        self.at = time;
        self
    }

    /// More history, which happens at the present time.
    #[must_use]
    pub fn and(mut self, history: impl IntoIterator<Item = D::Event>) -> Self {
        for event in history {
            D::evolve(&mut self.state, &event, self.at);
        }
        self
    }

    /// The state that the history leads to.
    #[must_use]
    pub fn state(&self) -> &D::State {
        &self.state
    }

    /// Gives the command at the present time.
    #[must_use]
    pub fn when(self, command: impl Into<D::Command>) -> When<D> {
        let outcome = D::decide(&command.into(), &self.state, self.at);
        When { before: self, outcome }
    }
}

/// What the decider answered. Every `then` hands the story on with the answered events in its history.
pub struct When<D: Decider> {
    before: Given<D>,
    outcome: Result<Vec<D::Event>, D::Error>,
}

impl<D: Decider> When<D>
where
    D::Event: PartialEq + Debug,
    D::Error: Debug,
{
    /// Exactly these events, in this order.
    ///
    /// # Panics
    /// When the answer is another one.
    #[track_caller]
    pub fn then(self, expected: impl IntoIterator<Item = D::Event>) -> Given<D> {
        let expected: Vec<D::Event> = expected.into_iter().collect();
        match self.outcome {
            Ok(events) => {
                assert_eq!(events, expected, "left: what was decided, right: what was expected");
                self.before.and(events)
            }
            Err(refusal) => panic!("refused with {refusal:?}, expected {expected:#?}"),
        }
    }

    /// Accepted without any event: it was already true.
    ///
    /// # Panics
    /// When the answer is another one.
    #[track_caller]
    pub fn then_nothing(self) -> Given<D> {
        self.then([])
    }

    /// Accepted, whatever the events; for a step of a story that another test describes in full.
    ///
    /// # Panics
    /// When the command was refused.
    #[track_caller]
    pub fn then_accepted(self) -> Given<D> {
        match self.outcome {
            Ok(events) => self.before.and(events),
            Err(refusal) => panic!("refused with {refusal:?}"),
        }
    }

    /// Refused for exactly this reason.
    ///
    /// # Panics
    /// When the answer is another one.
    #[track_caller]
    pub fn then_refused(self, expected: impl Into<D::Error>) -> Given<D>
    where
        D::Error: PartialEq,
    {
        match self.outcome {
            Ok(events) => panic!("accepted with {events:#?}, expected a refusal"),
            Err(refusal) => {
                assert_eq!(refusal, expected.into(), "left: the refusal, right: what was expected");
                self.before
            }
        }
    }
}

/// A state is the same after it was written into a snapshot and read again, as text and as bytes.
///
/// # Panics
/// When it is not.
#[track_caller]
pub fn assert_survives_a_snapshot<S: Serialize + DeserializeOwned + PartialEq + Debug>(state: &S) {
    let text = serde_json::to_string(state).expect("a state can be written as text");
    assert_eq!(&serde_json::from_str::<S>(&text).expect("a written state can be read"), state, "as text");
    let bytes = postcard::to_stdvec(state).expect("a state can be written as bytes");
    assert_eq!(&postcard::from_bytes::<S>(&bytes).expect("written bytes can be read"), state, "as bytes");
}
