//! A left message is a ticket.

use super::*;
use crate::conversation::error::ConversationError;
use crate::conversation::event::{TicketChanged, TicketRemark};
use crate::conversation::ticket::{TICKET_CHANGES_MAX, Ticket, TicketChange, TicketState};
use crate::remark::Remark;
use crate::time::Timestamp;
use crate::user::describe::Edit;

const TOMORROW: Timestamp = Timestamp(86_400_000);

fn left() -> Given<Conversation> {
    waiting().and([MessageLeft { chat: CHAT }.into()])
}

fn nothing() -> TicketChange {
    TicketChange { by: SUPERVISOR, state: None, owner: Edit::Keep, due_at: Edit::Keep, remark: None }
}

fn change(change: TicketChange) -> ConversationCommand {
    ConversationCommand::ChangeTicket(change)
}

fn remark(text: &str) -> Remark {
    text.parse().unwrap()
}

fn changed(ticket: Ticket, remark: Option<Remark>) -> ConversationEvent {
    let Ticket { state, owner, due_at } = ticket;
    TicketChanged { chat: CHAT, by: SUPERVISOR, state, owner, due_at, private: Private::Known(TicketRemark { remark }) }.into()
}

#[track_caller]
fn is(given: &Given<Conversation>, state: TicketState, owner: Option<UserId>) {
    assert_eq!(given.state().session().unwrap().ticket, Some(Ticket { state, owner, due_at: None }));
}

#[test]
fn a_left_message_has_an_owner_a_state_a_due_time_and_remarks() {
    let first = Ticket { state: TicketState::InProgress, owner: Some(ALICE), due_at: Some(TOMORROW) };
    let begin = TicketChange {
        state: Some(TicketState::InProgress),
        owner: Edit::Set(ALICE),
        due_at: Edit::Set(TOMORROW),
        remark: Some(remark("ask the warehouse")),
        ..nothing()
    };
    left()
        .when(change(begin))
        .then([changed(first, Some(remark("ask the warehouse")))])
        .when(change(TicketChange { state: Some(TicketState::InProgress), ..nothing() }))
        .then_nothing()
        .when(change(TicketChange { remark: Some(remark("they answer tomorrow")), ..nothing() }))
        .then([changed(first, Some(remark("they answer tomorrow")))])
        .when(change(TicketChange { owner: Edit::Clear, due_at: Edit::Clear, ..nothing() }))
        .then([changed(Ticket { owner: None, due_at: None, ..first }, None)]);
}

#[test]
fn there_is_no_ticket_where_nobody_left_a_message() {
    for stage in [in_reception(), waiting(), alice_serves()] {
        stage.when(change(nothing())).then_refused(ConversationError::NoTicket);
    }
    given([]).when(change(nothing())).then_refused(ConversationError::NotOpened);
}

#[test]
fn a_message_left_at_the_hand_off_is_one_too() {
    let ConversationEvent::HandedOff(handed) = handed_off(PROBLEM, sales()) else { unreachable!() };
    let left = in_reception().and([HandedOff { left_message: true, ..handed }.into()]);
    is(&left, TicketState::Open, None);
}

#[test]
fn who_gets_the_conversation_is_at_it_and_whose_it_is_it_stays() {
    is(&left().and([assigned_to(ALICE, 1)]), TicketState::InProgress, Some(ALICE));
    let bobs = Ticket { state: TicketState::WaitingForCustomer, owner: Some(BOB), due_at: None };
    is(&left().and([changed(bobs, None), assigned_to(ALICE, 1)]), TicketState::WaitingForCustomer, Some(BOB));
}

#[test]
fn what_somebody_ended_is_solved_and_what_ran_out_is_not() {
    let served = || left().and([assigned_to(ALICE, 1)]);
    is(&served().and([closed_by_alice()]), TicketState::Solved, Some(ALICE));
    is(&left().and([closed_by_buyer()]), TicketState::Solved, None);
    is(&left().and([closed(CloseReason::Unanswered, Party::System)]), TicketState::Open, None);
}

#[test]
fn a_message_left_again_opens_what_was_solved() {
    let again = left().and([closed_by_buyer(), reopened(Some(sales())), handed_off(PROBLEM, sales()), MessageLeft { chat: CHAT }.into()]);
    is(&again, TicketState::Open, None);
}

#[test]
fn a_ticket_changes_so_often_and_no_more() {
    let said = changed(Ticket::default(), Some(remark("x")));
    let again = || change(TicketChange { remark: Some(remark("x")), ..nothing() });
    left()
        .and(vec![said.clone(); TICKET_CHANGES_MAX - 1])
        .when(again())
        .then([said])
        .when(again())
        .then_refused(ConversationError::TooManyTicketChanges { limit: TICKET_CHANGES_MAX });
}
