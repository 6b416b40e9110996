//! Customers who come by a channel, and how much of their feed it has.

use super::*;
use crate::ids::ChannelId;
use crate::user::error::UserError;
use crate::user::event::ChannelReceived;

fn channel(name: &str) -> ChannelId {
    name.parse().unwrap()
}

fn receive(name: &str, up_to: u64) -> UserCommand {
    UserCommand::ReceiveByChannel { channel: channel(name), up_to }
}

fn received(name: &str, up_to: u64) -> UserEvent {
    ChannelReceived { channel: channel(name), up_to }.into()
}

#[test]
fn a_cursor_begins_with_nothing_and_only_grows() {
    given([registered(Role::Customer)])
        .when(receive("wechat", 0))
        .then([received("wechat", 0)])
        .when(receive("wechat", 0))
        .then_nothing()
        .when(receive("wechat", 7))
        .then([received("wechat", 7)])
        .when(receive("wechat", 6))
        .then_nothing();
}

#[test]
fn nobody_comes_by_two_channels() {
    given([registered(Role::Customer), received("wechat", 3)])
        .when(receive("app", 9))
        .then_refused(UserError::OfAnotherChannel { channel: channel("wechat") });
}

#[test]
fn only_customers_in_use_come_by_channels() {
    given([registered(Role::Agent)]).when(receive("app", 0)).then_refused(UserError::OnlyCustomersComeByChannels { role: Role::Agent });
    given([]).when(receive("app", 0)).then_refused(UserError::NotRegistered);
    given_closed([registered(Role::Customer), received("app", 3)]).when(receive("app", 9)).then_refused(UserError::Deactivated);
}

#[test]
fn the_cursor_survives_a_snapshot() {
    let given = given([registered(Role::Customer)]).when(receive("wechat", 0)).then_accepted();
    testing::assert_survives_a_snapshot(given.state());
}
