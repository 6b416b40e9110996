//! Starting contact with a customer: finds the chat in which the customer last wrote, has it decide, and says what came of it. And what
//! proves it afterwards: `evidence` takes it out of the log, `verify` believes none of it.

pub mod command;
pub mod evidence;
pub mod told;
pub mod verify;

use application::command::{Request, command_id};
use application::error::{CommandError, Refusal};
use application::log::commit::Actor;
use application::log::stream::{StreamId, StreamKey};
use application::ports::event_log::Position;
use application::queries::{AccountStage, UserRow};
use domain::chat::command::{ChatCommand, HandOver, ReachOut};
use domain::chat::error::ChatError;
use domain::chat::event::ChatEvent;
use domain::event::Event;
use domain::ids::{ChannelId, ChatId, CommandId, MessageId, OutreachId, ShopId, TenantId, UserId};
use domain::labels::{Label, Reference};
use domain::message::{Category, ContentDigest, MessageContent};
use domain::outreach::{AGE_MAX, OutreachRefusal, OutreachVerdict};
use domain::time::{ClockState, Millis, Timestamp};
use domain::user::event::{Profile, Role};
use uuid::Uuid;

use self::told::Told;
use crate::http::error::{ApiError, InputError};
use crate::http::extract::wait_for;
use crate::ids;
use crate::messaging::{self, Draft, Sender};
use crate::reading::Reader;
use crate::state::AppState;

/// Messages that are looked at together when it is asked when a customer last wrote.
const LOOK_PAGE: u64 = 64;
/// How far behind the limit the customer's newest message is still looked for; what is older makes no difference.
const LOOK_BEYOND: Millis = Millis::hours(1);
/// Merges that are followed from one account to the next; an identified account is merged into none, so there is one at most.
const MERGES_MAX: usize = 4;

/// Contact that somebody wants to start.
#[derive(Debug)]
pub struct Wanted {
    /// For which shop.
    pub shop: ShopId,
    /// With whom.
    pub customer: UserId,
    /// From where.
    pub entry: Label,
    /// The order that it is about.
    pub order: Option<Reference>,
    /// Under which correlation.
    pub correlation: Uuid,
    /// The message. It says nothing of where.
    pub draft: Draft,
}

/// The word for a reason, as everywhere.
#[must_use]
pub const fn reason_word(reason: OutreachRefusal) -> &'static str {
    match reason {
        OutreachRefusal::EntryNotAllowed => "entry_not_allowed",
        OutreachRefusal::AccountClosed => "account_closed",
        OutreachRefusal::ClockJumped => "clock_jumped",
        OutreachRefusal::NoMessage => "no_message",
        OutreachRefusal::TooOld => "too_old",
        OutreachRefusal::ServedByAnother => "served_by_another",
    }
}

/// Makes an attempt. Refused or not, it is a fact when this returns; repeated, it is the same one.
///
/// # Errors
/// [`ApiError`]; a refusal by the outreach rule is none, it stands in what is told.
pub async fn attempt(app: &AppState, sender: Sender, wanted: Wanted) -> Result<Told, ApiError> {
    let Sender { tenant, user: by, .. } = sender;
    let head = Position { shard: app.ports.log.shard(), commit: app.ports.log.head().await?, index: 0 };
    // Which chats the customer has may have changed a moment ago.
    wait_for(app, head).await?;
    let (customer, row) = customer(app, tenant, wanted.customer)?;
    let correlation = wanted.correlation;
    let profile = app.profiles.of(app, tenant, by).await?;
    let order = reach_out(app, (tenant, by, profile.as_deref()), (customer, row.stage != AccountStage::Active), wanted);
    if let Some(row) = app.ports.views.outreach(tenant, order.attempt) {
        let told = told::read(app, &row).await?;
        // Another attempt under the same id is not this one.
        return if told.digest == order.digest.0 { Ok(told) } else { Err(Refusal::from(ChatError::ClientIdReused).into()) };
    }
    if !app.quotas.take(tenant, messaging::limits(app, tenant).messages_per_second, app.now()) {
        return Err(CommandError::OverQuota.into());
    }
    let chat = chat_with(app, tenant, order.shop, customer).await?;
    let attempt = order.attempt;
    // Without a chat there is nothing to be allowed by; the attempt is told in a stream of its own, which nobody ever opens.
    let stream = StreamId::new(tenant, StreamKey::Chat(chat.unwrap_or_else(|| ChatId::from_uuid(attempt.uuid()))));
    let request = Request {
        stream,
        id: command_id(&stream, by.uuid(), &format!("outreach {attempt}")),
        digest: order.digest.0,
        command: ChatCommand::ReachOut(Box::new(order)).into(),
        actor: Actor::User(by),
        correlation,
        causation: Uuid::nil(),
    };
    let answer = app.ports.commands.execute(request).await?;
    wait_for(app, answer.position).await?;
    let row = app.ports.views.outreach(tenant, attempt).ok_or(ApiError::NotFound { kind: "outreach attempt" })?;
    told::read(app, &row).await
}

