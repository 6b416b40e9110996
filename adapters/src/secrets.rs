//! What this installation keeps to itself: one secret, and the keys derived from it for digests, tokens and cursors.
//!
//! It lies beside the subjects' keys, outside the log and its backups. Without it nobody can tell whose account a digest in
//! the log stands for. This file must not know what is digested.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use domain::ids::TenantId;
use domain::message::ContentDigest;
use domain::user::event::KeyedDigest;

/// The secret's file in the key directory.
pub const SECRET_FILE: &str = "installation.secret";
/// Length of the secret.
pub const SECRET_BYTES: usize = 32;

/// What a digest or a derived secret is for: the same text for two purposes gives two digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Provider and account id of an external account.
    Account,
    /// The secret of a refresh token.
    RefreshSecret,
    /// The secret part of an API key.
    ApiKeySecret,
    /// A message's content.
    Content,
    /// A request, to compare it with another under the same idempotency key.
    Request,
    /// The id of an attachment that was uploaded under an idempotency key.
    Attachment,
    /// A channel's signing secret.
    ChannelSecret,
    /// The secret with which what a robot is asked is signed.
    RobotSecret,
    /// The secret with which what goes to a provider, and comes from it, is signed.
    ProviderSecret,
    /// The id of a message that a provider brought.
    ProviderMessage,
    /// The id of a message that a channel brought.
    ChannelMessage,
    /// A range of addresses.
    BlockedRange,
    /// A password that nobody has, to make unknown logins cost the same time.
    Decoy,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Account => b"account",
            Self::RefreshSecret => b"refresh secret",
            Self::ApiKeySecret => b"api key secret",
            Self::Content => b"content",
            Self::Request => b"request",
            Self::Attachment => b"attachment",
            Self::ChannelSecret => b"channel secret",
            Self::RobotSecret => b"robot secret",
            Self::ProviderSecret => b"provider secret",
            Self::ProviderMessage => b"provider message",
            Self::ChannelMessage => b"channel message",
            Self::BlockedRange => b"blocked range",
            Self::Decoy => b"decoy",
        }
    }
}

/// Why the secret could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The file could not be read or written.
    #[error("secret {path} cannot be used")]
    Io {
        /// Which file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// The file is not a secret.
    #[error("secret {path} must hold exactly {SECRET_BYTES} bytes")]
    WrongLength {
        /// Which file.
        path: PathBuf,
    },
}

/// The keys of this installation.
#[derive(Clone)]
pub struct Secrets {
    digests: [u8; 32],
    derived: [u8; 32],
    tokens: [u8; 32],
    cursors: [u8; 32],
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(..)")
    }
}

impl Secrets {
    /// The keys that follow from the installation's secret.
    #[must_use]
    pub fn from_master(master: &[u8; SECRET_BYTES]) -> Self {
        Self {
            digests: blake3::derive_key("kefu 2026-11 keyed digests", master),
            derived: blake3::derive_key("kefu 2026-11 derived secrets", master),
            tokens: blake3::derive_key("kefu 2026-11 access tokens", master),
            cursors: blake3::derive_key("kefu 2026-11 cursors", master),
        }
    }

    /// Reads the installation's secret from the key directory, or makes one there, durably, readable by this user only.
    ///
    /// # Errors
    /// [`SecretsError`].
    pub fn load_or_create(key_directory: &Path) -> Result<Self, SecretsError> {
        let path = key_directory.join(SECRET_FILE);
        let io = |source| SecretsError::Io { path: path.clone(), source };
        match File::open(&path) {
            Ok(file) => Self::read(file, &path),
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => {
                create(key_directory, &path).map_err(io)?;
                Self::read(File::open(&path).map_err(io)?, &path)
            }
            Err(source) => Err(io(source)),
        }
    }

    fn read(mut file: File, path: &Path) -> Result<Self, SecretsError> {
        let mut bytes = Vec::with_capacity(SECRET_BYTES);
        file.read_to_end(&mut bytes).map_err(|source| SecretsError::Io { path: path.to_owned(), source })?;
        let master: [u8; SECRET_BYTES] = bytes.try_into().map_err(|_| SecretsError::WrongLength { path: path.to_owned() })?;
        Ok(Self::from_master(&master))
    }

