//! `POST /v1/tenants/{t}/chats`.

use application::access::{Action, Resource};
use application::command::Answer;
use application::log::stream::{StreamId, StreamKey};
use application::queries::AccountStage;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::chat::command::ChatCommand;
use domain::conversation::command::ConversationCommand;
use domain::conversation::event::{ConversationEvent, Entry, EntryPage};
use domain::event::Event;
use domain::ids::{ChatId, ConversationId, GroupId, ShopId, TenantId, UserId};
use domain::labels::Reference;
use domain::user::event::Role;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::auth::Caller;
use crate::http::error::{ApiError, InputError, Problem};
use crate::http::extract::{InPath, Order};
use crate::http::journey::Journey;
use crate::http::respond::changed;
use crate::http::routes::{tenant, user};
use crate::reading::{chat_of, events};
use crate::state::{App, AppState};

/// Commits of a conversation that are looked through for its end: far more than one ever has, unless it is reopened for days.
const CONVERSATION_COMMITS_MAX: usize = 4_096;

/// From where a customer comes.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EntryBody {
    /// `product`, `shop`, `order` or `logistics`.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    page: EntryPage,
    /// What the tenant's own systems call the product or order shown there: `[A-Za-z0-9._:/#-]{1,64}`.
    #[schema(value_type = Option<String>)]
    subject: Option<Reference>,
    /// The group that shall answer.
    #[schema(value_type = Option<String>)]
    group: Option<GroupId>,
}

/// A chat to open.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenChat {
    /// The shop.
    #[schema(value_type = String)]
    shop: ShopId,
    /// From where the customer comes.
    #[serde(default)]
    entry: EntryBody,
    /// Whether a conversation begins, if none is open. `false` only opens the chat.
    #[serde(default = "yes")]
    start: bool,
    /// The customer, when a reception key opens the chat on their behalf.
    #[schema(value_type = Option<String>)]
    customer: Option<UserId>,
}

const fn yes() -> bool {
    true
}

/// An open chat.
#[derive(Debug, Serialize, ToSchema)]
pub struct OpenedChat {
    /// The chat.
    chat: String,
    /// The conversation that is open in it.
    conversation: Option<String>,
    /// The position; a read takes it as `at_least`.
    position: String,
}

/// Opens the chat between a customer and a shop, or finds it open, and begins a conversation if none is open.
#[utoipa::path(
    post,
    path = "/v1/tenants/{t}/chats",
    tag = "chats",
    params(("t" = String, Path, description = "The tenant.")),
    request_body = OpenChat,
    responses((status = 200, body = OpenedChat), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn open(
    State(app): State<App>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    order: Order<OpenChat>,
) -> Result<Response, ApiError> {
    caller.enter(tenant, Action::OpenChat)?;
    let row = tenant::known(&app, tenant)?;
    let OpenChat { shop, entry, start, customer } = &order.body;
    let (shop, start) = (*shop, *start);
    let customer = customer.or_else(|| caller.user_of(tenant).map(|user| user.user));
    let customer = customer.ok_or(InputError::InvalidField { reason: "missing field `customer`".to_owned() })?;
    if !row.shops.iter().any(|(known, _)| *known == shop) {
        return Err(ApiError::NotFound { kind: "shop" });
    }
    let place = Resource::of_tenant(tenant).at_shop(Some(shop)).own(caller.is(tenant, customer));
    caller.may(Action::OpenChat, place)?;
    let account = user::known(&app, tenant, customer)?;
    if account.role != Role::Customer || account.stage != AccountStage::Active {
        return Err(InputError::Refused { field: "customer", reason: "must be a customer in use" }.into());
    }
    // Whoever opens it on their behalf comes from somewhere else.
    let address = caller.is(tenant, customer).then_some(caller.address);
    app.blocks.check(&app, tenant, customer, address).await?;
    let entry = entry_of(entry, row.groups.iter().map(|(group, _)| *group))?;
    let journey = Journey::of(&app, &caller, &order)?;
    let chat = chat_of(&app, tenant, shop, customer);
    let stream = StreamId::new(tenant, StreamKey::Chat(chat));
    let mut answer = journey.execute("open chat", stream, ChatCommand::Open { shop, customer }).await?;
    if start {
        answer = Entering { app: &app, journey: &journey, tenant, chat, shop, customer, entry }.start().await?;
    }
    let conversation = answer.chat.and_then(|chat| chat.conversation).map(|conversation| conversation.to_string());
    let body = OpenedChat { chat: chat.to_string(), conversation, position: answer.position.to_string() };
    Ok(changed(StatusCode::OK, answer.position, body))
}

/// A customer who enters a chat, and the conversation that they shall have then.
struct Entering<'a> {
    app: &'a AppState,
    journey: &'a Journey<'a>,
    tenant: TenantId,
    chat: ChatId,
    shop: ShopId,
    customer: UserId,
    entry: Entry,
}

