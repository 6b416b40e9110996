//! The command line. `--help` of every command says what each flag means, its default and its environment variable.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Puts load on a kefu server through its public API, and proves that nothing was lost, doubled or out of order.
///
/// Makes its own tenant, signs everybody in, and keeps a ledger of every acknowledged message; at the end both sides' feeds and
/// the chats are read anew and compared with it. Prints one JSON object to standard output (with --json) and a summary to
/// standard error. Exits with 0 only if everything that was acknowledged is there exactly once and in order.
#[derive(Debug, Parser)]
#[command(name = "kefu-load", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Play recorded dialogues (JSON lines, perhaps gzipped): customers, queue, assignment, messages both ways, ratings, closing.
    Replay(ReplayArgs),
    /// Customer/agent pairs that talk as fast as they can (closed loop, one message outstanding a pair) or at a fixed rate (open loop).
    Pairs(PairsArgs),
    /// The same over the long poll: every message is a request, and what comes is the answer of a held one.
    Longpoll(PairsArgs),
    /// Devices that are signed in, attached to their feed, and say nothing: what one of them costs the server.
    Idle(IdleArgs),
    /// Everybody loses the connection in the same moment, gets a message meanwhile, and comes back at once.
    ReconnectStorm(StormArgs),
    /// Users with several devices each: what one says, all of them show, in the same order.
    Devices(DevicesArgs),
    /// A campaign to many customers beside pairs that talk: how fast it is, and what it costs the pairs.
    Campaign(CampaignArgs),
    /// Pairs that talk over the peer that the figures are compared with: scripts/peer_figures.sh starts it and measures both in turn.
    Peer(PeerArgs),
    /// A toy server in memory that speaks just enough of the API to try the generator itself; it can be told to lie.
    Mock(MockArgs),
}

/// What is reported, and how.
#[derive(Clone, Debug, Args)]
pub struct ReportArgs {
    /// Print the JSON object to standard output.
    #[arg(long, env = "KEFU_LOAD_JSON")]
    pub json: bool,
    /// Process id of the server on this machine: reports its CPU time and memory too; of a peer that from which all its processes come.
    #[arg(long, env = "KEFU_LOAD_SERVER_PID")]
    pub server_pid: Option<u32>,
    /// Directory whose disk flush is measured, best on the server's disk [default: the directory for temporary files].
    #[arg(long, env = "KEFU_LOAD_FLUSH_DIR")]
    pub flush_dir: Option<PathBuf>,
}

/// What all ways of loading kefu need.
#[derive(Clone, Debug, Args)]
pub struct TargetArgs {
    /// Address of the server; plain http, because this program has no TLS.
    #[arg(long, env = "KEFU_URL", default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// The installation's operator key, by which the run makes its tenant and people.
    #[arg(long, env = "KEFU_OPERATOR_KEY", hide_env_values = true)]
    pub operator_key: String,
    /// Name of the tenant to make; must not exist [default: load and the time in base 36].
    #[arg(long, env = "KEFU_LOAD_TENANT")]
    pub tenant: Option<String>,
    /// Quota of the tenant in messages a second; what is over it is refused and sent again [default: none].
    #[arg(long, env = "KEFU_LOAD_QUOTA", value_parser = clap::value_parser!(u32).range(1..))]
    pub quota: Option<u32>,
    /// See [`ReportArgs`].
    #[command(flatten)]
    pub report: ReportArgs,
    /// Seconds without any sign of a message (or of an assignment) after which it is given up and counted.
    #[arg(long, env = "KEFU_LOAD_STALL_TIMEOUT", default_value_t = 30.0, value_parser = positive)]
    pub stall_timeout: f64,
    /// Seconds for which a request or a connection is tried again while the server does not answer.
    #[arg(long, env = "KEFU_LOAD_RETRY_FOR", default_value_t = 60.0, value_parser = positive)]
    pub retry_for: f64,
    /// Feed items that a device may have taken without telling the server (receive is cumulative); the rest is told within 200 ms.
    #[arg(long, env = "KEFU_LOAD_RECEIVE_EVERY", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    pub receive_every: u32,
    /// Items and messages a page when feeds and chats are read anew.
    #[arg(long, env = "KEFU_LOAD_PAGE", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    pub page: u32,
    /// See [`ChaosArgs`].
    #[command(flatten)]
    pub chaos: ChaosArgs,
}

