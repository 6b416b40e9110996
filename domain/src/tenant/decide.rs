//! The rules of a tenant.
//!
//! Already true is no event; not allowed is an error. Every function but `create` asks for a
//! [`CreatedTenant`], even one that reads nothing of it, so that nothing can be asked before.

use std::collections::BTreeSet;

use crate::devices::{DEVICES_MAX, DevicePolicy};
use crate::ids::{ApiKeyId, CannedReplyId, ChannelId, GroupId, ShopId};
use crate::labels::Label;
use crate::message::{CannedText, URL_BYTES_MAX};
use crate::private::Private;
use crate::tenant::blocks;
use crate::tenant::command::TenantCommand;
use crate::tenant::error::TenantError;
use crate::tenant::event::{
    ApiKeyIssued, ApiKeyRevoked, CannedReplyRemoved, CannedReplySaved, ChannelConnected, ChannelDeliveryStopped, ChannelDisconnected,
    ChannelSecretSet, ChannelSettings, ConsumerResumed, DevicePolicyChanged, GroupFormed, IdentitySecretSet, Limits, LimitsChanged,
    PoisonVerdict, Scope, SharedSecret, ShopOpened, TenantCreated, TenantEvent, Title,
};
use crate::tenant::state::{
    API_KEYS_MAX, ATTACHMENT_BYTES_MAX, ApiKey, CANNED_REPLIES_MAX, CHANNELS_MAX, CannedReply, CreatedTenant, GROUPS_MAX, IDLE_EXPIRY_MAX,
    OFFLINE_GRACE_MAX, RECALL_WINDOW_MAX, REOPEN_WINDOW_MAX, SHOPS_MAX, TICKET_DUE_MAX, TenantState,
};
use crate::tenant::{flows, providers, robots};
use crate::time::{Millis, Timestamp};
use crate::user::event::{KeyedDigest, Role};

/// Longest time zone in bytes; the longest IANA name has 32.
pub const TIME_ZONE_BYTES_MAX: usize = 64;
/// Longest title in bytes of UTF-8: one line of a page.
pub const TITLE_BYTES_MAX: usize = 512;
/// Longest name of a consumer in bytes; the names are written in code.
pub const CONSUMER_BYTES_MAX: usize = 64;
/// Base64 characters, without padding, that 32 bytes take: HS256 wants a secret as long as its hash.
pub const IDENTITY_SECRET_CHARACTERS_MIN: usize = 43;
/// Longest identity secret in bytes; a longer one is a file uploaded by mistake.
pub const IDENTITY_SECRET_BYTES_MAX: usize = 1_024;

type Decision = Result<Vec<TenantEvent>, TenantError>;

/// Answers one command.
///
/// # Errors
/// The rule that refuses.
pub fn decide(command: &TenantCommand, state: &TenantState, _at: Timestamp) -> Decision {
    let tenant = state.created().ok_or(TenantError::NotCreated);
    match command {
        TenantCommand::Create { time_zone, title } => create(state, time_zone, title),
        TenantCommand::OpenShop { shop, title } => open_shop(tenant?, *shop, title),
        TenantCommand::FormGroup { group, title } => form_group(tenant?, *group, title),
        TenantCommand::IssueApiKey { key, secret, scopes, title } => issue_api_key(tenant?, *key, *secret, scopes, title),
        TenantCommand::RevokeApiKey { key } => revoke_api_key(tenant?, *key),
        TenantCommand::SetIdentitySecret { secret } => set_identity_secret(tenant?, secret),
        TenantCommand::ChangeLimits { limits } => change_limits(tenant?, *limits),
        TenantCommand::ChangeDevicePolicy { role, policy } => change_device_policy(tenant?, *role, policy),
        TenantCommand::ResumeConsumer { consumer, commit, index, verdict } => resume_consumer(tenant?, consumer, *commit, *index, *verdict),
        TenantCommand::AddCannedReply { reply, group, shortcut, content } => add_canned_reply(tenant?, *reply, *group, shortcut, content),
        TenantCommand::ChangeCannedReply { reply, shortcut, content } => change_canned_reply(tenant?, *reply, shortcut, content),
        TenantCommand::RemoveCannedReply { reply } => remove_canned_reply(tenant?, *reply),
        TenantCommand::ConnectChannel { channel, shop, settings, secret, rotate } => {
            connect_channel(tenant?, *channel, *shop, settings, secret, *rotate)
        }
        TenantCommand::StopChannelDelivery { channel, connected_at } => stop_channel_delivery(tenant?, *channel, *connected_at),
        TenantCommand::DisconnectChannel { channel } => disconnect_channel(tenant?, *channel),
        TenantCommand::BlockAddresses { range, addresses } => blocks::block(tenant?, *range, addresses),
        TenantCommand::UnblockAddresses { range } => Ok(blocks::unblock(tenant?, *range)),
        TenantCommand::PublishFlow { flow, shop, text } => flows::publish(tenant?, flow, *shop, text),
        TenantCommand::WithdrawFlow { kind, shop } => Ok(flows::withdraw(tenant?, *kind, *shop)),
        TenantCommand::ConnectRobot { robot, connection } => robots::connect(tenant?, robot, connection),
        TenantCommand::ConnectProvider { provider, connection } => providers::connect(tenant?, provider, connection),
        TenantCommand::DisconnectProvider { provider } => Ok(providers::disconnect(tenant?, provider)),
        TenantCommand::DisconnectRobot { robot } => Ok(robots::disconnect(tenant?, robot)),
    }
}

