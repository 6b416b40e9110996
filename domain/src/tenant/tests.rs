//! The rules of a tenant, each where it holds and where it stops.

mod blocks;
mod canned_replies;
mod channels;
mod flows;
mod properties;
mod providers;
mod robots;
mod settings;

use crate::ids::ApiKeyId;
use crate::private::Private;
use crate::tenant::Tenant;
use crate::tenant::command::TenantCommand;
use crate::tenant::decide::{TIME_ZONE_BYTES_MAX, TITLE_BYTES_MAX};
use crate::tenant::error::TenantError;
use crate::tenant::event::{
    ApiKeyIssued, ApiKeyRevoked, GroupFormed, Limits, PoisonVerdict, Scope, SharedSecret, ShopOpened, TenantCreated, TenantEvent, Title,
};
use crate::tenant::state::{API_KEYS_MAX, GROUPS_MAX, SHOPS_MAX, TenantState};
use crate::testing::{self, Given};
use crate::user::event::KeyedDigest;

fn given(history: impl IntoIterator<Item = TenantEvent>) -> Given<Tenant> {
    testing::given(history)
}

fn given_created() -> Given<Tenant> {
    given([created("Asia/Shanghai")])
}

fn title() -> Title {
    Title { title: "Acme".into() }
}

fn long_title() -> Title {
    Title { title: "x".repeat(TITLE_BYTES_MAX + 1) }
}

fn title_too_long() -> TenantError {
    TenantError::TextTooLong { field: "title", bytes_max: TITLE_BYTES_MAX }
}

fn create(time_zone: &str) -> TenantCommand {
    TenantCommand::Create { time_zone: time_zone.into(), title: title() }
}

fn created(time_zone: &str) -> TenantEvent {
    TenantCreated { time_zone: time_zone.into(), private: Private::Known(title()) }.into()
}

fn open_shop(shop: &str) -> TenantCommand {
    TenantCommand::OpenShop { shop: shop.parse().unwrap(), title: title() }
}

fn shop_opened(shop: &str) -> TenantEvent {
    ShopOpened { shop: shop.parse().unwrap(), private: Private::Known(title()) }.into()
}

fn form_group(group: &str) -> TenantCommand {
    TenantCommand::FormGroup { group: group.parse().unwrap(), title: title() }
}

fn group_formed(group: &str) -> TenantEvent {
    GroupFormed { group: group.parse().unwrap(), private: Private::Known(title()) }.into()
}

fn key(number: usize) -> ApiKeyId {
    ApiKeyId::from_u128(number as u128)
}

fn secret(number: u8) -> KeyedDigest {
    KeyedDigest::from_bytes([number; 16])
}

/// Secret number 1 throughout.
fn issue(number: usize, scopes: &[Scope]) -> TenantCommand {
    TenantCommand::IssueApiKey { key: key(number), secret: secret(1), scopes: scopes.to_vec(), title: title() }
}

fn issued(number: usize, scopes: &[Scope]) -> TenantEvent {
    ApiKeyIssued { key: key(number), secret: secret(1), scopes: scopes.to_vec(), private: Private::Known(title()) }.into()
}

fn revoke(number: usize) -> TenantCommand {
    TenantCommand::RevokeApiKey { key: key(number) }
}

fn revoked(number: usize) -> TenantEvent {
    ApiKeyRevoked { key: key(number) }.into()
}

#[test]
fn a_tenant_is_created() {
    given([]).when(create("Asia/Shanghai")).then([created("Asia/Shanghai")]);
}

#[test]
fn creating_again_with_the_same_zone_is_nothing_and_with_another_is_refused() {
    given_created().when(create("Asia/Shanghai")).then_nothing();
    given_created().when(create("Europe/Berlin")).then_refused(TenantError::CreatedOtherwise { time_zone: "Asia/Shanghai".into() });
}

#[test]
fn a_time_zone_is_a_short_printable_name() {
    given([]).when(create(&"x".repeat(TIME_ZONE_BYTES_MAX))).then_accepted();
    for bad in ["", "Asia Shanghai", "Asia/Shanghai\n", "亚洲/上海", &"x".repeat(TIME_ZONE_BYTES_MAX + 1)] {
        given([]).when(create(bad)).then_refused(TenantError::InvalidTimeZone { bytes_max: TIME_ZONE_BYTES_MAX });
    }
}

#[test]
fn nothing_but_creating_is_possible_before() {
    let identity_secret = SharedSecret { secret: "A".repeat(64) };
    for command in [
        open_shop("main"),
        form_group("vip"),
        issue(1, &[Scope::Robot]),
        revoke(1),
        TenantCommand::SetIdentitySecret { secret: identity_secret },
        TenantCommand::ChangeLimits { limits: Limits::default() },
        TenantCommand::ResumeConsumer { consumer: "feed".into(), commit: 1, index: 0, verdict: PoisonVerdict::Skip },
        TenantCommand::RemoveCannedReply { reply: crate::ids::CannedReplyId::from_u128(1) },
    ] {
        given([]).when(command).then_refused(TenantError::NotCreated);
    }
}

