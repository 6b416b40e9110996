//! A toy server in memory that speaks just enough of kefu's API and WebSocket to try `kefu-load` without kefu, and that can be
//! told to lie: the generator must notice. It keeps no promise of its own and shares no code with the server.

mod campaign;
mod desk;
mod poll;
mod routes;
mod socket;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::serve::ListenerExt;
use tokio::net::TcpListener;

use desk::Desk;

/// How the server lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// It does not.
    #[default]
    None,
    /// A message is acknowledged and then in no feed and no chat.
    Drop,
    /// A message enters the feeds twice.
    Duplicate,
    /// Two messages change places in the feeds once they were pushed.
    Reorder,
    /// A message's text is another once it was pushed.
    Alter,
}

/// One message in `every` is a lie.
#[derive(Clone, Copy, Debug)]
pub struct Lies {
    /// How.
    pub fault: Fault,
    /// How often.
    pub every: u64,
}

impl Default for Lies {
    fn default() -> Self {
        Self { fault: Fault::None, every: 1_000 }
    }
}

/// What the routes share.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<Desk>>);

impl Shared {
    pub(crate) fn desk(&self) -> MutexGuard<'_, Desk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A server that is bound and not yet running.
pub struct MockServer {
    listener: TcpListener,
    lies: Lies,
}

/// Binds an address.
///
/// # Errors
/// The system's.
pub async fn bind(address: &str, lies: Lies) -> io::Result<MockServer> {
    Ok(MockServer { listener: TcpListener::bind(address).await?, lies })
}

impl MockServer {
    /// Where it listens.
    ///
    /// # Errors
    /// The system's.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until its task is dropped.
    ///
    /// # Errors
    /// The system's.
    pub async fn run(self) -> io::Result<()> {
        let shared = Shared(Arc::new(Mutex::new(Desk::new(self.lies))));
        // Answers are small and must leave at once; a socket that refuses to be told so is only slower.
        let listener = self.listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        axum::serve(listener, routes::router(shared)).await
    }
}
