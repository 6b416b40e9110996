//! The stores of attachments, dressed for their contract, and what only a directory promises.

mod s3;

use std::path::Path;
use std::sync::Arc;

use adapters::blob_store::ObjectBlobStore;
use adapters::config::attachments::AttachmentsConfig;
use application::ports::blob_store::{BlobError, BlobStore};
use async_trait::async_trait;
use bytes::Bytes;
use object_store::memory::InMemory;
use tempfile::TempDir;
use tests::contracts::blob_store::{Engine, name};

/// A directory.
pub struct Files {
    blobs: ObjectBlobStore,
    dir: TempDir,
}

#[async_trait]
impl Engine for Files {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { blobs: ObjectBlobStore::in_directory(dir.path()).unwrap(), dir }
    }

    fn blobs(&self) -> Arc<dyn BlobStore> {
        Arc::new(self.blobs.clone())
    }

    async fn reopen(&mut self) {
        self.blobs = ObjectBlobStore::in_directory(self.dir.path()).unwrap();
    }
}

/// A store in memory behind the code path of buckets, with small parts.
pub struct Memory(ObjectBlobStore);

#[async_trait]
impl Engine for Memory {
    async fn start() -> Self {
        Self(ObjectBlobStore::over(Arc::new(InMemory::new()), 64 * 1024))
    }

    fn blobs(&self) -> Arc<dyn BlobStore> {
        Arc::new(self.0.clone())
    }

    async fn reopen(&mut self) {}
}

/// A bucket, set up as an installation would, at a service in this process that speaks as much of S3 as is needed.
pub struct S3 {
    blobs: ObjectBlobStore,
    service: s3::Service,
}

impl S3 {
    fn open(service: &s3::Service) -> ObjectBlobStore {
        // The program has done so before it opens a store.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = AttachmentsConfig {
            store: "s3://files/kefu".parse().unwrap(),
            s3_endpoint: Some(service.endpoint()),
            s3_region: Some("eu-test-1".to_owned()),
            ..AttachmentsConfig::default()
        };
        let credentials = [("AWS_ACCESS_KEY_ID", "key"), ("AWS_SECRET_ACCESS_KEY", "secret"), ("HOME", "/nowhere")];
        let environment = credentials.map(|(name, value)| (name.to_owned(), value.to_owned()));
        ObjectBlobStore::configured(&config, environment).unwrap().expect("the settings name a bucket")
    }
}

#[async_trait]
impl Engine for S3 {
    async fn start() -> Self {
        let service = s3::Service::start().await;
        Self { blobs: Self::open(&service), service }
    }

    fn blobs(&self) -> Arc<dyn BlobStore> {
        Arc::new(self.blobs.clone())
    }

    async fn reopen(&mut self) {
        self.blobs = Self::open(&self.service);
    }
}

async fn put(blobs: &dyn BlobStore, number: u128, bytes: usize) -> Result<(), BlobError> {
    let mut writer = blobs.begin(name(number)).await?;
    writer.write(Bytes::from(vec![7; bytes])).await?;
    writer.finish().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_gets_signed_requests_below_its_prefix_and_keeps_no_half_upload() {
    let engine = S3::start().await;
    put(&*engine.blobs(), 1, 10).await.unwrap();
    put(&*engine.blobs(), 2, 6 << 20).await.unwrap();
    let id = format!("{:032x}", 2);
    assert_eq!(engine.service.keys(), [format!("/files/kefu/acme/01/{:032x}", 1), format!("/files/kefu/acme/02/{id}")]);
    let mut writer = engine.blobs().begin(name(3)).await.unwrap();
    writer.write(Bytes::from(vec![7; 6 << 20])).await.unwrap();
    assert_eq!(engine.service.uploads_under_way(), 1);
    writer.abort().await;
    assert_eq!((engine.service.uploads_under_way(), engine.service.unsigned()), (0, 0));
}

#[test]
fn without_a_bucket_in_the_settings_there_is_none() {
    assert!(ObjectBlobStore::configured(&AttachmentsConfig::default(), []).unwrap().is_none());
}

/// Every file below a directory.
fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_crash_left_behind_is_removed_when_the_directory_is_opened() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = ObjectBlobStore::in_directory(dir.path()).unwrap();
    put(&blobs, 1, 10).await.unwrap();
    let mut writer = blobs.begin(name(2)).await.unwrap();
    writer.write(Bytes::from(vec![7; 3 << 20])).await.unwrap();
    // A process that is killed aborts nothing.
    std::mem::forget(writer);
    assert_eq!(files(dir.path()).len(), 2);
    ObjectBlobStore::in_directory(dir.path()).unwrap();
    assert_eq!(files(dir.path()).len(), 1);
    assert!(blobs.read(name(1), 0..10).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_takes_nothing_is_told_as_such_and_nothing_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = ObjectBlobStore::in_directory(dir.path()).unwrap();
    // Nothing can be written into what is no directory.
    std::fs::remove_dir(dir.path().join("_incoming")).unwrap();
    std::fs::write(dir.path().join("_incoming"), b"").unwrap();
    for bytes in [10, 3 << 20] {
        assert!(matches!(put(&blobs, 1, bytes).await, Err(BlobError::Unavailable { .. })));
        assert_eq!(blobs.read(name(1), 0..10).await, Err(BlobError::NotFound));
    }
    assert_eq!(files(dir.path()).len(), 1);
}
