//! The `kefu` program: chooses the engines, puts the node together, and says in words how it went.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use adapters::blob_store::ObjectBlobStore;
use adapters::cli::{Cli, Command, FlowCommand, HistoryCommand, LogCommand, OutreachCommand, Rehearse, Serve, Verify};
use adapters::clock::SystemClock;
use adapters::config::{Config, OutgoingConfig};
use adapters::data_dir::{DataDir, views_of};
use adapters::event_log::embedded::{EmbeddedLog, Options};
use adapters::history::dialogues;
use adapters::history::import::{self, RecordedClock};
use adapters::hub::Hub;
use adapters::latency::{take_short_turns, take_small_pages};
use adapters::node::Node;
use adapters::robots::{Seats, Unseen};
use adapters::shutdown::Shutdown;
use adapters::state::AppState;
use adapters::view_store::SqliteViewStore;
use adapters::{demo, flows, http, outreach, server};
use application::ports::clock::Clock;
use application::ports::event_log::EventLog;
use application::queries::{Delivery, DeliverySink};
use clap::Parser;
use domain::ids::TenantId;
use tracing_subscriber::EnvFilter;

/// Many small allocations of many sizes on several threads. Whether it is worth its weight here was not measured yet.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Threads for work that blocks: the log's read connections, a few password hashes, one snapshot. Tokio starts another whenever
/// none is idle at that moment, and would keep hundreds under load; each keeps megabytes of the allocator's, also after its end.
const BLOCKING_THREADS_MAX: usize = 16;

type Outcome = Result<ExitCode, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_env("KEFU_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    // One provider for the whole process; without it rustls would have to guess.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::debug!("a cryptography provider was installed before");
    }
    // Before any other thread, because each takes after the one that started it.
    take_short_turns();
    take_small_pages();
    let runtime = match tokio::runtime::Builder::new_multi_thread().max_blocking_threads(BLOCKING_THREADS_MAX).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    runtime.block_on(run(cli)).unwrap_or_else(|error| fail(error.as_ref()))
}

