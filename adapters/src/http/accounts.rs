//! External accounts: whose they are, and the id of the user behind one.
//!
//! A user who is first seen under an account gets an id derived from it, so that two first sign-ins meet in one stream.

use domain::ids::{ChannelId, TenantId, UserId};
use domain::user::event::{ExternalAccount, KeyedDigest};

use super::error::InputError;
use crate::ids;
use crate::secrets::{Purpose, Secrets};
use crate::state::AppState;

/// The provider of sign-in names of this installation.
pub const LOCAL: &str = "local";
/// The provider of subjects of identity tokens.
pub const IDENTITY: &str = "identity";

/// The provider of guests: accounts of other tenants of this installation.
pub const GUEST: &str = "kefu";

/// The account of somebody from another tenant.
#[must_use]
pub fn of_guest(home: TenantId, user: UserId) -> ExternalAccount {
    ExternalAccount { provider: GUEST.to_owned(), account: format!("{home}/{user}") }
}

/// What the providers of channels' customers begin with.
const CHANNEL: &str = "channel:";

/// The provider of a channel's customers: each channel has one of its own.
#[must_use]
pub fn channel_provider(channel: ChannelId) -> String {
    format!("{CHANNEL}{channel}")
}

/// A customer as their channel names them.
#[must_use]
pub fn of_channel(channel: ChannelId, customer: &str) -> ExternalAccount {
    ExternalAccount { provider: channel_provider(channel), account: customer.to_owned() }
}

/// The digest under which the directory knows an account.
#[must_use]
pub fn digest(secrets: &Secrets, tenant: TenantId, account: &ExternalAccount) -> KeyedDigest {
    secrets.digest(tenant, Purpose::Account, &[account.provider.as_bytes(), account.account.as_bytes()])
}

/// A sign-in name as an account.
#[must_use]
pub fn of_login(login: &str) -> ExternalAccount {
    ExternalAccount { provider: LOCAL.to_owned(), account: login.to_owned() }
}

/// Checks an account that somebody claims: sign-in names and subjects of tokens are not claimed this way.
///
/// # Errors
/// [`InputError::Refused`].
pub fn check_claimed(account: &ExternalAccount) -> Result<(), InputError> {
    let refused = |field, reason| Err(InputError::Refused { field, reason });
    if account.provider.is_empty() {
        return refused("provider", "must not be empty");
    }
    if account.account.is_empty() {
        return refused("account", "must not be empty");
    }
    if account.provider == LOCAL {
        return refused("provider", "must not be `local`: sign-in names are set with `login`");
    }
    if account.provider == GUEST {
        return refused("provider", "must not be `kefu`: guests from other tenants are made with `guests`");
    }
    if account.provider.starts_with(CHANNEL) {
        return refused("provider", "must not begin with `channel:`: a channel alone speaks for its customers");
    }
    Ok(())
}

/// The user behind an account, known or not yet.
#[must_use]
pub fn user_behind(app: &AppState, tenant: TenantId, digest: KeyedDigest) -> UserId {
    app.ports.views.user_by_account(tenant, digest).unwrap_or_else(|| ids::user_of_account(tenant, digest))
}
