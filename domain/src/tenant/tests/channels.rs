//! Channels that a tenant connects.

use super::*;
use crate::ids::{ChannelId, ShopId};
use crate::message::URL_BYTES_MAX;
use crate::tenant::event::{ChannelConnected, ChannelDeliveryStopped, ChannelDisconnected, ChannelSecretSet, ChannelSettings};
use crate::tenant::state::CHANNELS_MAX;
use crate::testing::NOW;
use crate::time::Millis;

const URL: &str = "https://shop.example/hook";

fn channel(name: &str) -> ChannelId {
    name.parse().unwrap()
}

fn shop() -> ShopId {
    "s1".parse().unwrap()
}

fn settings(url: &str) -> ChannelSettings {
    ChannelSettings { title: "WeChat".into(), url: url.into() }
}

fn secret(letter: &str) -> SharedSecret {
    SharedSecret { secret: letter.repeat(44) }
}

fn connect_with(name: &str, url: &str, letter: &str, rotate: bool) -> TenantCommand {
    TenantCommand::ConnectChannel { channel: channel(name), shop: shop(), settings: settings(url), secret: secret(letter), rotate }
}

fn connect(name: &str) -> TenantCommand {
    connect_with(name, URL, "A", false)
}

fn connected(name: &str, url: &str) -> TenantEvent {
    ChannelConnected { channel: channel(name), shop: shop(), private: Private::Known(settings(url)) }.into()
}

fn secret_set(name: &str, letter: &str) -> TenantEvent {
    ChannelSecretSet { channel: channel(name), private: Private::Known(secret(letter)) }.into()
}

fn stop(name: &str) -> TenantCommand {
    TenantCommand::StopChannelDelivery { channel: channel(name), connected_at: NOW }
}

fn stopped(name: &str) -> TenantEvent {
    ChannelDeliveryStopped { channel: channel(name) }.into()
}

fn disconnect(name: &str) -> TenantCommand {
    TenantCommand::DisconnectChannel { channel: channel(name) }
}

fn disconnected(name: &str) -> TenantEvent {
    ChannelDisconnected { channel: channel(name) }.into()
}

fn given_shop() -> Given<Tenant> {
    given_created().and([shop_opened("s1")])
}

#[test]
fn a_new_channel_gets_its_secret_and_a_connected_one_keeps_it_unless_it_is_rotated() {
    given_shop()
        .when(connect("wechat"))
        .then([connected("wechat", URL), secret_set("wechat", "A")])
        .when(connect_with("wechat", "https://other.example/", "B", false))
        .then([connected("wechat", "https://other.example/")])
        .when(connect_with("wechat", URL, "B", true))
        .then([connected("wechat", URL), secret_set("wechat", "B")]);
}

#[test]
fn one_that_was_disconnected_comes_back_with_another_secret() {
    given_shop()
        .and([connected("wechat", URL), secret_set("wechat", "A")])
        .when(disconnect("wechat"))
        .then([disconnected("wechat")])
        .when(disconnect("wechat"))
        .then_nothing()
        .when(connect_with("wechat", URL, "B", false))
        .then([connected("wechat", URL), secret_set("wechat", "B")]);
}

#[test]
fn delivery_stops_for_the_connection_that_is_meant_and_begins_with_the_next() {
    let later = TenantCommand::StopChannelDelivery { channel: channel("wechat"), connected_at: NOW + Millis(1) };
    given_shop()
        .and([connected("wechat", URL), secret_set("wechat", "A")])
        .when(later)
        .then_nothing()
        .when(stop("app"))
        .then_nothing()
        .when(stop("wechat"))
        .then([stopped("wechat")])
        .when(stop("wechat"))
        .then_nothing()
        .when(connect("wechat"))
        .then([connected("wechat", URL)])
        .when(stop("wechat"))
        .then([stopped("wechat")]);
}

#[test]
fn it_needs_a_shop_an_address_and_a_name_that_fits() {
    given_created().when(connect("wechat")).then_refused(TenantError::NoSuchShop { shop: shop() });
    given_shop().when(connect_with("wechat", "", "A", false)).then_refused(TenantError::ChannelAddressEmpty);
    let too_long = TenantError::TextTooLong { field: "url", bytes_max: URL_BYTES_MAX };
    given_shop().when(connect_with("wechat", &"x".repeat(URL_BYTES_MAX + 1), "A", false)).then_refused(too_long);
    let settings = ChannelSettings { title: "x".repeat(TITLE_BYTES_MAX + 1), url: URL.into() };
    let command = TenantCommand::ConnectChannel { channel: channel("a"), shop: shop(), settings, secret: secret("A"), rotate: false };
    given_shop().when(command).then_refused(title_too_long());
}

#[test]
fn connected_channels_are_limited_and_one_that_goes_makes_room() {
    given_shop()
        .and((0..CHANNELS_MAX).map(|number| connected(&format!("c{number}"), URL)))
        .when(connect("more"))
        .then_refused(TenantError::TooManyChannels { channels_max: CHANNELS_MAX })
        .when(connect("c1"))
        .then([connected("c1", URL)])
        .when(disconnect("c1"))
        .then([disconnected("c1")])
        .when(connect("more"))
        .then_accepted();
}

#[test]
fn neither_address_nor_secret_is_in_the_state() {
    let given = given_shop().when(connect("wechat")).then_accepted();
    let state = serde_json::to_string(given.state()).unwrap();
    assert!(!state.contains("example") && !state.contains("AAAA") && !state.contains("WeChat"));
    testing::assert_survives_a_snapshot(given.state());
}
