//! Carries campaigns on: takes what speaks from the read models, goes through its list, and has each customer's chat take the
//! message in.
//!
//! At its pace at most, a few messages at a time, and slower when the owner says it is busy: who waits for an answer goes first.
//! How far it is becomes a fact after every stretch. A crash in between repeats a part of the stretch, and the chats recognise
//! it: every attempt of a campaign carries the same client id, minted at its start. It must not decide what a campaign may do.

use application::command::{Answer, AnyCommand, Request, command_id};
use application::error::CommandError;
use application::log::commit::Actor;
use application::log::stream::{StreamId, StreamKey};
use application::queries::{AccountStage, CampaignRow, CampaignStatus};
use domain::campaign::command::CampaignCommand;
use domain::campaign::decide::LASTS_AT_MOST;
use domain::campaign::event::{CampaignEvent, CancelReason, Place, Tally};
use domain::chat::command::{Announcement, ChatCommand};
use domain::event::Event;
use domain::ids::{CampaignId, ClientMessageId, CommandId, MessageId, TenantId, UserId};
use domain::message::{ContentDigest, MessageContent};
use domain::private::Private;
use domain::time::Timestamp;
use domain::user::event::Role;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use hashbrown::HashSet;
use tokio::sync::Notify;
use tokio::time::{Duration, Instant};
use uuid::Uuid;

use self::leg::Leg;
use crate::http::error::ApiError;
use crate::ids::{campaign_message, shop_account};
use crate::reading;
use crate::state::{App, AppState};

mod leg;

/// How often running campaigns are looked for, beside the moments when one is started: after a restart, and after a failure.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Recipients between two notes of how far it is. As many are repeated, and recognised, after a crash.
const STRETCH: usize = 512;
/// Messages on their way at a time, over all campaigns of this process: as many as a flush is worth, few enough that whoever
/// waits for an answer waits for few of them.
const ON_THEIR_WAY: usize = 32;
/// How finely the pace is kept. What leaves in one beat shares its ways: to the log, through a flush, to the views. A beat of two
/// milliseconds costs half as much processor again, and one of ten is a burst that others notice.
const BEAT: Duration = Duration::from_millis(5);
/// Wait after the owner said it is busy.
const BUSY_WAIT: Duration = Duration::from_millis(100);

/// See the file's head.
pub struct Campaigns {
    started: Notify,
    slots: tokio::sync::Semaphore,
}

impl Default for Campaigns {
    fn default() -> Self {
        Self { started: Notify::new(), slots: tokio::sync::Semaphore::new(ON_THEIR_WAY) }
    }
}

/// Why a campaign was not carried on for now.
#[derive(Debug, thiserror::Error)]
enum Halt {
    /// A command was not carried out.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] ApiError),
    /// What it says was erased, or its list is not where it was.
    #[error("{0} is not there")]
    Missing(&'static str),
}

impl Campaigns {
    /// Looks for running campaigns soon.
    pub fn look(&self) {
        self.started.notify_one();
    }

    /// Carries campaigns on until shutdown.
    pub async fn run(&self, app: App) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut running = FuturesUnordered::new();
        let mut at_work = HashSet::new();
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.started.notified() => {}
                Some(id) = running.next() => {
                    at_work.remove(&id);
                    continue;
                }
                () = app.shutdown.ordered() => break,
            }
            for id in app.ports.views.running_campaigns() {
                if at_work.insert(id) {
                    running.push(self.carry_on(&app, id));
                }
            }
        }
        // What is on its way is waited for; nothing more leaves.
        while running.next().await.is_some() {}
    }

    async fn carry_on(&self, app: &AppState, id: (TenantId, CampaignId)) -> (TenantId, CampaignId) {
        if let Some(row) = app.ports.views.campaign(id.0, id.1)
            && let Err(halt) = Run::of(app, &self.slots, id.0, &row).go_through().await
        {
            tracing::warn!(tenant.id = %id.0, campaign.id = %id.1, %halt, "a campaign halts, and is taken up again in a moment");
        }
        id
    }
}

/// One campaign on its way.
struct Run<'a> {
    app: &'a AppState,
    slots: &'a tokio::sync::Semaphore,
    tenant: TenantId,
    row: &'a CampaignRow,
    started: Timestamp,
    client_message: ClientMessageId,
    digest: ContentDigest,
    sender: UserId,
}

/// What became of one recipient.
#[derive(Clone, Copy)]
enum Fate {
    Sent,
    Unknown,
    Inactive,
    Refused,
}

impl Fate {
    /// What an answer means for the recipient. What is wrong with the chat of one of them keeps nobody else from hearing.
    fn of(answer: Result<Answer, CommandError>) -> Result<Self, CommandError> {
        match answer {
            Ok(_) => Ok(Self::Sent),
            Err(
                CommandError::Refused(_)
                | CommandError::TooLarge
                | CommandError::Gone
                | CommandError::Damaged { .. }
                | CommandError::KeyMissing,
            ) => Ok(Self::Refused),
            Err(CommandError::Erased) => Ok(Self::Inactive),
            Err(error) => Err(error),
        }
    }

