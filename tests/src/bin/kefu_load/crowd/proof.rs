//! Reads the feeds and chats of a crowd anew: each customer with one chat.

use std::collections::HashMap;
use std::rc::Rc;

use super::crowded::Crowd;
use crate::error::LoadError;
use crate::ledger::{ChatLedger, ReaderRole};
use crate::report::Findings;
use crate::stage::Account;
use crate::verify::{self, FeedReader};

/// Compares everything with the ledgers, one for each account.
pub async fn everything(crowd: &Crowd<'_>, ledgers: &[ChatLedger], accounts: &[Rc<Account>]) -> Result<Findings, LoadError> {
    let mut owners: HashMap<u128, &Account> = HashMap::new();
    let mut readers = Vec::with_capacity(accounts.len());
    for (ledger, account) in ledgers.iter().zip(accounts) {
        owners.insert(ledger.chat, account);
        readers.push(FeedReader { account, role: ReaderRole::Customer, chats: vec![ledger.chat] });
    }
    verify::everything(&crowd.stage, crowd.target.page, ledgers, readers, &owners).await
}
