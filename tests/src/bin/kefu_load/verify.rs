//! Reads both sides' feeds and the chats anew and compares them with the ledger.

use std::collections::HashMap;
use std::pin::pin;

use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::error::LoadError;
use super::ledger::{ChatLedger, FeedCheck, HistoryCheck, ReaderRole};
use super::report::Findings;
use super::scan;
use super::stage::{Account, Stage};
use super::wire;

/// Feeds and chats that are read at a time.
const AT_A_TIME: usize = 8;

/// Somebody whose feed is read.
pub struct FeedReader<'a> {
    /// Who.
    pub account: &'a Account,
    /// As what.
    pub role: ReaderRole,
    /// The chats they may have something of.
    pub chats: Vec<u128>,
}

/// Reads everything. `owners` names for each chat the customer who reads it.
pub async fn everything(
    stage: &Stage,
    page: u32,
    ledgers: &[ChatLedger],
    readers: Vec<FeedReader<'_>>,
    owners: &HashMap<u128, &Account>,
) -> Result<Findings, LoadError> {
    let mut findings = Findings::default();
    let by_chat: HashMap<u128, &ChatLedger> = ledgers.iter().map(|ledger| (ledger.chat, ledger)).collect();
    for ledger in ledgers {
        findings.add(ledger.check_acks());
    }
    let feeds = stream::iter(readers).map(|reader| {
        let check = FeedCheck::new(reader.account.user, reader.role, reader.chats.iter().filter_map(|chat| by_chat.get(chat)).copied());
        feed(stage, page, reader.account, check)
    });
    let mut feeds = pin!(feeds.buffer_unordered(AT_A_TIME));
    while let Some(found) = feeds.try_next().await? {
        findings.add(found);
    }
    let chats = stream::iter(ledgers).filter_map(|ledger| async move { Some((ledger, *owners.get(&ledger.chat)?)) });
    let chats = chats.map(|(ledger, owner)| history(stage, page, owner, ledger));
    let mut chats = pin!(chats.buffer_unordered(AT_A_TIME));
    while let Some(found) = chats.try_next().await? {
        findings.add(found);
    }
    Ok(findings)
}

async fn feed(stage: &Stage, page: u32, reader: &Account, mut check: FeedCheck<'_>) -> Result<Findings, LoadError> {
    loop {
        let before = check.last_index();
        let bytes = stage.feed_page(reader, before, page).await?;
        let data = scan::field(&bytes, "data").unwrap_or_default();
        let mut items = 0;
        for item in scan::elements(data) {
            check.take(&wire::item(item));
            items += 1;
        }
        if items == 0 || check.last_index() == before {
            return Ok(check.finish());
        }
    }
}

async fn history(stage: &Stage, page: u32, reader: &Account, ledger: &ChatLedger) -> Result<Findings, LoadError> {
    let mut check = HistoryCheck::new(ledger);
    loop {
        let before = check.last_seq();
        let bytes = stage.chat_page(reader, ledger.chat, before + 1, page).await?;
        let data = scan::field(&bytes, "data").unwrap_or_default();
        let mut messages = 0;
        for message in scan::elements(data) {
            check.take(&wire::message(message));
            messages += 1;
        }
        if messages == 0 || check.last_seq() == before {
            return Ok(check.finish());
        }
    }
}