    const fn tally(self) -> Tally {
        let none = Tally { sent: 0, unknown: 0, inactive: 0, refused: 0 };
        match self {
            Self::Sent => Tally { sent: 1, ..none },
            Self::Unknown => Tally { unknown: 1, ..none },
            Self::Inactive => Tally { inactive: 1, ..none },
            Self::Refused => Tally { refused: 1, ..none },
        }
    }
}

impl<'a> Run<'a> {
    fn of(app: &'a AppState, slots: &'a tokio::sync::Semaphore, tenant: TenantId, row: &'a CampaignRow) -> Self {
        let started = row.started_at.unwrap_or(row.created_at);
        Self {
            app,
            slots,
            tenant,
            row,
            started,
            client_message: campaign_message(row.campaign, started),
            digest: app.secrets.content_digest(&[row.campaign.as_bytes()]),
            sender: shop_account(tenant, row.shop),
        }
    }

    async fn go_through(&self) -> Result<(), Halt> {
        let content = self.content().await?;
        let mut place = self.row.place;
        let mut leg = self.leg(place).await?;
        let mut pace = Pace::new(self.row.per_second);
        // No more than a second's worth: whoever pauses it, or stops the server, waits for a stretch.
        let longest = STRETCH.min(usize::try_from(self.row.per_second).unwrap_or(STRETCH));
        loop {
            let stretch = leg.after(place, longest);
            if stretch.is_empty() || !self.goes_on().await? {
                return Ok(());
            }
            let tally = self.say_to(stretch, &content, &mut pace).await?;
            let to = leg.advanced(place, stretch.len());
            self.tell(&format!("advance {} {}", place.part, place.offset), CampaignCommand::Advance { from: place, to, tally }).await?;
            place = to;
            if leg.is_followed_at(place) {
                leg = self.leg(place).await?;
            }
        }
    }

    /// Has the chats of a stretch take the message in. Each leaves at its time, while those before it are on their way: gathered
    /// and sent together, they would be a burst that everybody else waits for.
    async fn say_to(&self, stretch: &[UserId], content: &MessageContent, pace: &mut Pace) -> Result<Tally, Halt> {
        let mut tally = Tally::default();
        let mut next = stretch.iter();
        let mut on_their_way = FuturesUnordered::new();
        loop {
            tokio::select! {
                biased;
                Some(fate) = on_their_way.next() => {
                    let fate: Result<Fate, Halt> = fate;
                    tally = tally.and(fate?.tally());
                }
                () = pace.keep(), if next.len() > 0 && on_their_way.len() < ON_THEIR_WAY => {
                    on_their_way.extend(next.next().map(|recipient| self.say(*recipient, content)));
                }
                else => return Ok(tally),
            }
        }
    }

    /// Whether the campaign still speaks; one that began too long ago is ended.
    async fn goes_on(&self) -> Result<bool, Halt> {
        if self.app.shutdown.is_ordered() {
            return Ok(false);
        }
        if self.app.now() - self.started > LASTS_AT_MOST {
            self.tell("took too long", CampaignCommand::Cancel { reason: CancelReason::TookTooLong }).await?;
            return Ok(false);
        }
        let status = self.app.ports.views.campaign(self.tenant, self.row.campaign).map(|row| row.status);
        Ok(status == Some(CampaignStatus::Running))
    }

    async fn content(&self) -> Result<MessageContent, Halt> {
        match reading::open(self.app, self.row.content).await?.event {
            Event::Campaign(CampaignEvent::CampaignCreated(created)) => match created.private {
                Private::Known(content) => Ok(content),
                Private::Erased | Private::Closed => Err(Halt::Missing("what it says")),
            },
            Event::Campaign(_)
            | Event::Chat(_)
            | Event::Conversation(_)
            | Event::User(_)
            | Event::Desk(_)
            | Event::Tenant(_)
            | Event::Retrieval(_) => Err(Halt::Missing("what it says")),
        }
    }

    /// The leg of the list that a place lies in; an empty one behind the last.
    async fn leg(&self, place: Place) -> Result<Leg, Halt> {
        let sequence = self.row.sequence;
        let first = leg::first_part(sequence, place);
        let mut parts = vec![];
        for part in first..first.saturating_add(leg::parts_of(sequence)) {
            let Some(recipients) = self.part(part).await? else { break };
            parts.push(recipients);
        }
        // A million ids take a while to sort.
        tokio::task::spawn_blocking(move || Leg::new(sequence, first, &parts)).await.map_err(|_| Halt::Missing("its list"))
    }

