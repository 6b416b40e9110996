//! What may be asked of a chat.

mod outreach;

pub use self::outreach::{HandOver, ReachOut};
use super::event::IdleLimitsSet;
use super::permissions::Permissions;
use crate::conversation::event::Entry;
use crate::ids::{AttachmentId, ClientMessageId, ConversationId, MessageId, ShopId, UserId};
use crate::labels::Label;
use crate::message::{Category, ChatRole, ContentDigest, Kind, MessageContent, Origin, Persona, Quoted, Style, Visibility};
use crate::time::{Millis, Timestamp};

/// An order to a chat.
#[derive(Clone, Debug, PartialEq)]
pub enum ChatCommand {
    /// Open the chat between a customer and a shop.
    Open {
        /// The shop.
        shop: ShopId,
        /// The customer.
        customer: UserId,
    },
    /// Make somebody a member who is not assigned by the desk: a supervisor who watches, a robot.
    Join {
        /// Who.
        user: UserId,
        /// As what; agents come by assignment only.
        role: ChatRole,
    },
    /// End a membership.
    Leave {
        /// Who.
        user: UserId,
    },
    /// Post a message.
    Post(Box<PostMessage>),
    /// Say something of a platform campaign to the customer. The chat is opened if there is none; no conversation begins or goes on,
    /// and nobody's answer is thereby given or due.
    Announce(Box<Announcement>),
    /// Start contact with the customer, if the outreach rule allows it. Refused or not, the attempt becomes a fact.
    ReachOut(Box<ReachOut>),
    /// The message of an attempt is about to be handed over to the customer's channel: the rule is asked once more.
    HandOver(HandOver),
    /// Tell the customer what the shop's flow says. Nobody's answer is thereby given or due, and nothing goes on because of it. Once the
    /// conversation is over it is nothing, unless it is about the end.
    Notify(Box<FlowNotice>),
    /// Take a message back.
    Recall {
        /// Who asks; only the sender may.
        by: UserId,
        /// Which message.
        message: MessageId,
        /// The tenant's window.
        window: Millis,
    },
    /// Remove a message from one's own sight.
    Hide {
        /// For whom.
        reader: UserId,
        /// Which message, as looked up in this chat.
        message: MessageId,
        /// Its place, as looked up.
        seq: u64,
    },
    /// Note that a member has read up to a place.
    MarkRead {
        /// Who.
        reader: UserId,
        /// The last place read.
        up_to_seq: u64,
    },
    /// Go on with the conversation that ended last, as its customer does by writing again. One that is open is nothing.
    ResumeConversation {
        /// Which.
        conversation: ConversationId,
        /// How soon after the end.
        window: Millis,
    },
    /// Begin a conversation by entering, before any message.
    StartConversation {
        /// Id of the new conversation, if one begins.
        conversation: ConversationId,
        /// How it is entered.
        entry: Entry,
    },
    /// Follow the end of a conversation.
    EndConversation {
        /// Which.
        conversation: ConversationId,
        /// The last place that whoever ended it had seen.
        seen_seq: u64,
    },
    /// End the open conversation if nobody wrote for so long.
    ExpireIdle {
        /// Which, so that a late timer does not hit the next one.
        conversation: ConversationId,
        /// Silence that ends a conversation in which no answer is due, unless its shop's flow says another one; and beyond which an
        /// answer is overdue.
        idle_expiry: Millis,
        /// Silence that ends one in which the customer waits.
        unanswered_expiry: Millis,
    },
    /// Follow the desk: this agent serves now.
    FollowAssignment {
        /// The conversation that was assigned.
        conversation: ConversationId,
        /// The agent.
        agent: UserId,
        /// The number of the desk's decision.
        assignment: u64,
        /// How long the agent has to accept.
        accept_within: Option<Millis>,
        /// How long the agent may let the customer wait for an answer.
        answer_within: Option<Millis>,
    },
    /// The agent says that they have the conversation.
    AcceptAssignment {
        /// Who.
        agent: UserId,
    },
    /// The time of an assignment is over: nothing, if the agent did what was to be done.
    TimeOutAssignment {
        /// Which.
        assignment: u64,
    },
    /// Follow the conversation: a robot has it.
    EngageRobot {
        /// Which conversation.
        conversation: ConversationId,
    },
    /// Follow the conversation: it was handed to the humans.
    DismissRobot {
        /// Which conversation.
        conversation: ConversationId,
    },
    /// Follow what the shop's flow says of silence.
    SetIdleLimits(IdleLimitsSet),
    /// The time has come to ask the customer whether there is more: nothing, if somebody wrote since.
    RemindIdle {
        /// In which conversation.
        conversation: ConversationId,
    },
    /// Follow the desk: this assignment is over and the conversation waits again.
    FollowRelease {
        /// The number of the assignment that is over.
        assignment: u64,
    },
    /// The anonymous customer is this identified one.
    ReplaceCustomer {
        /// The anonymous account.
        from: UserId,
        /// The identified account.
        into: UserId,
    },
    /// No message may be the first to use this upload any more: its time is over.
    ExpireUpload {
        /// Which.
        attachment: AttachmentId,
        /// Until when a message could.
        use_by: Timestamp,
    },
    /// What only a group thread can be asked.
    Thread(ThreadCommand),
}

