//! Customer/agent pairs that talk: closed loop with one message outstanding a pair, or open loop at a fixed rate.
//!
//! Every message is sent, acked, pushed and received; every 4th of the customer's is answered by the agent, and each side reads
//! every 10th message it gets. Everything runs on one thread, and a message costs no more than its system calls.

mod side;
mod talk;

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_util::future::LocalBoxFuture;
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::args::PairsArgs;
use super::chaos::Chaos;
use super::error::LoadError;
use super::ledger::{ChatLedger, ReaderRole};
use super::link::Transport;
use super::pace::Pacer;
use super::report::{Findings, Report};
use super::stage::{Account, Part, Stage};
use super::verify::{self, FeedReader};
use side::{Role, Seat, Side};
pub use talk::ANSWER_EVERY;
use talk::{Pair, Talk};

/// Pairs that are brought together at a time.
const AT_A_TIME: usize = 32;
/// How often held-back receipts are sent, and stalled messages looked for.
const TICK: Duration = Duration::from_millis(200);
/// Turns into which a tick is divided. Devices of different people have no common clock: if all of them sent their receipts in
/// the same instant, the burst would be what an open loop measures.
const TICK_TURNS: u32 = 50;
/// The share of all messages that customers say: every 4th of theirs is answered.
const CUSTOMERS_SHARE: f64 = 0.8;

/// What a run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Talking, not yet measured.
    WarmUp,
    /// Talking, measured.
    Measured,
    /// Nothing new is said.
    Draining,
}

/// A pair before it talks.
struct Met {
    chat: u128,
    assignment: Option<u64>,
    customer: Side,
    agent: Side,
}

/// Runs pairs and reports.
pub async fn run(args: &PairsArgs, transport: Transport, flush_ms: f64) -> Result<Report, LoadError> {
    let chaos = Chaos::new(&args.target, devices(args))?;
    let stage = Rc::new(Stage::set(&args.target, 1).await?);
    run_on(stage, &chaos, args, transport, flush_ms, None).await
}

/// How many devices a run has.
pub fn devices(args: &PairsArgs) -> usize {
    2 * args.pairs as usize
}

/// Runs pairs on a stage that is set. With work beside it, the measured seconds are the quiet part of the report, and the pairs
/// are measured again for as long as the work lasts; and then it is that work which has the server killed, if it is to be.
pub async fn run_on(
    stage: Rc<Stage>,
    chaos: &Rc<Chaos>,
    args: &PairsArgs,
    transport: Transport,
    flush_ms: f64,
    beside: Option<LocalBoxFuture<'_, Result<(), LoadError>>>,
) -> Result<Report, LoadError> {
    let started = Instant::now();
    let target = &args.target;
    eprintln!("pairs: tenant {}, signing in {} customers and {} agents", stage.tenant, args.pairs, args.pairs);
    let customers = stage.people((1..=args.pairs).map(|nth| Part::Customer { name: format!("customer-{nth}") }).collect()).await?;
    let agents = (1..=args.pairs).map(|nth| Part::Agent { login: format!("agent-{nth}"), capacity: 1 });
    let agents = stage.people(agents.collect()).await?;
    let [customers, agents] = [customers, agents].map(|people| people.into_iter().map(Rc::new).collect::<Vec<Rc<Account>>>());
    let met = meet(&stage, transport, chaos, &customers, &agents, target.stall()).await?;
    eprintln!("pairs: {} together after {:.1} s, talking", met.len(), started.elapsed().as_secs_f64());

    let talk = Rc::new(Talk::new(args));
    let pairs: Vec<Rc<Pair>> = met.into_iter().enumerate().map(|(number, met)| start(&talk, number, met, target.receive_every)).collect();
    let mode = if transport == Transport::Poll { "longpoll" } else { "pairs" };
    let mut report = Report { mode, tenant: stage.tenant.clone(), conversations: pairs.len() as u64, flush_ms, ..Report::default() };
    load(args, &stage, chaos, &talk, &pairs, &mut report, beside).await?;

    eprintln!("pairs: reading both sides' feeds and the chats anew");
    let mut findings = reread(&stage, target.page, &pairs, &customers, &agents).await?;
    for pair in &pairs {
        findings.lost += pair.never_arrived();
    }
    let counts = talk.counts.borrow();
    report.chaos = chaos.report(&counts);
    report.totals(&counts, findings);
    report.wall_s = started.elapsed().as_secs_f64();
    Ok(report)
}

/// Connects everybody, starts service, and lets every customer enter; the desk then gives each agent one conversation.
async fn meet(
    stage: &Rc<Stage>,
    transport: Transport,
    chaos: &Rc<Chaos>,
    customers: &[Rc<Account>],
    agents: &[Rc<Account>],
    patience: Duration,
) -> Result<Vec<Met>, LoadError> {
    let ready = Cell::new(0);
    let all = async {
        let agent_sides = stream::iter(agents).map(|agent| async move {
            let side = Side::connect(stage, transport, chaos, agent).await?;
            stage.start_service(agent).await?;
            Ok::<_, LoadError>(side)
        });
        let agent_sides: Vec<Side> = agent_sides.buffered(AT_A_TIME).try_collect().await?;
        let entered = stream::iter(customers).map(|customer| async move {
            let mut side = Side::connect(stage, transport, chaos, customer).await?;
            let (chat, _) = stage.enter(customer, 0).await?;
            side.wait_for_agent(chat).await?;
            Ok::<_, LoadError>((chat, side))
        });
        let mut entered: HashMap<u128, Side> = entered.buffer_unordered(AT_A_TIME).try_collect().await?;
        let mut met = Vec::with_capacity(agents.len());
        for mut agent in agent_sides {
            let (chat, assignment) = agent.wait_for_chat().await?;
            let Some(customer) = entered.remove(&chat) else { continue };
            met.push(Met { chat, assignment, customer, agent });
            ready.set(met.len());
        }
        Ok::<_, LoadError>(met)
    };
    let not_paired = |ready| LoadError::NotPaired { ready, pairs: customers.len(), waited_s: patience.as_secs() };
    // Signing in is not part of it, and a desk that works brings a pair together within milliseconds.
    let patience_for_all = patience + Duration::from_millis(100) * u32::try_from(customers.len()).unwrap_or(u32::MAX);
    let met = tokio::time::timeout(patience_for_all, all).await.map_err(|_| not_paired(ready.get()))??;
    if met.len() == customers.len() { Ok(met) } else { Err(not_paired(met.len())) }
}

