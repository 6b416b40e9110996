//! What follows from the passing of time: agents who accept and answer, or do not, and customers who are asked whether there is more.

use super::*;

const MINUTE: Millis = Millis::minutes(1);
const THREE_MINUTES: Millis = Millis::minutes(3);

fn accept(agent: UserId) -> ChatCommand {
    ChatCommand::AcceptAssignment { agent }
}

fn time_out(assignment: u64) -> ChatCommand {
    ChatCommand::TimeOutAssignment { assignment }
}

fn remind(conversation: ConversationId) -> ChatCommand {
    ChatCommand::RemindIdle { conversation }
}

fn timed_out(agent: UserId, assignment: u64, reason: Omission) -> ChatEvent {
    AssignmentTimedOut { conversation: FIRST, agent, assignment, reason }.into()
}

fn on_terms(agent: UserId, assignment: u64, accept_within: Option<Millis>, answer_within: Option<Millis>) -> ChatEvent {
    MemberJoined { user: agent, role: ChatRole::Agent, assignment: Some(assignment), accept_within, answer_within }.into()
}

/// Alice has a minute to accept, and three to answer.
fn alice_is_asked() -> Given<Chat> {
    given([opened(), started(FIRST), posted(BUYER, 1, FIRST).into(), on_terms(ALICE, 1, Some(MINUTE), Some(THREE_MINUTES))])
}

#[test]
fn whoever_has_not_accepted_in_time_loses_the_conversation_once() {
    alice_is_asked()
        .at(NOW + MINUTE - ONE_MS)
        .when(time_out(1))
        .then_nothing()
        .at(NOW + MINUTE)
        .when(time_out(2))
        .then_nothing()
        .when(time_out(1))
        .then([timed_out(ALICE, 1, Omission::NotAccepted)])
        .when(time_out(1))
        .then_nothing();
}

#[test]
fn accepting_is_said_once_and_only_by_whoever_was_asked() {
    let accepted = AssignmentAccepted { conversation: FIRST, agent: ALICE, assignment: 1 };
    alice_is_asked()
        .when(accept(BOB))
        .then_refused(ChatError::NotYoursAnyMore { current: Some(1) })
        .when(accept(ALICE))
        .then([accepted.into()])
        .when(accept(ALICE))
        .then_nothing()
        .at(NOW + MINUTE)
        .when(time_out(1))
        .then_nothing();
}

#[test]
fn whoever_answers_has_accepted_and_a_whisper_is_no_answer() {
    let whisper = fact_of(&staff_only(message(ALICE, 2)), 2, Some(FIRST), None);
    alice_is_asked().and([whisper.into()]).at(NOW + MINUTE).when(time_out(1)).then([timed_out(ALICE, 1, Omission::NotAccepted)]);
    alice_is_asked().and([posted(ALICE, 2, FIRST).into()]).at(NOW + MINUTE).when(time_out(1)).then_nothing();
}

#[test]
fn whoever_lets_a_customer_wait_too_long_loses_the_conversation() {
    let answered = || alice_is_asked().and([posted(ALICE, 2, FIRST).into()]);
    answered().at(NOW + Millis::hours(1)).when(time_out(1)).then_nothing();
    answered()
        .at(NOW + Millis::minutes(10))
        .and([posted(BUYER, 3, FIRST).into()])
        .at(NOW + Millis::minutes(13) - ONE_MS)
        .when(time_out(1))
        .then_nothing()
        .at(NOW + Millis::minutes(13))
        .when(time_out(1))
        .then([timed_out(ALICE, 1, Omission::NotAnswered)]);
}

#[test]
fn an_agent_answers_for_their_own_time_and_not_for_that_of_the_one_before() {
    alice_is_asked()
        .at(NOW + THREE_MINUTES)
        .and([left(ALICE), on_terms(BOB, 2, None, Some(THREE_MINUTES))])
        .at(NOW + THREE_MINUTES + THREE_MINUTES - ONE_MS)
        .when(time_out(2))
        .then_nothing()
        .at(NOW + THREE_MINUTES + THREE_MINUTES)
        .when(time_out(2))
        .then([timed_out(BOB, 2, Omission::NotAnswered)]);
}

fn silent(remind_after: Option<Millis>, close_after: Option<Millis>) -> IdleLimitsSet {
    IdleLimitsSet { conversation: FIRST, remind_after, close_after }
}

