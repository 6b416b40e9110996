//! The seven aggregates behind one face.

use domain::campaign::Campaign;
use domain::campaign::state::CampaignState;
use domain::chat::Chat;
use domain::chat::command::ChatCommand;
use domain::chat::event::ChatEvent;
use domain::chat::state::{ChatState, SentMessages};
use domain::conversation::Conversation;
use domain::conversation::state::ConversationState;
use domain::decider::Decider;
use domain::desk::Desk;
use domain::desk::state::DeskState;
use domain::event::Event;
use domain::ids::UserId;
use domain::retrieval::Retrieval;
use domain::retrieval::state::RetrievalState;
use domain::tenant::Tenant;
use domain::tenant::state::TenantState;
use domain::time::Timestamp;
use domain::user::User;
use domain::user::state::UserState;
use serde::{Deserialize, Serialize};

use crate::command::{AnyCommand, ChatAnswer, PostedMessage};
use crate::error::{CommandError, Refusal};
use crate::log::stream::{StreamId, StreamKey};
use crate::ports::key_store::{SubjectId, TENANT_SUBJECT};

/// A message that a chat remembers: its two ids and what belongs to them, with room to grow.
const SENT_BYTES: usize = 72;
/// A place that somebody hid, or that is a note, in its tree.
const PLACE_BYTES: usize = 16;
/// A conversation at a desk, with its place in the queue and at its agent.
const TICKET_BYTES: usize = 512;

/// The name of an article, and its place in the tree.
const ARTICLE_BYTES: usize = 96;

/// A folded aggregate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Aggregate {
    Chat(ChatState),
    Conversation(ConversationState),
    User(UserState),
    Desk(DeskState),
    Tenant(TenantState),
    Campaign(CampaignState),
    Retrieval(RetrievalState),
}

fn decide<D: Decider>(command: &D::Command, state: &D::State, at: Timestamp) -> Result<Vec<Event>, CommandError>
where
    Event: FromAggregate<D::Event>,
    Refusal: From<D::Error>,
{
    let events = D::decide(command, state, at).map_err(Refusal::from)?;
    Ok(events.into_iter().map(Event::from_aggregate).collect())
}

trait FromAggregate<E> {
    fn from_aggregate(event: E) -> Self;
}

macro_rules! from_aggregate {
    ($($module:ident :: $events:ident => $variant:ident),*) => {
        $(impl FromAggregate<domain::$module::event::$events> for Event {
            fn from_aggregate(event: domain::$module::event::$events) -> Self {
                Self::$variant(event)
            }
        })*
    };
}
from_aggregate!(
    chat::ChatEvent => Chat, conversation::ConversationEvent => Conversation, user::UserEvent => User, desk::DeskEvent => Desk,
    tenant::TenantEvent => Tenant, campaign::CampaignEvent => Campaign, retrieval::RetrievalEvent => Retrieval
);

impl Aggregate {
    pub fn new(key: StreamKey) -> Self {
        match key {
            StreamKey::Chat(_) => Self::Chat(ChatState::default()),
            StreamKey::Conversation(_) => Self::Conversation(ConversationState::default()),
            StreamKey::User(_) => Self::User(UserState::default()),
            StreamKey::Desk => Self::Desk(DeskState::default()),
            StreamKey::Tenant => Self::Tenant(TenantState::default()),
            StreamKey::Campaign(_) => Self::Campaign(CampaignState::default()),
            StreamKey::Retrieval => Self::Retrieval(RetrievalState::default()),
        }
    }

