//! Identity tokens: a tenant's own servers sign who a customer is (HS256, the tenant's identity secret).
//!
//! The secret lies sealed in the log and is opened once per change. The key is the decoded base64, not its text.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use domain::event::Event;
use domain::ids::TenantId;
use domain::tenant::event::TenantEvent;
use domain::time::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use super::error::{ApiError, AuthError};
use crate::reading;
use crate::state::AppState;
use application::queries::EventRef;

/// Clock difference between a tenant's servers and this one that is forgiven, in seconds.
const LEEWAY_S: f64 = 60.0;
/// Longest subject in bytes: an account id elsewhere.
const SUBJECT_BYTES_MAX: usize = 512;

/// Who the tenant says the customer is.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Identity {
    /// Their account at the tenant.
    pub sub: String,
    /// Their name, if the tenant tells it.
    #[serde(default)]
    pub name: Option<String>,
    /// When the token ends, in seconds.
    exp: f64,
    /// Before when it is not valid, in seconds.
    #[serde(default)]
    nbf: Option<f64>,
}

/// Checks a token with a key.
///
/// # Errors
/// [`AuthError::InvalidIdentity`].
pub fn verify(token: &str, key: &DecodingKey, tenant: TenantId, now: Timestamp) -> Result<Identity, AuthError> {
    let invalid = |reason| AuthError::InvalidIdentity { reason };
    let mut validation = Validation::new(Algorithm::HS256);
    validation.validate_exp = false;
    validation.set_audience(&[tenant.as_str()]);
    validation.set_required_spec_claims(&["exp", "aud", "sub"]);
    let identity = jsonwebtoken::decode::<Identity>(token, key, &validation)
        .map_err(|_| invalid("signature, algorithm, or a claim of exp, aud, sub"))?
        .claims;
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^53")]
    let now_s = now.0 as f64 / 1_000.0;
    // No JSON number is a NaN, so these comparisons are total.
    if identity.exp + LEEWAY_S <= now_s {
        return Err(invalid("exp is over"));
    }
    if identity.nbf.is_some_and(|nbf| nbf - LEEWAY_S > now_s) {
        return Err(invalid("nbf is ahead"));
    }
    if identity.sub.is_empty() || identity.sub.len() > SUBJECT_BYTES_MAX {
        return Err(invalid("sub is empty or too long"));
    }
    Ok(identity)
}

/// The secrets of tenants, as keys.
#[derive(Default)]
pub struct IdentitySecrets {
    /// One per tenant, replaced when the tenant sets another.
    known: Mutex<HashMap<TenantId, (EventRef, Arc<DecodingKey>)>>,
}

impl IdentitySecrets {
    /// The key of a tenant, or `None` when it never set a secret.
    ///
    /// # Errors
    /// Whatever opening the secret reports.
    pub async fn key(&self, app: &AppState, tenant: TenantId, at: Option<EventRef>) -> Result<Option<Arc<DecodingKey>>, ApiError> {
        let Some(at) = at else {
            return Ok(None);
        };
        let cached = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&tenant).cloned();
        if let Some((known_at, key)) = cached
            && known_at == at
        {
            return Ok(Some(key));
        }
        let Event::Tenant(TenantEvent::IdentitySecretSet(event)) = reading::open(app, at).await?.event else {
            return Ok(None);
        };
        let Some(bytes) = event.private.known().and_then(|secret| decode_base64(&secret.secret)) else {
            return Ok(None);
        };
        let key = Arc::new(DecodingKey::from_secret(&bytes));
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(tenant, (at, Arc::clone(&key)));
        Ok(Some(key))
    }
}

/// Base64 of either alphabet, padded or not, as the domain accepts it.
pub fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true);
    let engine = GeneralPurpose::new(&base64::alphabet::STANDARD, config);
    engine.decode(text.replace('-', "+").replace('_', "/")).ok()
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header};
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);
    const NOW_S: i64 = 1_700_000_000;
    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

    fn check(algorithm: Algorithm, claims: serde_json::Value) -> Result<Identity, AuthError> {
        let token = jsonwebtoken::encode(&Header::new(algorithm), &claims, &EncodingKey::from_secret(SECRET)).unwrap();
        verify(&token, &DecodingKey::from_secret(SECRET), "acme".parse().unwrap(), NOW)
    }

    #[test]
    fn a_signed_identity_for_this_tenant_is_accepted() {
        let identity = check(Algorithm::HS256, json!({"sub": "u1", "name": "Li", "aud": "acme", "exp": NOW_S + 60})).unwrap();
        assert_eq!((identity.sub.as_str(), identity.name.as_deref()), ("u1", Some("Li")));
    }

    #[test]
    fn every_claim_is_required_and_checked() {
        for (claims, why) in [
            (json!({"sub": "u1", "aud": "other", "exp": NOW_S + 60}), "another tenant"),
            (json!({"sub": "u1", "exp": NOW_S + 60}), "no audience"),
            (json!({"sub": "u1", "aud": "acme"}), "no expiry"),
            (json!({"aud": "acme", "exp": NOW_S + 60}), "no subject"),
            (json!({"sub": "", "aud": "acme", "exp": NOW_S + 60}), "empty subject"),
            (json!({"sub": "u1", "aud": "acme", "exp": NOW_S - 61}), "expired beyond the leeway"),
            (json!({"sub": "u1", "aud": "acme", "exp": NOW_S + 600, "nbf": NOW_S + 120}), "not valid yet"),
        ] {
            assert!(check(Algorithm::HS256, claims).is_err(), "{why}");
        }
        assert!(check(Algorithm::HS256, json!({"sub": "u1", "aud": "acme", "exp": NOW_S - 59})).is_ok());
    }

    #[test]
    fn another_algorithm_is_refused_also_with_the_right_secret() {
        assert!(check(Algorithm::HS512, json!({"sub": "u1", "aud": "acme", "exp": NOW_S + 60})).is_err());
    }

    #[test]
    fn a_secret_is_read_in_either_alphabet_with_or_without_padding() {
        let bytes = [0xfb, 0xff, 0xfe, 0x01];
        for text in ["+//+AQ==", "-__-AQ==", "+//+AQ", "-__-AQ"] {
            assert_eq!(decode_base64(text).as_deref(), Some(bytes.as_slice()), "{text}");
        }
        assert!(decode_base64("***").is_none());
    }
}
