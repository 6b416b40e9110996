//! Registering, naming, mapping, closing and merging.

use super::*;
use crate::message::URL_BYTES_MAX;
use crate::user::decide::{PASSWORD_HASH_BYTES_MAX, TEXT_BYTES_MAX};
use crate::user::error::UserError;
use crate::user::event::{
    ExternalAccount, ExternalAccountMapped, PasswordHash, PasswordSet, ProfileChanged, ServicePaused, ServiceStarted, ServiceStopped,
};
use crate::user::state::{ACCOUNTS_MAX, UserState};

fn register(role: Role, anonymous: bool) -> UserCommand {
    UserCommand::Register { role, anonymous, profile: profile() }
}

fn change_name(display_name: &str) -> UserCommand {
    UserCommand::ChangeProfile { profile: Profile { display_name: display_name.into(), avatar_url: None } }
}

fn external_account() -> ExternalAccount {
    ExternalAccount { provider: "shop".into(), account: "u-17".into() }
}

fn map(digest: KeyedDigest) -> UserCommand {
    UserCommand::MapExternalAccount { digest, account: external_account() }
}

fn mapped(digest: KeyedDigest) -> UserEvent {
    ExternalAccountMapped { account: digest, private: Private::Known(external_account()) }.into()
}

fn set_password(phc: &str) -> UserCommand {
    UserCommand::SetPassword { hash: PasswordHash { phc: phc.into() } }
}

/// One of every command that a customer may be given, and whether a closed account already has what it asks for.
fn commands() -> Vec<(UserCommand, bool)> {
    vec![
        (change_name("Li"), false),
        (map(secret(1)), false),
        (set_password("$argon2id$"), false),
        (start(1, IN_AN_HOUR), false),
        (UserCommand::RefreshSession { session: session(1), presented: secret(1), next: secret(2), expires_at: IN_AN_HOUR }, false),
        (UserCommand::EndSession { session: session(1), reason: SessionEnd::SignedOut }, true),
        (UserCommand::EndAllSessions { reason: SessionEnd::Revoked }, true),
        (UserCommand::ChangeGroups { groups: vec![] }, false),
        (UserCommand::ChangeCapacity { capacity: 1 }, false),
        (UserCommand::StartService, false),
        (UserCommand::PauseService { reason: None }, false),
        (UserCommand::ComeOnline, false),
        (UserCommand::GoOffline, true),
    ]
}

#[test]
fn nothing_but_registering_is_possible_before() {
    let others = [UserCommand::Deactivate, UserCommand::StopService, merge_into(BUYER)];
    for command in commands().into_iter().map(|(command, _)| command).chain(others) {
        given([]).when(command).then_refused(UserError::NotRegistered);
    }
}

#[test]
fn an_agent_is_registered() {
    given([]).when(register(Role::Agent, false)).then([registered(Role::Agent)]);
}

#[test]
fn a_customer_may_be_anonymous() {
    given([]).when(register(Role::Customer, true)).then([registered_visitor()]);
}

#[test]
fn nobody_else_may_be_anonymous() {
    for role in [
        Role::PlatformOperator,
        Role::Governance,
        Role::TenantAdmin,
        Role::Supervisor,
        Role::Agent,
        Role::QualityReviewer,
        Role::Integration,
    ] {
        given([]).when(register(role, true)).then_refused(UserError::OnlyCustomersAreAnonymous { role });
    }
}

#[test]
fn registering_again_the_same_is_nothing() {
    given([registered(Role::Agent)]).when(register(Role::Agent, false)).then_nothing();
    given_closed([registered(Role::Agent)]).when(register(Role::Agent, false)).then_nothing();
    given_merged().when(register(Role::Customer, true)).then_nothing();
}

#[test]
fn registering_again_in_another_role_is_refused() {
    given([registered(Role::Agent)])
        .when(register(Role::Supervisor, false))
        .then_refused(UserError::RegisteredOtherwise { role: Role::Agent, anonymous: false });
    given_closed([registered(Role::Agent)]).when(register(Role::Supervisor, false)).then_refused(UserError::Deactivated);
    given_merged().when(register(Role::Agent, false)).then_refused(UserError::Merged { into: BUYER });
}

