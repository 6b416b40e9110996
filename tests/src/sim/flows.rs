//! One of the simulation's tenants follows flows: customers are greeted, some leave messages, agents are chosen in turn. Each notice
//! is said once, whatever is repeated.

use std::collections::BTreeMap;
use std::sync::Arc;

use application::log::stream::{StreamId, StreamKey};
use application::policies::following::{Case, Following};
use application::policies::{Fact, Need, need};
use domain::chat::event::ChatEvent;
use domain::conversation::command::ConversationCommand;
use domain::conversation::event::{ConversationEvent, EntryPage, HumanReason};
use domain::desk::command::DeskCommand;
use domain::event::Event;
use domain::flow::FlowVersion;
use domain::flow::assignment::{AssignmentFlow, ChoiceStep, QueueRules};
use domain::flow::condition::ServiceTime;
use domain::flow::reception::ReceptionFlow;
use domain::ids::{ConversationId, TenantId, UserId};
use domain::message::Origin;
use serde_json::json;

use super::Random;
use crate::recount::{Checked, Placed, ensure};

/// Told apart by their lengths, because a check reads no text.
const WELCOME: &str = "welcome";
const ARRIVAL: &str = "leave a message";
const BUSY: &str = "busy";
const REMINDER: &str = "more?";
/// The shop's account.
const SHOP_ACCOUNT: UserId = UserId::from_u128(0x5);

/// The tenant with flows.
pub(super) fn tenant() -> TenantId {
    "bolt".parse().expect("a slug")
}

/// What a policy finds out about an event.
#[derive(Default)]
pub(super) struct Found {
    pub reception: Option<Following<ReceptionFlow>>,
    pub assignment: Option<Following<AssignmentFlow>>,
}

impl Found {
    pub fn about(fact: &Fact<'_>) -> Self {
        let Need::Flows { reception: wanted, assignment, .. } = need(fact.stream, fact.event) else { return Self::default() };
        if fact.stream.tenant != tenant() {
            return Self::default();
        }
        Self {
            reception: wanted.map(|_| Following { version: version(1), flow: reception().into(), case: case(fact) }),
            assignment: assignment.then(|| Following { version: version(1), flow: Arc::default(), case: case(fact) }),
        }
    }
}

const fn version(version: u32) -> FlowVersion {
    FlowVersion { shop: None, version }
}

fn reception() -> ReceptionFlow {
    let flow = json!({
        "flow": "reception",
        "languages": ["en"],
        "welcome": [{ "say": { "en": WELCOME } }],
        "destinations": { "us": { "group": "main" }, "later": { "group": "main", "then": "leave_message", "say": { "en": ARRIVAL } } },
        "route": [{ "when": { "tier": ["night"] }, "to": "later" }, { "to": "us" }],
        "waiting": { "busy": [{ "after": "20s", "say": { "en": BUSY } }, { "after": "50s", "say": { "en": BUSY } }], "leave_message_after": "3m" },
        "idle": { "remind": { "after": "40s", "say": { "en": REMINDER } }, "close_after": "10m" },
        "robot": [{ "when": { "tag": ["robot"] }, "seat": "faq" }],
        "hand_off": { "unknown_answers": 2 },
        "rating": { "invite": "on_close" }
    });
    serde_json::from_value(flow).expect("a flow")
}

/// The hour is the event's: the same for whoever reacts to it again.
fn case(fact: &Fact<'_>) -> Case {
    let number = fact.meta.id.uuid().as_u128();
    let (at_night, robot) = (number.is_multiple_of(3), number.is_multiple_of(5));
    Case {
        shop: "flagship".parse().expect("a slug"),
        shop_account: SHOP_ACCOUNT,
        entry: EntryPage::Shop,
        asked_for: None,
        tier: at_night.then(|| "night".parse().expect("a label")),
        tags: if robot { vec!["robot".parse().expect("a label")] } else { vec![] },
        language: None,
        service: ServiceTime::Open,
        last_served: None,
        text: None,
        queues: BTreeMap::new(),
        robots: vec![],
    }
}

