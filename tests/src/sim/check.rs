//! What must hold when the world has come to rest, checked on the raw log.

use std::collections::{BTreeMap, BTreeSet};

use application::log::commit::{self, ChainHash};
use application::log::stream::{StreamId, StreamKey};
use application::ports::event_log::CommitPosition;
use domain::chat::Chat;
use domain::chat::event::ChatEvent;
use domain::chat::state::{ChatState, Session};
use domain::conversation::Conversation;
use domain::conversation::state::{ConversationState, Stage};
use domain::decider::Decider;
use domain::desk::Desk;
use domain::desk::choose::choose;
use domain::desk::event::DeskEvent;
use domain::desk::state::DeskState;
use domain::event::Event;
use domain::ids::{ClientMessageId, ConversationId, TenantId};
use domain::time::Timestamp;

use super::instance::Shared;
use super::world::World;
use super::{feeds, flows, outreach, rehearsals, threads};
use crate::recount::{Checked, Placed, ensure, placed};

/// Every event in the log, oldest first.
#[must_use]
pub fn events_of(shared: &Shared) -> Vec<Placed> {
    placed(&shared.log.core().read_shard(CommitPosition(0), usize::MAX).expect("the simulated log is whole"))
}

/// Prints everything in the log.
pub fn trace(world: &World) {
    for stored in world.commits() {
        let header = commit::header(&stored.bytes).expect("our own commit");
        for raw in commit::events(&stored.bytes).expect("our own commit") {
            let raw = raw.expect("our own commit");
            let clear = String::from_utf8_lossy(raw.clear);
            eprintln!(
                "{:5} e{} {:?} {} v{} {} {clear} by {:?} command {} cause {}",
                stored.position.0,
                header.epoch,
                header.time,
                header.stream,
                header.first_version,
                raw.name,
                raw.meta.actor,
                raw.meta.command,
                raw.meta.causation
            );
        }
    }
}

/// Every invariant; the first that is broken.
///
/// # Errors
/// What is broken.
pub fn check(world: &World) -> Checked {
    chains(world)?;
    let events = events_of(&world.shared);
    messages(world, &events)?;
    threads::check(&events)?;
    feeds::check(world, &events)?;
    flows::check(&events)?;
    outreach::check(&events)?;
    let mut desks = BTreeMap::new();
    for tenant in world.clients.tenants() {
        desks.insert(tenant, desk(tenant, &events)?);
        rehearsals::check(world, tenant)?;
    }
    agreement(&desks, &events)
}

fn chains(world: &World) -> Checked {
    let mut streams: BTreeMap<StreamId, (u64, ChainHash, Timestamp)> = BTreeMap::new();
    for stored in world.commits() {
        let header = commit::check(&stored.bytes).map_err(|error| format!("commit {}: {error}", stored.position.0))?;
        let (version, chain, time) = streams.get(&header.stream).copied().unwrap_or_default();
        ensure(header.first_version == version + 1, || format!("{}: version {} after {version}", header.stream, header.first_version))?;
        ensure(header.previous == chain, || format!("{}: the chain breaks at version {}", header.stream, header.first_version))?;
        ensure(header.time >= time, || format!("{}: time runs backwards", header.stream))?;
        streams.insert(header.stream, (header.last_version(), ChainHash::of(&stored.bytes), header.time));
    }
    Ok(())
}

fn messages(world: &World, events: &[Placed]) -> Checked {
    let mut posted: BTreeMap<ClientMessageId, (u64, domain::ids::MessageId)> = BTreeMap::new();
    for Placed { stream, event, .. } in events {
        if let Event::Chat(ChatEvent::MessagePosted(message)) = event {
            let before = posted.insert(message.client_message, (message.seq, message.message));
            ensure(before.is_none(), || format!("{stream}: client id {} was posted twice", message.client_message))?;
        }
    }
    for (client_message, acknowledged) in &world.acknowledged {
        let stored = posted.get(client_message);
        ensure(stored == Some(&(acknowledged.seq, acknowledged.message)), || {
            format!("{client_message} was acknowledged at {} and is {stored:?}", acknowledged.seq)
        })?;
    }
    Ok(())
}

