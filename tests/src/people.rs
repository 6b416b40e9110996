//! Who acts in a journey: somebody signed in, or a key.

use domain::ids::{SessionId, TenantId, UserId};
use serde_json::Value;

/// The operator key of every world.
pub const OPERATOR_KEY: &str = "operator-key-of-the-tests";
/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery";
/// What a device calls itself that polls.
pub const DEVICE: &str = "0190a3c0b80070008000000000000001";

/// Whoever sends requests.
#[derive(Clone, Debug)]
pub struct Person {
    /// What they are called in failures.
    pub name: String,
    /// What they send as a bearer token; `None` for nobody in particular.
    pub token: Option<String>,
    /// Who they are, if they have an account.
    pub account: Option<Account>,
}

/// Somebody's account and sign-in.
#[derive(Clone, Debug)]
pub struct Account {
    /// Their tenant.
    pub tenant: TenantId,
    /// Who.
    pub user: UserId,
    /// Their sign-in.
    pub session: SessionId,
    /// Their refresh token.
    pub refresh_token: String,
}

impl Person {
    /// Nobody in particular.
    #[must_use]
    pub fn nobody() -> Self {
        Self { name: "nobody".to_owned(), token: None, account: None }
    }

    /// The holder of the operator key.
    #[must_use]
    pub fn operator() -> Self {
        Self { name: "operator".to_owned(), token: Some(OPERATOR_KEY.to_owned()), account: None }
    }

    /// An integration with its key.
    #[must_use]
    pub fn integration(name: &str, key: String) -> Self {
        Self { name: name.to_owned(), token: Some(key), account: None }
    }

    /// Somebody who has just signed in, from the answer.
    ///
    /// # Panics
    /// When the answer is no sign-in.
    #[must_use]
    pub fn signed_in(name: &str, tenant: TenantId, answer: &Value) -> Self {
        let text = |field: &str| answer[field].as_str().unwrap_or_else(|| panic!("{name}: no {field} in {answer}")).to_owned();
        Self {
            name: name.to_owned(),
            token: Some(text("access_token")),
            account: Some(Account {
                tenant,
                user: text("user").parse().expect("the server writes user ids"),
                session: text("session").parse().expect("the server writes session ids"),
                refresh_token: text("refresh_token"),
            }),
        }
    }

    /// Their account.
    ///
    /// # Panics
    /// When they have none.
    #[must_use]
    pub fn account(&self) -> &Account {
        self.account.as_ref().unwrap_or_else(|| panic!("{} has no account", self.name))
    }

    /// Who they are.
    ///
    /// # Panics
    /// When they have no account.
    #[must_use]
    pub fn user(&self) -> UserId {
        self.account().user
    }
}