impl TargetArgs {
    /// See [`Self::stall_timeout`].
    pub fn stall(&self) -> Duration {
        Duration::from_secs_f64(self.stall_timeout)
    }
}

/// How fast dialogues are played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// This many times faster than recorded.
    Times(f64),
    /// A turn follows as soon as the one before has been delivered.
    Max,
}

/// `kefu-load replay`.
#[derive(Clone, Debug, Args)]
pub struct ReplayArgs {
    /// The dialogues.
    #[arg(env = "KEFU_LOAD_FILE")]
    pub file: PathBuf,
    /// See [`TargetArgs`].
    #[command(flatten)]
    pub target: TargetArgs,
    /// 1 for the recorded times, N for N times faster, or max for flat out.
    #[arg(long, env = "KEFU_LOAD_SPEED", default_value = "max", value_parser = speed)]
    pub speed: Speed,
    /// Play only the first so many dialogues of the file.
    #[arg(long, env = "KEFU_LOAD_LIMIT")]
    pub limit: Option<usize>,
    /// Conversations started a second, in the recorded order (open loop: latency counts from the time at which a line was due)
    /// [default: when --speed says].
    #[arg(long, env = "KEFU_LOAD_RATE", value_parser = positive)]
    pub rate: Option<f64>,
    /// Conversations at a time when playing flat out without --rate.
    #[arg(long, env = "KEFU_LOAD_CONCURRENCY", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    pub concurrency: u32,
    /// Conversations that an agent takes at a time.
    #[arg(long, env = "KEFU_LOAD_CAPACITY", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub capacity: u32,
}

/// What goes wrong on purpose meanwhile.
#[derive(Clone, Debug, Default, Args)]
pub struct ChaosArgs {
    /// Kill the server (kill -9) this many times, spread over the run; needs --server-pid and --restart-cmd.
    #[arg(long, env = "KEFU_LOAD_CHAOS_KILLS", default_value_t = 0)]
    pub chaos_kills: u32,
    /// Shell command that starts the server again at the same address and returns, such as `kefu serve ... >log 2>&1 & echo $!`.
    #[arg(long, env = "KEFU_LOAD_RESTART_CMD")]
    pub restart_cmd: Option<String>,
    /// File in which the restarted server's process id stands [default: the first number that the restart command prints].
    #[arg(long, env = "KEFU_LOAD_PID_FILE")]
    pub pid_file: Option<PathBuf>,
    /// Connections cut a second, without a farewell and one after the other over all devices, for the whole run.
    #[arg(long, env = "KEFU_LOAD_CHAOS_DROPS_PER_SECOND", default_value_t = 0.0, value_parser = not_negative)]
    pub chaos_drops_per_second: f64,
    /// So many devices stop reading, again and again. Where people talk (pairs, longpoll, devices, campaign) their partners send all
    /// the more meanwhile, so that the server must say `slow`.
    #[arg(long, env = "KEFU_LOAD_CHAOS_STALL_READERS", default_value_t = 0)]
    pub chaos_stall_readers: u32,
    /// Seconds for which such a device does not read, and then reads, in turn.
    #[arg(long, env = "KEFU_LOAD_CHAOS_STALL_SECONDS", default_value_t = 2.0, value_parser = positive)]
    pub chaos_stall_seconds: f64,
    /// Chooses which connections are cut and which devices stop reading.
    #[arg(long, env = "KEFU_LOAD_CHAOS_SEED", default_value_t = 1)]
    pub chaos_seed: u64,
}

