//! Group threads: who is in them, what each may do, who answers for them, and what remains after the end.

mod deciding;
mod properties;
mod talking;

use super::*;
use crate::chat::command::{By, Invitation, ThreadCommand};
use crate::chat::error::ChatError;
use crate::chat::event::{
    GroupCreated, GroupDissolved, GroupRenamed, MemberInvited, OwnershipPassed, PermissionsChanged, ThreadArchived, ThreadMuted,
    ThreadTitle, ThreadUnarchived, ThreadUnmuted,
};
use crate::chat::permissions::Permissions;
use crate::message::Permission;

const MERCHANT: UserId = UserId::from_u128(21);
const INFLUENCER: UserId = UserId::from_u128(22);
const CARRIER: UserId = UserId::from_u128(23);
const LATE: UserId = UserId::from_u128(24);
const ADMIN: UserId = UserId::from_u128(25);

const MAY_POST: Permissions = Permissions::POST;

fn may(permissions: impl IntoIterator<Item = Permission>) -> Permissions {
    permissions.into_iter().collect()
}

fn titled(title: &str) -> Private<ThreadTitle> {
    Private::Known(ThreadTitle { title: title.to_owned() })
}

fn label(user: UserId) -> crate::labels::Label {
    let word = match user {
        MERCHANT => "merchant",
        INFLUENCER => "influencer",
        CARRIER => "carrier",
        _ => "guest",
    };
    word.parse().unwrap()
}

fn created() -> ChatEvent {
    GroupCreated { owner: MERCHANT, label: label(MERCHANT), private: titled("spring") }.into()
}

fn invited(user: UserId, permissions: Permissions, floor: u64) -> ChatEvent {
    MemberInvited { user, label: label(user), permissions, floor }.into()
}

fn changed(user: UserId, permissions: Permissions) -> ChatEvent {
    PermissionsChanged { user, permissions }.into()
}

fn passed(from: UserId, to: UserId) -> ChatEvent {
    OwnershipPassed { from, to }.into()
}

fn dissolved(by: UserId) -> ChatEvent {
    GroupDissolved { by }.into()
}

/// The merchant's thread, with an influencer who posts and a carrier who may do this.
fn thread_with(carrier: Permissions) -> Vec<ChatEvent> {
    vec![created(), invited(INFLUENCER, MAY_POST, 0), invited(CARRIER, carrier, 0)]
}

fn thread() -> Vec<ChatEvent> {
    thread_with(MAY_POST)
}

fn invitation(user: UserId, permissions: Permissions) -> Invitation {
    Invitation { user, label: label(user), permissions }
}

fn create(members: Vec<Invitation>) -> ChatCommand {
    ChatCommand::Thread(ThreadCommand::Create { owner: MERCHANT, label: label(MERCHANT), title: "spring".to_owned(), members })
}

fn invite(by: By, user: UserId, permissions: Permissions) -> ChatCommand {
    ChatCommand::Thread(ThreadCommand::Invite { by, invitation: invitation(user, permissions) })
}

fn remove(by: By, user: UserId) -> ChatCommand {
    ChatCommand::Thread(ThreadCommand::Remove { by, user })
}

fn change(by: By, user: UserId, permissions: Permissions) -> ChatCommand {
    ChatCommand::Thread(ThreadCommand::ChangePermissions { by, user, permissions })
}

fn pass(by: By, to: UserId) -> ChatCommand {
    ChatCommand::Thread(ThreadCommand::PassOwnership { by, to })
}

fn rename(by: By, title: &str) -> ChatCommand {
    ChatCommand::Thread(ThreadCommand::Rename { by, title: title.to_owned() })
}

fn dissolve(by: By) -> ChatCommand {
    ChatCommand::Thread(ThreadCommand::Dissolve { by })
}

fn leave(user: UserId) -> ChatCommand {
    ChatCommand::Leave { user }
}

/// What becomes of [`message`] when it is the one at the place of its number in a thread.
fn said(sender: UserId, number: u64) -> ChatEvent {
    MessagePosted { category: Category::Agent, ..fact_of(&message(sender, number), number, None, None) }.into()
}
