//! Making, inviting, putting out, permissions, ownership, titles and the end: each rule where it holds and where it stops.

use super::*;
use crate::chat::state::{THREAD_MEMBERS_MAX, TITLE_BYTES_MAX};

#[test]
fn a_thread_begins_with_its_owner_and_whom_they_named() {
    given([]).when(create(vec![invitation(INFLUENCER, MAY_POST), invitation(CARRIER, Permissions::NONE)])).then([
        created(),
        invited(INFLUENCER, MAY_POST, 0),
        invited(CARRIER, Permissions::NONE, 0),
    ]);
}

#[test]
fn whoever_is_named_twice_alike_is_in_it_once() {
    let influencer = || invitation(INFLUENCER, MAY_POST);
    given([]).when(create(vec![influencer(), influencer()])).then([created(), invited(INFLUENCER, MAY_POST, 0)]);
    let otherwise = invitation(INFLUENCER, Permissions::ALL);
    given([]).when(create(vec![influencer(), otherwise])).then_refused(ChatError::AlreadyAMember { user: INFLUENCER });
    given([]).when(create(vec![invitation(MERCHANT, MAY_POST)])).then_refused(ChatError::AlreadyAMember { user: MERCHANT });
}

#[test]
fn a_thread_is_made_where_there_is_no_chat() {
    given([created()]).when(create(vec![])).then_refused(ChatError::BelongsToAnother);
    given([opened()]).when(create(vec![])).then_refused(ChatError::BelongsToAnother);
}

#[test]
fn a_thread_has_a_title_of_one_line() {
    let with = |title: &str| {
        ChatCommand::Thread(ThreadCommand::Create { owner: MERCHANT, label: label(MERCHANT), title: title.to_owned(), members: vec![] })
    };
    given([]).when(with(" ")).then_refused(ChatError::TitleEmpty);
    let too_long = ChatError::TitleTooLong { bytes_max: TITLE_BYTES_MAX };
    given([]).when(with(&"x".repeat(TITLE_BYTES_MAX + 1))).then_refused(too_long.clone());
    given([]).when(with(&"x".repeat(TITLE_BYTES_MAX))).then_accepted();
    given(thread()).when(rename(By::Member(MERCHANT), "")).then_refused(ChatError::TitleEmpty);
    given(thread()).when(rename(By::Member(MERCHANT), &"x".repeat(TITLE_BYTES_MAX + 1))).then_refused(too_long);
}

#[test]
fn a_thread_takes_its_last_member_and_no_more() {
    let crowd = (2..THREAD_MEMBERS_MAX).map(|number| invited(UserId::from_u128(5_000 + number as u128), MAY_POST, 0));
    given([created()])
        .and(crowd)
        .when(invite(By::Member(MERCHANT), LATE, MAY_POST))
        .then([invited(LATE, MAY_POST, 0)])
        .when(invite(By::Member(MERCHANT), CARRIER, MAY_POST))
        .then_refused(ChatError::TooManyMembers { limit: THREAD_MEMBERS_MAX });
    let named = |members: usize| (0..members).map(|number| invitation(UserId::from_u128(5_000 + number as u128), MAY_POST)).collect();
    given([]).when(create(named(THREAD_MEMBERS_MAX - 1))).then_accepted();
    given([]).when(create(named(THREAD_MEMBERS_MAX))).then_refused(ChatError::TooManyMembers { limit: THREAD_MEMBERS_MAX });
}

#[test]
fn a_newcomer_reads_what_is_said_after_they_came() {
    given(thread())
        .and([said(MERCHANT, 1), said(INFLUENCER, 2)])
        .when(invite(By::Member(MERCHANT), LATE, MAY_POST))
        .then([invited(LATE, MAY_POST, 2)])
        .and([said(MERCHANT, 3), left(LATE), said(MERCHANT, 4)])
        .when(invite(By::Member(MERCHANT), LATE, MAY_POST))
        .then([invited(LATE, MAY_POST, 4)]);
}

#[test]
fn a_member_who_is_invited_again_as_they_are_changes_nothing() {
    given(thread())
        .when(invite(By::Member(MERCHANT), INFLUENCER, MAY_POST))
        .then_nothing()
        .when(invite(By::Member(MERCHANT), INFLUENCER, Permissions::ALL))
        .then_refused(ChatError::AlreadyAMember { user: INFLUENCER })
        .when(invite(By::Member(MERCHANT), MERCHANT, Permissions::ALL))
        .then_refused(ChatError::AlreadyAMember { user: MERCHANT });
}

