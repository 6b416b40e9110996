//! The rules of a user's account, each where it holds and where it stops.

mod account;
mod blocks;
mod canned_replies;
mod channels;
mod description;
mod properties;
mod service;
mod sessions;

use crate::devices::{DeviceKind, DevicePolicy};
use crate::ids::{SessionId, UserId};
use crate::private::Private;
use crate::testing::{self, Given, NOW};
use crate::time::{Millis, Timestamp};
use crate::user::User;
use crate::user::command::UserCommand;
use crate::user::event::{
    CustomerMerged, Device, KeyedDigest, Profile, Role, SessionEnd, SessionEnded, SessionStarted, UserDeactivated, UserEvent,
    UserRegistered,
};

const VISITOR: UserId = UserId::from_u128(1);
const BUYER: UserId = UserId::from_u128(2);
const OTHER_BUYER: UserId = UserId::from_u128(3);
const IN_AN_HOUR: Timestamp = Timestamp(NOW.0 + Millis::hours(1).0);
const IN_TWO_HOURS: Timestamp = Timestamp(NOW.0 + Millis::hours(2).0);

fn given(history: impl IntoIterator<Item = UserEvent>) -> Given<User> {
    testing::given(history)
}

/// The same history for an account that was closed afterwards.
fn given_closed(history: impl IntoIterator<Item = UserEvent>) -> Given<User> {
    given(history).and([UserDeactivated {}.into()])
}

fn given_merged() -> Given<User> {
    given([registered_visitor(), merged_into(BUYER)])
}

fn profile() -> Profile {
    Profile { display_name: "Xiao Li".into(), avatar_url: None }
}

fn registered(role: Role) -> UserEvent {
    UserRegistered { role, anonymous: false, private: Private::Known(profile()) }.into()
}

fn registered_visitor() -> UserEvent {
    UserRegistered { role: Role::Customer, anonymous: true, private: Private::Known(profile()) }.into()
}

fn merged_into(into: UserId) -> UserEvent {
    CustomerMerged { into, blocked: false }.into()
}

fn session(number: usize) -> SessionId {
    SessionId::from_u128(number as u128)
}

fn secret(number: u8) -> KeyedDigest {
    KeyedDigest::from_bytes([number; 16])
}

fn device() -> Device {
    Device { label: "Firefox".into(), address: Some("192.0.2.1".into()) }
}

/// Secret number 1 throughout.
fn started(number: usize, expires_at: Timestamp) -> UserEvent {
    SessionStarted { session: session(number), refresh: secret(1), expires_at, kind: DeviceKind::Other, private: Private::Known(device()) }
        .into()
}

fn ended(number: usize, reason: SessionEnd) -> UserEvent {
    SessionEnded { session: session(number), reason }.into()
}

fn start(number: usize, expires_at: Timestamp) -> UserCommand {
    UserCommand::StartSession {
        session: session(number),
        refresh: secret(1),
        expires_at,
        device: device(),
        kind: DeviceKind::Other,
        policy: DevicePolicy::default(),
    }
}

fn merge_into(into: UserId) -> UserCommand {
    UserCommand::Merge { user: VISITOR, into }
}
