//! The rules of a user's account.
//!
//! Already true is no event; not allowed is an error. A closed or merged account refuses whatever is not already true of it.

use std::collections::BTreeSet;

use crate::devices::{DEVICES_MAX, DeviceKind, DevicePolicy};
use crate::ids::{CannedReplyId, ChannelId, GroupId, SessionId, UserId};
use crate::labels::Label;
use crate::message::{CannedText, URL_BYTES_MAX};
use crate::private::Private;
use crate::time::Timestamp;
use crate::user::abilities::AbilitiesChange;
use crate::user::block::{block, unblock};
use crate::user::command::UserCommand;
use crate::user::describe::describe;
use crate::user::error::UserError;
use crate::user::event::{
    AbilitiesChanged, CameOnline, CannedReplyRemoved, CannedReplySaved, CapacityChanged, ChannelReceived, CustomerMerged, Device,
    ExternalAccount, ExternalAccountMapped, GroupsChanged, KeyedDigest, PasswordHash, PasswordSet, Profile, ProfileChanged, Role,
    ServicePaused, ServiceStarted, ServiceStopped, SessionEnd, SessionEnded, SessionRefreshed, SessionStarted, UserDeactivated, UserEvent,
    UserRegistered, WentOffline,
};
use crate::user::state::{
    ACCOUNTS_MAX, ActiveUser, CANNED_REPLIES_MAX, CAPACITY_MAX, GROUPS_MAX, Service, ServiceStatus, Session, UserState,
};

/// Longest name, account id, provider, device label or address in bytes of UTF-8; all fit one line of a page.
pub const TEXT_BYTES_MAX: usize = 512;
/// Longest password hash in bytes; argon2id in PHC form takes about 100.
pub const PASSWORD_HASH_BYTES_MAX: usize = 512;

pub(super) type Decision = Result<Vec<UserEvent>, UserError>;

/// Answers one command.
///
/// # Errors
/// The rule that refuses.
pub fn decide(command: &UserCommand, state: &UserState, at: Timestamp) -> Decision {
    match command {
        UserCommand::Register { role, anonymous, profile } => register(state, *role, *anonymous, profile),
        UserCommand::ChangeProfile { profile } => change_profile(state, profile),
        UserCommand::MapExternalAccount { digest, account } => map_external_account(state, *digest, account),
        UserCommand::SetPassword { hash } => set_password(state, hash),
        UserCommand::StartSession { session, refresh, expires_at, device, kind, policy } => {
            let started = Session { refresh: *refresh, expires_at: *expires_at, kind: *kind };
            start_session(state, *session, started, device, policy, at)
        }
        UserCommand::RefreshSession { session, presented, next, expires_at } => {
            refresh_session(state, *session, (*presented, *next), *expires_at, at)
        }
        UserCommand::EndSession { session, reason } => end_session(state, *session, *reason, at),
        UserCommand::EndAllSessions { reason } => end_all_sessions(state, *reason, at),
        UserCommand::Deactivate => deactivate(state, at),
        UserCommand::Merge { user, into } => merge(state, *user, *into, at),
        UserCommand::ChangeGroups { groups } => change_groups(state, groups),
        UserCommand::ChangeCapacity { capacity } => change_capacity(state, *capacity),
        UserCommand::ChangeAbilities(change) => change_abilities(state, change),
        UserCommand::StartService => start_service(state),
        UserCommand::PauseService { reason } => pause_service(state, reason.as_ref()),
        UserCommand::StopService => stop_service(state),
        UserCommand::ComeOnline => come_online(state),
        UserCommand::GoOffline => go_offline(state),
        UserCommand::AddCannedReply { reply, shortcut, content } => add_canned_reply(state, *reply, shortcut, content),
        UserCommand::ChangeCannedReply { reply, shortcut, content } => change_canned_reply(state, *reply, shortcut, content),
        UserCommand::RemoveCannedReply { reply } => remove_canned_reply(state, *reply),
        UserCommand::BlockCustomer { by, reason } => block(state, *by, reason.as_ref()),
        UserCommand::UnblockCustomer { by } => unblock(state, *by),
        UserCommand::Describe(order) => describe(active(state)?, order),
        UserCommand::ReceiveByChannel { channel, up_to } => receive_by_channel(state, *channel, *up_to),
    }
}

