//! Posting a message: what HTTP and the socket share. Builds the command; what the chat answers to it is the chat's rule.
//!
//! This is the hottest path of the edge: without a quote, an attachment, blocked addresses and an agent's first
//! message nothing is awaited before the command leaves.

mod find;

use std::net::IpAddr;
use std::sync::Arc;

use application::access::{Action, Principal, Resource, allowed};
use application::command::{Answer, AnyCommand, PostedMessage, Request};
use application::error::{CommandError, Refusal};
use application::log::commit::Actor;
use application::log::stream::{StreamId, StreamKey};
use application::ports::event_log::Position;
use domain::chat::command::{Attached, ChatCommand, PostMessage};
use domain::chat::error::ChatError;
use domain::ids::{ChatId, ClientMessageId, CommandId, ConversationId, MessageId, TenantId, UserId};
use domain::message::{
    CONTENT_BYTES_MAX, Category, ChatRole, ContentRefused, Kind, MessageContent, Origin, Persona, Quoted, Style, Visibility,
};
use domain::tenant::event::Limits;
use domain::user::error::UserError;
use domain::user::event::{Profile, Role};
use tokio::time::Duration;
use uuid::Uuid;

pub use self::find::{find, find_seen};
use crate::attachments::links;
use crate::blocks;
use crate::http::error::ApiError;
use crate::hub::signal::{Growing, Signal};
use crate::masking::shown_to;
use crate::state::AppState;

/// How long a message over the quota waits for its refusal, varied by half so that those who were refused together do not return
/// together. It stays in the sender's hands meanwhile: somebody who tries again at once, as often as they can, would otherwise cost
/// the others more with refusals than with messages.
const OVER_QUOTA_PAUSE: Duration = Duration::from_millis(500);
/// Characters of a quoted text that are kept with the message that quotes it: what fits a grey box above a bubble.
const QUOTE_CHARACTERS_MAX: usize = 200;

/// Who posts.
#[derive(Clone, Copy, Debug)]
pub struct Sender {
    /// Their tenant.
    pub tenant: TenantId,
    /// Who.
    pub user: UserId,
    /// What they are.
    pub role: Role,
    /// From where they come; none where somebody else speaks for them.
    pub address: Option<IpAddr>,
}

impl Sender {
    /// The address that is held against what the tenant blocked: a customer's.
    fn held_against(&self) -> Option<IpAddr> {
        self.address.filter(|_| self.role == Role::Customer)
    }
}

/// A message as its sender wrote it.
#[derive(Debug)]
pub struct Draft {
    /// The sender's id for it, a `UUIDv7`.
    pub id: ClientMessageId,
    /// Where.
    pub chat: ChatId,
    /// The text.
    pub content: String,
    /// Where a click leads.
    pub url: Option<String>,
    /// Further JSON, as text.
    pub ext: Option<String>,
    /// The quoted message.
    pub quote: Option<MessageId>,
    /// What it carries.
    pub kind: Kind,
    /// How it is shown.
    pub style: Style,
    /// Who may see it.
    pub visibility: Visibility,
    /// The assignment under which an agent believes to serve.
    pub assignment: Option<u64>,
    /// The suggestion that was taken. What a customer says of one counts for nothing.
    pub suggestion: Option<Uuid>,
}

/// A tenant's limits, or the defaults while the directory does not know the tenant yet.
#[must_use]
pub fn limits(app: &AppState, tenant: TenantId) -> Limits {
    app.ports.views.tenant(tenant).map(|row| row.limits).unwrap_or_default()
}

/// A command to a chat as its sender gives it: under an id of its own, because the chat itself recognises what is repeated.
#[must_use]
pub fn to_chat(app: &AppState, sender: Sender, chat: ChatId, command: ChatCommand) -> Request {
    let id = app.new_id();
    Request {
        stream: StreamId::new(sender.tenant, StreamKey::Chat(chat)),
        command: command.into(),
        id: CommandId::from_uuid(id),
        digest: 0,
        actor: Actor::User(sender.user),
        correlation: id,
        causation: Uuid::nil(),
    }
}