/// Folds a desk and checks every decision where it was made.
fn desk(tenant: TenantId, events: &[Placed]) -> Result<DeskState, String> {
    let mut state = DeskState::default();
    for Placed { event, time: at, .. } in events.iter().filter(|placed| placed.stream == StreamId::new(tenant, StreamKey::Desk)) {
        let Event::Desk(event) = event else { continue };
        if let DeskEvent::ConversationAssigned(assigned) = event {
            ensure(assigned.decision.desk_version == state.version, || "a decision names another desk".to_owned())?;
            ensure(assigned.assignment == state.last_assignment + 1, || "assignment numbers have a gap".to_owned())?;
            let agent = state.agents.get(&assigned.agent).cloned().unwrap_or_default();
            ensure(agent.load() < agent.capacity, || format!("assigned above the capacity of {}", assigned.agent))?;
            let ticket = state.tickets.get(&assigned.conversation).ok_or("assigned without a ticket")?;
            if assigned.decision.rule.is_chosen() {
                let choice = choose(&state, assigned.conversation, ticket).map(|choice| (choice.agent, choice.rule));
                let stored = (assigned.agent, assigned.decision.rule);
                ensure(choice == Some(stored), || format!("recomputed winner {choice:?}, stored {stored:?}"))?;
            }
        }
        Desk::evolve(&mut state, event, *at);
    }
    for (conversation, ticket) in &state.tickets {
        let free = state
            .agents
            .values()
            .any(|agent| agent.has_free_slot() && agent.groups.contains(&ticket.group) && !agent.passed.contains(conversation));
        ensure(ticket.owner.is_some() || !free, || format!("{conversation} waits while an agent is free"))?;
    }
    Ok(state)
}

/// Chats and conversations follow the desk.
fn agreement(desks: &BTreeMap<TenantId, DeskState>, events: &[Placed]) -> Checked {
    let mut chats: BTreeMap<StreamId, ChatState> = BTreeMap::new();
    let mut conversations: BTreeMap<(TenantId, ConversationId), ConversationState> = BTreeMap::new();
    for Placed { stream, event, time: at, .. } in events {
        match (stream.key, event) {
            (StreamKey::Chat(_), Event::Chat(event)) => Chat::evolve(chats.entry(*stream).or_default(), event, *at),
            (StreamKey::Conversation(id), Event::Conversation(event)) => {
                Conversation::evolve(conversations.entry((stream.tenant, id)).or_default(), event, *at);
            }
            _ => {}
        }
    }
    let mut open_in_chats = BTreeSet::new();
    let mut asked = BTreeSet::new();
    for (stream, chat) in &chats {
        let Some(chat) = chat.open().and_then(|chat| chat.service()) else { continue };
        let Some(conversation) = chat.session.conversation() else {
            ensure(chat.serving.is_none(), || format!("{stream}: somebody serves without a conversation"))?;
            continue;
        };
        open_in_chats.insert((stream.tenant, conversation));
        let owner = desks[&stream.tenant].tickets.get(&conversation).and_then(|ticket| ticket.owner);
        let Session::Open { silence, .. } = chat.session else { continue };
        if silence.robot {
            asked.insert((stream.tenant, conversation));
        }
        ensure(chat.serving == owner, || format!("{stream}: serving {:?}, the desk says {owner:?}", chat.serving))?;
    }
    for ((tenant, id), state) in &conversations {
        let ticket = desks[tenant].tickets.get(id);
        match state {
            ConversationState::Unopened => return Err(format!("{id}: has events and was never opened")),
            ConversationState::Closed { .. } => ensure(ticket.is_none(), || format!("{id}: closed, and still at the desk"))?,
            // A robot has it until a human is wanted.
            ConversationState::Open { stage: Stage::Reception, session } if session.robot.is_some() => {
                ensure(ticket.is_none() && asked.remove(&(*tenant, *id)), || format!("{id}: its chat does not ask the robot that has it"))?;
                ensure(open_in_chats.contains(&(*tenant, *id)), || format!("{id}: open, and its chat says otherwise"))?;
            }
            ConversationState::Open { stage, .. } => {
                let owner = ticket.and_then(|ticket| ticket.owner);
                ensure(ticket.is_some(), || format!("{id}: {stage:?}, and not at the desk"))?;
                let stage_owner = match stage {
                    Stage::Serving { agent, assignment } => Some((*agent, *assignment)),
                    Stage::Reception | Stage::Waiting { .. } => None,
                };
                ensure(stage_owner == owner, || format!("{id}: {stage:?}, the desk says {owner:?}"))?;
                ensure(open_in_chats.contains(&(*tenant, *id)), || format!("{id}: open, and its chat says otherwise"))?;
            }
        }
    }
    ensure(asked.is_empty(), || format!("a robot is asked that does not have the conversation: {asked:?}"))?;
    for (tenant, conversation) in &open_in_chats {
        let known = matches!(conversations.get(&(*tenant, *conversation)), Some(ConversationState::Open { .. }));
        ensure(known, || format!("{conversation}: open in its chat, and not itself"))?;
    }
    Ok(())
}
