//! The contract of the store of attachments' bytes.

use std::sync::Arc;

use application::ports::blob_store::{BlobError, BlobName, BlobNote, BlobStore};
use async_trait::async_trait;
use bytes::Bytes;
use domain::ids::AttachmentId;
use domain::time::Timestamp;

/// An implementation under test, empty.
#[async_trait]
pub trait Engine: Send + Sized {
    /// Starts with an empty store.
    async fn start() -> Self;

    /// The store.
    fn blobs(&self) -> Arc<dyn BlobStore>;

    /// Closes the store and opens it again, if it outlives its process at all.
    async fn reopen(&mut self);
}

/// Makes a test of every rule of the contract.
#[macro_export]
macro_rules! blob_store_contract {
    ($engine:ty) => {
        $crate::blob_store_contract!(@ $engine:
            a_blob_is_read_as_it_was_written_in_any_range,
            a_blob_is_there_when_it_is_finished_and_not_before,
            a_blob_that_was_aborted_or_dropped_is_not_there,
            a_blob_takes_the_place_of_one_with_its_name,
            tenants_have_names_of_their_own,
            a_finished_blob_is_there_after_opening_again,
            a_removed_blob_is_not_there_and_its_name_is_free,
            what_is_due_is_told_until_it_is_settled,
        );
    };
    (@ $engine:ty: $($rule:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                let engine = <$engine as $crate::contracts::blob_store::Engine>::start().await;
                $crate::contracts::blob_store::$rule(engine).await;
            }
        )*
    };
}

/// More than one part of every engine.
const LARGE: usize = 6 * 1024 * 1024 + 3;

/// A blob of the tenant `acme`.
#[must_use]
pub fn name(number: u128) -> BlobName {
    BlobName { tenant: "acme".parse().expect("a valid tenant"), attachment: AttachmentId::from_u128(number) }
}

fn content(bytes: usize, seed: usize) -> Bytes {
    (0..bytes).map(|at| u8::try_from((at + seed) % 251).unwrap()).collect()
}

async fn put(blobs: &dyn BlobStore, name: BlobName, content: &Bytes) {
    let mut writer = blobs.begin(name).await.unwrap();
    for piece in content.chunks(100_000) {
        writer.write(content.slice_ref(piece)).await.unwrap();
    }
    writer.finish().await.unwrap();
}

async fn whole(blobs: &dyn BlobStore, name: BlobName) -> Result<Bytes, BlobError> {
    Ok(blobs.read(name, 0..u64::MAX).await?.bytes)
}

/// Around the sizes of parts, and beyond the end.
pub async fn a_blob_is_read_as_it_was_written_in_any_range(engine: impl Engine) {
    let blobs = engine.blobs();
    for (number, bytes) in [1, 65_536, 65_537, 1 << 20, (1 << 20) + 1, 5 << 20, LARGE].into_iter().enumerate() {
        let (name, content) = (name(number as u128), content(bytes, number));
        put(&*blobs, name, &content).await;
        for (from, to) in [(0, 1), (0, bytes), (bytes / 2, bytes / 2 + 1), (bytes - 1, bytes), (bytes / 3, bytes + 1_000)] {
            let part = blobs.read(name, from as u64..to as u64).await.unwrap();
            assert_eq!(part.total, bytes as u64);
            assert!(part.bytes == content.slice(from..to.min(bytes)), "{from}..{to} of {bytes}");
        }
    }
    assert_eq!(whole(&*blobs, name(99)).await, Err(BlobError::NotFound));
}

/// Whatever was written of it.
pub async fn a_blob_is_there_when_it_is_finished_and_not_before(engine: impl Engine) {
    let blobs = engine.blobs();
    let content = content(LARGE, 1);
    let mut writer = blobs.begin(name(1)).await.unwrap();
    assert_eq!(whole(&*blobs, name(1)).await, Err(BlobError::NotFound));
    writer.write(content.clone()).await.unwrap();
    assert_eq!(whole(&*blobs, name(1)).await, Err(BlobError::NotFound));
    writer.finish().await.unwrap();
    assert!(whole(&*blobs, name(1)).await.unwrap() == content);
}

