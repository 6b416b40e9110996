//! What a group thread answers: who is in it, what each may do, who answers for it, and when it ends.
//!
//! Its owner may do everything. Everybody else may do what they were given, and gives and takes only what they have.

use super::super::command::{By, Invitation, PostMessage, ThreadCommand};
use super::super::error::ChatError;
use super::super::event::{
    ChatEvent, GroupCreated, GroupDissolved, GroupRenamed, MemberInvited, MemberLeft, MessagePosted, OwnershipPassed, PermissionsChanged,
    ThreadArchived, ThreadMuted, ThreadTitle, ThreadUnarchived, ThreadUnmuted,
};
use super::super::permissions::Permissions;
use super::super::state::{ChatState, GroupThread, OpenChat, Participant, THREAD_MEMBERS_MAX, TITLE_BYTES_MAX};
use super::{Decided, check_attached, check_content, message};
use crate::ids::UserId;
use crate::labels::Label;
use crate::message::{Permission, Persona, Visibility};
use crate::private::Private;
use crate::time::Timestamp;

pub(super) fn create(owner: UserId, label: &Label, title: &str, members: &[Invitation], state: &ChatState) -> Decided {
    if state.open().is_some() {
        return Err(ChatError::BelongsToAnother);
    }
    let title = titled(title)?;
    let mut events: Vec<ChatEvent> = vec![GroupCreated { owner, label: label.clone(), private: Private::Known(title) }.into()];
    let mut named: Vec<&Invitation> = Vec::with_capacity(members.len());
    for invitation in members {
        match named.iter().find(|known| known.user == invitation.user) {
            Some(known) if *known == invitation => {}
            Some(_) => return Err(ChatError::AlreadyAMember { user: invitation.user }),
            None if invitation.user == owner => return Err(ChatError::AlreadyAMember { user: owner }),
            None => named.push(invitation),
        }
    }
    if named.len() + 1 > THREAD_MEMBERS_MAX {
        return Err(ChatError::TooManyMembers { limit: THREAD_MEMBERS_MAX });
    }
    events.extend(named.into_iter().map(|invitation| invited(invitation, 0)));
    Ok(events)
}

pub(super) fn decide(command: &ThreadCommand, chat: &OpenChat) -> Decided {
    let thread = chat.thread().ok_or(ChatError::OtherKind)?;
    match command {
        ThreadCommand::Create { .. } => Ok(vec![]),
        ThreadCommand::Invite { by, invitation } => invite(chat, owner(thread)?, *by, invitation),
        ThreadCommand::Remove { by, user } => remove(chat, owner(thread)?, *by, *user),
        ThreadCommand::ChangePermissions { by, user, permissions } => change_permissions(chat, owner(thread)?, *by, *user, *permissions),
        ThreadCommand::PassOwnership { by, to } => pass_ownership(chat, owner(thread)?, *by, *to),
        ThreadCommand::Rename { by, title } => rename(chat, owner(thread)?, *by, title),
        ThreadCommand::Mute { user } => Ok(wish(participant(chat, *user)?.muted, true, ThreadMuted { user: *user })),
        ThreadCommand::Unmute { user } => Ok(wish(participant(chat, *user)?.muted, false, ThreadUnmuted { user: *user })),
        ThreadCommand::Archive { user } => Ok(wish(participant(chat, *user)?.archived, true, ThreadArchived { user: *user })),
        ThreadCommand::Unarchive { user } => Ok(wish(participant(chat, *user)?.archived, false, ThreadUnarchived { user: *user })),
        ThreadCommand::Dissolve { by } => dissolve(chat, thread, *by),
    }
}

/// A wish about one's own list is a fact when it is another one than before.
fn wish(before: bool, after: bool, event: impl Into<ChatEvent>) -> Vec<ChatEvent> {
    if before == after { vec![] } else { vec![event.into()] }
}

const fn owner(thread: GroupThread) -> Result<UserId, ChatError> {
    match thread {
        GroupThread::Live { owner } => Ok(owner),
        GroupThread::Dissolved => Err(ChatError::Dissolved),
    }
}

fn participant(chat: &OpenChat, user: UserId) -> Result<&Participant, ChatError> {
    chat.members.get(&user).and_then(|member| member.participant()).ok_or(ChatError::NotAMember { user })
}

/// What somebody may do. Whoever sets up the hosting tenant may do everything.
fn permissions(chat: &OpenChat, by: By) -> Result<Permissions, ChatError> {
    match by {
        By::Host(_) => Ok(Permissions::ALL),
        By::Member(user) => participant(chat, user).map(|participant| participant.permissions),
    }
}

/// What somebody may do, if this is among it.
fn permitted(chat: &OpenChat, by: By, permission: Permission) -> Result<Permissions, ChatError> {
    let own = permissions(chat, by)?;
    if own.has(permission) { Ok(own) } else { Err(ChatError::NotPermitted { permission }) }
}