impl Entering<'_> {
    /// Begins a conversation, or finds one open. It is there for the next request: the policies would open it too, a moment later.
    async fn start(self) -> Result<Answer, ApiError> {
        let fresh = ConversationId::from_uuid(self.journey.new_id("conversation", self.tenant));
        let stream = StreamId::new(self.tenant, StreamKey::Chat(self.chat));
        let start = || ChatCommand::StartConversation { conversation: fresh, entry: self.entry.clone() };
        let mut answer = self.journey.execute("start conversation", stream, start()).await?;
        let mut open = answer.chat.and_then(|chat| chat.conversation);
        if let Some(before) = open.filter(|open| *open != fresh)
            && let Some(seen_seq) = self.closed_at(before).await?
        {
            // It ended already, and its chat is about to hear of it. A message after the end would let it go on.
            let end = ChatCommand::EndConversation { conversation: before, seen_seq };
            self.journey.execute("end conversation", stream, end).await?;
            answer = self.journey.execute("start conversation again", stream, start()).await?;
            open = answer.chat.and_then(|chat| chat.conversation);
        }
        if open == Some(fresh) {
            let command =
                ConversationCommand::Open { chat: self.chat, shop: self.shop, customer: self.customer, entry: self.entry.clone() };
            let opened = self.journey.execute("open conversation", StreamId::new(self.tenant, StreamKey::Conversation(fresh)), command);
            let opened = opened.await?;
            answer.position = answer.position.max(opened.position);
        }
        Ok(answer)
    }

    /// For a conversation that ended: the chat's last place that whoever ended it had seen.
    async fn closed_at(&self, conversation: ConversationId) -> Result<Option<u64>, ApiError> {
        let stream = StreamId::new(self.tenant, StreamKey::Conversation(conversation));
        // Asked of the log, because the read models may not know of the end yet; a conversation's stream is short.
        let commits = self.app.ports.log.read_stream(stream, 1, CONVERSATION_COMMITS_MAX).await?;
        let mut seen = None;
        for commit in &commits {
            for event in events(commit)? {
                seen = match event {
                    Event::Conversation(ConversationEvent::ConversationClosed(closed)) => Some(closed.seen_seq),
                    Event::Conversation(ConversationEvent::ConversationReopened(_)) => None,
                    Event::Chat(_)
                    | Event::Conversation(_)
                    | Event::User(_)
                    | Event::Desk(_)
                    | Event::Tenant(_)
                    | Event::Campaign(_)
                    | Event::Retrieval(_) => seen,
                };
            }
        }
        Ok(seen)
    }
}

fn entry_of(body: &EntryBody, mut groups: impl Iterator<Item = GroupId>) -> Result<Entry, InputError> {
    if body.group.is_some_and(|group| !groups.any(|known| known == group)) {
        return Err(InputError::Refused { field: "entry.group", reason: "must be a group of the tenant" });
    }
    Ok(Entry { page: body.page, subject: body.subject.clone(), group: body.group })
}
