//! Devices that are signed in, attached to their feed, and say nothing: what one of them costs.

use std::time::{Duration, Instant};

use super::crowded::Crowd;
use crate::args::IdleArgs;
use crate::error::LoadError;
use crate::procfs;
use crate::report::{Report, thousandths};

/// For the server's allocator to settle before it is looked at.
const SETTLE: Duration = Duration::from_secs(2);
/// How often it is looked whether everybody is back.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Runs and reports.
pub async fn run(args: &IdleArgs, flush_ms: f64) -> Result<Report, LoadError> {
    let started = Instant::now();
    let target = &args.target;
    let crowd = Crowd::new(target, args.connections as usize).await?;
    let (stage, chaos) = (&crowd.stage, &crowd.chaos);
    eprintln!("idle: tenant {}, signing in {} customers", stage.tenant, args.connections);
    let accounts = crowd.customers(args.connections).await?;
    let meter = &chaos.meter;
    let pss_kb = || meter.server().map(procfs::pss_kb).transpose();
    let settle = if target.report.server_pid.is_some() { SETTLE } else { Duration::ZERO };
    tokio::time::sleep(settle).await;
    let before = pss_kb()?;
    let devices = crowd.gather(&accounts, args.rate).await?;
    tokio::time::sleep(settle).await;
    let after = pss_kb()?;
    let (cpu_before, measured_from) = (meter.cpu()?, Instant::now());
    let havoc = chaos.begin();
    let stay = async {
        tokio::time::sleep(Duration::from_secs_f64(args.seconds)).await;
        Ok(())
    };
    let ((), ()) = tokio::try_join!(stay, chaos.kills_within(&stage.api, args.seconds))?;
    drop(havoc);
    let (cpu, measured) = (meter.cpu_since(cpu_before)?, measured_from.elapsed());
    let after = pss_kb()?.max(after);
    let alive = || devices.iter().filter(|device| device.is_online()).count() as u64;
    // Whoever was cut off in the last moment comes back.
    let give_up = Instant::now() + target.stall();
    while alive() < u64::from(args.connections) && Instant::now() < give_up {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let counts = crowd.counts.borrow();
    let mut report = Report {
        mode: "idle",
        tenant: stage.tenant.clone(),
        flush_ms,
        connections: Some(u64::from(args.connections)),
        connected: Some(alive()),
        reconnects: counts.reconnects,
        chaos: chaos.report(&counts),
        measured_s: thousandths(measured.as_secs_f64()),
        server_rss_mb: meter.rss_mb()?,
        errors: counts.errors.clone(),
        ..Report::default()
    };
    report.latencies(&counts);
    report.bytes_per_connection =
        before.zip(after).map(|(before, after)| (after.saturating_sub(before) * 1_024) as f64 / f64::from(args.connections));
    report.server_cpu_share = cpu.server_s.map(|used| thousandths(used / measured.as_secs_f64()));
    report.wall_s = started.elapsed().as_secs_f64();
    Ok(report)
}
