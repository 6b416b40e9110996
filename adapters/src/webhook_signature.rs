//! Signatures of webhooks as in Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`, in the headers `webhook-id`,
//! `webhook-timestamp` and `webhook-signature`.
//!
//! Used for what comes in and for what goes out. This file must not know what a webhook says.

use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::time::{Millis, Timestamp};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// The header with the webhook's id: the same at each attempt.
pub const ID: &str = "webhook-id";
/// The header with the time of the attempt, in seconds since 1970.
pub const TIMESTAMP: &str = "webhook-timestamp";
/// The header with the signatures: `v1,<base64>`, several apart by a space.
pub const SIGNATURE: &str = "webhook-signature";
/// How far the time of an attempt may be from ours: enough for clocks that differ, too little to keep a copy for later.
pub const TOLERANCE: Millis = Millis::minutes(5);
/// Longest id in bytes.
pub const ID_BYTES_MAX: usize = 255;
/// What the text of a secret begins with.
const SECRET_PREFIX: &str = "whsec_";
/// The only kind of signature that is made and looked at.
const KIND: &str = "v1,";

/// Why a webhook is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A header is missing or cannot be read.
    #[error("{header} is missing or cannot be read")]
    Header {
        /// Which.
        header: &'static str,
    },
    /// The attempt is too old, or from the future.
    #[error("webhook-timestamp is more than 5 minutes away from the server's clock")]
    OutOfTolerance,
    /// No signature is that of the secret.
    #[error("no signature fits")]
    Wrong,
}

/// What webhooks are signed with.
#[derive(Clone)]
pub struct SigningKey(Vec<u8>);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

impl SigningKey {
    /// The key of these bytes.
    #[must_use]
    pub const fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The key that a text stands for, `whsec_` and base64.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        STANDARD.decode(text.strip_prefix(SECRET_PREFIX)?).ok().map(Self)
    }

    /// The text that stands for the key.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{SECRET_PREFIX}{}", STANDARD.encode(&self.0))
    }

    fn mac(&self, id: &str, timestamp_s: i64, body: &[u8]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(format!("{id}.{timestamp_s}.").as_bytes());
        mac.update(body);
        mac.finalize().into_bytes().into()
    }

    /// The signature of one attempt.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp_s: i64, body: &[u8]) -> String {
        format!("{KIND}{}", STANDARD.encode(self.mac(id, timestamp_s, body)))
    }

    /// Checks a webhook that came in; answers its id.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub fn verify<'a>(&self, headers: &'a HeaderMap, body: &[u8], now: Timestamp) -> Result<&'a str, SignatureError> {
        let id = text(headers, ID)?;
        if id.is_empty() || id.len() > ID_BYTES_MAX {
            return Err(SignatureError::Header { header: ID });
        }
        let timestamp_s: i64 = text(headers, TIMESTAMP)?.parse().map_err(|_| SignatureError::Header { header: TIMESTAMP })?;
        let signatures = text(headers, SIGNATURE)?;
        let expected = self.mac(id, timestamp_s, body);
        let fits = |signature: &str| {
            let presented = signature.strip_prefix(KIND).and_then(|text| STANDARD.decode(text).ok());
            presented.is_some_and(|presented| presented.ct_eq(&expected).into())
        };
        if !signatures.split(' ').any(fits) {
            return Err(SignatureError::Wrong);
        }
        // After the signature: whoever has no secret learns nothing about our clock.
        let away_s = (now.0 / 1_000).abs_diff(timestamp_s);
        if away_s > TOLERANCE.0.unsigned_abs() / 1_000 { Err(SignatureError::OutOfTolerance) } else { Ok(id) }
    }
}

fn text<'a>(headers: &'a HeaderMap, header: &'static str) -> Result<&'a str, SignatureError> {
    headers.get(header).and_then(|value| value.to_str().ok()).ok_or(SignatureError::Header { header })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_614_265_330_999);
    const BODY: &[u8] = br#"{"test": 2432232314}"#;

    fn key() -> SigningKey {
        SigningKey::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("base64")
    }

    fn headers(id: &str, timestamp: &str, signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in [(ID, id), (TIMESTAMP, timestamp), (SIGNATURE, signature)] {
            headers.insert(name, value.parse().expect("ascii"));
        }
        headers
    }

    #[test]
    fn a_signature_is_the_one_of_the_convention() {
        // The example of the convention's own libraries.
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(key().sign(id, 1_614_265_330, BODY), signature);
        assert_eq!(key().verify(&headers(id, "1614265330", signature), BODY, NOW), Ok(id));
        assert_eq!(key().to_text(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        assert!(SigningKey::parse("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").is_none() && SigningKey::parse("whsec_*").is_none());
    }

    #[test]
    fn one_of_several_signatures_is_enough() {
        let signature = key().sign("m1", 1_614_265_330, BODY);
        let several = format!("v1a,xyz v1,AAAA {signature} v1,%%");
        assert_eq!(key().verify(&headers("m1", "1614265330", &several), BODY, NOW), Ok("m1"));
    }

    #[test]
    fn id_time_and_body_are_all_signed() {
        let signature = key().sign("m1", 1_614_265_330, BODY);
        let other_key = SigningKey::new(vec![7; 32]);
        let wrong = Err(SignatureError::Wrong);
        assert_eq!(key().verify(&headers("m2", "1614265330", &signature), BODY, NOW), wrong);
        assert_eq!(key().verify(&headers("m1", "1614265331", &signature), BODY, NOW), wrong);
        assert_eq!(key().verify(&headers("m1", "1614265330", &signature), b"{}", NOW), wrong);
        assert_eq!(other_key.verify(&headers("m1", "1614265330", &signature), BODY, NOW), wrong);
    }

    #[test]
    fn an_attempt_is_believed_within_five_minutes_on_either_side() {
        let at = |away_s: i64| {
            let timestamp_s = NOW.0 / 1_000 + away_s;
            let signature = key().sign("m1", timestamp_s, BODY);
            key().verify(&headers("m1", &timestamp_s.to_string(), &signature), BODY, NOW).map(|_| ())
        };
        assert_eq!((at(-300), at(300)), (Ok(()), Ok(())));
        assert_eq!((at(-301), at(301)), (Err(SignatureError::OutOfTolerance), Err(SignatureError::OutOfTolerance)));
    }

    #[test]
    fn a_header_that_is_missing_is_named() {
        for missing in [ID, TIMESTAMP, SIGNATURE] {
            let mut headers = headers("m1", "1614265330", "v1,AAAA");
            headers.remove(missing);
            assert_eq!(key().verify(&headers, BODY, NOW), Err(SignatureError::Header { header: missing }));
        }
        for bad in [headers("", "1614265330", "v1,AAAA"), headers(&"i".repeat(256), "1614265330", "v1,AAAA")] {
            assert_eq!(key().verify(&bad, BODY, NOW), Err(SignatureError::Header { header: ID }));
        }
        let when = headers("m1", "yesterday", "v1,AAAA");
        assert_eq!(key().verify(&when, BODY, NOW), Err(SignatureError::Header { header: TIMESTAMP }));
    }
}
