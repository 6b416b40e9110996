//! An event that a view cannot take stops that view for that tenant, until a recorded verdict; versions that differ are rebuilt.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use application::log::stream::StreamKey;
use application::ports::event_log::CommitPosition;
use application::queries::{EventRef, StoppedConsumer};
use domain::event::Event;
use domain::ids::ChatId;
use domain::message::{Category, Visibility};
use domain::tenant::event::{ConsumerResumed, PoisonVerdict};
use projections::engine::{EVERY_VIEW, Engine};
use projections::projection::ViewInfo;
use projections::store::{MemoryStore, ViewStore};
use projections::verify::verify;
use support::people::{BUYER, message};
use support::shop::Shop;
use support::{History, memory_store, tenant};

const NO_DELIVERY: CommitPosition = CommitPosition(u64::MAX);

type Dump = BTreeMap<String, BTreeMap<Vec<u8>, Vec<u8>>>;

fn a_day(history: History, slug: &str, seed: u64) -> Shop {
    let until = history.events() + 300;
    let mut shop = Shop::new(tenant(slug), history, seed, 2);
    shop.run(until);
    shop
}

fn resumed(history: &mut History, slug: &str, consumer: &str, at: CommitPosition, verdict: PoisonVerdict) {
    let event = ConsumerResumed { consumer: consumer.into(), commit: at.0, index: 0, verdict };
    history.commit(tenant(slug), StreamKey::Tenant, [Event::Tenant(event.into())]);
}

fn applied(history: &History, store: &Arc<dyn ViewStore>) -> Engine {
    let mut engine = Engine::open(Arc::clone(store), history.log()).unwrap();
    engine.apply(history.decoded(), NO_DELIVERY).unwrap();
    engine.checkpoint().unwrap();
    engine
}

/// The rows alone: positions differ when commits were added.
fn rows(dump: Dump) -> Dump {
    dump.into_iter().filter(|(table, _)| table != "meta").collect()
}

fn built(history: &History) -> Dump {
    let (memory, store) = memory_store();
    applied(history, &store);
    memory.dump()
}

#[test]
fn an_unknown_event_stops_every_view_for_its_tenant_alone() {
    let mut shop = a_day(History::new(), "acme", 1);
    let at = shop.history.unknown(tenant("acme"), StreamKey::Chat(ChatId::from_u128(1)));
    shop.run(700);
    let shop = a_day(shop.history, "b", 2);
    let (memory, store) = memory_store();
    let engine = applied(&shop.history, &store);
    let stopped = engine.stopped();
    assert_eq!(stopped.len(), projections::all().len());
    for stop in &stopped {
        assert_eq!((stop.tenant, stop.at), (tenant("acme"), EventRef { commit: at, index: 0 }));
        assert_eq!(stop.cause, "unknown event chat.teleported");
    }
    assert_eq!(Engine::open(store, shop.history.log()).unwrap().stopped(), stopped, "also after a restart");
    // The other tenant has what it would have had alone.
    let of_b = |dump: Dump| -> usize {
        dump.iter()
            .filter(|(table, _)| **table == *projections::feed::INFO.table("chats"))
            .flat_map(|(_, rows)| rows.keys())
            .filter(|key| key.starts_with(b"b\0"))
            .count()
    };
    assert!(of_b(memory.dump()) > 3);
    assert_eq!(engine.position(), shop.history.head());
}

