//! Several devices of each user: what one says, all of them show, in the same order. Closed loop with one message outstanding a
//! user, or open loop at a fixed rate.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_util::future::{join_all, try_join_all};
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::crowded::{Crowd, Member};
use super::proof;
use crate::args::DevicesArgs;
use crate::chaos::{FLOOD, FLOOD_BYTES, FLOOD_EVERY, FLOODING_MAX};
use crate::device::Verdict;
use crate::error::LoadError;
use crate::ids::Hex;
use crate::ledger::{ChatLedger, Entry, digest};
use crate::pace::Pacer;
use crate::report::{Counts, Findings, Report};
use crate::stage::Account;

/// Users that are made ready at a time.
const AT_A_TIME: usize = 32;
/// How often it is looked whether everything has been shown.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A user with devices, and the ledger of what they said.
struct User {
    chat: u128,
    devices: Vec<Rc<Member>>,
    counts: Rc<RefCell<Counts>>,
    patience: Duration,
    said: Cell<u64>,
    outstanding: Cell<usize>,
    entries: RefCell<Vec<Entry>>,
}

/// Runs and reports.
pub async fn run(args: &DevicesArgs, flush_ms: f64) -> Result<Report, LoadError> {
    let started = Instant::now();
    let target = &args.target;
    let all_devices = args.users as usize * args.devices as usize;
    let crowd = Crowd::new(target, all_devices).await?;
    let (stage, chaos) = (&crowd.stage, &crowd.chaos);
    eprintln!("devices: tenant {}, {} users with {} devices each", stage.tenant, args.users, args.devices);
    let accounts = crowd.customers(args.users).await?;
    let ready = stream::iter(&accounts).map(|account| ready(&crowd, account, args.devices));
    let users: Vec<Rc<User>> = ready.buffered(AT_A_TIME).try_collect().await?;
    let meter = &chaos.meter;
    let (cpu_before, from) = (meter.cpu()?, Instant::now());
    let havoc = chaos.begin();
    let flooding = users.iter().filter(|user| user.devices.iter().any(|device| device.stay().stalls()));
    let floods: Vec<_> = flooding.map(|user| tokio::task::spawn_local(Rc::clone(user).flood())).collect();
    let ((), ()) = tokio::try_join!(talk(args, &users, from), chaos.kills_within(&stage.api, args.seconds))?;
    floods.iter().for_each(tokio::task::JoinHandle::abort);
    drop(havoc);
    let (cpu, measured, arrived) = (meter.cpu_since(cpu_before)?, from.elapsed(), crowd.counts.borrow().acked);
    let give_up = Instant::now() + target.stall();
    while users.iter().any(|user| user.is_waiting()) && Instant::now() < give_up {
        tokio::time::sleep(LOOK_EVERY).await;
    }

    let mut findings = Findings::default();
    let ledgers: Vec<ChatLedger> = users.iter().map(|user| user.ledger()).collect();
    for (user, ledger) in users.iter().zip(&ledgers) {
        let shown = user.check(ledger, &mut findings);
        crowd.counts.borrow_mut().delivered += shown;
    }
    eprintln!("devices: reading the feeds and the chats anew");
    findings.add(proof::everything(&crowd, &ledgers, &accounts).await?);
    let counts = crowd.counts.borrow();
    let mut report = Report {
        mode: "devices",
        tenant: stage.tenant.clone(),
        conversations: users.len() as u64,
        flush_ms,
        connections: Some(all_devices as u64),
        chaos: chaos.report(&counts),
        ..Report::default()
    };
    report.totals(&counts, findings);
    report.measured(&counts, arrived, measured, cpu);
    report.server_rss_mb = meter.rss_mb()?;
    report.wall_s = started.elapsed().as_secs_f64();
    Ok(report)
}

async fn ready(crowd: &Crowd<'_>, account: &Rc<Account>, devices: u32) -> Result<Rc<User>, LoadError> {
    let (chat, _) = crowd.stage.enter(account, 0).await?;
    let devices: Vec<Rc<Member>> = (0..devices).map(|_| crowd.device(account)).collect();
    try_join_all(devices.iter().map(|device| device.connected(crowd.target.stall()))).await?;
    Ok(Rc::new(User {
        chat,
        devices,
        counts: Rc::clone(&crowd.counts),
        patience: crowd.target.stall(),
        said: Cell::new(0),
        outstanding: Cell::new(0),
        entries: RefCell::default(),
    }))
}

/// Everybody talks for the wanted time.
async fn talk(args: &DevicesArgs, users: &[Rc<User>], from: Instant) -> Result<(), LoadError> {
    let until = from + Duration::from_secs_f64(args.seconds);
    let Some(rate) = args.rate else {
        let closed =
            users.iter().map(|user| async move { while Instant::now() < until && user.say(Instant::now(), false).await.is_some() {} });
        join_all(closed).await;
        return Ok(());
    };
    let users = users.to_vec();
    let pacer = Pacer::start(rate, move |nth, due| {
        let user = Rc::clone(&users[(nth % users.len() as u64) as usize]);
        tokio::task::spawn_local(async move {
            let _ = user.say(due, false).await;
        });
    })?;
    tokio::time::sleep_until(until.into()).await;
    pacer.stop();
    Ok(())
}

