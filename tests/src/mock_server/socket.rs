//! The WebSocket half of the toy server.

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::Shared;

pub(crate) async fn upgrade(State(shared): State<Shared>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(move |socket| serve(shared, socket))
}

async fn serve(shared: Shared, socket: WebSocket) {
    let (sink, mut frames) = socket.split();
    let (to_client, outgoing) = unbounded_channel();
    let writer = tokio::spawn(write(sink, outgoing));
    let mut user = String::new();
    while let Some(Ok(message)) = frames.next().await {
        if let Message::Text(text) = message
            && let Ok(frame) = serde_json::from_str::<Value>(&text)
        {
            hear(&shared, &mut user, &frame, &to_client);
        }
    }
    writer.abort();
}

/// Whoever is gone takes nothing: a failed send is of no interest.
fn hear(shared: &Shared, user: &mut String, frame: &Value, to_client: &UnboundedSender<String>) {
    let number = |name: &str| frame.get(name).and_then(Value::as_u64).unwrap_or_default();
    match frame.get("t").and_then(Value::as_str) {
        Some("hello") => {
            *user = frame.get("token").and_then(Value::as_str).unwrap_or_default().to_owned();
            let mut desk = shared.desk();
            let (head, missed) = desk.attach(user, number("after"), to_client.clone());
            let _ = to_client.send(json!({"t": "welcome", "user": user, "tenant": "x", "head": head, "now": 0}).to_string());
            missed.into_iter().for_each(|item| drop(to_client.send(item)));
        }
        Some("send") => {
            let answer = shared.desk().post(user, frame);
            let _ = to_client.send(answer.to_string());
        }
        Some("range") => {
            let after = usize::try_from(number("after")).unwrap_or(usize::MAX);
            let count = usize::try_from(number("to").saturating_sub(number("after"))).unwrap_or(usize::MAX);
            shared.desk().items(user, after, count).into_iter().for_each(|item| drop(to_client.send(item.to_string())));
        }
        _ => {}
    }
}

async fn write(mut sink: SplitSink<WebSocket, Message>, mut outgoing: UnboundedReceiver<String>) {
    while let Some(frame) = outgoing.recv().await {
        let mut sent = sink.feed(Message::Text(frame.into())).await;
        while let (Ok(()), Ok(frame)) = (&sent, outgoing.try_recv()) {
            sent = sink.feed(Message::Text(frame.into())).await;
        }
        if sent.is_err() || sink.flush().await.is_err() {
            return;
        }
    }
}
