//! What is said in a group thread, and where it differs from a chat with a customer.

use super::*;

#[test]
fn a_message_belongs_to_no_conversation_and_shows_who_wrote_it() {
    let merchant = PostMessage { persona: Persona::Shop, ..message(MERCHANT, 1) };
    given(thread()).when(post(merchant)).then([said(MERCHANT, 1)]);
}

#[test]
fn the_account_says_whose_message_it_is() {
    for category in [Category::Agent, Category::Customer] {
        let spoken = PostMessage { as_participant: category, ..message(INFLUENCER, 1) };
        let fact = MessagePosted { category, ..fact_of(&spoken, 1, None, None) };
        given(thread()).when(post(spoken)).then([fact.into()]);
    }
}

#[test]
fn a_thread_has_no_notes() {
    given(thread()).when(post(staff_only(message(MERCHANT, 1)))).then_refused(ChatError::StaffOnly);
}

#[test]
fn an_assignment_means_nothing_in_a_thread() {
    given(thread()).when(post(under(7, message(MERCHANT, 1)))).then([said(MERCHANT, 1)]);
    given(thread()).when(post(under(7, message(STRANGER, 1)))).then_refused(ChatError::NotAMember { user: STRANGER });
}

#[test]
fn a_repeated_message_is_recognised_also_when_its_sender_was_silenced_or_put_out() {
    let other = PostMessage { digest: ContentDigest(99), ..message(INFLUENCER, 1) };
    given(thread())
        .and([said(INFLUENCER, 1), changed(INFLUENCER, Permissions::NONE)])
        .when(post(message(INFLUENCER, 1)))
        .then_nothing()
        .when(post(message(INFLUENCER, 2)))
        .then_refused(ChatError::NotPermitted { permission: Permission::Post })
        .and([left(INFLUENCER)])
        .when(post(message(INFLUENCER, 1)))
        .then_nothing()
        .when(post(other))
        .then_refused(ChatError::ClientIdReused);
}

#[test]
fn an_empty_message_says_nothing_here_either() {
    let empty = PostMessage { content: MessageContent::default(), ..message(MERCHANT, 1) };
    given(thread()).when(post(empty)).then_refused(crate::message::ContentRefused::Empty);
}

#[test]
fn a_message_is_recalled_by_its_sender_only() {
    let recall = |by| ChatCommand::Recall { by, message: message_id(1), window: REOPEN_WINDOW };
    given(thread())
        .and([said(INFLUENCER, 1)])
        .when(recall(MERCHANT))
        .then_refused(ChatError::NotRecallable { message: message_id(1) })
        .when(recall(INFLUENCER))
        .then([recalled(INFLUENCER, 1)]);
}

#[test]
fn what_was_said_before_one_came_can_be_neither_read_nor_hidden() {
    let history = || {
        let mut history = thread();
        history.extend([said(MERCHANT, 1), said(MERCHANT, 2), invited(LATE, MAY_POST, 2), said(MERCHANT, 3)]);
        given(history)
    };
    let hide = |seq| ChatCommand::Hide { reader: LATE, message: message_id(seq), seq };
    let read = |up_to_seq| ChatCommand::MarkRead { reader: LATE, up_to_seq };
    history().when(hide(2)).then_refused(ChatError::BeforeJoining { floor: 2 }).when(hide(3)).then([hidden(LATE, 3)]);
    history().when(read(2)).then_nothing().when(read(3)).then([read_up_to(LATE, 3)]);
    history().when(read(4)).then_refused(ChatError::BeyondEnd { last_seq: 3 });
}

#[test]
fn a_thread_refuses_what_belongs_to_a_chat_with_a_customer() {
    let orders = [
        ChatCommand::Open { shop: shop("flowers"), customer: BUYER },
        ChatCommand::Join { user: ROBOT, role: ChatRole::Robot },
        ChatCommand::StartConversation { conversation: FIRST, entry: Entry::default() },
        ChatCommand::EndConversation { conversation: FIRST, seen_seq: 0 },
        ChatCommand::ExpireIdle { conversation: FIRST, idle_expiry: ONE_MS, unanswered_expiry: ONE_MS },
        ChatCommand::FollowAssignment { conversation: FIRST, agent: ALICE, assignment: 1, accept_within: None, answer_within: None },
        ChatCommand::FollowRelease { assignment: 1 },
        ChatCommand::ReplaceCustomer { from: INFLUENCER, into: SIGNED_IN_BUYER },
    ];
    for order in orders {
        given(thread()).when(order).then_refused(ChatError::OtherKind);
    }
}

#[test]
fn a_chat_with_a_customer_refuses_what_belongs_to_a_thread() {
    let by = By::Member(BUYER);
    let orders = [
        invite(by, LATE, MAY_POST),
        remove(by, ALICE),
        change(by, ALICE, MAY_POST),
        pass(by, ALICE),
        rename(by, "mine"),
        dissolve(By::Host(ADMIN)),
        ChatCommand::Thread(ThreadCommand::Mute { user: BUYER }),
        ChatCommand::Thread(ThreadCommand::Unmute { user: BUYER }),
        ChatCommand::Thread(ThreadCommand::Archive { user: BUYER }),
        ChatCommand::Thread(ThreadCommand::Unarchive { user: BUYER }),
    ];
    for order in orders {
        given([opened(), started(FIRST), assigned_to(ALICE, 1)]).when(order.clone()).then_refused(ChatError::OtherKind);
        given([]).when(order).then_refused(ChatError::NotOpen);
    }
    given([opened()])
        .when(ChatCommand::Join { user: LATE, role: ChatRole::Participant })
        .then_refused(ChatError::NotJoinable { role: ChatRole::Participant });
}