    pub fn decide(&self, stream: &StreamId, command: &AnyCommand, at: Timestamp) -> Result<Vec<Event>, CommandError> {
        match (self, command) {
            (Self::Chat(state), AnyCommand::Chat(command)) => decide::<Chat>(command, state, at),
            (Self::Conversation(state), AnyCommand::Conversation(command)) => decide::<Conversation>(command, state, at),
            (Self::User(state), AnyCommand::User(command)) => decide::<User>(command, state, at),
            (Self::Desk(state), AnyCommand::Desk(command)) => decide::<Desk>(command, state, at),
            (Self::Tenant(state), AnyCommand::Tenant(command)) => decide::<Tenant>(command, state, at),
            (Self::Campaign(state), AnyCommand::Campaign(command)) => decide::<Campaign>(command, state, at),
            (Self::Retrieval(state), AnyCommand::Retrieval(command)) => decide::<Retrieval>(command, state, at),
            (
                Self::Chat(_)
                | Self::Conversation(_)
                | Self::User(_)
                | Self::Desk(_)
                | Self::Tenant(_)
                | Self::Campaign(_)
                | Self::Retrieval(_),
                _,
            ) => Err(CommandError::WrongStream { stream: stream.to_string() }),
        }
    }

    /// Takes an event of this aggregate in; one of another aggregate cannot be in this stream and changes nothing.
    pub fn evolve(&mut self, event: &Event, at: Timestamp) {
        match (self, event) {
            (Self::Chat(state), Event::Chat(event)) => Chat::evolve(state, event, at),
            (Self::Conversation(state), Event::Conversation(event)) => Conversation::evolve(state, event, at),
            (Self::User(state), Event::User(event)) => User::evolve(state, event, at),
            (Self::Desk(state), Event::Desk(event)) => Desk::evolve(state, event, at),
            (Self::Tenant(state), Event::Tenant(event)) => Tenant::evolve(state, event, at),
            (Self::Campaign(state), Event::Campaign(event)) => Campaign::evolve(state, event, at),
            (Self::Retrieval(state), Event::Retrieval(event)) => Retrieval::evolve(state, event, at),
            (
                Self::Chat(_)
                | Self::Conversation(_)
                | Self::User(_)
                | Self::Desk(_)
                | Self::Tenant(_)
                | Self::Campaign(_)
                | Self::Retrieval(_),
                _,
            ) => {}
        }
    }

    /// Whose key seals the private half of an event that is about to happen: in a group thread its author's, elsewhere that of whom
    /// the stream is about.
    pub fn subject(&self, stream: &StreamId, event: &Event) -> Option<SubjectId> {
        match (self, stream.key) {
            (Self::Chat(state), _) => match state.open()?.service() {
                Some(service) => Some(service.customer.into()),
                None => author(event).map(SubjectId::from),
            },
            (Self::Conversation(state), _) => state.session().map(|session| session.customer.into()),
            (Self::User(_), StreamKey::User(user)) => Some(user.into()),
            (Self::Tenant(_) | Self::Campaign(_) | Self::Retrieval(_), _) => Some(TENANT_SUBJECT),
            (Self::User(_) | Self::Desk(_), _) => None,
        }
    }

