//! Plays recorded dialogues into a new tenant through the same deciders, at their recorded times and with their recorded
//! holders: for KPI work and rehearsals. Unlike a live replay nobody competes for anything here: the holder is given.
//!
//! The clock of the node is the recording's: it stands still until the importer moves it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use application::command::{Answer, AnyCommand, Request};
use application::error::CommandError;
use application::log::commit::Actor;
use application::log::stream::{StreamId, StreamKey};
use application::ports::clock::{Clock, ClockReading};
use application::ports::event_log::ReadError;
use application::ports::key_store::{KeyStoreError, SubjectId, TENANT_SUBJECT};
use domain::chat::command::{Attached, ChatCommand, PostMessage};
use domain::conversation::command::{Closer, ConversationCommand, Rating};
use domain::conversation::event::Entry;
use domain::desk::command::DeskCommand;
use domain::ids::{ChatId, ClientMessageId, CommandId, ConversationId, MessageId, ShopId, TenantId, UserId};
use domain::message::{Category, ContentDigest, Kind, MessageContent, Origin, Persona, Quoted, Style, Visibility};
use domain::tenant::command::TenantCommand;
use domain::tenant::event::{Limits, Title};
use domain::time::{Millis, Timestamp};
use domain::user::command::UserCommand;
use domain::user::event::{Profile, Role};
use uuid::Uuid;

use super::dialogues::{Completion, Dialogue, Speaker};
use crate::node::{Node, StartError, newest_commit_time};

/// Conversations that an imported agent may hold at a time: the recording says who held what, not how many they could.
const CAPACITY: u32 = 1_000;
/// Between two turns without a recorded time.
const TURN_WITHOUT_TIME: Millis = Millis::seconds(30);
/// How long before the first turn tenant and people are made.
const SET_UP_BEFORE: Millis = Millis::minutes(10);

/// A clock that stands where the importer put it.
#[derive(Default)]
pub struct RecordedClock(AtomicI64);

impl RecordedClock {
    /// Moves it forward; it never runs backwards.
    pub fn advance_to(&self, at: Timestamp) {
        self.0.fetch_max(at.0, Ordering::SeqCst);
    }
}

impl Clock for RecordedClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }

    fn reading(&self) -> ClockReading {
        ClockReading::even(self.now())
    }
}

/// Why an import ended early.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Nothing to import.
    #[error("the file holds no conversation with a turn")]
    Empty,
    /// Time does not run backwards in a log.
    #[error("the log's newest commit is of {newest:?}, after the first recorded turn at {first:?}; import into a fresh directory")]
    TooLate {
        /// The newest commit's time.
        newest: Timestamp,
        /// The first recorded time.
        first: Timestamp,
    },
    /// The tenant has a past already.
    #[error("tenant {tenant} exists already; import into a new one")]
    TenantExists {
        /// Which.
        tenant: TenantId,
    },
    /// A decider or the log refused.
    #[error("conversation {conversation}: {what} was not carried out")]
    Command {
        /// The recorded id.
        conversation: String,
        /// Which step.
        what: &'static str,
        /// Why.
        #[source]
        source: CommandError,
    },
    /// See [`KeyStoreError`].
    #[error("a key cannot be made")]
    Keys(#[from] KeyStoreError),
    /// See [`ReadError`].
    #[error("the log cannot be read")]
    Log(#[from] ReadError),
    /// See [`StartError`].
    #[error("the log's newest commit cannot be read")]
    Start(#[from] StartError),
}

/// What was imported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Imported {
    /// Conversations.
    pub conversations: usize,
    /// Recorded conversations without a single turn: nobody knows when they took place.
    pub without_turns: usize,
    /// Messages of both sides.
    pub messages: usize,
    /// Ratings.
    pub ratings: usize,
    /// Customers.
    pub customers: usize,
    /// Agents.
    pub agents: usize,
    /// Shops: one more for each conversation that overlaps another of the same customer.
    pub shops: usize,
}

/// One thing that happens at a recorded time.
enum Step {
    Open,
    Say(usize),
    End,
}

struct Plan<'a> {
    dialogue: &'a Dialogue,
    customer: UserId,
    agent: Option<UserId>,
    shop: ShopId,
    chat: ChatId,
    conversation: ConversationId,
    times: Vec<Timestamp>,
}

