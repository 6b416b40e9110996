//! When somebody who works for the shop may start contact with the customer: both sides of every boundary.

mod properties;

use super::*;
use crate::chat::command::{HandOver, ReachOut};
use crate::chat::event::{OutreachAttempted, OutreachHandedOver};
use crate::ids::{ChannelId, OutreachId};
use crate::outreach::{AGE_MAX, OutreachRefusal, OutreachVerdict, QualifyingMessage, RULE, Ruling};
use crate::time::ClockState;

const ATTEMPT: OutreachId = OutreachId::from_u128(900);

/// Alice's attempt, its client id minted at this instant.
fn attempt(minted_at: Timestamp) -> ReachOut {
    ReachOut {
        attempt: ATTEMPT,
        shop: shop("flowers"),
        customer: BUYER,
        account_closed: false,
        by: ALICE,
        entry: "order_page".parse().unwrap(),
        order: Some("A-17".parse().unwrap()),
        clock: ClockState::Steady,
        client_message: client_id(minted_at, 90),
        message: message_id(90),
        digest: ContentDigest(90),
        content: MessageContent::text("hello"),
        style: Style::Normal,
        kind: Kind::Text,
    }
}

fn reach_out(order: ReachOut) -> ChatCommand {
    ChatCommand::ReachOut(Box::new(order))
}

fn wrote(sender: UserId, seq: u64, at: Timestamp) -> QualifyingMessage {
    QualifyingMessage { message: message_id(seq), seq, sender, at }
}

fn ruled(newest: Option<QualifyingMessage>, at: Timestamp, verdict: OutreachVerdict) -> Ruling {
    Ruling { rule: RULE, age_max: AGE_MAX, qualifying: newest, age: newest.map(|newest| at - newest.at), verdict }
}

fn attempted(order: &ReachOut, ruling: Ruling) -> ChatEvent {
    let ReachOut { attempt, shop, customer, by, .. } = *order;
    OutreachAttempted { attempt, shop, customer, by, entry: order.entry.clone(), order: order.order.clone(), ruling }.into()
}

fn said(order: &ReachOut, seq: u64) -> ChatEvent {
    let post = PostMessage {
        sender: order.by,
        client_message: order.client_message,
        origin: Origin::Outreach { attempt: ATTEMPT },
        persona: Persona::Shop,
        ..message(order.by, 90)
    };
    fact_of(&post, seq, None, None).into()
}

#[track_caller]
fn allowed(chat: Given<Chat>, order: ReachOut, newest: QualifyingMessage, at: Timestamp, seq: u64) -> Given<Chat> {
    let events = [attempted(&order, ruled(Some(newest), at, OutreachVerdict::Allowed)), said(&order, seq)];
    chat.at(at).when(reach_out(order)).then(events)
}

#[track_caller]
fn refused(chat: Given<Chat>, order: ReachOut, newest: Option<QualifyingMessage>, at: Timestamp, reason: OutreachRefusal) {
    let event = attempted(&order, ruled(newest, at, OutreachVerdict::Refused(reason)));
    chat.at(at).when(reach_out(order)).then([event]);
}

/// The customer wrote once, at [`NOW`], and it is over.
fn wrote_once() -> Given<Chat> {
    given([opened(), started(FIRST), posted(BUYER, 1, FIRST).into(), ended(FIRST)])
}

#[test]
fn contact_may_be_started_for_72_hours_after_the_customers_message_and_not_a_millisecond_longer() {
    let newest = wrote(BUYER, 1, NOW);
    let last = NOW + Millis::hours(72);
    for at in [NOW, last - ONE_MS, last] {
        allowed(wrote_once(), attempt(at), newest, at, 2);
    }
    refused(wrote_once(), attempt(last), Some(newest), last + ONE_MS, OutreachRefusal::TooOld);
}

#[test]
fn it_is_the_newest_message_that_counts() {
    let second = NOW + Millis::hours(10);
    let chat = || wrote_once().at(second).and([started(SECOND), posted(BUYER, 2, SECOND).into(), ended(SECOND)]);
    let last = second + AGE_MAX;
    allowed(chat(), attempt(last), wrote(BUYER, 2, second), last, 3);
    refused(chat(), attempt(last), Some(wrote(BUYER, 2, second)), last + ONE_MS, OutreachRefusal::TooOld);
}

