//! Requests that this server sends to addresses which somebody else wrote down: signed, bounded in time and in what is read of the
//! answer, without redirects or proxies, and never to an internal address ([`addresses`]).
//!
//! Every such request goes through here. This file must not know what a request says, nor who wants it sent.

pub mod addresses;
mod answer;

use std::error::Error;
use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::Duration;

use axum::http::StatusCode;
use domain::time::Timestamp;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Url, header};

use self::addresses::{Guard, InternalAddress};
pub use self::answer::Answer;
use crate::config::OutgoingConfig;
use crate::webhook_signature::{self as signature, SigningKey};

/// Idle connections to one host that are kept.
const IDLE_PER_HOST_MAX: usize = 16;

/// Why an address cannot be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The text is no address, or one that has more to it than a webhook needs.
    #[error("an address is https://host/path, without user, password and fragment")]
    Invalid,
    /// Plain HTTP is for internal networks that the operator named.
    #[error("http is for internal networks that the operator named; use https")]
    Plain,
    /// It leads to an internal address.
    #[error("the address is an internal one")]
    Internal,
}

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// It was not sent.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// It was sent in vain, or nobody knows.
    #[error("no answer")]
    NoAnswer {
        /// What happened on the way.
        #[source]
        source: reqwest::Error,
    },
    /// More was answered than is read.
    #[error("the answer is larger than {bytes_max} bytes")]
    TooLarge {
        /// The limit.
        bytes_max: usize,
    },
}

/// How whoever is asked knows who asks.
#[derive(Clone, Copy, Debug)]
pub enum Proof<'a> {
    /// By a signature.
    Signed {
        /// The request's id: the same at each attempt.
        id: &'a str,
        /// The key.
        key: &'a SigningKey,
        /// The time of the attempt.
        now: Timestamp,
    },
    /// By a key that they gave out; some give out none.
    Bearer(Option<&'a str>),
}

/// Something to be asked of whom an answer is read.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// Where.
    pub url: &'a str,
    /// What is asked, JSON.
    pub body: &'a str,
    /// Who asks.
    pub proof: Proof<'a>,
    /// How long everything may take, to the last byte of the answer.
    pub time_out: Duration,
    /// The most that is read of the answer.
    pub bytes_max: usize,
}

/// A webhook to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Webhook<'a> {
    /// Where to.
    pub url: &'a str,
    /// Its id: the same at each attempt.
    pub id: &'a str,
    /// What it says, JSON.
    pub body: &'a str,
}

/// See the file's head.
pub struct Outgoing {
    timeout: Duration,
    anywhere: Guard,
    named_only: Guard,
    names_networks: bool,
    /// Each made when it is first needed, because it reads the certificates of the system.
    over_tls: OnceLock<Client>,
    plain: OnceLock<Client>,
}

impl Outgoing {
    /// A client with these settings.
    #[must_use]
    pub fn new(config: &OutgoingConfig) -> Self {
        Self {
            timeout: config.timeout(),
            anywhere: Guard::public_and(config.internal_networks.clone()),
            named_only: Guard::only(config.internal_networks.clone()),
            names_networks: !config.internal_networks.is_empty(),
            over_tls: OnceLock::new(),
            plain: OnceLock::new(),
        }
    }