fn register(state: &UserState, role: Role, anonymous: bool, profile: &Profile) -> Decision {
    let Some(identity) = state.identity() else {
        if anonymous && role != Role::Customer {
            return Err(UserError::OnlyCustomersAreAnonymous { role });
        }
        check_profile(profile)?;
        return Ok(vec![UserRegistered { role, anonymous, private: Private::Known(profile.clone()) }.into()]);
    };
    if (identity.role, identity.anonymous) == (role, anonymous) {
        return Ok(vec![]);
    }
    active(state)?;
    Err(UserError::RegisteredOtherwise { role: identity.role, anonymous: identity.anonymous })
}

fn change_profile(state: &UserState, profile: &Profile) -> Decision {
    active(state)?;
    check_profile(profile)?;
    Ok(vec![ProfileChanged { private: Private::Known(profile.clone()) }.into()])
}

fn map_external_account(state: &UserState, digest: KeyedDigest, account: &ExternalAccount) -> Decision {
    if state.identity().is_some_and(|identity| identity.accounts.contains(&digest)) {
        return Ok(vec![]);
    }
    let user = active(state)?;
    check_text("provider", &account.provider, TEXT_BYTES_MAX)?;
    check_text("account", &account.account, TEXT_BYTES_MAX)?;
    if user.identity.accounts.len() >= ACCOUNTS_MAX {
        return Err(UserError::TooManyAccounts { accounts_max: ACCOUNTS_MAX });
    }
    Ok(vec![ExternalAccountMapped { account: digest, private: Private::Known(account.clone()) }.into()])
}

fn set_password(state: &UserState, hash: &PasswordHash) -> Decision {
    active(state)?;
    check_text("hash", &hash.phc, PASSWORD_HASH_BYTES_MAX)?;
    Ok(vec![PasswordSet { private: Private::Known(hash.clone()) }.into()])
}

fn start_session(state: &UserState, id: SessionId, started: Session, device: &Device, policy: &DevicePolicy, at: Timestamp) -> Decision {
    let user = active(state)?;
    if let Some(live) = state.live_session(id, at) {
        return if *live == started { Ok(vec![]) } else { Err(UserError::SessionTaken { session: id }) };
    }
    if user.blocked {
        return Err(UserError::Blocked);
    }
    if !started.is_live(at) {
        return Err(UserError::ExpiryNotAhead);
    }
    check_text("label", &device.label, TEXT_BYTES_MAX)?;
    check_text("address", device.address.as_deref().unwrap_or_default(), TEXT_BYTES_MAX)?;
    let mut events = make_room(user, started.kind, policy, at);
    let Session { refresh, expires_at, kind } = started;
    events.push(SessionStarted { session: id, refresh, expires_at, kind, private: Private::Known(device.clone()) }.into());
    Ok(events)
}

/// Ends the sessions that the newcomer's kind ends, and of the rest those that would expire first, until there is room for one more.
fn make_room(user: &ActiveUser, newcomer: DeviceKind, policy: &DevicePolicy, at: Timestamp) -> Vec<UserEvent> {
    let goes = |session: &Session| policy.ends(newcomer, session.kind);
    let mut sessions: Vec<_> = user.live_sessions(at).map(|(id, session)| (!goes(session), session.expires_at, id)).collect();
    sessions.sort_unstable();
    let kicked = sessions.iter().filter(|(stays, _, _)| !stays).count();
    let most = usize::from(policy.devices_max.clamp(1, DEVICES_MAX));
    let superseded = (sessions.len() + 1).saturating_sub(most).max(kicked);
    sessions.into_iter().take(superseded).map(|(_, _, id)| ended(id, SessionEnd::Superseded)).collect()
}

/// A wrong secret is judged before anything else about the refresh: somebody holds a copy, and the session must not survive it.
fn refresh_session(
    state: &UserState,
    id: SessionId,
    (presented, next): (KeyedDigest, KeyedDigest),
    expires_at: Timestamp,
    at: Timestamp,
) -> Decision {
    let user = active(state)?;
    let session = user.sessions.get(&id).ok_or(UserError::SessionNotLive { session: id })?;
    if !session.is_live(at) {
        return Err(UserError::SessionExpired { session: id });
    }
    if session.refresh != presented {
        return Ok(vec![ended(id, SessionEnd::RefreshReused)]);
    }
    if at >= expires_at {
        return Err(UserError::ExpiryNotAhead);
    }
    Ok(vec![SessionRefreshed { session: id, refresh: next, expires_at }.into()])
}

