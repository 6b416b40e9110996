//! Commands on their way to an aggregate, and the answers that come back.

use domain::campaign::command::CampaignCommand;
use domain::chat::command::ChatCommand;
use domain::conversation::command::ConversationCommand;
use domain::desk::command::DeskCommand;
use domain::ids::{CommandId, ConversationId, MessageId};
use domain::outreach::OutreachVerdict;
use domain::retrieval::command::RetrievalCommand;
use domain::tenant::command::TenantCommand;
use domain::time::{ClockState, Timestamp};
use domain::user::command::UserCommand;
use uuid::Uuid;

use crate::log::commit::Actor;
use crate::log::stream::StreamId;
use crate::ports::event_log::Position;

/// A command of any aggregate.
#[derive(Clone, Debug, PartialEq)]
pub enum AnyCommand {
    /// To a chat.
    Chat(ChatCommand),
    /// To a conversation.
    Conversation(ConversationCommand),
    /// To a user.
    User(UserCommand),
    /// To the tenant's desk.
    Desk(DeskCommand),
    /// To the tenant.
    Tenant(TenantCommand),
    /// To a campaign.
    Campaign(CampaignCommand),
    /// To a tenant's articles.
    Retrieval(RetrievalCommand),
}

impl AnyCommand {
    /// Tells a command that depends on it how the clock runs. The owner says so when it stamps the time, and nobody else.
    pub fn stamp(&mut self, clock: ClockState) {
        match self {
            Self::Chat(ChatCommand::ReachOut(order)) => order.clock = clock,
            Self::Chat(ChatCommand::HandOver(order)) => order.clock = clock,
            Self::Chat(_)
            | Self::Conversation(_)
            | Self::User(_)
            | Self::Desk(_)
            | Self::Tenant(_)
            | Self::Campaign(_)
            | Self::Retrieval(_) => {}
        }
    }
}

macro_rules! from_command {
    ($($variant:ident($command:ty)),*) => {
        $(impl From<$command> for AnyCommand {
            fn from(command: $command) -> Self {
                Self::$variant(command)
            }
        })*
    };
}
from_command!(
    Chat(ChatCommand),
    Conversation(ConversationCommand),
    User(UserCommand),
    Desk(DeskCommand),
    Tenant(TenantCommand),
    Campaign(CampaignCommand),
    Retrieval(RetrievalCommand)
);

/// A command with everything around it.
#[derive(Clone, Debug)]
pub struct Request {
    /// The aggregate it goes to; its tenant is the tenant of everything that follows.
    pub stream: StreamId,
    /// The command.
    pub command: AnyCommand,
    /// Its id. The same id is carried out once per stream, also after a restart; see [`command_id`].
    pub id: CommandId,
    /// Keyed digest of what was asked. The same id with another digest is refused; 0 means "not compared".
    pub digest: u64,
    /// Who asks.
    pub actor: Actor,
    /// The request or journey it belongs to.
    pub correlation: Uuid,
    /// The event that caused it; nil for a request from outside.
    pub causation: Uuid,
}

impl Request {
    /// Whether it may be answered `busy` while much waits. What follows from stored facts may not: it must not be lost to a storm
    /// of new ones. What a campaign says may: whoever waits for an answer goes first, and the campaign asks again.
    #[must_use]
    pub const fn may_be_put_off(&self) -> bool {
        match self.actor {
            Actor::Policy | Actor::Timer => matches!(self.command, AnyCommand::Chat(ChatCommand::Announce(_))),
            Actor::User(_) | Actor::ApiKey(_) | Actor::Operator | Actor::Import => true,
        }
    }
}

/// The id of a command that came with an idempotency key: the same key of the same asker gives the same command.
#[must_use]
pub fn command_id(stream: &StreamId, asker: Uuid, idempotency_key: &str) -> CommandId {
    let mut name = stream.name().as_bytes().to_vec();
    name.extend_from_slice(asker.as_bytes());
    name.extend_from_slice(idempotency_key.as_bytes());
    CommandId::from_uuid(Uuid::new_v5(&Uuid::NAMESPACE_OID, &name))
}

/// The id of the n-th command that an event causes: a replay derives the same one.
#[must_use]
pub fn caused_command_id(cause: domain::ids::EventId, stream: &StreamId, nth: u32) -> CommandId {
    let mut name = stream.name().as_bytes().to_vec();
    name.extend_from_slice(&nth.to_le_bytes());
    CommandId::from_uuid(Uuid::new_v5(&cause.uuid(), &name))
}

/// What a carried-out command answers, after it is durable.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The newest place in the log that the answer rests on; queries take it as `at_least`.
    pub position: Position,
    /// The time stamped on the command's commit.
    pub at: Timestamp,
    /// How many events the command added; 0 when all of it was already true or it is a repeat.
    pub events: u32,
    /// For commands to a chat: where the chat stands now.
    pub chat: Option<ChatAnswer>,
}

/// What a chat answers beside its position.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ChatAnswer {
    /// The posted message, also when it had been posted before.
    pub message: Option<PostedMessage>,
    /// The conversation that is open in the chat after the command.
    pub conversation: Option<ConversationId>,
    /// The chat's last place.
    pub last_seq: u64,
    /// For a message on its way out: what the outreach rule says of it now.
    pub handed_over: Option<OutreachVerdict>,
}

/// A message that has its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PostedMessage {
    /// Its id.
    pub message: MessageId,
    /// Its place.
    pub seq: u64,
    /// When it was posted.
    pub at: Timestamp,
}
