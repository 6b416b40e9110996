//! Everybody loses the connection in the same moment, something happens to each meanwhile, and all come back at once.

use std::rc::Rc;
use std::time::Instant;

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::crowded::{Device, Heed, customers, gather};
use crate::args::StormArgs;
use crate::error::LoadError;
use crate::ids::Mint;
use crate::report::{Counts, Findings, Latency, Report};
use crate::stage::{Account, Stage};

/// Requests at a time while the stage is set.
const AT_A_TIME: usize = 64;

/// Runs and reports.
pub async fn run(args: &StormArgs, flush_ms: f64) -> Result<Report, LoadError> {
    let started = Instant::now();
    let target = &args.target;
    let stage = Stage::set(target, 1).await?;
    eprintln!("storm: tenant {}, signing in {} customers", stage.tenant, args.connections);
    let accounts = customers(&stage, args.connections).await?;
    let chats: Vec<u128> = stream::iter(&accounts).map(|account| open_chat(&stage, account)).buffered(AT_A_TIME).try_collect().await?;
    let devices = gather(&stage, &accounts, target.stall()).await?;
    let heeds: Vec<Rc<Heed>> = devices.iter().map(|device| Rc::clone(&device.heed)).collect();
    drop(devices);
    eprintln!("storm: everybody is cut off; each gets a message");
    let mut mint = Mint::seeded();
    let ids: Vec<u128> = accounts.iter().map(|_| mint.uuid_v7()).collect();
    let said = accounts.iter().zip(&chats).zip(&ids).map(|((account, chat), id)| stage.say(account, *chat, *id));
    stream::iter(said).buffer_unordered(AT_A_TIME).try_for_each(|()| async { Ok(()) }).await?;

    eprintln!("storm: everybody comes back");
    let storm = Instant::now();
    let back = accounts.iter().zip(&heeds).zip(&ids).map(|((account, heed), id)| {
        let (stage, heed, id) = (&stage, Rc::clone(heed), *id);
        async move {
            let device = Device::connect(stage, account, heed).await?;
            device.until(target.stall(), |heed| heed.messages.borrow().contains(&id)).await?;
            Ok::<_, LoadError>((device, storm.elapsed()))
        }
    });
    let outcomes = join_all(back).await;
    let served = storm.elapsed();
    let (mut counts, mut findings) = (Counts::default(), Findings::default());
    let mut latency = Latency::default();
    counts.sent = u64::from(args.connections);
    counts.acked = counts.sent;
    for outcome in &outcomes {
        match outcome {
            Ok((_, after)) => {
                counts.delivered += 1;
                counts.reconnects += 1;
                latency.record(*after);
            }
            Err(error) => {
                counts.error(error.kind());
                findings.lost += 1;
            }
        }
    }
    for (heed, id) in heeds.iter().zip(&ids) {
        let times = heed.messages.borrow().iter().filter(|message| *message == id).count() as u64;
        findings.duplicated += times.saturating_sub(1) + heed.doubled.get();
        findings.out_of_order += heed.gaps.get();
    }
    counts.latency = latency;
    let mut report = Report {
        mode: "reconnect-storm",
        tenant: stage.tenant.clone(),
        flush_ms,
        connections: Some(u64::from(args.connections)),
        connected: Some(counts.reconnects),
        ..Report::default()
    };
    report.totals(&counts, findings);
    report.latencies(&counts);
    report.measured_s = served.as_secs_f64();
    report.wall_s = started.elapsed().as_secs_f64();
    Ok(report)
}

async fn open_chat(stage: &Stage, account: &Account) -> Result<u128, LoadError> {
    stage.enter(account, 0).await.map(|(chat, _)| chat)
}