fn create(state: &TenantState, time_zone: &str, title: &Title) -> Decision {
    if let Some(tenant) = state.created() {
        return if tenant.time_zone == time_zone {
            Ok(vec![])
        } else {
            Err(TenantError::CreatedOtherwise { time_zone: tenant.time_zone.clone() })
        };
    }
    if !is_printable_ascii(time_zone, TIME_ZONE_BYTES_MAX) {
        return Err(TenantError::InvalidTimeZone { bytes_max: TIME_ZONE_BYTES_MAX });
    }
    check_title(title)?;
    Ok(vec![TenantCreated { time_zone: time_zone.to_owned(), private: Private::Known(title.clone()) }.into()])
}

fn open_shop(tenant: &CreatedTenant, shop: ShopId, title: &Title) -> Decision {
    if tenant.shops.contains(&shop) {
        return Ok(vec![]);
    }
    if tenant.shops.len() >= SHOPS_MAX {
        return Err(TenantError::TooManyShops { shops_max: SHOPS_MAX });
    }
    check_title(title)?;
    Ok(vec![ShopOpened { shop, private: Private::Known(title.clone()) }.into()])
}

fn form_group(tenant: &CreatedTenant, group: GroupId, title: &Title) -> Decision {
    if tenant.groups.contains(&group) {
        return Ok(vec![]);
    }
    if tenant.groups.len() >= GROUPS_MAX {
        return Err(TenantError::TooManyGroups { groups_max: GROUPS_MAX });
    }
    check_title(title)?;
    Ok(vec![GroupFormed { group, private: Private::Known(title.clone()) }.into()])
}

fn issue_api_key(tenant: &CreatedTenant, key: ApiKeyId, secret: KeyedDigest, scopes: &[Scope], title: &Title) -> Decision {
    let issued = ApiKey { secret, scopes: scopes.iter().copied().collect() };
    if let Some(live) = tenant.api_keys.get(&key) {
        return if *live == issued { Ok(vec![]) } else { Err(TenantError::ApiKeyTaken { key }) };
    }
    check_scopes(&issued.scopes)?;
    if tenant.api_keys.len() >= API_KEYS_MAX {
        return Err(TenantError::TooManyApiKeys { keys_max: API_KEYS_MAX });
    }
    check_title(title)?;
    Ok(vec![ApiKeyIssued { key, secret, scopes: issued.scopes.into_iter().collect(), private: Private::Known(title.clone()) }.into()])
}

fn check_scopes(scopes: &BTreeSet<Scope>) -> Result<(), TenantError> {
    if scopes.is_empty() {
        return Err(TenantError::NoScopes);
    }
    if scopes.contains(&Scope::MintIdentities)
        && let Some(scope) = scopes.iter().find(|scope| talks_with_customers(**scope))
    {
        return Err(TenantError::MintIdentitiesTogetherWith { scope: *scope });
    }
    Ok(())
}

