//! What holds for outreach whatever is said in between, and whenever.

use proptest::prelude::*;

use super::*;
use crate::chat::state::ChatState;
use crate::decider::Decider;
use crate::testing::assert_survives_a_snapshot;

#[derive(Clone, Debug)]
enum Step {
    Said { sender: UserId, category: Category, origin: Origin },
    Recalled,
    ReachOut { entry: &'static str, clock: ClockState },
    HandOver { clock: ClockState },
}

fn clock() -> impl Strategy<Value = ClockState> {
    prop_oneof![5 => Just(ClockState::Steady), 1 => Just(ClockState::Jumped)]
}

fn step() -> impl Strategy<Value = Step> {
    let said = |sender, category, origin| Just(Step::Said { sender, category, origin });
    prop_oneof![
        2 => said(BUYER, Category::Customer, Origin::Human),
        1 => said(ROBOT, Category::Robot, Origin::Robot),
        1 => said(STRANGER, Category::System, Origin::Campaign),
        1 => said(ALICE, Category::Agent, Origin::Human),
        1 => Just(Step::Recalled),
        4 => (prop_oneof![4 => Just("order_page"), 1 => Just("shop_page")], clock()).prop_map(|(entry, clock)| Step::ReachOut { entry, clock }),
        2 => clock().prop_map(|clock| Step::HandOver { clock }),
    ]
}

/// Steps of hours, and of a millisecond around the limit.
fn pause() -> impl Strategy<Value = Millis> {
    prop_oneof![3 => (0_i64..30).prop_map(Millis::hours), 1 => (-1_i64..2).prop_map(|near| Millis(AGE_MAX.0 + near)), 2 => Just(Millis(1))]
}

proptest! {
    #[test]
    fn every_attempt_is_a_fact_and_speaks_exactly_where_the_rule_holds(story in proptest::collection::vec((step(), pause()), 1..60)) {
        let mut state = ChatState::default();
        Chat::evolve(&mut state, &opened(), NOW);
        let (mut at, mut wrote, mut last_seq) = (NOW, None, 0);
        for (number, (step, pause)) in (1_u64..).zip(story) {
            at = at + pause;
            let young = wrote.is_some_and(|(_, wrote)| at - wrote <= Millis::hours(72));
            let events = match step {
                Step::Said { sender, category, origin } => {
                    last_seq += 1;
                    let said = MessagePosted { category, origin, client_message: client_id(at, number), ..posted(sender, last_seq, None) };
                    if category == Category::Customer {
                        wrote = Some((last_seq, at));
                    }
                    vec![said.into()]
                }
                Step::Recalled => wrote.map(|(seq, _)| recalled(BUYER, seq)).into_iter().collect(),
                Step::ReachOut { entry, clock } => {
                    let order = ReachOut {
                        entry: entry.parse().unwrap(),
                        clock,
                        client_message: client_id(at, number),
                        digest: ContentDigest(number),
                        ..attempt(at)
                    };
                    let events = Chat::decide(&reach_out(order), &state, at).unwrap();
                    let may = young && clock == ClockState::Steady && entry == "order_page";
                    let [ChatEvent::OutreachAttempted(attempted), said @ ..] = events.as_slice() else { panic!("{events:?}") };
                    prop_assert_eq!(attempted.ruling.is_allowed(), may);
                    prop_assert_eq!(attempted.ruling.qualifying.map(|newest| (newest.seq, newest.at)), wrote);
                    prop_assert_eq!(attempted.ruling.age, wrote.map(|(_, wrote)| at - wrote));
                    prop_assert_eq!(said.len(), usize::from(may));
                    last_seq += u64::from(may);
                    events
                }
                Step::HandOver { clock } => {
                    let events = Chat::decide(&hand_over(clock), &state, at).unwrap();
                    let mut told = state.clone();
                    events.iter().for_each(|event| Chat::evolve(&mut told, event, at));
                    let verdict = told.open().unwrap().service().unwrap().contact.handed_over(ATTEMPT);
                    prop_assert_eq!(verdict == Some(OutreachVerdict::Allowed), young && clock == ClockState::Steady);
                    events
                }
            };
            events.iter().for_each(|event| Chat::evolve(&mut state, event, at));
            prop_assert_eq!(state.open().unwrap().last_seq, last_seq);
        }
        assert_survives_a_snapshot(&state);
    }
}
