//! A device's WebSocket: one link, from hello to its end.
//!
//! On a link every item after its beginning comes once, in order, unless it is asked for again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::device::{Device, End, Outcome, Wish, farewell};
use super::net::{Net, Pipe};

/// Items that may be asked for at a time.
const RANGE_MAX: u64 = 1_000;

/// What a link has carried.
struct Carried {
    /// The item that it began behind.
    begin: u64,
    /// The item that comes next by itself.
    next: AtomicU64,
    /// Ranges that were asked for.
    asked: Mutex<Vec<(u64, u64)>>,
}

impl Carried {
    fn asked(&self) -> MutexGuard<'_, Vec<(u64, u64)>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) async fn run(device: &Device, net: &Net) -> End {
    let Some(pipe) = device.connect(net) else { return End::Broken };
    let Ok((mut stream, _)) = tokio_tungstenite::client_async("ws://node/v1/ws", pipe).await else { return End::Broken };
    let after = device.state().shown.cursor();
    let mut hello = json!({"t": "hello", "token": device.actor().token});
    // Without an index it begins now and asks for what lies before; with 0 it gets everything.
    let presents = after > 0 || device.below(2) == 0;
    if presents {
        hello["after"] = json!(after);
    }
    if stream.send(Message::text(hello.to_string())).await.is_err() {
        return End::Broken;
    }
    let head = match frame(&mut stream).await {
        Ok(welcome) if welcome["t"] == "welcome" => welcome["head"].as_u64().unwrap_or_default(),
        Ok(bye) if bye["t"] == "bye" => return farewell(bye["code"].as_str().unwrap_or_default()),
        Ok(other) => {
            device.find(format!("a socket began with {other}"));
            return End::Broken;
        }
        Err(end) => return end,
    };
    device.note(|| format!("socket: hello after {after}, welcome with head {head}"));
    if head < after {
        device.find(format!("has items up to {after}, and the feed ends at {head}"));
    }
    let begin = if presents { after } else { head };
    let carried = Carried { begin, next: AtomicU64::new(begin + 1), asked: Mutex::default() };
    if !presents && head > 0 {
        ask(device, &carried, 0, head);
    }
    let (mut sink, mut frames) = stream.split();
    let under_way_max = 1 + device.below(4);
    let write = async {
        loop {
            if device.state().wish != Wish::Socket {
                return End::Wished;
            }
            let Some((kind, mut fields)) = device.next(under_way_max) else {
                device.woken.notified().await;
                continue;
            };
            if kind == "again" {
                let bound = |field: &str| fields[field].as_u64().unwrap_or_default();
                carried.asked().push((bound("after"), bound("to")));
            }
            fields["t"] = json!(if kind == "again" { "range" } else { kind });
            if sink.send(Message::text(fields.to_string())).await.is_err() {
                return End::Broken;
            }
        }
    };
    let read = async {
        loop {
            let frame = match frames.next().await {
                Some(Ok(Message::Text(text))) => match serde_json::from_str::<Value>(&text) {
                    Ok(frame) => frame,
                    Err(_) => return End::Broken,
                },
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                Some(Ok(Message::Binary(_) | Message::Frame(_) | Message::Close(_)) | Err(_)) | None => return End::Broken,
            };
            if let Some(end) = hear(device, &carried, &frame) {
                return end;
            }
        }
    };
    tokio::select! {
        end = write => end,
        end = read => end,
    }
}

async fn frame(stream: &mut WebSocketStream<Pipe>) -> Result<Value, End> {
    loop {
        match stream.next().await {
            Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).map_err(|_| End::Broken),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Binary(_) | Message::Frame(_) | Message::Close(_)) | Err(_)) | None => return Err(End::Broken),
        }
    }
}

fn ask(device: &Device, carried: &Carried, after: u64, to: u64) {
    let to = to.min(after + RANGE_MAX);
    carried.asked().push((after, to));
    device.order("range", json!({"after": after, "to": to}));
}

fn hear(device: &Device, carried: &Carried, frame: &Value) -> Option<End> {
    let text = |field: &str| frame[field].as_str().unwrap_or_default().to_owned();
    match text("t").as_str() {
        "item" => {
            item(device, carried, frame);
            if device.doubles() {
                item(device, carried, frame);
            }
        }
        "ack" => {
            let seq = frame["seq"].as_u64().unwrap_or_default();
            device.answered(&text("id"), Outcome::Acknowledged { message: text("message"), seq });
        }
        "nack" if frame["id"].is_string() => {
            if frame["retry"] == true {
                device.later(&text("id"));
            } else {
                device.refused(&text("id"), text("code"));
            }
        }
        "bye" => {
            device.note(|| format!("socket: {frame}"));
            if frame["code"] == "bad_frame" {
                device.find("sent a bad frame".to_owned());
            }
            return Some(farewell(&text("code")));
        }
        _ => {}
    }
    None
}

fn item(device: &Device, carried: &Carried, frame: &Value) {
    let index = frame["i"].as_u64().unwrap_or_default();
    let was_asked = carried.asked().iter().any(|(after, to)| (*after + 1..=*to).contains(&index));
    let next = carried.next.load(Ordering::Relaxed);
    // The answer to a range may come ahead of live items, which follow by themselves; it proves nothing about them. An
    // item that was really left out is still found, by the next one that nobody asked for.
    if index == next {
        carried.next.store(index + 1, Ordering::Relaxed);
    } else if !was_asked {
        let what = format!("a socket that began behind {} carried item {index} when {next} was next", carried.begin);
        device.find_out_of_turn(index, next, &what);
        carried.next.fetch_max(index + 1, Ordering::Relaxed);
    }
    if let Some((after, to)) = device.take(frame) {
        let was_asked = carried.asked().iter().any(|(from, until)| *from <= after && to <= *until);
        if !was_asked {
            ask(device, carried, after, to);
        }
    }
}