fn end_session(state: &UserState, id: SessionId, reason: SessionEnd, at: Timestamp) -> Decision {
    registered(state)?;
    Ok(state.live_session(id, at).map(|_| ended(id, reason)).into_iter().collect())
}

fn end_all_sessions(state: &UserState, reason: SessionEnd, at: Timestamp) -> Decision {
    registered(state)?;
    Ok(state.active().map(|user| all_sessions_ended(user, reason, at)).unwrap_or_default())
}

fn deactivate(state: &UserState, at: Timestamp) -> Decision {
    if matches!(state, UserState::Deactivated(_)) {
        return Ok(vec![]);
    }
    let user = active(state)?;
    let mut events = all_sessions_ended(user, SessionEnd::Deactivated, at);
    if user.service.as_ref().is_some_and(|service| service.status != ServiceStatus::Stopped) {
        events.push(ServiceStopped {}.into());
    }
    events.push(UserDeactivated {}.into());
    Ok(events)
}

fn merge(state: &UserState, user: UserId, into: UserId, at: Timestamp) -> Decision {
    if matches!(state, UserState::Merged { into: before, .. } if *before == into) {
        return Ok(vec![]);
    }
    let customer = active(state)?;
    if user == into {
        return Err(UserError::MergedIntoItself);
    }
    if !customer.identity.anonymous {
        return Err(UserError::NotAnonymous);
    }
    let mut events = all_sessions_ended(customer, SessionEnd::Merged, at);
    events.push(CustomerMerged { into, blocked: customer.blocked }.into());
    Ok(events)
}

fn change_groups(state: &UserState, groups: &[GroupId]) -> Decision {
    let service = service(state)?;
    let groups: BTreeSet<GroupId> = groups.iter().copied().collect();
    if groups == service.groups {
        return Ok(vec![]);
    }
    if groups.len() > GROUPS_MAX {
        return Err(UserError::TooManyGroups { groups: groups.len(), groups_max: GROUPS_MAX });
    }
    Ok(vec![GroupsChanged { groups: groups.into_iter().collect() }.into()])
}

fn change_capacity(state: &UserState, capacity: u32) -> Decision {
    let service = service(state)?;
    if capacity > CAPACITY_MAX {
        return Err(UserError::CapacityTooLarge { capacity, capacity_max: CAPACITY_MAX });
    }
    if capacity == service.capacity {
        return Ok(vec![]);
    }
    Ok(vec![CapacityChanged { capacity }.into()])
}

fn change_abilities(state: &UserState, change: &AbilitiesChange) -> Decision {
    let before = &service(state)?.abilities;
    let abilities = change.of(before)?;
    if abilities == **before { Ok(vec![]) } else { Ok(vec![AbilitiesChanged { abilities }.into()]) }
}

fn start_service(state: &UserState) -> Decision {
    match service(state)?.status {
        ServiceStatus::Started => Ok(vec![]),
        ServiceStatus::Stopped | ServiceStatus::Paused { .. } => Ok(vec![ServiceStarted {}.into()]),
    }
}

fn pause_service(state: &UserState, reason: Option<&Label>) -> Decision {
    let service = service(state)?;
    match &service.status {
        ServiceStatus::Stopped => Err(UserError::NotOnService),
        ServiceStatus::Paused { reason: before } if before.as_ref() == reason => Ok(vec![]),
        ServiceStatus::Started | ServiceStatus::Paused { .. } => Ok(vec![ServicePaused { reason: reason.cloned() }.into()]),
    }
}

fn stop_service(state: &UserState) -> Decision {
    if let UserState::Deactivated(identity) = state
        && identity.role.serves()
    {
        return Ok(vec![]);
    }
    match service(state)?.status {
        ServiceStatus::Stopped => Ok(vec![]),
        ServiceStatus::Started | ServiceStatus::Paused { .. } => Ok(vec![ServiceStopped {}.into()]),
    }
}

