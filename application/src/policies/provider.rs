//! What follows from how a provider took a call. What the provider is asked, and how, is not known here.

use domain::conversation::command::ConversationCommand;
use domain::conversation::event::{ProviderAnswer, ProviderWords};
use domain::desk::command::{AgentChange, DeskCommand, Service};
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

/// It is known how it stands there.
#[must_use]
pub fn note(fact: &Fact<'_>, session: Session, answer: ProviderAnswer, words: ProviderWords) -> Request {
    let Session { conversation, agent, assignment } = session;
    let note = ConversationCommand::NoteProvider { agent, assignment, answer, words };
    request(fact, Caused::new(StreamKey::Conversation(conversation), note), 0)
}

/// The provider works again after a while in which it let sessions pass: these are offered to it again.
#[must_use]
pub fn come_again(fact: &Fact<'_>, agent: UserId) -> [Request; 2] {
    // Beside the order to hand back, which may follow from the same fact.
    [(Service::Paused, 1), (Service::Started, 2)].map(|(service, nth)| {
        let update = DeskCommand::UpdateAgent { agent, change: AgentChange::Service(service) };
        request(fact, Caused::new(StreamKey::Desk, update), nth)
    })
}

/// The provider cannot be told what its customer said: the desk gives it to somebody else.
#[must_use]
pub fn hand_back(fact: &Fact<'_>, session: Session, reason: RequeueReason) -> Request {
    let Session { conversation, assignment, .. } = session;
    request(fact, Caused::new(StreamKey::Desk, DeskCommand::TimeOut { conversation, assignment, reason }), 0)
}
