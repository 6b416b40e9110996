//! What follows from a fact: functions from an event to commands. The file name is the rule.
//!
//! A caused command carries an id derived from the event that caused it, so that a replay, a crash or a second node repeats
//! nothing. A policy must not read a clock, wait, or call anybody; whatever it needs is in the event, except where
//! [`PolicyView`] says so.

mod answer_later_what_waited_too_long;
mod ask_for_a_rating_at_the_end;
mod close_a_conversation_that_ran_out;
mod close_what_a_blocked_customer_has;
mod end_the_conversation_everywhere;
mod follow_the_desk;
pub mod following;
mod keep_the_desk_informed_of_agents;
mod let_the_robot_be_asked;
mod notices;
mod open_the_conversation_that_started;
pub mod provider;
mod queue_what_was_handed_off;
mod receive_what_was_opened;
mod replace_the_customer_who_was_merged;
pub mod robot;
mod say_what_the_destination_says;
mod say_what_the_time_calls_for;
mod seat_the_providers;
mod take_back_what_a_provider_does_not_take;
mod take_back_what_timed_out;
mod tell_the_desk_of_its_flow;

use std::sync::Arc;

use domain::conversation::event::ConversationEvent;
use domain::desk::command::DeskCommand;
use domain::event::Event;
use domain::flow::FlowVersion;
use domain::flow::assignment::AssignmentFlow;
use domain::flow::reception::ReceptionFlow;
use domain::ids::{ChatId, CommandId, ConversationId, EventId, TenantId, UserId};
use domain::time::Timestamp;
use uuid::Uuid;

use self::following::Following;
use crate::command::{AnyCommand, Request, caused_command_id};
use crate::log::commit::{Actor, EventMeta};
use crate::log::stream::{StreamId, StreamKey};

/// An event as a policy sees it.
#[derive(Clone, Copy, Debug)]
pub struct Fact<'a> {
    /// The stream it is in.
    pub stream: StreamId,
    /// What surrounds it.
    pub meta: EventMeta,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub event: &'a Event,
}

/// What a policy may look up. It is asked only after the read models have reached the event, and answers about that event.
pub trait PolicyView {
    /// The chats a user is a member of.
    fn chats_of(&self, tenant: TenantId, user: UserId) -> Vec<ChatId>;
    /// The conversations that a customer has open.
    fn open_conversations_of(&self, tenant: TenantId, user: UserId) -> Vec<ConversationId>;
    /// The reception flow that the event's conversation follows, if its shop has one.
    fn reception(&self) -> Option<&Following<ReceptionFlow>>;
    /// The assignment flow that the event's conversation follows, if its shop has one.
    fn assignment(&self) -> Option<&Following<AssignmentFlow>>;
    /// The assignment flow that the event published, if it says anything.
    fn published(&self) -> Option<&Arc<AssignmentFlow>>;
}

/// What must be looked up before a fact is reacted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing.
    Nothing,
    /// What the read models know.
    Views,
    /// Flows, and what is known of the event's conversation.
    Flows {
        /// Which conversation.
        conversation: ConversationId,
        /// The reception flow.
        reception: Option<Wanted>,
        /// The assignment flow that is in force.
        assignment: bool,
    },
    /// The document that the event published.
    Document,
}

/// Which version of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The one in force.
    InForce,
    /// This one.
    Version(FlowVersion),
}

/// A command that a fact causes.
#[derive(Clone, Debug, PartialEq)]
pub struct Caused {
    /// To which aggregate of the same tenant.
    pub to: StreamKey,
    /// What.
    pub command: AnyCommand,
}

impl Caused {
    fn new(to: StreamKey, command: impl Into<AnyCommand>) -> Self {
        Self { to, command: command.into() }
    }
}

/// What reacting to this event needs.
#[must_use]
pub fn need(stream: StreamId, event: &Event) -> Need {
    if let Some((conversation, wanted)) = say_what_the_time_calls_for::needs_flow(stream, event) {
        return Need::Flows { conversation, reception: Some(wanted), assignment: false };
    }
    match (event, stream.key) {
        (Event::Conversation(event), StreamKey::Conversation(conversation)) => needs_flows(conversation, event),
        (event, _) => needs_views(event),
    }
}

