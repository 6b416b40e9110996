//! The shift, groups, capacity and presence.

use super::*;
use crate::ids::GroupId;
use crate::user::abilities::{Abilities, AbilitiesChange, SKILLS_MAX, WEIGHT_MAX};
use crate::user::error::UserError;
use crate::user::event::{
    AbilitiesChanged, CameOnline, CapacityChanged, GroupsChanged, ServicePaused, ServiceStarted, ServiceStopped, WentOffline,
};
use crate::user::state::{CAPACITY_DEFAULT, CAPACITY_MAX, GROUPS_MAX, Service};

fn given_on_service() -> Given<User> {
    given([registered(Role::Agent), ServiceStarted {}.into()])
}

fn pause(reason: &str) -> UserCommand {
    UserCommand::PauseService { reason: Some(reason.parse().unwrap()) }
}

fn paused(reason: &str) -> UserEvent {
    ServicePaused { reason: Some(reason.parse().unwrap()) }.into()
}

fn group(name: &str) -> GroupId {
    name.parse().unwrap()
}

fn change_groups(names: &[&str]) -> UserCommand {
    UserCommand::ChangeGroups { groups: names.iter().map(|name| group(name)).collect() }
}

fn groups_changed(names: &[&str]) -> UserEvent {
    GroupsChanged { groups: names.iter().map(|name| group(name)).collect() }.into()
}

fn change_abilities(change: AbilitiesChange) -> UserCommand {
    UserCommand::ChangeAbilities(Box::new(change))
}

fn skills(names: impl IntoIterator<Item = String>) -> AbilitiesChange {
    AbilitiesChange { skills: Some(names.into_iter().map(|name| name.parse().unwrap()).collect()), ..AbilitiesChange::default() }
}

#[test]
fn agents_and_supervisors_serve() {
    for role in [Role::Agent, Role::Supervisor] {
        given([registered(role)]).when(UserCommand::StartService).then([ServiceStarted {}.into()]);
    }
}

#[test]
fn nobody_else_has_a_shift_groups_or_a_capacity() {
    for role in [Role::PlatformOperator, Role::Governance, Role::TenantAdmin, Role::QualityReviewer, Role::Integration, Role::Customer] {
        for command in [
            UserCommand::StartService,
            pause("meal"),
            UserCommand::StopService,
            change_groups(&["vip"]),
            UserCommand::ChangeCapacity { capacity: 1 },
            change_abilities(AbilitiesChange { rank: Some(1), ..AbilitiesChange::default() }),
        ] {
            given([registered(role)]).when(command).then_refused(UserError::DoesNotServe { role });
        }
        let given = given([registered(role), ServiceStarted {}.into()]);
        assert_eq!(given.state().active().unwrap().service, None);
    }
}

#[test]
fn a_new_agent_is_off_service_in_no_group_and_has_the_default_capacity() {
    let given = given([registered(Role::Agent)]);
    assert_eq!(given.state().active().unwrap().service, Some(Service::default()));
    assert_eq!(Service::default().capacity, CAPACITY_DEFAULT);
}

#[test]
fn a_running_shift_is_not_started_again() {
    given_on_service().when(UserCommand::StartService).then_nothing();
}

#[test]
fn a_paused_shift_goes_on() {
    given_on_service().and([paused("meal")]).when(UserCommand::StartService).then([ServiceStarted {}.into()]);
}

#[test]
fn a_shift_is_paused_with_a_reason_or_without() {
    given_on_service().when(pause("meal")).then([paused("meal")]);
    given_on_service().when(UserCommand::PauseService { reason: None }).then([ServicePaused { reason: None }.into()]);
}

#[test]
fn pausing_again_is_nothing_unless_the_reason_is_another() {
    given_on_service().and([paused("meal")]).when(pause("meal")).then_nothing();
    given_on_service().and([paused("meal")]).when(pause("training")).then([paused("training")]);
}

#[test]
fn who_is_off_service_has_nothing_to_pause() {
    given([registered(Role::Agent)]).when(pause("meal")).then_refused(UserError::NotOnService);
}

#[test]
fn a_shift_ends_once_whether_it_ran_or_was_paused() {
    for history in [vec![], vec![paused("meal")]] {
        given_on_service()
            .and(history)
            .when(UserCommand::StopService)
            .then([ServiceStopped {}.into()])
            .when(UserCommand::StopService)
            .then_nothing();
    }
    given([registered(Role::Agent)]).when(UserCommand::StopService).then_nothing();
}