/// `kefu-load pairs` and `kefu-load longpoll`.
#[derive(Clone, Debug, Args)]
pub struct PairsArgs {
    /// See [`TargetArgs`].
    #[command(flatten)]
    pub target: TargetArgs,
    /// Customer/agent pairs.
    #[arg(long, env = "KEFU_LOAD_PAIRS", value_parser = clap::value_parser!(u32).range(1..))]
    pub pairs: u32,
    /// Seconds that are measured, after the warm-up.
    #[arg(long, env = "KEFU_LOAD_SECONDS", value_parser = positive)]
    pub seconds: f64,
    /// Messages a second in total, answers included (open loop: latency counts from the time at which a message was due)
    /// [default: closed loop].
    #[arg(long, env = "KEFU_LOAD_RATE", value_parser = positive)]
    pub rate: Option<f64>,
    /// Seconds of load before the measurement starts.
    #[arg(long, env = "KEFU_LOAD_WARM_UP", default_value_t = 2.0, value_parser = not_negative)]
    pub warm_up: f64,
    /// Size of a message's text in bytes.
    #[arg(long, env = "KEFU_LOAD_BYTES", default_value_t = 200, value_parser = clap::value_parser!(u32).range(40..=16_384))]
    pub bytes: u32,
}

/// `kefu-load idle`.
#[derive(Clone, Debug, Args)]
pub struct IdleArgs {
    /// See [`TargetArgs`].
    #[command(flatten)]
    pub target: TargetArgs,
    /// Devices, each of a customer of its own.
    #[arg(long, env = "KEFU_LOAD_CONNECTIONS", value_parser = clap::value_parser!(u32).range(1..))]
    pub connections: u32,
    /// Seconds for which they stay.
    #[arg(long, env = "KEFU_LOAD_SECONDS", value_parser = positive)]
    pub seconds: f64,
    /// Connections opened a second (open loop: the latency of a connection counts from the time at which it was due to its welcome)
    /// [default: 256 at a time].
    #[arg(long, env = "KEFU_LOAD_RATE", value_parser = positive)]
    pub rate: Option<f64>,
}

/// `kefu-load reconnect-storm`.
#[derive(Clone, Debug, Args)]
pub struct StormArgs {
    /// See [`TargetArgs`].
    #[command(flatten)]
    pub target: TargetArgs,
    /// Devices, each of a customer of its own.
    #[arg(long, env = "KEFU_LOAD_CONNECTIONS", value_parser = clap::value_parser!(u32).range(1..))]
    pub connections: u32,
    /// Connections that come back a second (open loop: latency counts from the time at which one was due to its message)
    /// [default: all at once].
    #[arg(long, env = "KEFU_LOAD_RATE", value_parser = positive)]
    pub rate: Option<f64>,
}

/// `kefu-load devices`.
#[derive(Clone, Debug, Args)]
pub struct DevicesArgs {
    /// See [`TargetArgs`].
    #[command(flatten)]
    pub target: TargetArgs,
    /// Users.
    #[arg(long, env = "KEFU_LOAD_USERS", value_parser = clap::value_parser!(u32).range(1..))]
    pub users: u32,
    /// Devices of each.
    #[arg(long, env = "KEFU_LOAD_DEVICES", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=16))]
    pub devices: u32,
    /// Seconds for which they talk.
    #[arg(long, env = "KEFU_LOAD_SECONDS", value_parser = positive)]
    pub seconds: f64,
    /// Messages a second in total (open loop: latency counts from the time at which a message was due until all devices show it)
    /// [default: closed loop, one message outstanding a user].
    #[arg(long, env = "KEFU_LOAD_RATE", value_parser = positive)]
    pub rate: Option<f64>,
}

