//! `kefu-load` must notice a lying server: the real program runs against the toy server, which drops, doubles, swaps or alters one
//! message in so many, and must exit non-zero. Against an honest one it must succeed.

use std::process::Output;

use tests::mock_server::{self, Fault, Lies};

/// Runs `kefu-load` against a toy server.
async fn load(lies: Lies, arguments: &[&str]) -> Output {
    let server = mock_server::bind("127.0.0.1:0", lies).await.unwrap();
    let url = format!("http://{}", server.address().unwrap());
    let running = tokio::spawn(server.run());
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_kefu-load"));
    command.args(arguments).args(["--url", &url, "--operator-key", "k", "--stall-timeout", "1", "--json"]);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    running.abort();
    output
}

async fn replay(lies: Lies) -> Output {
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/dialogues.jsonl");
    load(lies, &["replay", fixture]).await
}

async fn pairs(lies: Lies) -> Output {
    load(lies, &["pairs", "--pairs", "8", "--seconds", "1", "--warm-up", "0.2"]).await
}

fn number(output: &Output, field: &str) -> u64 {
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    report[field].as_u64().unwrap()
}

#[track_caller]
fn assert_noticed(output: &Output, field: &str) {
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(number(output, field) > 0, "{field}: {told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_honest_server_passes() {
    for output in [replay(Lies::default()).await, pairs(Lies::default()).await] {
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(number(&output, "acked") > 0);
        assert_eq!(number(&output, "sent"), number(&output, "delivered"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_message_in_a_thousand_that_is_acked_and_dropped_is_noticed() {
    assert_noticed(&pairs(Lies { fault: Fault::Drop, every: 1_000 }).await, "lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_message_in_a_thousand_that_is_doubled_is_noticed() {
    assert_noticed(&pairs(Lies { fault: Fault::Duplicate, every: 1_000 }).await, "duplicated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_messages_in_a_thousand_that_change_places_are_noticed() {
    assert_noticed(&pairs(Lies { fault: Fault::Reorder, every: 1_000 }).await, "out_of_order");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_message_in_a_thousand_that_is_altered_is_noticed() {
    assert_noticed(&pairs(Lies { fault: Fault::Alter, every: 1_000 }).await, "altered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_notices_every_lie_too() {
    for (fault, field) in
        [(Fault::Drop, "lost"), (Fault::Duplicate, "duplicated"), (Fault::Reorder, "out_of_order"), (Fault::Alter, "altered")]
    {
        assert_noticed(&replay(Lies { fault, every: 20 }).await, field);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_loaded_is_said_and_exits_with_2() {
    for (arguments, said) in
        [(&["replay", "/nowhere"][..], "cannot open"), (&["replay", "/nowhere", "--chaos-kills", "1"], "needs --server-pid")]
    {
        let output = load(Lies::default(), arguments).await;
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(said));
    }
}