/// Imports everything. The node must run on `clock`.
///
/// # Errors
/// [`ImportError`].
pub async fn import(node: &Node, clock: &RecordedClock, tenant: TenantId, dialogues: &[Dialogue]) -> Result<Imported, ImportError> {
    let mut importer = Importer { node, clock, tenant, commands: 0, imported: Imported::default() };
    let plans = plan(tenant, dialogues);
    let mut steps: Vec<(Timestamp, usize, Step)> = Vec::new();
    for (index, plan) in plans.iter().enumerate() {
        let (Some(first), Some(last)) = (plan.times.first(), plan.times.last()) else { continue };
        steps.push((*first, index, Step::Open));
        steps.extend(plan.times.iter().enumerate().map(|(turn, at)| (*at, index, Step::Say(turn))));
        steps.push((*last, index, Step::End));
    }
    // Stable: within one instant a conversation's steps keep their order.
    steps.sort_by_key(|(at, ..)| *at);
    let first = steps.first().map(|(at, ..)| *at).ok_or(ImportError::Empty)? - SET_UP_BEFORE;
    let newest = newest_commit_time(node.ports.log.as_ref()).await?;
    if newest > first {
        return Err(ImportError::TooLate { newest, first });
    }
    clock.advance_to(first);
    importer.imported.without_turns = dialogues.len() - plans.len();
    importer.set_up(&plans).await?;
    for (at, index, step) in &steps {
        clock.advance_to(*at);
        match step {
            Step::Open => importer.open(&plans[*index]).await?,
            Step::Say(turn) => importer.say(&plans[*index], *turn).await?,
            Step::End => importer.end(&plans[*index]).await?,
        }
    }
    node.settle().await?;
    Ok(importer.imported)
}

fn derived(tenant: TenantId, kind: &str, name: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{tenant}/{kind}/{name}").as_bytes())
}

/// Gives every dialogue its people, its shop and the times of its turns.
fn plan(tenant: TenantId, dialogues: &[Dialogue]) -> Vec<Plan<'_>> {
    // For each customer and shop: until when the chat is taken.
    let mut taken: BTreeMap<UserId, Vec<Timestamp>> = BTreeMap::new();
    let mut order: Vec<(Vec<Timestamp>, &Dialogue)> = dialogues.iter().map(|dialogue| (times(dialogue), dialogue)).collect();
    order.retain(|(times, _)| !times.is_empty());
    order.sort_by_key(|(times, _)| times[0]);
    order
        .into_iter()
        .map(|(times, dialogue)| {
            let customer_name = dialogue.customer_id.as_deref().unwrap_or(&dialogue.conversation_id);
            let customer = UserId::from_uuid(derived(tenant, "customer", customer_name));
            let agent = dialogue.agent_id.as_deref().unwrap_or("agent");
            let shops = taken.entry(customer).or_default();
            let (first, last) = (times[0], times[times.len() - 1]);
            // A reopening is no new conversation: the next one in a shop keeps clear of the window.
            let free_from = last + Limits::default().reopen_window + Millis(1);
            let number = shops.iter().position(|until| *until < first).unwrap_or(shops.len());
            if number == shops.len() {
                shops.push(free_from);
            } else {
                shops[number] = free_from;
            }
            let shop: ShopId = format!("shop{}", number + 1).parse().expect("letters and digits");
            Plan {
                dialogue,
                customer,
                agent: Some(UserId::from_uuid(derived(tenant, "agent", agent))),
                shop,
                chat: ChatId::from_uuid(derived(tenant, "chat", &format!("{shop}/{customer}"))),
                conversation: ConversationId::from_uuid(derived(tenant, "conversation", &dialogue.conversation_id)),
                times,
            }
        })
        .collect()
}

