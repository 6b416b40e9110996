//! The identity secret, the limits, and what an operator decides about a stopped consumer.

use super::*;
use crate::tenant::decide::{CONSUMER_BYTES_MAX, IDENTITY_SECRET_BYTES_MAX, IDENTITY_SECRET_CHARACTERS_MIN};
use crate::tenant::event::{AttachmentKind, ConsumerResumed, IdentitySecretSet, LimitsChanged};
use crate::tenant::state::{
    ATTACHMENT_BYTES_MAX, IDLE_EXPIRY_MAX, OFFLINE_GRACE_MAX, RECALL_WINDOW_MAX, REOPEN_WINDOW_MAX, TICKET_DUE_MAX,
};
use crate::time::Millis;

fn set_secret(secret: &str) -> TenantCommand {
    TenantCommand::SetIdentitySecret { secret: SharedSecret { secret: secret.into() } }
}

fn secret_set(secret: &str) -> TenantEvent {
    IdentitySecretSet { private: Private::Known(SharedSecret { secret: secret.into() }) }.into()
}

fn change(limits: Limits) -> TenantCommand {
    TenantCommand::ChangeLimits { limits }
}

fn resume(consumer: &str, verdict: PoisonVerdict) -> TenantCommand {
    TenantCommand::ResumeConsumer { consumer: consumer.into(), commit: 7, index: 2, verdict }
}

fn resumed(consumer: &str, verdict: PoisonVerdict) -> TenantEvent {
    ConsumerResumed { consumer: consumer.into(), commit: 7, index: 2, verdict }.into()
}

type WithOneLimit = fn(Millis) -> Limits;

