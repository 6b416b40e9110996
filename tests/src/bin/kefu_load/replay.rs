//! Plays recorded dialogues through the public API: everybody signs in, the desk decides who serves, that agent speaks the
//! recorded lines, and a turn follows when the one before was delivered to both sides.

mod chats;
mod person;
mod scene;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tests::dialogues::{Cast, Dialogue, Lane, read_file};
use tokio::sync::Semaphore;

use super::args::{ReplayArgs, Speed};
use super::error::LoadError;
use super::ledger::{ChatLedger, Entry, ReaderRole};
use super::report::{Counts, Findings, Report};
use super::stage::{Part, Stage};
use super::verify::{self, FeedReader};
use crate::chaos::Chaos;
use chats::Chats;
use person::Person;

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// What everybody in a replay shares.
pub struct World {
    /// The tenant and the API.
    pub stage: Rc<Stage>,
    /// What both sides have seen of each chat.
    pub chats: Chats,
    /// Everything that is counted.
    pub counts: Rc<RefCell<Counts>>,
    /// The ledger: for each chat what was acknowledged.
    pub entries: RefCell<HashMap<u128, Vec<Entry>>>,
    /// Agents by their id.
    pub agents: RefCell<HashMap<u128, Rc<Person>>>,
    /// See [`super::args::TargetArgs::stall_timeout`].
    pub stall: Duration,
    /// See [`super::args::TargetArgs::receive_every`].
    pub receive_every: u32,
    tally: RefCell<Tally>,
    dialogues: Vec<Dialogue>,
    speed: Speed,
    rate: Option<f64>,
    began: Cell<Instant>,
    places: Semaphore,
}

/// How conversations ended.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    opened: u64,
    played: u64,
    failed: u64,
    abandoned: u64,
    rated: u64,
}

impl Tally {
    fn finished(&self) -> u64 {
        self.played + self.failed
    }
}

impl World {
    /// When a conversation is due: by the rate, or as recorded, given in seconds after the first one of the file; flat out it never
    /// is, but begins when there is a place.
    fn starts(&self, nth: usize, recorded_s: i64) -> Option<Instant> {
        let after = match (self.rate, self.speed) {
            (Some(rate), _) => Duration::from_secs_f64(nth as f64 / rate),
            (None, Speed::Times(times)) => recorded(recorded_s, times),
            (None, Speed::Max) => return None,
        };
        Some(self.began.get() + after)
    }

    /// Waits until a line is due that was said so long after its conversation's beginning, and answers when that was, however long
    /// ago. Flat out only the first line is due at a time: when its conversation was.
    pub async fn at(&self, starts: Option<Instant>, after_s: i64, is_first: bool) -> Option<Instant> {
        let due = match (starts?, self.speed) {
            (starts, Speed::Times(times)) => starts + recorded(after_s, times),
            (starts, Speed::Max) if is_first => starts,
            (_, Speed::Max) => return None,
        };
        tokio::time::sleep_until(due.into()).await;
        Some(due)
    }
}

fn recorded(seconds: i64, times: f64) -> Duration {
    Duration::from_secs_f64((seconds.max(0) as f64) / times)
}

/// Plays a file and reports.
pub async fn run(args: &ReplayArgs, flush_ms: f64) -> Result<Report, LoadError> {
    let started = Instant::now();
    let mut dialogues = read_file(&args.file)?;
    dialogues.truncate(args.limit.unwrap_or(usize::MAX));
    if dialogues.is_empty() {
        return Err(LoadError::NothingToPlay);
    }
    let cast = Cast::of(&dialogues);
    let chaos = Chaos::new(&args.target, cast.customers.len() + cast.agents.len())?;
    let (world, customers) = set_up(args, &chaos, &cast, dialogues).await?;
    eprintln!("replay: everybody is signed in after {:.1} s, playing", started.elapsed().as_secs_f64());

    let (cpu_before, measured_from) = (chaos.meter.cpu()?, Instant::now());
    world.began.set(measured_from);
    play(&world, &chaos, &customers, cast.lanes).await?;
    let (cpu, measured) = (chaos.meter.cpu_since(cpu_before)?, measured_from.elapsed());

    let tally = *world.tally.borrow();
    let mut report = Report {
        mode: "replay",
        tenant: world.stage.tenant.clone(),
        conversations: tally.opened,
        completed: Some(tally.played),
        abandoned: Some(tally.abandoned),
        rated: Some(tally.rated),
        chaos: chaos.report(&world.counts.borrow()),
        flush_ms,
        server_rss_mb: chaos.meter.rss_mb()?,
        ..Report::default()
    };
    let arrived = world.counts.borrow().delivered;
    report.measured(&world.counts.borrow(), arrived, measured, cpu);
    eprintln!("replay: reading both sides' feeds and the chats anew");
    let findings = reread(&world, args.target.page, &customers).await?;
    report.totals(&world.counts.borrow(), findings);
    report.wall_s = started.elapsed().as_secs_f64();
    Ok(report)
}

