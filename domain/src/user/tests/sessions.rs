//! Signing in, staying signed in, signing out.

use super::*;
use crate::devices::{DEVICES_MAX, DeviceKind, DevicePolicy, Kick};
use crate::user::decide::TEXT_BYTES_MAX;
use crate::user::error::UserError;
use crate::user::event::SessionRefreshed;

/// Most sign-ins where no policy says otherwise.
const MOST: usize = DEVICES_MAX as usize;

fn refresh(presented: KeyedDigest, next: KeyedDigest, expires_at: Timestamp) -> UserCommand {
    UserCommand::RefreshSession { session: session(1), presented, next, expires_at }
}

fn refreshed(next: KeyedDigest, expires_at: Timestamp) -> UserEvent {
    SessionRefreshed { session: session(1), refresh: next, expires_at }.into()
}

fn given_signed_in() -> Given<User> {
    given([registered(Role::Customer), started(1, IN_AN_HOUR)])
}

#[test]
fn a_user_signs_in_on_a_device() {
    given([registered(Role::Customer)]).when(start(1, IN_AN_HOUR)).then([started(1, IN_AN_HOUR)]);
}

#[test]
fn starting_the_same_session_again_is_nothing() {
    given_signed_in().when(start(1, IN_AN_HOUR)).then_nothing();
}

#[test]
fn another_session_cannot_take_the_id_of_a_live_one() {
    given_signed_in().when(start(1, IN_TWO_HOURS)).then_refused(UserError::SessionTaken { session: session(1) });
    given_signed_in()
        .when(UserCommand::StartSession {
            session: session(1),
            refresh: secret(2),
            expires_at: IN_AN_HOUR,
            device: device(),
            kind: DeviceKind::Other,
            policy: DevicePolicy::default(),
        })
        .then_refused(UserError::SessionTaken { session: session(1) });
}

#[test]
fn a_session_ends_in_the_future() {
    given([registered(Role::Customer)]).when(start(1, NOW + Millis(1))).then([started(1, NOW + Millis(1))]);
    given([registered(Role::Customer)]).when(start(1, NOW)).then_refused(UserError::ExpiryNotAhead);
}

#[test]
fn what_a_device_says_of_itself_fits_a_line() {
    let too_long = || "x".repeat(TEXT_BYTES_MAX + 1);
    for (device, field) in
        [(Device { label: too_long(), address: None }, "label"), (Device { address: Some(too_long()), ..device() }, "address")]
    {
        given([registered(Role::Customer)])
            .when(UserCommand::StartSession {
                session: session(1),
                refresh: secret(1),
                expires_at: IN_AN_HOUR,
                device,
                kind: DeviceKind::Other,
                policy: DevicePolicy::default(),
            })
            .then_refused(UserError::TextTooLong { field, bytes_max: TEXT_BYTES_MAX });
    }
}

#[test]
fn as_many_sessions_as_allowed_live_side_by_side() {
    given([registered(Role::Customer)])
        .and((1..MOST).map(|number| started(number, IN_AN_HOUR)))
        .when(start(MOST, IN_AN_HOUR))
        .then([started(MOST, IN_AN_HOUR)]);
}

#[test]
fn one_session_too_many_supersedes_the_one_that_would_expire_first() {
    given([registered(Role::Customer)])
        .and((1..=MOST).map(|number| started(number, if number == 7 { IN_AN_HOUR } else { IN_TWO_HOURS })))
        .when(start(99, IN_TWO_HOURS))
        .then([ended(7, SessionEnd::Superseded), started(99, IN_TWO_HOURS)]);
}

#[test]
fn of_sessions_that_expire_together_the_smallest_id_is_superseded() {
    given([registered(Role::Customer)])
        .and((1..=MOST).rev().map(|number| started(number, IN_AN_HOUR)))
        .when(start(99, IN_AN_HOUR))
        .then([ended(1, SessionEnd::Superseded), started(99, IN_AN_HOUR)]);
}

#[test]
fn an_expired_session_leaves_its_place_without_being_superseded() {
    given([registered(Role::Customer)])
        .and((1..=MOST).map(|number| started(number, if number == 7 { IN_AN_HOUR } else { IN_TWO_HOURS })))
        .at(IN_AN_HOUR)
        .when(start(99, IN_TWO_HOURS))
        .then([started(99, IN_TWO_HOURS)]);
}

#[test]
fn expired_sessions_are_forgotten_when_a_new_one_starts() {
    let given = given_signed_in().at(IN_AN_HOUR).when(start(2, IN_TWO_HOURS)).then([started(2, IN_TWO_HOURS)]);
    let sessions: Vec<SessionId> = given.state().active().unwrap().sessions.keys().copied().collect();
    assert_eq!(sessions, [session(2)]);
}

#[test]
fn the_current_secret_refreshes_the_session() {
    given_signed_in()
        .when(refresh(secret(1), secret(2), IN_TWO_HOURS))
        .then([refreshed(secret(2), IN_TWO_HOURS)])
        .at(IN_AN_HOUR)
        .when(refresh(secret(2), secret(3), IN_TWO_HOURS))
        .then([refreshed(secret(3), IN_TWO_HOURS)]);
}

#[test]
fn an_old_secret_ends_the_session() {
    given_signed_in()
        .and([refreshed(secret(2), IN_AN_HOUR)])
        .when(refresh(secret(1), secret(3), IN_TWO_HOURS))
        .then([ended(1, SessionEnd::RefreshReused)])
        .when(refresh(secret(2), secret(3), IN_TWO_HOURS))
        .then_refused(UserError::SessionNotLive { session: session(1) });
}