/// What a message's link leads to, as looked up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Attached {
    /// No attachment.
    #[default]
    Nothing,
    /// An attachment of this chat.
    File {
        /// Which.
        attachment: AttachmentId,
        /// Until when a message may be the first to use it; `None` when one has used it, or when it has no such time.
        use_by: Option<Timestamp>,
    },
    /// An attachment that is not there for whoever posts.
    Missing,
}

/// An order to a group thread.
#[derive(Clone, Debug, PartialEq)]
pub enum ThreadCommand {
    /// Make it.
    Create {
        /// Who makes it, and owns it.
        owner: UserId,
        /// What they are to the others.
        label: Label,
        /// What it is called.
        title: String,
        /// Who else is in it from the first message on.
        members: Vec<Invitation>,
    },
    /// Bring somebody in.
    Invite {
        /// Who asks.
        by: By,
        /// Whom, and as what.
        invitation: Invitation,
    },
    /// Put somebody out.
    Remove {
        /// Who asks.
        by: By,
        /// Whom.
        user: UserId,
    },
    /// Let somebody do other things than before.
    ChangePermissions {
        /// Who asks.
        by: By,
        /// Whom.
        user: UserId,
        /// All that they may do from then on.
        permissions: Permissions,
    },
    /// Make another member the owner.
    PassOwnership {
        /// Who asks.
        by: By,
        /// The next owner.
        to: UserId,
    },
    /// Call it something else.
    Rename {
        /// Who asks.
        by: By,
        /// The title.
        title: String,
    },
    /// Notify this member no more; their own wish.
    Mute {
        /// Who.
        user: UserId,
    },
    /// Notify this member again.
    Unmute {
        /// Who.
        user: UserId,
    },
    /// Put it aside in this member's own list.
    Archive {
        /// Who.
        user: UserId,
    },
    /// Take it back into this member's list.
    Unarchive {
        /// Who.
        user: UserId,
    },
    /// End it: nobody posts any more.
    Dissolve {
        /// Who asks.
        by: By,
    },
}

/// Who asks something of a group thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// A member, who needs the permission for it.
    Member(UserId),
    /// Somebody who sets up the tenant that hosts the thread, a member or not; looked up by the caller. Otherwise a thread whose
    /// owner is gone would have nobody to answer for it.
    Host(UserId),
}

/// Somebody who shall be a member of a group thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Who.
    pub user: UserId,
    /// What they are to the others.
    pub label: Label,
    /// What they may do.
    pub permissions: Permissions,
}

/// One message of a platform campaign, in one chat.
#[derive(Clone, Debug, PartialEq)]
pub struct Announcement {
    /// In whose name.
    pub shop: ShopId,
    /// To whom.
    pub customer: UserId,
    /// The shop's own account, which is no member of any chat: it posts and reads nothing.
    pub sender: UserId,
    /// The same for every attempt of a campaign, a UUIDv7 of the time when it began: so a chat gets its message once.
    pub client_message: ClientMessageId,
    /// Id of the message, if it is new.
    pub message: MessageId,
    /// Keyed digest of the content.
    pub digest: ContentDigest,
    /// The content.
    pub content: MessageContent,
    /// How it is shown.
    pub style: Style,
    /// What it carries.
    pub kind: Kind,
}

/// Who says something without being a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The shop's flow.
    Flow,
    /// The robot that has the conversation.
    Robot,
    /// Whoever handed the conversation over, to the staff who have it next: by then they are no member any more, or never were one.
    HandOver,
}

/// What a flow tells the customer of a conversation, or its staff are told of it.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowNotice {
    /// In which conversation.
    pub conversation: ConversationId,
    /// The shop's own account, which is no member of any chat and reads nothing, or whoever handed over.
    pub sender: UserId,
    /// A UUIDv7; derived from the cause and of its time, where a fact causes it: so a chat gets the notice once.
    pub client_message: ClientMessageId,
    /// Id of the message, if it is new.
    pub message: MessageId,
    /// Stands for the content: one cause says one thing.
    pub digest: ContentDigest,
    /// The content.
    pub content: MessageContent,
    /// Whether it is said also once the conversation is over, while no other one has begun.
    pub after_end: bool,
    /// Who says it.
    pub speaker: Speaker,
}

/// Everything about a message to post. Ids that may be needed are minted by the caller.
#[derive(Clone, Debug, PartialEq)]
pub struct PostMessage {
    /// Who posts.
    pub sender: UserId,
    /// The sender's id for it, a UUIDv7.
    pub client_message: ClientMessageId,
    /// Id of the message, if it is new.
    pub message: MessageId,
    /// Id of the conversation that begins, if a customer's message begins one.
    pub fresh_conversation: ConversationId,
    /// Keyed digest of the content.
    pub digest: ContentDigest,
    /// The content.
    pub content: MessageContent,
    /// How it came about.
    pub origin: Origin,
    /// Under which identity it is shown.
    pub persona: Persona,
    /// Who may see it.
    pub visibility: Visibility,
    /// How it is shown.
    pub style: Style,
    /// What it carries.
    pub kind: Kind,
    /// What it quotes.
    pub quoted: Quoted,
    /// The attachment that its link leads to.
    pub attached: Attached,
    /// The assignment under which an agent believes to serve; `None` means "the current one".
    pub assignment: Option<u64>,
    /// The tenant's window in which a customer's message reopens the last conversation.
    pub reopen_window: Millis,
    /// Whose message it is in a group thread, as looked up from the sender's account. In a chat with a customer the sender's part
    /// in it says that.
    pub as_participant: Category,
}