#[test]
fn what_robots_flows_campaigns_and_the_shop_say_does_not_count_nor_does_earlier_outreach() {
    let robot = MessagePosted { origin: Origin::Robot, category: Category::Robot, ..posted(ROBOT, 1, FIRST) };
    let flow = MessagePosted { origin: Origin::System, category: Category::System, ..posted(STRANGER, 2, FIRST) };
    let campaign = MessagePosted { origin: Origin::Campaign, category: Category::System, ..posted(STRANGER, 3, None) };
    let agent = posted(ALICE, 4, FIRST);
    let note = MessagePosted { visibility: Visibility::Staff, ..posted(SUPERVISOR, 5, FIRST) };
    let earlier = MessagePosted { origin: Origin::Outreach { attempt: ATTEMPT }, ..posted(ALICE, 6, None) };
    let others = || [robot.clone(), flow.clone(), campaign.clone(), agent.clone(), note.clone(), earlier.clone()].map(ChatEvent::from);
    let never = || given([opened(), started(FIRST)]).and(others()).and([ended(FIRST)]);
    refused(never(), attempt(NOW), None, NOW, OutreachRefusal::NoMessage);
    // Nor does it make an older message any younger.
    let at = NOW + AGE_MAX + ONE_MS;
    let shifted = |mut message: MessagePosted| {
        message.seq += 1;
        message
    };
    let long_ago = || {
        wrote_once()
            .at(at - ONE_MS)
            .and([&robot, &flow, &campaign, &agent, &note, &earlier].map(|message| ChatEvent::from(shifted(message.clone()))))
    };
    refused(long_ago(), attempt(at), Some(wrote(BUYER, 1, NOW)), at, OutreachRefusal::TooOld);
}

#[test]
fn a_message_that_was_taken_back_counts() {
    allowed(wrote_once().and([recalled(BUYER, 1)]), attempt(NOW), wrote(BUYER, 1, NOW), NOW, 2);
}

#[test]
fn what_an_anonymous_customer_wrote_counts_for_whom_they_turned_out_to_be() {
    let merged = || wrote_once().and([replaced(BUYER, SIGNED_IN_BUYER, None)]);
    let order = ReachOut { customer: SIGNED_IN_BUYER, ..attempt(NOW) };
    allowed(merged(), order, wrote(BUYER, 1, NOW), NOW, 2);
    merged().when(reach_out(attempt(NOW))).then_refused(ChatError::BelongsToAnother);
}

#[test]
fn contact_is_started_from_an_order_page_or_the_agent_console_alone() {
    let from = |entry: &str| ReachOut { entry: entry.parse().unwrap(), ..attempt(NOW) };
    for entry in ["order_page", "agent_console"] {
        allowed(wrote_once(), from(entry), wrote(BUYER, 1, NOW), NOW, 2);
    }
    for entry in ["shop_page", "robot", "order"] {
        refused(wrote_once(), from(entry), Some(wrote(BUYER, 1, NOW)), NOW, OutreachRefusal::EntryNotAllowed);
    }
}

#[test]
fn somebody_with_whom_there_is_no_chat_never_wrote() {
    refused(given([]), attempt(NOW), None, NOW, OutreachRefusal::NoMessage);
    assert_eq!(
        given([])
            .when(reach_out(attempt(NOW)))
            .then([attempted(&attempt(NOW), ruled(None, NOW, OutreachVerdict::Refused(OutreachRefusal::NoMessage)))])
            .state()
            .open(),
        None
    );
}

#[test]
fn a_clock_that_jumped_and_a_closed_account_refuse() {
    let newest = Some(wrote(BUYER, 1, NOW));
    refused(wrote_once(), ReachOut { clock: ClockState::Jumped, ..attempt(NOW) }, newest, NOW, OutreachRefusal::ClockJumped);
    refused(wrote_once(), ReachOut { account_closed: true, ..attempt(NOW) }, newest, NOW, OutreachRefusal::AccountClosed);
}

