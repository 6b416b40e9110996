//! As a whole or not at all: repeats, uploads that break off, a store that is down, a restart, and damage.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use adapters::blob_store::ObjectBlobStore;
use adapters::clock::SystemClock;
use adapters::config::Config;
use adapters::data_dir::DataDir;
use application::ports::blob_store::{BlobError, BlobName, BlobNote, BlobPart, BlobStore, BlobWriter};
use async_trait::async_trait;
use axum::body::Bytes;
use domain::time::Timestamp;
use futures_util::{StreamExt, stream};
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};

use super::*;

/// A world over a store that the test can look into.
pub(super) async fn world_with_store() -> (World, Arc<InMemory>) {
    let store = Arc::new(InMemory::new());
    let blobs = ObjectBlobStore::over(store.clone(), 1024 * 1024);
    let world = World::over(Config::default(), |engines| engines.blobs = Arc::new(blobs)).await;
    world.make_tenant(ACME).await;
    (world, store)
}

/// Every stored file; what is noted of them beside is not meant.
pub(super) async fn objects(store: &InMemory) -> Vec<object_store::ObjectMeta> {
    let all: Vec<object_store::ObjectMeta> = store.list(None).map(|object| object.unwrap()).collect().await;
    all.into_iter().filter(|object| !object.location.as_ref().starts_with("_notes/")).collect()
}

#[tokio::test]
async fn the_same_key_answers_the_same_attachment_and_stores_it_once() {
    let (world, store) = world_with_store().await;
    let (li, chat) = chatting(&world).await;
    let first = upload_once(&world, &li, "k1", &chat, "a.png", png(200_000)).await.ok();
    let again = upload_once(&world, &li, "k1", &chat, "a.png", png(200_000)).await.ok();
    assert_eq!(first, again);
    assert_eq!(objects(&store).await.len(), 1);
    for (name, content) in [("a.png", png(200_001)), ("a.png", PDF.to_vec()), ("b.png", png(200_000))] {
        assert_eq!(upload_once(&world, &li, "k1", &chat, name, content).await.problem(), (422, "idempotency_key_reused"), "{name}");
    }
    assert_ne!(upload_once(&world, &li, "k2", &chat, "a.png", PNG).await.ok()["id"], first["id"]);
    // Without a key, and under the same key of somebody else, it is another one.
    assert_ne!(upload(&world, &li, &chat, "a.png", PNG).await.ok()["id"], upload(&world, &li, &chat, "a.png", PNG).await.ok()["id"]);
    let wang = world.customer(ACME, "wang").await;
    let (theirs, _) = world.open_chat(&wang).await;
    assert_ne!(upload_once(&world, &wang, "k1", &theirs, "a.png", png(200_000)).await.ok()["id"], first["id"]);
    world.end().await;
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing_and_can_be_repeated() {
    let (world, store) = world_with_store().await;
    let (li, chat) = chatting(&world).await;
    for bytes in [10_usize, 100_000, 3_000_000] {
        let key = bytes.to_string();
        let pieces = [Ok(Bytes::from(png(bytes))), Err(std::io::Error::other("connection reset"))];
        let broken = upload_once(&world, &li, &key, &chat, "a.png", Body::from_stream(stream::iter(pieces))).await;
        assert_eq!(broken.problem(), (400, "interrupted"));
        assert_eq!(objects(&store).await, []);
        let whole = upload_once(&world, &li, &key, &chat, "a.png", png(bytes)).await.ok();
        assert!(read(&world, &li, &url(&whole)).await.bytes == png(bytes));
        let place = objects(&store).await.remove(0).location;
        store.delete(&place).await.unwrap();
    }
    // A refusal half-way leaves nothing either.
    change_limits(&world, json!({"attachment_bytes_max": 2_000_000})).await;
    let pieces = [Ok::<_, std::io::Error>(Bytes::from(png(1_500_000))), Ok(Bytes::from(png(1_500_000)))];
    assert_eq!(upload(&world, &li, &chat, "a.png", Body::from_stream(stream::iter(pieces))).await.problem(), (413, "too_large"));
    assert_eq!(objects(&store).await, []);
    world.end().await;
}

/// A store that is down: from the n-th call on.
pub(super) struct Down {
    pub(super) blobs: ObjectBlobStore,
    pub(super) calls_left: Arc<AtomicUsize>,
}

fn call(left: &AtomicUsize) -> Result<(), BlobError> {
    let down = || BlobError::Unavailable { reason: "no space left on /secret/path".to_owned() };
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).map(|_| ()).map_err(|_| down())
}

struct DownWriter {
    writer: Box<dyn BlobWriter>,
    calls_left: Arc<AtomicUsize>,
}

#[async_trait]
impl BlobWriter for DownWriter {
    async fn write(&mut self, bytes: Bytes) -> Result<(), BlobError> {
        call(&self.calls_left)?;
        self.writer.write(bytes).await
    }

    async fn finish(self: Box<Self>) -> Result<(), BlobError> {
        match call(&self.calls_left) {
            Ok(()) => self.writer.finish().await,
            Err(error) => {
                self.writer.abort().await;
                Err(error)
            }
        }
    }

    async fn abort(self: Box<Self>) {
        self.writer.abort().await;
    }
}

