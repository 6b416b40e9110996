//! What a message costs over sockets and over held requests in the libraries alone, with nothing of kefu behind them: no log, no
//! views, no sealing, no feed. The difference is the least that long poll can cost more in kefu. Printed, never asserted.
//!
//! `cargo bench -p adapters --bench transport_floor`. Environment: `SECONDS` per run (default 8), `RATE` of messages a second
//! (default 5,000), `PAIRS` (default 200), `ROUNDS` of both in turn (default 3).
//!
//! A message is what it is in kefu: its sender says it and gets an answer with its id, the other side is woken and gets it. Over
//! sockets this is one frame in and two out; over requests the other side then asks again, with its token.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::extract::{FromRequestParts, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum_server::accept::NoDelayAcceptor;
use futures_util::{SinkExt, StreamExt};
use http_body_util::BodyExt;
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tower::Service;

/// The allocator of the kefu binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SERVER_THREAD: &str = "floor-server";
const HELD_MAX: Duration = Duration::from_secs(25);
const TEXT: &str = "您好，请问这件商品什么时候发货？您好，请问这件商品什么时候发货？您好，请问这件商品什么时候发货？";

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// What a client says, over either.
#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow, default)]
    id: &'a str,
    #[serde(borrow, default)]
    text: &'a str,
}

/// Everybody who is known: tokens, and for each side what wakes it.
struct Hall {
    tokens: HashMap<String, usize>,
    woken: Vec<Notify>,
}

impl Hall {
    fn of(sides: usize) -> Self {
        Self { tokens: (0..sides).map(|side| (token(side), side)).collect(), woken: (0..sides).map(|_| Notify::new()).collect() }
    }

    fn caller(&self, request: &axum::http::request::Parts) -> Option<usize> {
        let given = request.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        self.tokens.get(given.strip_prefix("Bearer ")?).copied()
    }
}

/// As long as a signed token.
fn token(side: usize) -> String {
    format!("{side:0>43}")
}

fn other(side: usize) -> usize {
    side ^ 1
}

fn acked(said: &Said<'_>) -> String {
    format!(r#"{{"id":"{}","bytes":{}}}"#, said.id, said.text.len())
}

fn item() -> String {
    format!(r#"{{"index":1,"previous":0,"text":"{TEXT}"}}"#)
}

#[derive(Clone)]
struct Door(Arc<Hall>);

impl Door {
    async fn asked(hall: Arc<Hall>, request: Request) -> Response {
        let (mut parts, body) = request.into_parts();
        let Some(side) = hall.caller(&parts) else {
            return StatusCode::UNAUTHORIZED.into_response();
        };
        let body_of = async |body: Body| body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let text = match parts.uri.path() {
            "/send" => {
                let body = body_of(body).await;
                let Ok(said) = serde_json::from_slice::<Said<'_>>(&body) else {
                    return StatusCode::BAD_REQUEST.into_response();
                };
                hall.woken[other(side)].notify_one();
                acked(&said)
            }
            "/poll" => {
                let body: Bytes = body_of(body).await;
                if serde_json::from_slice::<Said<'_>>(&body).is_err() {
                    return StatusCode::BAD_REQUEST.into_response();
                }
                let _ = tokio::time::timeout(HELD_MAX, hall.woken[side].notified()).await;
                item()
            }
            _ => match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
                Ok(upgrade) => return upgrade.on_upgrade(move |socket| talk(hall, side, socket)),
                Err(refused) => return refused.into_response(),
            },
        };
        ([(header::CONTENT_TYPE, "application/json")], text).into_response()
    }
}

async fn talk(hall: Arc<Hall>, side: usize, socket: axum::extract::ws::WebSocket) {
    let (mut out, mut heard) = socket.split();
    loop {
        let text = tokio::select! {
            frame = heard.next() => {
                let Some(Ok(Message::Text(text))) = frame else { return };
                let Ok(said) = serde_json::from_str::<Said<'_>>(&text) else { return };
                hall.woken[other(side)].notify_one();
                acked(&said)
            }
            () = hall.woken[side].notified() => item(),
        };
        if out.send(Message::Text(text.into())).await.is_err() {
            return;
        }
    }
}

impl Service<SocketAddr> for Door {
    type Response = Self;
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: SocketAddr) -> Self::Future {
        ready(Ok(self.clone()))
    }
}

impl<B> Service<axum::http::Request<B>> for Door
where
    B: axum::body::HttpBody<Data = Bytes, Error: Into<axum::BoxError>> + Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: axum::http::Request<B>) -> Self::Future {
        let answered = Self::asked(Arc::clone(&self.0), request.map(Body::new));
        Box::pin(async { Ok(answered.await) })
    }
}

