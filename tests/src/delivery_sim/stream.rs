//! A device that reads the stream of server-sent events, and gives its orders over a connection beside it.
//!
//! A stream carries every item behind the index that it was asked with, once and in order, until it ends.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::device::{Device, End, Wish, farewell};
use super::net::{Net, Pipe};
use super::poll::{self, Http};

pub(super) async fn run(device: &Device, net: &Net) -> End {
    let Some((events, orders)) = device.connect(net).zip(device.connect(net)) else { return End::Broken };
    let token = device.actor().token;
    let mut orders = Http::new(orders, token.clone());
    tokio::select! {
        end = receive(device, events, &token) => end,
        end = poll::send(device, &mut orders, Wish::Stream) => end,
    }
}

async fn receive(device: &Device, mut pipe: Pipe, token: &str) -> End {
    let after = device.state().shown.cursor();
    let request = format!("GET /v1/events HTTP/1.1\r\nhost: node\r\nauthorization: Bearer {token}\r\nlast-event-id: {after}\r\n\r\n");
    if pipe.write_all(request.as_bytes()).await.is_err() || pipe.flush().await.is_err() {
        return End::Broken;
    }
    let mut stream = EventStream { pipe, read: Vec::new(), text: String::new() };
    let Some(head) = stream.head().await else { return End::Broken };
    match head.split(' ').nth(1) {
        Some("200") => {}
        // Whoever is turned away here hears why from a poll.
        Some("401") => return End::SignedOut(head),
        Some(_) | None => return End::Bye,
    }
    let mut reached = after;
    while let Some(event) = stream.event().await {
        let frame: Value = serde_json::from_str(&event.data).unwrap_or_default();
        if event.name == "bye" {
            return farewell(frame["code"].as_str().unwrap_or_default());
        }
        if frame["t"] != "item" {
            if !event.id.is_empty() {
                device.find(format!("an event with the id {} is no item: {frame}", event.id));
            }
            continue;
        }
        for _ in 0..=usize::from(device.doubles()) {
            let index = frame["i"].as_u64().unwrap_or_default();
            if event.id != index.to_string() {
                device.find(format!("a stream carried item {index} as {}", event.id));
            }
            if index != reached + 1 {
                device.find_out_of_turn(index, reached + 1, &format!("a stream after {after} carried item {index} behind {reached}"));
            }
            reached = index;
            let _ = device.take(&frame);
        }
    }
    End::Broken
}

#[derive(Debug, Default)]
struct Event {
    id: String,
    name: String,
    data: String,
}

/// An answer that does not end, in the chunks of HTTP/1.1.
struct EventStream {
    pipe: Pipe,
    read: Vec<u8>,
    text: String,
}

impl EventStream {
    async fn more(&mut self) -> Option<()> {
        let count = self.pipe.read_buf(&mut self.read).await.ok()?;
        (count > 0).then_some(())
    }

    async fn until(&mut self, mark: &[u8]) -> Option<String> {
        loop {
            if let Some(at) = self.read.windows(mark.len()).position(|window| window == mark) {
                let line = self.read.drain(..at + mark.len()).take(at).collect();
                return String::from_utf8(line).ok();
            }
            self.more().await?;
        }
    }

    async fn head(&mut self) -> Option<String> {
        self.until(b"\r\n\r\n").await
    }

    async fn chunk(&mut self) -> Option<()> {
        let length = usize::from_str_radix(&self.until(b"\r\n").await?, 16).ok().filter(|length| *length > 0)?;
        while self.read.len() < length + 2 {
            self.more().await?;
        }
        let chunk: Vec<u8> = self.read.drain(..length + 2).take(length).collect();
        self.text.push_str(&String::from_utf8(chunk).ok()?);
        Some(())
    }

    /// The next event; comments are passed over.
    async fn event(&mut self) -> Option<Event> {
        loop {
            let Some(end) = self.text.find("\n\n") else {
                self.chunk().await?;
                continue;
            };
            let block: String = self.text.drain(..end + 2).collect();
            let mut event = Event::default();
            for line in block.lines() {
                match line.split_once(": ") {
                    Some(("id", id)) => id.clone_into(&mut event.id),
                    Some(("event", name)) => name.clone_into(&mut event.name),
                    Some(("data", data)) => data.clone_into(&mut event.data),
                    Some(_) | None => {}
                }
            }
            if !event.data.is_empty() {
                return Some(event);
            }
        }
    }
}
