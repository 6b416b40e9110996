//! `kefu-load` must notice a lying server: the real program runs against the toy server, which drops, doubles, swaps or alters one
//! message in so many, and must exit non-zero. Against an honest one it must succeed, also when connections are cut and readers
//! stand still; and against kefu itself.

use std::process::Output;
use std::sync::Arc;

use adapters::clock::SystemClock;
use adapters::config::Config;
use serde_json::Value;
use tests::mock_server::{self, Fault, Lies};
use tests::people::OPERATOR_KEY;
use tests::world::World;

const REPLAY: &[&str] = &["replay", concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/dialogues.jsonl")];
const PAIRS: &[&str] = &["pairs", "--pairs", "8", "--seconds", "1", "--warm-up", "0.2"];
const FEW_PAIRS: &[&str] = &["pairs", "--pairs", "4", "--seconds", "0.4", "--warm-up", "0.1"];
const LONGPOLL: &[&str] = &["longpoll", "--pairs", "4", "--seconds", "0.5", "--warm-up", "0.1"];
const DEVICES: &[&str] = &["devices", "--users", "4", "--seconds", "0.5"];
const STORM: &[&str] = &["reconnect-storm", "--connections", "60"];
const IDLE: &[&str] = &["idle", "--connections", "20", "--seconds", "0.5"];
const CAMPAIGN: &[&str] = &["campaign", "--recipients", "60", "--pairs", "2", "--seconds", "0.3", "--warm-up", "0.1"];

/// Runs `kefu-load` against a toy server, and gives up a message after so many seconds.
async fn load_with_patience(lies: Lies, patience: &str, arguments: &[&str]) -> Output {
    let server = mock_server::bind("127.0.0.1:0", lies).await.unwrap();
    let url = format!("http://{}", server.address().unwrap());
    let running = tokio::spawn(server.run());
    let output = load_at(&url, "k", patience, arguments).await;
    running.abort();
    output
}

async fn load_at(url: &str, operator_key: &str, patience: &str, arguments: &[&str]) -> Output {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kefu-load"));
    command.args(arguments).args(["--url", url, "--operator-key", operator_key, "--stall-timeout", patience, "--json"]);
    tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
}

/// The server lies: a message that never comes must not hold up the test.
async fn load(lies: Lies, arguments: &[&str]) -> Output {
    load_with_patience(lies, "1", arguments).await
}

/// The server is honest: whatever takes long on a busy machine comes in the end.
async fn honest(arguments: &[&str]) -> Value {
    let output = load_with_patience(Lies::default(), "20", arguments).await;
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    report(&output)
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

fn number(report: &Value, pointer: &str) -> u64 {
    report.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("{pointer} in {report}"))
}

#[track_caller]
fn assert_noticed(output: &Output, field: &str) {
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(number(&report(output), &format!("/{field}")) > 0, "{field}: {told}");
}

const EVERY_LIE: [(Fault, &str); 4] =
    [(Fault::Drop, "lost"), (Fault::Duplicate, "duplicated"), (Fault::Reorder, "out_of_order"), (Fault::Alter, "altered")];
/// Where each has one message, there is no order that could be broken.
const LIES_WITHOUT_ORDER: [(Fault, &str); 3] = [EVERY_LIE[0], EVERY_LIE[1], EVERY_LIE[3]];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_honest_server_passes() {
    for arguments in [REPLAY, PAIRS, LONGPOLL] {
        let report = honest(arguments).await;
        assert!(number(&report, "/acked") > 0);
        assert_eq!(number(&report, "/sent"), number(&report, "/delivered"));
        assert_eq!(report.get("chaos"), None, "nothing went wrong on purpose");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kefu_itself_passes_every_scenario() {
    let mut world = World::over(Config::default(), |engines| engines.clock = Arc::new(SystemClock::default())).await;
    let url = format!("http://{}", world.serve().await);
    for arguments in [REPLAY, PAIRS, LONGPOLL, DEVICES, STORM, IDLE, CAMPAIGN] {
        let output = load_at(&url, OPERATOR_KEY, "20", arguments).await;
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        let report = report(&output);
        assert!(arguments == IDLE || number(&report, "/acked") > 0, "{arguments:?}: {report}");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_message_in_a_thousand_that_is_a_lie_is_noticed() {
    for (fault, field) in EVERY_LIE {
        assert_noticed(&load(Lies { fault, every: 1_000 }, PAIRS).await, field);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_notices_every_lie_too() {
    for (fault, field) in EVERY_LIE {
        assert_noticed(&load(Lies { fault, every: 20 }, REPLAY).await, field);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_long_poll_notices_every_lie_too() {
    for (fault, field) in EVERY_LIE {
        assert_noticed(&load(Lies { fault, every: 50 }, LONGPOLL).await, field);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_devices_notice_every_lie_too() {
    for (fault, field) in EVERY_LIE {
        assert_noticed(&load(Lies { fault, every: 50 }, DEVICES).await, field);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_notices_every_lie_that_one_message_can_be() {
    for (fault, field) in LIES_WITHOUT_ORDER {
        assert_noticed(&load(Lies { fault, every: 20 }, STORM).await, field);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_notices_every_lie_that_one_message_can_be() {
    for (fault, field) in LIES_WITHOUT_ORDER {
        assert_noticed(&load(Lies { fault, every: 20 }, CAMPAIGN).await, field);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_connections_are_cut_and_readers_stand_still() {
    let chaos = ["--chaos-drops-per-second", "60", "--chaos-stall-readers", "2", "--chaos-stall-seconds", "0.3", "--chaos-seed", "7"];
    for arguments in [FEW_PAIRS, LONGPOLL, DEVICES, CAMPAIGN, IDLE] {
        let report = honest(&[arguments, &chaos].concat()).await;
        assert_eq!(number(&report, "/chaos/seed"), 7);
        for happened in ["drops", "stalls", "reconnects"] {
            assert!(number(&report, &format!("/chaos/{happened}")) > 0, "{happened}: {report}");
        }
    }
    // These are over when their work is, which may be before anything could go wrong.
    for arguments in [STORM, REPLAY] {
        let report = honest(&[arguments, &chaos].concat()).await;
        assert_eq!(number(&report, "/chaos/seed"), 7);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lie_is_noticed_under_chaos_too() {
    let chaos = ["--chaos-drops-per-second", "20"];
    for (arguments, (fault, field)) in [(FEW_PAIRS, EVERY_LIE[0]), (LONGPOLL, EVERY_LIE[1]), (DEVICES, EVERY_LIE[1])] {
        assert_noticed(&load(Lies { fault, every: 50 }, &[arguments, &chaos].concat()).await, field);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_keeps_to_its_rate() {
    // What is paced: messages, connections, conversations. Flat out there are many times more of them in that time.
    for (arguments, rate, paced) in [
        (FEW_PAIRS, 40, "/sent"),
        (LONGPOLL, 40, "/sent"),
        (DEVICES, 40, "/sent"),
        (CAMPAIGN, 40, "/sent"),
        (IDLE, 10, "/connections"),
        (STORM, 40, "/connections"),
        (REPLAY, 10, "/conversations"),
    ] {
        let report = honest(&[arguments, &["--rate", &rate.to_string()]].concat()).await;
        // However slow the machine is: no more than falls due in the whole run, the first at once and any by a grain too early.
        let due = f64::from(rate) * report["wall_s"].as_f64().unwrap() + 2.0;
        assert!((number(&report, paced) as f64) <= due, "{arguments:?}: {} of {due} {paced}: {report}", number(&report, paced));
        // The toy's campaign is over at once: its pairs talk before it.
        let latency = if arguments == CAMPAIGN { "quiet_p99_ms" } else { "p99_ms" };
        assert!(report[latency].as_f64().unwrap() > 0.0, "{arguments:?}: {report}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_loaded_is_said_and_exits_with_2() {
    let too_many = [PAIRS, &["--chaos-stall-readers", "17"]].concat();
    let too_long = [PAIRS, &["--chaos-stall-readers", "1", "--chaos-stall-seconds", "1"]].concat();
    for (arguments, said) in [
        (&["replay", "/nowhere"][..], "cannot open"),
        (&[PAIRS, &["--chaos-kills", "1"]].concat(), "needs --server-pid"),
        (&[IDLE, &["--chaos-kills", "1", "--server-pid", "1"]].concat(), "needs --restart-cmd"),
        (&too_many, "not so many devices"),
        (&too_long, "must be below --stall-timeout"),
    ] {
        let output = load(Lies::default(), arguments).await;
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(said), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