/// Posts a message.
///
/// # Errors
/// [`ApiError::Command`]; as [`post_looked_up`].
pub async fn post(app: &AppState, sender: Sender, draft: Draft) -> Result<Posted, ApiError> {
    let chat = draft.chat;
    let request = post_looked_up(app, sender, draft).await?;
    Ok(Posted::of(chat, &execute(app, request).await?)?)
}

/// What is told to whoever posted a message.
pub struct Posted {
    /// The message in its place.
    pub message: PostedMessage,
    /// The conversation that is open in the chat now.
    pub conversation: Option<ConversationId>,
    /// Where the log stands.
    pub position: Position,
}

impl Posted {
    /// What a chat answered.
    ///
    /// # Errors
    /// [`CommandError::WrongStream`] when it answered something else.
    pub fn of(chat: ChatId, answer: &Answer) -> Result<Self, CommandError> {
        let posted = answer.chat.and_then(|chat| Some((chat.message?, chat.conversation)));
        let (message, conversation) = posted.ok_or_else(|| CommandError::WrongStream { stream: format!("chat {chat}") })?;
        Ok(Self { message, conversation, position: answer.position })
    }
}

/// Whether something has to be looked up before a draft can be posted.
#[must_use]
pub fn needs_look_up(app: &AppState, sender: Sender, draft: &Draft) -> bool {
    let named = sender.role == Role::Customer || app.profiles.at_hand(app, sender.tenant, sender.user).is_some();
    !named
        || (sender.held_against().is_some() && blocks::has_ranges(app, sender.tenant))
        || draft.quote.is_some()
        || draft.url.as_deref().is_some_and(|url| links::read(sender.tenant, url).is_some())
}

/// The command that posts a draft, with the text that it quotes and the attachment that it shows. Whether it matters that one of them
/// is not there is the chat's to say: a repeated message is answered like the first time, whatever its sender sees now.
///
/// # Errors
/// [`ApiError::Blocked`]; [`ApiError::Read`], [`ApiError::Decode`] when a quote cannot be looked up; [`ApiError::Blob`], [`ApiError::Attachment`],
/// [`ApiError::Keys`] when an attachment cannot.
pub async fn post_looked_up(app: &AppState, sender: Sender, draft: Draft) -> Result<Request, ApiError> {
    if let Some(address) = sender.held_against() {
        app.blocks.check_address(app, sender.tenant, address).await?;
    }
    let attached = links::look_up_attached(app, sender, draft.chat, draft.url.as_deref()).await?;
    let quote = quote(app, sender, &draft).await?;
    let profile = if sender.role == Role::Customer { None } else { app.profiles.of(app, sender.tenant, sender.user).await? };
    Ok(post_request(app, sender, draft, LookedUp { quote, attached, profile }))
}

async fn quote(app: &AppState, sender: Sender, draft: &Draft) -> Result<Quote, ApiError> {
    let Some(message) = draft.quote else { return Ok(Quote::default()) };
    let mut quote = look_up_quoted(app, sender, draft.chat, message).await?;
    if matches!(quote, Quote::Missing) {
        // What was acknowledged a moment ago is perhaps not in the read models yet.
        let head = app.ports.log.head().await?;
        if head > app.ports.views.reached() && app.ports.views.at_least(head).await.is_ok() {
            quote = look_up_quoted(app, sender, draft.chat, message).await?;
        }
    }
    Ok(quote)
}

