//! What holds for a tenant under any commands in any order.

use proptest::prelude::*;

use super::*;
use crate::decider::Decider;
use crate::flow::FlowKind;
use crate::ids::CannedReplyId;
use crate::labels::Label;
use crate::message::CannedText;
use crate::tenant::event::ChannelSettings;
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
        ..Limits::default()
    })
}

fn canned(text: &str) -> CannedText {
    CannedText { title: String::new(), text: text.to_owned() }
}

/// Few ids and shortcuts, so that they meet.
fn canned_reply() -> impl Strategy<Value = TenantCommand> {
    let id = || (0_u128..3).prop_map(CannedReplyId::from_u128);
    let shortcut = || "[a-b]".prop_map(|text| text.parse::<Label>().unwrap());
    let group = proptest::option::of("[a-c]".prop_map(|group| group.parse().unwrap()));
    prop_oneof![
        (id(), group, shortcut(), "x?").prop_map(|(reply, group, shortcut, text)| TenantCommand::AddCannedReply {
            reply,
            group,
            shortcut,
            content: canned(&text)
        }),
        (id(), shortcut(), "x?").prop_map(|(reply, shortcut, text)| TenantCommand::ChangeCannedReply {
            reply,
            shortcut,
            content: canned(&text)
        }),
        id().prop_map(|reply| TenantCommand::RemoveCannedReply { reply }),
    ]
}

fn channel() -> impl Strategy<Value = TenantCommand> {
    let id = || "[a-b]".prop_map(|channel| channel.parse().unwrap());
    let connect = (id(), "[a-b]", "(https://x.example/)?", any::<bool>());
    prop_oneof![
        connect.prop_map(|(channel, shop, url, rotate)| TenantCommand::ConnectChannel {
            channel,
            shop: shop.parse().unwrap(),
            settings: ChannelSettings { title: String::new(), url },
            secret: SharedSecret { secret: "A".repeat(44) },
            rotate,
        }),
        id().prop_map(|channel| TenantCommand::StopChannelDelivery { channel, connected_at: NOW }),
        id().prop_map(|channel| TenantCommand::DisconnectChannel { channel }),
    ]
}

fn flow() -> impl Strategy<Value = TenantCommand> {
    let shop = || proptest::option::of("[a-b]".prop_map(|shop| shop.parse().unwrap()));
    prop_oneof![
        (shop(), "[a-c]").prop_map(|(shop, group)| super::flows::publish(shop, &group)),
        shop().prop_map(|shop| TenantCommand::WithdrawFlow { kind: FlowKind::Assignment, shop }),
    ]
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
        canned_reply(),
        channel(),
        flow(),
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
    fn no_two_canned_replies_of_one_scope_have_one_shortcut(commands in commands()) {
        let mut state = TenantState::default();
        for command in commands {
            for event in Tenant::decide(&command, &state, NOW).unwrap_or_default() {
                Tenant::evolve(&mut state, &event, NOW);
            }
            let replies = state.created().into_iter().flat_map(|tenant| tenant.canned_replies.values());
            let mut seen = std::collections::BTreeSet::new();
            prop_assert!(replies.into_iter().all(|reply| seen.insert((reply.group, reply.shortcut.clone()))));
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
            let may_repeat = matches!(
                command,
                TenantCommand::SetIdentitySecret { .. }
                    | TenantCommand::ResumeConsumer { .. }
                    | TenantCommand::ChangeCannedReply { .. }
                    | TenantCommand::ConnectChannel { .. }
                    | TenantCommand::PublishFlow { .. }
            );
            prop_assert!(may_repeat || again.is_empty(), "{:?} again gave {:?}", command, again);
        }
    }

    #[test]
    fn versions_of_a_flow_only_grow(commands in commands()) {
        let mut state = TenantState::default();
        let mut last = std::collections::BTreeMap::new();
        for command in commands {
            for event in Tenant::decide(&command, &state, NOW).unwrap_or_default() {
                if let TenantEvent::FlowPublished(published) = &event {
                    let before = last.insert(published.shop, published.version);
                    prop_assert_eq!(published.version, before.unwrap_or(0) + 1);
                }
                Tenant::evolve(&mut state, &event, NOW);
            }
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