#[test]
fn a_view_that_skips_an_event_goes_on_as_if_it_had_not_happened() {
    let without = a_day(a_day(History::new(), "acme", 1).history, "b", 2).history;
    for consumer in projections::all() {
        let mut shop = a_day(History::new(), "acme", 1);
        let at = shop.history.unknown(tenant("acme"), StreamKey::Chat(ChatId::from_u128(1)));
        let mut history = a_day(shop.history, "b", 2).history;
        resumed(&mut history, "acme", consumer.name, at, PoisonVerdict::Retry);
        resumed(&mut history, "b", consumer.name, at, PoisonVerdict::Skip);
        let stopped = applied(&history, &memory_store().1).stopped();
        assert_eq!(stopped.len(), projections::all().len(), "neither another try nor another tenant's verdict helps");
        resumed(&mut history, "acme", consumer.name, at, PoisonVerdict::Skip);

        // As it happened: it stood still, and went on when the verdict came.
        let (memory, store) = memory_store();
        let mut engine = Engine::open(Arc::clone(&store), history.log_until(history.commits.len() - 1)).unwrap();
        let mut commits = history.decoded();
        let verdict = commits.pop().unwrap();
        engine.apply(commits, NO_DELIVERY).unwrap();
        engine.checkpoint().unwrap();
        let mut engine = Engine::open(store, history.log()).unwrap();
        engine.apply(vec![verdict], NO_DELIVERY).unwrap();
        engine.checkpoint().unwrap();
        assert!(engine.stopped().iter().all(|stop| stop.consumer != consumer.name));

        // Rebuilt from the beginning, with the verdict known ahead.
        assert_eq!(memory.dump(), built(&history));

        let mine = |dump: Dump| -> Dump { rows(dump).into_iter().filter(|(table, _)| consumer.owns(table)).collect() };
        let (skipped, expected) = (mine(memory.dump()), mine(built(&without)));
        assert_eq!(skipped.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        for (table, expected) in expected {
            assert_eq!(skipped[&table].len(), expected.len(), "{table}");
        }
    }
}

#[test]
fn a_retry_after_the_cause_was_mended_takes_in_everything_that_was_missed() {
    let mut history = a_day(a_day(History::new(), "acme", 3).history, "b", 4).history;
    let at = CommitPosition(40);
    for consumer in ["feed", "unread"] {
        resumed(&mut history, "acme", consumer, at, PoisonVerdict::Retry);
    }
    let stop = |consumer: &str| StoppedConsumer {
        consumer: consumer.into(),
        tenant: tenant("acme"),
        at: EventRef { commit: at, index: 0 },
        cause: "not mended yet".into(),
    };
    let (memory, store) = memory_store();
    let mut engine = Engine::open(store, history.log()).unwrap();
    engine.repeat(vec![stop("feed"), stop("unread")], vec![at; EVERY_VIEW.len()]);
    let mut commits = history.decoded();
    let verdicts = commits.split_off(commits.len() - 2);
    engine.apply(commits, NO_DELIVERY).unwrap();
    assert_eq!(engine.stopped(), [stop("unread"), stop("feed")]);
    engine.checkpoint().unwrap();
    engine.apply(verdicts, NO_DELIVERY).unwrap();
    engine.checkpoint().unwrap();
    assert_eq!(engine.stopped(), []);
    assert_eq!(memory.dump(), built(&history));
}

#[test]
fn a_fact_that_cannot_be_stops_the_views_that_see_it() {
    let mut shop = a_day(History::new(), "acme", 1);
    let chat = StreamKey::Chat(ChatId::from_u128(77));
    let opened = domain::chat::event::ChatOpened { shop: support::people::shop(), customer: BUYER };
    shop.history.commit(tenant("acme"), chat, [Event::Chat(opened.into())]);
    shop.history.commit(tenant("acme"), chat, [Event::Chat(message(2, BUYER, Category::Customer, Visibility::All).into())]);
    let stopped = applied(&shop.history, &memory_store().1).stopped();
    let names: Vec<&str> = stopped.iter().map(|stop| stop.consumer.as_str()).collect();
    assert_eq!(names, ["conversation_list", "unread", "feed"]);
    assert_eq!(stopped[0].cause, "message takes place 2 where 1 is next");
}

#[tokio::test]
async fn views_that_stand_still_are_verified_as_such() {
    let mut shop = a_day(History::new(), "acme", 1);
    let at = shop.history.unknown(tenant("acme"), StreamKey::Chat(ChatId::from_u128(1)));
    let mut history = a_day(shop.history, "b", 2).history;
    let half = history.commits.len();
    resumed(&mut history, "acme", "feed", at, PoisonVerdict::Skip);
    for commits in [half - 3, half, history.commits.len()] {
        let (_, store) = memory_store();
        let mut engine = Engine::open(Arc::clone(&store), history.log_until(commits)).unwrap();
        engine.apply(history.decoded().drain(..commits).collect(), NO_DELIVERY).unwrap();
        engine.checkpoint().unwrap();
        let report = verify(history.log(), store).await.unwrap();
        assert!(report.ok, "{commits}: {report:#?}");
    }
}

/// The dump as an older program would have left it: a view under another version, with rows that mean something else.
fn with_older(dump: &Dump, view: &ViewInfo) -> Dump {
    let mut older = Dump::new();
    let (now, before) = (tables_of(view, view.version), tables_of(view, 0));
    for (table, rows) in dump {
        older.insert(table.replace(&now, &before), rows.clone());
    }
    // Version and position, one small number after the other.
    let position = older.get_mut("meta").unwrap().get_mut(format!("view/{}", view.name).as_bytes()).unwrap();
    assert_eq!(u32::from(position[0]), view.version);
    position[0] = 0;
    older
}

/// What the names of a view's tables begin with, under a version.
fn tables_of(view: &ViewInfo, version: u32) -> String {
    format!("{}_v{version}_", view.name)
}

#[test]
fn a_view_of_another_version_is_rebuilt_beside_the_old_one_and_takes_its_place_when_it_is_there() {
    let mut history = History::new();
    // A quarter of the way every view has rows.
    support::outreach::whole_story(&mut history, "z".parse().unwrap());
    let history = a_day(a_day(history, "acme", 5).history, "b", 6).history;
    let half = history.commits.len() / 2;
    let commits = history.decoded();
    let (memory, store) = memory_store();
    let mut engine = Engine::open(store, history.log()).unwrap();
    engine.apply(commits[..half].to_vec(), NO_DELIVERY).unwrap();
    engine.checkpoint().unwrap();
    for view in projections::all() {
        let memory = Arc::new(MemoryStore::restored(with_older(&memory.dump(), view)));
        let open = || Engine::open(Arc::clone(&memory) as Arc<dyn ViewStore>, history.log()).unwrap();
        let tables = |version| memory.dump().keys().filter(|table| table.starts_with(&tables_of(view, version))).count();
        let mut engine = open();
        assert_eq!(engine.position(), CommitPosition(0));
        assert!(engine.positions().iter().all(|other| other.info == *view || other.position.0 == half as u64));
        engine.apply(commits[..half / 2].to_vec(), NO_DELIVERY).unwrap();
        engine.checkpoint().unwrap();
        assert!(tables(0) > 0 && tables(view.version) > 0, "{}: beside each other", view.name);
        // A crash here: the rebuild goes on where it was.
        let mut engine = open();
        assert_eq!(engine.position().0, half as u64 / 2);
        engine.apply(commits[half / 2..].to_vec(), NO_DELIVERY).unwrap();
        engine.checkpoint().unwrap();
        assert_eq!(tables(0), 0, "{}: the old one is gone", view.name);
        assert_eq!(memory.dump(), built(&history), "{}", view.name);
    }
}

#[test]
fn an_unfinished_rebuild_of_a_version_that_never_ran_leaves_nothing_behind() {
    let history = a_day(History::new(), "acme", 5).history;
    let mut dump = with_older(&built(&history), &projections::unread::INFO);
    dump.insert(projections::unread::INFO.table("chats").to_string(), BTreeMap::from([(b"left".to_vec(), b"behind".to_vec())]));
    let memory = Arc::new(MemoryStore::restored(dump));
    let store: Arc<dyn ViewStore> = Arc::clone(&memory) as Arc<dyn ViewStore>;
    applied(&history, &store);
    assert_eq!(memory.dump(), built(&history));
}
