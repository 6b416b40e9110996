//! Customers whom the tenant wants to hear nothing of.

use super::*;
use crate::message::Party;
use crate::remark::Remark;
use crate::user::error::UserError;
use crate::user::event::{BlockReason, CustomerBlocked, CustomerUnblocked};

const SUPERVISOR: Party = Party::User(UserId::from_u128(9));

fn reason() -> Option<Remark> {
    Some("threatens agents".parse().unwrap())
}

fn block() -> UserCommand {
    UserCommand::BlockCustomer { by: SUPERVISOR, reason: reason() }
}

fn unblock() -> UserCommand {
    UserCommand::UnblockCustomer { by: SUPERVISOR }
}

fn blocked() -> UserEvent {
    CustomerBlocked { by: SUPERVISOR, private: Private::Known(BlockReason { reason: reason() }) }.into()
}

#[test]
fn a_customer_is_blocked_until_it_is_taken_back() {
    given([registered(Role::Customer)])
        .when(unblock())
        .then_nothing()
        .when(block())
        .then([blocked()])
        .when(block())
        .then_nothing()
        .when(unblock())
        .then([CustomerUnblocked { by: SUPERVISOR }.into()]);
}

#[test]
fn only_customers_are_blocked_and_only_while_they_have_an_account() {
    for role in [Role::Agent, Role::TenantAdmin, Role::Integration] {
        given([registered(role)]).when(block()).then_refused(UserError::OnlyCustomersAreBlocked { role });
    }
    given([]).when(block()).then_refused(UserError::NotRegistered);
    given_closed([registered(Role::Customer)]).when(block()).then_refused(UserError::Deactivated);
}

#[test]
fn who_is_blocked_does_not_sign_in_and_stays_signed_in_where_they_are() {
    given([registered(Role::Customer), started(1, IN_AN_HOUR), blocked()])
        .when(start(2, IN_AN_HOUR))
        .then_refused(UserError::Blocked)
        .when(start(1, IN_AN_HOUR))
        .then_nothing()
        .and([CustomerUnblocked { by: SUPERVISOR }.into()])
        .when(start(2, IN_AN_HOUR))
        .then([started(2, IN_AN_HOUR)]);
}

#[test]
fn a_merge_tells_that_they_were_blocked() {
    given([registered_visitor(), blocked()]).when(merge_into(BUYER)).then([CustomerMerged { into: BUYER, blocked: true }.into()]);
}
