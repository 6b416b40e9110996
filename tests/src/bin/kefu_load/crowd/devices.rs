//! Several devices of each user: what one says, all of them show, in the same order.

use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_util::future::{join_all, try_join_all};
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::crowded::{Device, customers};
use crate::args::DevicesArgs;
use crate::error::LoadError;
use crate::ids::Mint;
use crate::meter::Meter;
use crate::report::{Counts, Cpu, Findings, Report};
use crate::stage::{Account, Stage};
use crate::wire;

/// Users that are made ready at a time.
const AT_A_TIME: usize = 32;

struct User {
    chat: u128,
    devices: Vec<Device>,
}

/// Runs and reports.
pub async fn run(args: &DevicesArgs, flush_ms: f64) -> Result<Report, LoadError> {
    let started = Instant::now();
    let target = &args.target;
    let stage = Stage::set(target, 1).await?;
    eprintln!("devices: tenant {}, {} users with {} devices each", stage.tenant, args.users, args.devices);
    let accounts = customers(&stage, args.users).await?;
    let ready = stream::iter(&accounts).map(|account| ready(&stage, account, args.devices, target.stall()));
    let users: Vec<User> = ready.buffered(AT_A_TIME).try_collect().await?;
    let meter = Meter::new(target.server_pid);
    let (cpu_before, from) = (meter.cpu()?, Instant::now());
    let until = from + Duration::from_secs_f64(args.seconds);
    let talks = join_all(users.iter().map(|user| talk(user, until, target.stall()))).await;
    let (cpu_after, measured) = (meter.cpu()?, from.elapsed());

    let (mut counts, mut findings) = (Counts::default(), Findings::default());
    for (user, (said, error)) in users.iter().zip(talks) {
        counts.sent += said.len() as u64;
        counts.acked += said.len() as u64;
        for (_, took) in &said {
            counts.latency.record(*took);
        }
        if let Some(error) = error {
            counts.error(error.kind());
        }
        for device in &user.devices {
            let heard = device.heed.messages.borrow();
            let ids: Vec<u128> = said.iter().map(|(id, _)| *id).collect();
            findings.lost += ids.iter().filter(|id| !heard.contains(id)).count() as u64;
            findings.duplicated += device.heed.doubled.get();
            findings.out_of_order += device.heed.gaps.get() + u64::from(*heard != ids && heard.len() == ids.len());
            counts.delivered += heard.len() as u64;
        }
    }
    let mut report = Report {
        mode: "devices",
        tenant: stage.tenant.clone(),
        conversations: users.len() as u64,
        flush_ms,
        connections: Some(u64::from(args.users) * u64::from(args.devices)),
        ..Report::default()
    };
    report.totals(&counts, findings);
    let cpu = Cpu {
        server_s: cpu_after.server_s.zip(cpu_before.server_s).map(|(after, before)| after - before),
        load_s: cpu_after.load_s - cpu_before.load_s,
    };
    report.measured(&counts, counts.acked, measured, cpu);
    report.server_rss_mb = meter.rss_mb()?;
    report.wall_s = started.elapsed().as_secs_f64();
    Ok(report)
}

async fn ready(stage: &Stage, account: &Account, devices: u32, patience: Duration) -> Result<User, LoadError> {
    let (chat, _) = stage.enter(account, 0).await?;
    let connect = (0..devices).map(|_| async {
        let device = Device::connect(stage, account, Rc::default()).await?;
        device.until(patience, |heed| heed.welcome.get()).await?;
        Ok::<_, LoadError>(device)
    });
    Ok(User { chat, devices: try_join_all(connect).await? })
}

/// Each message is said on the next device in turn, and waited for on all of them.
async fn talk(user: &User, until: Instant, patience: Duration) -> (Vec<(u128, Duration)>, Option<LoadError>) {
    let mut mint = Mint::seeded();
    let mut said = Vec::new();
    while Instant::now() < until {
        let id = mint.uuid_v7();
        let since = Instant::now();
        let speaker = &user.devices[said.len() % user.devices.len()];
        speaker.outbox.push(|out| wire::send(out, id, user.chat, b"\"to all of my devices\"", None));
        speaker.outbox.flush();
        let all = user.devices.iter().map(|device| device.until(patience, |heed| heed.messages.borrow().last() == Some(&id)));
        if let Err(error) = try_join_all(all).await {
            return (said, Some(error));
        }
        said.push((id, since.elapsed()));
    }
    (said, None)
}
