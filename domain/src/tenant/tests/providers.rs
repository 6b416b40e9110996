//! Providers that answer at desks of their own.

use super::*;
use crate::ids::{GroupId, UserId};
use crate::labels::Label;
use crate::message::URL_BYTES_MAX;
use crate::tenant::command::ProviderConnection;
use crate::tenant::event::{ProviderConnected, ProviderDisconnected, ProviderSecretSet, ProviderSettings};
use crate::tenant::providers::{PROVIDER_ACCEPT_MAX, PROVIDER_CAPACITY_MAX, PROVIDER_TIME_OUT_MAX, PROVIDERS_MAX};
use crate::time::Millis;

fn provider(name: &str) -> Label {
    name.parse().unwrap()
}

fn group() -> GroupId {
    "vip".parse().unwrap()
}

fn given_with_group() -> Given<Tenant> {
    given_created().and([group_formed("vip")])
}

fn connection(letter: &str) -> ProviderConnection {
    ProviderConnection {
        agent: UserId::from_u128(7),
        groups: vec![group()],
        capacity: 5,
        time_out: Millis::seconds(5),
        accept_within: Millis::minutes(2),
        settings: ProviderSettings { title: "Express".into(), url: "https://express.example/".into() },
        secret: SharedSecret { secret: letter.repeat(44) },
        rotate: false,
    }
}

fn connect(name: &str, connection: ProviderConnection) -> TenantCommand {
    TenantCommand::ConnectProvider { provider: provider(name), connection: connection.into() }
}

fn connected(name: &str) -> TenantEvent {
    let ProviderConnection { agent, groups, capacity, time_out, accept_within, settings, .. } = connection("A");
    ProviderConnected { provider: provider(name), agent, groups, capacity, time_out, accept_within, private: Private::Known(settings) }
        .into()
}

fn secret_set(name: &str, letter: &str) -> TenantEvent {
    ProviderSecretSet { provider: provider(name), private: Private::Known(connection(letter).secret) }.into()
}

fn disconnect(name: &str) -> TenantCommand {
    TenantCommand::DisconnectProvider { provider: provider(name) }
}

fn disconnected(name: &str) -> TenantEvent {
    ProviderDisconnected { provider: provider(name), agent: connection("A").agent }.into()
}

#[test]
fn a_new_provider_gets_its_secret_and_keeps_it_until_it_is_rotated_or_goes() {
    given_with_group()
        .when(disconnect("p"))
        .then_nothing()
        .when(connect("p", connection("A")))
        .then([connected("p"), secret_set("p", "A")])
        .when(connect("p", connection("B")))
        .then([connected("p")])
        .when(connect("p", ProviderConnection { rotate: true, ..connection("C") }))
        .then([connected("p"), secret_set("p", "C")])
        .when(disconnect("p"))
        .then([disconnected("p")])
        .when(disconnect("p"))
        .then_nothing()
        .when(connect("p", connection("D")))
        .then([connected("p"), secret_set("p", "D")]);
}

#[test]
fn it_serves_groups_that_are_there_once_each() {
    let with = |groups| connect("p", ProviderConnection { groups, ..connection("A") });
    given_with_group().when(with(vec![group(), group()])).then([connected("p"), secret_set("p", "A")]);
    given_with_group().when(with(vec![])).then_refused(TenantError::ProviderWithoutGroup);
    let unknown: GroupId = "unknown".parse().unwrap();
    given_with_group().when(with(vec![group(), unknown])).then_refused(TenantError::NoSuchGroup { group: unknown });
}

#[test]
fn its_capacity_its_times_and_its_texts_have_limits() {
    let accepted = |connection| drop(given_with_group().when(connect("p", connection)).then_accepted());
    let refused = |connection, error: TenantError| drop(given_with_group().when(connect("p", connection)).then_refused(error));
    let max = PROVIDER_CAPACITY_MAX;
    accepted(ProviderConnection { capacity: max, ..connection("A") });
    for capacity in [0, max + 1] {
        refused(ProviderConnection { capacity, ..connection("A") }, TenantError::ProviderCapacityOutOfRange { capacity, max });
    }
    accepted(ProviderConnection { time_out: PROVIDER_TIME_OUT_MAX, accept_within: PROVIDER_ACCEPT_MAX, ..connection("A") });
    for (value, max) in [(Millis(0), PROVIDER_TIME_OUT_MAX), (Millis(PROVIDER_TIME_OUT_MAX.0 + 1), PROVIDER_TIME_OUT_MAX)] {
        let out_of_range = TenantError::LimitOutOfRange { limit: "timeout_ms", value, max };
        refused(ProviderConnection { time_out: value, ..connection("A") }, out_of_range);
    }
    for (value, max) in [(Millis(0), PROVIDER_ACCEPT_MAX), (Millis(PROVIDER_ACCEPT_MAX.0 + 1), PROVIDER_ACCEPT_MAX)] {
        let out_of_range = TenantError::LimitOutOfRange { limit: "accept_within_ms", value, max };
        refused(ProviderConnection { accept_within: value, ..connection("A") }, out_of_range);
    }
    let said = |url: String| ProviderSettings { url, ..connection("A").settings };
    refused(ProviderConnection { settings: said(String::new()), ..connection("A") }, TenantError::ProviderAddressEmpty);
    let too_long = TenantError::TextTooLong { field: "url", bytes_max: URL_BYTES_MAX };
    refused(ProviderConnection { settings: said("x".repeat(URL_BYTES_MAX + 1)), ..connection("A") }, too_long);
}

#[test]
fn providers_are_limited_and_one_that_goes_makes_room() {
    given_with_group()
        .and((0..PROVIDERS_MAX).map(|number| connected(&format!("p{number}"))))
        .when(connect("more", connection("A")))
        .then_refused(TenantError::TooManyProviders { providers_max: PROVIDERS_MAX })
        .when(disconnect("p1"))
        .then([disconnected("p1")])
        .when(connect("more", connection("A")))
        .then_accepted();
}

#[test]
fn neither_address_nor_secret_is_in_the_state() {
    let given = given_with_group().when(connect("p", connection("A"))).then_accepted();
    let state = serde_json::to_string(given.state()).unwrap();
    assert!(!state.contains("example") && !state.contains("AAAA"));
    testing::assert_survives_a_snapshot(given.state());
}
