//! What only the key store in a file promises: its directory, and that destroyed bytes are gone from it.

use std::path::Path;

use adapters::key_store::sqlite::{OpenError, SqliteKeyStore};
use application::ports::key_store::{KeyStore, SubjectId};
use domain::ids::TenantId;
use uuid::Uuid;

fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

fn subject(number: u128) -> SubjectId {
    SubjectId(Uuid::from_u128(number))
}

/// Whether the bytes lie in any file of the directory.
fn lies_in(dir: &Path, needle: &[u8]) -> bool {
    std::fs::read_dir(dir.join("keys"))
        .unwrap()
        .flatten()
        .filter(|file| !file.file_name().to_string_lossy().ends_with("-shm"))
        .any(|file| std::fs::read(file.path()).unwrap().windows(needle.len()).any(|window| window == needle))
}

#[tokio::test]
async fn the_bytes_of_a_destroyed_key_are_in_no_file_when_the_call_returns() {
    let dir = tempfile::tempdir().unwrap();
    let keys = SqliteKeyStore::open(dir.path()).unwrap();
    let mut made = Vec::new();
    for number in 0..300 {
        made.push(keys.ensure(tenant(), subject(number)).await.unwrap());
    }
    assert!(made.iter().all(|key| lies_in(dir.path(), &key.0)));
    for number in (0..300).step_by(7) {
        keys.destroy(tenant(), subject(number)).await.unwrap();
    }
    for (number, key) in made.iter().enumerate() {
        assert_eq!(lies_in(dir.path(), &key.0), number % 7 != 0, "key {number}");
    }
}

#[tokio::test]
async fn a_second_opener_of_the_key_directory_is_refused_until_the_first_has_closed() {
    let dir = tempfile::tempdir().unwrap();
    let first = SqliteKeyStore::open(dir.path()).unwrap();
    assert_eq!(SqliteKeyStore::open(dir.path()).err(), Some(OpenError::InUse));
    drop(first);
    assert!(SqliteKeyStore::open(dir.path()).is_ok());
}
