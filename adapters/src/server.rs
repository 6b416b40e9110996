//! The listener: plain or TLS, until the order to stop.
//!
//! On the order: not ready any more, no new connections, devices told to come back, what is in flight finished, all within
//! [`DRAIN_MAX`]. It must not know a route.

mod accepting;
pub mod tls;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use axum_server::tls_rustls::RustlsAcceptor;
use axum_server::{Handle, Server};
use hyper_util::rt::TokioTimer;
use tokio::time::timeout;

use self::accepting::{Begun, SetUp};
use self::tls::{TlsError, TlsFiles};
use crate::attachments::sweep;
use crate::channels::signed::courier;
use crate::config::HttpConfig;
use crate::http::router::Entrances;
use crate::hub::outbox::Bye;
use crate::shutdown::DRAIN_MAX;
use crate::state::App;

/// Why the server cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address is taken or not ours.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// Certificate and key are given one without the other.
    #[error("a certificate needs its key, and a key its certificate")]
    HalfTls,
    /// Certificate or key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The listener failed.
    #[error("listener failed")]
    Serve {
        /// The system's reason.
        #[source]
        source: io::Error,
    },
}

/// A server that has its address and waits to be run.
pub struct BoundServer {
    listener: TcpListener,
    tls: Option<TlsFiles>,
    address: SocketAddr,
}

/// Takes the address. The port is known from here on, also when 0 was asked for.
///
/// # Errors
/// [`ServerError`].
pub fn bind(config: &HttpConfig) -> Result<BoundServer, ServerError> {
    let tls = match (&config.tls_cert, &config.tls_key) {
        (None, None) => None,
        (Some(cert), Some(key)) => Some(TlsFiles::new(cert.clone(), key.clone())?),
        (Some(_), None) | (None, Some(_)) => return Err(ServerError::HalfTls),
    };
    let failed = |source| ServerError::Listen { address: config.listen, source };
    let listener = TcpListener::bind(config.listen).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(BoundServer { listener, tls, address })
}

impl BoundServer {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address as clients write it.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Serves until the order to stop, and then until what was in flight is done, or its time is over. Also looks after presence.
    ///
    /// # Errors
    /// [`ServerError::Serve`].
    pub async fn run(self, app: App) -> Result<(), ServerError> {
        let handle = Handle::new();
        let service = Entrances::new(app.clone());
        let failed = |source| ServerError::Serve { source };
        let head_timeout = Duration::from_millis(app.config.http.head_timeout_ms);
        let set_up = SetUp { dead_after: app.config.websocket.dead_after() };
        let accepting = Begun { inner: set_up, within: head_timeout };
        let mut plain = axum_server::from_tcp(self.listener).map_err(failed)?.handle(handle.clone()).acceptor(accepting);
        // A head and its short body are cheaper to copy into one write than to gather. And while an answer is awaited nothing is
        // read, because that takes a call and a new buffer each time: a client that hung up is noticed when it is written to.
        plain.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(head_timeout).writev(false).half_close(true);
        let passwords = app.passwords.clone();
        let warm = tokio::task::spawn_blocking(move || passwords.warm());
        let stop = stop_on_order(&app, &handle);
        let presence = app.presence.clone();
        let presence = presence.run(app.clone());
        let signals = app.signals.run(app.clone());
        let polls = app.polls.run(app.clone());
        // In tasks of their own: they read, seal or say a good deal.
        let courier = tokio::spawn(courier::run(app.clone()));
        let sweep = tokio::spawn(sweep::run(app.clone()));
        let campaigns = tokio::spawn({
            let app = app.clone();
            async move { app.campaigns.run(app.clone()).await }
        });
        match self.tls {
            None => {
                let (served, (), (), (), ()) = tokio::join!(plain.serve(service), stop, presence, signals, polls);
                served.map_err(failed)?;
            }
            Some(files) => {
                let tls = Begun { inner: RustlsAcceptor::new(files.current()).acceptor(set_up), within: head_timeout };
                let server: Server<SocketAddr, Begun<RustlsAcceptor<SetUp>>> = plain.acceptor(tls);
                let (served, (), (), (), (), ()) =
                    tokio::join!(server.serve(service), stop, presence, signals, polls, files.keep_fresh(&app.shutdown));
                served.map_err(failed)?;
            }
        }
        // Long done; awaited because it was started here.
        let _ = warm.await;
        for (task, what) in [(courier, "deliveries to channels"), (sweep, "the search for unused uploads"), (campaigns, "campaigns")] {
            if let Err(error) = task.await {
                tracing::error!(%error, what, "a part of the server did not end well");
            }
        }
        // Sockets are no connections of the listener any more; each has its own task and is awaited here.
        let _ = timeout(Duration::from_secs(2), app.hub.drained()).await;
        Ok(())
    }
}

/// Waits for the order, then closes in order: devices first, so that they are told; connections after them.
async fn stop_on_order(app: &App, handle: &Handle<SocketAddr>) {
    app.shutdown.ordered().await;
    tracing::info!(devices = app.hub.devices(), "stopping");
    handle.graceful_shutdown(Some(DRAIN_MAX));
    app.hub.close_all(Bye::Shutdown);
    let drained = timeout(DRAIN_MAX, app.hub.drained()).await;
    if drained.is_err() {
        tracing::warn!(devices = app.hub.devices(), "devices were cut off");
    }
}