    /// One addition to the list; `None` behind the last. While the list is made nothing else happens to a campaign, so the first
    /// addition is its second event, and so on.
    async fn part(&self, part: u32) -> Result<Option<Vec<UserId>>, Halt> {
        let version = u64::from(part) + 2;
        let commits = self.app.ports.log.read_stream(self.stream(), version, 1).await.map_err(ApiError::from)?;
        let Some(commit) = commits.first() else { return Ok(None) };
        let first = commit.header().map_err(|_| Halt::Missing("its list"))?.first_version;
        let nth = usize::try_from(version.saturating_sub(first)).unwrap_or(usize::MAX);
        match reading::events(commit)?.into_iter().nth(nth) {
            Some(Event::Campaign(CampaignEvent::RecipientsAdded(added))) => Ok(Some(added.recipients)),
            Some(_) | None => Ok(None),
        }
    }

    const fn stream(&self) -> StreamId {
        StreamId::new(self.tenant, StreamKey::Campaign(self.row.campaign))
    }

    async fn tell(&self, step: &str, command: CampaignCommand) -> Result<(), Halt> {
        let stream = self.stream();
        let request = self.request(stream, command_id(&stream, self.row.campaign.uuid(), step), command);
        let answer = self.insist(&request).await?;
        // The next look at the campaign sees it.
        while !self.app.shutdown.is_ordered() && self.app.ports.views.at_least(answer.position.commit).await.is_err() {}
        Ok(())
    }

    fn request(&self, stream: StreamId, id: CommandId, command: impl Into<AnyCommand>) -> Request {
        let campaign = self.row.campaign.uuid();
        Request { stream, command: command.into(), id, digest: 0, actor: Actor::Policy, correlation: campaign, causation: Uuid::nil() }
    }

    /// Has a recipient's chat take the message in.
    async fn say(&self, recipient: UserId, content: &MessageContent) -> Result<Fate, Halt> {
        let views = &self.app.ports.views;
        let customer = match views.user_now(self.tenant, recipient) {
            Some(user) if user.role == Role::Customer && user.stage == AccountStage::Active => user.user,
            Some(user) if user.role == Role::Customer => return Ok(Fate::Inactive),
            Some(_) | None => return Ok(Fate::Unknown),
        };
        let chat = reading::chat_of(self.app, self.tenant, self.row.shop, customer);
        let announcement = Announcement {
            shop: self.row.shop,
            customer,
            sender: self.sender,
            client_message: self.client_message,
            message: MessageId::from_uuid(self.app.new_id()),
            digest: self.digest,
            content: content.clone(),
            style: self.row.style,
            kind: self.row.kind,
        };
        let stream = StreamId::new(self.tenant, StreamKey::Chat(chat));
        let request = self.request(stream, CommandId::from_uuid(self.app.new_id()), ChatCommand::Announce(Box::new(announcement)));
        let _slot = self.slots.acquire().await;
        Ok(Fate::of(self.insist(&request).await)?)
    }

    /// Carries a command out, waiting while the owner is busy, but not beyond the order to stop.
    async fn insist(&self, request: &Request) -> Result<Answer, CommandError> {
        loop {
            match self.app.ports.commands.execute(request.clone()).await {
                Err(CommandError::Busy | CommandError::Contended | CommandError::InDoubt) if !self.app.shutdown.is_ordered() => {
                    tokio::time::sleep(BUSY_WAIT).await;
                }
                answer => return answer,
            }
        }
    }
}

/// So many in a second, evenly. What was not used while something else was slow is not made up for.
struct Pace {
    per_beat: f64,
    due: Instant,
    left: f64,
}

impl Pace {
    fn new(per_second: u32) -> Self {
        Self { per_beat: f64::from(per_second) * BEAT.as_secs_f64(), due: Instant::now(), left: 0.0 }
    }

    /// Waits until one more is due. Given up halfway, nothing is counted.
    async fn keep(&mut self) {
        while self.left < 1.0 {
            tokio::time::sleep_until(self.due).await;
            self.due = self.due.max(Instant::now() - BEAT) + BEAT;
            self.left += self.per_beat;
        }
        self.left -= 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipient_whose_chat_is_broken_is_counted_and_the_campaign_goes_on() {
        for broken in [CommandError::Damaged { place: "record 7".to_owned() }, CommandError::KeyMissing, CommandError::Gone] {
            assert!(matches!(Fate::of(Err(broken)), Ok(Fate::Refused)));
        }
        assert!(matches!(Fate::of(Err(CommandError::Erased)), Ok(Fate::Inactive)));
        for passing in [CommandError::Busy, CommandError::Unavailable { reason: "disk".to_owned() }, CommandError::ShuttingDown] {
            assert_eq!(Fate::of(Err(passing.clone())).err(), Some(passing), "it is tried again");
        }
    }
}