#[test]
fn a_wrong_secret_ends_the_session_even_if_the_rest_is_wrong_too() {
    given_signed_in().when(refresh(secret(9), secret(3), NOW)).then([ended(1, SessionEnd::RefreshReused)]);
}

#[test]
fn an_expired_session_is_not_refreshed() {
    let just_in_time = IN_AN_HOUR - Millis(1);
    given_signed_in().at(just_in_time).when(refresh(secret(1), secret(2), IN_TWO_HOURS)).then([refreshed(secret(2), IN_TWO_HOURS)]);
    for presented in [secret(1), secret(9)] {
        given_signed_in()
            .at(IN_AN_HOUR)
            .when(refresh(presented, secret(2), IN_TWO_HOURS))
            .then_refused(UserError::SessionExpired { session: session(1) });
    }
}

#[test]
fn a_refreshed_session_ends_in_the_future() {
    given_signed_in().when(refresh(secret(1), secret(2), NOW)).then_refused(UserError::ExpiryNotAhead);
}

#[test]
fn a_session_nobody_started_is_not_refreshed() {
    given([registered(Role::Customer)])
        .when(refresh(secret(1), secret(2), IN_AN_HOUR))
        .then_refused(UserError::SessionNotLive { session: session(1) });
}

#[test]
fn signing_out_ends_one_session() {
    let sign_out = || UserCommand::EndSession { session: session(1), reason: SessionEnd::SignedOut };
    given_signed_in()
        .and([started(2, IN_AN_HOUR)])
        .when(sign_out())
        .then([ended(1, SessionEnd::SignedOut)])
        .when(sign_out())
        .then_nothing();
}

#[test]
fn an_expired_session_need_not_be_ended() {
    given_signed_in()
        .at(IN_AN_HOUR)
        .when(UserCommand::EndSession { session: session(1), reason: SessionEnd::SignedOut })
        .then_nothing()
        .when(UserCommand::EndAllSessions { reason: SessionEnd::Revoked })
        .then_nothing();
}

#[test]
fn all_live_sessions_are_revoked_at_once() {
    let revoke_all = || UserCommand::EndAllSessions { reason: SessionEnd::Revoked };
    given_signed_in()
        .and([started(2, IN_TWO_HOURS), started(3, IN_TWO_HOURS)])
        .at(IN_AN_HOUR)
        .when(revoke_all())
        .then([ended(2, SessionEnd::Revoked), ended(3, SessionEnd::Revoked)])
        .when(revoke_all())
        .then_nothing();
}

#[test]
fn a_session_is_live_until_it_expires_or_ends() {
    let given = given_signed_in();
    assert!(given.state().live_session(session(1), IN_AN_HOUR - Millis(1)).is_some());
    assert!(given.state().live_session(session(1), IN_AN_HOUR).is_none());
    assert!(given.state().live_session(session(2), NOW).is_none());
    let closed = given.and([UserDeactivated {}.into()]);
    assert!(closed.state().live_session(session(1), NOW).is_none());
}

fn on(kind: DeviceKind, number: usize, policy: DevicePolicy) -> UserCommand {
    UserCommand::StartSession { session: session(number), refresh: secret(1), expires_at: IN_AN_HOUR, device: device(), kind, policy }
}

fn started_on(kind: DeviceKind, number: usize) -> UserEvent {
    let private = Private::Known(device());
    SessionStarted { session: session(number), refresh: secret(1), expires_at: IN_AN_HOUR, kind, private }.into()
}

fn kicks(newcomer: DeviceKind, ends: &[DeviceKind]) -> DevicePolicy {
    DevicePolicy { kicks: vec![Kick { newcomer, ends: ends.to_vec() }], ..DevicePolicy::default() }
}

#[test]
fn a_device_ends_those_of_the_kinds_that_the_policy_names_and_no_others() {
    use DeviceKind::{Desktop, Mobile, Tablet, Web};
    let there = || given([registered(Role::Customer)]).and([started_on(Mobile, 1), started_on(Web, 2), started_on(Desktop, 3)]);
    let one_telephone = kicks(Mobile, &[Mobile, Tablet]);
    there().when(on(Mobile, 9, one_telephone.clone())).then([ended(1, SessionEnd::Superseded), started_on(Mobile, 9)]);
    there().when(on(Desktop, 9, one_telephone)).then([started_on(Desktop, 9)]);
    let both = [ended(2, SessionEnd::Superseded), ended(3, SessionEnd::Superseded), started_on(Web, 9)];
    there().when(on(Web, 9, kicks(Web, &[Web, Desktop]))).then(both);
}

#[test]
fn beyond_the_policys_number_those_go_first_whose_kind_goes_anyway() {
    use DeviceKind::{Mobile, Web};
    let there = || given([registered(Role::Customer)]).and([started_on(Web, 1), started_on(Web, 2), started_on(Mobile, 3)]);
    let two = DevicePolicy { devices_max: 2, ..kicks(Mobile, &[Mobile]) };
    let gone = [ended(3, SessionEnd::Superseded), ended(1, SessionEnd::Superseded), started_on(Mobile, 9)];
    there().when(on(Mobile, 9, two)).then(gone);
    let one = DevicePolicy { devices_max: 1, kicks: vec![] };
    let everybody = [1, 2, 3].map(|number| ended(number, SessionEnd::Superseded));
    there().when(on(Web, 9, one)).then(everybody.into_iter().chain([started_on(Web, 9)]));
}
