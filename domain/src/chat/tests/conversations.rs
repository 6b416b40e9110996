//! Which conversation is open: how it begins, ends, runs out and goes on.

use super::*;

const IDLE: Millis = Millis::hours(1);
const UNANSWERED: Millis = Millis::days(7);

fn start(conversation: ConversationId) -> ChatCommand {
    ChatCommand::StartConversation { conversation, entry: Entry::default() }
}

fn end(conversation: ConversationId, seen_seq: u64) -> ChatCommand {
    ChatCommand::EndConversation { conversation, seen_seq }
}

fn expire(conversation: ConversationId) -> ChatCommand {
    ChatCommand::ExpireIdle { conversation, idle_expiry: IDLE, unanswered_expiry: UNANSWERED }
}

fn overdue(conversation: ConversationId) -> ChatEvent {
    AnswerOverdue { conversation }.into()
}

#[test]
fn a_customers_first_message_begins_a_conversation() {
    given([opened()]).when(post(message(BUYER, 1))).then([started(SECOND), posted(BUYER, 1, SECOND).into()]);
}

#[test]
fn a_greeting_by_the_robot_begins_none() {
    given([opened(), joined(ROBOT, ChatRole::Robot)]).when(post(message(ROBOT, 1))).then([posted(ROBOT, 1, None).into()]);
}

#[test]
fn entering_begins_a_conversation_before_any_message() {
    given([opened()]).when(start(FIRST)).then([started(FIRST)]);
}

#[test]
fn a_conversation_that_begins_after_the_customer_signed_in_is_theirs() {
    given([opened(), replaced(BUYER, SIGNED_IN_BUYER, None)]).when(start(FIRST)).then([started_for(SIGNED_IN_BUYER, FIRST)]);
}

#[test]
fn a_chat_has_one_open_conversation_at_a_time() {
    given([opened(), started(FIRST)])
        .when(start(SECOND))
        .then_nothing()
        .when(post(message(BUYER, 1)))
        .then([posted(BUYER, 1, FIRST).into()])
        .and([ended(FIRST)])
        .when(start(SECOND))
        .then([started(SECOND)]);
}

#[test]
fn a_customer_who_writes_within_the_reopen_window_resumes_the_conversation() {
    given([opened(), started(FIRST), ended(FIRST)])
        .at(NOW + REOPEN_WINDOW)
        .when(post(message(BUYER, 1)))
        .then([resumed(FIRST), posted(BUYER, 1, FIRST).into()]);
}

#[test]
fn a_customer_who_writes_a_millisecond_after_the_reopen_window_begins_a_new_one() {
    given([opened(), started(FIRST), ended(FIRST)])
        .at(NOW + REOPEN_WINDOW + ONE_MS)
        .when(post(message(BUYER, 1)))
        .then([started(SECOND), posted(BUYER, 1, SECOND).into()]);
}

#[test]
fn staff_who_write_after_the_end_reopen_nothing() {
    let note = staff_only(message(SUPERVISOR, 1));
    given([opened(), joined(SUPERVISOR, ChatRole::Supervisor), started(FIRST), ended(FIRST)])
        .when(post(note.clone()))
        .then([fact_of(&note, 1, None, None).into()]);
}

#[test]
fn a_conversation_ends_once_and_the_agent_leaves_with_it() {
    given([opened(), started(FIRST), assigned_to(ALICE, 1), posted(BUYER, 1, FIRST).into()])
        .when(end(FIRST, 1))
        .then([ended(FIRST), left(ALICE)])
        .when(end(FIRST, 1))
        .then_nothing();
}

#[test]
fn the_end_of_another_conversation_is_ignored() {
    given([opened(), started(FIRST)]).when(end(SECOND, 0)).then_nothing();
    given([opened()]).when(end(FIRST, 0)).then_nothing();
}

#[test]
fn a_message_that_whoever_ended_it_had_not_seen_keeps_the_conversation_going() {
    let history = [opened(), started(FIRST), assigned_to(ALICE, 1), posted(BUYER, 1, FIRST).into(), posted(BUYER, 2, FIRST).into()];
    given(history.clone()).when(end(FIRST, 1)).then([ended(FIRST), left(ALICE), resumed_for(FIRST, 2)]);
    given(history).when(end(FIRST, 2)).then([ended(FIRST), left(ALICE)]);
}

#[test]
fn an_overlooked_message_of_the_agent_does_not_keep_it_going() {
    given([opened(), started(FIRST), assigned_to(ALICE, 1), posted(BUYER, 1, FIRST).into(), posted_under(1, ALICE, 2, FIRST)])
        .when(end(FIRST, 1))
        .then([ended(FIRST), left(ALICE)]);
}