/// And nothing keeps its name from being used.
pub async fn a_blob_that_was_aborted_or_dropped_is_not_there(mut engine: impl Engine) {
    for bytes in [10, LARGE] {
        let mut writer = engine.blobs().begin(name(1)).await.unwrap();
        writer.write(content(bytes, 1)).await.unwrap();
        writer.abort().await;
        let mut writer = engine.blobs().begin(name(1)).await.unwrap();
        writer.write(content(bytes, 2)).await.unwrap();
        drop(writer);
        assert_eq!(whole(&*engine.blobs(), name(1)).await, Err(BlobError::NotFound));
    }
    engine.reopen().await;
    assert_eq!(whole(&*engine.blobs(), name(1)).await, Err(BlobError::NotFound));
    put(&*engine.blobs(), name(1), &content(10, 3)).await;
    assert_eq!(whole(&*engine.blobs(), name(1)).await, Ok(content(10, 3)));
}

/// As a whole: no mixture of the two.
pub async fn a_blob_takes_the_place_of_one_with_its_name(engine: impl Engine) {
    let blobs = engine.blobs();
    for (bytes, seed) in [(LARGE, 1), (10, 2), (LARGE, 3)] {
        put(&*blobs, name(1), &content(bytes, seed)).await;
        assert!(whole(&*blobs, name(1)).await.unwrap() == content(bytes, seed));
    }
}

/// The same attachment id of another tenant is another blob.
pub async fn tenants_have_names_of_their_own(engine: impl Engine) {
    let blobs = engine.blobs();
    let other = BlobName { tenant: "other".parse().unwrap(), ..name(1) };
    put(&*blobs, name(1), &content(10, 1)).await;
    assert_eq!(whole(&*blobs, other).await, Err(BlobError::NotFound));
    put(&*blobs, other, &content(10, 2)).await;
    assert_eq!(whole(&*blobs, name(1)).await, Ok(content(10, 1)));
}

/// Small ones and large ones.
pub async fn a_finished_blob_is_there_after_opening_again(mut engine: impl Engine) {
    for (number, bytes) in [(1, 10), (2, LARGE)] {
        put(&*engine.blobs(), name(number), &content(bytes, 1)).await;
    }
    engine.reopen().await;
    for (number, bytes) in [(1, 10), (2, LARGE)] {
        assert!(whole(&*engine.blobs(), name(number)).await.unwrap() == content(bytes, 1));
    }
}

/// Nor is anything said about one that never was there.
pub async fn a_removed_blob_is_not_there_and_its_name_is_free(mut engine: impl Engine) {
    for bytes in [10, LARGE] {
        put(&*engine.blobs(), name(1), &content(bytes, 1)).await;
        put(&*engine.blobs(), name(2), &content(bytes, 2)).await;
        engine.blobs().remove(name(1)).await.unwrap();
        engine.blobs().remove(name(1)).await.unwrap();
        assert_eq!(whole(&*engine.blobs(), name(1)).await, Err(BlobError::NotFound));
        engine.reopen().await;
        assert_eq!(whole(&*engine.blobs(), name(1)).await, Err(BlobError::NotFound));
        assert!(whole(&*engine.blobs(), name(2)).await.unwrap() == content(bytes, 2));
    }
    put(&*engine.blobs(), name(1), &content(10, 3)).await;
    assert_eq!(whole(&*engine.blobs(), name(1)).await, Ok(content(10, 3)));
}

/// Whether its blob is there or not, and also after opening again.
pub async fn what_is_due_is_told_until_it_is_settled(mut engine: impl Engine) {
    let at = |ms: i64| Timestamp(1_700_000_000_000 + ms);
    let note = |number, ms| BlobNote { name: name(number), due: at(ms) };
    let other = BlobNote { name: BlobName { tenant: "other".parse().unwrap(), ..name(1) }, due: at(1) };
    assert_eq!(engine.blobs().due(at(10), 10).await, Ok(vec![]));
    for noted in [note(1, 3), note(2, 1), other, note(3, 2), note(3, 2), note(1, 9)] {
        engine.blobs().note(noted).await.unwrap();
    }
    put(&*engine.blobs(), name(2), &content(10, 1)).await;
    engine.reopen().await;
    let blobs = engine.blobs();
    let due = async |before: i64, limit: usize| {
        let mut due = blobs.due(at(before), limit).await.unwrap();
        due.sort_by_key(|note| (note.due, note.name.tenant, note.name.attachment));
        due
    };
    assert_eq!(due(1, 10).await, [], "not before its instant");
    assert_eq!(due(4, 10).await, [note(2, 1), other, note(3, 2), note(1, 3)]);
    assert_eq!(due(4, 3).await.len(), 3);
    for settled in [note(2, 1), note(3, 2), note(3, 2)] {
        blobs.settle(settled).await.unwrap();
    }
    assert_eq!(due(100, 10).await, [other, note(1, 3), note(1, 9)]);
    assert_eq!(whole(&*blobs, name(2)).await, Ok(content(10, 1)), "a note is no blob");
}