fn come_online(state: &UserState) -> Decision {
    let user = active(state)?;
    if user.online { Ok(vec![]) } else { Ok(vec![CameOnline { serves: user.identity.role.serves() }.into()]) }
}

fn go_offline(state: &UserState) -> Decision {
    registered(state)?;
    Ok(state
        .active()
        .filter(|user| user.online)
        .map(|user| WentOffline { serves: user.identity.role.serves() }.into())
        .into_iter()
        .collect())
}

fn add_canned_reply(state: &UserState, reply: CannedReplyId, shortcut: &Label, content: &CannedText) -> Decision {
    let service = service(state)?;
    if service.canned_replies.contains_key(&reply) {
        return Ok(vec![]);
    }
    if service.canned_replies.len() >= CANNED_REPLIES_MAX {
        return Err(UserError::TooManyCannedReplies { replies_max: CANNED_REPLIES_MAX });
    }
    save_canned_reply(service, reply, shortcut, content)
}

fn change_canned_reply(state: &UserState, reply: CannedReplyId, shortcut: &Label, content: &CannedText) -> Decision {
    save_canned_reply(service_with(state, reply)?, reply, shortcut, content)
}

fn save_canned_reply(service: &Service, reply: CannedReplyId, shortcut: &Label, content: &CannedText) -> Decision {
    content.check().map_err(UserError::CannedText)?;
    if service.canned_replies.iter().any(|(id, known)| *id != reply && known == shortcut) {
        return Err(UserError::ShortcutTaken { shortcut: shortcut.clone() });
    }
    Ok(vec![CannedReplySaved { reply, shortcut: shortcut.clone(), private: Private::Known(content.clone()) }.into()])
}

fn remove_canned_reply(state: &UserState, reply: CannedReplyId) -> Decision {
    service_with(state, reply)?;
    Ok(vec![CannedReplyRemoved { reply }.into()])
}

fn receive_by_channel(state: &UserState, channel: ChannelId, up_to: u64) -> Decision {
    let user = active(state)?;
    match user.channel {
        None if user.identity.role != Role::Customer => Err(UserError::OnlyCustomersComeByChannels { role: user.identity.role }),
        Some((known, _)) if known != channel => Err(UserError::OfAnotherChannel { channel: known }),
        Some((_, before)) if up_to <= before => Ok(vec![]),
        None | Some(_) => Ok(vec![ChannelReceived { channel, up_to }.into()]),
    }
}

/// The service of somebody who has this canned reply.
fn service_with(state: &UserState, reply: CannedReplyId) -> Result<&Service, UserError> {
    let service = service(state)?;
    if service.canned_replies.contains_key(&reply) { Ok(service) } else { Err(UserError::NoSuchCannedReply { reply }) }
}

/// At any stage of its life, but not before it.
fn registered(state: &UserState) -> Result<(), UserError> {
    state.identity().map(|_| ()).ok_or(UserError::NotRegistered)
}

pub(super) fn active(state: &UserState) -> Result<&ActiveUser, UserError> {
    match state {
        UserState::Unknown => Err(UserError::NotRegistered),
        UserState::Active(user) => Ok(user),
        UserState::Deactivated(_) => Err(UserError::Deactivated),
        UserState::Merged { into, .. } => Err(UserError::Merged { into: *into }),
    }
}

fn service(state: &UserState) -> Result<&Service, UserError> {
    let user = active(state)?;
    user.service.as_ref().ok_or(UserError::DoesNotServe { role: user.identity.role })
}

fn ended(session: SessionId, reason: SessionEnd) -> UserEvent {
    SessionEnded { session, reason }.into()
}

fn all_sessions_ended(user: &ActiveUser, reason: SessionEnd, at: Timestamp) -> Vec<UserEvent> {
    user.live_sessions(at).map(|(id, _)| ended(id, reason)).collect()
}

fn check_profile(profile: &Profile) -> Result<(), UserError> {
    check_text("display_name", &profile.display_name, TEXT_BYTES_MAX)?;
    check_text("avatar_url", profile.avatar_url.as_deref().unwrap_or_default(), URL_BYTES_MAX)
}

fn check_text(field: &'static str, text: &str, bytes_max: usize) -> Result<(), UserError> {
    if text.len() > bytes_max { Err(UserError::TextTooLong { field, bytes_max }) } else { Ok(()) }
}
