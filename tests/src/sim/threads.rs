//! Group threads in the simulation: what their members ask, and what must hold of them.

use std::collections::{BTreeMap, BTreeSet};

use application::log::stream::StreamId;
use domain::chat::command::{By, ChatCommand, Invitation, ThreadCommand};
use domain::chat::event::ChatEvent;
use domain::chat::permissions::Permissions;
use domain::event::Event;
use domain::ids::{ChatId, UserId};
use domain::message::Permission;

use super::Random;
use crate::recount::Placed;

/// Threads of a tenant: few, so that they fill, change hands, and end.
const THREADS: usize = 3;

/// One of a tenant's threads.
pub fn thread(tenant: usize, random: &mut Random) -> ChatId {
    ChatId::from_u128(0x3000 + 0x100 * tenant as u128 + random.below(THREADS) as u128)
}

fn permissions(random: &mut Random) -> Permissions {
    let some = [Permissions::ALL, Permissions::POST, Permissions::NONE, [Permission::Post, Permission::Invite].into_iter().collect()];
    random.pick(&some)
}

fn invitation(user: UserId, random: &mut Random) -> Invitation {
    Invitation { user, label: "guest".parse().expect("a label"), permissions: permissions(random) }
}

/// What somebody asks of a thread, beside posting.
pub fn order(by: UserId, other: UserId, random: &mut Random) -> ChatCommand {
    let member = if random.once_in(12) { By::Host(by) } else { By::Member(by) };
    let command = match random.below(40) {
        0..6 => {
            let members = vec![invitation(other, random)];
            ThreadCommand::Create { owner: by, label: "merchant".parse().expect("a label"), title: "Spring".to_owned(), members }
        }
        6..18 => ThreadCommand::Invite { by: member, invitation: invitation(other, random) },
        18..22 => ThreadCommand::Remove { by: member, user: other },
        22..26 => return ChatCommand::Leave { user: by },
        26..30 => ThreadCommand::ChangePermissions { by: member, user: other, permissions: permissions(random) },
        30..33 => ThreadCommand::PassOwnership { by: member, to: other },
        33..35 => ThreadCommand::Rename { by: member, title: "Summer".to_owned() },
        35 => ThreadCommand::Mute { user: by },
        36..39 => return ChatCommand::MarkRead { reader: by, up_to_seq: random.below(6) as u64 },
        _ => ThreadCommand::Dissolve { by: member },
    };
    ChatCommand::Thread(command)
}

#[derive(Default)]
struct Thread {
    owner: Option<UserId>,
    is_dissolved: bool,
    members: BTreeMap<UserId, Permissions>,
    last_seq: u64,
}

/// An owner who is a member until the end; nobody speaks who is not in it, may not, or after the end; who comes begins behind what
/// was said.
///
/// # Errors
/// What is broken.
pub fn check(events: &[Placed]) -> Result<(), String> {
    let mut threads: BTreeMap<StreamId, Thread> = BTreeMap::new();
    let made = |event: &Event| matches!(event, Event::Chat(ChatEvent::GroupCreated(_)));
    let ids: BTreeSet<StreamId> = events.iter().filter(|placed| made(&placed.event)).map(|placed| placed.stream).collect();
    for Placed { stream, event, .. } in events.iter().filter(|placed| ids.contains(&placed.stream)) {
        let Event::Chat(event) = event else { continue };
        let thread = threads.entry(*stream).or_default();
        follow(thread, event).map_err(|broken| format!("{stream}: {broken}"))?;
        let owned = thread.is_dissolved || thread.owner.is_some_and(|owner| thread.members.contains_key(&owner));
        if !owned {
            return Err(format!("{stream}: nobody answers for it after {event:?}"));
        }
    }
    Ok(())
}

fn follow(thread: &mut Thread, event: &ChatEvent) -> Result<(), String> {
    match event {
        ChatEvent::GroupCreated(created) => {
            thread.owner = Some(created.owner);
            thread.members.insert(created.owner, Permissions::ALL);
        }
        ChatEvent::MemberInvited(invited) => {
            if invited.floor != thread.last_seq {
                return Err(format!("{} comes at {} and sees what lies behind {}", invited.user, thread.last_seq, invited.floor));
            }
            if thread.members.insert(invited.user, invited.permissions).is_some() {
                return Err(format!("{} was a member already", invited.user));
            }
        }
        ChatEvent::MemberLeft(left) => {
            thread.members.remove(&left.user).ok_or(format!("{} was no member", left.user))?;
        }
        ChatEvent::PermissionsChanged(changed) => {
            *thread.members.get_mut(&changed.user).ok_or("permissions of nobody")? = changed.permissions;
        }
        ChatEvent::OwnershipPassed(passed) => {
            thread.owner = Some(passed.to);
            *thread.members.get_mut(&passed.to).ok_or("owned by nobody")? = Permissions::ALL;
        }
        ChatEvent::MessagePosted(posted) => {
            let may = thread.members.get(&posted.sender).is_some_and(|permissions| permissions.has(Permission::Post));
            if !may || thread.is_dissolved {
                return Err(format!("{} may not say {}", posted.sender, posted.seq));
            }
            thread.last_seq = posted.seq;
        }
        ChatEvent::GroupDissolved(_) => thread.is_dissolved = true,
        ChatEvent::ChatOpened(_)
        | ChatEvent::MemberJoined(_)
        | ChatEvent::CustomerReplaced(_)
        | ChatEvent::MessageRecalled(_)
        | ChatEvent::MessageHidden(_)
        | ChatEvent::MessagesRead(_)
        | ChatEvent::UploadExpired(_)
        | ChatEvent::ConversationStarted(_)
        | ChatEvent::ConversationResumed(_)
        | ChatEvent::ConversationEnded(_)
        | ChatEvent::ConversationIdled(_)
        | ChatEvent::IdleLimitsSet(_)
        | ChatEvent::IdleReminded(_)
        | ChatEvent::AnswerOverdue(_)
        | ChatEvent::AssignmentAccepted(_)
        | ChatEvent::AssignmentTimedOut(_)
        | ChatEvent::RobotEngaged(_)
        | ChatEvent::RobotDismissed(_)
        | ChatEvent::QuestionAsked(_)
        | ChatEvent::OutreachAttempted(_)
        | ChatEvent::OutreachHandedOver(_)
        | ChatEvent::GroupRenamed(_)
        | ChatEvent::ThreadMuted(_)
        | ChatEvent::ThreadUnmuted(_)
        | ChatEvent::ThreadArchived(_)
        | ChatEvent::ThreadUnarchived(_) => {}
    }
    Ok(())
}
