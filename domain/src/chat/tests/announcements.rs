//! What a platform campaign says in a chat.

use super::*;
use crate::chat::command::Announcement;
use crate::chat::error::ChatError;
use crate::chat::state::CLIENT_IDS_KEPT_FOR;

const SHOP_ACCOUNT: UserId = UserId::from_u128(77);

fn announcement() -> Announcement {
    Announcement {
        shop: shop("flowers"),
        customer: BUYER,
        sender: SHOP_ACCOUNT,
        client_message: client_id(NOW, 50),
        message: message_id(50),
        digest: ContentDigest(50),
        content: MessageContent::text("hello"),
        style: Style::Card,
        kind: Kind::Text,
    }
}

fn announce(announcement: Announcement) -> ChatCommand {
    ChatCommand::Announce(Box::new(announcement))
}

fn announced(seq: u64) -> ChatEvent {
    let post = PostMessage { origin: Origin::Campaign, persona: Persona::Shop, style: Style::Card, ..message(SHOP_ACCOUNT, 50) };
    MessagePosted { category: Category::System, ..fact_of(&post, seq, None, None) }.into()
}

#[test]
fn a_campaign_speaks_in_the_chat_and_opens_it_if_there_is_none() {
    given([]).when(announce(announcement())).then([opened(), announced(1)]);
    given([opened()]).when(announce(announcement())).then([announced(1)]);
    given([opened(), started(FIRST), posted(BUYER, 1, FIRST).into()]).when(announce(announcement())).then([announced(2)]);
}

#[test]
fn it_speaks_once_however_often_it_is_tried_and_never_when_the_chat_may_have_forgotten() {
    let said = || given([opened(), announced(1)]);
    said().when(announce(announcement())).then([]);
    said().when(announce(Announcement { message: message_id(51), ..announcement() })).then([]);
    said().when(announce(Announcement { digest: ContentDigest(51), ..announcement() })).then_refused(ChatError::ClientIdReused);
    let late = NOW + CLIENT_IDS_KEPT_FOR;
    for chat in [given([]), given([opened()]), said().at(late).and([posted(BUYER, 2, None).into()])] {
        chat.at(late).when(announce(announcement())).then_refused(ChatError::ClientIdTooOld { floor: NOW });
    }
}

#[test]
fn it_begins_no_conversation_answers_nobody_and_keeps_nothing_open() {
    let waiting = || given([opened(), started(FIRST), posted(BUYER, 1, FIRST).into()]).at(NOW + Millis::minutes(30)).and([announced(2)]);
    let session = |given: &Given<Chat>| given.state().open().unwrap().service().unwrap().session;
    let silent = given([opened(), started(FIRST), posted(BUYER, 1, FIRST).into()]);
    assert_eq!(session(&waiting()), session(&silent));
    let none = given([opened(), announced(1)]);
    assert_eq!(none.state().open().unwrap().service().unwrap().session.conversation(), None);
}

#[test]
fn it_speaks_to_the_customer_whose_chat_it_is_and_in_no_group_thread() {
    given([opened()]).when(announce(Announcement { customer: ALICE, ..announcement() })).then_refused(ChatError::BelongsToAnother);
    given([opened()]).when(announce(Announcement { shop: shop("books"), ..announcement() })).then_refused(ChatError::BelongsToAnother);
}
