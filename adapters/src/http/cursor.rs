//! Cursors of lists: opaque, versioned, and signed for one list of one tenant, so that nobody builds or moves one.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::ids::TenantId;

use super::error::InputError;
use crate::secrets::Secrets;

const VERSION: u8 = 1;
const MAC_BYTES: usize = 12;

/// Rows of a page unless told otherwise.
pub const PAGE_DEFAULT: usize = 50;
/// Most rows of a page: each may open a private text from the log.
pub const PAGE_MAX: usize = 200;

/// The size of a page, from a `limit` parameter.
///
/// # Errors
/// [`InputError::InvalidQuery`] for 0 or more than [`PAGE_MAX`].
pub fn page_size(limit: Option<usize>) -> Result<usize, InputError> {
    match limit {
        None => Ok(PAGE_DEFAULT),
        Some(limit) if (1..=PAGE_MAX).contains(&limit) => Ok(limit),
        Some(_) => Err(InputError::InvalidQuery { reason: format!("limit must be 1 to {PAGE_MAX}") }),
    }
}

fn mac(secrets: &Secrets, list: &str, tenant: Option<TenantId>, place: &[u8]) -> [u8; MAC_BYTES] {
    let mut hasher = blake3::Hasher::new_keyed(secrets.cursor_key());
    hasher.update(&[VERSION]);
    hasher.update(list.as_bytes());
    hasher.update(b"\0");
    hasher.update(tenant.as_ref().map_or("", TenantId::as_str).as_bytes());
    hasher.update(b"\0");
    hasher.update(place);
    hasher.finalize().as_bytes()[..MAC_BYTES].try_into().expect("twelve of thirty-two bytes")
}

/// Writes the cursor after a place in a list.
#[must_use]
pub fn write(secrets: &Secrets, list: &str, tenant: Option<TenantId>, place: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(1 + MAC_BYTES + place.len());
    bytes.push(VERSION);
    bytes.extend_from_slice(&mac(secrets, list, tenant, place));
    bytes.extend_from_slice(place);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a cursor of this list back into its place.
///
/// # Errors
/// [`InputError::InvalidCursor`].
pub fn read<const N: usize>(secrets: &Secrets, list: &str, tenant: Option<TenantId>, cursor: &str) -> Result<[u8; N], InputError> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| InputError::InvalidCursor)?;
    let (version, rest) = bytes.split_first().ok_or(InputError::InvalidCursor)?;
    let (tag, place) = rest.split_at_checked(MAC_BYTES).ok_or(InputError::InvalidCursor)?;
    if *version != VERSION || tag != mac(secrets, list, tenant, place) {
        return Err(InputError::InvalidCursor);
    }
    place.try_into().map_err(|_| InputError::InvalidCursor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_own_list_only() {
        let secrets = Secrets::from_master(&[1; 32]);
        let (acme, other) = ("acme".parse().ok(), "other".parse().ok());
        let cursor = write(&secrets, "users", acme, b"12345678");
        assert_eq!(read::<8>(&secrets, "users", acme, &cursor), Ok(*b"12345678"));
        assert!(read::<8>(&secrets, "chats", acme, &cursor).is_err());
        assert!(read::<8>(&secrets, "users", other, &cursor).is_err());
        assert!(read::<4>(&secrets, "users", acme, &cursor).is_err());
        assert!(read::<8>(&Secrets::from_master(&[2; 32]), "users", acme, &cursor).is_err());
        assert!(read::<8>(&secrets, "users", acme, "").is_err());
        let mut bytes = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        assert!(read::<8>(&secrets, "users", acme, &URL_SAFE_NO_PAD.encode(bytes)).is_err());
    }

    #[test]
    fn a_page_has_1_to_200_rows() {
        assert_eq!(page_size(None), Ok(PAGE_DEFAULT));
        for (limit, fine) in [(0, false), (1, true), (200, true), (201, false)] {
            assert_eq!(page_size(Some(limit)).is_ok(), fine, "{limit}");
        }
    }
}
