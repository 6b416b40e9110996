//! A desk as large as a big tenant's: assignments are counted; the time is printed for the reader and never asserted.

use std::time::Instant;

use super::*;
use crate::desk::state::DeskState;

const AGENTS: u128 = 2_000;
const WAITING: u128 = 10_000;

/// Carries the commands out one after the other, and counts the assignments they lead to.
#[expect(clippy::disallowed_methods, reason = "the elapsed time is printed, never asserted")]
fn count_assignments(what: &str, desk: &mut DeskState, commands: impl IntoIterator<Item = DeskCommand>) -> usize {
    let began = Instant::now();
    let (mut carried_out, mut assignments) = (0_u32, 0);
    for command in commands {
        let events = Desk::decide(&command, desk, NOW).unwrap();
        for event in &events {
            Desk::evolve(desk, event, NOW);
        }
        assignments += events.iter().filter(|event| matches!(event, DeskEvent::ConversationAssigned(_))).count();
        carried_out += 1;
    }
    println!("{what}: {assignments} assignments of {carried_out} commands in {:?}", began.elapsed());
    assignments
}

/// Agents of one group who could serve everything that will wait, as soon as their service starts.
fn agents_at_the_door() -> DeskState {
    let mut desk = DeskState::default();
    for number in 1..=AGENTS {
        let agent = on_duty(UserId::from_u128(number), 5, [sales()]);
        Desk::evolve(&mut desk, &AgentUpdated { on_service: false, ..agent }.into(), NOW);
    }
    desk
}

fn everybody_waits() -> impl Iterator<Item = DeskCommand> {
    (1..=WAITING).map(|number| enqueue(number, sales()))
}

#[test]
fn ten_thousand_who_wait_are_given_to_two_thousand_agents_as_these_come() {
    let mut desk = agents_at_the_door();
    assert_eq!(count_assignments("queued", &mut desk, everybody_waits()), 0);
    let come = (1..=AGENTS).map(|number| start(UserId::from_u128(number)));
    assert_eq!(count_assignments("agents come", &mut desk, come), 10_000);
    assert_eq!((desk.last_assignment, desk.queue(sales()).len()), (10_000, 0));
}

#[test]
fn ten_thousand_who_come_find_two_thousand_free_agents() {
    let mut desk = agents_at_the_door();
    let come = (1..=AGENTS).map(|number| start(UserId::from_u128(number)));
    assert_eq!(count_assignments("agents ready", &mut desk, come), 0);
    assert_eq!(count_assignments("arrivals", &mut desk, everybody_waits()), 10_000);
    assert!(desk.agents.values().all(|agent| agent.load() == 5), "the load is even");
}

#[test]
fn one_decision_drains_ten_thousand() {
    let mut desk = agents_at_the_door();
    assert_eq!(count_assignments("queued", &mut desk, everybody_waits()), 0);
    let huge = update(ALICE, AgentChange::Capacity(20_000));
    assert_eq!(count_assignments("capacity", &mut desk, [huge]), 0);
    assert_eq!(count_assignments("one decision", &mut desk, [start(ALICE)]), 10_000);
}
