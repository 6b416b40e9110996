//! The order to stop, as a value that is passed down. Whoever holds it can ask, wait, and knows for how long at most.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// Longest time for what is in flight when a stop is ordered: a request waits at most 2 s for views and its flush, and a
/// container is killed after 30 s.
pub const DRAIN_MAX: Duration = Duration::from_secs(10);

/// Whether to stop. Clones share one order.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    token: CancellationToken,
}

impl Shutdown {
    /// Nobody ordered it yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Orders everybody to stop.
    pub fn order(&self) {
        self.token.cancel();
    }

    /// Whether it was ordered.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Waits for the order.
    pub async fn ordered(&self) {
        self.token.cancelled().await;
    }

    /// Waits for SIGTERM or SIGINT (Ctrl-C), then gives the order.
    ///
    /// # Errors
    /// When the operating system takes no signal handler.
    pub async fn order_on_signal(&self) -> std::io::Result<()> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = self.ordered() => {}
        }
        self.order();
        Ok(())
    }
}