#[test]
fn each_order_needs_its_permission_and_no_other() {
    let by = By::Member(CARRIER);
    let orders = [
        (Permission::Invite, invite(by, LATE, Permissions::NONE)),
        (Permission::Remove, remove(by, INFLUENCER)),
        (Permission::Manage, rename(by, "summer")),
        (Permission::Manage, change(by, CARRIER, Permissions::NONE)),
        (Permission::Post, post(message(CARRIER, 1))),
    ];
    for (permission, order) in orders {
        given(thread_with(may([permission]))).when(order.clone()).then_accepted();
        let others = Permissions::ALL.iter().filter(|other| *other != permission);
        given(thread_with(may(others))).when(order.clone()).then_refused(ChatError::NotPermitted { permission });
    }
}

#[test]
fn strangers_decide_nothing() {
    let by = By::Member(STRANGER);
    let orders = [
        invite(by, LATE, Permissions::NONE),
        remove(by, INFLUENCER),
        rename(by, "summer"),
        change(by, INFLUENCER, Permissions::NONE),
        pass(by, INFLUENCER),
        dissolve(by),
        post(message(STRANGER, 1)),
        ChatCommand::Thread(ThreadCommand::Mute { user: STRANGER }),
        ChatCommand::Thread(ThreadCommand::Archive { user: STRANGER }),
        ChatCommand::MarkRead { reader: STRANGER, up_to_seq: 1 },
        ChatCommand::Hide { reader: STRANGER, message: message_id(1), seq: 1 },
    ];
    for order in orders {
        given(thread()).and([said(MERCHANT, 1)]).when(order).then_refused(ChatError::NotAMember { user: STRANGER });
    }
}

#[test]
fn nobody_gives_what_they_do_not_have() {
    let carrier = may([Permission::Post, Permission::Invite]);
    given(thread_with(carrier))
        .when(invite(By::Member(CARRIER), LATE, may([Permission::Remove])))
        .then_refused(ChatError::NotYoursToGive)
        .when(invite(By::Member(CARRIER), LATE, carrier))
        .then([invited(LATE, carrier, 0)]);
}

#[test]
fn nobody_takes_what_they_do_not_have() {
    let manages = may([Permission::Post, Permission::Manage]);
    given(thread_with(manages))
        .and([changed(INFLUENCER, may([Permission::Post, Permission::Invite]))])
        .when(change(By::Member(CARRIER), INFLUENCER, Permissions::NONE))
        .then_refused(ChatError::NotYoursToGive)
        // To silence somebody is to take `post` from them; what else they may do stays.
        .when(change(By::Member(CARRIER), INFLUENCER, may([Permission::Invite])))
        .then([changed(INFLUENCER, may([Permission::Invite]))])
        .when(change(By::Member(CARRIER), INFLUENCER, may([Permission::Invite])))
        .then_nothing();
}

#[test]
fn only_members_have_permissions() {
    given(thread())
        .when(change(By::Member(MERCHANT), STRANGER, MAY_POST))
        .then_refused(ChatError::NoSuchMember { user: STRANGER })
        .when(pass(By::Member(MERCHANT), STRANGER))
        .then_refused(ChatError::NoSuchMember { user: STRANGER })
        .when(remove(By::Member(MERCHANT), STRANGER))
        .then_nothing();
}

#[test]
fn the_owner_may_do_everything_and_nobody_changes_that() {
    given(thread_with(Permissions::ALL))
        .when(change(By::Member(CARRIER), MERCHANT, MAY_POST))
        .then_refused(ChatError::OwnerHasAll)
        .when(change(By::Member(MERCHANT), MERCHANT, MAY_POST))
        .then_refused(ChatError::OwnerHasAll)
        .when(change(By::Member(CARRIER), MERCHANT, Permissions::ALL))
        .then_nothing()
        .when(remove(By::Member(CARRIER), MERCHANT))
        .then_refused(ChatError::OwnerStays);
}

#[test]
fn a_member_leaves_once_and_is_no_member_then() {
    given(thread())
        .when(leave(INFLUENCER))
        .then([left(INFLUENCER)])
        .when(leave(INFLUENCER))
        .then_nothing()
        .when(post(message(INFLUENCER, 1)))
        .then_refused(ChatError::NotAMember { user: INFLUENCER });
}

#[test]
fn the_owner_leaves_after_passing_the_thread_on() {
    given(thread())
        .when(leave(MERCHANT))
        .then_refused(ChatError::OwnerStays)
        .when(pass(By::Member(MERCHANT), CARRIER))
        .then([passed(MERCHANT, CARRIER)])
        .when(pass(By::Member(CARRIER), CARRIER))
        .then_nothing()
        .when(leave(CARRIER))
        .then_refused(ChatError::OwnerStays)
        .when(leave(MERCHANT))
        .then([left(MERCHANT)]);
}

#[test]
fn the_last_member_cannot_leave_a_thread_without_an_owner() {
    given([created()]).when(leave(MERCHANT)).then_refused(ChatError::OwnerStays);
}