/// Makes the tenant, signs everybody in, connects them, and starts the agents' service.
async fn set_up(
    args: &ReplayArgs,
    chaos: &Rc<Chaos>,
    cast: &Cast,
    dialogues: Vec<Dialogue>,
) -> Result<(Rc<World>, Vec<Rc<Person>>), LoadError> {
    let stage = Rc::new(Stage::set(&args.target, cast.shops).await?);
    let (customers, agents, shops) = (cast.customers.len(), cast.agents.len(), cast.shops);
    eprintln!("replay: tenant {}: {} conversations, {customers} customers, {agents} agents, {shops} shops", stage.tenant, dialogues.len());
    let customers = cast.customers.iter().map(|name| Part::Customer { name: name.clone() }).collect();
    let customers = stage.people(customers).await?;
    let agents = cast.agents.iter().map(|login| Part::Agent { login: login.clone(), capacity: args.capacity });
    let agents = stage.people(agents.collect()).await?;
    let world = Rc::new(World {
        stage,
        chats: Chats::default(),
        counts: Rc::default(),
        entries: RefCell::default(),
        agents: RefCell::default(),
        stall: args.target.stall(),
        receive_every: args.target.receive_every,
        tally: RefCell::default(),
        dialogues,
        speed: args.speed,
        rate: args.rate,
        began: Cell::new(Instant::now()),
        places: Semaphore::new(args.concurrency as usize),
    });
    let enters = |account| Person::enter(&world, chaos, account, ReaderRole::Customer);
    let customers: Vec<Rc<Person>> = customers.into_iter().map(enters).collect();
    for account in agents {
        let agent = Person::enter(&world, chaos, account, ReaderRole::Agent);
        world.agents.borrow_mut().insert(agent.account.user, agent);
    }
    let agents: Vec<Rc<Person>> = world.agents.borrow().values().cloned().collect();
    for person in customers.iter().chain(&agents) {
        person.connected(Duration::from_secs_f64(args.target.retry_for)).await?;
    }
    for agent in &agents {
        world.stage.start_service(&agent.account).await?;
    }
    Ok((world, customers))
}

/// Plays every lane, with what goes wrong on purpose meanwhile.
async fn play(world: &Rc<World>, chaos: &Rc<Chaos>, customers: &[Rc<Person>], lanes: Vec<Lane>) -> Result<(), LoadError> {
    let all = world.dialogues.len() as u64;
    let teller = tokio::task::spawn_local({
        let world = Rc::clone(world);
        async move {
            loop {
                tokio::time::sleep(TELL_EVERY).await;
                let (tally, counts) = (*world.tally.borrow(), world.counts.borrow());
                eprintln!(
                    "replay: {} of {all} conversations, {} failed, {} messages delivered, errors {:?}",
                    tally.finished(),
                    tally.failed,
                    counts.delivered,
                    counts.errors
                );
            }
        }
    });
    let turns = turns(&lanes, world.dialogues.len());
    let playing: Vec<_> = lanes
        .into_iter()
        .map(|lane| tokio::task::spawn_local(play_lane(Rc::clone(world), Rc::clone(&customers[lane.customer]), lane, Rc::clone(&turns))))
        .collect();
    let havoc = chaos.begin();
    let finished = {
        let world = Rc::clone(world);
        move || world.tally.borrow().finished()
    };
    let kills = chaos.kills(&world.stage.api, all, finished).await;
    if kills.is_ok() {
        for lane in playing {
            // A lane only ends; it is never aborted.
            let _ = lane.await;
        }
    }
    drop(havoc);
    teller.abort();
    kills
}

/// Which conversation is the how manieth to begin, by its place in the file.
fn turns(lanes: &[Lane], dialogues: usize) -> Rc<[usize]> {
    let mut by_time: Vec<_> = lanes.iter().flat_map(|lane| &lane.scenes).map(|scene| (scene.starts_after_s, scene.dialogue)).collect();
    by_time.sort_unstable();
    let mut turns = vec![0; dialogues];
    for (turn, (_, dialogue)) in by_time.into_iter().enumerate() {
        turns[dialogue] = turn;
    }
    turns.into()
}

async fn play_lane(world: Rc<World>, customer: Rc<Person>, lane: Lane, turns: Rc<[usize]>) {
    let mut last_conversation = None;
    for place in &lane.scenes {
        let starts = world.starts(turns[place.dialogue], place.starts_after_s);
        let permit = match starts {
            Some(starts) => {
                tokio::time::sleep_until(starts.into()).await;
                None
            }
            None => world.places.acquire().await.ok(),
        };
        let dialogue = &world.dialogues[place.dialogue];
        let played = scene::play(&world, &customer, lane.shop, dialogue, starts, &mut last_conversation).await;
        drop(permit);
        let mut tally = world.tally.borrow_mut();
        match played {
            Ok(played) => {
                tally.opened += 1;
                tally.played += 1;
                tally.abandoned += u64::from(played.abandoned);
                tally.rated += u64::from(played.rated);
            }
            Err(failure) => {
                tally.opened += u64::from(failure.opened);
                tally.failed += 1;
                world.counts.borrow_mut().error(failure.kind);
            }
        }
    }
}

async fn reread(world: &World, page: u32, customers: &[Rc<Person>]) -> Result<Findings, LoadError> {
    let entries = std::mem::take(&mut *world.entries.borrow_mut());
    let mut findings = Findings::default();
    let mut ledgers = Vec::with_capacity(entries.len());
    for (chat, entries) in entries {
        findings.lost += entries.iter().filter(|entry| !entry.delivered).count() as u64;
        ledgers.push(ChatLedger { chat, entries });
    }
    let agents: Vec<Rc<Person>> = world.agents.borrow().values().cloned().collect();
    let chats_of: Vec<(&Rc<Person>, BTreeSet<u128>)> =
        customers.iter().chain(&agents).map(|person| (person, person.ear.chats.borrow().clone())).collect();
    let mut owners = HashMap::new();
    let mut readers = Vec::with_capacity(chats_of.len());
    for (person, chats) in &chats_of {
        if person.ear.role == ReaderRole::Customer {
            owners.extend(chats.iter().map(|chat| (*chat, &*person.account)));
        }
        readers.push(FeedReader { account: &person.account, role: person.ear.role, chats: chats.iter().copied().collect() });
    }
    findings.add(verify::everything(&world.stage, page, &ledgers, readers, &owners).await?);
    Ok(findings)
}
