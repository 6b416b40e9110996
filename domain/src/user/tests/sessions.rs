//! Signing in, staying signed in, signing out.

use super::*;
use crate::user::decide::TEXT_BYTES_MAX;
use crate::user::error::UserError;
use crate::user::event::SessionRefreshed;
use crate::user::state::LIVE_SESSIONS_MAX;

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
        .when(UserCommand::StartSession { session: session(1), refresh: secret(2), expires_at: IN_AN_HOUR, device: device() })
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
            .when(UserCommand::StartSession { session: session(1), refresh: secret(1), expires_at: IN_AN_HOUR, device })
            .then_refused(UserError::TextTooLong { field, bytes_max: TEXT_BYTES_MAX });
    }
}

#[test]
fn as_many_sessions_as_allowed_live_side_by_side() {
    given([registered(Role::Customer)])
        .and((1..LIVE_SESSIONS_MAX).map(|number| started(number, IN_AN_HOUR)))
        .when(start(LIVE_SESSIONS_MAX, IN_AN_HOUR))
        .then([started(LIVE_SESSIONS_MAX, IN_AN_HOUR)]);
}

#[test]
fn one_session_too_many_supersedes_the_one_that_would_expire_first() {
    given([registered(Role::Customer)])
        .and((1..=LIVE_SESSIONS_MAX).map(|number| started(number, if number == 7 { IN_AN_HOUR } else { IN_TWO_HOURS })))
        .when(start(99, IN_TWO_HOURS))
        .then([ended(7, SessionEnd::Superseded), started(99, IN_TWO_HOURS)]);
}

#[test]
fn of_sessions_that_expire_together_the_smallest_id_is_superseded() {
    given([registered(Role::Customer)])
        .and((1..=LIVE_SESSIONS_MAX).rev().map(|number| started(number, IN_AN_HOUR)))
        .when(start(99, IN_AN_HOUR))
        .then([ended(1, SessionEnd::Superseded), started(99, IN_AN_HOUR)]);
}

#[test]
fn an_expired_session_leaves_its_place_without_being_superseded() {
    given([registered(Role::Customer)])
        .and((1..=LIVE_SESSIONS_MAX).map(|number| started(number, if number == 7 { IN_AN_HOUR } else { IN_TWO_HOURS })))
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