#[test]
fn an_anonymous_visitor_cannot_take_the_place_of_an_identified_customer() {
    given([registered(Role::Customer)])
        .when(register(Role::Customer, true))
        .then_refused(UserError::RegisteredOtherwise { role: Role::Customer, anonymous: false });
}

#[test]
fn an_anonymous_visitor_is_identified_by_a_merge_and_not_by_registering_again() {
    given([registered_visitor()])
        .when(register(Role::Customer, false))
        .then_refused(UserError::RegisteredOtherwise { role: Role::Customer, anonymous: true });
}

#[test]
fn a_profile_changes_as_often_as_asked() {
    let changed = || UserEvent::from(ProfileChanged { private: Private::Known(profile()) });
    given([registered(Role::Customer)]).when(change_name("Xiao Li")).then([changed()]).when(change_name("Xiao Li")).then([changed()]);
}

#[test]
fn a_name_fits_a_line() {
    given([registered(Role::Customer)]).when(change_name(&"x".repeat(TEXT_BYTES_MAX))).then_accepted();
    given([registered(Role::Customer)])
        .when(change_name(&"x".repeat(TEXT_BYTES_MAX + 1)))
        .then_refused(UserError::TextTooLong { field: "display_name", bytes_max: TEXT_BYTES_MAX });
}

#[test]
fn a_picture_is_a_link() {
    let with_link = |bytes: usize| Profile { avatar_url: Some("x".repeat(bytes)), ..profile() };
    given([]).when(UserCommand::Register { role: Role::Agent, anonymous: false, profile: with_link(URL_BYTES_MAX) }).then_accepted();
    given([])
        .when(UserCommand::Register { role: Role::Agent, anonymous: false, profile: with_link(URL_BYTES_MAX + 1) })
        .then_refused(UserError::TextTooLong { field: "avatar_url", bytes_max: URL_BYTES_MAX });
}

#[test]
fn an_external_account_is_mapped_once() {
    given([registered(Role::Customer)])
        .when(map(secret(1)))
        .then([mapped(secret(1))])
        .when(map(secret(1)))
        .then_nothing()
        .when(map(secret(2)))
        .then([mapped(secret(2))]);
}

#[test]
fn what_a_closed_account_was_mapped_to_stays_mapped() {
    given_closed([registered(Role::Customer), mapped(secret(1))]).when(map(secret(1))).then_nothing();
}

#[test]
fn the_names_of_an_external_account_fit_a_line() {
    let too_long = || "x".repeat(TEXT_BYTES_MAX + 1);
    for (account, field) in [
        (ExternalAccount { provider: too_long(), ..external_account() }, "provider"),
        (ExternalAccount { account: too_long(), ..external_account() }, "account"),
    ] {
        given([registered(Role::Customer)])
            .when(UserCommand::MapExternalAccount { digest: secret(1), account })
            .then_refused(UserError::TextTooLong { field, bytes_max: TEXT_BYTES_MAX });
    }
}

#[test]
fn external_accounts_are_limited() {
    let digest = |number: usize| KeyedDigest::from_bytes((number as u128).to_be_bytes());
    given([registered(Role::Customer)])
        .and((1..ACCOUNTS_MAX).map(|number| mapped(digest(number))))
        .when(map(digest(ACCOUNTS_MAX)))
        .then([mapped(digest(ACCOUNTS_MAX))])
        .when(map(digest(ACCOUNTS_MAX + 1)))
        .then_refused(UserError::TooManyAccounts { accounts_max: ACCOUNTS_MAX });
}

#[test]
fn a_password_is_set_and_set_again() {
    let set = || UserEvent::from(PasswordSet { private: Private::Known(PasswordHash { phc: "$argon2id$".into() }) });
    given([registered(Role::Agent)]).when(set_password("$argon2id$")).then([set()]).when(set_password("$argon2id$")).then([set()]);
}

#[test]
fn a_password_hash_has_a_limit() {
    given([registered(Role::Agent)]).when(set_password(&"x".repeat(PASSWORD_HASH_BYTES_MAX))).then_accepted();
    given([registered(Role::Agent)])
        .when(set_password(&"x".repeat(PASSWORD_HASH_BYTES_MAX + 1)))
        .then_refused(UserError::TextTooLong { field: "hash", bytes_max: PASSWORD_HASH_BYTES_MAX });
}

