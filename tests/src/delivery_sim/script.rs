//! What happens in a seed: every step is chosen by the seed alone.

mod rest;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use adapters::event_log::memory::MemoryLog;
use adapters::snapshot_store::SnapshotStore;
use application::log::commit;
use application::ports::clock::Clock;
use application::ports::event_log::{CommitPosition, EventLog, NewCommit, ShardId};
use axum::body::Body;
use axum::http::{Method, Request, header};
use domain::time::Millis;
use projections::runner::RunnerOptions;
use projections::store::MemoryStore;
use projections::views::Views;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tower::ServiceExt;

use super::cast::{Cast, Chat, Part};
use super::device::{Device, Draft, Said, Wish};
use super::disk::Disk;
use super::host::Process;
use super::net::Net;
use super::{Breakage, Statistics};
use crate::random::{Random, v7};
use crate::world::{BEGINNING, StoryClock};
use rest::Nobody;

/// Devices that a seed begins with, of each actor.
const DEVICES: usize = 2;

/// See the file's head.
pub(super) struct Story {
    cast: Arc<Cast>,
    disk: Disk,
    clock: Arc<StoryClock>,
    faults: Arc<AtomicBool>,
    has_faults: bool,
    net: Arc<Net>,
    process: Option<Process>,
    devices: Vec<Arc<Device>>,
    living: JoinSet<()>,
    random: Random,
    breakage: Breakage,
    written: u64,
    /// Where the log ended when everything was answered.
    rest: CommitPosition,
    /// Up to where the stored views are.
    saved: CommitPosition,
    pub(super) trace: Vec<String>,
    pub(super) statistics: Statistics,
}

impl Story {
    pub(super) async fn begin(cast: Arc<Cast>, seed: u64, breakage: Breakage) -> Self {
        let disk = Disk {
            log: MemoryLog::from_core(ShardId(0), cast.core.clone()),
            keys: Arc::clone(&cast.keys),
            views: Arc::new(MemoryStore::default()),
            snapshots: SnapshotStore::in_memory().expect("SQLite opens in memory"),
        };
        let mut random = Random::new(seed);
        let has_faults = random.once_in(2);
        let mut story = Self {
            disk,
            clock: Arc::new(StoryClock::at(BEGINNING + Millis::seconds(60))),
            faults: Arc::new(AtomicBool::new(has_faults)),
            has_faults,
            net: Arc::new(Net::new()),
            process: None,
            devices: vec![],
            living: JoinSet::new(),
            random,
            breakage,
            written: 0,
            rest: CommitPosition(0),
            saved: CommitPosition(0),
            trace: vec![],
            statistics: Statistics::default(),
            cast,
        };
        story.start().await;
        for actor in 0..story.cast.actors.len() {
            for _ in 0..DEVICES {
                story.join(actor);
            }
        }
        story
    }

    fn note(&mut self, what: String) {
        self.trace.push(what);
    }

    /// A device more.
    fn join(&mut self, actor: usize) {
        let random = Random::new(self.random.number());
        let device = Device::new(&self.cast, &self.disk.log, (actor, self.devices.len()), self.breakage, random);
        self.note(format!("{} joins", device.name));
        self.living.spawn(Arc::clone(&device).run(Arc::clone(&self.net)));
        self.devices.push(device);
    }

    async fn start(&mut self) {
        let process = Process::start(&self.disk, &self.clock, &self.faults, self.breakage, &mut self.random).await;
        self.net.open(process.door());
        self.process = Some(process);
    }

    async fn kill(&mut self) {
        self.net.open(None);
        if let Some(process) = self.process.take() {
            process.kill().await;
            self.statistics.kills += 1;
        }
        // What may be deleted at any time is deleted once in a while.
        let (views, snapshots) = (self.random.once_in(2), self.random.once_in(3));
        if views {
            self.disk.views = Arc::new(MemoryStore::default());
            self.saved = CommitPosition(0);
        } else {
            self.save_views().await;
        }
        if snapshots {
            self.disk.snapshots = SnapshotStore::in_memory().expect("SQLite opens in memory");
        }
        self.note(format!("killed; views deleted: {views}, snapshots deleted: {snapshots}"));
    }

    /// The views as a node has written them that was killed a while after: at some commit since the last time.
    async fn save_views(&mut self) {
        let commits = self.disk.log.core().read_shard(CommitPosition(0), usize::MAX).expect("a log in memory is whole");
        let new = commits.len() - usize::try_from(self.saved.0).unwrap_or(0);
        self.saved = CommitPosition(self.saved.0 + self.random.below(new + 1) as u64);
        let before = MemoryLog::new(ShardId(0));
        for stored in commits.iter().take_while(|stored| stored.position <= self.saved) {
            let header = commit::header(&stored.bytes).expect("our own commit");
            let (stream, first_version, events) = (header.stream, header.first_version, header.events);
            let new = NewCommit { stream, id: header.id, first_version, events, bytes: stored.bytes.clone(), decided: None };
            before.append(new).await.expect("what was stored once is stored again");
        }
        let views = Views::open(Arc::clone(&self.disk.views) as _, Arc::new(before), Arc::new(Nobody), RunnerOptions::default());
        views.await.expect("views open").close().await;
    }

