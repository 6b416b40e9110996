//! Who asks: the operator, somebody signed in, an API key, or nobody.
//!
//! A token or key is checked anew at every request, and whether its sign-in is live is asked of the directory, so that
//! revoking takes effect at once. What they may do is not decided here but in `application::access`.

use std::net::IpAddr;
use std::sync::Arc;

use application::access::{Action, Denied, Principal, Resource, allowed, reach};
use application::log::commit::Actor;
use application::queries::{AccountStage, UserRow};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use domain::ids::{ApiKeyId, SessionId, TenantId, UserId};
use domain::tenant::event::Scope;
use domain::time::Timestamp;
use domain::user::event::KeyedDigest;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::error::{ApiError, AuthError};
use super::tokens::Claims;
use crate::render::View;
use crate::secrets::{Purpose, Secrets};
use crate::state::{App, AppState};
use crate::webhook_signature::SignatureError;

/// Somebody signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Their tenant.
    pub tenant: TenantId,
    /// Who.
    pub user: UserId,
    /// Their sign-in.
    pub session: SessionId,
    /// What the directory knows of them.
    pub row: Arc<UserRow>,
    /// When what they presented is good no longer, if nothing ends it before.
    pub until: Timestamp,
}

/// Whoever presented something.
#[derive(Clone, Debug)]
pub enum Identity {
    /// The holder of the operator key.
    Operator,
    /// Somebody signed in.
    User(SignedIn),
    /// An integration.
    ApiKey {
        /// Its tenant.
        tenant: TenantId,
        /// Its public part.
        key: ApiKeyId,
        /// What it may do.
        scopes: Vec<Scope>,
    },
}

/// Who asks, and from where.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who.
    pub identity: Identity,
    /// The request.
    pub correlation: Uuid,
    /// The client's address.
    pub address: IpAddr,
}

/// What is known of a request when it comes in; in its extensions.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// The id that it got.
    pub correlation: Uuid,
    /// Who is at the other end of its connection: the client, or a proxy.
    pub peer: IpAddr,
}

impl Origin {
    fn of(parts: &Parts) -> Self {
        *parts.extensions.get().expect("every request comes in by an entrance, which puts it there")
    }
}

impl Caller {
    /// Whoever makes a request.
    ///
    /// # Errors
    /// [`AuthError`], [`ApiError::TooMany`].
    pub fn of(app: &AppState, origin: Origin, headers: &HeaderMap) -> Result<Self, ApiError> {
        let address = address_of(app, origin.peer, headers);
        let presented = bearer(headers).and_then(|bearer| bearer.ok_or(AuthError::Missing));
        let identity = identify(app, presented.map_err(|error| refused(app, address, error))?, address)?;
        Ok(Self { identity, correlation: origin.correlation, address })
    }

    /// As the rules see them.
    #[must_use]
    pub fn principal(&self) -> Principal<'_> {
        match &self.identity {
            Identity::Operator => Principal::Operator,
            Identity::User(user) => Principal::User { tenant: user.tenant, role: user.row.role, groups: &user.row.groups },
            Identity::ApiKey { tenant, scopes, .. } => Principal::ApiKey { tenant: *tenant, scopes },
        }
    }

    /// As events name them.
    #[must_use]
    pub fn actor(&self) -> Actor {
        match &self.identity {
            Identity::Operator => Actor::Operator,
            Identity::User(user) => Actor::User(user.user),
            Identity::ApiKey { key, .. } => Actor::ApiKey(*key),
        }
    }

    /// As idempotency keys are told apart by.
    #[must_use]
    pub fn asker(&self) -> Uuid {
        match &self.identity {
            Identity::Operator => Uuid::nil(),
            Identity::User(user) => user.user.uuid(),
            Identity::ApiKey { key, .. } => key.uuid(),
        }
    }

    /// The user, if it is one of this tenant.
    #[must_use]
    pub fn user_of(&self, tenant: TenantId) -> Option<&SignedIn> {
        match &self.identity {
            Identity::User(user) if user.tenant == tenant => Some(user),
            Identity::User(_) | Identity::Operator | Identity::ApiKey { .. } => None,
        }
    }

    /// The user, or the refusal for those who have no account of this tenant.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn require_user(&self, tenant: TenantId, action: Action) -> Result<&SignedIn, ApiError> {
        let own = self.user_of(tenant);
        allowed(self.principal(), action, Resource::of_tenant(tenant).own(own.is_some()))?;
        own.ok_or(ApiError::Denied(Denied::NoRight { action }))
    }

    /// For whose eyes the answer is written.
    #[must_use]
    pub fn view(&self) -> View {
        match &self.identity {
            Identity::User(user) => View::of(user.row.role),
            Identity::Operator | Identity::ApiKey { .. } => View::Staff,
        }
    }

    /// Whether this is the asker's own account.
    #[must_use]
    pub fn is(&self, tenant: TenantId, user: UserId) -> bool {
        self.user_of(tenant).is_some_and(|own| own.user == user)
    }

    /// Checks a right.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn may(&self, action: Action, resource: Resource) -> Result<(), ApiError> {
        Ok(allowed(self.principal(), action, resource)?)
    }

    /// Checks, before anything of the tenant is looked up, that the asker has this right to anything there at all.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn enter(&self, tenant: TenantId, action: Action) -> Result<(), ApiError> {
        match allowed(self.principal(), action, Resource::of_tenant(tenant).own(true)) {
            // Reaches that depend on the resource are judged once it is known.
            Err(Denied::OutOfReach { .. }) if reach(self.principal(), action).is_some() => Ok(()),
            Ok(()) => Ok(()),
            Err(denied @ (Denied::OtherTenant | Denied::NoRight { .. } | Denied::OutOfReach { .. })) => Err(denied.into()),
        }
    }
}

