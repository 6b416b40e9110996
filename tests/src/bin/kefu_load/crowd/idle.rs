//! Devices that are signed in, attached to their feed, and say nothing: what one of them costs.

use std::time::{Duration, Instant};

use super::crowded::{customers, gather};
use crate::args::IdleArgs;
use crate::error::LoadError;
use crate::meter::Meter;
use crate::procfs;
use crate::report::{Report, thousandths};
use crate::stage::Stage;

/// For the server's allocator to settle before it is looked at.
const SETTLE: Duration = Duration::from_secs(2);

/// Runs and reports.
pub async fn run(args: &IdleArgs, flush_ms: f64) -> Result<Report, LoadError> {
    let started = Instant::now();
    let target = &args.target;
    let stage = Stage::set(target, 1).await?;
    eprintln!("idle: tenant {}, signing in {} customers", stage.tenant, args.connections);
    let accounts = customers(&stage, args.connections).await?;
    let meter = Meter::new(target.server_pid);
    let pss_kb = || target.server_pid.map(procfs::pss_kb).transpose();
    tokio::time::sleep(SETTLE).await;
    let before = pss_kb()?;
    let devices = gather(&stage, &accounts, target.stall()).await?;
    tokio::time::sleep(SETTLE).await;
    let after = pss_kb()?;
    let (cpu_before, measured_from) = (meter.cpu()?, Instant::now());
    tokio::time::sleep(Duration::from_secs_f64(args.seconds)).await;
    let (cpu_after, measured) = (meter.cpu()?, measured_from.elapsed());
    let after = pss_kb()?.max(after);
    let alive = devices.iter().filter(|device| device.heed.ended.borrow().is_none()).count() as u64;
    let mut report = Report {
        mode: "idle",
        tenant: stage.tenant.clone(),
        flush_ms,
        connections: Some(u64::from(args.connections)),
        connected: Some(alive),
        measured_s: thousandths(measured.as_secs_f64()),
        server_rss_mb: meter.rss_mb()?,
        wall_s: started.elapsed().as_secs_f64(),
        ..Report::default()
    };
    report.bytes_per_connection =
        before.zip(after).map(|(before, after)| (after.saturating_sub(before) * 1_024) as f64 / f64::from(args.connections));
    let used = cpu_after.server_s.zip(cpu_before.server_s).map(|(after, before)| after - before);
    report.server_cpu_share = used.map(|used| thousandths(used / measured.as_secs_f64()));
    for device in &devices {
        if let Some(reason) = device.heed.ended.borrow().as_ref() {
            *report.errors.entry(reason.clone()).or_default() += 1;
        }
    }
    Ok(report)
}
