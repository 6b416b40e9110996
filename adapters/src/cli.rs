//! The command line of `kefu`. It only says what may be asked; `main.rs` does it.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use domain::flow::words::Span;
use domain::ids::{GroupId, ShopId, TenantId};
use domain::labels::Label;
use domain::time::Timestamp;

use crate::config::Config;

/// A customer-service IM platform for e-commerce. Without a command: `serve --data ./kefu-data --listen 127.0.0.1:8080 --demo`.
#[derive(Debug, Parser)]
#[command(name = "kefu", version, max_term_width = 120)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What `kefu` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the API, and keep everything in one directory.
    Serve(Serve),
    /// Compare every read model with the log, and check the invariants on the raw events. Exits with 1 when anything differs.
    Verify(Verify),
    /// Look into the event log.
    Log {
        /// What to do with the log.
        #[command(subcommand)]
        command: LogCommand,
    },
    /// Bring recorded history in.
    History {
        /// What to do with history.
        #[command(subcommand)]
        command: HistoryCommand,
    },
    /// Look at evidence of how contact with customers was started.
    Outreach {
        /// What to do with it.
        #[command(subcommand)]
        command: OutreachCommand,
    },
    /// Check, compare, publish and rehearse flows: the documents that say how a tenant receives customers and assigns conversations.
    Flow {
        /// What to do with flows.
        #[command(subcommand)]
        command: FlowCommand,
    },
}

/// See [`Command::Serve`].
#[derive(Clone, Debug, Args)]
pub struct Serve {
    /// Directory of the log, the keys and the read models; made if it is missing.
    #[arg(long, env = "KEFU_DATA", value_name = "DIR", default_value = "./kefu-data")]
    pub data: PathBuf,
    /// Address and port to listen on; port 0 takes a free one. Wins over the configuration file [default: 127.0.0.1:8080]
    #[arg(long, env = "KEFU_LISTEN", value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// Configuration file, TOML (docs/CONFIG.md).
    #[arg(long, env = "KEFU_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Make a demonstration tenant with a shop, two agents and an administrator, and print their sign-ins.
    #[arg(long, env = "KEFU_DEMO")]
    pub demo: bool,
    /// Key of the platform operator, who may make tenants. Without one, nobody is the operator. With --demo and without a key, one
    /// is made and printed.
    #[arg(long, env = "KEFU_OPERATOR_KEY", value_name = "KEY", hide_env_values = true)]
    pub operator_key: Option<String>,
    /// Certificate chain for TLS, PEM; read again when the file changes or on SIGHUP.
    #[arg(long, env = "KEFU_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// Private key for TLS, PEM.
    #[arg(long, env = "KEFU_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Directory of the built pages (web/dist); without it, the API alone.
    #[arg(long, env = "KEFU_PAGES", value_name = "DIR")]
    pub pages: Option<PathBuf>,
}

impl Serve {
    /// Lays what the command line says over the configuration.
    pub fn overlay(&self, config: &mut Config) {
        if let Some(listen) = self.listen {
            config.http.listen = listen;
        }
        if let Some(key) = &self.operator_key {
            config.auth.operator_key = Some(key.clone());
        }
        if let (Some(cert), Some(key)) = (&self.tls_cert, &self.tls_key) {
            config.http.tls_cert = Some(cert.clone());
            config.http.tls_key = Some(key.clone());
        }
        if let Some(pages) = &self.pages {
            config.http.pages = Some(pages.clone());
        }
    }

    /// What `kefu` alone means.
    #[must_use]
    pub fn demonstration() -> Self {
        let Some(Command::Serve(serve)) = Cli::parse_from(["kefu", "serve", "--demo"]).command else {
            unreachable!("these arguments name the command serve");
        };
        serve
    }
}

/// See [`Command::Verify`].
#[derive(Clone, Debug, Args)]
pub struct Verify {
    /// Directory of the log and the read models; kefu must not be running on it.
    #[arg(long, env = "KEFU_DATA", value_name = "DIR", default_value = "./kefu-data")]
    pub data: PathBuf,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
}

/// See [`Command::Log`].
#[derive(Clone, Debug, Subcommand)]
pub enum LogCommand {
    /// Read every record, and check checksums, positions, versions and chains. Exits with 1 when anything is damaged.
    Check {
        /// Directory of the log; kefu must not be running on it.
        #[arg(long, env = "KEFU_DATA", value_name = "DIR", default_value = "./kefu-data")]
        data: PathBuf,
        /// Print one JSON object instead of text.
        #[arg(long)]
        json: bool,
    },
}

/// See [`Command::History`].
#[derive(Clone, Debug, Subcommand)]
pub enum HistoryCommand {
    /// Import recorded dialogues (JSON lines, plain or gzip) at their recorded times and holders into a new tenant.
    Import {
        /// The file.
        file: PathBuf,
        /// Directory of the log; its newest commit must be older than the first recorded time.
        #[arg(long, env = "KEFU_DATA", value_name = "DIR", default_value = "./kefu-data")]
        data: PathBuf,
        /// Id of the tenant to make.
        #[arg(long, value_name = "TENANT", default_value = "history")]
        tenant: String,
    },
}