fn start(talk: &Rc<Talk>, number: usize, met: Met, receive_every: u32) -> Rc<Pair> {
    let [(customer, customer_reader), (agent, agent_reader)] = [met.customer, met.agent].map(Side::split);
    let first = [(Role::Customer, &customer, customer_reader), (Role::Agent, &agent, agent_reader)].map(|(role, voice, reader)| {
        let connected = voice.outbox.clone().map(|outbox| (reader, outbox));
        (role, Rc::clone(&voice.account), Rc::clone(&voice.stay), connected)
    });
    let pair = Rc::new(Pair::new(Rc::clone(talk), number, met.chat, met.assignment, receive_every, customer, agent));
    for (role, account, stay, connected) in first {
        let seat = Seat { pair: Rc::clone(&pair), role, account };
        tokio::task::spawn_local(async move {
            let _: std::convert::Infallible = stay.connected(&seat, connected).await;
        });
    }
    pair
}

/// Warm-up, measurement, draining.
async fn load(
    args: &PairsArgs,
    stage: &Stage,
    chaos: &Rc<Chaos>,
    talk: &Rc<Talk>,
    pairs: &[Rc<Pair>],
    report: &mut Report,
    beside: Option<LocalBoxFuture<'_, Result<(), LoadError>>>,
) -> Result<(), LoadError> {
    let (meter, stall) = (&chaos.meter, args.target.stall());
    let ticking: Vec<Rc<Pair>> = pairs.to_vec();
    let ticker = tokio::task::spawn_local(async move {
        let mut turns = tokio::time::interval(TICK / TICK_TURNS);
        for turn in (0..TICK_TURNS as usize).cycle() {
            turns.tick().await;
            let now = Instant::now();
            ticking.iter().skip(turn).step_by(TICK_TURNS as usize).for_each(|pair| pair.tick(now, stall));
        }
    });
    let pacer = match args.rate {
        None => {
            pairs.iter().for_each(|pair| pair.say_next(Instant::now()));
            None
        }
        Some(rate) => {
            let (talk, pairs) = (Rc::clone(talk), pairs.to_vec());
            Some(Pacer::start(rate * CUSTOMERS_SHARE, move |nth, due| {
                if talk.is_on() {
                    pairs[(nth % pairs.len() as u64) as usize].say_next(due);
                }
            })?)
        }
    };
    let havoc = chaos.begin();
    let is_alone = beside.is_none();
    let talking = async {
        tokio::time::sleep(Duration::from_secs_f64(args.warm_up)).await;
        let (mut cpu_before, mut measured_from) = (meter.cpu()?, Instant::now());
        let mut arrived_before = 0;
        talk.begin_measuring();
        tokio::time::sleep(Duration::from_secs_f64(args.seconds)).await;
        if let Some(work) = beside {
            report.quiet(&talk.counts.borrow());
            (cpu_before, measured_from, arrived_before) = (meter.cpu()?, Instant::now(), talk.arrived());
            talk.begin_measuring();
            work.await?;
        }
        Ok::<_, LoadError>((cpu_before, measured_from, arrived_before))
    };
    let kills = async { if is_alone { chaos.kills_within(&stage.api, args.warm_up + args.seconds).await } else { Ok(()) } };
    let ((cpu_before, measured_from, arrived_before), ()) = tokio::try_join!(talking, kills)?;
    let (cpu, measured) = (meter.cpu_since(cpu_before)?, measured_from.elapsed());
    let arrived = talk.end_measuring();
    drop(havoc);
    report.server_rss_mb = meter.rss_mb()?;
    if let Some(pacer) = pacer {
        pacer.stop();
    }
    let drain_until = Instant::now() + stall + TICK;
    while Instant::now() < drain_until && pairs.iter().any(|pair| pair.is_waiting()) {
        tokio::time::sleep(TICK).await;
    }
    ticker.abort();
    report.measured(&talk.counts.borrow(), arrived - arrived_before, measured, cpu);
    Ok(())
}

async fn reread(
    stage: &Stage,
    page: u32,
    pairs: &[Rc<Pair>],
    customers: &[Rc<Account>],
    agents: &[Rc<Account>],
) -> Result<Findings, LoadError> {
    let by_user: HashMap<u128, &Account> = customers.iter().chain(agents).map(|account| (account.user, &**account)).collect();
    let ledgers: Vec<ChatLedger> = pairs.iter().map(|pair| pair.take_ledger()).collect();
    let mut readers = Vec::with_capacity(2 * pairs.len());
    let mut owners = HashMap::new();
    for pair in pairs {
        for (role, reader) in [(Role::Customer, ReaderRole::Customer), (Role::Agent, ReaderRole::Agent)] {
            if let Some(account) = by_user.get(&pair.user(role)) {
                readers.push(FeedReader { account, role: reader, chats: vec![pair.chat()] });
                if role == Role::Customer {
                    owners.insert(pair.chat(), *account);
                }
            }
        }
    }
    verify::everything(stage, page, &ledgers, readers, &owners).await
}
