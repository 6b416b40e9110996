//! TLS from a certificate and a key in files, read again on SIGHUP and when they change, without a restart.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum_server::tls_rustls::RustlsConfig;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::signal::unix::{SignalKind, signal};

use crate::shutdown::Shutdown;

/// How often the files are looked at: certificates are renewed days before they end.
const CHECK_EVERY: Duration = Duration::from_secs(60);

/// Why certificate or key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is no PEM, or cannot be read.
    #[error("{path} cannot be read as PEM")]
    Pem {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: rustls::pki_types::pem::Error,
    },
    /// The file has no certificate.
    #[error("{path} has no certificate")]
    NoCertificate {
        /// Which file.
        path: PathBuf,
    },
    /// Certificate and key do not fit, or TLS refuses them.
    #[error("certificate and key cannot be used")]
    Refused {
        /// The library's reason.
        #[from]
        source: rustls::Error,
    },
}

/// The two files, and what was last read from them.
pub struct TlsFiles {
    cert: PathBuf,
    key: PathBuf,
    current: RustlsConfig,
}

fn load(cert: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let pem = |path: &Path| {
        let path = path.to_owned();
        move |source| TlsError::Pem { path, source }
    };
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_file_iter(cert).map_err(pem(cert))?.collect::<Result<_, _>>().map_err(pem(cert))?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate { path: cert.to_owned() });
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(pem(key))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

impl TlsFiles {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn new(cert: PathBuf, key: PathBuf) -> Result<Self, TlsError> {
        let current = RustlsConfig::from_config(load(&cert, &key)?);
        Ok(Self { cert, key, current })
    }

    /// What connections use; shares what is read later.
    #[must_use]
    pub fn current(&self) -> RustlsConfig {
        self.current.clone()
    }

    /// Reads the files again. What cannot be used is not taken: the certificate before stays.
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn reload(&self) -> Result<(), TlsError> {
        self.current.reload_from_config(load(&self.cert, &self.key)?);
        Ok(())
    }

    fn changed_at(&self) -> io::Result<(SystemTime, SystemTime)> {
        Ok((std::fs::metadata(&self.cert)?.modified()?, std::fs::metadata(&self.key)?.modified()?))
    }

    /// Reads the files again on SIGHUP and when they have changed, until the order to stop.
    pub async fn keep_fresh(&self, shutdown: &Shutdown) {
        let mut hangup = signal(SignalKind::hangup()).ok();
        let mut seen = self.changed_at().ok();
        loop {
            let asked = async {
                match &mut hangup {
                    Some(hangup) => drop(hangup.recv().await),
                    None => std::future::pending().await,
                }
            };
            let by_hand = tokio::select! {
                () = shutdown.ordered() => return,
                () = asked => true,
                () = tokio::time::sleep(CHECK_EVERY) => false,
            };
            let now = self.changed_at().ok();
            if !by_hand && now == seen {
                continue;
            }
            seen = now;
            match self.reload() {
                Ok(()) => tracing::info!("certificate read again"),
                Err(error) => tracing::error!(%error, "certificate cannot be read again; the one before stays"),
            }
        }
    }
}