/// Carries a command out. A blocked customer posts nothing. Messages count against the tenant's quota, also those that turn out to be repeats.
///
/// # Errors
/// [`CommandError`].
pub async fn execute(app: &AppState, request: Request) -> Result<Answer, CommandError> {
    if let AnyCommand::Chat(ChatCommand::Post(post)) = &request.command {
        let tenant = request.stream.tenant;
        if blocks::is_blocked(app, tenant, post.sender) {
            return Err(Refusal::from(UserError::Blocked).into());
        }
        if !app.quotas.take(tenant, limits(app, tenant).messages_per_second, app.now()) {
            let varied = post.client_message.as_bytes()[15];
            tokio::time::sleep(OVER_QUOTA_PAUSE.mul_f64(0.5 + f64::from(varied) / 256.0)).await;
            return Err(CommandError::OverQuota);
        }
    }
    app.ports.commands.execute(request).await
}

/// Removes a message from the sight of a member.
///
/// # Errors
/// [`ApiError::NotFound`]; the chat's refusal for somebody who is no member: only members learn whether a message is there.
pub async fn hide(app: &AppState, sender: Sender, chat: ChatId, message: MessageId) -> Result<Answer, ApiError> {
    Ok(execute(app, hide_request(app, sender, chat, message).await?).await?)
}

/// The command that removes a message from the sight of a member.
///
/// # Errors
/// As [`hide`].
pub async fn hide_request(app: &AppState, sender: Sender, chat: ChatId, message: MessageId) -> Result<Request, ApiError> {
    let row = app.ports.views.chat(sender.tenant, chat).ok_or(ApiError::NotFound { kind: "chat" })?;
    let Some(member) = row.member(sender.user) else {
        return Err(Refusal::from(ChatError::NotAMember { user: sender.user }).into());
    };
    let found = find_seen(app, sender.tenant, chat, member, message).await?;
    let (seq, _) = found.ok_or(ApiError::NotFound { kind: "message" })?;
    Ok(to_chat(app, sender, chat, ChatCommand::Hide { reader: sender.user, message, seq }))
}

/// Shows the other members of a chat that somebody writes, or has stopped. Who is no member shows nothing.
pub fn show_typing(app: &AppState, sender: Sender, chat: ChatId, on: bool) {
    let Some(row) = app.ports.views.chat(sender.tenant, chat) else { return };
    if !row.members.iter().any(|member| member.user == sender.user) {
        return;
    }
    for member in row.members.iter().filter(|member| member.user != sender.user) {
        app.hub.signal((sender.tenant, member.user), &Signal::Typing { chat, user: shown_to(member.user, sender.user, &row), on });
    }
}

/// Shows the other members of a chat what a robot has written so far.
///
/// # Errors
/// [`ApiError::Denied`] for whoever is not in the chat as a robot; the refusal of a message that is too long.
pub fn show_growing(app: &AppState, sender: Sender, chat: ChatId, growing: Growing) -> Result<(), ApiError> {
    let Sender { tenant, user, role, .. } = sender;
    let seat = app.ports.views.chat(tenant, chat).and_then(|row| Some(row.member(user)?.role));
    let is_robot = seat == Some(ChatRole::Robot);
    let principal = Principal::User { tenant, role, groups: &[] };
    allowed(principal, Action::TakePartInChat, Resource::of_tenant(tenant).own(is_robot))?;
    if growing.content.len() > CONTENT_BYTES_MAX {
        let too_long = ContentRefused::TooLong { part: "content", bytes_max: CONTENT_BYTES_MAX };
        return Err(Refusal::from(ChatError::Content(too_long)).into());
    }
    app.hub.note_growing((tenant, chat, user), growing);
    Ok(())
}

/// What became of the message that a draft quotes.
#[derive(Debug, Default)]
pub enum Quote {
    /// Nothing is quoted.
    #[default]
    Nothing,
    /// It is there.
    Found {
        /// What it is.
        quoted: Quoted,
        /// Its text, as far as something is left of it.
        text: Option<String>,
    },
    /// It is not there for whoever quotes it.
    Missing,
}

/// What was found of what a draft refers to; nothing, when it refers to nothing.
#[derive(Debug, Default)]
pub struct LookedUp {
    /// What it quotes.
    pub quote: Quote,
    /// What its link leads to.
    pub attached: Attached,
    /// How the customer sees whoever posts it, if they speak for the shop.
    pub profile: Option<Arc<Profile>>,
}