#[test]
fn the_next_owner_may_do_everything_and_the_one_before_is_a_member_like_others() {
    given(thread_with(Permissions::NONE))
        .and([passed(MERCHANT, CARRIER)])
        .when(change(By::Member(CARRIER), MERCHANT, MAY_POST))
        .then([changed(MERCHANT, MAY_POST)])
        .when(dissolve(By::Member(MERCHANT)))
        .then_refused(ChatError::NotTheOwner);
}

#[test]
fn only_the_owner_passes_a_thread_on_and_dissolves_it() {
    for order in [pass(By::Member(CARRIER), CARRIER), dissolve(By::Member(CARRIER))] {
        given(thread_with(Permissions::ALL)).when(order).then_refused(ChatError::NotTheOwner);
    }
    given(thread()).when(dissolve(By::Member(MERCHANT))).then([dissolved(MERCHANT)]);
}

#[test]
fn whoever_sets_up_the_tenant_decides_without_being_in_it() {
    let host = By::Host(ADMIN);
    given(thread()).when(invite(host, LATE, Permissions::ALL)).then([invited(LATE, Permissions::ALL, 0)]);
    given(thread()).when(remove(host, INFLUENCER)).then([left(INFLUENCER)]);
    given(thread()).when(change(host, INFLUENCER, Permissions::ALL)).then([changed(INFLUENCER, Permissions::ALL)]);
    given(thread()).when(rename(host, "autumn")).then([GroupRenamed { by: ADMIN, private: titled("autumn") }.into()]);
    given(thread()).when(pass(host, CARRIER)).then([passed(MERCHANT, CARRIER)]);
    given(thread()).when(dissolve(host)).then([dissolved(ADMIN)]).when(dissolve(host)).then_nothing();
    given(thread()).when(remove(host, MERCHANT)).then_refused(ChatError::OwnerStays);
    given(thread()).when(post(message(ADMIN, 1))).then_refused(ChatError::NotAMember { user: ADMIN });
}

#[test]
fn a_dissolved_thread_is_read_and_left_and_nothing_else() {
    let history = || {
        let mut history = thread();
        history.extend([said(INFLUENCER, 1), said(MERCHANT, 2), dissolved(MERCHANT)]);
        given(history)
    };
    let by = By::Member(MERCHANT);
    let orders = [
        post(message(INFLUENCER, 3)),
        post(message(MERCHANT, 3)),
        invite(by, LATE, MAY_POST),
        remove(by, INFLUENCER),
        change(by, INFLUENCER, Permissions::NONE),
        pass(by, INFLUENCER),
        rename(by, "winter"),
    ];
    for order in orders {
        history().when(order).then_refused(ChatError::Dissolved);
    }
    history().when(dissolve(by)).then_nothing();
    history().when(dissolve(By::Member(STRANGER))).then_refused(ChatError::NotAMember { user: STRANGER });
    history().when(ChatCommand::MarkRead { reader: CARRIER, up_to_seq: 2 }).then([read_up_to(CARRIER, 2)]);
    history().when(ChatCommand::Hide { reader: CARRIER, message: message_id(1), seq: 1 }).then([hidden(CARRIER, 1)]);
    history().when(ChatCommand::Thread(ThreadCommand::Archive { user: CARRIER })).then([ThreadArchived { user: CARRIER }.into()]);
    history().when(leave(MERCHANT)).then([left(MERCHANT)]);
    // A repeated message is there, whatever came after it.
    history().when(post(message(INFLUENCER, 1))).then_nothing();
}

#[test]
fn muting_and_archiving_are_ones_own_and_said_once() {
    let order = |command| ChatCommand::Thread(command);
    given(thread())
        .when(order(ThreadCommand::Unmute { user: CARRIER }))
        .then_nothing()
        .when(order(ThreadCommand::Mute { user: CARRIER }))
        .then([ThreadMuted { user: CARRIER }.into()])
        .when(order(ThreadCommand::Mute { user: CARRIER }))
        .then_nothing()
        .when(order(ThreadCommand::Mute { user: INFLUENCER }))
        .then([ThreadMuted { user: INFLUENCER }.into()])
        .when(order(ThreadCommand::Unmute { user: CARRIER }))
        .then([ThreadUnmuted { user: CARRIER }.into()])
        .when(order(ThreadCommand::Unarchive { user: CARRIER }))
        .then_nothing()
        .when(order(ThreadCommand::Archive { user: CARRIER }))
        .then([ThreadArchived { user: CARRIER }.into()])
        .when(order(ThreadCommand::Unarchive { user: CARRIER }))
        .then([ThreadUnarchived { user: CARRIER }.into()]);
}