    /// Whether an address can be sent to, as far as it can be told without looking its name up.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn check(&self, url: &str) -> Result<(), AddressError> {
        self.parse(url).map(|_| ())
    }

    /// Sends a webhook once; answers the status.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn send(&self, webhook: Webhook<'_>, key: &SigningKey, now: Timestamp) -> Result<StatusCode, SendError> {
        let Webhook { url, id, body } = webhook;
        let request = self.post(url, body, Proof::Signed { id, key, now })?;
        // The body of the answer is nobody's business; it is dropped with the answer.
        request.send().await.map(|answer| answer.status()).map_err(failed)
    }

    /// Asks once; the answer is there to be read when its head is.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn ask(&self, call: Call<'_>) -> Result<Answer, SendError> {
        let Call { url, body, proof, time_out, bytes_max } = call;
        let request = self.post(url, body, proof)?.timeout(time_out);
        request.send().await.map(|response| Answer::new(response, bytes_max)).map_err(failed)
    }

    fn post(&self, url: &str, body: &str, proof: Proof<'_>) -> Result<RequestBuilder, AddressError> {
        let url = self.parse(url)?;
        let request = self.client(&url).post(url).header(header::CONTENT_TYPE, "application/json").body(body.to_owned());
        Ok(match proof {
            Proof::Signed { id, key, now } => {
                let timestamp_s = now.0 / 1_000;
                request
                    .header(signature::ID, id)
                    .header(signature::TIMESTAMP, timestamp_s)
                    .header(signature::SIGNATURE, key.sign(id, timestamp_s, body.as_bytes()))
            }
            Proof::Bearer(Some(key)) => request.bearer_auth(key),
            Proof::Bearer(None) => request,
        })
    }

    fn parse(&self, text: &str) -> Result<Url, AddressError> {
        let url: Url = text.parse().map_err(|_| AddressError::Invalid)?;
        let guard = match url.scheme() {
            "https" => &self.anywhere,
            "http" if self.names_networks => &self.named_only,
            "http" => return Err(AddressError::Plain),
            _ => return Err(AddressError::Invalid),
        };
        let host = url.host_str().ok_or(AddressError::Invalid)?;
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(AddressError::Invalid);
        }
        // A literal address is never looked up, so the guard of names does not see it.
        if let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            guard.check(address).map_err(|InternalAddress| AddressError::Internal)?;
        }
        Ok(url)
    }

    fn client(&self, url: &Url) -> &Client {
        if url.scheme() == "http" {
            self.plain.get_or_init(|| self.build(self.named_only.clone()))
        } else {
            self.over_tls.get_or_init(|| self.build(self.anywhere.clone()))
        }
    }

    fn build(&self, guard: Guard) -> Client {
        // The program has one by now; a test may not.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Client::builder()
            .dns_resolver(guard)
            .redirect(Policy::none())
            .no_proxy()
            .timeout(self.timeout)
            .connect_timeout(self.timeout)
            .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
            .user_agent(concat!("kefu/", env!("CARGO_PKG_VERSION")))
            .build()
            .expect("a client with these settings can be built")
    }
}

fn failed(error: reqwest::Error) -> SendError {
    if is_internal(&error) { AddressError::Internal.into() } else { SendError::NoAnswer { source: error.without_url() } }
}

