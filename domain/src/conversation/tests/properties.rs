//! What holds for a conversation under any commands in any order, and for any history.

use proptest::prelude::*;

use super::*;
use crate::conversation::state::{ConversationState, Stage};
use crate::conversation::ticket::{TicketChange, TicketState};
use crate::decider::Decider;
use crate::testing::{NOW, assert_survives_a_snapshot};
use crate::user::describe::Edit;

/// Where a conversation stands, for the table below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Nowhere,
    Reception,
    Waiting,
    Serving,
    Closed,
}

fn stage_of(state: &ConversationState) -> At {
    match state {
        ConversationState::Unopened => At::Nowhere,
        ConversationState::Open { stage: Stage::Reception, .. } => At::Reception,
        ConversationState::Open { stage: Stage::Waiting { .. }, .. } => At::Waiting,
        ConversationState::Open { stage: Stage::Serving { .. }, .. } => At::Serving,
        ConversationState::Closed { .. } => At::Closed,
    }
}

/// Every step that a conversation may take: what happened, from where, to where. Anything else is illegal.
const LEGAL: &[(&str, At, At)] = &[
    ("conversation.opened", At::Nowhere, At::Reception),
    ("conversation.handed_off", At::Reception, At::Waiting),
    // A desk may give what was never handed off: a recorded holder, or a decision that crossed a reopening.
    ("conversation.agent_assigned", At::Reception, At::Serving),
    ("conversation.agent_assigned", At::Waiting, At::Serving),
    ("conversation.agent_assigned", At::Serving, At::Serving),
    ("conversation.agent_released", At::Serving, At::Waiting),
    // Nobody had asked for a group, so there is no queue to return to.
    ("conversation.agent_released", At::Serving, At::Reception),
    ("conversation.robot_engaged", At::Reception, At::Reception),
    ("conversation.robot_answered", At::Reception, At::Reception),
    ("conversation.human_wanted", At::Reception, At::Reception),
    ("conversation.still_waiting", At::Waiting, At::Waiting),
    ("conversation.message_left", At::Waiting, At::Waiting),
    ("conversation.message_left", At::Serving, At::Serving),
    ("conversation.moved", At::Waiting, At::Waiting),
    ("conversation.closed", At::Reception, At::Closed),
    ("conversation.closed", At::Waiting, At::Closed),
    ("conversation.closed", At::Serving, At::Closed),
    ("conversation.reopened", At::Closed, At::Reception),
];

/// What may happen at any stage after the opening, and moves nothing.
const STAYS: &[&str] = &[
    "conversation.rating_invited",
    "conversation.rated",
    "conversation.answer_rated",
    "conversation.ticket_changed",
    "conversation.customer_replaced",
];

fn is_legal(name: &str, from: At, to: At) -> bool {
    LEGAL.contains(&(name, from, to)) || (STAYS.contains(&name) && from == to && from != At::Nowhere)
}

fn person() -> impl Strategy<Value = UserId> {
    prop_oneof![4 => Just(BUYER), 3 => Just(ALICE), 2 => Just(BOB), 1 => Just(SIGNED_IN_BUYER), 1 => Just(STRANGER)]
}

fn group() -> impl Strategy<Value = GroupId> {
    prop_oneof![Just(sales()), Just(complaints())]
}

fn closer() -> impl Strategy<Value = Closer> {
    prop_oneof![
        person().prop_map(Closer::Customer),
        person().prop_map(Closer::Leaving),
        person().prop_map(Closer::Agent),
        person().prop_map(Closer::Supervisor),
        Just(Closer::Expiry),
        Just(Closer::Unanswered),
        Just(Closer::Block),
    ]
}

fn task() -> impl Strategy<Value = TaskId> {
    (50_u128..60).prop_map(TaskId::from_u128)
}

fn change_ticket(owner: UserId, state: usize) -> ConversationCommand {
    let state = [TicketState::Open, TicketState::InProgress, TicketState::WaitingForCustomer, TicketState::Solved][state];
    let (owner, due_at) = (Edit::Set(owner), Edit::Keep);
    ConversationCommand::ChangeTicket(TicketChange { by: SUPERVISOR, state: Some(state), owner, due_at, remark: None })
}

fn command() -> impl Strategy<Value = ConversationCommand> {
    prop_oneof![
        2 => person().prop_map(|customer| ConversationCommand::Open { chat: CHAT, shop: shop(), customer, entry: Entry::default() }),
        4 => (task(), group()).prop_map(|(task, group)| hand_off(task, group)),
        6 => (person(), 1_u64..30).prop_map(|(agent, assignment)| follow_assignment(agent, assignment)),
        4 => (1_u64..30).prop_map(follow_release),
        2 => (0_u32..4).prop_map(|notice| ConversationCommand::TellToWait { notice }),
        2 => Just(engage_robot()),
        3 => (0_u64..9, any::<bool>()).prop_map(|(seq, known)| robot_answer(seq, known)),
        1 => Just(ConversationCommand::WantHuman { reason: HumanReason::Button }),
        2 => Just(ConversationCommand::LeaveMessage),
        2 => (person(), 0_usize..4).prop_map(|(owner, state)| change_ticket(owner, state)),
        2 => group().prop_map(|group| ConversationCommand::FollowMove { group }),
        2 => Just(invite()),
        3 => (person(), 0_u8..7).prop_map(|(by, score)| rate(by, score)),
        3 => (person(), prop::option::of(0_u64..9), 0_u8..7).prop_map(|(by, seq, score)| rate_answer(by, seq, score)),
        3 => closer().prop_map(close),
        3 => Just(ConversationCommand::Reopen),
        1 => (person(), person()).prop_map(|(from, into)| replace(from, into)),
    ]
}

