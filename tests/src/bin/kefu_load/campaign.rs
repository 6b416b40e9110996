//! A campaign to many customers, with pairs beside it that talk at a fixed rate: first without it, then as long as it lasts.
//!
//! What is proved: everybody on the list is reached, and of those who are looked at, each has the message once in their feed;
//! of the pairs, what is always proved of pairs.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Value, json};

use super::args::CampaignArgs;
use super::chaos::Chaos;
use super::error::LoadError;
use super::link::Transport;
use super::pairs;
use super::report::{Findings, Report};
use super::stage::{Account, Part, Stage};

/// Customers of one request while they are registered, and while they are listed.
const REGISTERED_AT_A_TIME: usize = 1_000;
const LISTED_AT_A_TIME: usize = 5_000;
/// Requests at a time.
const AT_A_TIME: usize = 4;
/// Customers who look into their feeds at a time.
const LOOKING_AT_A_TIME: usize = 16;
/// How often the campaign is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// What everybody is told.
const TEXT: &str = "spring sale";
/// Items of a feed that are looked at: a recipient's holds a handful.
const ITEMS: u32 = 200;

/// Runs and reports.
pub async fn run(args: &CampaignArgs, flush_ms: f64) -> Result<Report, LoadError> {
    let started = Instant::now();
    let target = &args.talk.target;
    let chaos = Chaos::new(target, pairs::devices(&args.talk))?;
    let stage = Rc::new(Stage::set(target, 1).await?);
    let campaign = prepare(&stage, args).await?;
    eprintln!("campaign: {} customers listed after {:.1} s", args.recipients, started.elapsed().as_secs_f64());

    let took = Cell::new(0.0);
    let speak = async {
        let begun = Instant::now();
        let _ = stage.order(&format!("/campaigns/{campaign}/start"), json!({})).await?;
        let done = Cell::new(0);
        let kills = chaos.kills(&stage.api, u64::from(args.recipients), || done.get());
        let ((), ()) = tokio::try_join!(kills, until_over(&stage, &campaign, &done))?;
        took.set(begun.elapsed().as_secs_f64());
        Ok(())
    };
    let talked = pairs::run_on(Rc::clone(&stage), &chaos, &args.talk, Transport::Socket, flush_ms, Some(speak.boxed_local())).await?;
    let mut report = Report { mode: "campaign", ..talked };
    let tally = stage.look(&format!("/campaigns/{campaign}")).await?["tally"].clone();
    report.recipients = Some(u64::from(args.recipients));
    report.reached = tally["sent"].as_u64();
    report.campaign_s = Some(took.get());
    eprintln!("campaign: over after {:.1} s, {tally}; {} customers look into their feeds", took.get(), args.look_at.min(args.recipients));
    let found = look(&stage, args).await?;
    report.lost += found.lost;
    report.duplicated += found.duplicated;
    report.altered += found.altered;
    report.examples.extend(found.examples);
    report.wall_s = started.elapsed().as_secs_f64();
    Ok(report)
}

fn name(nth: u32) -> String {
    format!("recipient-{nth}")
}

/// Registers the customers and writes the campaign.
async fn prepare(stage: &Stage, args: &CampaignArgs) -> Result<String, LoadError> {
    let names: Vec<String> = (0..args.recipients).map(name).collect();
    let imports = stream::iter(names.chunks(REGISTERED_AT_A_TIME)).map(|chunk| stage.import(chunk.to_vec()));
    let users: Vec<String> = imports.buffered(AT_A_TIME).try_concat().await?;
    let text = json!({"shop": "shop1", "style": "card", "content": TEXT, "ext": {"sku": "A1"}, "per_second": args.per_second});
    let written = stage.order("/campaigns", text).await?;
    let incomplete = LoadError::Incomplete { what: "writing a campaign".into(), field: "id" };
    let campaign = written["id"].as_str().map(str::to_owned).ok_or(incomplete)?;
    for listed in users.chunks(LISTED_AT_A_TIME) {
        let _ = stage.order(&format!("/campaigns/{campaign}/recipients"), json!({"recipients": listed})).await?;
    }
    Ok(campaign)
}

async fn until_over(stage: &Stage, campaign: &str, done: &Cell<u64>) -> Result<(), LoadError> {
    loop {
        let now = stage.look(&format!("/campaigns/{campaign}")).await?;
        done.set(now["done"].as_u64().unwrap_or_default());
        match now["status"].as_str() {
            Some("draft" | "running" | "paused") => tokio::time::sleep(LOOK_EVERY).await,
            Some("finished" | "cancelled") => return Ok(()),
            other => return Err(LoadError::Incomplete { what: format!("a campaign that is {other:?}"), field: "a known status" }),
        }
    }
}

/// Some recipients, evenly chosen, sign in and look into their feeds.
async fn look(stage: &Stage, args: &CampaignArgs) -> Result<Findings, LoadError> {
    let step = (args.recipients / args.look_at).max(1) as usize;
    let chosen = stream::iter((0..args.recipients).step_by(step)).map(|nth| async move {
        let people: Vec<Account> = stage.people(vec![Part::Customer { name: name(nth) }]).await?;
        let mut found = Findings::default();
        for account in &people {
            let page: Value = serde_json::from_slice(&stage.feed_page(account, 0, ITEMS).await?).unwrap_or_default();
            let items = page["data"].as_array().into_iter().flatten();
            let heard: Vec<&Value> = items.filter(|item| item["m"]["origin"] == "campaign").collect();
            found.lost += u64::from(heard.is_empty());
            found.duplicated += heard.len().saturating_sub(1) as u64;
            if heard.len() != 1 {
                found.example(|| format!("{} has the message {} times", name(nth), heard.len()));
            }
            let altered = heard.iter().filter(|item| item["m"]["content"] != TEXT).count() as u64;
            found.altered += altered;
            if altered > 0 {
                found.example(|| format!("{} has another text", name(nth)));
            }
        }
        Ok::<_, LoadError>(found)
    });
    let mut all = Findings::default();
    for found in chosen.buffer_unordered(LOOKING_AT_A_TIME).try_collect::<Vec<_>>().await? {
        all.add(found);
    }
    Ok(all)
}