/// Processor time of the server's threads so far.
fn server_time() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux");
    let of_thread = |task: std::io::Result<std::fs::DirEntry>| {
        let path = task.ok()?.path();
        let name = std::fs::read_to_string(path.join("comm")).ok()?;
        let stat = std::fs::read_to_string(path.join("schedstat")).ok()?;
        name.starts_with(SERVER_THREAD).then(|| stat.split(' ').next()?.parse::<u64>().ok()).flatten()
    };
    Duration::from_nanos(tasks.filter_map(of_thread).sum())
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Sockets,
    Requests,
}

fn request(path: &str, side: usize, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        token(side),
        body.len()
    )
    .into_bytes()
}

fn said() -> String {
    format!(r#"{{"id":"0190b5a0-7e4c-7000-8000-000000000001","text":"{TEXT}"}}"#)
}

/// A masked text frame under the mask zero.
fn frame(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81, 0x80 | 126];
    frame.extend(u16::try_from(text.len()).expect("short").to_be_bytes());
    frame.extend([0; 4]);
    frame.extend(text.as_bytes());
    frame
}

async fn upgraded(address: SocketAddr, side: usize) -> TcpStream {
    let mut stream = connected(address).await;
    let asked = format!(
        "GET /ws HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        token(side)
    );
    stream.write_all(asked.as_bytes()).await.expect("the server");
    let mut head = vec![0; 1024];
    let read = stream.read(&mut head).await.expect("the server");
    assert!(head[..read].starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head[..read]));
    stream
}

async fn connected(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).await.expect("the server");
    stream.set_nodelay(true).expect("a socket");
    stream
}

/// Says one message each `every`, and reads every answer, until `until`; answers how many were answered.
async fn sender(address: SocketAddr, way: Way, side: usize, every: Duration, until: Instant) -> u64 {
    let (mut stream, order) = match way {
        Way::Sockets => (upgraded(address, side).await, frame(&said())),
        Way::Requests => (connected(address).await, request("/send", side, &said())),
    };
    let mut turn = tokio::time::interval(every);
    let mut answer = [0; 4096];
    let mut sent = 0;
    while Instant::now() < until {
        turn.tick().await;
        stream.write_all(&order).await.expect("the server");
        assert_ne!(stream.read(&mut answer).await.expect("the server"), 0, "an answer");
        sent += 1;
    }
    sent
}

/// Gets what is said to it. Answers come whole, because each is one short write.
async fn receiver(address: SocketAddr, way: Way, side: usize) {
    let mut answer = [0; 4096];
    let (mut stream, order) = match way {
        Way::Sockets => (upgraded(address, side).await, None),
        Way::Requests => (connected(address).await, Some(request("/poll", side, r#"{"id":"1"}"#))),
    };
    loop {
        if let Some(order) = &order {
            stream.write_all(order).await.expect("the server");
        }
        assert_ne!(stream.read(&mut answer).await.expect("the server"), 0, "an answer");
    }
}

fn run(address: SocketAddr, way: Way) -> f64 {
    let (pairs, rate) = (setting("PAIRS", 200), setting("RATE", 5_000));
    let every = Duration::from_secs_f64(f64::from(u32::try_from(pairs).expect("few")) / f64::from(u32::try_from(rate).expect("few")));
    let clients = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    clients.block_on(async {
        let until = Instant::now() + Duration::from_secs(setting("SECONDS", 8));
        let sides = usize::try_from(pairs).expect("few");
        let receivers: Vec<_> = (0..sides).map(|pair| tokio::spawn(receiver(address, way, 2 * pair + 1))).collect();
        let before = server_time();
        let senders: Vec<_> = (0..sides).map(|pair| tokio::spawn(sender(address, way, 2 * pair, every, until))).collect();
        let mut sent = 0;
        for sender in senders {
            sent += sender.await.expect("no panic");
        }
        let spent = server_time() - before;
        for receiver in receivers {
            receiver.abort();
        }
        let micros = spent.as_secs_f64() * 1e6 / f64::from(u32::try_from(sent).expect("few"));
        println!("{way:?}: {sent} messages, {micros:.1} µs of the server's threads each");
        micros
    })
}

fn main() {
    let server =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name(SERVER_THREAD).enable_all().build().expect("a runtime");
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.set_nonblocking(true).expect("a listener");
    let address = listener.local_addr().expect("a port");
    let sides = usize::try_from(setting("PAIRS", 200) * 2).expect("few");
    server.spawn(async move {
        let mut plain = axum_server::from_tcp(listener).expect("a listener").acceptor(NoDelayAcceptor::new());
        plain.http_builder().http1().writev(false).half_close(true);
        plain.serve(Door(Arc::new(Hall::of(sides)))).await
    });
    let rounds = setting("ROUNDS", 3);
    let mut more = 0.0;
    for _ in 0..rounds {
        let sockets = run(address, Way::Sockets);
        more += run(address, Way::Requests) - sockets;
    }
    println!("requests cost {:.1} µs more a message", more / f64::from(u32::try_from(rounds).expect("few")));
}
