//! CPU time and memory of processes, from /proc. Linux only, and says so by an error elsewhere.

use std::io;

use super::error::LoadError;

/// Clock ticks a second in /proc: fixed by Linux's interface, whatever the kernel's own tick.
const TICKS_PER_S: f64 = 100.0;

/// CPU seconds that a process has used, in user and kernel.
pub fn cpu_s(pid: u32) -> Result<f64, LoadError> {
    let failed = |source| LoadError::Process { pid, source };
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).map_err(failed)?;
    parse_cpu_s(&stat).ok_or_else(|| failed(io::ErrorKind::InvalidData.into()))
}

/// CPU seconds that a process and all that come from it have used, those that have ended included.
pub fn cpu_of_family_s(pid: u32) -> Result<f64, LoadError> {
    let own = cpu_s(pid)?;
    let stats = std::fs::read_dir("/proc").map_err(|source| LoadError::Process { pid, source })?.flatten();
    let living: Vec<(u32, Kin)> = stats
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            // One that ends meanwhile is counted by its parent.
            parse_kin(&std::fs::read_to_string(entry.path().join("stat")).ok()?).map(|kin| (pid, kin))
        })
        .collect();
    let mut family = vec![pid];
    let mut next = 0;
    let mut sum = own;
    while let Some(&member) = family.get(next) {
        next += 1;
        for (pid, kin) in &living {
            if *pid == member {
                sum += kin.ended_s;
            }
            if kin.parent == member {
                sum += kin.used_s;
                family.push(*pid);
            }
        }
    }
    Ok(sum)
}

/// Of one process: who started it, what it has used, and what those it has waited for had.
struct Kin {
    parent: u32,
    used_s: f64,
    ended_s: f64,
}

fn parse_kin(stat: &str) -> Option<Kin> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let seconds = |at: usize| Some(fields.get(at)?.parse::<f64>().ok()? / TICKS_PER_S);
    Some(Kin { parent: fields.get(1)?.parse().ok()?, used_s: parse_cpu_s(stat)?, ended_s: seconds(13)? + seconds(14)? })
}

/// Resident memory of a process in MiB.
pub fn rss_mb(pid: u32) -> Result<f64, LoadError> {
    let failed = |source| LoadError::Process { pid, source };
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).map_err(failed)?;
    parse_rss_mb(&status).ok_or_else(|| failed(io::ErrorKind::InvalidData.into()))
}

/// Memory of a process in KiB, shared pages counted by their share.
pub fn pss_kb(pid: u32) -> Result<u64, LoadError> {
    let failed = |source| LoadError::Process { pid, source };
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).map_err(failed)?;
    parse_pss_kb(&rollup).ok_or_else(|| failed(io::ErrorKind::InvalidData.into()))
}

fn parse_pss_kb(rollup: &str) -> Option<u64> {
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// Whether any thread of a process still runs. A killed one that waits for its disk may outlive the first thread, and one that is
/// only waiting for its parent to take note of its end does not run.
pub fn is_running(pid: u32) -> bool {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return false };
    let runs = |thread: std::fs::DirEntry| std::fs::read_to_string(thread.path().join("stat")).is_ok_and(|stat| parse_runs(&stat));
    threads.flatten().any(runs)
}

fn parse_runs(stat: &str) -> bool {
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

fn parse_cpu_s(stat: &str) -> Option<f64> {
    // The name in brackets may hold spaces and brackets: fields count from after the last one.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_S)
}

fn parse_rss_mb(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    Some(kib / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_whatever_the_process_is_called() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194304 100 0 0 0 150 50 0 0 20 0 1 0 100 1000 10";
        assert_eq!(parse_cpu_s(stat), Some(2.0));
        assert_eq!(parse_cpu_s("7 (x) S 1"), None);
    }

    #[test]
    fn a_family_has_used_what_its_members_have() {
        let stat = "7 (a b) c) S 3 7 7 0 -1 4194304 100 0 0 0 150 50 20 30 20 0 1 0 100 1000 10";
        let kin = parse_kin(stat).unwrap();
        assert_eq!((kin.parent, kin.used_s, kin.ended_s), (3, 2.0, 0.5));
        let me = std::process::id();
        assert!(cpu_of_family_s(me).unwrap() >= cpu_s(me).unwrap());
        assert!(cpu_of_family_s(u32::MAX).is_err());
    }

    #[test]
    fn a_process_that_has_ended_does_not_run() {
        assert!(parse_runs("7 (a) D 1") && !parse_runs("7 (S) Z 1") && !parse_runs(""));
        assert!(is_running(std::process::id()));
    }

    #[test]
    fn memory_by_share_is_the_line_of_that_name() {
        assert_eq!(parse_pss_kb("Rss:  9 kB\nPss:  7 kB\nPss_Anon:  3 kB\n"), Some(7));
        assert_eq!(parse_pss_kb("Rss:  9 kB\n"), None);
    }

    #[test]
    fn memory_is_the_resident_part() {
        assert_eq!(parse_rss_mb("Name:\tx\nVmRSS:\t    2048 kB\n"), Some(2.0));
        assert_eq!(parse_rss_mb("Name:\tx\n"), None);
    }

    #[test]
    fn this_process_can_be_read() {
        let pid = std::process::id();
        assert!(cpu_s(pid).unwrap() >= 0.0 && rss_mb(pid).unwrap() > 0.0);
    }
}