    /// One step.
    pub(super) async fn step(&mut self) {
        match self.random.below(100) {
            0..34 => self.write(),
            34..44 => self.touch(),
            44..56 => self.reconnect(),
            56..62 => self.disturb(),
            62..70 => self.change_thread(),
            70..76 => self.hand_over(),
            76..78 => self.merge(),
            78..79 => {
                let actor = self.random.below(self.cast.actors.len());
                if self.devices.len() < 24 {
                    self.join(actor);
                }
            }
            79..81 => {
                let passed = self.random.below(if self.random.clone().once_in(4) { 20_000 } else { 500 });
                self.clock.pass(Millis(i64::try_from(passed).unwrap_or(0)));
            }
            81..83 => {
                self.kill().await;
                self.start().await;
            }
            _ => self.breathe().await,
        }
    }

    /// Lets the node do something: a request goes there and back.
    async fn breathe(&mut self) {
        for _ in 0..=self.random.below(6) {
            let _ = self.ask(None, Method::GET, "/livez".to_owned(), Value::Null).await;
            tokio::task::yield_now().await;
        }
    }

    fn device(&mut self) -> Arc<Device> {
        Arc::clone(&self.devices[self.random.below(self.devices.len())])
    }

    fn chat_for(&mut self, device: &Device) -> Chat {
        let tenant = device.actor().tenant;
        let chats: Vec<&Chat> = self.cast.chats.iter().filter(|chat| chat.tenant == tenant).collect();
        chats[self.random.below(chats.len())].clone()
    }

    /// A message that the device has shown, a late one rather.
    fn shown(&mut self, device: &Device, chat: Option<&str>) -> Option<Said> {
        let state = device.state();
        let said = state.shown.items.iter().filter_map(|item| item.said.as_ref());
        let said: Vec<&Said> = said.filter(|said| chat.is_none_or(|chat| said.chat == chat)).collect();
        let late = said.len().min(5);
        (late > 0).then(|| said[said.len() - 1 - self.random.below(late)].clone())
    }

    fn write(&mut self) {
        let device = self.device();
        // The chats that a device sees are the likeliest; others are refused.
        let chat = match self.shown(&device, None) {
            Some(said) if !self.random.once_in(3) => said.chat,
            Some(_) | None => self.chat_for(&device).id,
        };
        for _ in 0..=self.random.below(3) {
            self.written += 1;
            let quote = if self.random.once_in(5) { self.shown(&device, Some(&chat)).map(|said| said.message) } else { None };
            let staff_only = device.actor().part.is_staff() && self.random.once_in(4);
            let id = v7(Clock::now(&*self.clock), self.random.number()).simple().to_string();
            let (number, quotes) = (self.written, quote.is_some());
            self.note(format!("{} writes {id} to {chat} (quotes: {quotes}, staff only: {staff_only})", device.name));
            device.write(Draft::new(id, chat.clone(), format!("message {number}"), quote, staff_only));
        }
    }

    /// Recall, removal from sight, reading, writing signs.
    fn touch(&mut self) {
        let device = self.device();
        let Some(said) = self.shown(&device, None) else { return };
        match self.random.below(4) {
            0 => device.order("recall", json!({"chat": said.chat, "message": said.message})),
            1 => device.order("hide", json!({"chat": said.chat, "message": said.message})),
            2 => device.order("read", json!({"chat": said.chat, "seq": said.seq})),
            _ => device.order("typing", json!({"chat": said.chat, "on": self.random.once_in(2)})),
        }
    }

    /// A device comes, goes, or comes another way.
    fn reconnect(&mut self) {
        let device = self.device();
        let wish = self.random.pick(&[Wish::Socket, Wish::Poll, Wish::Stream, Wish::Socket, Wish::Poll, Wish::Away]);
        self.note(format!("{} wishes {wish:?}", device.name));
        device.wish(wish);
    }

    fn disturb(&mut self) {
        let device = self.device();
        match self.random.below(4) {
            0 => device.lines(super::net::Line::cut),
            1 | 2 => device.lines(|line| line.stall(true)),
            _ => self.devices.iter().for_each(|device| device.lines(|line| line.stall(false))),
        }
        if self.random.once_in(3) {
            let after = u64::try_from(self.random.below(10)).unwrap_or(0);
            device.again(after, after + 5);
        }
    }

