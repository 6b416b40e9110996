//! Given attempts to start contact, then what is listed of them, and what `verify` finds when the rule was not kept.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use std::sync::Arc;

use application::log::commit::Actor;
use application::log::stream::StreamKey;
use application::ports::event_log::CommitPosition;
use application::queries::{EventRef, OutreachRow};
use domain::event::Event;
use domain::message::{Category, Origin};
use domain::outreach::{AGE_MAX, OutreachVerdict, Ruling};
use domain::time::Millis;
use projections::store::MemoryStore;
use projections::verify::verify;
use support::outreach::{
    ALICE, BUYER, CHAT, NEVER_WROTE, NOWHERE, SENT, TOO_LATE, attempted, opened, outreach, posted, ruling, whole_story,
};
use support::{History, tenant};

#[test]
fn attempts_are_listed_the_newest_first_with_what_became_of_their_messages() {
    let (acme, rival) = (tenant("acme"), tenant("rival"));
    let mut history = History::new();
    let first = history.create_tenant(acme);
    whole_story(&mut history, acme);
    let views = history.viewed().1.views();
    let at = |after: u64| EventRef { commit: CommitPosition(first.0 + after), index: 0 };
    let sent = OutreachRow { attempt: SENT, chat: CHAT, at: at(2), handed_over: vec![at(3)] };
    let late = OutreachRow { attempt: TOO_LATE, chat: CHAT, at: at(4), handed_over: vec![] };
    let never = OutreachRow { attempt: NEVER_WROTE, chat: NOWHERE, at: at(5), handed_over: vec![] };
    let list = |before, limit| views.outreach().attempts(acme, before, limit).unwrap();
    assert_eq!(list(None, 10), [never.clone(), late.clone(), sent.clone()]);
    assert_eq!(list(Some(never.at), 1), [late]);
    assert_eq!(list(Some(sent.at), 10), []);
    assert_eq!(views.outreach().attempt(acme, SENT).unwrap(), Some(sent));
    assert_eq!(views.outreach().attempts(rival, None, 10).unwrap(), []);
    assert_eq!(views.outreach().attempt(rival, SENT).unwrap(), None);
    // Whoever is refused without a chat gets none by it.
    assert_eq!(views.conversation_list().chat(acme, NOWHERE).unwrap(), None);
}

/// The invariants of outreach that a history breaks.
async fn broken(fill: impl FnOnce(&mut History)) -> Vec<String> {
    let mut history = History::new();
    history.actor = Some(Actor::User(ALICE));
    fill(&mut history);
    let report = verify(history.log(), Arc::new(MemoryStore::default())).await.unwrap();
    let names = ["every attempt to start contact", "contact is allowed", "no message starts contact"];
    let about = |name: &str| names.iter().any(|begin| name.starts_with(begin));
    report.invariants.into_iter().filter(|found| found.violated > 0 && about(found.name)).map(|found| found.name.to_owned()).collect()
}

/// The customer wrote, and so long after it somebody did this.
fn after(age: Millis, what: impl FnOnce(Ruling) -> Vec<Event>) -> impl FnOnce(&mut History) {
    move |history| {
        let (acme, wrote) = (tenant("acme"), history.now);
        history.commit(acme, StreamKey::Chat(CHAT), [opened(), posted(1, BUYER, Category::Customer, Origin::Human)]);
        history.now = history.now + age;
        let events = what(ruling(Some(wrote), history.now, OutreachVerdict::Allowed));
        history.commit(acme, StreamKey::Chat(CHAT), events);
    }
}

#[tokio::test]
async fn what_kept_the_rule_to_the_millisecond_is_verified() {
    assert_eq!(broken(after(AGE_MAX, |ruling| vec![attempted(SENT, ruling), outreach(2, SENT)])).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_millisecond_too_late_is_found() {
    let late = after(Millis(AGE_MAX.0 + 1), |ruling| vec![attempted(SENT, ruling), outreach(2, SENT)]);
    assert!(broken(late).await[0].starts_with("contact is allowed"));
}

#[tokio::test]
async fn a_wrong_age_is_found_and_another_message_than_the_newest() {
    let younger = |ruling: Ruling| Ruling { age: Some(Millis(1)), ..ruling };
    let wrong = after(AGE_MAX, |ruling| vec![attempted(SENT, younger(ruling)), outreach(2, SENT)]);
    assert!(broken(wrong).await[0].starts_with("every attempt"));
    // What the shop says is not the customer's.
    let own = after(AGE_MAX, |ruling| {
        let mut forged = ruling;
        forged.qualifying = forged.qualifying.map(|newest| domain::outreach::QualifyingMessage { sender: ALICE, ..newest });
        vec![attempted(SENT, forged), outreach(2, SENT)]
    });
    assert!(broken(own).await[0].starts_with("every attempt"));
}

#[tokio::test]
async fn a_message_that_nothing_allowed_is_found_and_so_is_what_was_allowed_and_not_said() {
    let begins = |found: Vec<String>| found.iter().any(|name| name.starts_with("no message starts contact"));
    assert!(begins(broken(after(Millis(0), |_| vec![outreach(2, SENT)])).await));
    assert!(begins(broken(after(Millis(0), |ruling| vec![attempted(SENT, ruling)])).await));
    assert!(begins(broken(after(Millis(0), |ruling| vec![attempted(SENT, ruling), outreach(2, TOO_LATE)])).await));
    let answer = posted(2, ALICE, Category::Agent, Origin::Human);
    assert!(begins(broken(after(Millis(0), |ruling| vec![attempted(SENT, ruling), answer])).await));
    let twice = |ruling| vec![attempted(SENT, ruling), outreach(2, SENT), outreach(3, SENT)];
    assert!(begins(broken(after(Millis(0), twice)).await));
}

#[tokio::test]
async fn a_command_that_somebody_else_gave_is_found() {
    let found = broken(|history| {
        history.actor = Some(Actor::Policy);
        after(Millis(0), |ruling| vec![attempted(SENT, ruling), outreach(2, SENT)])(history);
    });
    assert!(found.await[0].starts_with("contact is allowed"));
}
