//! `kefu-load`: puts load on a kefu server through its public API, keeps a ledger of every acknowledged message, and proves at
//! the end that nothing was lost, doubled or out of order. It must not know anything of the server's inside.

mod api;
mod args;
mod campaign;
mod chaos;
mod crowd;
mod device;
mod error;
mod flush;
mod frame;
mod ids;
mod ledger;
mod link;
mod meter;
mod pace;
mod pairs;
mod peer;
mod poll;
mod procfs;
mod replay;
mod report;
mod scan;
mod socket;
mod stage;
mod stay;
mod verify;
mod wire;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use tests::mock_server;

use args::{Cli, Command, MockArgs, ReportArgs};
use error::LoadError;
use link::Transport;
use report::{Report, thousandths};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    // The HTTP client wants one even for plain http, now that it is built with TLS for the server's sake; a second one is no harm.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // One thread: the generator shares two cores with the server, and its state needs no locks.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&LoadError::Socket(error)),
    };
    let done = tokio::task::LocalSet::new().block_on(&runtime, async {
        match &cli.command {
            Command::Replay(args) => Ok(Some((replay::run(args, flush_ms(&args.target.report)?).await?, args.target.report.json))),
            Command::Pairs(args) => {
                Ok(Some((pairs::run(args, Transport::Socket, flush_ms(&args.target.report)?).await?, args.target.report.json)))
            }
            Command::Longpoll(args) => {
                Ok(Some((pairs::run(args, Transport::Poll, flush_ms(&args.target.report)?).await?, args.target.report.json)))
            }
            Command::Idle(args) => Ok(Some((crowd::idle(args, flush_ms(&args.target.report)?).await?, args.target.report.json))),
            Command::ReconnectStorm(args) => Ok(Some((crowd::storm(args, flush_ms(&args.target.report)?).await?, args.target.report.json))),
            Command::Devices(args) => Ok(Some((crowd::devices(args, flush_ms(&args.target.report)?).await?, args.target.report.json))),
            Command::Campaign(args) => {
                Ok(Some((campaign::run(args, flush_ms(&args.talk.target.report)?).await?, args.talk.target.report.json)))
            }
            Command::Peer(args) => Ok(Some((peer::run(args, flush_ms(&args.report)?).await?, args.report.json))),
            Command::Mock(args) => mock(args).await.map(|()| None),
        }
    });
    match done {
        Ok(Some((report, json))) => finish(&report, json),
        Ok(None) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn flush_ms(report: &ReportArgs) -> Result<f64, LoadError> {
    let directory: PathBuf = report.flush_dir.clone().unwrap_or_else(std::env::temp_dir);
    flush::median_ms(&directory).map(thousandths)
}

async fn mock(args: &MockArgs) -> Result<(), LoadError> {
    let fault = match args.fault {
        args::Fault::None => mock_server::Fault::None,
        args::Fault::Drop => mock_server::Fault::Drop,
        args::Fault::Duplicate => mock_server::Fault::Duplicate,
        args::Fault::Reorder => mock_server::Fault::Reorder,
        args::Fault::Alter => mock_server::Fault::Alter,
    };
    let server = mock_server::bind(&args.listen, mock_server::Lies { fault, every: args.every }).await?;
    println!("listening on http://{}", server.address()?);
    Ok(server.run().await?)
}

fn finish(report: &Report, json: bool) -> ExitCode {
    eprintln!("{}", report.summary());
    if json {
        match serde_json::to_string(report) {
            Ok(object) => println!("{object}"),
            Err(error) => eprintln!("kefu-load: the report cannot be written: {error}"),
        }
    }
    if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn failed(error: &LoadError) -> ExitCode {
    eprintln!("kefu-load: {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
    ExitCode::from(2)
}
