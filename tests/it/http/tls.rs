//! TLS in the listener: the certificate is read again without a restart, and a broken one does not replace a good one.

use std::path::Path;
use std::sync::Arc;

use adapters::config::{Config, HttpConfig};
use adapters::server::tls::{TlsError, TlsFiles};
use adapters::server::{self, ServerError};
use rcgen::{CertifiedKey, generate_simple_self_signed};

fn write_certificate(directory: &Path) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate can be made");
    std::fs::write(directory.join("cert.pem"), cert.pem()).expect("the directory is there");
    std::fs::write(directory.join("key.pem"), signing_key.serialize_pem()).expect("the directory is there");
}

#[test]
fn a_new_certificate_is_taken_and_a_broken_one_is_not() {
    let directory = tempfile::tempdir().unwrap();
    write_certificate(directory.path());
    let files = TlsFiles::new(directory.path().join("cert.pem"), directory.path().join("key.pem")).unwrap();
    let first = files.current().get_inner();
    write_certificate(directory.path());
    files.reload().unwrap();
    let second = files.current().get_inner();
    assert!(!Arc::ptr_eq(&first, &second));
    std::fs::write(directory.path().join("cert.pem"), "broken").unwrap();
    assert!(matches!(files.reload(), Err(TlsError::NoCertificate { .. } | TlsError::Pem { .. })));
    assert!(Arc::ptr_eq(&second, &files.current().get_inner()));
}

#[test]
fn a_certificate_and_another_ones_key_do_not_go_together() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_certificate(one.path());
    write_certificate(other.path());
    let files = TlsFiles::new(one.path().join("cert.pem"), other.path().join("key.pem"));
    assert!(matches!(files, Err(TlsError::Refused { .. })));
}

#[test]
fn a_certificate_needs_its_key() {
    let config = HttpConfig { tls_cert: Some("cert.pem".into()), ..Config::default().http };
    assert!(matches!(server::bind(&config), Err(ServerError::HalfTls)));
}

#[tokio::test]
async fn requests_are_served_over_tls() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let directory = tempfile::tempdir().unwrap();
    write_certificate(directory.path());
    let mut config = Config::default();
    config.http.tls_cert = Some(directory.path().join("cert.pem"));
    config.http.tls_key = Some(directory.path().join("key.pem"));
    let mut world = tests::world::World::with_config(config).await;
    let address = world.serve().await;
    let mut roots = rustls::RootCertStore::empty();
    let pem = std::fs::read(directory.path().join("cert.pem")).unwrap();
    for certificate in <rustls::pki_types::CertificateDer<'_> as rustls::pki_types::pem::PemObject>::pem_slice_iter(&pem) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut tls = rustls::ClientConnection::new(Arc::new(client), "localhost".try_into().unwrap()).unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    std::io::Write::write_all(&mut tls.writer(), b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    // The handshake by hand: there is no TLS client among the dependencies, and none is needed for one request.
    while !answer.windows(4).any(|window| window == b"ok\n" as &[u8] || window.ends_with(b"ok\n")) {
        let mut out = Vec::new();
        while tls.wants_write() {
            tls.write_tls(&mut out).unwrap();
        }
        stream.write_all(&out).await.unwrap();
        let mut bytes = vec![0; 16 * 1024];
        let count = stream.read(&mut bytes).await.unwrap();
        assert!(count > 0, "the server closed: {}", String::from_utf8_lossy(&answer));
        let mut read = &bytes[..count];
        while !read.is_empty() {
            tls.read_tls(&mut read).unwrap();
            let state = tls.process_new_packets().unwrap();
            let mut plain = vec![0; state.plaintext_bytes_to_read()];
            std::io::Read::read_exact(&mut tls.reader(), &mut plain).unwrap();
            answer.extend(plain);
        }
    }
    assert!(answer.starts_with(b"HTTP/1.1 200 OK"));
    drop(stream);
    world.end().await;
}