#[test]
fn a_silent_conversation_in_which_no_answer_is_due_runs_out_to_the_millisecond() {
    let answered = [opened(), started(FIRST), assigned_to(ALICE, 1), posted(BUYER, 1, FIRST).into(), posted_under(1, ALICE, 2, FIRST)];
    given(answered)
        .at(NOW + IDLE - ONE_MS)
        .when(expire(FIRST))
        .then_nothing()
        .at(NOW + IDLE)
        .when(expire(FIRST))
        .then([ran_out(FIRST, false, 2)]);
}

#[test]
fn a_conversation_in_which_nobody_wrote_runs_out_like_an_answered_one() {
    given([opened(), started(FIRST)]).at(NOW + IDLE).when(expire(FIRST)).then([ran_out(FIRST, false, 0)]);
}

#[test]
fn a_conversation_does_not_run_out_while_the_customer_waits_for_an_answer_which_is_overdue_beyond_the_limit() {
    given([opened(), started(FIRST), posted(BUYER, 1, FIRST).into()])
        .at(NOW + IDLE - ONE_MS)
        .when(expire(FIRST))
        .then_nothing()
        .at(NOW + IDLE)
        .when(expire(FIRST))
        .then([overdue(FIRST)])
        .at(NOW + UNANSWERED - ONE_MS)
        .when(expire(FIRST))
        .then_nothing()
        .at(NOW + UNANSWERED)
        .when(expire(FIRST))
        .then([ran_out(FIRST, true, 1)]);
}

#[test]
fn a_customer_who_asks_again_waits_since_their_first_question() {
    given([opened(), started(FIRST), posted(BUYER, 1, FIRST).into()])
        .at(NOW + Millis::days(1))
        .and([posted(BUYER, 2, FIRST).into()])
        .at(NOW + UNANSWERED)
        .when(expire(FIRST))
        .then([ran_out(FIRST, true, 2)]);
}

#[test]
fn a_whisper_among_staff_is_no_answer() {
    let note = fact_of(&staff_only(message(ALICE, 2)), 2, Some(FIRST), None);
    given([opened(), started(FIRST), assigned_to(ALICE, 1), posted(BUYER, 1, FIRST).into(), note.into()])
        .at(NOW + IDLE)
        .when(expire(FIRST))
        .then([overdue(FIRST)]);
}

#[test]
fn a_robots_words_are_no_answer_of_the_shop() {
    given([opened(), started(FIRST), joined(ROBOT, ChatRole::Robot), posted(BUYER, 1, FIRST).into(), posted(ROBOT, 2, FIRST).into()])
        .at(NOW + IDLE)
        .when(expire(FIRST))
        .then([overdue(FIRST)]);
}

#[test]
fn an_overlooked_message_is_still_to_be_answered() {
    given([opened(), started(FIRST), posted(BUYER, 1, FIRST).into(), ended(FIRST), resumed_for(FIRST, 1)])
        .at(NOW + IDLE)
        .when(expire(FIRST))
        .then([overdue(FIRST)])
        .when(end(FIRST, 0))
        .then([ended(FIRST), resumed_for(FIRST, 1)]);
}

#[test]
fn a_late_timer_does_not_hit_the_next_conversation() {
    given([opened(), started(FIRST), ended(FIRST)]).at(NOW + UNANSWERED).when(expire(FIRST)).then_nothing();
    given([opened(), started(FIRST), ended(FIRST), started(SECOND)]).at(NOW + UNANSWERED).when(expire(FIRST)).then_nothing();
}

#[test]
fn staff_go_on_with_the_conversation_that_ended_last_within_the_window() {
    let resume = |conversation| ChatCommand::ResumeConversation { conversation, window: Millis::minutes(10) };
    let ended = || given([opened(), started(FIRST), ConversationEnded { conversation: FIRST }.into()]);
    let resumed = ChatEvent::from(ConversationResumed { conversation: FIRST, overlooked_seq: None });
    ended().at(NOW + Millis::minutes(10)).when(resume(FIRST)).then([resumed]).when(resume(FIRST)).then_nothing();
    ended().at(NOW + Millis(600_001)).when(resume(FIRST)).then_refused(ChatError::ReopenWindowOver);
    ended().when(resume(SECOND)).then_refused(ChatError::AnotherConversation);
    ended().and([started(SECOND)]).when(resume(FIRST)).then_refused(ChatError::AnotherConversation);
    given([opened()]).when(resume(FIRST)).then_refused(ChatError::AnotherConversation);
}
