//! Attachments' bytes in a directory or in a bucket, through `object_store`.
//!
//! In a directory a blob is written beside the others, made durable, and renamed into its place, so that a crash leaves at most
//! something that the next start removes. In a bucket nothing can be read before the upload is completed. This file must not
//! know what the bytes say.

mod writer;

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use application::ports::blob_store::{BlobError, BlobName, BlobNote, BlobPart, BlobStore, BlobWriter};
use async_trait::async_trait;
use domain::time::Timestamp;
use futures_util::StreamExt;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path as ObjectPath;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutPayload, RetryConfig};

use self::writer::ObjectWriter;
use crate::config::attachments::{AttachmentsConfig, Location};

/// Bytes written at a time into a file.
const FILE_PART_BYTES: usize = 1024 * 1024;
/// Bytes of a part of an upload into a bucket: the least that S3 takes, because each upload keeps one part in memory.
const BUCKET_PART_BYTES: usize = 5 * 1024 * 1024;
/// Where blobs lie that are not finished. No tenant's id has an underscore.
const INCOMING: &str = "_incoming";
/// Where the notes lie of what is to be decided: empty objects that are all said by their name.
const NOTES: &str = "_notes";
/// How often a request to a bucket is repeated, and for how long at most: somebody waits for the answer.
const RETRIES_MAX: usize = 3;
const RETRY_FOR: Duration = Duration::from_secs(10);

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory cannot be made or cleared of what was never finished.
    #[error("directory {path} cannot be used")]
    Directory {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// The settings make no store.
    #[error("the store of attachments cannot be opened")]
    Store(#[from] object_store::Error),
}

/// See the file's head.
#[derive(Clone, Debug)]
pub struct ObjectBlobStore {
    store: Arc<dyn ObjectStore>,
    prefix: ObjectPath,
    part_bytes: usize,
    /// Whether a blob is written under another name first.
    renames: bool,
    /// Blobs begun so far.
    begun: Arc<AtomicU64>,
}

impl ObjectBlobStore {
    /// A directory, made if it is missing. What was begun there and never finished is removed; nobody else may write there now.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn in_directory(directory: &Path) -> Result<Self, OpenError> {
        let incoming = directory.join(INCOMING);
        let unusable = |source| OpenError::Directory { path: directory.to_owned(), source };
        std::fs::create_dir_all(&incoming).map_err(unusable)?;
        for leftover in std::fs::read_dir(&incoming).map_err(unusable)? {
            match std::fs::remove_file(leftover.map_err(unusable)?.path()) {
                // An upload that was dropped a moment ago takes its own file away.
                Err(gone) if gone.kind() == std::io::ErrorKind::NotFound => {}
                removed => removed.map_err(unusable)?,
            }
        }
        let store = LocalFileSystem::new_with_prefix(directory)?.with_fsync(true);
        Ok(Self { renames: true, ..Self::over(Arc::new(store), FILE_PART_BYTES) })
    }

    /// A bucket, if the settings name one. Credentials come from the environment (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
    /// `AWS_SESSION_TOKEN`) or from the machine.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn configured(
        config: &AttachmentsConfig,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Option<Self>, OpenError> {
        let Location::Bucket { bucket, prefix } = &config.store else {
            return Ok(None);
        };
        let retry = RetryConfig { max_retries: RETRIES_MAX, retry_timeout: RETRY_FOR, ..RetryConfig::default() };
        let mut builder = AmazonS3Builder::new();
        for (name, value) in environment {
            // What S3 does not know is somebody else's.
            if name.starts_with("AWS_")
                && let Ok(key) = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>()
            {
                builder = builder.with_config(key, value);
            }
        }
        builder = builder.with_bucket_name(bucket).with_retry(retry);
        // One at a time is removed, and every service understands that.
        builder = builder.with_disable_bulk_delete(true);
        if let Some(endpoint) = &config.s3_endpoint {
            builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
        }
        if let Some(region) = &config.s3_region {
            builder = builder.with_region(region);
        }
        let store = Self::over(Arc::new(builder.build()?), BUCKET_PART_BYTES);
        Ok(Some(Self { prefix: ObjectPath::from(prefix.as_str()), ..store }))
    }

    /// Any store that publishes a blob when its upload is completed, as buckets do.
    #[must_use]
    pub fn over(store: Arc<dyn ObjectStore>, part_bytes: usize) -> Self {
        Self { store, prefix: ObjectPath::default(), part_bytes, renames: false, begun: Arc::default() }
    }

    /// A store that forgets with its process.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::over(Arc::new(InMemory::new()), BUCKET_PART_BYTES)
    }

    fn place_of_note(&self, note: BlobNote) -> ObjectPath {
        self.prefix.clone().join(NOTES).join(note_name(note).as_str())
    }

    /// A blob's place: the end of an id is random, so no folder gets too many.
    fn place(&self, name: BlobName) -> ObjectPath {
        let id = name.attachment.to_string();
        self.prefix.clone().join(name.tenant.as_str()).join(&id[id.len() - 2..]).join(id.as_str())
    }
}