#[async_trait]
impl BlobStore for Down {
    async fn begin(&self, name: BlobName) -> Result<Box<dyn BlobWriter>, BlobError> {
        call(&self.calls_left)?;
        let calls_left = Arc::clone(&self.calls_left);
        Ok(Box::new(DownWriter { writer: self.blobs.begin(name).await?, calls_left }))
    }

    async fn read(&self, name: BlobName, range: Range<u64>) -> Result<BlobPart, BlobError> {
        call(&self.calls_left)?;
        self.blobs.read(name, range).await
    }

    async fn remove(&self, name: BlobName) -> Result<(), BlobError> {
        call(&self.calls_left)?;
        self.blobs.remove(name).await
    }

    async fn note(&self, note: BlobNote) -> Result<(), BlobError> {
        call(&self.calls_left)?;
        self.blobs.note(note).await
    }

    async fn due(&self, before: Timestamp, limit: usize) -> Result<Vec<BlobNote>, BlobError> {
        call(&self.calls_left)?;
        self.blobs.due(before, limit).await
    }

    async fn settle(&self, note: BlobNote) -> Result<(), BlobError> {
        call(&self.calls_left)?;
        self.blobs.settle(note).await
    }
}

#[tokio::test]
async fn a_store_that_is_down_is_told_as_such_and_has_nothing_half() {
    let store = Arc::new(InMemory::new());
    let calls_left = Arc::new(AtomicUsize::new(usize::MAX));
    let down = Down { blobs: ObjectBlobStore::over(store.clone(), 1024 * 1024), calls_left: Arc::clone(&calls_left) };
    let world = World::over(Config::default(), |engines| engines.blobs = Arc::new(down)).await;
    world.make_tenant(ACME).await;
    let (li, chat) = chatting(&world).await;
    // Begin, a write for each 256 KiB, the last write, the note, the end.
    for calls in 0..7 {
        calls_left.store(calls, Ordering::SeqCst);
        let pieces: Vec<_> = png(900_000).chunks(64 * 1024).map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece))).collect();
        let refused = upload(&world, &li, &chat, "a.png", Body::from_stream(stream::iter(pieces))).await;
        assert_eq!(refused.problem(), (503, "unavailable"), "after {calls} calls");
        assert!(refused.headers.contains_key(header::RETRY_AFTER) && !refused.body.to_string().contains("secret"));
        assert_eq!(objects(&store).await, [], "after {calls} calls");
    }
    calls_left.store(usize::MAX, Ordering::SeqCst);
    let url = url(&upload(&world, &li, &chat, "a.png", PNG).await.ok());
    for calls in 0..2 {
        calls_left.store(calls, Ordering::SeqCst);
        assert_eq!(read(&world, &li, &url).await.problem(), (503, "unavailable"));
    }
    world.end().await;
}

#[tokio::test]
async fn what_was_damaged_in_the_store_is_not_served() {
    let (world, store) = world_with_store().await;
    let (li, chat) = chatting(&world).await;
    let url = url(&upload(&world, &li, &chat, "a.png", png(1_000)).await.ok());
    let object = objects(&store).await.remove(0);
    let bytes = store.get(&object.location).await.unwrap().bytes().await.unwrap();
    for at in [0, 20, 40, 70, bytes.len() - 100] {
        let mut damaged = bytes.to_vec();
        damaged[at] ^= 1;
        store.put(&object.location, PutPayload::from(damaged)).await.unwrap();
        let reply = read(&world, &Person::operator(), &url).await;
        // A header that names another uploader or chat names nobody; anything else does not open.
        assert!(matches!(reply.problem(), (500, "damaged") | (404, "not_found") | (410, "erased")), "at {at}: {}", reply.body);
    }
    store.put(&object.location, PutPayload::from(bytes.slice(..bytes.len() - 64))).await.unwrap();
    assert_eq!(read(&world, &li, &url).await.problem(), (500, "damaged"), "cut off");
    world.end().await;
}

/// Every file below a directory, without what is noted of them beside.
fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).filter(|path| !path.ends_with("_notes"));
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// A world over a data directory, as a start of the program would have it.
pub(super) async fn started(data: &Path) -> World {
    World::over(Config::default(), |engines| {
        let clock = Arc::clone(&engines.clock);
        *engines = DataDir::open(data, Arc::new(SystemClock::default())).unwrap().engines;
        engines.clock = clock;
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_forgets_neither_the_file_nor_its_key() {
    let data = tempfile::tempdir().unwrap();
    let world = started(data.path()).await;
    world.make_tenant(ACME).await;
    let (li, chat) = chatting(&world).await;
    let content = [PNG, &b"a secret of Li Lei".repeat(10_000)].concat();
    let answer = upload_once(&world, &li, "k1", &chat, "li-lei.png", content.clone()).await.ok();
    world.end().await;
    let stored = files(&data.path().join("attachments"));
    assert_eq!(stored.len(), 1);
    let bytes = std::fs::read(&stored[0]).unwrap();
    for secret in [&b"a secret of Li Lei"[..], b"li-lei"] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret), "it is sealed");
    }
    let world = started(data.path()).await;
    assert!(read(&world, &li, &url(&answer)).await.bytes == content);
    assert_eq!(upload_once(&world, &li, "k1", &chat, "li-lei.png", content.clone()).await.ok(), answer);
    assert_eq!(upload_once(&world, &li, "k1", &chat, "li-lei.png", PNG).await.problem(), (422, "idempotency_key_reused"));
    assert_eq!(files(&data.path().join("attachments")).len(), 1);
    world.end().await;
}
