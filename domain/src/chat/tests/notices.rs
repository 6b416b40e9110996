//! What a flow tells the customer of a conversation.

use super::*;
use crate::chat::command::{FlowNotice, Speaker};
use crate::chat::error::ChatError;

const SHOP_ACCOUNT: UserId = UserId::from_u128(77);

fn notice() -> FlowNotice {
    FlowNotice {
        conversation: FIRST,
        sender: SHOP_ACCOUNT,
        client_message: client_id(NOW, 50),
        message: message_id(50),
        digest: ContentDigest(50),
        content: MessageContent::text("您好"),
        after_end: false,
        speaker: Speaker::Flow,
    }
}

fn notify(notice: FlowNotice) -> ChatCommand {
    ChatCommand::Notify(Box::new(notice))
}

fn noticed(seq: u64) -> ChatEvent {
    let post = PostMessage { origin: Origin::System, persona: Persona::Shop, ..message(SHOP_ACCOUNT, 50) };
    let private = Private::Known(MessageContent::text("您好"));
    let body_bytes = u32::try_from("您好".len()).unwrap();
    MessagePosted { category: Category::System, private, body_bytes, ..fact_of(&post, seq, Some(FIRST), None) }.into()
}

fn talking() -> Given<Chat> {
    given([opened(), started(FIRST), posted(BUYER, 1, FIRST).into()])
}

#[test]
fn it_is_said_once_in_the_shops_name() {
    talking().when(notify(notice())).then([noticed(2)]).when(notify(notice())).then_nothing();
    talking().and([noticed(2)]).when(notify(FlowNotice { message: message_id(51), ..notice() })).then_nothing();
}

#[test]
fn it_is_not_said_when_its_conversation_is_over_or_another_one() {
    given([opened()]).when(notify(notice())).then_nothing();
    talking().when(notify(FlowNotice { conversation: SECOND, ..notice() })).then_nothing();
    given([]).when(notify(notice())).then_refused(ChatError::NotOpen);
    let over = || talking().and([ChatEvent::from(ConversationEnded { conversation: FIRST })]);
    over().when(notify(notice())).then_nothing();
    over().when(notify(FlowNotice { after_end: true, ..notice() })).then([noticed(2)]);
}

#[test]
fn it_answers_nobody_and_keeps_nothing_open() {
    let session = |given: &Given<Chat>| given.state().open().unwrap().service().unwrap().session;
    let silent = talking();
    assert_eq!(session(&talking().at(NOW + Millis::minutes(30)).and([noticed(2)])), session(&silent));
}

#[test]
fn whoever_hands_over_tells_the_staff_and_need_be_no_member() {
    let remark = FlowNotice { sender: ALICE, speaker: Speaker::HandOver, ..notice() };
    let post = PostMessage { persona: Persona::Shop, visibility: Visibility::Staff, style: Style::Toast, ..message(ALICE, 50) };
    let private = Private::Known(MessageContent::text("您好"));
    let body_bytes = u32::try_from("您好".len()).unwrap();
    let told = MessagePosted { category: Category::Agent, private, body_bytes, ..fact_of(&post, 2, Some(FIRST), None) };
    talking().when(notify(remark)).then([told.into()]);
}
