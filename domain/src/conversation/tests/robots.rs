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
fn a_robot_may_know_without_an_article() {
    let answer = |seq, known| ConversationCommand::NoteRobotAnswer { seq, confidence: 100, known, article: None, unknown_max: Some(2) };
    let noted = |seq, known| RobotAnswered { chat: CHAT, seq, known, confidence: 100, article: None }.into();
    with_a_robot()
        .when(answer(1, false))
        .then([noted(1, false)])
        .when(answer(2, true))
        .then([noted(2, true)])
        .when(answer(3, false))
        .then([noted(3, false)]);
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

fn answer_rated(seq: u64, score: u8) -> ConversationEvent {
    AnswerRated { chat: CHAT, seq, by: BUYER, score }.into()
}

#[test]
fn each_answer_is_rated_once_and_a_bad_rating_brings_a_human() {
    with_a_robot()
        .when(rate_answer(BUYER, Some(2), 3))
        .then([answer_rated(2, 3)])
        .when(rate_answer(BUYER, Some(2), 1))
        .then_refused(ConversationError::AnswerAlreadyRated)
        .when(rate_answer(BUYER, Some(4), 2))
        .then([answer_rated(4, 2), wanted(HumanReason::BadRating)])
        .when(rate_answer(BUYER, Some(6), 1))
        .then([answer_rated(6, 1)]);
}

#[test]
fn a_rating_of_an_answer_brings_nobody_where_the_flow_says_nothing_or_a_human_has_it() {
    let rate = ConversationCommand::RateAnswer { by: BUYER, seq: Some(2), score: 1, bad_at_most: None };
    with_a_robot().when(rate).then([answer_rated(2, 1)]);
    with_a_robot().and([handed_off(PROBLEM, sales())]).when(rate_answer(BUYER, Some(2), 1)).then([answer_rated(2, 1)]);
    with_a_robot().and([closed_by_buyer()]).when(rate_answer(BUYER, Some(2), 1)).then([answer_rated(2, 1)]);
}

#[test]
fn only_the_customer_rates_and_only_an_answer_of_the_robot() {
    with_a_robot()
        .when(rate_answer(STRANGER, Some(2), 1))
        .then_refused(ConversationError::NotTheCustomer)
        .when(rate_answer(BUYER, None, 1))
        .then_refused(ConversationError::NotAnAnswer)
        .when(rate_answer(BUYER, Some(2), 6))
        .then_refused(ConversationError::InvalidScore { score: 6 });
}

#[test]
fn so_many_answers_are_rated_and_no_more() {
    let most = crate::conversation::decide::rating::ANSWERS_RATED_MAX;
    let rated = (1..=most as u64).map(|seq| answer_rated(seq, 5)).collect::<Vec<_>>();
    with_a_robot()
        .and(rated[1..].to_vec())
        .when(rate_answer(BUYER, Some(1), 5))
        .then([rated[0].clone()])
        .when(rate_answer(BUYER, Some(most as u64 + 1), 5))
        .then_refused(ConversationError::TooManyAnswersRated { limit: most });
}
