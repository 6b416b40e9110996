//! The read connections, lent out one at a time to blocking tasks.

use std::sync::{Arc, Mutex};

use application::ports::event_log::ReadError;
use tokio::sync::Semaphore;

use super::Files;
use super::view::Reader;

/// Read connections at most: reading is bound by the processor, and each has its own page cache.
const READERS_MAX: usize = 4;

/// See the head of this file.
pub struct Pool {
    files: Files,
    page_bytes: u32,
    idle: Mutex<Vec<Reader>>,
    permits: Arc<Semaphore>,
}

impl Pool {
    /// A pool without connections; they are opened when needed.
    pub fn new(files: &Files, page_bytes: u32) -> Self {
        Self { files: files.clone(), page_bytes, idle: Mutex::default(), permits: Arc::new(Semaphore::new(READERS_MAX)) }
    }

    /// Reads on a blocking thread.
    pub async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Reader) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let closed = || ReadError::Unavailable { reason: "log is closed".into() };
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| closed())?;
        let pool = Arc::clone(self);
        let task = tokio::task::spawn_blocking(move || {
            let reader = pool.take()?;
            let outcome = read(&reader);
            pool.give(reader);
            drop(permit);
            outcome
        });
        task.await.unwrap_or_else(|error| Err(ReadError::Unavailable { reason: error.to_string() }))
    }

    fn take(&self) -> Result<Reader, ReadError> {
        let idle = self.idle.lock().expect("no code panics while it holds the pool").pop();
        match idle {
            Some(reader) => Ok(reader),
            None => Ok(Reader::connect(&self.files.log, &self.files.index, self.page_bytes)?),
        }
    }

    fn give(&self, reader: Reader) {
        let mut idle = self.idle.lock().expect("no code panics while it holds the pool");
        if !self.permits.is_closed() {
            idle.push(reader);
        }
    }

    /// Closes the connections; one that is lent out closes when it comes back.
    pub fn close(&self) {
        let mut idle = self.idle.lock().expect("no code panics while it holds the pool");
        self.permits.close();
        idle.clear();
    }
}
