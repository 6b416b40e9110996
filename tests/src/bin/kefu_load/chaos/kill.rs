//! Kills the server in the middle of a run and starts it again: kill -9, spread over the run.
//!
//! It knows a process id and a shell command, nothing else.

use std::io;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::api::Api;
use crate::args::ChaosArgs;
use crate::error::LoadError;
use crate::meter::Meter;
use crate::procfs;

/// How often progress is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How often a restarted server is asked whether it is ready.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// Kills and restarts while the work gets on, until every kill is done; `killed` is told of each.
pub async fn haunt(
    args: &ChaosArgs,
    patience: Duration,
    api: &Api,
    meter: &Meter,
    (all, finished): (u64, impl Fn() -> u64),
    killed: impl Fn(),
) -> Result<(), LoadError> {
    let Some(command) = args.restart_cmd.as_deref().filter(|_| args.chaos_kills > 0) else { return Ok(()) };
    let kills = u64::from(args.chaos_kills);
    for kill in 1..=kills {
        while finished() < threshold(kill, kills, all) {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let Some(pid) = meter.server() else { return Ok(()) };
        eprintln!("chaos: kill {kill} of {kills}: process {pid}, after {} of {all}", finished());
        meter.about_to_kill()?;
        kill_hard(pid).await?;
        killed();
        wait_until_gone(pid, patience).await?;
        let restarted = restart(command, args.pid_file.as_deref()).await?;
        meter.restarted(restarted);
        wait_until_ready(api, patience).await?;
        eprintln!("chaos: the server is back as process {restarted}");
    }
    Ok(())
}

/// After how much of the work a kill comes: evenly spread, none at the very start or end.
fn threshold(kill: u64, kills: u64, all: u64) -> u64 {
    all * kill / (kills + 1)
}

async fn kill_hard(pid: u32) -> Result<(), LoadError> {
    let what = "the server's process cannot be killed";
    let mut kill = Command::new("kill");
    kill.args(["-9", &pid.to_string()]);
    let ran = output(kill).await.map_err(|source| LoadError::Chaos { what, source: Some(source) })?;
    if ran.status.success() { Ok(()) } else { Err(LoadError::Chaos { what, source: None }) }
}

/// Runs a command to its end without holding up the run.
async fn output(mut command: Command) -> io::Result<Output> {
    tokio::task::spawn_blocking(move || command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()).await?
}

/// A killed process still finishes the disk write it is in, and holds its files until then.
async fn wait_until_gone(pid: u32, patience: Duration) -> Result<(), LoadError> {
    let started = Instant::now();
    while procfs::is_running(pid) {
        if started.elapsed() > patience {
            return Err(LoadError::Chaos { what: "the killed process does not end", source: None });
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

async fn restart(command: &str, pid_file: Option<&Path>) -> Result<u32, LoadError> {
    let failed = |source: io::Error| LoadError::Chaos { what: "the restart command failed", source: Some(source) };
    let mut shell = Command::new("sh");
    shell.args(["-c", command]);
    let ran = output(shell).await.map_err(failed)?;
    if !ran.status.success() {
        return Err(LoadError::Chaos { what: "the restart command failed", source: None });
    }
    let told = match pid_file {
        Some(path) => std::fs::read_to_string(path).map_err(failed)?,
        None => String::from_utf8_lossy(&ran.stdout).into_owned(),
    };
    first_number(&told).ok_or(LoadError::Chaos { what: "the restart command told no process id", source: None })
}

fn first_number(text: &str) -> Option<u32> {
    text.split_whitespace().find_map(|word| word.parse().ok())
}

async fn wait_until_ready(api: &Api, patience: Duration) -> Result<(), LoadError> {
    let started = Instant::now();
    while !api.is_ready().await {
        if started.elapsed() > patience {
            return Err(LoadError::Chaos { what: "the restarted server does not become ready", source: None });
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kills_are_spread_over_the_run() {
        assert_eq!((1..=5).map(|kill| threshold(kill, 5, 600)).collect::<Vec<_>>(), [100, 200, 300, 400, 500]);
    }

    #[test]
    fn the_process_id_is_the_first_number_that_is_told() {
        assert_eq!(first_number("listening as 4711\nand 12"), Some(4711));
        assert_eq!(first_number("nothing"), None);
    }

    #[tokio::test]
    async fn a_restart_command_tells_the_process_id_itself_or_in_a_file() {
        assert_eq!(restart("echo 12", None).await.unwrap(), 12);
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("pid");
        assert_eq!(restart(&format!("echo 34 > {}", file.display()), Some(&file)).await.unwrap(), 34);
        assert!(matches!(restart("exit 3", None).await, Err(LoadError::Chaos { .. })));
        assert!(matches!(restart("true", None).await, Err(LoadError::Chaos { .. })));
    }
}
