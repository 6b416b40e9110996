//! How the clock runs is the owner's to say, whatever a command says of it.

use domain::chat::command::ReachOut;
use domain::chat::event::ChatEvent;
use domain::message::Style;
use domain::outreach::{OutreachRefusal, OutreachVerdict};
use domain::time::ClockState;

use super::*;
use crate::log::codec::{self, Reading};

fn reach_out(number: u64, clock: ClockState) -> ChatCommand {
    ChatCommand::ReachOut(Box::new(ReachOut {
        attempt: domain::ids::OutreachId::from_u128(number.into()),
        shop: "shop".parse().expect("a slug"),
        customer: CUSTOMER,
        account_closed: false,
        by: UserId::from_u128(0xA1),
        entry: "order_page".parse().expect("a label"),
        order: None,
        clock,
        client_message: ClientMessageId::from_u128((u128::from(NOW.0.unsigned_abs()) << 80) | (7 << 76) | (2 << 62) | u128::from(number)),
        message: MessageId::from_u128(number.into()),
        digest: ContentDigest(number),
        content: MessageContent::text("hello"),
        style: Style::Normal,
        kind: Kind::Text,
    }))
}

/// What the rule said in the last commit.
fn verdict(rig: &Rig) -> OutreachVerdict {
    let last = rig.streams[&chat()].last().expect("a commit");
    let mut events = crate::log::commit::events(&last.bytes).expect("our own commit");
    let raw = events.next().expect("an event").expect("our own commit");
    let event = codec::decode(&chat(), &raw, Reading::Closed).expect("our own event");
    let domain::event::Event::Chat(ChatEvent::OutreachAttempted(attempted)) = event else { panic!("no attempt: {event:?}") };
    attempted.ruling.verdict
}

fn the_customer_wrote() -> Rig {
    let mut rig = Rig::opened_chat(OwnerLimits::default());
    rig.ask(chat(), post(10, "hello"), 10, 0);
    rig.append_next();
    rig
}

#[test]
fn a_command_is_stamped_with_how_the_clock_runs() {
    let mut rig = the_customer_wrote();
    rig.ask(chat(), reach_out(11, ClockState::Jumped), 11, 0);
    rig.append_next();
    assert_eq!(verdict(&rig), OutreachVerdict::Allowed);
    // Six seconds that never passed.
    rig.owner.run(ClockReading { now: NOW + Millis::seconds(6), elapsed: ClockReading::even(NOW).elapsed });
    assert!(matches!(rig.owner.output(), Some(Output::ClockJumped(ClockJump::Set { by: Millis(6_000) }))));
    rig.ask(chat(), reach_out(12, ClockState::Steady), 12, 0);
    rig.append_next();
    assert_eq!(verdict(&rig), OutreachVerdict::Refused(OutreachRefusal::ClockJumped));
}

#[test]
fn an_attempt_that_is_made_twice_is_one() {
    let mut rig = the_customer_wrote();
    let first = rig.ask(chat(), reach_out(11, ClockState::Steady), 11, 5);
    let at_once = rig.ask(chat(), reach_out(11, ClockState::Steady), 11, 5);
    rig.append_next();
    let later = rig.ask(chat(), reach_out(11, ClockState::Steady), 11, 5);
    let other = rig.ask(chat(), reach_out(11, ClockState::Steady), 11, 6);
    assert!(rig.appends.is_empty(), "nothing is left to store");
    for repeated in [at_once, later] {
        let (first, repeated) = (rig.answer(first).as_ref().expect("carried out"), rig.answer(repeated).as_ref().expect("carried out"));
        assert_eq!((first.events, repeated.events), (2, 0));
        assert_eq!(first.chat, repeated.chat);
    }
    assert_eq!(*rig.answer(other), Err(CommandError::IdempotencyMismatch));
}