fn reach_out(
    app: &AppState,
    (tenant, by, profile): (TenantId, UserId, Option<&Profile>),
    (customer, account_closed): (UserId, bool),
    wanted: Wanted,
) -> ReachOut {
    let Wanted { shop, customer: asked, entry, order, draft, .. } = wanted;
    let digest = app.secrets.content_digest(&[
        draft.content.as_bytes(),
        draft.url.as_deref().unwrap_or_default().as_bytes(),
        draft.ext.as_deref().unwrap_or_default().as_bytes(),
        shop.as_str().as_bytes(),
        // As it was asked: a merge between two tries makes no other attempt of it.
        asked.as_bytes(),
        entry.as_str().as_bytes(),
        order.as_ref().map_or("", Reference::as_str).as_bytes(),
        &[draft.kind as u8, draft.style as u8],
    ]);
    ReachOut {
        attempt: ids::outreach_attempt(tenant, by, draft.id),
        shop,
        customer,
        account_closed,
        by,
        entry,
        order,
        // The owner says otherwise when it decides.
        clock: ClockState::Jumped,
        client_message: draft.id,
        message: MessageId::from_uuid(app.new_id()),
        // 0 would mean "not compared".
        digest: ContentDigest(digest.0.max(1)),
        content: MessageContent {
            content: draft.content,
            url: draft.url,
            quote_text: None,
            ext: draft.ext,
            sender_name: profile.map(|profile| profile.display_name.clone()).filter(|name| !name.is_empty()),
            sender_avatar: profile.and_then(|profile| profile.avatar_url.clone()),
        },
        style: draft.style,
        kind: draft.kind,
    }
}

/// The customer's account: the one that they have now.
fn customer(app: &AppState, tenant: TenantId, mut customer: UserId) -> Result<(UserId, std::sync::Arc<UserRow>), ApiError> {
    for _ in 0..MERGES_MAX {
        let row = app.ports.views.user(tenant, customer).ok_or(ApiError::NotFound { kind: "customer" })?;
        if row.role != Role::Customer {
            return Err(InputError::Refused { field: "customer", reason: "must be a customer" }.into());
        }
        match row.stage {
            AccountStage::Merged { into } => customer = into,
            AccountStage::Active | AccountStage::Deactivated => return Ok((customer, row)),
        }
    }
    Err(ApiError::NotFound { kind: "customer" })
}

/// The chat in which the customer last wrote to the shop. There are two when they wrote before they were known, and after.
async fn chat_with(app: &AppState, tenant: TenantId, shop: ShopId, customer: UserId) -> Result<Option<ChatId>, ApiError> {
    let chats = app.ports.views.chats_with(tenant, customer, shop);
    if chats.len() < 2 {
        return Ok(chats.first().copied());
    }
    let mut found = Vec::with_capacity(chats.len());
    for chat in chats {
        found.push((last_wrote(app, tenant, chat).await?, chat));
    }
    Ok(found.into_iter().max().map(|(_, chat)| chat))
}

/// When the customer last wrote in a chat, if it was not long ago.
async fn last_wrote(app: &AppState, tenant: TenantId, chat: ChatId) -> Result<Option<Timestamp>, ApiError> {
    let since = app.now() - AGE_MAX - LOOK_BEYOND;
    let mut reader = Reader::new(app);
    let mut last = app.ports.views.chat(tenant, chat).map_or(0, |row| row.last_seq);
    while last > 0 {
        let first = last.saturating_sub(LOOK_PAGE - 1).max(1);
        let page = app.ports.views.messages(tenant, chat, first, usize::try_from(last - first + 1).unwrap_or(usize::MAX));
        for (_, at) in page.into_iter().rev() {
            let opened = reader.open(at).await?;
            if opened.header.time < since {
                return Ok(None);
            }
            if matches!(&opened.event, Event::Chat(ChatEvent::MessagePosted(posted)) if posted.category == Category::Customer) {
                return Ok(Some(opened.header.time));
            }
        }
        last = first - 1;
    }
    Ok(None)
}

/// What becomes of a message that starts contact when it is about to leave by a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnItsWay {
    /// It is handed over.
    Goes,
    /// It is held back, for good.
    Stays,
    /// Nobody can say at the moment.
    Waits,
}

/// Asks the rule once more, now that a message is handed over to a channel. What it says is a fact when this returns.
///
/// # Errors
/// [`CommandError`].
pub async fn hand_over(
    app: &AppState,
    place: (TenantId, ChatId),
    attempt: OutreachId,
    channel: ChannelId,
) -> Result<OnItsWay, CommandError> {
    let id = app.new_id();
    let request = Request {
        stream: StreamId::new(place.0, StreamKey::Chat(place.1)),
        command: ChatCommand::HandOver(HandOver { attempt, channel, clock: ClockState::Jumped }).into(),
        id: CommandId::from_uuid(id),
        digest: 0,
        actor: Actor::Policy,
        correlation: id,
        causation: Uuid::nil(),
    };
    let answer = app.ports.commands.execute(request).await?;
    Ok(match answer.chat.and_then(|chat| chat.handed_over) {
        Some(OutreachVerdict::Allowed) => OnItsWay::Goes,
        Some(OutreachVerdict::Refused(OutreachRefusal::ClockJumped)) | None => OnItsWay::Waits,
        Some(OutreachVerdict::Refused(_)) => OnItsWay::Stays,
    })
}
