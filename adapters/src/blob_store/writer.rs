//! One blob on its way into an object store: small ones in one request, larger ones part by part.

use std::sync::Arc;

use application::ports::blob_store::{BlobError, BlobWriter};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use object_store::path::Path as ObjectPath;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt};

use super::unavailable;

/// See the file's head.
pub(super) struct ObjectWriter {
    store: Arc<dyn ObjectStore>,
    place: ObjectPath,
    /// Where it is written first, if it is renamed afterwards.
    first: Option<ObjectPath>,
    part_bytes: usize,
    /// What is not sent yet.
    kept: BytesMut,
    upload: Option<Box<dyn MultipartUpload>>,
}

impl ObjectWriter {
    pub(super) fn new(store: Arc<dyn ObjectStore>, place: ObjectPath, first: Option<ObjectPath>, part_bytes: usize) -> Self {
        Self { store, place, first, part_bytes, kept: BytesMut::new(), upload: None }
    }

    fn written_to(&self) -> &ObjectPath {
        self.first.as_ref().unwrap_or(&self.place)
    }

    async fn send(&mut self, part: Bytes) -> Result<(), object_store::Error> {
        let upload = match self.upload.take() {
            Some(upload) => upload,
            None => self.store.put_multipart(self.written_to()).await?,
        };
        // Kept even when sending fails, so that it can be aborted.
        self.upload.insert(upload).put_part(part.into()).await
    }

    async fn complete(&mut self) -> Result<(), object_store::Error> {
        let rest = self.kept.split().freeze();
        if self.upload.is_none() {
            self.store.put(self.written_to(), rest.into()).await?;
        } else if !rest.is_empty() {
            self.send(rest).await?;
        }
        if let Some(upload) = &mut self.upload {
            upload.complete().await?;
            self.upload = None;
        }
        match &self.first {
            Some(first) => self.store.rename(first, &self.place).await,
            None => Ok(()),
        }
    }

    async fn clear(&mut self) {
        if let Some(mut upload) = self.upload.take()
            && let Err(error) = upload.abort().await
        {
            tracing::warn!(%error, "an upload could not be aborted; its parts stay until the store clears them");
        }
    }
}

#[async_trait]
impl BlobWriter for ObjectWriter {
    async fn write(&mut self, bytes: Bytes) -> Result<(), BlobError> {
        self.kept.extend_from_slice(&bytes);
        while self.kept.len() > self.part_bytes {
            let part = self.kept.split_to(self.part_bytes).freeze();
            self.send(part).await.map_err(|error| unavailable(&error))?;
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<(), BlobError> {
        let done = self.complete().await.map_err(|error| unavailable(&error));
        if done.is_err() {
            self.clear().await;
            if let Some(first) = &self.first
                && let Err(error) = self.store.delete(first).await
                && !matches!(error, object_store::Error::NotFound { .. })
            {
                tracing::warn!(%error, "an unfinished attachment stays until the next start");
            }
        }
        done
    }

    async fn abort(mut self: Box<Self>) {
        self.clear().await;
    }
}

/// A request that breaks off drops its writer. Parts that lie in a bucket would be paid for until somebody looks.
impl Drop for ObjectWriter {
    fn drop(&mut self) {
        if let Some(mut upload) = self.upload.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move {
                if let Err(error) = upload.abort().await {
                    tracing::warn!(%error, "an upload could not be aborted; its parts stay until the store clears them");
                }
            });
        }
    }
}