const fn talks_with_customers(scope: Scope) -> bool {
    match scope {
        Scope::Reception | Scope::Robot | Scope::Provider => true,
        Scope::MintIdentities | Scope::ManageUsers | Scope::ManageTenant | Scope::ReadConversations => false,
    }
}

fn revoke_api_key(tenant: &CreatedTenant, key: ApiKeyId) -> Decision {
    if tenant.api_keys.contains_key(&key) { Ok(vec![ApiKeyRevoked { key }.into()]) } else { Ok(vec![]) }
}

fn set_identity_secret(_: &CreatedTenant, secret: &SharedSecret) -> Decision {
    check_secret(secret)?;
    Ok(vec![IdentitySecretSet { private: Private::Known(secret.clone()) }.into()])
}

pub(super) fn check_secret(secret: &SharedSecret) -> Result<(), TenantError> {
    if secret.secret.len() > IDENTITY_SECRET_BYTES_MAX {
        return Err(TenantError::TextTooLong { field: "secret", bytes_max: IDENTITY_SECRET_BYTES_MAX });
    }
    // Padding carries nothing: 31 padded bytes are as many characters as 32.
    let characters = secret.secret.trim_end_matches('=').as_bytes();
    if !characters.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte)) {
        return Err(TenantError::IdentitySecretNotBase64);
    }
    if characters.len() < IDENTITY_SECRET_CHARACTERS_MIN {
        return Err(TenantError::IdentitySecretTooShort { characters_min: IDENTITY_SECRET_CHARACTERS_MIN });
    }
    Ok(())
}

fn change_limits(tenant: &CreatedTenant, limits: Limits) -> Decision {
    if limits == tenant.limits {
        return Ok(vec![]);
    }
    check_limit("recall_window", limits.recall_window, RECALL_WINDOW_MAX)?;
    check_limit("idle_expiry", limits.idle_expiry, IDLE_EXPIRY_MAX)?;
    check_limit("reopen_window", limits.reopen_window, REOPEN_WINDOW_MAX)?;
    check_limit("offline_grace", limits.offline_grace, OFFLINE_GRACE_MAX)?;
    check_limit("ticket_due", limits.ticket_due, TICKET_DUE_MAX)?;
    if !(1..=ATTACHMENT_BYTES_MAX).contains(&limits.attachment_bytes_max) {
        return Err(TenantError::AttachmentBytesOutOfRange { bytes: limits.attachment_bytes_max, bytes_max: ATTACHMENT_BYTES_MAX });
    }
    Ok(vec![LimitsChanged { limits }.into()])
}

fn change_device_policy(tenant: &CreatedTenant, role: Role, policy: &DevicePolicy) -> Decision {
    if tenant.device_policies.get(&role) == Some(policy) {
        return Ok(vec![]);
    }
    if !policy.is_sound() {
        return Err(TenantError::DevicePolicyUnsound { devices_max: DEVICES_MAX });
    }
    Ok(vec![DevicePolicyChanged { role, policy: policy.clone() }.into()])
}

fn check_limit(limit: &'static str, value: Millis, max: Millis) -> Result<(), TenantError> {
    if value <= Millis(0) || value > max { Err(TenantError::LimitOutOfRange { limit, value, max }) } else { Ok(()) }
}

fn resume_consumer(_: &CreatedTenant, consumer: &str, commit: u64, index: u32, verdict: PoisonVerdict) -> Decision {
    if !is_printable_ascii(consumer, CONSUMER_BYTES_MAX) {
        return Err(TenantError::InvalidConsumer { bytes_max: CONSUMER_BYTES_MAX });
    }
    Ok(vec![ConsumerResumed { consumer: consumer.to_owned(), commit, index, verdict }.into()])
}

