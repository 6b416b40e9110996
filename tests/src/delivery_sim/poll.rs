//! A device's polls: one connection that is held, another for its orders; plain HTTP/1.1, written by hand.
//!
//! An answer carries what lies after the index that it was asked with, and says itself how far that is.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split};

use super::device::{Device, End, Outcome, Wish, farewell};
use super::net::{Net, Pipe};

pub(super) async fn run(device: &Device, net: &Net) -> End {
    let Some((polls, orders)) = device.connect(net).zip(device.connect(net)) else { return End::Broken };
    let token = device.actor().token;
    let (mut polls, mut orders) = (Http::new(polls, token.clone()), Http::new(orders, token));
    tokio::select! {
        end = receive(device, &mut polls) => end,
        end = send(device, &mut orders, Wish::Poll) => end,
    }
}

/// A problem: what a device does about it.
fn problem(answer: &Answer) -> Option<End> {
    match answer.status {
        200..=299 => None,
        401 => Some(End::SignedOut(answer.body["code"].as_str().unwrap_or_default().to_owned())),
        _ => Some(End::Bye),
    }
}

async fn receive(device: &Device, http: &mut Http) -> End {
    let mut signals = Value::Null;
    for number in 0_u64.. {
        let after = device.state().shown.cursor();
        let wait_ms = if device.below(4) == 0 { 0 } else { 25_000 };
        let mut body = json!({"device": device.uuid, "after": after, "rs_id": number.to_string(), "wait_ms": wait_ms});
        if !signals.is_null() {
            body["signals"] = signals.clone();
        }
        let Some(answer) = http.call("/v1/keepalive", &body).await else { return End::Broken };
        if let Some(end) = problem(&answer) {
            return end;
        }
        if answer.body["rs_id"].as_str() != Some(number.to_string().as_str()) {
            device.find(format!("poll {number} was answered with {}", answer.body["rs_id"]));
        }
        signals = answer.body["signals"].clone();
        if let Some(end) = events(device, after, &answer.body) {
            return end;
        }
        if wait_ms == 0 {
            tokio::task::yield_now().await;
        }
    }
    End::Wished
}

fn events(device: &Device, after: u64, answer: &Value) -> Option<End> {
    let mut reached = after;
    for event in answer["events"].as_array().into_iter().flatten() {
        let frame = &event["frame"];
        if frame["t"] == "bye" {
            return Some(farewell(frame["code"].as_str().unwrap_or_default()));
        }
        if frame["t"] != "item" {
            continue;
        }
        for _ in 0..=usize::from(device.doubles()) {
            let index = frame["i"].as_u64().unwrap_or_default();
            if index != reached + 1 {
                device.find_out_of_turn(index, reached + 1, &format!("a poll after {after} carried item {index} behind {reached}"));
            }
            reached = index;
            let _ = device.take(frame);
        }
    }
    if answer["next"].as_u64() != Some(reached) {
        device.find(format!("a poll after {after} carried items up to {reached} and says {}", answer["next"]));
    }
    None
}

/// Gives the device's orders, one request at a time, as long as it wishes to be connected so.
pub(super) async fn send(device: &Device, http: &mut Http, wish: Wish) -> End {
    loop {
        if device.state().wish != wish {
            return End::Wished;
        }
        let Some((kind, mut fields)) = device.next(1) else {
            device.woken.notified().await;
            continue;
        };
        if kind == "range" || kind == "again" {
            continue;
        }
        fields["bizCode"] = json!(if kind == "send" { "message" } else { kind });
        let Some(answer) = http.call("/v1/sendmessage", &fields).await else { return End::Broken };
        if answer.status == 401 {
            return problem(&answer).unwrap_or(End::Broken);
        }
        if kind == "send" {
            let text = |field: &str| answer.body[field].as_str().unwrap_or_default().to_owned();
            let id = fields["id"].as_str().unwrap_or_default();
            match answer.status {
                200..=299 => {
                    let seq = answer.body["seq"].as_u64().unwrap_or_default();
                    device.answered(id, Outcome::Acknowledged { message: text("message"), seq });
                }
                429 | 503 => device.later(id),
                _ => device.refused(id, text("code")),
            }
        }
    }
}

struct Answer {
    status: u16,
    body: Value,
}

/// A connection of HTTP/1.1 with one request at a time.
pub(super) struct Http {
    reader: ReadHalf<Pipe>,
    writer: WriteHalf<Pipe>,
    token: String,
    read: Vec<u8>,
    /// A request was answered before it was whole: nothing can follow it.
    is_spent: bool,
}

impl Http {
    pub(super) fn new(pipe: Pipe, token: String) -> Self {
        let (reader, writer) = split(pipe);
        Self { reader, writer, token, read: Vec::new(), is_spent: false }
    }

    /// `None` when the connection broke.
    async fn call(&mut self, path: &str, body: &Value) -> Option<Answer> {
        if self.is_spent {
            return None;
        }
        let Self { reader, writer, token, read, is_spent } = self;
        let body = body.to_string();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: node\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let write = async {
            let written = writer.write_all(request.as_bytes()).await;
            // The answer may be there although the rest was not taken.
            if written.is_err() || writer.flush().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let (mut write, mut answer) = (std::pin::pin!(write), std::pin::pin!(answer(reader, read)));
        // Whoever refuses a request need not have read it to its end.
        tokio::select! {
            () = &mut write => answer.await,
            answer = &mut answer => {
                *is_spent = true;
                answer
            }
        }
    }
}

async fn answer(reader: &mut ReadHalf<Pipe>, read: &mut Vec<u8>) -> Option<Answer> {
    let head = loop {
        if let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            break String::from_utf8(read.drain(..end + 4).collect()).ok()?;
        }
        more(reader, read).await?;
    };
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let length: usize = length.expect("the server says how long an answer is");
    while read.len() < length {
        more(reader, read).await?;
    }
    let body: Vec<u8> = read.drain(..length).collect();
    Some(Answer { status, body: serde_json::from_slice(&body).unwrap_or(Value::Null) })
}

async fn more(reader: &mut ReadHalf<Pipe>, read: &mut Vec<u8>) -> Option<()> {
    let count = reader.read_buf(read).await.ok()?;
    (count > 0).then_some(())
}