/// See [`FlowCommand::Rehearse`].
#[derive(Clone, Debug, Args)]
pub struct Rehearse {
    /// Directory of the log; kefu must not be running on it.
    #[arg(long, env = "KEFU_DATA", value_name = "DIR", default_value = "./kefu-data")]
    pub data: PathBuf,
    /// The tenant whose service is played.
    #[arg(long, value_name = "TENANT")]
    pub tenant: TenantId,
    /// Count those who came from here on, such as 2026-11-01 or 2026-11-01T09:00:00+08:00; a day begins in UTC. Without it, from the
    /// beginning.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub from: Option<Timestamp>,
    /// Count those who came before. Without it, to the end.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub to: Option<Timestamp>,
    /// Follow this assignment flow instead.
    #[arg(long, value_name = "FILE")]
    pub assignment: Option<PathBuf>,
    /// Send those who come to where this reception flow sends them instead. Words that customers wrote are not read.
    #[arg(long, value_name = "FILE")]
    pub reception: Option<PathBuf>,
    /// Replace the flows of this shop only. Without it, those of the tenant and of every shop.
    #[arg(long, value_name = "SHOP")]
    pub shop: Option<ShopId>,
    /// Let these agents be there instead: a document of agents, groups, capacities and hours (docs/FLOWS.md).
    #[arg(long, value_name = "FILE")]
    pub roster: Option<PathBuf>,
    /// Let everybody take so many conversations at a time instead.
    #[arg(long, value_name = "N", conflicts_with = "roster")]
    pub capacity: Option<u32>,
    /// What chance begins with, where something is not known: how long somebody would have waited who was served.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// See [`DocumentCommand::Model`].
#[derive(Clone, Debug, Args)]
pub struct Model {
    /// Customers an hour, on average; they come independently of each other.
    #[arg(long, value_name = "N")]
    pub arrivals: f64,
    /// How long a service takes on average, such as 180s or 3m.
    #[arg(long, value_name = "SPAN")]
    pub handling: Span,
    /// How long a customer waits on average before they leave. Without it, as long as it takes.
    #[arg(long, value_name = "SPAN")]
    pub patience: Option<Span>,
    /// How many agents there are.
    #[arg(long, value_name = "N")]
    pub agents: u32,
    /// How many conversations each takes at a time.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub capacity: u32,
    /// For how many hours; the first tenth is not counted.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub hours: u32,
    /// What chance begins with.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// An instant or a day, as people write it.
fn instant(text: &str) -> Result<Timestamp, String> {
    let instant = chrono::DateTime::parse_from_rfc3339(text).map(|at| at.timestamp_millis());
    let day = || text.parse::<chrono::NaiveDate>().map(|day| day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis());
    let wrong = || format!("`{text}` is no time; write it as 2026-11-01 or 2026-11-01T09:00:00+08:00");
    instant.or_else(|_| day()).map(Timestamp).map_err(|_| wrong())
}

/// See [`DocumentCommand::Publish`].
#[derive(Clone, Debug, Args)]
pub struct Publish {
    /// The file, YAML or JSON; `-` for standard input.
    pub file: PathBuf,
    /// Address of the server.
    #[arg(long, env = "KEFU_URL", value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// The tenant.
    #[arg(long, value_name = "TENANT")]
    pub tenant: TenantId,
    /// The shop that the flow is for; without one, every shop of the tenant that has none of its own.
    #[arg(long, value_name = "SHOP")]
    pub shop: Option<ShopId>,
    /// An API key with the scope manage_tenant, the operator key, or an administrator's access token.
    #[arg(long, env = "KEFU_KEY", value_name = "KEY", hide_env_values = true)]
    pub key: String,
}

/// See [`Command::Flow`].
#[derive(Clone, Debug, Subcommand)]
pub enum FlowCommand {
    /// What needs no log.
    #[command(flatten)]
    Document(DocumentCommand),
    /// Play a recorded period again under another flow, roster or capacity, and print what would have come of it beside what did. As
    /// it was recorded it must yield every recorded fact of the desk again; exits with 1 if it does not.
    Rehearse(Rehearse),
}

/// See [`FlowCommand::Document`].
#[derive(Clone, Debug, Subcommand)]
pub enum DocumentCommand {
    /// Say everything that is wrong with flows, with line, place and remedy. Exits with 1 when anything is.
    Check {
        /// The files, YAML or JSON; `-` for standard input.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// A group of the tenant; once for each. Without any, names of groups are not checked.
        #[arg(long = "group", value_name = "GROUP")]
        groups: Vec<GroupId>,
        /// A robot of the tenant; once for each. Without any, names of robots are not checked.
        #[arg(long = "robot", value_name = "ROBOT")]
        robots: Vec<Label>,
        /// A scorer of the tenant; once for each. Without any, names of scorers are not checked.
        #[arg(long = "scorer", value_name = "SCORER")]
        scorers: Vec<Label>,
        /// Print one JSON object instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Say what differs between two flows: what is new (+), gone (-) and changed (~). Exits with 1 when anything does.
    Diff {
        /// The one before.
        old: PathBuf,
        /// The one after.
        new: PathBuf,
        /// Print a JSON list instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Publish a flow on a running server: prints its version, or everything that is wrong with it. Exits with 1 when anything is.
    Publish(Publish),
    /// Print the JSON Schema of a flow.
    Schema {
        /// Which flow.
        #[arg(value_parser = ["reception", "assignment"])]
        flow: String,
    },
    /// Say what a desk does under a load that is made up: customers who come by chance, services that take as long as they take.
    Model(Model),
}

/// See [`Command::Outreach`].
#[derive(Clone, Debug, Subcommand)]
pub enum OutreachCommand {
    /// Verify a file of evidence by the stored bytes in it alone: who wrote last and when, how old that was, and what had to be decided.
    /// Needs no log and no server. Exits with 1 when anything does not hold, and says which line and why.
    Verify {
        /// The file; `-` for standard input.
        file: PathBuf,
        /// Print one JSON object instead of text.
        #[arg(long)]
        json: bool,
    },
}
