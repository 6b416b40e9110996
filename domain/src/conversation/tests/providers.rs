//! What a provider says of a conversation that it was given.

use super::*;
use crate::conversation::error::ConversationError;
use crate::conversation::event::{ProviderAnswer, ProviderAnswered, ProviderWords};
use crate::remark::Remark;

const FIRST: u64 = 1;

fn words() -> ProviderWords {
    ProviderWords { name: Some("Express".to_owned()), reason: Remark::cut("closed on Sundays") }
}

fn note(agent: UserId, assignment: u64, answer: ProviderAnswer) -> ConversationCommand {
    ConversationCommand::NoteProvider { agent, assignment, answer, words: words() }
}

fn answered(assignment: u64, answer: ProviderAnswer) -> ConversationEvent {
    ProviderAnswered { chat: CHAT, agent: ALICE, assignment, answer, private: Private::Known(words()) }.into()
}

fn given_it_has_it() -> Given<Conversation> {
    let assigned = AgentAssigned { chat: CHAT, agent: ALICE, assignment: FIRST, provider: true };
    given([opened(), handed_off(PROBLEM, sales()), assigned.into()])
}

#[test]
fn it_queues_at_places_that_change_until_it_is_accepted_once() {
    given_it_has_it()
        .when(note(ALICE, FIRST, ProviderAnswer::Queueing(3)))
        .then([answered(FIRST, ProviderAnswer::Queueing(3))])
        .when(note(ALICE, FIRST, ProviderAnswer::Queueing(3)))
        .then_nothing()
        .when(note(ALICE, FIRST, ProviderAnswer::Queueing(1)))
        .then([answered(FIRST, ProviderAnswer::Queueing(1))])
        .when(note(ALICE, FIRST, ProviderAnswer::Accepted))
        .then([answered(FIRST, ProviderAnswer::Accepted)])
        .when(note(ALICE, FIRST, ProviderAnswer::Accepted))
        .then_nothing();
}

#[test]
fn what_comes_late_does_not_take_an_acceptance_back() {
    given_it_has_it().and([answered(FIRST, ProviderAnswer::Accepted)]).when(note(ALICE, FIRST, ProviderAnswer::Queueing(2))).then_nothing();
}

#[test]
fn nobody_speaks_of_what_is_not_theirs() {
    let not_yours = |current| ConversationError::NotYoursAnyMore { current };
    given_it_has_it().when(note(BOB, FIRST, ProviderAnswer::Accepted)).then_refused(not_yours(Some(ALICE)));
    given_it_has_it().when(note(ALICE, 2, ProviderAnswer::Accepted)).then_refused(not_yours(Some(ALICE)));
    given_it_has_it().and([released(ALICE, FIRST)]).when(note(ALICE, FIRST, ProviderAnswer::Accepted)).then_refused(not_yours(None));
    given_it_has_it().and([closed_by_buyer()]).when(note(ALICE, FIRST, ProviderAnswer::Accepted)).then_refused(not_yours(None));
    given([]).when(note(ALICE, FIRST, ProviderAnswer::Accepted)).then_refused(ConversationError::NotOpened);
}

#[test]
fn what_it_does_not_take_is_its_own_no_more_although_nobody_has_taken_it_back() {
    for answer in [ProviderAnswer::Refused, ProviderAnswer::Failed, ProviderAnswer::Resting] {
        let gave_back = || given_it_has_it().when(note(ALICE, FIRST, answer)).then([answered(FIRST, answer)]);
        gave_back().when(note(ALICE, FIRST, ProviderAnswer::Refused)).then_nothing();
        for late in [ProviderAnswer::Accepted, ProviderAnswer::Queueing(1)] {
            gave_back().when(note(ALICE, FIRST, late)).then_refused(ConversationError::NotYoursAnyMore { current: None });
        }
    }
}

#[test]
fn it_may_give_back_what_it_took_but_that_it_could_not_be_told_takes_nothing_from_it() {
    for took in [ProviderAnswer::Accepted, ProviderAnswer::Queueing(2)] {
        let given_it_took_it = || given_it_has_it().and([answered(FIRST, took)]);
        given_it_took_it().when(note(ALICE, FIRST, ProviderAnswer::Refused)).then([answered(FIRST, ProviderAnswer::Refused)]);
        given_it_took_it().when(note(ALICE, FIRST, ProviderAnswer::Failed)).then_nothing();
        given_it_took_it().when(note(ALICE, FIRST, ProviderAnswer::Resting)).then_nothing();
    }
}

#[test]
fn a_later_assignment_begins_anew() {
    let again = AgentAssigned { chat: CHAT, agent: ALICE, assignment: 2, provider: true };
    given_it_has_it()
        .and([answered(FIRST, ProviderAnswer::Accepted), released(ALICE, FIRST), again.into()])
        .when(note(ALICE, 2, ProviderAnswer::Queueing(1)))
        .then([answered(2, ProviderAnswer::Queueing(1))]);
}