    fn hash(key: &[u8; 32], purpose: Purpose, parts: &[&[u8]]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(key);
        hasher.update(purpose.label());
        for part in parts {
            // The length before each part, so that no two lists of parts read the same.
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        hasher.finalize()
    }

    /// A keyed digest for an event: sixteen bytes that tell nothing without the secret.
    #[must_use]
    pub fn digest(&self, tenant: TenantId, purpose: Purpose, parts: &[&[u8]]) -> KeyedDigest {
        let mut all: Vec<&[u8]> = Vec::with_capacity(parts.len() + 1);
        all.push(tenant.as_str().as_bytes());
        all.extend_from_slice(parts);
        let hash = Self::hash(&self.digests, purpose, &all);
        KeyedDigest::from_bytes(hash.as_bytes()[..16].try_into().expect("sixteen of thirty-two bytes"))
    }

    /// A digest of a message's content, to tell a retry from another message.
    #[must_use]
    pub fn content_digest(&self, parts: &[&[u8]]) -> ContentDigest {
        ContentDigest(self.short_digest(Purpose::Content, parts))
    }

    /// A digest of a request; never 0, which means "not compared".
    #[must_use]
    pub fn request_digest(&self, parts: &[&[u8]]) -> u64 {
        self.short_digest(Purpose::Request, parts).max(1)
    }

    fn short_digest(&self, purpose: Purpose, parts: &[&[u8]]) -> u64 {
        let hash = Self::hash(&self.digests, purpose, parts);
        u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("eight of thirty-two bytes"))
    }

    /// A secret that only this installation can compute again: a retry of what issued it gives the same one.
    #[must_use]
    pub fn derive(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        *Self::hash(&self.derived, purpose, parts).as_bytes()
    }

    /// The key under which access tokens are signed.
    #[must_use]
    pub fn token_key(&self) -> &[u8; 32] {
        &self.tokens
    }

    /// The key under which cursors are signed.
    #[must_use]
    pub fn cursor_key(&self) -> &[u8; 32] {
        &self.cursors
    }
}

/// Writes a new secret. Two processes that do it at once end with one secret, because a link never replaces a file.
fn create(directory: &Path, path: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let mut master = [0; SECRET_BYTES];
    crate::ids::fill_random(&mut master);
    let draft = directory.join(format!("{SECRET_FILE}.{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(&master)?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => {}
    }
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acme() -> TenantId {
        "acme".parse().unwrap()
    }

    #[test]
    fn the_secret_is_made_once_and_found_again() {
        let directory = tempfile::tempdir().unwrap();
        let first = Secrets::load_or_create(directory.path()).unwrap();
        let again = Secrets::load_or_create(directory.path()).unwrap();
        assert_eq!(first.token_key(), again.token_key());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_of_another_length_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(SECRET_FILE), b"short").unwrap();
        assert!(matches!(Secrets::load_or_create(directory.path()), Err(SecretsError::WrongLength { .. })));
    }

    #[test]
    fn a_digest_depends_on_secret_tenant_purpose_and_every_part() {
        let secrets = Secrets::from_master(&[1; 32]);
        let digest = secrets.digest(acme(), Purpose::Account, &[b"taobao", b"alice"]);
        assert_eq!(digest, secrets.digest(acme(), Purpose::Account, &[b"taobao", b"alice"]));
        assert_ne!(digest, secrets.digest("other".parse().unwrap(), Purpose::Account, &[b"taobao", b"alice"]));
        assert_ne!(digest, secrets.digest(acme(), Purpose::RefreshSecret, &[b"taobao", b"alice"]));
        assert_ne!(digest, secrets.digest(acme(), Purpose::Account, &[b"taobaoa", b"lice"]));
        assert_ne!(digest, Secrets::from_master(&[2; 32]).digest(acme(), Purpose::Account, &[b"taobao", b"alice"]));
    }
}