fn is_internal(error: &reqwest::Error) -> bool {
    let mut source = error.source();
    while let Some(error) = source {
        if error.is::<InternalAddress>() {
            return true;
        }
        source = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outgoing(networks: &[&str]) -> Outgoing {
        let internal_networks = networks.iter().map(|network| network.parse().unwrap()).collect();
        Outgoing::new(&OutgoingConfig { internal_networks, ..OutgoingConfig::default() })
    }

    #[test]
    fn an_address_is_public_and_over_tls_unless_the_operator_says_otherwise() {
        let strict = outgoing(&[]);
        assert_eq!(strict.check("https://shop.example/hook?x=1"), Ok(()));
        for (url, error) in [
            ("http://shop.example/hook", AddressError::Plain),
            ("ftp://shop.example/", AddressError::Invalid),
            ("https://u:p@shop.example/", AddressError::Invalid),
            ("https://shop.example/#x", AddressError::Invalid),
            ("shop.example", AddressError::Invalid),
            ("https://127.0.0.1/", AddressError::Internal),
            ("https://2130706433/", AddressError::Internal),
            ("https://0x7f.1/", AddressError::Internal),
            ("https://[::1]/", AddressError::Internal),
            ("https://[::ffff:169.254.169.254]/", AddressError::Internal),
        ] {
            assert_eq!(strict.check(url), Err(error), "{url}");
        }
        let named = outgoing(&["127.0.0.0/8"]);
        assert_eq!(named.check("http://127.0.0.1:8080/hook"), Ok(()));
        assert_eq!(named.check("https://127.0.0.1:8080/hook"), Ok(()));
        assert_eq!(named.check("http://1.1.1.1/"), Err(AddressError::Internal), "what is public is never sent in the clear");
        assert_eq!(named.check("http://10.0.0.1/"), Err(AddressError::Internal));
    }

    #[tokio::test]
    async fn a_webhook_is_signed_and_a_redirect_is_an_answer_like_any_other() {
        use axum::Router;
        use axum::http::HeaderMap;
        use axum::routing::post;

        let key = SigningKey::new(vec![1; 32]);
        let now = Timestamp(1_790_000_000_000);
        let (verifies, elsewhere) = (key.clone(), [(axum::http::header::LOCATION, "/elsewhere")]);
        let hook = move |headers: HeaderMap, body: String| async move {
            assert_eq!(verifies.verify(&headers, body.as_bytes(), now), Ok("m1"));
            (StatusCode::TEMPORARY_REDIRECT, elsewhere)
        };
        let router = Router::new().route("/hook", post(hook)).route("/elsewhere", post(|| async { StatusCode::OK }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await });
        let webhook = Webhook { url: &url, id: "m1", body: "{\"x\":1}" };
        let sent = outgoing(&["127.0.0.0/8"]).send(webhook, &key, now).await;
        assert_eq!(sent.unwrap(), StatusCode::TEMPORARY_REDIRECT);
        serving.abort();
    }

    /// What a server on this machine answers to a call, as far as so many bytes of it are read.
    async fn asked(router: axum::Router, proof: Proof<'_>, time_out: Duration, bytes_max: usize) -> Result<Vec<u8>, SendError> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await });
        let call = Call { url: &url, body: "{}", proof, time_out, bytes_max };
        let answer = async { outgoing(&["127.0.0.0/8"]).ask(call).await?.whole().await }.await;
        serving.abort();
        answer
    }

    const LONG: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn of_an_answer_no_more_is_read_than_the_caller_can_use() {
        use axum::Router;
        use axum::routing::post;

        let router = || Router::new().route("/", post(|| async { "12345678" }));
        let nobody = Proof::Bearer(None);
        assert_eq!(asked(router(), nobody, LONG, 8).await.unwrap(), b"12345678");
        let refused = asked(router(), nobody, LONG, 7).await;
        assert!(matches!(refused, Err(SendError::TooLarge { bytes_max: 7 })), "{refused:?}");
    }

    #[tokio::test]
    async fn a_key_is_shown_to_whoever_gave_it_out() {
        use axum::Router;
        use axum::http::HeaderMap;
        use axum::routing::post;

        let shown = |headers: HeaderMap| async move { headers["authorization"].to_str().unwrap().to_owned() };
        let answer = asked(Router::new().route("/", post(shown)), Proof::Bearer(Some("sk-1")), LONG, 100).await;
        assert_eq!(answer.unwrap(), b"Bearer sk-1");
    }

    #[tokio::test]
    async fn an_answer_that_stops_in_the_middle_is_none_once_the_time_is_over() {
        use axum::Router;
        use axum::body::{Body, Bytes};
        use axum::routing::post;
        use futures_util::StreamExt;
        use futures_util::stream::{once, pending};

        let begun = || once(async { Ok::<_, std::io::Error>(Bytes::from_static(b"begun")) }).chain(pending());
        let router = Router::new().route("/", post(move || async move { Body::from_stream(begun()) }));
        let answer = asked(router, Proof::Bearer(None), Duration::from_millis(50), 100).await;
        assert!(matches!(&answer, Err(SendError::NoAnswer { source }) if source.is_timeout()), "{answer:?}");
    }

    #[tokio::test]
    async fn a_name_that_stands_for_an_internal_address_is_not_connected_to() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        // One internal network is named, and localhost is in none of them.
        let outgoing = outgoing(&["10.0.0.0/8"]);
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://localhost:{port}/");
            let webhook = Webhook { url: &url, id: "m1", body: "{}" };
            let sent = outgoing.send(webhook, &SigningKey::new(vec![1; 32]), Timestamp(0)).await;
            assert!(matches!(sent, Err(SendError::Address(AddressError::Internal))), "{sent:?}");
        }
        assert!(futures_util::FutureExt::now_or_never(listener.accept()).is_none(), "nobody came");
    }
}