fn titled(title: &str) -> Result<ThreadTitle, ChatError> {
    if title.trim().is_empty() {
        return Err(ChatError::TitleEmpty);
    }
    if title.len() > TITLE_BYTES_MAX {
        return Err(ChatError::TitleTooLong { bytes_max: TITLE_BYTES_MAX });
    }
    Ok(ThreadTitle { title: title.to_owned() })
}

fn invited(invitation: &Invitation, floor: u64) -> ChatEvent {
    let Invitation { user, label, permissions } = invitation.clone();
    MemberInvited { user, label, permissions, floor }.into()
}

fn invite(chat: &OpenChat, owner: UserId, by: By, invitation: &Invitation) -> Decided {
    let own = permitted(chat, by, Permission::Invite)?;
    if !own.has_all(invitation.permissions) {
        return Err(ChatError::NotYoursToGive);
    }
    let user = invitation.user;
    match chat.members.get(&user).and_then(|member| member.participant()) {
        Some(known) if user != owner && known.label == invitation.label && known.permissions == invitation.permissions => Ok(vec![]),
        Some(_) => Err(ChatError::AlreadyAMember { user }),
        None if chat.members.len() >= THREAD_MEMBERS_MAX => Err(ChatError::TooManyMembers { limit: THREAD_MEMBERS_MAX }),
        None => Ok(vec![invited(invitation, chat.last_seq)]),
    }
}

fn remove(chat: &OpenChat, owner: UserId, by: By, user: UserId) -> Decided {
    permitted(chat, by, Permission::Remove)?;
    if user == owner {
        return Err(ChatError::OwnerStays);
    }
    Ok(chat.members.get(&user).map(|_| MemberLeft { user }.into()).into_iter().collect())
}

pub(super) fn leave(chat: &OpenChat, thread: GroupThread, user: UserId) -> Decided {
    match thread {
        GroupThread::Live { owner } if owner == user => Err(ChatError::OwnerStays),
        GroupThread::Live { .. } | GroupThread::Dissolved => {
            Ok(chat.members.get(&user).map(|_| MemberLeft { user }.into()).into_iter().collect())
        }
    }
}

fn change_permissions(chat: &OpenChat, owner: UserId, by: By, user: UserId, wanted: Permissions) -> Decided {
    let own = permitted(chat, by, Permission::Manage)?;
    let before = participant(chat, user).map_err(|_| ChatError::NoSuchMember { user })?.permissions;
    if before == wanted {
        return Ok(vec![]);
    }
    if user == owner {
        return Err(ChatError::OwnerHasAll);
    }
    if !own.has_all(before.differing(wanted)) {
        return Err(ChatError::NotYoursToGive);
    }
    Ok(vec![PermissionsChanged { user, permissions: wanted }.into()])
}

/// Only the owner, or whoever sets up the hosting tenant.
fn check_owner(chat: &OpenChat, owner: UserId, by: By) -> Result<UserId, ChatError> {
    match by {
        By::Host(user) => Ok(user),
        By::Member(user) if user == owner => Ok(user),
        By::Member(user) => participant(chat, user).and(Err(ChatError::NotTheOwner)),
    }
}

fn pass_ownership(chat: &OpenChat, owner: UserId, by: By, to: UserId) -> Decided {
    check_owner(chat, owner, by)?;
    participant(chat, to).map_err(|_| ChatError::NoSuchMember { user: to })?;
    if to == owner { Ok(vec![]) } else { Ok(vec![OwnershipPassed { from: owner, to }.into()]) }
}

fn rename(chat: &OpenChat, _owner: UserId, by: By, title: &str) -> Decided {
    permitted(chat, by, Permission::Manage)?;
    let (By::Member(user) | By::Host(user)) = by;
    Ok(vec![GroupRenamed { by: user, private: Private::Known(titled(title)?) }.into()])
}

fn dissolve(chat: &OpenChat, thread: GroupThread, by: By) -> Decided {
    match thread {
        GroupThread::Live { owner } => Ok(vec![GroupDissolved { by: check_owner(chat, owner, by)? }.into()]),
        // Told to members only.
        GroupThread::Dissolved => permissions(chat, by).map(|_| vec![]),
    }
}

/// A message of a participant: under their own name, outside of any conversation, for everybody who is there.
pub(super) fn post(chat: &OpenChat, thread: GroupThread, post: &PostMessage, at: Timestamp) -> Decided {
    let own = participant(chat, post.sender)?.permissions;
    owner(thread)?;
    if !own.has(Permission::Post) {
        return Err(ChatError::NotPermitted { permission: Permission::Post });
    }
    match post.visibility {
        Visibility::All => {}
        Visibility::Staff => return Err(ChatError::StaffOnly),
    }
    check_content(post)?;
    let attachment = check_attached(post, at)?;
    Ok(vec![MessagePosted { attachment, ..message(chat, post, post.as_participant, Persona::Oneself) }.into()])
}
