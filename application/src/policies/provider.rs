//! What follows from how a provider took a call. What the provider is asked, and how, is not known here.

use domain::conversation::command::ConversationCommand;
use domain::conversation::event::ProviderAnswer;
use domain::desk::command::DeskCommand;
use domain::desk::event::RequeueReason;
use domain::ids::{ConversationId, UserId};

use super::{Caused, Fact, request};
use crate::command::Request;
use crate::log::stream::StreamKey;

/// A conversation as a provider has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// Which conversation.
    pub conversation: ConversationId,
    /// The provider.
    pub agent: UserId,
    /// Under which assignment.
    pub assignment: u64,
}

/// The provider said how it stands there.
#[must_use]
pub fn note(fact: &Fact<'_>, session: Session, answer: ProviderAnswer) -> Request {
    let Session { conversation, agent, assignment } = session;
    let note = ConversationCommand::NoteProvider { agent, assignment, answer };
    request(fact, Caused::new(StreamKey::Conversation(conversation), note), 0)
}

/// The provider does not take it, or cannot be told: the desk gives it to somebody else.
#[must_use]
pub fn hand_back(fact: &Fact<'_>, session: Session, reason: RequeueReason) -> Request {
    let Session { conversation, assignment, .. } = session;
    request(fact, Caused::new(StreamKey::Desk, DeskCommand::TimeOut { conversation, assignment, reason }), 0)
}