#[test]
fn a_customer_is_asked_once_in_a_silence_whether_there_is_more() {
    let asked = || ChatEvent::from(IdleReminded { conversation: FIRST });
    given([opened(), started(FIRST), assigned_to(ALICE, 1), posted(BUYER, 1, FIRST).into(), posted(ALICE, 2, FIRST).into()])
        .when(ChatCommand::SetIdleLimits(silent(Some(MINUTE), None)))
        .then([silent(Some(MINUTE), None).into()])
        .when(ChatCommand::SetIdleLimits(silent(Some(MINUTE), None)))
        .then_nothing()
        .at(NOW + MINUTE - ONE_MS)
        .when(remind(FIRST))
        .then_nothing()
        .at(NOW + MINUTE)
        .when(remind(FIRST))
        .then([asked()])
        .when(remind(FIRST))
        .then_nothing()
        .and([posted(ALICE, 3, FIRST).into()])
        .at(NOW + MINUTE + MINUTE)
        .when(remind(FIRST))
        .then([asked()]);
}

#[test]
fn a_customer_who_waits_for_an_answer_is_not_asked_whether_there_is_more() {
    given([opened(), started(FIRST), silent(Some(MINUTE), None).into(), posted(BUYER, 1, FIRST).into()])
        .at(NOW + Millis::hours(1))
        .when(remind(FIRST))
        .then_nothing();
}

#[test]
fn the_flows_limit_of_silence_goes_before_the_tenants() {
    let expire = ChatCommand::ExpireIdle { conversation: FIRST, idle_expiry: Millis::hours(1), unanswered_expiry: Millis::days(7) };
    given([opened(), started(FIRST), silent(None, Some(MINUTE)).into()])
        .at(NOW + MINUTE - ONE_MS)
        .when(expire.clone())
        .then_nothing()
        .at(NOW + MINUTE)
        .when(expire)
        .then([ran_out(FIRST, false, 0)]);
}

#[test]
fn what_a_flow_says_of_silence_holds_for_the_conversation_that_is_open() {
    let limits = || ChatCommand::SetIdleLimits(silent(Some(MINUTE), None));
    given([opened(), started(FIRST), ended(FIRST)]).when(limits()).then_nothing();
    given([opened(), started(SECOND)]).when(limits()).then_nothing();
}

fn engage() -> ChatCommand {
    ChatCommand::EngageRobot { conversation: FIRST }
}

fn asked(seq: u64) -> ChatEvent {
    QuestionAsked { conversation: FIRST, seq }.into()
}

fn robot_came() -> ChatEvent {
    RobotEngaged { conversation: FIRST }.into()
}

#[test]
fn a_robot_is_asked_whatever_the_customer_writes_and_what_they_wrote_before_it_came() {
    given([opened(), started(FIRST), posted(BUYER, 1, FIRST).into()])
        .when(engage())
        .then([robot_came(), asked(1)])
        .when(engage())
        .then_nothing()
        .when(post(message(BUYER, 2)))
        .then([posted(BUYER, 2, FIRST).into(), asked(2)])
        .when(ChatCommand::DismissRobot { conversation: FIRST })
        .then([RobotDismissed { conversation: FIRST }.into()])
        .when(post(message(BUYER, 3)))
        .then([posted(BUYER, 3, FIRST).into()]);
    given([opened(), started(FIRST)]).when(engage()).then([robot_came()]);
    given([opened(), started(FIRST), assigned_to(ALICE, 1)]).when(engage()).then_nothing();
}

#[test]
fn what_a_robot_answered_is_answered_for_as_long_as_the_robot_is_there() {
    let expire = || ChatCommand::ExpireIdle { conversation: FIRST, idle_expiry: MINUTE, unanswered_expiry: Millis::days(7) };
    let answered = || {
        given([
            opened(),
            joined(ROBOT, ChatRole::Robot),
            started(FIRST),
            posted(BUYER, 1, FIRST).into(),
            robot_came(),
            posted(ROBOT, 2, FIRST).into(),
        ])
    };
    answered().at(NOW + MINUTE).when(expire()).then([ran_out(FIRST, false, 2)]);
    let dismissed = answered().and([RobotDismissed { conversation: FIRST }.into()]);
    dismissed.at(NOW + MINUTE).when(expire()).then([AnswerOverdue { conversation: FIRST }.into()]);
}