/// What is found without waiting, for a draft of which [`needs_look_up`] says so.
#[must_use]
pub fn at_hand(app: &AppState, sender: Sender) -> LookedUp {
    let profile = if sender.role == Role::Customer { None } else { app.profiles.at_hand(app, sender.tenant, sender.user).flatten() };
    LookedUp { profile, ..LookedUp::default() }
}

/// The command that posts a draft.
#[must_use]
pub fn post_request(app: &AppState, sender: Sender, draft: Draft, found: LookedUp) -> Request {
    let (quoted, quote_text) = match found.quote {
        Quote::Nothing => (Quoted::Nothing, None),
        Quote::Found { quoted, text } => (quoted, text),
        Quote::Missing => (Quoted::Missing, None),
    };
    let digest = app.secrets.content_digest(&[
        draft.content.as_bytes(),
        draft.url.as_deref().unwrap_or_default().as_bytes(),
        draft.ext.as_deref().unwrap_or_default().as_bytes(),
        draft.quote.map(|quote| quote.uuid()).unwrap_or_default().as_bytes(),
        &[draft.kind as u8, draft.style as u8, draft.visibility as u8],
    ]);
    let now = app.now();
    let new_id = || app.ports.ids.uuid_v7(now);
    let post = PostMessage {
        sender: sender.user,
        client_message: draft.id,
        message: MessageId::from_uuid(new_id()),
        fresh_conversation: match sender.role {
            Role::Customer => ConversationId::from_uuid(new_id()),
            // Staff never begin a conversation by writing.
            Role::PlatformOperator
            | Role::Governance
            | Role::TenantAdmin
            | Role::Supervisor
            | Role::Agent
            | Role::QualityReviewer
            | Role::Integration => ConversationId::from_uuid(Uuid::nil()),
        },
        digest,
        content: MessageContent {
            content: draft.content,
            url: draft.url,
            quote_text,
            ext: draft.ext,
            sender_name: found.profile.as_ref().map(|profile| profile.display_name.clone()).filter(|name| !name.is_empty()),
            sender_avatar: found.profile.as_ref().and_then(|profile| profile.avatar_url.clone()),
        },
        origin: match draft.suggestion {
            Some(suggestion) if sender.role != Role::Customer => Origin::Assisted { suggestion },
            Some(_) | None => Origin::Human,
        },
        persona: if sender.role == Role::Customer { Persona::Oneself } else { Persona::Shop },
        visibility: draft.visibility,
        style: draft.style,
        kind: draft.kind,
        quoted,
        attached: found.attached,
        assignment: draft.assignment,
        reopen_window: limits(app, sender.tenant).reopen_window,
        as_participant: if sender.role == Role::Customer { Category::Customer } else { Category::Agent },
    };
    to_chat(app, sender, draft.chat, ChatCommand::Post(Box::new(post)))
}

/// A message that is quoted, with its text as it stands, shortened; without a text when it was recalled or erased.
async fn look_up_quoted(app: &AppState, sender: Sender, chat: ChatId, message: MessageId) -> Result<Quote, ApiError> {
    let Some(row) = app.ports.views.chat(sender.tenant, chat) else {
        return Ok(Quote::Missing);
    };
    let Some(member) = row.member(sender.user) else {
        return Ok(Quote::Missing);
    };
    let Some((seq, posted)) = find_seen(app, sender.tenant, chat, member, message).await? else {
        return Ok(Quote::Missing);
    };
    let quoted = Quoted::Message { message, seq, visibility: posted.visibility };
    let content = posted.private.known().filter(|_| !app.ports.views.is_recalled(sender.tenant, chat, seq));
    Ok(Quote::Found { quoted, text: content.map(|content| content.content.chars().take(QUOTE_CHARACTERS_MAX).collect()) })
}