#[test]
fn the_shift_of_a_closed_account_is_over() {
    given_closed([registered(Role::Agent)]).when(UserCommand::StopService).then_nothing();
    given_closed([registered(Role::Customer)]).when(UserCommand::StopService).then_refused(UserError::Deactivated);
}

#[test]
fn groups_are_stored_once_each_and_in_order() {
    given([registered(Role::Agent)])
        .when(change_groups(&["vip", "after", "vip"]))
        .then([groups_changed(&["after", "vip"])])
        .when(change_groups(&["vip", "after"]))
        .then_nothing()
        .when(change_groups(&[]))
        .then([groups_changed(&[])])
        .when(change_groups(&[]))
        .then_nothing();
}

#[test]
fn an_agent_serves_a_limited_number_of_groups() {
    let change = |count: usize| UserCommand::ChangeGroups { groups: (0..count).map(|number| group(&format!("g{number}"))).collect() };
    given([registered(Role::Agent)]).when(change(GROUPS_MAX)).then_accepted();
    given([registered(Role::Agent)])
        .when(change(GROUPS_MAX + 1))
        .then_refused(UserError::TooManyGroups { groups: GROUPS_MAX + 1, groups_max: GROUPS_MAX });
}

#[test]
fn abilities_are_stored_whole_and_what_is_not_named_stays() {
    let refunds = Abilities { skills: vec!["gold".parse().unwrap(), "refund".parse().unwrap()], ..Abilities::default() };
    let weighty = Abilities { weight: WEIGHT_MAX, ..refunds.clone() };
    given([registered(Role::Agent)])
        .when(change_abilities(skills(["refund", "gold", "refund"].map(str::to_owned))))
        .then([AbilitiesChanged { abilities: refunds }.into()])
        .when(change_abilities(AbilitiesChange { weight: Some(WEIGHT_MAX), ..AbilitiesChange::default() }))
        .then([AbilitiesChanged { abilities: weighty }.into()])
        .when(change_abilities(AbilitiesChange::default()))
        .then_nothing();
}

#[test]
fn abilities_have_limits() {
    let many = |count: usize| change_abilities(skills((0..count).map(|number| format!("s{number}"))));
    given([registered(Role::Agent)]).when(many(SKILLS_MAX)).then_accepted();
    given([registered(Role::Agent)])
        .when(many(SKILLS_MAX + 1))
        .then_refused(UserError::TooManyAbilities { what: "skills", limit: SKILLS_MAX });
    given([registered(Role::Agent)])
        .when(change_abilities(AbilitiesChange { weight: Some(WEIGHT_MAX + 1), ..AbilitiesChange::default() }))
        .then_refused(UserError::WeightTooLarge { weight: WEIGHT_MAX + 1, weight_max: WEIGHT_MAX });
}

#[test]
fn a_capacity_may_be_zero_and_has_a_limit() {
    for capacity in [0, CAPACITY_MAX] {
        given([registered(Role::Agent)]).when(UserCommand::ChangeCapacity { capacity }).then([CapacityChanged { capacity }.into()]);
    }
    given([registered(Role::Agent)])
        .when(UserCommand::ChangeCapacity { capacity: CAPACITY_MAX + 1 })
        .then_refused(UserError::CapacityTooLarge { capacity: CAPACITY_MAX + 1, capacity_max: CAPACITY_MAX });
}

#[test]
fn the_same_capacity_is_nothing() {
    given([registered(Role::Agent)]).when(UserCommand::ChangeCapacity { capacity: CAPACITY_DEFAULT }).then_nothing();
    given([registered(Role::Agent), CapacityChanged { capacity: 3 }.into()])
        .when(UserCommand::ChangeCapacity { capacity: 3 })
        .then_nothing();
}

#[test]
fn anybody_comes_online_and_goes_offline_once() {
    for role in [Role::Customer, Role::Agent, Role::TenantAdmin] {
        given([registered(role)])
            .when(UserCommand::GoOffline)
            .then_nothing()
            .when(UserCommand::ComeOnline)
            .then([CameOnline { serves: role.serves() }.into()])
            .when(UserCommand::ComeOnline)
            .then_nothing()
            .when(UserCommand::GoOffline)
            .then([WentOffline { serves: role.serves() }.into()]);
    }
}

#[test]
fn presence_and_shift_are_two_facts() {
    given_on_service()
        .when(UserCommand::ComeOnline)
        .then([CameOnline { serves: true }.into()])
        .when(UserCommand::StartService)
        .then_nothing();
    given_on_service().and([CameOnline { serves: true }.into()]).when(UserCommand::GoOffline).then([WentOffline { serves: true }.into()]);
}