/// Each limit by name: how to set it alone, and its maximum.
fn each_limit() -> [(&'static str, WithOneLimit, Millis); 5] {
    [
        ("recall_window", |value| Limits { recall_window: value, ..Limits::default() }, RECALL_WINDOW_MAX),
        ("ticket_due", |value| Limits { ticket_due: value, ..Limits::default() }, TICKET_DUE_MAX),
        ("idle_expiry", |value| Limits { idle_expiry: value, ..Limits::default() }, IDLE_EXPIRY_MAX),
        ("reopen_window", |value| Limits { reopen_window: value, ..Limits::default() }, REOPEN_WINDOW_MAX),
        ("offline_grace", |value| Limits { offline_grace: value, ..Limits::default() }, OFFLINE_GRACE_MAX),
    ]
}

#[test]
fn an_identity_secret_takes_32_bytes() {
    let unpadded = "A".repeat(43);
    given_created().when(set_secret(&unpadded)).then([secret_set(&unpadded)]);
    let padded = format!("{unpadded}=");
    given_created().when(set_secret(&padded)).then([secret_set(&padded)]);
}

#[test]
fn padding_does_not_make_31_bytes_a_secret() {
    let too_short = TenantError::IdentitySecretTooShort { characters_min: IDENTITY_SECRET_CHARACTERS_MIN };
    for short in ["", "=", &"A".repeat(42), &format!("{}==", "A".repeat(42)), &"=".repeat(64)] {
        given_created().when(set_secret(short)).then_refused(too_short.clone());
    }
}

#[test]
fn an_identity_secret_is_base64_of_either_alphabet() {
    given_created().when(set_secret(&"aZ09+/-_".repeat(8))).then_accepted();
    for bad in [" ".repeat(64), format!("={}", "A".repeat(64)), "密".repeat(64)] {
        given_created().when(set_secret(&bad)).then_refused(TenantError::IdentitySecretNotBase64);
    }
}

#[test]
fn an_identity_secret_has_a_limit() {
    given_created().when(set_secret(&"A".repeat(IDENTITY_SECRET_BYTES_MAX))).then_accepted();
    given_created()
        .when(set_secret(&"A".repeat(IDENTITY_SECRET_BYTES_MAX + 1)))
        .then_refused(TenantError::TextTooLong { field: "secret", bytes_max: IDENTITY_SECRET_BYTES_MAX });
}

#[test]
fn an_identity_secret_is_never_in_the_state() {
    let secret = "A".repeat(64);
    let given = given_created().when(set_secret(&secret)).then_accepted().when(set_secret(&secret)).then([secret_set(&secret)]);
    assert!(!serde_json::to_string(given.state()).unwrap().contains(&secret));
}

#[test]
fn the_same_limits_are_nothing() {
    given_created().when(change(Limits::default())).then_nothing();
}

#[test]
fn limits_change_as_a_whole() {
    let limits = Limits {
        recall_window: Millis::minutes(5),
        idle_expiry: Millis::hours(1),
        reopen_window: Millis::minutes(1),
        offline_grace: Millis::seconds(5),
        attachment_bytes_max: 1_024,
        attachment_kinds: vec![AttachmentKind::Picture].into(),
        messages_per_second: 50,
        ticket_due: Millis::hours(4),
    };
    given_created().when(change(limits)).then([LimitsChanged { limits }.into()]).when(change(limits)).then_nothing();
}

#[test]
fn each_limit_is_positive_and_has_a_maximum() {
    for (limit, with, max) in each_limit() {
        for value in [Millis(1), max] {
            let limits = with(value);
            given_created().when(change(limits)).then([LimitsChanged { limits }.into()]);
        }
        for value in [Millis(0), Millis(-1), Millis(max.0 + 1), Millis(i64::MAX), Millis(i64::MIN)] {
            given_created().when(change(with(value))).then_refused(TenantError::LimitOutOfRange { limit, value, max });
        }
    }
}

#[test]
fn the_largest_attachment_is_positive_and_has_a_maximum() {
    let with = |attachment_bytes_max| Limits { attachment_bytes_max, ..Limits::default() };
    for bytes in [1, ATTACHMENT_BYTES_MAX] {
        given_created().when(change(with(bytes))).then([LimitsChanged { limits: with(bytes) }.into()]);
    }
    for bytes in [0, ATTACHMENT_BYTES_MAX + 1, u64::MAX] {
        let refusal = TenantError::AttachmentBytesOutOfRange { bytes, bytes_max: ATTACHMENT_BYTES_MAX };
        given_created().when(change(with(bytes))).then_refused(refusal);
    }
}

#[test]
fn a_tenant_may_take_some_kinds_of_attachments_or_none() {
    let all = Limits::default().attachment_kinds;
    assert!(AttachmentKind::ALL.into_iter().all(|kind| all.contains(kind)));
    let none = Limits { attachment_kinds: vec![].into(), ..Limits::default() };
    assert!(!AttachmentKind::ALL.into_iter().any(|kind| none.attachment_kinds.contains(kind)));
    let given = given_created().when(change(none)).then([LimitsChanged { limits: none }.into()]);
    testing::assert_survives_a_snapshot(given.state());
    // Order and repetition say nothing.
    let pictures = |kinds: Vec<AttachmentKind>| Limits { attachment_kinds: kinds.into(), ..Limits::default() };
    let twice = pictures(vec![AttachmentKind::File, AttachmentKind::Picture, AttachmentKind::File]);
    assert_eq!(twice, pictures(vec![AttachmentKind::Picture, AttachmentKind::File]));
}

#[test]
fn limits_from_before_there_were_attachments_read_as_the_defaults() {
    let old = r#"{"recall_window":120000,"idle_expiry":1800000,"reopen_window":600000,"offline_grace":60000}"#;
    assert_eq!(serde_json::from_str::<Limits>(old).unwrap(), Limits::default());
}

#[test]
fn a_refused_limit_is_told_in_words() {
    let refusal = TenantError::LimitOutOfRange { limit: "offline_grace", value: Millis(0), max: OFFLINE_GRACE_MAX };
    assert_eq!(refusal.to_string(), "offline_grace must be between 1 and 3600000 ms, not 0 ms");
}

#[test]
fn every_decision_about_a_stopped_consumer_is_recorded() {
    given_created()
        .when(resume("feed", PoisonVerdict::Retry))
        .then([resumed("feed", PoisonVerdict::Retry)])
        .when(resume("feed", PoisonVerdict::Retry))
        .then([resumed("feed", PoisonVerdict::Retry)])
        .when(resume("feed", PoisonVerdict::Skip))
        .then([resumed("feed", PoisonVerdict::Skip)]);
}

#[test]
fn a_consumer_has_a_short_printable_name() {
    given_created().when(resume(&"x".repeat(CONSUMER_BYTES_MAX), PoisonVerdict::Retry)).then_accepted();
    for bad in ["", "the feed", "混链", &"x".repeat(CONSUMER_BYTES_MAX + 1)] {
        given_created()
            .when(resume(bad, PoisonVerdict::Retry))
            .then_refused(TenantError::InvalidConsumer { bytes_max: CONSUMER_BYTES_MAX });
    }
}

#[test]
fn a_device_policy_holds_for_a_role_until_it_is_changed() {
    use crate::devices::{DEVICES_MAX, DeviceKind, DevicePolicy, Kick};
    use crate::tenant::event::DevicePolicyChanged;
    use crate::user::event::Role;
    let change = |policy: DevicePolicy| TenantCommand::ChangeDevicePolicy { role: Role::Agent, policy };
    let changed = |policy: DevicePolicy| TenantEvent::from(DevicePolicyChanged { role: Role::Agent, policy });
    let kick = |newcomer, ends: &[DeviceKind]| Kick { newcomer, ends: ends.to_vec() };
    let one = DevicePolicy { devices_max: 1, kicks: vec![kick(DeviceKind::Web, &[DeviceKind::Web, DeviceKind::Desktop])] };
    given_created().when(change(one.clone())).then([changed(one.clone())]);
    given_created().and([changed(one.clone())]).when(change(one.clone())).then([]);
    given_created().and([changed(one.clone())]).when(change(DevicePolicy::default())).then([changed(DevicePolicy::default())]);
    for unsound in [
        DevicePolicy { devices_max: 0, kicks: vec![] },
        DevicePolicy { devices_max: DEVICES_MAX + 1, kicks: vec![] },
        DevicePolicy { devices_max: 1, kicks: vec![kick(DeviceKind::Web, &[])] },
        DevicePolicy { devices_max: 1, kicks: vec![kick(DeviceKind::Web, &[DeviceKind::Web, DeviceKind::Web])] },
        DevicePolicy {
            devices_max: 1,
            kicks: vec![kick(DeviceKind::Web, &[DeviceKind::Web]), kick(DeviceKind::Web, &[DeviceKind::Tablet])],
        },
    ] {
        given_created().when(change(unsound)).then_refused(TenantError::DevicePolicyUnsound { devices_max: DEVICES_MAX });
    }
}