/// Whether two secrets are equal, in a time that tells nothing about where they differ.
fn equal(left: &[u8], right: &[u8]) -> bool {
    // Hashed first, so that the time does not tell the length either.
    blake3::hash(left).as_bytes().ct_eq(blake3::hash(right).as_bytes()).into()
}

const API_KEY_PREFIX: &str = "kk_";

/// The text of an API key: `kk_<key id>_<tenant>.<secret>`. The secret follows from the key's id and the installation's secret,
/// so that a retried request answers the same key.
#[must_use]
pub fn api_key_text(secrets: &Secrets, tenant: TenantId, key: ApiKeyId) -> String {
    let secret = secrets.derive(Purpose::ApiKeySecret, &[tenant.as_str().as_bytes(), key.as_bytes()]);
    format!("{API_KEY_PREFIX}{key}_{tenant}.{}", blake3::Hash::from_bytes(secret).to_hex())
}

/// What the log keeps of an API key's text.
#[must_use]
pub fn api_key_digest(secrets: &Secrets, tenant: TenantId, text: &str) -> KeyedDigest {
    secrets.digest(tenant, Purpose::ApiKeySecret, &[text.as_bytes()])
}

fn api_key(app: &AppState, text: &str) -> Result<Identity, AuthError> {
    let parse = || {
        let (key, secret) = text.strip_prefix(API_KEY_PREFIX)?.split_once('_')?;
        let (tenant, _) = secret.split_once('.')?;
        Some((key.parse::<ApiKeyId>().ok()?, tenant.parse::<TenantId>().ok()?))
    };
    let (key, tenant) = parse().ok_or(AuthError::Invalid)?;
    let row = app.ports.views.tenant(tenant).ok_or(AuthError::Invalid)?;
    let known = row.api_keys.iter().find(|known| known.key == key && !known.revoked).ok_or(AuthError::Invalid)?;
    let presented = api_key_digest(&app.secrets, tenant, text);
    if bool::from(presented.as_bytes().ct_eq(known.secret.as_bytes())) {
        Ok(Identity::ApiKey { tenant, key, scopes: known.scopes.clone() })
    } else {
        Err(AuthError::Invalid)
    }
}

/// Checks an access token, and that its sign-in is live.
///
/// # Errors
/// [`AuthError`].
pub fn signed_in(app: &AppState, token: &str) -> Result<SignedIn, AuthError> {
    session_of(app, app.tokens.verify(token, app.now())?)
}

fn session_of(app: &AppState, claims: Claims) -> Result<SignedIn, AuthError> {
    let (row, session_ends) = live(app, claims.tid, claims.sub, claims.sid)?;
    Ok(SignedIn { tenant: claims.tid, user: claims.sub, session: claims.sid, row, until: session_ends.min(claims.until()) })
}

/// Whether a sign-in is live now.
///
/// # Errors
/// [`AuthError::AccountClosed`], [`AuthError::SessionEnded`], [`AuthError::Expired`].
pub fn live_session(app: &AppState, tenant: TenantId, user: UserId, session: SessionId) -> Result<Arc<UserRow>, AuthError> {
    live(app, tenant, user, session).map(|(row, _)| row)
}

