//! Password hashes, computed off the async threads and a few at a time.
//!
//! Each takes 19 MiB and tens of milliseconds, so a flood of sign-ins must not become a flood of memory. An unknown login
//! costs the same as a known one. This file must not know who signs in.

use std::sync::{Arc, OnceLock};

use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use domain::user::event::PasswordHash;
use tokio::sync::Semaphore;

use super::error::{ApiError, InputError};
use crate::secrets::{Purpose, Secrets};

/// Memory of one hash in KiB, passes, lanes: the OWASP minimum for argon2id.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Sign-ins that may wait for a hash: about a second of them; further ones are told to come back.
pub const WAITING_MAX: usize = 64;
/// Shortest password in bytes.
pub const PASSWORD_BYTES_MIN: usize = 8;
/// Longest password in bytes; a longer one is a file pasted by mistake.
pub const PASSWORD_BYTES_MAX: usize = 256;

/// Hashes and checks passwords.
#[derive(Clone)]
pub struct Passwords {
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// The hash of a password that nobody has.
    decoy: Arc<OnceLock<String>>,
    decoy_password: [u8; 32],
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the constants are within argon2's limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(password: &[u8]) -> Result<String, ApiError> {
    let hash: Phc = argon2().hash_password(password).map_err(|_| ApiError::Hashing)?;
    Ok(hash.to_string())
}

fn matches(password: &[u8], phc: &str) -> bool {
    Phc::new(phc).is_ok_and(|hash| argon2().verify_password(password, &hash).is_ok())
}

impl Passwords {
    /// At most `at_once` hashes at a time.
    #[must_use]
    pub fn new(secrets: &Secrets, at_once: u16) -> Self {
        Self {
            running: Arc::new(Semaphore::new(usize::from(at_once.max(1)))),
            waiting: Arc::new(Semaphore::new(WAITING_MAX)),
            decoy: Arc::default(),
            decoy_password: secrets.derive(Purpose::Decoy, &[]),
        }
    }

    async fn off_thread<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
        let _waiting = self.waiting.try_acquire().map_err(|_| ApiError::SignInsBusy)?;
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(|_| ApiError::NotReady)?;
        let done = tokio::task::spawn_blocking(move || {
            // Held by the work, not by the request: a client that hangs up does not free the memory.
            let _running = running;
            work()
        });
        done.await.map_err(|_| ApiError::Hashing)
    }

    /// The hash of a new password.
    ///
    /// # Errors
    /// [`InputError::Refused`] for one that is too short or too long; [`ApiError::SignInsBusy`].
    pub async fn hash(&self, password: String) -> Result<PasswordHash, ApiError> {
        if !(PASSWORD_BYTES_MIN..=PASSWORD_BYTES_MAX).contains(&password.len()) {
            return Err(InputError::Refused { field: "password", reason: "must have 8 to 256 bytes" }.into());
        }
        Ok(PasswordHash { phc: self.off_thread(move || hash(password.as_bytes())).await?? })
    }

    /// Whether the password fits the hash. Without a hash the answer is no, after the same time.
    ///
    /// # Errors
    /// [`ApiError::SignInsBusy`].
    pub async fn verify(&self, password: String, known: Option<PasswordHash>) -> Result<bool, ApiError> {
        if password.len() > PASSWORD_BYTES_MAX {
            return Ok(false);
        }
        let decoy = Arc::clone(&self.decoy);
        let decoy_password = self.decoy_password;
        self.off_thread(move || match known {
            Some(known) => matches(password.as_bytes(), &known.phc),
            None => {
                let phc = decoy.get_or_init(|| hash(&decoy_password).unwrap_or_default());
                // Whatever they typed: nobody has no password. Only the time must be spent.
                std::hint::black_box(matches(password.as_bytes(), phc));
                false
            }
        })
        .await
    }

    /// Computes the decoy, so that the first unknown login does not take twice as long.
    pub fn warm(&self) {
        self.decoy.get_or_init(|| hash(&self.decoy_password).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let passwords = Passwords::new(&Secrets::from_master(&[1; 32]), 2);
        let known = passwords.hash("correct horse".to_owned()).await.unwrap();
        assert!(known.phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(passwords.verify("correct horse".to_owned(), Some(known.clone())).await.unwrap());
        assert!(!passwords.verify("wrong horse".to_owned(), Some(known)).await.unwrap());
        assert!(!passwords.verify("anything at all".to_owned(), None).await.unwrap());
    }

    #[tokio::test]
    async fn a_password_has_8_to_256_bytes() {
        let passwords = Passwords::new(&Secrets::from_master(&[1; 32]), 2);
        for (bytes, fine) in [(7, false), (8, true), (256, true), (257, false)] {
            assert_eq!(passwords.hash("x".repeat(bytes)).await.is_ok(), fine, "{bytes}");
        }
    }
}