impl User {
    /// Says something on the next device in turn, and waits until all the others show it, but for those whose reader stops now and
    /// then; `None` if it was given up, which is counted. The one that said it has the ack, and gets the item with whatever comes
    /// next: that it does is seen in the end.
    async fn say(&self, since: Instant, is_flood: bool) -> Option<()> {
        self.outstanding.set(self.outstanding.get() + 1);
        let said = self.say_and_wait(since, is_flood).await;
        self.outstanding.set(self.outstanding.get() - 1);
        said.map_err(|kind| self.counts.borrow_mut().error(kind)).ok()
    }

    async fn say_and_wait(&self, since: Instant, is_flood: bool) -> Result<(), String> {
        let nth = self.said.replace(self.said.get() + 1);
        let place = self.speaker(nth);
        let mut text = format!("{nth:08} to all of my devices");
        if is_flood {
            text.extend(std::iter::repeat_n('.', FLOOD_BYTES - text.len()));
        }
        let way = self.devices[place].send(self.chat, &text, None);
        self.counts.borrow_mut().sent += 1;
        let verdict = tokio::time::timeout(self.patience, way.verdict).await.map_err(|_| "never_acked")?;
        match verdict.map_err(|_| "never_acked")? {
            Verdict::Acked { message, seq, position, order } => {
                let mut counts = self.counts.borrow_mut();
                counts.acked += 1;
                if !is_flood {
                    counts.ack_latency.record(since.elapsed());
                }
                // The devices of a user owe each other no order, so each counts as a sender of its own.
                let (client_id, sender, text) = (way.id, place as u128, digest(&text));
                self.entries.borrow_mut().push(Entry { client_id, message, seq, position, text, sender, order, delivered: true });
            }
            Verdict::Refused { code } => {
                self.counts.borrow_mut().sent -= 1;
                return Err(format!("refused_{code}"));
            }
        }
        let others = self.devices[..place].iter().chain(&self.devices[place + 1..]);
        let patient = others.filter(|device| !device.stay().stalls());
        let shown = try_join_all(patient.map(|device| device.ear.until(self.patience, way.id))).await;
        shown.map_err(|error| error.kind())?;
        if !is_flood {
            self.counts.borrow_mut().latency.record(since.elapsed());
        }
        Ok(())
    }

    /// The next device in turn that hears its acks.
    fn speaker(&self, nth: u64) -> usize {
        let count = self.devices.len();
        let turn = (nth % count as u64) as usize;
        (turn..turn + count).map(|place| place % count).find(|place| !self.devices[*place].stay().is_stalled()).unwrap_or(turn)
    }

    /// While a reader stands still the others say more than the server may keep for it.
    async fn flood(self: Rc<Self>) {
        loop {
            tokio::time::sleep(FLOOD_EVERY).await;
            if self.devices.iter().any(|device| device.stay().is_stalled()) && self.outstanding.get() + FLOOD <= FLOODING_MAX {
                for _ in 0..FLOOD {
                    let user = Rc::clone(&self);
                    tokio::task::spawn_local(async move {
                        let _ = user.say(Instant::now(), true).await;
                    });
                }
            }
        }
    }

    /// Whether something said is not yet shown on all devices.
    fn is_waiting(&self) -> bool {
        let acked = self.entries.borrow().len();
        self.outstanding.get() > 0 || self.devices.iter().any(|device| device.ear.count() < acked)
    }

    /// What was acknowledged, in the order of the chat.
    fn ledger(&self) -> ChatLedger {
        let mut entries = std::mem::take(&mut *self.entries.borrow_mut());
        entries.sort_by_key(|entry| entry.seq);
        ChatLedger { chat: self.chat, entries }
    }

    /// Whether every device has shown everything once and in the order of the chat; answers how many messages were shown.
    fn check(&self, ledger: &ChatLedger, findings: &mut Findings) -> u64 {
        let mut all = 0;
        for device in &self.devices {
            let shown = device.ear.messages();
            all += shown.len() as u64;
            findings.duplicated += device.ear.doubled();
            let mut places: HashMap<u128, usize> = HashMap::new();
            for (place, id) in shown.iter().enumerate() {
                places.entry(*id).or_insert(place);
            }
            let mut last = None;
            for entry in &ledger.entries {
                match places.get(&entry.client_id) {
                    None => {
                        findings.lost += 1;
                        findings.example(|| format!("chat {}: a device never showed {}", Hex(self.chat), entry.seq));
                    }
                    Some(place) if Some(place) < last => findings.out_of_order += 1,
                    Some(place) => last = Some(place),
                }
            }
        }
        all
    }
}
