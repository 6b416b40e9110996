//! A desk as large as a big tenant's: counted, and timed for the reader only.

use std::time::Instant;

use crate::decider::Decider;
use crate::desk::Desk;
use crate::desk::command::{AgentChange, DeskCommand, Service};
use crate::desk::event::DeskEvent;
use crate::desk::state::DeskState;
use crate::ids::{ChatId, ConversationId, GroupId, UserId};
use crate::testing::NOW;
use crate::time::Millis;

fn follow(state: &mut DeskState, command: &DeskCommand) -> usize {
    let events = Desk::decide(command, state, NOW).unwrap();
    for event in &events {
        Desk::evolve(state, event, NOW);
    }
    events.iter().filter(|event| matches!(event, DeskEvent::ConversationAssigned(_))).count()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the elapsed time is printed, never asserted")]
fn ten_thousand_waiting_conversations_are_given_to_two_thousand_agents_once_each() {
    let mut state = DeskState::default();
    let group: GroupId = "sales".parse().unwrap();
    let t = Instant::now();
    for n in 0..2000u128 {
        let agent = UserId::from_u128(n);
        for change in [AgentChange::Groups(vec![group]), AgentChange::Online(true), AgentChange::Capacity(5)] {
            follow(&mut state, &DeskCommand::UpdateAgent { agent, change });
        }
    }
    println!("agents {:?}", t.elapsed());
    let t = Instant::now();
    for n in 0..10_000u128 {
        follow(
            &mut state,
            &DeskCommand::Enqueue {
                conversation: ConversationId::from_u128(n),
                chat: ChatId::from_u128(n),
                group,
                priority: 0,
                enqueued_at: NOW + Millis(n as i64),
            },
        );
    }
    println!("queued {:?}", t.elapsed());
    let t = Instant::now();
    let mut assigned = 0;
    for n in 0..2000u128 {
        assigned +=
            follow(&mut state, &DeskCommand::UpdateAgent { agent: UserId::from_u128(n), change: AgentChange::Service(Service::Started) });
    }
    println!("drained {assigned} {:?}", t.elapsed());
    assert_eq!(assigned, 10_000);
}