#[test]
fn closing_an_account_ends_its_sessions_and_its_shift() {
    given([registered(Role::Agent), started(1, IN_AN_HOUR), started(2, IN_AN_HOUR), ServiceStarted {}.into()])
        .when(UserCommand::Deactivate)
        .then([ended(1, SessionEnd::Deactivated), ended(2, SessionEnd::Deactivated), ServiceStopped {}.into(), UserDeactivated {}.into()])
        .when(UserCommand::Deactivate)
        .then_nothing();
}

#[test]
fn closing_an_account_ends_a_paused_shift_too() {
    given([registered(Role::Agent), ServiceStarted {}.into(), ServicePaused { reason: None }.into()])
        .when(UserCommand::Deactivate)
        .then([ServiceStopped {}.into(), UserDeactivated {}.into()]);
}

#[test]
fn closing_an_account_without_sessions_or_shift_is_one_fact() {
    given([registered(Role::Agent)]).when(UserCommand::Deactivate).then([UserDeactivated {}.into()]);
    given([registered(Role::Customer), started(1, IN_AN_HOUR)])
        .at(IN_AN_HOUR)
        .when(UserCommand::Deactivate)
        .then([UserDeactivated {}.into()]);
}

#[test]
fn a_closed_account_refuses_what_is_not_already_true() {
    for (command, already_true) in commands() {
        let answer = given_closed([registered(Role::Agent), started(1, IN_AN_HOUR)]).when(command);
        if already_true {
            answer.then_nothing()
        } else {
            answer.then_refused(UserError::Deactivated)
        };
    }
    given_closed([registered_visitor()]).when(merge_into(BUYER)).then_refused(UserError::Deactivated);
}

#[test]
fn a_merged_customer_signs_in_no_more() {
    given_merged().when(start(1, IN_AN_HOUR)).then_refused(UserError::Merged { into: BUYER });
}

#[test]
fn a_merged_customer_refuses_what_is_not_already_true() {
    for (command, already_true) in commands() {
        let answer = given_merged().when(command);
        if already_true {
            answer.then_nothing()
        } else {
            answer.then_refused(UserError::Merged { into: BUYER })
        };
    }
    given_merged().when(UserCommand::Deactivate).then_refused(UserError::Merged { into: BUYER });
}

#[test]
fn an_anonymous_customer_is_merged_and_signed_out() {
    given([registered_visitor(), started(1, IN_AN_HOUR)]).when(merge_into(BUYER)).then([ended(1, SessionEnd::Merged), merged_into(BUYER)]);
}

#[test]
fn merging_again_into_the_same_is_nothing_and_into_another_is_refused() {
    given_merged().when(merge_into(BUYER)).then_nothing();
    given_merged().when(merge_into(OTHER_BUYER)).then_refused(UserError::Merged { into: BUYER });
}

#[test]
fn a_customer_is_not_merged_into_themself() {
    given([registered_visitor()]).when(merge_into(VISITOR)).then_refused(UserError::MergedIntoItself);
}

#[test]
fn an_identified_user_is_not_merged() {
    for role in [Role::Customer, Role::Agent] {
        given([registered(role)]).when(merge_into(BUYER)).then_refused(UserError::NotAnonymous);
    }
}

#[test]
fn the_state_holds_no_private_text() {
    let given = given([registered(Role::Customer), mapped(secret(1)), started(1, IN_AN_HOUR)]);
    let snapshot = serde_json::to_string(given.state()).unwrap();
    for text in ["Xiao Li", "u-17", "Firefox", "192.0.2.1"] {
        assert!(!snapshot.contains(text), "{text} in {snapshot}");
    }
}

#[test]
fn facts_before_the_registration_change_nothing() {
    let given = given([started(1, IN_AN_HOUR), ServiceStarted {}.into(), UserDeactivated {}.into(), merged_into(BUYER)]);
    assert_eq!(given.state(), &UserState::Unknown);
}
