//! A robot that receives, and gives way.

use super::*;
use crate::conversation::error::ConversationError;
use crate::flow::RouteTaken;

fn answered(seq: u64, known: bool) -> ConversationEvent {
    RobotAnswered { chat: CHAT, seq, known, confidence: 50, article: known.then(|| "FAQ-1".parse().unwrap()) }.into()
}

fn wanted(reason: HumanReason) -> ConversationEvent {
    HumanWanted { chat: CHAT, reason }.into()
}

fn with_a_robot() -> Given<Conversation> {
    in_reception().when(engage_robot()).then_accepted()
}

#[test]
fn a_human_is_wanted_after_so_many_answers_on_end_that_the_robot_did_not_know() {
    with_a_robot()
        .when(robot_answer(1, false))
        .then([answered(1, false)])
        .when(robot_answer(1, false))
        .then_nothing()
        .when(robot_answer(2, true))
        .then([answered(2, true)])
        .when(robot_answer(3, false))
        .then([answered(3, false)])
        .when(robot_answer(4, false))
        .then([answered(4, false), wanted(HumanReason::UnknownAnswers)]);
}

#[test]
fn the_hand_off_says_which_robot_had_it_and_the_robot_has_no_say_afterwards() {
    let robot = Some("faq".parse().unwrap());
    let handed = HandedOff {
        chat: CHAT,
        task: PROBLEM,
        group: sales(),
        left_message: false,
        route: None,
        skills: vec![],
        patience: Patience::default(),
        robot,
    };
    with_a_robot()
        .when(ConversationCommand::WantHuman { reason: HumanReason::Keyword })
        .then([wanted(HumanReason::Keyword)])
        .when(hand_off(PROBLEM, sales()))
        .then([handed.into()])
        .when(robot_answer(9, true))
        .then_nothing()
        .when(ConversationCommand::WantHuman { reason: HumanReason::Button })
        .then_nothing()
        .when(engage_robot())
        .then_nothing();
}

#[test]
fn a_human_may_be_wanted_again_after_nobody_could_be_asked() {
    let refuse = ConversationCommand::RefuseHandOff { route: RouteTaken::default(), opens_at: None };
    let want = || ConversationCommand::WantHuman { reason: HumanReason::Button };
    in_reception()
        .when(want())
        .then([wanted(HumanReason::Button)])
        .when(refuse)
        .then_accepted()
        .when(want())
        .then([wanted(HumanReason::Button)]);
}

#[test]
fn where_the_flow_has_no_button_nobody_asks_by_one_but_a_word_does() {
    let robot = "faq".parse().unwrap();
    let engage = ConversationCommand::EngageRobot { robot, flow: FlowVersion::default(), without_button: true };
    let want = |reason| ConversationCommand::WantHuman { reason };
    let engaged = || in_reception().when(engage.clone()).then_accepted();
    engaged().when(want(HumanReason::Button)).then_refused(ConversationError::NoButton);
    engaged().when(want(HumanReason::Keyword)).then([wanted(HumanReason::Keyword)]).when(want(HumanReason::Keyword)).then_nothing();
}

#[test]
fn who_leaves_ends_what_a_robot_has_and_nothing_else() {
    let leave = || close(Closer::Leaving(BUYER));
    with_a_robot().when(leave()).then([closed_in_reception(CloseReason::Left, Party::User(BUYER))]).when(leave()).then_nothing();
    in_reception().when(leave()).then([closed_in_reception(CloseReason::Left, Party::User(BUYER))]);
    waiting().when(leave()).then_nothing();
    alice_serves().when(leave()).then_nothing();
    in_reception().when(close(Closer::Leaving(STRANGER))).then_refused(ConversationError::NotTheCustomer);
}
