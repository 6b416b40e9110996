//! Everybody loses the connection in the same moment, something happens to each meanwhile, and all come back: at once, or so many
//! a second.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::crowded::{Crowd, Member, due};
use super::proof;
use crate::args::StormArgs;
use crate::error::LoadError;
use crate::ids::Mint;
use crate::ledger::{ChatLedger, Entry, digest};
use crate::report::{Findings, Report};
use crate::stage::Account;

/// Requests at a time while the stage is set.
const AT_A_TIME: usize = 64;
/// What everybody finds.
const TEXT: &str = "while you were away";

/// Runs and reports.
pub async fn run(args: &StormArgs, flush_ms: f64) -> Result<Report, LoadError> {
    let started = Instant::now();
    let target = &args.target;
    let crowd = Crowd::new(target, args.connections as usize).await?;
    let (stage, chaos) = (&crowd.stage, &crowd.chaos);
    eprintln!("storm: tenant {}, signing in {} customers", stage.tenant, args.connections);
    let accounts = crowd.customers(args.connections).await?;
    let enter = |account: &Rc<Account>| {
        let account = Rc::clone(account);
        async move { stage.enter(&account, 0).await.map(|(chat, _)| chat) }
    };
    let chats: Vec<u128> = stream::iter(&accounts).map(enter).buffered(AT_A_TIME).try_collect().await?;
    let devices = crowd.gather(&accounts, None).await?;
    crowd.counts.borrow_mut().latency.clear();
    devices.iter().for_each(|device| device.leave());
    eprintln!("storm: everybody is cut off; each gets a message");
    let mut mint = Mint::seeded();
    let said = accounts.iter().zip(&chats).map(|(account, chat)| say(&crowd, account, *chat, mint.uuid_v7()));
    let said: Vec<_> = said.collect();
    let ledgers: Vec<ChatLedger> = stream::iter(said).buffered(AT_A_TIME).try_collect().await?;

    eprintln!("storm: everybody comes back");
    let (storm, back_again) = (Instant::now(), Cell::new(0));
    let havoc = chaos.begin();
    let back = devices.iter().zip(&ledgers).enumerate().map(|(nth, (device, ledger))| {
        let (back_again, crowd) = (&back_again, &crowd);
        async move {
            let due = due(storm, nth, args.rate).await;
            let back = comes_back(device, ledger, crowd).await;
            back_again.set(back_again.get() + 1);
            if back.is_ok() {
                crowd.counts.borrow_mut().latency.record(due.elapsed());
            }
            back
        }
    });
    let all_back = async { Ok(join_all(back).await) };
    let (outcomes, ()) = tokio::try_join!(all_back, chaos.kills(&stage.api, u64::from(args.connections), || back_again.get()))?;
    let served = storm.elapsed();
    drop(havoc);
    let mut findings = Findings::default();
    let mut connected = 0;
    {
        let mut counts = crowd.counts.borrow_mut();
        counts.sent = u64::from(args.connections);
        counts.acked = counts.sent;
        for (outcome, device) in outcomes.iter().zip(&devices) {
            match outcome {
                Ok(()) => connected += 1,
                Err(error) => {
                    counts.error(error.kind());
                    findings.lost += 1;
                }
            }
            findings.duplicated += device.ear.doubled();
        }
        counts.delivered = connected;
    }
    eprintln!("storm: reading the feeds and the chats anew");
    findings.add(proof::everything(&crowd, &ledgers, &accounts).await?);
    let counts = crowd.counts.borrow();
    let mut report = Report {
        mode: "reconnect-storm",
        tenant: stage.tenant.clone(),
        flush_ms,
        connections: Some(u64::from(args.connections)),
        connected: Some(connected),
        chaos: chaos.report(&counts),
        ..Report::default()
    };
    report.totals(&counts, findings);
    report.latencies(&counts);
    report.measured_s = served.as_secs_f64();
    report.wall_s = started.elapsed().as_secs_f64();
    Ok(report)
}

async fn say(crowd: &Crowd<'_>, account: &Rc<Account>, chat: u128, client_id: u128) -> Result<ChatLedger, LoadError> {
    let said = crowd.stage.say(account, chat, client_id, TEXT).await?;
    let entry = Entry {
        client_id,
        message: said.message,
        seq: said.seq,
        position: said.position,
        text: digest(TEXT),
        sender: account.user,
        order: 1,
        delivered: true,
    };
    Ok(ChatLedger { chat, entries: vec![entry] })
}

async fn comes_back(device: &Rc<Member>, ledger: &ChatLedger, crowd: &Crowd<'_>) -> Result<(), LoadError> {
    device.come_back();
    for entry in &ledger.entries {
        device.ear.until(crowd.target.stall(), entry.client_id).await?;
    }
    Ok(())
}
