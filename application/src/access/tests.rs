//! The table at its corners: each reach where it holds and where it stops.

use super::*;

const ROLES: [Role; 8] = [
    Role::PlatformOperator,
    Role::Governance,
    Role::TenantAdmin,
    Role::Supervisor,
    Role::Agent,
    Role::QualityReviewer,
    Role::Integration,
    Role::Customer,
];
const SCOPES: [Scope; 7] = [
    Scope::MintIdentities,
    Scope::ManageUsers,
    Scope::ManageTenant,
    Scope::ReadConversations,
    Scope::Reception,
    Scope::Robot,
    Scope::Provider,
];

fn acme() -> TenantId {
    "acme".parse().unwrap()
}

fn other() -> TenantId {
    "other".parse().unwrap()
}

fn group(name: &str) -> GroupId {
    name.parse().unwrap()
}

fn user(role: Role, groups: &[GroupId]) -> Principal<'_> {
    Principal::User { tenant: acme(), role, groups }
}

#[test]
fn every_action_is_listed_once() {
    let mut seen: Vec<Action> = Action::ALL.to_vec();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), Action::ALL.len());
}

#[test]
fn nobody_but_the_platform_reaches_another_tenant() {
    for action in Action::ALL {
        for role in ROLES {
            let resource = Resource::of_tenant(other()).own(true).in_group(Some(group("main"))).at_shop("s1".parse().ok());
            let answer = allowed(user(role, &[group("main")]), action, resource);
            match reach(user(role, &[]), action) {
                Some(Reach::Platform) => assert_eq!(answer, Ok(()), "{role:?} {action:?}"),
                Some(Reach::Own | Reach::Group | Reach::Shop | Reach::Tenant) | None => {
                    assert_eq!(answer, Err(Denied::OtherTenant), "{role:?} {action:?}");
                }
            }
        }
        let key = Principal::ApiKey { tenant: acme(), scopes: &SCOPES };
        assert_eq!(allowed(key, action, Resource::of_tenant(other()).own(true)), Err(Denied::OtherTenant), "{action:?}");
    }
}

#[test]
fn only_platform_operator_and_governance_have_platform_reach() {
    for action in Action::ALL {
        for role in ROLES {
            if reach(user(role, &[]), action) == Some(Reach::Platform) {
                assert!(matches!(role, Role::PlatformOperator | Role::Governance), "{role:?} {action:?}");
            }
        }
    }
}

#[test]
fn own_ends_at_what_belongs_to_somebody_else() {
    let theirs = Resource::of_tenant(acme());
    assert_eq!(allowed(user(Role::Customer, &[]), Action::ReadChat, theirs.own(true)), Ok(()));
    let denied = Denied::OutOfReach { action: Action::ReadChat };
    assert_eq!(allowed(user(Role::Customer, &[]), Action::ReadChat, theirs), Err(denied));
}

#[test]
fn group_ends_at_a_group_one_does_not_serve() {
    let mine = [group("main")];
    let supervisor = user(Role::Supervisor, &mine);
    let resource = Resource::of_tenant(acme());
    assert_eq!(allowed(supervisor, Action::TakeOverConversation, resource.in_group(Some(group("main")))), Ok(()));
    let denied = Err(Denied::OutOfReach { action: Action::TakeOverConversation });
    assert_eq!(allowed(supervisor, Action::TakeOverConversation, resource.in_group(Some(group("vip")))), denied);
    assert_eq!(allowed(supervisor, Action::TakeOverConversation, resource), denied);
}

#[test]
fn canned_replies_are_managed_within_reach_and_kept_by_those_who_serve() {
    let mine = [group("main")];
    let (own_group, other_group) =
        (Resource::of_tenant(acme()).in_group(Some(group("main"))), Resource::of_tenant(acme()).in_group(Some(group("vip"))));
    let whole_tenant = Resource::of_tenant(acme());
    let manage = |role, resource| allowed(user(role, &mine), Action::ManageCannedReplies, resource).is_ok();
    assert!(manage(Role::Supervisor, own_group) && !manage(Role::Supervisor, other_group) && !manage(Role::Supervisor, whole_tenant));
    assert!(manage(Role::TenantAdmin, other_group) && manage(Role::TenantAdmin, whole_tenant));
    assert!(!manage(Role::Agent, own_group));
    for role in ROLES {
        assert_eq!(allowed(user(role, &mine), Action::KeepOwnCannedReplies, whole_tenant.own(true)).is_ok(), role.serves(), "{role:?}");
    }
}

#[test]
fn a_customer_opens_a_chat_for_themself_at_a_shop_that_exists() {
    let customer = user(Role::Customer, &[]);
    let at_shop = Resource::of_tenant(acme()).at_shop("s1".parse().ok());
    assert_eq!(allowed(customer, Action::OpenChat, at_shop.own(true)), Ok(()));
    let denied = Err(Denied::OutOfReach { action: Action::OpenChat });
    assert_eq!(allowed(customer, Action::OpenChat, at_shop), denied);
    assert_eq!(allowed(customer, Action::OpenChat, Resource::of_tenant(acme()).own(true)), denied);
}

#[test]
fn a_key_can_do_what_its_scopes_say_and_nothing_else() {
    let resource = Resource::of_tenant(acme());
    for scope in SCOPES {
        let scopes = [scope];
        let key = Principal::ApiKey { tenant: acme(), scopes: &scopes };
        for action in Action::ALL {
            assert_eq!(allowed(key, action, resource).is_ok(), scope_actions(scope).contains(&action), "{scope:?} {action:?}");
        }
    }
}

#[test]
fn no_key_that_talks_with_customers_can_mint_identities() {
    for scope in [Scope::Reception, Scope::Robot, Scope::Provider] {
        assert!(!scope_actions(scope).contains(&Action::MintIdentities), "{scope:?}");
    }
}

#[test]
fn nobody_manages_an_account_that_can_do_more_than_they() {
    let resource = Resource::of_tenant(acme());
    let key = Principal::ApiKey { tenant: acme(), scopes: &SCOPES };
    assert!(allowed(key, Action::manage_user(Role::Agent), resource).is_ok());
    assert!(allowed(key, Action::manage_user(Role::TenantAdmin), resource).is_err());
    assert!(allowed(key, Action::manage_user(Role::Governance), resource).is_err());
    assert!(allowed(user(Role::TenantAdmin, &[]), Action::manage_user(Role::TenantAdmin), resource).is_ok());
    assert!(allowed(user(Role::TenantAdmin, &[]), Action::manage_user(Role::Governance), resource).is_err());
    assert!(allowed(user(Role::TenantAdmin, &[]), Action::manage_user(Role::PlatformOperator), resource).is_err());
    assert!(allowed(Principal::Operator, Action::manage_user(Role::PlatformOperator), resource).is_ok());
}

#[test]
fn the_platform_itself_is_for_those_with_platform_reach() {
    assert_eq!(allowed(Principal::Operator, Action::ListConsumers, Resource::platform()), Ok(()));
    assert!(allowed(user(Role::TenantAdmin, &[]), Action::ListTenants, Resource::platform()).is_err());
    assert!(allowed(user(Role::Governance, &[]), Action::ListTenants, Resource::platform()).is_ok());
}