async fn run(cli: Cli) -> Outcome {
    match cli.command {
        None => serve(Serve::demonstration()).await,
        Some(Command::Serve(options)) => serve(options).await,
        Some(Command::Verify(options)) => verify(options).await,
        Some(Command::Log { command: LogCommand::Check { data, json } }) => log_check(&data, json),
        Some(Command::History { command: HistoryCommand::Import { file, data, tenant } }) => history_import(&file, &data, &tenant).await,
        Some(Command::Outreach { command: OutreachCommand::Verify { file, json } }) => {
            let proven = outreach::command::run(&file, json, &mut std::io::stdout())?;
            Ok(if proven { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Some(Command::Flow { command: FlowCommand::Rehearse(options) }) => rehearse(&options).await,
        Some(Command::Flow { command: FlowCommand::Document(command) }) => {
            Ok(if flows::command::run(&command, &mut std::io::stdout()).await? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

/// Says what went wrong, with every cause.
fn fail(error: &dyn std::error::Error) -> ExitCode {
    let mut text = format!("kefu: {error}");
    let mut cause = error.source();
    while let Some(next) = cause {
        let words = next.to_string();
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = next.source();
    }
    eprintln!("{text}");
    ExitCode::FAILURE
}

async fn serve(options: Serve) -> Outcome {
    let mut config = Config::load(options.config.as_deref(), std::env::vars())?;
    options.overlay(&mut config);
    http::pages::check(config.http.pages.as_deref())?;
    let made_key = demonstration_key(&options, &mut config);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let mut directory = DataDir::open(&options.data, clock)?;
    if let Some(bucket) = ObjectBlobStore::configured(&config.attachments, std::env::vars())? {
        directory.engines.blobs = Arc::new(bucket);
    }
    let hub = Hub::new(directory.engines.log.shard(), Arc::clone(&directory.engines.keys));
    let node = Node::start(directory.engines, hub.clone(), Seats::new(&config.outgoing, hub.clone())).await?;
    let shutdown = Shutdown::new();
    let bound = server::bind(&config.http)?;
    let operator_key = config.auth.operator_key.clone();
    let has_pages = config.http.pages.is_some();
    let app = AppState::new(node.ports.clone(), directory.secrets, config, hub, shutdown.clone());
    if options.demo {
        let key = operator_key.unwrap_or_default();
        demo::make(&http::router::Entrance::new(app.clone()), &key).await?;
    }
    println!("listening on {}", bound.url());
    if options.demo {
        print_demonstration(&bound.url(), made_key.as_deref(), has_pages);
    }
    let signals = shutdown.clone();
    let waiting = tokio::spawn(async move { signals.order_on_signal().await });
    let served = bound.run(app).await;
    shutdown.order();
    node.stop().await;
    waiting.await??;
    served?;
    Ok(ExitCode::SUCCESS)
}

/// A demonstration needs an operator; without a key one is made for this run.
fn demonstration_key(options: &Serve, config: &mut Config) -> Option<String> {
    if !options.demo || config.auth.operator_key.is_some() {
        return None;
    }
    let mut bytes = [0; 16];
    adapters::ids::fill_random(&mut bytes);
    let key: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    config.auth.operator_key = Some(key.clone());
    Some(key)
}

fn print_demonstration(url: &str, made_key: Option<&str>, has_pages: bool) {
    println!("demonstration tenant: {} (shop {})", demo::TENANT, demo::SHOP);
    match made_key {
        Some(key) => println!("operator key of this run: {key}"),
        None => println!("operator key: as configured"),
    }
    for (login, name, role) in demo::PEOPLE {
        println!("  sign-in {login:6} password {}  {role:12} {name}", demo::PASSWORD);
    }
    if has_pages {
        println!("customer's page: {url}/chat/?tenant={}&shop={}", demo::TENANT, demo::SHOP);
        println!("   with a robot: {url}/chat/?tenant={}&shop={}", demo::TENANT, demo::ROBOT_SHOP);
        println!("agent's desk:    {url}/desk/?tenant={}", demo::TENANT);
    }
    println!("API description: {url}/v1/openapi.json");
}

/// A directory without a log is a mistyped one; nothing is made there.
fn require_log(data: &Path) -> Result<(), NoLog> {
    if data.join("log").is_dir() { Ok(()) } else { Err(NoLog { data: data.to_owned() }) }
}

/// The directory holds no log.
#[derive(Debug, thiserror::Error)]
#[error("there is no event log in {}; name the directory that kefu serve was given with --data", data.display())]
struct NoLog {
    data: PathBuf,
}

async fn verify(options: Verify) -> Outcome {
    require_log(&options.data)?;
    let log: Arc<dyn EventLog> = Arc::new(EmbeddedLog::open(&options.data, &Options::default())?);
    let store = Arc::new(SqliteViewStore::open(&views_of(&options.data))?);
    let beside_path = options.data.join(format!("verify-{}.db", std::process::id()));
    let beside = Arc::new(SqliteViewStore::open(&beside_path)?);
    let report = projections::verify::verify_beside(log, store, beside).await;
    for suffix in ["", "-wal", "-shm"] {
        // The rebuild is of no further use; what is not there needs no removing.
        let _ = std::fs::remove_file(format!("{}{suffix}", beside_path.display()));
    }
    let report = report?;
    if options.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print_verification(&report);
    }
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print_verification(report: &projections::verify::VerifyReport) {
    println!("verified up to commit {}", report.head.0);
    for view in &report.views {
        println!(
            "  view {:18} v{} at commit {:<9} {:>10} events  {:>9} events_per_s  {:>10} rows compared  {} different",
            view.name, view.version, view.position.0, view.events, view.events_per_s, view.rows_compared, view.different
        );
        for difference in &view.differences {
            println!("      {} row {} of table {}", difference.what, difference.key, difference.table);
        }
    }
    for invariant in &report.invariants {
        println!("  {:60} {:>10} checked  {} violated", invariant.name, invariant.checked, invariant.violated);
        for violation in &invariant.violations {
            println!("      {violation}");
        }
    }
    println!("{}", if report.ok { "everything agrees with the log" } else { "NOT as the log says" });
}

async fn rehearse(options: &Rehearse) -> Outcome {
    require_log(&options.data)?;
    let log = EmbeddedLog::open(&options.data, &Options::default())?;
    let rehearsal = flows::rehearse::rehearse(&log, options).await?;
    print!("{}", rehearsal.text);
    Ok(if rehearsal.reproduced { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn log_check(data: &Path, json: bool) -> Outcome {
    require_log(data)?;
    let report = EmbeddedLog::check(data)?;
    if json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!(
            "{} records, {} commits, {} events, {} streams, {} bytes of commits",
            report.records, report.commits, report.events, report.streams, report.commit_bytes
        );
        for finding in &report.findings {
            println!("  {:?} at {:?}: {}", finding.kind, finding.place, finding.what);
        }
        println!("{}", if report.is_clean() { "the log is whole" } else { "the log is DAMAGED" });
    }
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Nobody listens while history is imported.
struct Nobody;

impl DeliverySink for Nobody {
    fn deliver(&self, _: Vec<Delivery>) {}
}

async fn history_import(file: &Path, data: &Path, tenant: &str) -> Outcome {
    let tenant: TenantId = tenant.parse()?;
    let recorded = dialogues::read_file(file)?;
    let clock = Arc::new(RecordedClock::default());
    let directory = DataDir::open(data, clock.clone())?;
    let node = Node::start(directory.engines, Arc::new(Nobody), Seats::new(&OutgoingConfig::default(), Arc::new(Unseen))).await?;
    let imported = import::import(&node, &clock, tenant, &recorded).await;
    node.stop().await;
    println!("{}", serde_json::to_string(&imported?)?);
    Ok(ExitCode::SUCCESS)
}
