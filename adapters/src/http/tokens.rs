//! Access tokens and refresh tokens: how they are written, signed and read.
//!
//! An access token says who and which sign-in; whether that sign-in is live is asked of the directory every time. A refresh
//! token is opaque; only a keyed digest of its secret is in the log. This file must not know a request.
//!
//! A device that polls shows the same token several times a second. What a token says does not change, so it is kept beside the
//! token's digest; never the token, and never whether it is still good.

use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::ids::{SessionId, TenantId, UserId};
use domain::time::{Millis, Timestamp};
use domain::user::event::KeyedDigest;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::error::{ApiError, AuthError};
use crate::secrets::{Purpose, Secrets};

/// What an access token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The user.
    pub sub: UserId,
    /// Their tenant.
    pub tid: TenantId,
    /// The sign-in.
    pub sid: SessionId,
    /// When it was issued, in seconds.
    pub iat: i64,
    /// When it ends, in seconds.
    pub exp: i64,
}

impl Claims {
    /// The first moment at which they are good no longer.
    #[must_use]
    pub const fn until(&self) -> Timestamp {
        Timestamp(self.exp.saturating_mul(1_000))
    }

    fn checked(self, now: Timestamp) -> Result<Self, AuthError> {
        if now < self.until() { Ok(self) } else { Err(AuthError::Expired) }
    }
}

/// Places for tokens whose claims are kept. With all of [`TOGETHER`] in each, at some 110 bytes, they take about 1 MiB.
const PLACES: usize = 2_048;
/// Tokens that are kept in one place, the one that was shown last in front; the last makes room for another.
const TOGETHER: usize = 4;

/// The claims of some tokens, beside their digests.
type Known = Mutex<[Option<(blake3::Hash, Claims)>; TOGETHER]>;

/// Signs and checks access tokens.
pub struct AccessTokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    known: Box<[Known]>,
}

impl AccessTokens {
    /// Tokens under this installation's key. HS256 is pinned: a token that names another algorithm is refused.
    #[must_use]
    pub fn new(secrets: &Secrets) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        // The time of day is the application's clock, not the library's.
        validation.validate_exp = false;
        validation.validate_aud = false;
        Self {
            encoding: EncodingKey::from_secret(secrets.token_key()),
            decoding: DecodingKey::from_secret(secrets.token_key()),
            validation,
            known: (0..PLACES).map(|_| Mutex::default()).collect(),
        }
    }

    /// Signs a token.
    ///
    /// # Errors
    /// [`ApiError::Signing`], which would be a fault of the library.
    pub fn sign(&self, tenant: TenantId, user: UserId, session: SessionId, now: Timestamp, life: Millis) -> Result<String, ApiError> {
        let claims = Claims { sub: user, tid: tenant, sid: session, iat: now.0 / 1_000, exp: (now + life).0 / 1_000 };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding).map_err(|_| ApiError::Signing)
    }

    /// Reads a token.
    ///
    /// # Errors
    /// [`AuthError::Invalid`], [`AuthError::Expired`].
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, AuthError> {
        let digest = blake3::hash(token.as_bytes());
        let claims = match self.known_by(&digest) {
            Some(claims) => claims,
            None => {
                let read = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation).map_err(|_| AuthError::Invalid)?;
                self.keep(digest, read.claims);
                read.claims
            }
        };
        claims.checked(now)
    }

    /// What a text says that was read as a token lately, as [`Self::verify`] does; `None` for any other text.
    #[must_use]
    pub fn known(&self, text: &str, now: Timestamp) -> Option<Result<Claims, AuthError>> {
        Some(self.known_by(&blake3::hash(text.as_bytes()))?.checked(now))
    }

    fn known_by(&self, digest: &blake3::Hash) -> Option<Claims> {
        let mut place = self.place(digest);
        let nth = place.iter().position(|known| known.is_some_and(|(known, _)| known == *digest))?;
        place[..=nth].rotate_right(1);
        place[0].map(|(_, claims)| claims)
    }

    fn keep(&self, digest: blake3::Hash, claims: Claims) {
        let mut place = self.place(&digest);
        place.rotate_right(1);
        place[0] = Some((digest, claims));
    }

    fn place(&self, digest: &blake3::Hash) -> MutexGuard<'_, [Option<(blake3::Hash, Claims)>; TOGETHER]> {
        let [low, high, ..] = digest.as_bytes();
        let place = usize::from(u16::from_le_bytes([*low, *high])) % PLACES;
        self.known[place].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const REFRESH_PREFIX: &str = "kr_";
const REFRESH_BYTES: usize = 16 + 16 + 32;

/// A refresh token: whose sign-in it is, and the secret that proves it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RefreshToken {
    /// The user.
    pub user: UserId,
    /// The sign-in.
    pub session: SessionId,
    secret: [u8; 32],
}

impl RefreshToken {
    /// The first token of a sign-in. Nobody without the installation's secret can compute it; a retry of the sign-in can.
    #[must_use]
    pub fn first(secrets: &Secrets, user: UserId, session: SessionId) -> Self {
        Self { user, session, secret: secrets.derive(Purpose::RefreshSecret, &[user.as_bytes(), session.as_bytes()]) }
    }