fn add_canned_reply(
    tenant: &CreatedTenant,
    reply: CannedReplyId,
    group: Option<GroupId>,
    shortcut: &Label,
    content: &CannedText,
) -> Decision {
    if tenant.canned_replies.contains_key(&reply) {
        return Ok(vec![]);
    }
    if let Some(group) = group.filter(|group| !tenant.groups.contains(group)) {
        return Err(TenantError::NoSuchGroup { group });
    }
    if tenant.canned_replies.len() >= CANNED_REPLIES_MAX {
        return Err(TenantError::TooManyCannedReplies { replies_max: CANNED_REPLIES_MAX });
    }
    save_canned_reply(tenant, reply, group, shortcut, content)
}

fn change_canned_reply(tenant: &CreatedTenant, reply: CannedReplyId, shortcut: &Label, content: &CannedText) -> Decision {
    let group = canned_reply(tenant, reply)?.group;
    save_canned_reply(tenant, reply, group, shortcut, content)
}

fn save_canned_reply(
    tenant: &CreatedTenant,
    reply: CannedReplyId,
    group: Option<GroupId>,
    shortcut: &Label,
    content: &CannedText,
) -> Decision {
    content.check().map_err(TenantError::CannedText)?;
    let is_taken = |(id, known): (&CannedReplyId, &CannedReply)| *id != reply && known.group == group && known.shortcut == *shortcut;
    if tenant.canned_replies.iter().any(is_taken) {
        return Err(TenantError::ShortcutTaken { shortcut: shortcut.clone() });
    }
    Ok(vec![CannedReplySaved { reply, shortcut: shortcut.clone(), group, private: Private::Known(content.clone()) }.into()])
}

fn remove_canned_reply(tenant: &CreatedTenant, reply: CannedReplyId) -> Decision {
    canned_reply(tenant, reply)?;
    Ok(vec![CannedReplyRemoved { reply }.into()])
}

fn canned_reply(tenant: &CreatedTenant, reply: CannedReplyId) -> Result<&CannedReply, TenantError> {
    tenant.canned_replies.get(&reply).ok_or(TenantError::NoSuchCannedReply { reply })
}

fn connect_channel(
    tenant: &CreatedTenant,
    channel: ChannelId,
    shop: ShopId,
    settings: &ChannelSettings,
    secret: &SharedSecret,
    rotate: bool,
) -> Decision {
    if !tenant.shops.contains(&shop) {
        return Err(TenantError::NoSuchShop { shop });
    }
    check_title(&Title { title: settings.title.clone() })?;
    if settings.url.is_empty() {
        return Err(TenantError::ChannelAddressEmpty);
    }
    if settings.url.len() > URL_BYTES_MAX {
        return Err(TenantError::TextTooLong { field: "url", bytes_max: URL_BYTES_MAX });
    }
    let is_new = !tenant.channels.contains_key(&channel);
    if is_new && tenant.channels.len() >= CHANNELS_MAX {
        return Err(TenantError::TooManyChannels { channels_max: CHANNELS_MAX });
    }
    let mut events = vec![ChannelConnected { channel, shop, private: Private::Known(settings.clone()) }.into()];
    if is_new || rotate {
        check_secret(secret)?;
        events.push(ChannelSecretSet { channel, private: Private::Known(secret.clone()) }.into());
    }
    Ok(events)
}

fn stop_channel_delivery(tenant: &CreatedTenant, channel: ChannelId, connected_at: Timestamp) -> Decision {
    let meant = tenant.channels.get(&channel).filter(|known| known.delivers && known.connected_at == connected_at);
    Ok(meant.map(|_| ChannelDeliveryStopped { channel }.into()).into_iter().collect())
}

fn disconnect_channel(tenant: &CreatedTenant, channel: ChannelId) -> Decision {
    if tenant.channels.contains_key(&channel) { Ok(vec![ChannelDisconnected { channel }.into()]) } else { Ok(vec![]) }
}

fn is_printable_ascii(text: &str, bytes_max: usize) -> bool {
    !text.is_empty() && text.len() <= bytes_max && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn check_title(title: &Title) -> Result<(), TenantError> {
    if title.title.len() > TITLE_BYTES_MAX {
        return Err(TenantError::TextTooLong { field: "title", bytes_max: TITLE_BYTES_MAX });
    }
    Ok(())
}