    /// How much memory it takes, roughly: what may grow is counted, the rest is in the slot's own constant.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Chat(state) => state.open().map_or(0, |chat| {
                let hidden: usize = chat.members.values().map(|member| member.hidden.len()).sum();
                let sent: usize = chat.sent.values().map(SentMessages::count).sum();
                let notes = chat.service().map_or(0, |service| service.notes.count());
                (hidden + notes) * PLACE_BYTES + sent * SENT_BYTES
            }),
            Self::Desk(state) => state.tickets.len() * TICKET_BYTES,
            Self::Retrieval(state) => state.articles.len() * ARTICLE_BYTES,
            Self::Conversation(_) | Self::User(_) | Self::Tenant(_) | Self::Campaign(_) => 0,
        }
    }

    /// What a chat answers to this command, now that it is decided.
    pub fn chat_answer(&self, command: &AnyCommand) -> Option<ChatAnswer> {
        let (Self::Chat(state), AnyCommand::Chat(command)) = (self, command) else {
            return None;
        };
        let chat = state.open()?;
        let sent = |sender, client_message| {
            let sent = chat.sent_message(sender, client_message)?;
            Some(PostedMessage { message: sent.message, seq: sent.seq, at: sent.at })
        };
        let message = match command {
            ChatCommand::Post(post) => sent(post.sender, post.client_message),
            ChatCommand::Announce(announcement) => sent(announcement.sender, announcement.client_message),
            ChatCommand::Notify(notice) => sent(notice.sender, notice.client_message),
            ChatCommand::ReachOut(order) => sent(order.by, order.client_message),
            ChatCommand::Open { .. }
            | ChatCommand::Join { .. }
            | ChatCommand::Leave { .. }
            | ChatCommand::Recall { .. }
            | ChatCommand::Hide { .. }
            | ChatCommand::MarkRead { .. }
            | ChatCommand::StartConversation { .. }
            | ChatCommand::ResumeConversation { .. }
            | ChatCommand::EndConversation { .. }
            | ChatCommand::ExpireIdle { .. }
            | ChatCommand::AcceptAssignment { .. }
            | ChatCommand::TimeOutAssignment { .. }
            | ChatCommand::SetIdleLimits(_)
            | ChatCommand::RemindIdle { .. }
            | ChatCommand::EngageRobot { .. }
            | ChatCommand::DismissRobot { .. }
            | ChatCommand::FollowAssignment { .. }
            | ChatCommand::FollowRelease { .. }
            | ChatCommand::ReplaceCustomer { .. }
            | ChatCommand::ExpireUpload { .. }
            | ChatCommand::HandOver(_)
            | ChatCommand::Thread(_) => None,
        };
        let handed_over = if let ChatCommand::HandOver(order) = command {
            chat.service().and_then(|service| service.contact.handed_over(order.attempt))
        } else {
            None
        };
        let conversation = chat.service().and_then(|service| service.session.conversation());
        Some(ChatAnswer { message, conversation, last_seq: chat.last_seq, handed_over })
    }
}

/// Who wrote the private half of an event of a group thread.
fn author(event: &Event) -> Option<UserId> {
    match event {
        Event::Chat(ChatEvent::MessagePosted(posted)) => Some(posted.sender),
        Event::Chat(ChatEvent::GroupCreated(created)) => Some(created.owner),
        Event::Chat(ChatEvent::GroupRenamed(renamed)) => Some(renamed.by),
        Event::Chat(
            ChatEvent::ChatOpened(_)
            | ChatEvent::MemberJoined(_)
            | ChatEvent::MemberLeft(_)
            | ChatEvent::CustomerReplaced(_)
            | ChatEvent::MessageRecalled(_)
            | ChatEvent::MessageHidden(_)
            | ChatEvent::MessagesRead(_)
            | ChatEvent::UploadExpired(_)
            | ChatEvent::ConversationStarted(_)
            | ChatEvent::ConversationResumed(_)
            | ChatEvent::ConversationEnded(_)
            | ChatEvent::ConversationIdled(_)
            | ChatEvent::IdleLimitsSet(_)
            | ChatEvent::IdleReminded(_)
            | ChatEvent::AnswerOverdue(_)
            | ChatEvent::AssignmentAccepted(_)
            | ChatEvent::AssignmentTimedOut(_)
            | ChatEvent::RobotEngaged(_)
            | ChatEvent::RobotDismissed(_)
            | ChatEvent::QuestionAsked(_)
            | ChatEvent::OutreachAttempted(_)
            | ChatEvent::OutreachHandedOver(_)
            | ChatEvent::MemberInvited(_)
            | ChatEvent::PermissionsChanged(_)
            | ChatEvent::OwnershipPassed(_)
            | ChatEvent::ThreadMuted(_)
            | ChatEvent::ThreadUnmuted(_)
            | ChatEvent::ThreadArchived(_)
            | ChatEvent::ThreadUnarchived(_)
            | ChatEvent::GroupDissolved(_),
        )
        | Event::Conversation(_)
        | Event::User(_)
        | Event::Desk(_)
        | Event::Tenant(_)
        | Event::Campaign(_)
        | Event::Retrieval(_) => None,
    }
}
