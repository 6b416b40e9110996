//! One life of the node: the real owner, policies, read models, hub and router in a runtime of their own, which can be killed at
//! any moment. Whether that runtime has one thread or two is a matter of the seed.

use std::io;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use adapters::blob_store::ObjectBlobStore;
use adapters::config::Config;
use adapters::http::router::Entrance;
use adapters::hub::Hub;
use adapters::ids::MonotonicIds;
use adapters::node::{Engines, Node};
use adapters::robots::Seats;
use adapters::secrets::Secrets;
use adapters::shutdown::Shutdown;
use adapters::state::{App, AppState};
use application::owner::OwnerLimits;
use application::ports::event_log::ShardId;
use application::queries::{Delivery, DeliverySink};
use axum::ServiceExt;
use axum::extract::Request;
use tokio::io::DuplexStream;
use tokio::sync::{mpsc, oneshot};

use super::Breakage;
use super::disk::{Disk, ProcessLog, ProcessViews};
use super::net::Door;
use crate::people::OPERATOR_KEY;
use crate::random::Random;
use crate::world::StoryClock;

/// The node while it lives.
pub(super) struct Running {
    pub(super) app: App,
    pub(super) entrance: Entrance,
    pub(super) handle: tokio::runtime::Handle,
    accept: mpsc::UnboundedSender<DuplexStream>,
}

/// See the file's head.
pub(super) struct Process {
    pub(super) running: Running,
    kill: oneshot::Sender<()>,
    ended: oneshot::Receiver<()>,
    thread: std::thread::JoinHandle<()>,
    alive: Arc<AtomicBool>,
}

/// Connections in memory, as a listener.
struct Pipes(mpsc::UnboundedReceiver<DuplexStream>);

impl axum::serve::Listener for Pipes {
    type Io = DuplexStream;
    type Addr = ();

    async fn accept(&mut self) -> (DuplexStream, ()) {
        match self.0.recv().await {
            Some(stream) => (stream, ()),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<()> {
        Ok(())
    }
}

/// A hub that is told less, or in another order, than happened: what the checks must see.
struct BrokenSink {
    hub: Arc<Hub>,
    breakage: Breakage,
    random: Mutex<Random>,
}

impl DeliverySink for BrokenSink {
    fn deliver(&self, mut batch: Vec<Delivery>) {
        let now = self.random.lock().is_ok_and(|mut random| random.once_in(20));
        if now && self.breakage == Breakage::Lose {
            batch.pop();
        }
        if now && self.breakage == Breakage::Swap {
            batch.reverse();
        }
        self.hub.deliver(batch);
    }
}

impl Process {
    /// Starts the node over what the last one left.
    pub(super) async fn start(
        disk: &Disk,
        clock: &Arc<StoryClock>,
        faults: &Arc<AtomicBool>,
        breakage: Breakage,
        random: &mut Random,
    ) -> Self {
        let alive = Arc::new(AtomicBool::new(true));
        let log = ProcessLog::new(disk.log.clone(), Arc::clone(&alive), Arc::clone(faults), Random::new(random.number()));
        let engines = Engines {
            log: Arc::new(log),
            keys: disk.keys.clone(),
            blobs: Arc::new(ObjectBlobStore::in_memory()),
            snapshots: Arc::new(disk.snapshots.clone()),
            checkpoints: Arc::new(disk.snapshots.clone()),
            view_store: Arc::new(ProcessViews::new(Arc::clone(&disk.views), Arc::clone(&alive))),
            clock: clock.clone(),
            ids: Arc::new(MonotonicIds::new()),
            limits: OwnerLimits {
                aggregates_cached: 2 + random.below(30),
                events_per_snapshot: 2 + random.below(10) as u64,
                commands_per_commit: 1 + random.below(6),
                ..OwnerLimits::default()
            },
        };
        let mut config = Config::default();
        config.auth.operator_key = Some(OPERATOR_KEY.to_owned());
        config.auth.access_token_s = super::cast::TOKEN_LIFE_S;
        config.websocket.queue_frames_max = random.pick(&[3, 8, 4_096]);
        config.websocket.orders_in_flight_max = random.pick(&[1, 4, 64]);
        let threads = 1 + random.below(2);
        let sink_random = Random::new(random.number());
        let (started, running) = oneshot::channel();
        let (kill, killed) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            live(threads, engines, config, breakage, sink_random, started, killed);
            // Whoever killed it may be gone.
            let _ = end.send(());
        });
        let running = running.await.expect("a node in memory starts");
        Self { running, kill, ended, thread, alive }
    }

    /// Where it takes connections.
    pub(super) fn door(&self) -> Door {
        Some(self.running.accept.clone())
    }

    /// Kills it: no farewell, nothing finished, nothing written.
    pub(super) async fn kill(self) {
        let Self { running, kill, ended, thread, alive } = self;
        alive.store(false, Ordering::SeqCst);
        drop(running);
        let _ = kill.send(());
        let _ = ended.await;
        assert!(thread.join().is_ok(), "the node panicked");
    }
}

fn live(
    threads: usize,
    engines: Engines,
    config: Config,
    breakage: Breakage,
    random: Random,
    started: oneshot::Sender<Running>,
    killed: oneshot::Receiver<()>,
) {
    let mut builder = match threads {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = builder.worker_threads(threads).enable_all().build().expect("a runtime starts");
    runtime.block_on(async {
        let hub = Hub::new(ShardId(0), Arc::clone(&engines.keys));
        let sink: Arc<dyn DeliverySink> = match breakage {
            Breakage::None | Breakage::Double => hub.clone(),
            Breakage::Lose | Breakage::Swap => Arc::new(BrokenSink { hub: hub.clone(), breakage, random: Mutex::new(random) }),
        };
        let node = Node::start(engines, sink, Seats::new(&config.outgoing, hub.clone())).await.expect("a node in memory starts");
        let app = AppState::new(node.ports.clone(), Secrets::from_master(&[7; 32]), config, hub, Shutdown::new());
        let (accept, incoming) = mpsc::unbounded_channel();
        let entrance = Entrance::new(app.clone());
        tokio::spawn(axum::serve(Pipes(incoming), ServiceExt::<Request>::into_make_service(entrance.clone())).into_future());
        let (presence, signals, polls) = (app.clone(), app.clone(), app.clone());
        tokio::spawn(async move { presence.presence.clone().run(presence.clone()).await });
        tokio::spawn(async move { signals.signals.run(signals.clone()).await });
        tokio::spawn(async move { polls.polls.run(polls.clone()).await });
        let running = Running { app, entrance, handle: tokio::runtime::Handle::current(), accept };
        if started.send(running).is_ok() {
            // Also when whoever would kill it is gone.
            let _ = killed.await;
        }
    });
}