#[test]
fn nobody_speaks_beside_whoever_serves() {
    let served_by = |agent| given([opened(), started(FIRST), posted(BUYER, 1, FIRST).into(), assigned_to(agent, 1)]);
    refused(served_by(BOB), attempt(NOW), Some(wrote(BUYER, 1, NOW)), NOW, OutreachRefusal::ServedByAnother);
    allowed(served_by(ALICE), attempt(NOW), wrote(BUYER, 1, NOW), NOW, 2);
    allowed(served_by(BOB).and([left(BOB)]), attempt(NOW), wrote(BUYER, 1, NOW), NOW, 2);
}

#[test]
fn it_begins_no_conversation_and_answers_nobody() {
    let waiting = || given([opened(), started(FIRST), posted(BUYER, 1, FIRST).into()]);
    let session = |given: &Given<Chat>| given.state().open().unwrap().service().unwrap().session;
    let after = allowed(waiting(), attempt(NOW), wrote(BUYER, 1, NOW), NOW, 2);
    assert_eq!(session(&after), session(&waiting()));
}

#[test]
fn an_attempt_that_is_repeated_is_one_and_another_one_under_its_id_is_refused() {
    let order = attempt(NOW);
    let done = || allowed(wrote_once(), attempt(NOW), wrote(BUYER, 1, NOW), NOW, 2);
    done().when(reach_out(order.clone())).then([]);
    done().when(reach_out(ReachOut { digest: ContentDigest(91), ..order.clone() })).then_refused(ChatError::ClientIdReused);
    let late = NOW + Millis::hours(72);
    done()
        .at(late)
        .when(reach_out(ReachOut { client_message: client_id(NOW - ONE_MS, 91), ..order }))
        .then_refused(ChatError::ClientIdTooOld { floor: NOW });
}

#[test]
fn it_is_made_in_the_chat_of_that_shop_and_customer_alone() {
    for order in [ReachOut { customer: STRANGER, ..attempt(NOW) }, ReachOut { shop: shop("books"), ..attempt(NOW) }] {
        wrote_once().when(reach_out(order)).then_refused(ChatError::BelongsToAnother);
    }
}

#[test]
fn what_cannot_be_said_is_no_attempt() {
    let empty = ReachOut { content: MessageContent::default(), ..attempt(NOW) };
    wrote_once().when(reach_out(empty)).then_refused(ChatError::Content(crate::message::ContentRefused::Empty));
}

fn hand_over(clock: ClockState) -> ChatCommand {
    ChatCommand::HandOver(HandOver { attempt: ATTEMPT, channel: channel(), clock })
}

fn channel() -> ChannelId {
    "messenger".parse().unwrap()
}

fn handed_over(newest: QualifyingMessage, at: Timestamp, verdict: OutreachVerdict) -> ChatEvent {
    OutreachHandedOver { attempt: ATTEMPT, channel: channel(), ruling: ruled(Some(newest), at, verdict) }.into()
}

#[test]
fn the_rule_is_asked_again_when_the_message_is_handed_over() {
    let last = NOW + AGE_MAX;
    let newest = wrote(BUYER, 1, NOW);
    let sent = || allowed(wrote_once(), attempt(NOW), newest, NOW, 2);
    let in_time = sent().at(last).when(hand_over(ClockState::Steady)).then([handed_over(newest, last, OutreachVerdict::Allowed)]);
    let late = last + ONE_MS;
    let too_old = OutreachVerdict::Refused(OutreachRefusal::TooOld);
    sent().at(late).when(hand_over(ClockState::Steady)).then([handed_over(newest, late, too_old)]);
    // A delivery that is tried again says it again only where it is another word.
    let tried_again = in_time.when(hand_over(ClockState::Steady)).then([]);
    tried_again.at(late).when(hand_over(ClockState::Steady)).then([handed_over(newest, late, too_old)]);
}

#[test]
fn a_message_waits_while_the_clock_is_not_to_be_trusted() {
    let newest = wrote(BUYER, 1, NOW);
    let sent = allowed(wrote_once(), attempt(NOW), newest, NOW, 2);
    let jumped = OutreachVerdict::Refused(OutreachRefusal::ClockJumped);
    let waits = sent.when(hand_over(ClockState::Jumped)).then([handed_over(newest, NOW, jumped)]);
    waits.when(hand_over(ClockState::Steady)).then([handed_over(newest, NOW, OutreachVerdict::Allowed)]);
}
