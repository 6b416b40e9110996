//! Pairs that talk over the peer that kefu's figures are compared with (`scripts/peer/relay.mjs`): what the generator says, counts
//! and costs is as in [`super::pairs`], so that both can be measured in one run.
//!
//! Closed loop, one message outstanding a pair, every 4th of the customer's answered. The peer has no receipts and no history:
//! nothing is read, and nothing can be read anew. What was acknowledged and never arrived counts as lost.

mod wire;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::args::PeerArgs;
use super::error::LoadError;
use super::frame::Opcode;
use super::pairs::ANSWER_EVERY;
use super::procfs;
use super::report::{Counts, Cpu, Findings, Report};
use super::socket::{self, Endpoint, Outbox, Reader};
use wire::Heard;

/// Pairs that are brought together at a time.
const AT_A_TIME: usize = 32;
/// How long what is on its way at the end is waited for.
const DRAIN_MAX: Duration = Duration::from_secs(10);
const DRAIN_LOOK: Duration = Duration::from_millis(50);

/// What all pairs share.
#[derive(Default)]
struct Talk {
    is_over: Cell<bool>,
    counts: RefCell<Counts>,
    findings: RefCell<Findings>,
    /// What everybody says.
    text: String,
}

/// One message at a time, to and fro.
struct Pair {
    talk: Rc<Talk>,
    number: usize,
    /// Customer, agent.
    outboxes: [Rc<Outbox>; 2],
    flying: Cell<Flying>,
}

#[derive(Clone, Copy)]
struct Flying {
    number: u64,
    /// Who said it: 0 the customer, 1 the agent.
    from: usize,
    since: Instant,
    acked: bool,
    arrived: bool,
}

impl Flying {
    fn is_on_its_way(&self) -> bool {
        !(self.acked && self.arrived)
    }
}

/// The name by which the relay knows one side of a pair.
fn name(side: usize, pair: usize) -> String {
    format!("{}{pair}", if side == 0 { 'c' } else { 'a' })
}

/// Runs pairs and reports.
pub async fn run(args: &PeerArgs, flush_ms: f64) -> Result<Report, LoadError> {
    let started = Instant::now();
    let endpoint = &Endpoint::parse(&args.url)?;
    let talk = Rc::new(Talk { text: "x".repeat(args.bytes as usize), ..Talk::default() });
    let both =
        |number| async move { Ok::<_, LoadError>([enter(endpoint, &name(0, number)).await?, enter(endpoint, &name(1, number)).await?]) };
    let connected: Vec<[(Reader, Rc<Outbox>); 2]> =
        stream::iter(0..args.pairs as usize).map(both).buffered(AT_A_TIME).try_collect().await?;
    eprintln!("peer: {} pairs together after {:.1} s, talking", connected.len(), started.elapsed().as_secs_f64());
    let mut pairs = Vec::with_capacity(connected.len());
    for (number, [(customer, customer_out), (agent, agent_out)]) in connected.into_iter().enumerate() {
        let flying = Flying { number: 0, from: 0, since: Instant::now(), acked: true, arrived: true };
        let outboxes = [customer_out, agent_out];
        let pair = Rc::new(Pair { talk: Rc::clone(&talk), number, outboxes, flying: Cell::new(flying) });
        for (side, reader) in [customer, agent].into_iter().enumerate() {
            tokio::task::spawn_local(listen(Rc::clone(&pair), side, reader));
        }
        pairs.push(pair);
    }
    let cpu = || {
        Ok::<_, LoadError>(Cpu {
            server_s: args.report.server_pid.map(procfs::cpu_of_family_s).transpose()?,
            load_s: procfs::cpu_s(std::process::id())?,
        })
    };
    pairs.iter().for_each(|pair| pair.next());
    tokio::time::sleep(Duration::from_secs_f64(args.warm_up)).await;
    let (before, measured_from, arrived_before) = (cpu()?, Instant::now(), talk.begin_measuring());
    tokio::time::sleep(Duration::from_secs_f64(args.seconds)).await;
    let (after, measured, arrived) = (cpu()?, measured_from.elapsed(), talk.counts.borrow().delivered - arrived_before);
    talk.is_over.set(true);
    let give_up = Instant::now() + DRAIN_MAX;
    while pairs.iter().any(|pair| pair.flying.get().is_on_its_way()) && Instant::now() < give_up {
        tokio::time::sleep(DRAIN_LOOK).await;
    }
    let used =
        Cpu { server_s: after.server_s.zip(before.server_s).map(|(after, before)| after - before), load_s: after.load_s - before.load_s };
    let mut report = Report { mode: "peer", tenant: "none".into(), conversations: u64::from(args.pairs), flush_ms, ..Report::default() };
    report.measured(&talk.counts.borrow(), arrived, measured, used);
    let mut findings = talk.findings.take();
    findings.lost += pairs.iter().filter(|pair| pair.flying.get().acked && !pair.flying.get().arrived).count() as u64;
    report.totals(&talk.counts.borrow(), findings);
    report.wall_s = started.elapsed().as_secs_f64();
    Ok(report)
}