/// What the events alone tell, beside the stage.
#[derive(Default)]
struct Witness {
    task: Option<TaskId>,
    last_assignment: u64,
    last_agent: Option<UserId>,
    rated: Vec<u64>,
    answers_rated: Vec<u64>,
    left: bool,
}

impl Witness {
    fn see(&mut self, event: &ConversationEvent) {
        match event {
            ConversationEvent::HandedOff(handed) => {
                assert!(self.task.is_none_or(|task| task == handed.task), "a problem keeps its id until an agent ends it");
                self.task = Some(handed.task);
            }
            ConversationEvent::AgentAssigned(assigned) => {
                assert!(assigned.assignment > self.last_assignment, "assignments only grow");
                self.last_assignment = assigned.assignment;
                self.last_agent = Some(assigned.agent);
            }
            ConversationEvent::AgentReleased(released) => {
                assert_eq!((Some(released.agent), released.assignment), (self.last_agent, self.last_assignment));
            }
            ConversationEvent::AnswerRated(rated) => {
                assert!((1..=5).contains(&rated.score) && !self.answers_rated.contains(&rated.seq), "each answer is rated once");
                self.answers_rated.push(rated.seq);
            }
            ConversationEvent::ConversationRated(rated) => {
                assert_eq!(Some(rated.agent), self.last_agent, "the last one who served is rated");
                assert!((1..=5).contains(&rated.score) && !self.rated.contains(&self.last_assignment), "each service is rated once");
                self.rated.push(self.last_assignment);
            }
            ConversationEvent::TicketChanged(_) => assert!(self.left, "only a left message is a ticket"),
            ConversationEvent::MessageLeft(_) => self.left = true,
            ConversationEvent::ConversationClosed(closed) => {
                if closed.reason == CloseReason::EndedByAgent {
                    assert_eq!(closed.by, Party::User(self.last_agent.unwrap()), "only the serving agent ends it");
                    self.task = None;
                }
                assert!(closed.reason != CloseReason::Abandoned || self.last_agent.is_none(), "who was served has not abandoned it");
            }
            ConversationEvent::RatingInvited(_) => assert!(self.last_agent.is_some() && !self.rated.contains(&self.last_assignment)),
            ConversationEvent::ConversationOpened(_)
            | ConversationEvent::ConversationReopened(_)
            | ConversationEvent::HandOffRefused(_)
            | ConversationEvent::RobotEngaged(_)
            | ConversationEvent::RobotAnswered(_)
            | ConversationEvent::HumanWanted(_)
            | ConversationEvent::StillWaiting(_)
            | ConversationEvent::ProviderAnswered(_)
            | ConversationEvent::ConversationMoved(_)
            | ConversationEvent::CustomerReplaced(_) => {}
        }
    }
}

fn any_event() -> impl Strategy<Value = ConversationEvent> {
    prop_oneof![
        1 => Just(opened()),
        2 => (task(), group()).prop_map(|(task, group)| handed_off(task, group)),
        3 => (person(), any::<u64>()).prop_map(|(agent, assignment)| assigned_to(agent, assignment)),
        2 => (person(), any::<u64>()).prop_map(|(agent, assignment)| released(agent, assignment)),
        1 => Just(invited()),
        1 => (person(), any::<u8>()).prop_map(|(agent, score)| rated(agent, score)),
        2 => Just(closed_by_alice()),
        1 => Just(closed_by_buyer()),
        2 => proptest::option::of(group()).prop_map(reopened),
        1 => person().prop_map(replaced),
    ]
}

proptest! {
    #[test]
    fn a_conversation_takes_only_legal_steps(commands in proptest::collection::vec(command(), 1..80), opens in any::<bool>()) {
        let mut state = ConversationState::default();
        let mut witness = Witness::default();
        let story = opens.then(open).into_iter().chain(commands);
        for command in story {
            for event in Conversation::decide(&command, &state, NOW).unwrap_or_default() {
                let from = stage_of(&state);
                Conversation::evolve(&mut state, &event, NOW);
                let (name, to) = (event.event_type().name, stage_of(&state));
                prop_assert!(is_legal(name, from, to), "{name} from {from:?} to {to:?}");
                witness.see(&event);
            }
            // Every command but a rating is already true once it was carried out.
            let again = Conversation::decide(&command, &state, NOW);
            prop_assert!(again.is_err() || again == Ok(vec![]), "{command:?} again gives {again:?}");
        }
        assert_survives_a_snapshot(&state);
    }

    #[test]
    fn any_history_is_taken_in_and_kept(history in proptest::collection::vec(any_event(), 0..60)) {
        let mut state = ConversationState::default();
        for event in history {
            Conversation::evolve(&mut state, &event, NOW);
        }
        assert_survives_a_snapshot(&state);
    }
}