/// A note as a name: the instant first, so that a bucket lists what is due before what is not.
fn note_name(note: BlobNote) -> String {
    let BlobNote { name, due } = note;
    format!("{:016}-{}-{}", due.0.max(0), name.tenant, name.attachment)
}

fn read_note(name: &str) -> Option<BlobNote> {
    let (due, name) = name.split_once('-')?;
    let (tenant, attachment) = name.split_once('-')?;
    Some(BlobNote {
        name: BlobName { tenant: tenant.parse().ok()?, attachment: attachment.parse().ok()? },
        due: Timestamp(due.parse().ok()?),
    })
}

fn gone_or(done: Result<(), object_store::Error>) -> Result<(), BlobError> {
    match done {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(unavailable(&error)),
    }
}

fn unavailable(error: &object_store::Error) -> BlobError {
    BlobError::Unavailable { reason: error.to_string() }
}

#[async_trait]
impl BlobStore for ObjectBlobStore {
    async fn begin(&self, name: BlobName) -> Result<Box<dyn BlobWriter>, BlobError> {
        let place = self.place(name);
        // A number of its own: what is left of an attempt that broke off is removed a moment later, and the next one must not
        // lose its file to that.
        let nth = self.begun.fetch_add(1, Ordering::Relaxed);
        let first = self.renames.then(|| ObjectPath::from(INCOMING).join(format!("{}-{}-{nth}", name.tenant, name.attachment)));
        Ok(Box::new(ObjectWriter::new(Arc::clone(&self.store), place, first, self.part_bytes)))
    }

    async fn read(&self, name: BlobName, range: Range<u64>) -> Result<BlobPart, BlobError> {
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        let found = self.store.get_opts(&self.place(name), options).await.map_err(|error| {
            if matches!(error, object_store::Error::NotFound { .. }) { BlobError::NotFound } else { unavailable(&error) }
        })?;
        let total = found.meta.size;
        Ok(BlobPart { bytes: found.bytes().await.map_err(|error| unavailable(&error))?, total })
    }

    async fn remove(&self, name: BlobName) -> Result<(), BlobError> {
        gone_or(self.store.delete(&self.place(name)).await)
    }

    async fn note(&self, note: BlobNote) -> Result<(), BlobError> {
        let written = self.store.put(&self.place_of_note(note), PutPayload::new()).await;
        written.map(|_| ()).map_err(|error| unavailable(&error))
    }

    async fn due(&self, before: Timestamp, limit: usize) -> Result<Vec<BlobNote>, BlobError> {
        let mut listed = self.store.list(Some(&self.prefix.clone().join(NOTES)));
        let mut due = Vec::new();
        while due.len() < limit
            && let Some(object) = listed.next().await
        {
            let object = object.map_err(|error| unavailable(&error))?;
            let Some(note) = object.location.filename().and_then(read_note) else { continue };
            if note.due < before {
                due.push(note);
            } else if !self.renames {
                // A bucket lists in the order of the names; a directory in none.
                break;
            }
        }
        Ok(due)
    }

    async fn settle(&self, note: BlobNote) -> Result<(), BlobError> {
        gone_or(self.store.delete(&self.place_of_note(note)).await)
    }
}