fn needs_views(event: &Event) -> Need {
    match event {
        Event::Tenant(event) if tell_the_desk_of_its_flow::needs_document(event) => Need::Document,
        event if replace_the_customer_who_was_merged::needs_view(event) || close_what_a_blocked_customer_has::needs_view(event) => {
            Need::Views
        }
        Event::Chat(_)
        | Event::Conversation(_)
        | Event::User(_)
        | Event::Desk(_)
        | Event::Tenant(_)
        | Event::Campaign(_)
        | Event::Retrieval(_) => Need::Nothing,
    }
}

fn needs_flows(conversation: ConversationId, event: &ConversationEvent) -> Need {
    let in_force = receive_what_was_opened::needs_flow(event) || ask_for_a_rating_at_the_end::needs_flow(event);
    let routed_by = say_what_the_destination_says::needs_flow(event).map(Wanted::Version);
    let reception = in_force.then_some(Wanted::InForce).or(routed_by);
    let assignment = queue_what_was_handed_off::needs_flow(event);
    if reception.is_some() || assignment { Need::Flows { conversation, reception, assignment } } else { Need::Nothing }
}

/// Every command that a fact causes, in order.
#[must_use]
pub fn react(fact: &Fact<'_>, view: &dyn PolicyView) -> Vec<Request> {
    let mut caused = Vec::new();
    match fact.event {
        Event::Chat(event) => {
            if let StreamKey::Chat(chat) = fact.stream.key {
                open_the_conversation_that_started::react(chat, event, &mut caused);
                close_a_conversation_that_ran_out::react(event, &mut caused);
                replace_the_customer_who_was_merged::react_to_chat(event, &mut caused);
                answer_later_what_waited_too_long::react_to_chat(event, &mut caused);
                take_back_what_timed_out::react(event, &mut caused);
            }
        }
        Event::Conversation(event) => {
            if let StreamKey::Conversation(conversation) = fact.stream.key {
                receive_what_was_opened::react(fact, conversation, event, view, &mut caused);
                queue_what_was_handed_off::react(conversation, event, fact.at, view, &mut caused);
                end_the_conversation_everywhere::react(conversation, event, &mut caused);
                answer_later_what_waited_too_long::react(conversation, event, &mut caused);
                let_the_robot_be_asked::react(conversation, event, &mut caused);
                seat_the_providers::react_to_answer(event, &mut caused);
                take_back_what_a_provider_does_not_take::react(conversation, event, &mut caused);
                // Last, so that the ids of what is certain do not depend on a flow.
                ask_for_a_rating_at_the_end::react(fact, conversation, event, view, &mut caused);
                say_what_the_destination_says::react(fact, conversation, event, view, &mut caused);
            }
        }
        Event::User(event) => {
            if let StreamKey::User(user) = fact.stream.key {
                keep_the_desk_informed_of_agents::react(user, event, &mut caused);
                replace_the_customer_who_was_merged::react(fact.stream.tenant, user, event, view, &mut caused);
                close_what_a_blocked_customer_has::react(fact.stream.tenant, user, event, view, &mut caused);
            }
        }
        Event::Desk(event) => follow_the_desk::react(event, &mut caused),
        Event::Tenant(event) => {
            tell_the_desk_of_its_flow::react(event, view, &mut caused);
            seat_the_providers::react(event, &mut caused);
        }
        Event::Campaign(_) | Event::Retrieval(_) => {}
    }
    say_what_the_time_calls_for::react(fact, view, &mut caused);
    caused.into_iter().zip(0..).map(|(caused, nth)| request(fact, caused, nth)).collect()
}

fn request(fact: &Fact<'_>, caused: Caused, nth: u32) -> Request {
    let stream = StreamId::new(fact.stream.tenant, caused.to);
    Request {
        stream,
        command: caused.command,
        id: caused_command_id(fact.meta.id, &stream, nth),
        digest: 0,
        actor: Actor::Policy,
        correlation: fact.meta.correlation,
        causation: fact.meta.id.uuid(),
    }
}

/// The order that takes a conversation from the desk again that ended before it came there.
#[must_use]
pub fn release_after(enqueue: &Request, conversation: ConversationId) -> Request {
    Request {
        command: DeskCommand::Release { conversation }.into(),
        id: CommandId::from_uuid(Uuid::new_v5(&enqueue.id.uuid(), b"release")),
        ..enqueue.clone()
    }
}

/// An id derived from the event that calls for it.
fn derived(cause: EventId, what: &str) -> Uuid {
    Uuid::new_v5(&cause.uuid(), what.as_bytes())
}
