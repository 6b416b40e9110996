//! Who the customers of a channel are: accounts of the channel's own, which nobody else can claim and which claim nobody else's.

use application::error::Refusal;
use application::ports::key_store::SubjectId;
use application::queries::{AccountStage, ChannelRow};
use domain::ids::{ChannelId, TenantId, UserId};
use domain::user::command::UserCommand;
use domain::user::decide::TEXT_BYTES_MAX;
use domain::user::error::UserError;
use domain::user::event::{ExternalAccount, Profile, Role};

use crate::http::accounts;
use crate::http::error::{ApiError, InputError};
use crate::messaging::{self, Sender};
use crate::presence;
use crate::state::AppState;

/// A customer as their channel names them.
#[derive(Clone, Debug)]
pub struct Named {
    /// Their id at the channel.
    pub account: ExternalAccount,
    /// Who they are, or will be.
    pub user: UserId,
    /// Whether the channel has spoken for them before.
    pub is_known: bool,
}

/// Finds who a channel means.
///
/// # Errors
/// [`InputError::Refused`] for nobody; [`UserError::OfAnotherChannel`], and the refusals of a closed account.
pub fn named(app: &AppState, tenant: TenantId, channel: ChannelId, customer: &str) -> Result<Named, ApiError> {
    if customer.is_empty() {
        return Err(InputError::Refused { field: "customer", reason: "must not be empty" }.into());
    }
    // Before anything is made of it: an account that cannot be mapped would be nobody's.
    if customer.len() > TEXT_BYTES_MAX {
        return Err(Refusal::from(UserError::TextTooLong { field: "customer", bytes_max: TEXT_BYTES_MAX }).into());
    }
    let account = accounts::of_channel(channel, customer);
    let user = accounts::user_behind(app, tenant, accounts::digest(&app.secrets, tenant, &account));
    let row = app.ports.views.channel_customer(tenant, user);
    if let Some(other) = row.filter(|row| row.channel != channel) {
        return Err(Refusal::from(UserError::OfAnotherChannel { channel: other.channel }).into());
    }
    match app.ports.views.user(tenant, user).map(|row| row.stage) {
        Some(AccountStage::Deactivated) => return Err(Refusal::from(UserError::Deactivated).into()),
        Some(AccountStage::Merged { into }) => return Err(Refusal::from(UserError::Merged { into }).into()),
        Some(AccountStage::Active) | None => {}
    }
    Ok(Named { account, user, is_known: row.is_some() })
}

/// A customer whom the channel has spoken for before.
///
/// # Errors
/// As [`named`], and [`ApiError::NotFound`].
pub fn known(app: &AppState, tenant: TenantId, channel: ChannelId, customer: &str) -> Result<Sender, ApiError> {
    let named = named(app, tenant, channel, customer)?;
    if named.is_known { Ok(sender(tenant, named.user)) } else { Err(ApiError::NotFound { kind: "customer" }) }
}

/// A customer, made at first sight: registered, known under the channel's account, and delivered to from here on.
///
/// # Errors
/// As [`named`], and [`ApiError::Command`].
pub async fn welcome(app: &AppState, tenant: TenantId, row: &ChannelRow, customer: &str, name: Option<String>) -> Result<Sender, ApiError> {
    let Named { account, user, is_known } = named(app, tenant, row.channel, customer)?;
    if is_known {
        return Ok(sender(tenant, user));
    }
    let digest = accounts::digest(&app.secrets, tenant, &account);
    app.ports.keys.ensure(tenant, SubjectId::from(user)).await?;
    let profile = Profile { display_name: name.unwrap_or_default(), avatar_url: None };
    // Each is nothing when it is so already; whoever was interrupted, or comes at the same moment, begins anew.
    let mut reached = None;
    for command in [
        UserCommand::Register { role: Role::Customer, anonymous: false, profile },
        UserCommand::MapExternalAccount { digest, account },
        UserCommand::ReceiveByChannel { channel: row.channel, up_to: 0 },
    ] {
        reached = Some(messaging::execute(app, presence::order(app, (tenant, user), command)).await?.position.commit);
    }
    // Whoever asks next about this customer, on any way, finds them.
    if let Some(reached) = reached
        && let Err(behind) = app.ports.views.at_least(reached).await
    {
        tracing::warn!(%behind, "a customer of a channel speaks before the read models show them");
    }
    Ok(sender(tenant, user))
}

/// The address of the channel's own servers says nothing of the customer.
const fn sender(tenant: TenantId, user: UserId) -> Sender {
    Sender { tenant, user, role: Role::Customer, address: None }
}