/// The times of the turns, each at or after the one before; turns without one follow after a while.
fn times(dialogue: &Dialogue) -> Vec<Timestamp> {
    let mut last: Option<Timestamp> = None;
    let mut times = Vec::with_capacity(dialogue.turns.len());
    for turn in &dialogue.turns {
        let recorded = turn.t.map(|seconds| Timestamp(seconds.saturating_mul(1_000)));
        let at = match (recorded, last) {
            (Some(recorded), Some(last)) => recorded.max(last),
            (Some(recorded), None) => recorded,
            // A look-up's result has no time of its own and is not spoken.
            (None, Some(last)) if turn.speaker == Speaker::Action => last,
            (None, Some(last)) => last + TURN_WITHOUT_TIME,
            (None, None) => Timestamp(0) + SET_UP_BEFORE,
        };
        last = Some(at);
        times.push(at);
    }
    times
}

struct Importer<'a> {
    node: &'a Node,
    clock: &'a RecordedClock,
    tenant: TenantId,
    commands: u64,
    imported: Imported,
}

impl Importer<'_> {
    async fn ask(
        &mut self,
        conversation: &str,
        what: &'static str,
        key: StreamKey,
        command: impl Into<AnyCommand>,
    ) -> Result<Answer, ImportError> {
        self.commands += 1;
        let request = Request {
            stream: StreamId::new(self.tenant, key),
            command: command.into(),
            id: CommandId::from_uuid(derived(self.tenant, "command", &self.commands.to_string())),
            digest: 0,
            actor: Actor::Import,
            correlation: derived(self.tenant, "correlation", conversation),
            causation: Uuid::nil(),
        };
        let carried_out = self.node.ports.commands.execute(request).await;
        carried_out.map_err(|source| ImportError::Command { conversation: conversation.to_owned(), what, source })
    }

    async fn set_up(&mut self, plans: &[Plan<'_>]) -> Result<(), ImportError> {
        if self.node.ports.views.tenant(self.tenant).is_some() {
            return Err(ImportError::TenantExists { tenant: self.tenant });
        }
        let keys = Arc::clone(&self.node.ports.keys);
        keys.ensure(self.tenant, TENANT_SUBJECT).await?;
        let title = Title { title: format!("{} (imported)", self.tenant) };
        self.ask("-", "making the tenant", StreamKey::Tenant, TenantCommand::Create { time_zone: "UTC".into(), title }).await?;
        let shops: std::collections::BTreeSet<ShopId> = plans.iter().map(|plan| plan.shop).collect();
        for shop in &shops {
            let title = Title { title: shop.to_string() };
            self.ask("-", "opening a shop", StreamKey::Tenant, TenantCommand::OpenShop { shop: *shop, title }).await?;
        }
        let customers: std::collections::BTreeSet<UserId> = plans.iter().map(|plan| plan.customer).collect();
        let agents: std::collections::BTreeSet<UserId> = plans.iter().filter_map(|plan| plan.agent).collect();
        for (nth, customer) in customers.iter().enumerate() {
            self.register(*customer, Role::Customer, format!("customer {}", nth + 1)).await?;
        }
        for (nth, agent) in agents.iter().enumerate() {
            self.register(*agent, Role::Agent, format!("agent {}", nth + 1)).await?;
            // They serve no group: the desk gives them nothing by itself, only what the recording says.
            for command in [UserCommand::ChangeCapacity { capacity: CAPACITY }, UserCommand::ComeOnline, UserCommand::StartService] {
                self.ask("-", "starting service", StreamKey::User(*agent), command).await?;
            }
        }
        self.imported.shops = shops.len();
        self.imported.customers = customers.len();
        self.imported.agents = agents.len();
        Ok(self.node.settle().await?)
    }

    async fn register(&mut self, user: UserId, role: Role, display_name: String) -> Result<(), ImportError> {
        self.node.ports.keys.ensure(self.tenant, SubjectId::from(user)).await?;
        let profile = Profile { display_name, avatar_url: None };
        self.ask("-", "registering somebody", StreamKey::User(user), UserCommand::Register { role, anonymous: false, profile }).await?;
        Ok(())
    }

    async fn open(&mut self, plan: &Plan<'_>) -> Result<(), ImportError> {
        let name = &plan.dialogue.conversation_id;
        let key = StreamKey::Chat(plan.chat);
        self.ask(name, "opening the chat", key, ChatCommand::Open { shop: plan.shop, customer: plan.customer }).await?;
        let start = ChatCommand::StartConversation { conversation: plan.conversation, entry: Entry::default() };
        self.ask(name, "starting the conversation", key, start).await?;
        // Opened, handed off and queued by the policies; then the recorded holder gets it.
        self.node.settle().await?;
        if let Some(agent) = plan.agent.filter(|_| plan.dialogue.turns.iter().any(|turn| turn.speaker == Speaker::Agent)) {
            let assign = DeskCommand::AssignRecorded { conversation: plan.conversation, agent };
            self.ask(name, "giving it to its holder", StreamKey::Desk, assign).await?;
            self.node.settle().await?;
        }
        self.imported.conversations += 1;
        Ok(())
    }

    async fn say(&mut self, plan: &Plan<'_>, turn: usize) -> Result<(), ImportError> {
        let spoken = &plan.dialogue.turns[turn];
        let sender = match (spoken.speaker, plan.agent) {
            (Speaker::Customer, _) => plan.customer,
            (Speaker::Agent, Some(agent)) => agent,
            (Speaker::Agent, None) | (Speaker::Action, _) => return Ok(()),
        };
        if spoken.text.is_empty() {
            return Ok(());
        }
        let name = format!("{}/{turn}", plan.dialogue.conversation_id);
        let at = self.clock.now();
        let content = MessageContent::text(spoken.text.clone());
        let post = PostMessage {
            sender,
            client_message: ClientMessageId::from_uuid(self.node.ports.ids.uuid_v7(at)),
            message: MessageId::from_uuid(derived(self.tenant, "message", &name)),
            fresh_conversation: plan.conversation,
            digest: ContentDigest(0),
            content,
            origin: Origin::Human,
            persona: if sender == plan.customer { Persona::Oneself } else { Persona::Shop },
            visibility: Visibility::All,
            style: Style::Normal,
            kind: Kind::Text,
            quoted: Quoted::Nothing,
            attached: Attached::Nothing,
            assignment: None,
            reopen_window: Limits::default().reopen_window,
            as_participant: Category::Customer,
        };
        let command = ChatCommand::Post(Box::new(post));
        self.ask(&plan.dialogue.conversation_id, "posting a message", StreamKey::Chat(plan.chat), command).await?;
        self.imported.messages += 1;
        Ok(())
    }

    async fn end(&mut self, plan: &Plan<'_>) -> Result<(), ImportError> {
        let name = &plan.dialogue.conversation_id;
        let key = StreamKey::Conversation(plan.conversation);
        let served = plan.dialogue.turns.iter().any(|turn| turn.speaker == Speaker::Agent);
        if let Some(score) = plan.dialogue.score().filter(|_| served) {
            let rate = ConversationCommand::Rate(Rating {
                by: plan.customer,
                score,
                tags: vec![],
                choices: vec![],
                solved: None,
                comment: String::new(),
            });
            self.ask(name, "rating", key, rate).await?;
            self.imported.ratings += 1;
        }
        let by = match (plan.dialogue.completion, plan.agent) {
            (Completion::Complete, Some(agent)) if served => Closer::Agent(agent),
            (Completion::Complete | Completion::Disconnect, _) => Closer::Customer(plan.customer),
        };
        self.ask(name, "ending it", key, ConversationCommand::Close { by, seen_seq: u64::MAX, label: None }).await?;
        self.node.settle().await.map_err(ImportError::from)
    }
}
