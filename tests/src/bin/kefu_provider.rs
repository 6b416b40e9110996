//! `kefu-provider`: a provider's desk to try things by hand. It listens, checks signatures, takes sessions as it is told, and echoes.

use std::net::SocketAddr;
use std::process::ExitCode;

use adapters::webhook_signature::SigningKey;
use clap::{Parser, ValueEnum};
use tests::provider_desk::{ProviderDesk, Takes, time_of_day};

/// How sessions are taken.
#[derive(Clone, Copy, ValueEnum)]
enum Mode {
    /// At once.
    Accept,
    /// In a queue, until the first message.
    Queue,
    /// Not at all.
    Refuse,
}

/// A provider's desk to try things by hand.
#[derive(Parser)]
struct Args {
    /// Where it listens.
    #[arg(long, default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// Where the server hears it: `http://127.0.0.1:8080/v1/tenants/acme/providers/express`.
    #[arg(long)]
    server: String,
    /// The secret that was shown when it was connected, `whsec_..`.
    #[arg(long, env = "KEFU_PROVIDER_SECRET", hide_env_values = true)]
    secret: String,
    /// How it takes sessions.
    #[arg(long, value_enum, default_value = "accept")]
    sessions: Mode,
    /// The place at which sessions queue.
    #[arg(long, default_value_t = 1)]
    position: u32,
}

#[tokio::main]
async fn main() -> ExitCode {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Args { listen, server, secret, sessions, position } = Args::parse();
    let Some(key) = SigningKey::parse(&secret) else {
        eprintln!("the secret is whsec_ and base64");
        return ExitCode::FAILURE;
    };
    let takes = match sessions {
        Mode::Accept => Takes::Accepts,
        Mode::Queue => Takes::Queues(position),
        Mode::Refuse => Takes::Refuses,
    };
    let desk = ProviderDesk { takes, server, key, client: reqwest::Client::new(), now: time_of_day };
    let served = async { axum::serve(tokio::net::TcpListener::bind(listen).await?, desk.router()).await };
    match served.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{listen} cannot be listened at: {error}");
            ExitCode::FAILURE
        }
    }
}