/// Connects and joins, as a client of socket.io does.
async fn enter(endpoint: &Endpoint, name: &str) -> Result<(Reader, Rc<Outbox>), LoadError> {
    let (mut reader, outbox) = socket::connect(endpoint, &wire::path(name), false).await?;
    loop {
        while let Some((opcode, payload)) = reader.frame()? {
            match (opcode, wire::hear(payload)) {
                (Opcode::Text, Heard::Open) => {
                    outbox.push(wire::join);
                    outbox.flush();
                }
                (Opcode::Text, Heard::Joined) => return Ok((reader, outbox)),
                _ => return Err(LoadError::Protocol { what: "the relay does not let in as socket.io does" }),
            }
        }
        reader.fill().await?;
    }
}

/// Hears one side for as long as it is connected.
async fn listen(pair: Rc<Pair>, side: usize, mut reader: Reader) {
    let ended = loop {
        let now = Instant::now();
        let mut spoke = false;
        let heard = loop {
            match reader.frame() {
                Ok(Some((Opcode::Text, payload))) => spoke |= pair.hear(side, payload, now),
                Ok(Some(_)) => {}
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        if spoke {
            pair.outboxes[side].flush();
        }
        if let Err(error) = heard {
            break error;
        }
        if let Err(error) = reader.fill().await {
            break error;
        }
    };
    if !pair.talk.is_over.get() {
        pair.talk.counts.borrow_mut().error(format!("connection: {ended}"));
    }
}

impl Talk {
    /// The warm-up is over; answers how many messages have arrived.
    fn begin_measuring(&self) -> u64 {
        let mut counts = self.counts.borrow_mut();
        counts.latency.clear();
        counts.ack_latency.clear();
        counts.delivered
    }
}

impl Pair {
    /// Hears one frame; says whether something is to be sent on this side for it.
    fn hear(&self, side: usize, payload: &[u8], now: Instant) -> bool {
        match wire::hear(payload) {
            Heard::Ping => {
                self.outboxes[side].push(wire::pong);
                return true;
            }
            Heard::Ack { number } => self.comes(side, number, None, now),
            Heard::Message { number, text } => self.comes(side, number, Some(&text), now),
            Heard::Open | Heard::Joined | Heard::Other => {}
        }
        false
    }

    /// The ack of a message comes to who said it, and its text to the other.
    fn comes(&self, side: usize, number: u64, text: Option<&str>, now: Instant) {
        let mut flying = self.flying.get();
        let (due_at, came) = match text {
            None => (flying.from, &mut flying.acked),
            Some(_) => (1 - flying.from, &mut flying.arrived),
        };
        if (side, number) != (due_at, flying.number) || std::mem::replace(came, true) {
            self.talk.findings.borrow_mut().duplicated += 1;
            return;
        }
        self.flying.set(flying);
        let took = now.saturating_duration_since(flying.since);
        let mut counts = self.talk.counts.borrow_mut();
        match text {
            None => {
                counts.acked += 1;
                counts.ack_latency.record(took);
            }
            Some(text) => {
                counts.delivered += 1;
                counts.latency.record(took);
                self.talk.findings.borrow_mut().altered += u64::from(text != self.talk.text);
            }
        }
        drop(counts);
        if !flying.is_on_its_way() {
            self.next();
        }
    }

    /// Whoever's turn it is says the next thing.
    fn next(&self) {
        if self.talk.is_over.get() {
            return;
        }
        let last = self.flying.get();
        let number = last.number + 1;
        let is_answer = last.from == 0 && last.number > 0 && (number + self.number as u64).is_multiple_of(ANSWER_EVERY + 1);
        let flying = Flying { number, from: usize::from(is_answer), since: Instant::now(), acked: false, arrived: false };
        self.flying.set(flying);
        self.talk.counts.borrow_mut().sent += 1;
        let outbox = &self.outboxes[flying.from];
        outbox.push(|out| wire::send(out, number, &name(1 - flying.from, self.number), &self.talk.text));
        outbox.flush();
    }
}
