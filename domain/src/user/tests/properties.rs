//! What holds for a user under any commands in any order.

use crate::devices::{DEVICES_MAX, DeviceKind, DevicePolicy};
use proptest::prelude::*;

use super::*;
use crate::decider::Decider;
use crate::ids::CannedReplyId;
use crate::labels::Label;
use crate::message::{CannedText, Party};
use crate::user::abilities::AbilitiesChange;
use crate::user::describe::{Describe, Edit};
use crate::user::event::{ExternalAccount, PasswordHash};
use crate::user::state::{ServiceStatus, UserState};

/// Most sign-ins where no policy says otherwise.
const MOST: usize = DEVICES_MAX as usize;

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![3 => Just(Role::Customer), 3 => Just(Role::Agent), 1 => Just(Role::Supervisor), 1 => Just(Role::TenantAdmin)]
}

fn reason() -> impl Strategy<Value = SessionEnd> {
    prop_oneof![Just(SessionEnd::SignedOut), Just(SessionEnd::Revoked)]
}

/// Few ids and secrets, so that commands meet; more sessions than may live.
fn some_session() -> impl Strategy<Value = SessionId> {
    (0_usize..40).prop_map(session)
}

fn some_secret() -> impl Strategy<Value = KeyedDigest> {
    (0_u8..3).prop_map(secret)
}

fn some_user() -> impl Strategy<Value = UserId> {
    (1_u128..4).prop_map(UserId::from_u128)
}

/// Some expiries have passed by the time the command comes.
fn expiry() -> impl Strategy<Value = Timestamp> {
    (0_i64..500).prop_map(|ms| NOW + Millis(ms))
}

fn command() -> impl Strategy<Value = UserCommand> {
    prop_oneof![
        1 => (role(), any::<bool>()).prop_map(|(role, anonymous)| UserCommand::Register { role, anonymous, profile: profile() }),
        1 => Just(UserCommand::ChangeProfile { profile: profile() }),
        1 => some_secret().prop_map(|digest| UserCommand::MapExternalAccount { digest, account: ExternalAccount::default() }),
        1 => Just(UserCommand::SetPassword { hash: PasswordHash::default() }),
        20 => (some_session(), some_secret(), expiry())
            .prop_map(|(session, refresh, expires_at)| UserCommand::StartSession { session, refresh, expires_at, device: device(), kind: DeviceKind::Other, policy: DevicePolicy::default() }),
        4 => (some_session(), some_secret(), some_secret(), expiry())
            .prop_map(|(session, presented, next, expires_at)| UserCommand::RefreshSession { session, presented, next, expires_at }),
        1 => (some_session(), reason()).prop_map(|(session, reason)| UserCommand::EndSession { session, reason }),
        1 => reason().prop_map(|reason| UserCommand::EndAllSessions { reason }),
        1 => Just(UserCommand::Deactivate),
        1 => (some_user(), some_user()).prop_map(|(user, into)| UserCommand::Merge { user, into }),
        1 => proptest::collection::vec("[a-c]", 0..3)
            .prop_map(|names| UserCommand::ChangeGroups { groups: names.iter().map(|name| name.parse().unwrap()).collect() }),
        1 => (0_u32..1_100).prop_map(|capacity| UserCommand::ChangeCapacity { capacity }),
        1 => (proptest::option::of(0_u16..1_100), proptest::option::of(any::<u8>())).prop_map(|(weight, rank)| {
            UserCommand::ChangeAbilities(Box::new(AbilitiesChange { weight, rank, ..AbilitiesChange::default() }))
        }),
        2 => Just(UserCommand::StartService),
        1 => proptest::option::of("[a-c]").prop_map(|reason| UserCommand::PauseService { reason: reason.map(|word| word.parse().unwrap()) }),
        1 => Just(UserCommand::StopService),
        1 => Just(UserCommand::ComeOnline),
        1 => Just(UserCommand::GoOffline),
        4 => canned_reply(),
        3 => description(),
        1 => Just(UserCommand::BlockCustomer { by: Party::System, reason: None }),
        1 => Just(UserCommand::UnblockCustomer { by: Party::System }),
        2 => ("[a-b]", 0_u64..4).prop_map(|(channel, up_to)| UserCommand::ReceiveByChannel { channel: channel.parse().unwrap(), up_to }),
    ]
}

fn description() -> impl Strategy<Value = UserCommand> {
    let words = || proptest::collection::btree_set("[a-c]".prop_map(|text| text.parse::<Label>().unwrap()), 0..3);
    let tier = prop_oneof![Just(Edit::Keep), Just(Edit::Clear), "[a-c]".prop_map(|text| Edit::Set(text.parse().unwrap()))];
    (tier, words(), words(), words(), words()).prop_map(|(tier, add_tags, remove_tags, set, remove_attributes)| {
        let set_attributes = set.into_iter().map(|name| (name, "x".to_owned())).collect();
        let language = Edit::Keep;
        UserCommand::Describe(Box::new(Describe { tier, language, add_tags, remove_tags, set_attributes, remove_attributes }))
    })
}

fn canned_reply() -> impl Strategy<Value = UserCommand> {
    let id = || (0_u128..3).prop_map(CannedReplyId::from_u128);
    let content = || CannedText { title: String::new(), text: "hello".into() };
    let shortcut = || "[a-b]".prop_map(|text| text.parse::<Label>().unwrap());
    prop_oneof![
        (id(), shortcut()).prop_map(move |(reply, shortcut)| UserCommand::AddCannedReply { reply, shortcut, content: content() }),
        (id(), shortcut()).prop_map(move |(reply, shortcut)| UserCommand::ChangeCannedReply { reply, shortcut, content: content() }),
        id().prop_map(|reply| UserCommand::RemoveCannedReply { reply }),
    ]
}