/// `kefu-load campaign`.
#[derive(Clone, Debug, Args)]
pub struct CampaignArgs {
    /// The pairs that talk meanwhile, at a fixed rate; first for --seconds without the campaign, then as long as it lasts.
    #[command(flatten)]
    pub talk: PairsArgs,
    /// Customers whom the campaign reaches; they are registered first.
    #[arg(long, env = "KEFU_LOAD_RECIPIENTS", value_parser = clap::value_parser!(u32).range(1..))]
    pub recipients: u32,
    /// Customers whom the campaign reaches in a second at most.
    #[arg(long, env = "KEFU_LOAD_PER_SECOND", default_value_t = 1_800, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub per_second: u32,
    /// Of the customers, how many sign in afterwards and look for the message in their feed.
    #[arg(long, env = "KEFU_LOAD_LOOK_AT", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub look_at: u32,
}

/// `kefu-load peer`.
#[derive(Clone, Debug, Args)]
pub struct PeerArgs {
    /// Address of the relay; plain http.
    #[arg(long, env = "KEFU_LOAD_PEER_URL")]
    pub url: String,
    /// Pairs.
    #[arg(long, env = "KEFU_LOAD_PAIRS", value_parser = clap::value_parser!(u32).range(1..))]
    pub pairs: u32,
    /// Seconds that are measured, after the warm-up.
    #[arg(long, env = "KEFU_LOAD_SECONDS", value_parser = positive)]
    pub seconds: f64,
    /// Seconds of load before the measurement starts.
    #[arg(long, env = "KEFU_LOAD_WARM_UP", default_value_t = 2.0, value_parser = not_negative)]
    pub warm_up: f64,
    /// Size of a message's text in bytes.
    #[arg(long, env = "KEFU_LOAD_BYTES", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=16_384))]
    pub bytes: u32,
    /// See [`ReportArgs`].
    #[command(flatten)]
    pub report: ReportArgs,
}

/// How the toy server lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Fault {
    /// It does not.
    #[default]
    None,
    /// A message is acknowledged and then in no feed and no chat.
    Drop,
    /// A message enters the feeds twice.
    Duplicate,
    /// Two messages change places in the feeds.
    Reorder,
    /// A message's text is another.
    Alter,
}

/// `kefu-load mock`.
#[derive(Clone, Debug, Args)]
pub struct MockArgs {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, env = "KEFU_LOAD_MOCK_LISTEN", default_value = "127.0.0.1:0")]
    pub listen: String,
    /// How it lies.
    #[arg(long, env = "KEFU_LOAD_MOCK_FAULT", value_enum, default_value_t)]
    pub fault: Fault,
    /// To how many messages one is a lie.
    #[arg(long, env = "KEFU_LOAD_MOCK_EVERY", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(2..))]
    pub every: u64,
}

fn number(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| format!("{text:?} is no number"))?;
    if number.is_finite() { Ok(number) } else { Err(format!("{text:?} is not finite")) }
}

fn positive(text: &str) -> Result<f64, String> {
    number(text).and_then(|number| if number > 0.0 { Ok(number) } else { Err("must be more than 0".into()) })
}

fn not_negative(text: &str) -> Result<f64, String> {
    number(text).and_then(|number| if number >= 0.0 { Ok(number) } else { Err("must not be negative".into()) })
}

fn speed(text: &str) -> Result<Speed, String> {
    if text == "max" { Ok(Speed::Max) } else { positive(text).map(Speed::Times) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_flag_has_help_and_an_environment_variable() {
        let mut command = Cli::command();
        command.build();
        for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
            for argument in sub.get_arguments().filter(|argument| argument.get_id() != "help") {
                assert!(argument.get_help().is_some(), "{} {}", sub.get_name(), argument.get_id());
                assert!(argument.get_env().is_some(), "{} {}", sub.get_name(), argument.get_id());
            }
        }
    }

    #[test]
    fn a_speed_is_a_positive_number_or_max() {
        assert_eq!(speed("max"), Ok(Speed::Max));
        assert_eq!(speed("12.5"), Ok(Speed::Times(12.5)));
        assert!(speed("0").is_err() && speed("-1").is_err() && speed("fast").is_err() && speed("inf").is_err());
    }
}
