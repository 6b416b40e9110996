//! What holds for a tenant under any commands in any order.

use proptest::prelude::*;

use super::*;
use crate::decider::Decider;
use crate::testing::NOW;
use crate::time::Millis;

const SCOPES: [Scope; 7] = [
    Scope::MintIdentities,
    Scope::ManageUsers,
    Scope::ManageTenant,
    Scope::ReadConversations,
    Scope::Reception,
    Scope::Robot,
    Scope::Provider,
];

fn scopes() -> impl Strategy<Value = Vec<Scope>> {
    proptest::collection::vec(proptest::sample::select(&SCOPES[..]), 0..4)
}

fn limits() -> impl Strategy<Value = Limits> {
    let span = || prop_oneof![Just(Millis(0)), Just(Millis::minutes(1)), Just(Millis::minutes(2)), Just(Millis::days(2))];
    (span(), span(), span(), span()).prop_map(|(recall_window, idle_expiry, reopen_window, offline_grace)| Limits {
        recall_window,
        idle_expiry,
        reopen_window,
        offline_grace,
    })
}

/// Few ids, so that commands meet.
fn command() -> impl Strategy<Value = TenantCommand> {
    prop_oneof![
        "(UTC|Asia/Shanghai|)".prop_map(|zone| create(&zone)),
        "[a-c]".prop_map(|shop| open_shop(&shop)),
        "[a-c]".prop_map(|group| form_group(&group)),
        (0_usize..4, scopes()).prop_map(|(number, scopes)| issue(number, &scopes)),
        (0_usize..4).prop_map(revoke),
        (40_usize..46).prop_map(|length| TenantCommand::SetIdentitySecret { secret: SharedSecret { secret: "A".repeat(length) } }),
        limits().prop_map(|limits| TenantCommand::ChangeLimits { limits }),
        "(feed|)".prop_map(|consumer| TenantCommand::ResumeConsumer { consumer, commit: 1, index: 0, verdict: PoisonVerdict::Skip }),
    ]
}

fn commands() -> impl Strategy<Value = Vec<TenantCommand>> {
    proptest::collection::vec(command(), 0..60)
}

proptest! {
    #[test]
    fn no_live_key_mints_identities_and_talks(commands in commands()) {
        let mut state = TenantState::default();
        for command in commands {
            for event in Tenant::decide(&command, &state, NOW).unwrap_or_default() {
                Tenant::evolve(&mut state, &event, NOW);
            }
            for key in state.created().into_iter().flat_map(|tenant| tenant.api_keys.values()) {
                let talks = [Scope::Reception, Scope::Robot, Scope::Provider].iter().any(|scope| key.scopes.contains(scope));
                prop_assert!(!(talks && key.scopes.contains(&Scope::MintIdentities)));
                prop_assert!(!key.scopes.is_empty());
            }
        }
    }

    #[test]
    fn a_command_given_twice_is_done_once(commands in commands()) {
        let mut state = TenantState::default();
        for command in commands {
            for event in Tenant::decide(&command, &state, NOW).unwrap_or_default() {
                Tenant::evolve(&mut state, &event, NOW);
            }
            let again = Tenant::decide(&command, &state, NOW).unwrap_or_default();
            let may_repeat = matches!(command, TenantCommand::SetIdentitySecret { .. } | TenantCommand::ResumeConsumer { .. });
            prop_assert!(may_repeat || again.is_empty(), "{:?} again gave {:?}", command, again);
        }
    }

    #[test]
    fn a_snapshot_is_the_state(commands in commands()) {
        let mut state = TenantState::default();
        for command in commands {
            for event in Tenant::decide(&command, &state, NOW).unwrap_or_default() {
                Tenant::evolve(&mut state, &event, NOW);
            }
        }
        let snapshot = serde_json::to_string(&state).unwrap();
        prop_assert_eq!(serde_json::from_str::<TenantState>(&snapshot).unwrap(), state);
    }
}