/// A registration, so that most stories get somewhere, and then anything, a few milliseconds apart.
fn story() -> impl Strategy<Value = Vec<(UserCommand, i64)>> {
    let first = (role(), any::<bool>()).prop_map(|(role, anonymous)| UserCommand::Register {
        role,
        anonymous: anonymous && role == Role::Customer,
        profile: profile(),
    });
    (first, proptest::collection::vec((command(), 0_i64..5), 0..120)).prop_map(|(first, mut rest)| {
        rest.insert(0, (first, 0));
        rest
    })
}

/// Sessions and shift as the events alone tell them, kept apart from the state on purpose.
#[derive(Default)]
struct Witness {
    live: std::collections::BTreeMap<SessionId, Timestamp>,
    on_service: bool,
    closed: bool,
}

impl Witness {
    fn see(&mut self, event: &UserEvent, at: Timestamp) {
        match event {
            UserEvent::SessionStarted(event) => {
                assert!(!self.closed && event.expires_at > at);
                self.live.insert(event.session, event.expires_at);
            }
            UserEvent::SessionRefreshed(event) => {
                assert!(self.live.insert(event.session, event.expires_at).is_some_and(|before| before > at), "refreshed a dead session");
            }
            UserEvent::SessionEnded(event) => {
                assert!(self.live.remove(&event.session).is_some_and(|expires_at| expires_at > at), "ended a dead session");
            }
            UserEvent::UserDeactivated(_) | UserEvent::CustomerMerged(_) => self.closed = true,
            UserEvent::ServiceStarted(_) => self.on_service = true,
            UserEvent::ServicePaused(_) => assert!(self.on_service, "paused without a shift"),
            UserEvent::ServiceStopped(_) => self.on_service = false,
            UserEvent::UserRegistered(event) => assert!(!event.anonymous || event.role == Role::Customer),
            UserEvent::ProfileChanged(_)
            | UserEvent::ExternalAccountMapped(_)
            | UserEvent::PasswordSet(_)
            | UserEvent::GroupsChanged(_)
            | UserEvent::CapacityChanged(_)
            | UserEvent::AbilitiesChanged(_)
            | UserEvent::CameOnline(_)
            | UserEvent::WentOffline(_)
            | UserEvent::CannedReplySaved(_)
            | UserEvent::CannedReplyRemoved(_)
            | UserEvent::ChannelReceived(_)
            | UserEvent::CustomerBlocked(_)
            | UserEvent::CustomerUnblocked(_)
            | UserEvent::CustomerDescribed(_) => assert!(!self.closed),
        }
    }

    fn live_at(&self, at: Timestamp) -> usize {
        self.live.values().filter(|expires_at| **expires_at > at).count()
    }
}

proptest! {
    #[test]
    fn a_user_keeps_the_rules_under_any_commands(story in story()) {
        let mut state = UserState::default();
        let mut witness = Witness::default();
        let mut at = NOW;
        for (command, pause_ms) in story {
            at = at + Millis(pause_ms);
            for event in User::decide(&command, &state, at).unwrap_or_default() {
                User::evolve(&mut state, &event, at);
                witness.see(&event, at);
                prop_assert!(witness.live_at(at) <= MOST);
            }
            let live_in_state = state.active().map_or(0, |user| user.live_sessions(at).count());
            prop_assert_eq!(witness.live_at(at), live_in_state);
            if let Some(user) = state.active() {
                prop_assert!(user.sessions.len() <= MOST);
                let on_service = user.service.as_ref().is_some_and(|service| service.status != ServiceStatus::Stopped);
                prop_assert_eq!(witness.on_service, on_service);
            } else {
                prop_assert!(!witness.on_service);
            }
            let identity = state.identity().expect("registered by the first command");
            prop_assert!(!identity.anonymous || identity.role == Role::Customer);
        }
    }

    #[test]
    fn a_command_given_twice_is_done_once(story in story()) {
        let mut state = UserState::default();
        let mut at = NOW;
        for (command, pause_ms) in story {
            at = at + Millis(pause_ms);
            for event in User::decide(&command, &state, at).unwrap_or_default() {
                User::evolve(&mut state, &event, at);
            }
            let again = User::decide(&command, &state, at).unwrap_or_default();
            let may_repeat = matches!(
                command,
                UserCommand::ChangeProfile { .. }
                    | UserCommand::SetPassword { .. }
                    | UserCommand::RefreshSession { .. }
                    | UserCommand::ChangeCannedReply { .. }
            ) || matches!(&command, UserCommand::Describe(order) if !order.set_attributes.is_empty());
            prop_assert!(may_repeat || again.is_empty(), "{:?} again gave {:?}", command, again);
        }
    }

    #[test]
    fn a_snapshot_is_the_state(story in story()) {
        let mut state = UserState::default();
        for (command, _) in story {
            for event in User::decide(&command, &state, NOW).unwrap_or_default() {
                User::evolve(&mut state, &event, NOW);
            }
        }
        let snapshot = serde_json::to_string(&state).unwrap();
        prop_assert_eq!(serde_json::from_str::<UserState>(&snapshot).unwrap(), state);
    }

    #[test]
    fn any_history_can_be_taken_in(stories in proptest::collection::vec(story(), 1..4)) {
        // Events decided over other states, so that facts come where they do not belong.
        let mut mixed = UserState::default();
        for story in stories {
            let mut state = UserState::default();
            for (command, pause_ms) in story {
                for event in User::decide(&command, &state, NOW + Millis(pause_ms)).unwrap_or_default() {
                    User::evolve(&mut state, &event, NOW + Millis(pause_ms));
                    User::evolve(&mut mixed, &event, NOW + Millis(pause_ms));
                }
            }
        }
    }
}