/// The same, and when the sign-in ends.
fn live(app: &AppState, tenant: TenantId, user: UserId, session: SessionId) -> Result<(Arc<UserRow>, Timestamp), AuthError> {
    let row = app.ports.views.user(tenant, user).ok_or(AuthError::SessionEnded)?;
    match row.stage {
        AccountStage::Active => {}
        AccountStage::Deactivated | AccountStage::Merged { .. } => return Err(AuthError::AccountClosed),
    }
    let ends = row.sessions.iter().find(|known| known.session == session).ok_or(AuthError::SessionEnded)?.expires_at;
    if app.now() < ends { Ok((row, ends)) } else { Err(AuthError::Expired) }
}

fn identify(app: &AppState, bearer: &str, address: IpAddr) -> Result<Identity, ApiError> {
    // The most frequent first; what was read as a token is neither key.
    if let Some(claims) = app.tokens.known(bearer, app.now()) {
        let known = claims.and_then(|claims| session_of(app, claims)).map(Identity::User);
        return known.map_err(|error| refused(app, address, error));
    }
    let is_operator = app.config.auth.operator_key.as_ref().is_some_and(|key| equal(key.as_bytes(), bearer.as_bytes()));
    if is_operator {
        // Somebody chose it, so it could be guessed: whoever failed too often is not told when they hit it.
        app.addresses.may_try(address, app.now())?;
        return Ok(Identity::Operator);
    }
    let identity = if bearer.starts_with(API_KEY_PREFIX) { api_key(app, bearer) } else { signed_in(app, bearer).map(Identity::User) };
    identity.map_err(|error| refused(app, address, error))
}

/// What somebody is told whose credential is not valid. Attempts are counted by address, and whoever makes too many is told that
/// instead. What was valid once and is over by now is no attempt: everybody's token expires, and everybody in an office at once.
#[must_use]
pub fn refused(app: &AppState, address: IpAddr, error: AuthError) -> ApiError {
    let counted = match error {
        AuthError::Missing
        | AuthError::Invalid
        | AuthError::WrongCredentials
        | AuthError::InvalidIdentity { .. }
        | AuthError::InvalidRefresh
        | AuthError::Signature(SignatureError::Header { .. } | SignatureError::Wrong) => app.addresses.failed(address, app.now()),
        AuthError::Expired | AuthError::SessionEnded | AuthError::AccountClosed | AuthError::Signature(SignatureError::OutOfTolerance) => {
            Ok(())
        }
    };
    counted.map_or_else(ApiError::from, |()| error.into())
}

fn bearer(headers: &HeaderMap) -> Result<Option<&str>, AuthError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    let (scheme, token) = value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or(AuthError::Invalid)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(Some(token.trim())) } else { Err(AuthError::Invalid) }
}

/// The client's address: the peer, or what trusted proxies say.
#[must_use]
pub fn client_address(app: &AppState, parts: &Parts) -> IpAddr {
    address_of(app, Origin::of(parts).peer, &parts.headers)
}

pub(super) fn address_of(app: &AppState, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let forwarded: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok()).collect();
    app.config.http.trusted_proxies.client(peer, forwarded.into_iter())
}

/// The id of a request, given by [`super::router`].
pub(crate) fn correlation(parts: &Parts) -> Uuid {
    Origin::of(parts).correlation
}

impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        Self::of(app, Origin::of(parts), &parts.headers)
    }
}

/// Somebody who may, but need not, have presented something: at the sign-in routes.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The request.
    pub correlation: Uuid,
    /// The client's address.
    pub address: IpAddr,
    /// What they presented, not checked: an old token must not keep anybody from signing in.
    bearer: Option<String>,
}

impl Visitor {
    /// Who they are, if they presented something.
    ///
    /// # Errors
    /// [`AuthError`] when it is not valid, [`ApiError::TooMany`] when that happened too often.
    pub fn identify(&self, app: &AppState) -> Result<Option<Identity>, ApiError> {
        self.bearer.as_deref().map(|bearer| identify(app, bearer, self.address)).transpose()
    }

    /// See [`refused`].
    #[must_use]
    pub fn refused(&self, app: &AppState, error: AuthError) -> ApiError {
        refused(app, self.address, error)
    }
}

impl FromRequestParts<App> for Visitor {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let address = client_address(app, parts);
        let bearer = bearer(&parts.headers).map_err(|error| refused(app, address, error))?.map(str::to_owned);
        Ok(Self { correlation: correlation(parts), address, bearer })
    }
}
