//! What is opened or reopened is received as the shop's flow says: greeted, and given to a robot or sent where the first rule that holds
//! leads to; and so is whoever is to have a human after all. Without a flow it goes to the humans at once, to the group that was asked
//! for.

use domain::chat::command::{ChatCommand, Speaker};
use domain::chat::event::IdleLimitsSet;
use domain::conversation::command::ConversationCommand;
use domain::conversation::event::{ConversationEvent, Patience};
use domain::flow::RouteTaken;
use domain::flow::condition::{Circumstances, ServiceTime};
use domain::flow::reception::{Arrival, Destination, ReceptionFlow};
use domain::flow::words::Span;
use domain::ids::{ChatId, ConversationId, GroupId, TaskId};
use domain::tenant::flows::default_group;

use super::following::{Case, Following};
use super::notices::{self, Said};
use super::{Caused, Fact, PolicyView, derived};
use crate::log::stream::StreamKey;

pub(super) fn needs_flow(event: &ConversationEvent) -> bool {
    opened(event).is_some()
}

/// What begins here.
struct Opened {
    chat: ChatId,
    asked_for: Option<GroupId>,
    /// Whether it is new: who comes back was greeted before.
    is_new: bool,
    /// Whether a robot may receive: who had a human, or wants one, gets one.
    robot: bool,
}

fn opened(event: &ConversationEvent) -> Option<Opened> {
    match event {
        ConversationEvent::ConversationOpened(opened) => {
            Some(Opened { chat: opened.chat, asked_for: opened.entry.group, is_new: true, robot: true })
        }
        ConversationEvent::ConversationReopened(reopened) => {
            Some(Opened { chat: reopened.chat, asked_for: reopened.group, is_new: false, robot: reopened.group.is_none() })
        }
        ConversationEvent::HumanWanted(wanted) => Some(Opened { chat: wanted.chat, asked_for: None, is_new: false, robot: false }),
        ConversationEvent::HandedOff(_)
        | ConversationEvent::HandOffRefused(_)
        | ConversationEvent::RobotEngaged(_)
        | ConversationEvent::RobotAnswered(_)
        | ConversationEvent::AnswerRated(_)
        | ConversationEvent::TicketChanged(_)
        | ConversationEvent::StillWaiting(_)
        | ConversationEvent::MessageLeft(_)
        | ConversationEvent::ConversationMoved(_)
        | ConversationEvent::AgentAssigned(_)
        | ConversationEvent::AgentReleased(_)
        | ConversationEvent::ProviderAnswered(_)
        | ConversationEvent::RatingInvited(_)
        | ConversationEvent::ConversationRated(_)
        | ConversationEvent::ConversationClosed(_)
        | ConversationEvent::CustomerReplaced(_) => None,
    }
}

pub(super) fn react(
    fact: &Fact<'_>,
    conversation: ConversationId,
    event: &ConversationEvent,
    view: &dyn PolicyView,
    caused: &mut Vec<Caused>,
) {
    let Some(opened) = opened(event) else { return };
    let task = TaskId::from_uuid(derived(fact.meta.id, "task"));
    let to_conversation = |command| Caused::new(StreamKey::Conversation(conversation), command);
    let Some(following) = view.reception() else {
        let group = opened.asked_for.unwrap_or_else(default_group);
        caused.push(to_conversation(ConversationCommand::HandOff {
            task,
            group,
            left_message: false,
            route: None,
            skills: vec![],
            patience: Patience::default(),
        }));
        return;
    };
    let Following { version, flow, case } = following;
    // First, so that its id is the same whatever is said: whoever reacts again may find another flow.
    let robot = flow.robot(case).filter(|robot| opened.robot && case.has_robot(robot));
    let (route, destination) = routed(flow, *version, case);
    caused.push(to_conversation(match robot {
        Some(robot) => {
            let without_button = !flow.hand_off.button;
            ConversationCommand::EngageRobot { robot: robot.clone(), flow: *version, without_button }
        }
        None => to_humans(flow, case, fact, task, route, destination),
    }));
    if let Some(limits) = idle_limits(flow, conversation) {
        caused.push(Caused::new(StreamKey::Chat(opened.chat), ChatCommand::SetIdleLimits(limits)));
    }
    if let Some(welcome) = flow.welcome(case).filter(|_| opened.is_new)
        && let Some(words) = welcome.say.said_in(case.language(), &flow.languages)
    {
        let hints = welcome.hints.iter().filter_map(|hint| hint.said_in(case.language(), &flow.languages).map(str::to_owned));
        let ext = notices::hints(&hints.collect::<Vec<String>>());
        let said = Said { what: "welcome", words, ext, after_end: false, speaker: Speaker::Flow };
        caused.push(Caused::new(StreamKey::Chat(opened.chat), notices::of(fact, conversation, case.shop_account, &said)));
    }
}

/// The order that brings a conversation to the destination it was routed to.
fn to_humans(
    flow: &ReceptionFlow,
    case: &Case,
    fact: &Fact<'_>,
    task: TaskId,
    route: RouteTaken,
    destination: Option<&Destination>,
) -> ConversationCommand {
    match destination {
        Some(Destination { then: then @ (Arrival::Queue | Arrival::LeaveMessage), group: Some(group), skills, .. }) => {
            let left_message = *then == Arrival::LeaveMessage;
            let patience = if left_message { Patience::default() } else { patience(flow) };
            ConversationCommand::HandOff { task, group: *group, left_message, route: Some(route), skills: skills.clone(), patience }
        }
        Some(Destination { .. }) | None => ConversationCommand::RefuseHandOff { route, opens_at: opens_at(flow, case, fact) },
    }
}

/// What becomes of whoever waits.
fn patience(flow: &ReceptionFlow) -> Patience {
    let busy_after = flow.waiting.busy.iter().map(|notice| notice.after.millis()).collect();
    Patience { busy_after, leave_message_after: flow.waiting.leave_message_after.map(Span::millis) }
}

/// What the flow says of silence, if anything.
fn idle_limits(flow: &ReceptionFlow, conversation: ConversationId) -> Option<IdleLimitsSet> {
    let remind_after = flow.idle.remind.as_ref().map(|remind| remind.after.millis());
    let close_after = flow.idle.close_after.map(Span::millis);
    (remind_after.is_some() || close_after.is_some()).then_some(IdleLimitsSet { conversation, remind_after, close_after })
}

/// Where the flow sends a case, and how it came there.
fn routed<'a>(flow: &'a ReceptionFlow, version: domain::flow::FlowVersion, case: &Case) -> (RouteTaken, Option<&'a Destination>) {
    let Some(routed) = flow.routed(case) else { return (RouteTaken { flow: version, ..RouteTaken::default() }, None) };
    let rule = u32::try_from(routed.rule).unwrap_or(u32::MAX);
    (RouteTaken { flow: version, rule, tried: routed.tried.into_iter().cloned().collect() }, routed.destination)
}

/// When the hours that are over now begin again.
fn opens_at(flow: &ReceptionFlow, case: &Case, fact: &Fact<'_>) -> Option<domain::time::Timestamp> {
    let hours = flow.hours.as_ref().filter(|_| case.service() == ServiceTime::Closed)?;
    hours.next_open(fact.at)
}