#[test]
fn titles_fit_a_line() {
    let fits = Title { title: "x".repeat(TITLE_BYTES_MAX) };
    given([]).when(TenantCommand::Create { time_zone: "UTC".into(), title: fits }).then_accepted();
    given([]).when(TenantCommand::Create { time_zone: "UTC".into(), title: long_title() }).then_refused(title_too_long());
    for command in [
        TenantCommand::OpenShop { shop: "main".parse().unwrap(), title: long_title() },
        TenantCommand::FormGroup { group: "vip".parse().unwrap(), title: long_title() },
        TenantCommand::IssueApiKey { key: key(1), secret: secret(1), scopes: vec![Scope::Robot], title: long_title() },
    ] {
        given_created().when(command).then_refused(title_too_long());
    }
}

#[test]
fn a_shop_opens_once() {
    given_created().when(open_shop("main")).then([shop_opened("main")]).when(open_shop("main")).then_nothing();
}

#[test]
fn shops_are_limited() {
    given_created()
        .and((1..SHOPS_MAX).map(|number| shop_opened(&format!("s{number}"))))
        .when(open_shop("last"))
        .then([shop_opened("last")])
        .when(open_shop("more"))
        .then_refused(TenantError::TooManyShops { shops_max: SHOPS_MAX })
        .when(open_shop("last"))
        .then_nothing();
}

#[test]
fn a_group_is_formed_once() {
    given_created().when(form_group("vip")).then([group_formed("vip")]).when(form_group("vip")).then_nothing();
}

#[test]
fn groups_are_limited() {
    given_created()
        .and((1..GROUPS_MAX).map(|number| group_formed(&format!("g{number}"))))
        .when(form_group("last"))
        .then([group_formed("last")])
        .when(form_group("more"))
        .then_refused(TenantError::TooManyGroups { groups_max: GROUPS_MAX })
        .when(form_group("last"))
        .then_nothing();
}

#[test]
fn the_scopes_of_a_key_are_stored_once_each_and_in_order() {
    given_created()
        .when(issue(1, &[Scope::Robot, Scope::ManageUsers, Scope::Robot]))
        .then([issued(1, &[Scope::ManageUsers, Scope::Robot])]);
}

#[test]
fn a_key_is_good_for_something() {
    given_created().when(issue(1, &[])).then_refused(TenantError::NoScopes);
}

#[test]
fn who_mints_identities_talks_with_no_customer() {
    for scope in [Scope::Reception, Scope::Robot, Scope::Provider] {
        for scopes in [[Scope::MintIdentities, scope], [scope, Scope::MintIdentities]] {
            given_created().when(issue(1, &scopes)).then_refused(TenantError::MintIdentitiesTogetherWith { scope });
        }
        given_created().when(issue(1, &[scope])).then([issued(1, &[scope])]);
    }
}

#[test]
fn who_mints_identities_may_manage_and_read() {
    let scopes = [Scope::MintIdentities, Scope::ManageUsers, Scope::ManageTenant, Scope::ReadConversations];
    given_created().when(issue(1, &scopes)).then([issued(1, &scopes)]);
}

#[test]
fn the_talking_scopes_go_together() {
    let scopes = [Scope::Reception, Scope::Robot, Scope::Provider];
    given_created().when(issue(1, &scopes)).then([issued(1, &scopes)]);
}

#[test]
fn issuing_the_same_key_again_is_nothing() {
    let scopes = [Scope::ManageUsers, Scope::Robot];
    given_created().and([issued(1, &scopes)]).when(issue(1, &[Scope::Robot, Scope::ManageUsers])).then_nothing();
}

#[test]
fn another_key_cannot_take_the_id_of_a_live_one() {
    let given_key = || given_created().and([issued(1, &[Scope::Robot])]);
    given_key().when(issue(1, &[Scope::Provider])).then_refused(TenantError::ApiKeyTaken { key: key(1) });
    given_key()
        .when(TenantCommand::IssueApiKey { key: key(1), secret: secret(2), scopes: vec![Scope::Robot], title: title() })
        .then_refused(TenantError::ApiKeyTaken { key: key(1) });
}

#[test]
fn live_keys_are_limited_and_a_revoked_one_makes_room() {
    given_created()
        .and((1..API_KEYS_MAX).map(|number| issued(number, &[Scope::Robot])))
        .when(issue(API_KEYS_MAX, &[Scope::Robot]))
        .then([issued(API_KEYS_MAX, &[Scope::Robot])])
        .when(issue(API_KEYS_MAX + 1, &[Scope::Robot]))
        .then_refused(TenantError::TooManyApiKeys { keys_max: API_KEYS_MAX })
        .when(revoke(1))
        .then([revoked(1)])
        .when(issue(API_KEYS_MAX + 1, &[Scope::Robot]))
        .then([issued(API_KEYS_MAX + 1, &[Scope::Robot])]);
}

#[test]
fn a_key_is_revoked_once() {
    given_created().and([issued(1, &[Scope::Robot])]).when(revoke(1)).then([revoked(1)]).when(revoke(1)).then_nothing();
}

#[test]
fn facts_before_the_creation_change_nothing() {
    let given = given([shop_opened("main"), group_formed("vip"), issued(1, &[Scope::Robot]), revoked(1)]);
    assert_eq!(given.state(), &TenantState::NotCreated);
}