    fn change_thread(&mut self) {
        let actor = self.random.below(self.cast.actors.len());
        let by = self.cast.actors[actor].clone();
        let threads: Vec<&Chat> = self.cast.chats.iter().filter(|chat| chat.is_thread() && chat.tenant == by.tenant).collect();
        let thread = threads[0].id.clone();
        let others: Vec<_> = self.cast.actors.iter().filter(|other| other.tenant == by.tenant).collect();
        let other = others[self.random.below(others.len())].user.to_string();
        let path = format!("/v1/tenants/{}/threads/{thread}", by.tenant);
        let (method, path, body) = match self.random.below(20) {
            0..9 => (Method::POST, format!("{path}/members"), json!({"user": other, "label": "guest"})),
            9..13 => (Method::DELETE, format!("{path}/members/{other}"), Value::Null),
            13 => (Method::DELETE, format!("{path}/members/{}", by.user), Value::Null),
            14..16 => (Method::PATCH, format!("{path}/members/{other}"), json!({"permissions": ["post", "invite"]})),
            16..18 => (Method::PUT, format!("{path}/owner"), json!({"user": other})),
            18 => (Method::PUT, format!("{path}/title"), json!({"title": "Summer"})),
            _ => (Method::PUT, format!("{path}/mute"), json!({"muted": true})),
        };
        self.ask_later(actor, method, path, body);
    }

    fn hand_over(&mut self) {
        let staff: Vec<usize> = (0..self.cast.actors.len()).filter(|actor| self.cast.actors[*actor].part.is_staff()).collect();
        let actor = self.random.pick(&staff);
        let by = self.cast.actors[actor].clone();
        let services: Vec<&Chat> = self.cast.chats.iter().filter(|chat| !chat.is_thread() && chat.tenant == by.tenant).collect();
        let chat = services[self.random.below(services.len())].id.parse().expect("the server writes chat ids");
        let row = self.process.as_ref().and_then(|process| process.running.app.ports.views.chat(by.tenant, chat));
        let Some(conversation) = row.and_then(|row| row.last_conversation) else { return };
        let path = format!("/v1/tenants/{}/conversations/{conversation}", by.tenant);
        let agents: Vec<_> = self
            .cast
            .actors
            .iter()
            .filter(|other| other.tenant == by.tenant && other.part == Part::Agent)
            .map(|agent| agent.user)
            .collect();
        let agent = self.random.pick(&agents).to_string();
        let (method, path, body) = match self.random.below(10) {
            0..3 => (Method::POST, format!("{path}/transfer"), json!({"agent": agent})),
            3..5 => (Method::POST, format!("{path}/take-over"), Value::Null),
            5..7 => (Method::POST, format!("{path}/close"), json!({"seen_seq": self.random.below(20)})),
            7 => (Method::PUT, format!("/v1/tenants/{}/me/service", by.tenant), json!({"status": "stopped"})),
            _ => (Method::PUT, format!("/v1/tenants/{}/me/service", by.tenant), json!({"status": "started"})),
        };
        self.ask_later(actor, method, path, body);
    }

    fn merge(&mut self) {
        let visitors: Vec<usize> =
            (0..self.cast.actors.len()).filter(|actor| matches!(self.cast.actors[*actor].part, Part::Visitor { .. })).collect();
        let actor = self.random.pick(&visitors);
        let visitor = self.cast.actors[actor].clone();
        let Part::Visitor { into } = visitor.part else { return };
        let into = self.cast.actors[into].user.to_string();
        self.note(format!("{}/{} is merged", visitor.tenant, visitor.name));
        let path = format!("/v1/tenants/{}/users/{}/merge", visitor.tenant, visitor.user);
        drop(self.ask(None, Method::POST, path, json!({"into": into})));
    }

    fn ask_later(&mut self, actor: usize, method: Method, path: String, body: Value) {
        self.note(format!("{} asks {method} {path} {body}", self.cast.actors[actor].name));
        drop(self.ask(Some(actor), method, path, body));
    }

    /// A request over a connection that nothing happens to, on its way at once; the operator's when nobody is named.
    fn ask(&self, actor: Option<usize>, method: Method, path: String, body: Value) -> impl Future<Output = ()> + use<> {
        let token = actor.map_or(&self.cast.operator, |actor| &self.cast.actors[actor].token);
        let builder = Request::builder().method(method).uri(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
        let request = if body.is_null() {
            builder.body(Body::empty())
        } else {
            builder.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string()))
        };
        let request = request.expect("the script's requests are valid");
        let asked = self.process.as_ref().map(|process| {
            let entrance = process.running.entrance.clone();
            process.running.handle.spawn(async move { entrance.oneshot(request).await.map(|answer| answer.status()) })
        });
        async move {
            if let Some(asked) = asked {
                // Whatever was answered: the log knows what became of it.
                let _ = asked.await;
            }
        }
    }
}