/// A flow that the desk is told to follow, perhaps one that is older than the one it follows.
pub(super) fn some_flow(random: &mut Random) -> DeskCommand {
    let flow = version(1 + u32::try_from(random.below(5)).expect("small"));
    if random.once_in(4) {
        return DeskCommand::DropFlow { flow };
    }
    let choose = match random.below(4) {
        0 => vec![],
        1 => vec![ChoiceStep::RoundRobin],
        2 => vec![ChoiceStep::Weighted],
        _ => vec![ChoiceStep::LeastLoaded],
    };
    let some = |random: &mut Random, span: &str| random.once_in(2).then(|| span.parse().expect("a span"));
    let default = QueueRules { choose, accept_within: some(random, "30s"), answer_within: some(random, "1m"), ..QueueRules::default() };
    DeskCommand::AdoptFlow { flow, rules: AssignmentFlow { default, ..AssignmentFlow::default() }.into() }
}

/// What a robot does, or a customer who has one.
pub(super) fn robot_order(random: &mut Random) -> ConversationCommand {
    if random.once_in(4) {
        let reason = if random.once_in(2) { HumanReason::Button } else { HumanReason::Keyword };
        return ConversationCommand::WantHuman { reason };
    }
    let article = random.once_in(2).then(|| "FAQ-1".parse().expect("a reference"));
    ConversationCommand::NoteRobotAnswer {
        seq: 1 + random.below(12) as u64,
        confidence: 50,
        known: article.is_some(),
        article,
        unknown_max: Some(2),
    }
}

/// Whoever came in was greeted once, unless it was over before; whoever was told to leave a message waits behind everybody, and the fact
/// says how they came there.
pub(super) fn check(events: &[Placed]) -> Checked {
    let mut said: BTreeMap<(ConversationId, u32), u32> = BTreeMap::new();
    let mut closed: BTreeMap<ConversationId, bool> = BTreeMap::new();
    let mut left: BTreeMap<ConversationId, u32> = BTreeMap::new();
    let mut still_waiting: BTreeMap<ConversationId, u32> = BTreeMap::new();
    let mut reminded: BTreeMap<ConversationId, u32> = BTreeMap::new();
    for Placed { stream: StreamId { tenant: whose, key }, event, .. } in events {
        match (key, event) {
            (_, Event::Chat(ChatEvent::MessagePosted(posted))) if posted.origin == Origin::System => {
                ensure(*whose == tenant(), || "somebody without a flow is told something".to_owned())?;
                let conversation = posted.conversation.ok_or("a notice belongs to a conversation")?;
                *said.entry((conversation, posted.body_bytes)).or_default() += 1;
            }
            (StreamKey::Conversation(id), Event::Conversation(ConversationEvent::ConversationOpened(_))) if *whose == tenant() => {
                closed.insert(*id, false);
            }
            (StreamKey::Conversation(id), Event::Conversation(ConversationEvent::ConversationClosed(_))) if *whose == tenant() => {
                closed.insert(*id, true);
            }
            (StreamKey::Conversation(id), Event::Conversation(ConversationEvent::HandedOff(handed))) => {
                ensure(handed.route.is_some() == (*whose == tenant()), || format!("{id}: handed off by {:?}", handed.route))?;
                if handed.left_message {
                    *left.entry(*id).or_default() += 1;
                }
            }
            (StreamKey::Conversation(id), Event::Conversation(ConversationEvent::StillWaiting(_))) => {
                *still_waiting.entry(*id).or_default() += 1;
            }
            (_, Event::Chat(ChatEvent::IdleReminded(event))) if *whose == tenant() => {
                *reminded.entry(event.conversation).or_default() += 1;
            }
            _ => {}
        }
    }
    let times = |conversation, words: &str| said.get(&(conversation, u32::try_from(words.len()).unwrap_or(0))).copied().unwrap_or(0);
    for (conversation, was_closed) in closed {
        let (welcomes, arrivals) = (times(conversation, WELCOME), times(conversation, ARRIVAL));
        let told_to_leave = left.get(&conversation).copied().unwrap_or(0);
        ensure(welcomes <= 1 && (welcomes == 1 || was_closed), || format!("{conversation}: greeted {welcomes} times"))?;
        for (words, facts) in [(BUSY, &still_waiting), (REMINDER, &reminded)] {
            let (told, facts) = (times(conversation, words), facts.get(&conversation).copied().unwrap_or(0));
            ensure(told <= facts && (told == facts || was_closed), || {
                format!("{conversation}: told {told} times `{words}`, of {facts} times when it was due")
            })?;
        }
        ensure(arrivals <= told_to_leave && (arrivals == told_to_leave || was_closed), || {
            format!("{conversation}: told {arrivals} times to leave a message, which was left {told_to_leave} times")
        })?;
    }
    Ok(())
}