    /// The token after this one; the same again for a retry with the same salt.
    #[must_use]
    pub fn next(&self, secrets: &Secrets, salt: Uuid) -> Self {
        let secret = secrets.derive(Purpose::RefreshSecret, &[self.session.as_bytes(), &self.secret, salt.as_bytes()]);
        Self { secret, ..*self }
    }

    /// What the log keeps of it.
    #[must_use]
    pub fn digest(&self, secrets: &Secrets, tenant: TenantId) -> KeyedDigest {
        secrets.digest(tenant, Purpose::RefreshSecret, &[self.session.as_bytes(), &self.secret])
    }

    /// The token as the client keeps it.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut bytes = Vec::with_capacity(REFRESH_BYTES);
        bytes.extend_from_slice(self.user.as_bytes());
        bytes.extend_from_slice(self.session.as_bytes());
        bytes.extend_from_slice(&self.secret);
        format!("{REFRESH_PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Reads a token.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(REFRESH_PREFIX)?).ok()?;
        let bytes: [u8; REFRESH_BYTES] = bytes.try_into().ok()?;
        let id = |at: usize| Uuid::from_bytes(bytes[at..at + 16].try_into().expect("sixteen bytes"));
        let secret = bytes[32..].try_into().expect("the last thirty-two bytes");
        Some(Self { user: UserId::from_uuid(id(0)), session: SessionId::from_uuid(id(16)), secret })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    fn sign(secrets: &Secrets) -> String {
        let (user, session) = (UserId::from_u128(1), SessionId::from_u128(2));
        AccessTokens::new(secrets).sign("acme".parse().unwrap(), user, session, NOW, Millis::minutes(15)).unwrap()
    }

    #[test]
    fn a_token_is_good_until_its_time_is_over() {
        let secrets = Secrets::from_master(&[1; 32]);
        let tokens = AccessTokens::new(&secrets);
        let token = sign(&secrets);
        assert_eq!(tokens.verify(&token, NOW + Millis(15 * 60_000 - 1)).unwrap().sub, UserId::from_u128(1));
        assert_eq!(tokens.verify(&token, NOW + Millis::minutes(15)), Err(AuthError::Expired));
    }

    #[test]
    fn hundreds_that_are_shown_in_turn_are_all_known() {
        let tokens = AccessTokens::new(&Secrets::from_master(&[1; 32]));
        let sign = |nth| tokens.sign("acme".parse().unwrap(), UserId::from_u128(nth), SessionId::from_u128(nth), NOW, Millis::minutes(15));
        let shown: Vec<String> = (0..500).map(|nth| sign(nth).unwrap()).collect();
        for token in &shown {
            assert!(tokens.verify(token, NOW).is_ok());
        }
        let known = shown.iter().filter(|token| tokens.known(token, NOW).is_some()).count();
        assert_eq!(known, shown.len());
    }

    #[test]
    fn a_token_that_is_known_says_the_same_and_ends_at_the_same_time() {
        let secrets = Secrets::from_master(&[1; 32]);
        let tokens = AccessTokens::new(&secrets);
        let token = sign(&secrets);
        assert_eq!(tokens.known(&token, NOW), None, "nobody has shown it");
        let read = tokens.verify(&token, NOW);
        assert_eq!(tokens.known(&token, NOW), Some(read));
        assert_eq!(tokens.known(&token, NOW + Millis::minutes(15)), Some(Err(AuthError::Expired)));
        assert_eq!(tokens.verify(&token, NOW + Millis::minutes(15)), Err(AuthError::Expired));
        let forged = token.replacen('.', ".A", 2);
        for other in [forged.as_str(), &token[1..], ""] {
            assert_eq!((tokens.known(other, NOW), tokens.verify(other, NOW)), (None, Err(AuthError::Invalid)), "{other}");
            assert_eq!(tokens.known(other, NOW), None, "what is refused is not remembered");
        }
    }

    #[test]
    fn a_token_of_another_installation_or_algorithm_is_refused() {
        let secrets = Secrets::from_master(&[1; 32]);
        let tokens = AccessTokens::new(&secrets);
        assert_eq!(tokens.verify(&sign(&Secrets::from_master(&[2; 32])), NOW), Err(AuthError::Invalid));
        let token = sign(&secrets);
        let claims = token.split('.').nth(1).unwrap();
        let none = URL_SAFE_NO_PAD.encode(br#"{"alg":"none","typ":"JWT"}"#);
        assert_eq!(tokens.verify(&format!("{none}.{claims}."), NOW), Err(AuthError::Invalid));
        assert_eq!(tokens.verify("nonsense", NOW), Err(AuthError::Invalid));
    }

    #[test]
    fn a_refresh_token_is_read_back_and_followed_by_another() {
        let secrets = Secrets::from_master(&[1; 32]);
        let acme = "acme".parse().unwrap();
        let first = RefreshToken::first(&secrets, UserId::from_u128(1), SessionId::from_u128(2));
        let read = RefreshToken::parse(&first.to_text()).unwrap();
        assert_eq!(read.digest(&secrets, acme), first.digest(&secrets, acme));
        let next = read.next(&secrets, Uuid::from_u128(9));
        assert_ne!(next.digest(&secrets, acme), first.digest(&secrets, acme));
        assert_eq!(next.to_text(), first.next(&secrets, Uuid::from_u128(9)).to_text());
        assert!(RefreshToken::parse("kr_x").is_none());
        assert!(RefreshToken::parse(&first.to_text()[3..]).is_none());
    }
}
