//! A data directory: the log, the keys, and what can be made again. Opened by one process at a time.
//!
//! `log/` is the truth, `attachments/` holds what is too large for it, `keys/` opens the private halves of both, `views.db` and
//! `snapshots.db` may be deleted at any time.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use application::owner::OwnerLimits;
use application::ports::clock::Clock;

use crate::blob_store::{self, ObjectBlobStore};
use crate::event_log::embedded::{self, EmbeddedLog};
use crate::ids::MonotonicIds;
use crate::key_store::sqlite::{self, SqliteKeyStore};
use crate::node::Engines;
use crate::secrets::{Secrets, SecretsError};
use crate::snapshot_store::{self, SnapshotStore};
use crate::view_store::SqliteViewStore;

/// How long a killed process may take to let go of its lock: the kernel finishes its writes first.
const PREDECESSOR_GONE_WITHIN: Duration = Duration::from_secs(5);
/// Between two looks.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// Why a directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be made or reached.
    #[error("directory {path} cannot be used")]
    Directory {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// The log.
    #[error(transparent)]
    Log(#[from] embedded::OpenError),
    /// The keys.
    #[error(transparent)]
    Keys(#[from] sqlite::OpenError),
    /// The attachments.
    #[error(transparent)]
    Attachments(#[from] blob_store::OpenError),
    /// The installation's secret.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// Snapshots and checkpoints.
    #[error(transparent)]
    Snapshots(#[from] snapshot_store::OpenError),
    /// The read models' file.
    #[error("the read models cannot be opened")]
    Views(#[from] projections::store::StoreError),
}

/// See the module.
pub struct DataDir {
    /// What a node stands on.
    pub engines: Engines,
    /// Keys of this installation.
    pub secrets: Secrets,
}

/// Where the keys are inside a data directory.
#[must_use]
pub fn keys_of(data: &Path) -> PathBuf {
    data.join("keys")
}

/// Where attachments are inside a data directory, unless they lie in a bucket.
#[must_use]
pub fn attachments_of(data: &Path) -> PathBuf {
    data.join("attachments")
}

/// Where the read models are inside a data directory.
#[must_use]
pub fn views_of(data: &Path) -> PathBuf {
    data.join("views.db")
}

/// Opens the log; a predecessor that was killed a moment ago is given the time to be gone.
fn open_log(data: &Path) -> Result<EmbeddedLog, embedded::OpenError> {
    let began = Instant::now();
    loop {
        match EmbeddedLog::open(data, &embedded::Options::default()) {
            Err(embedded::OpenError::InUse) if began.elapsed() < PREDECESSOR_GONE_WITHIN => std::thread::sleep(LOOK_AGAIN_AFTER),
            opened => return opened,
        }
    }
}

impl DataDir {
    /// Opens a directory, or makes it.
    ///
    /// # Errors
    /// [`OpenError`]; a second opener is refused.
    pub fn open(data: &Path, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let keys = keys_of(data);
        for path in [data, keys.as_path()] {
            std::fs::create_dir_all(path).map_err(|source| OpenError::Directory { path: path.to_owned(), source })?;
        }
        // The log comes first: its lock keeps a second process away from everything else.
        let log = open_log(data)?;
        let secrets = Secrets::load_or_create(&keys)?;
        let snapshots = SnapshotStore::open(data)?;
        let engines = Engines {
            log: Arc::new(log),
            keys: Arc::new(SqliteKeyStore::open(data)?),
            blobs: Arc::new(ObjectBlobStore::in_directory(&attachments_of(data))?),
            snapshots: Arc::new(snapshots.clone()),
            checkpoints: Arc::new(snapshots),
            view_store: Arc::new(SqliteViewStore::open(&views_of(data))?),
            clock,
            ids: Arc::new(MonotonicIds::new()),
            limits: OwnerLimits::default(),
        };
        Ok(Self { engines, secrets })
    }
}
