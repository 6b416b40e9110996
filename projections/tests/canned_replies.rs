//! Given canned replies that come, change and go, then what the directory knows of them.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use application::log::stream::StreamKey;
use application::ports::event_log::CommitPosition;
use application::queries::{CannedReplyRow, EventRef};
use domain::event::Event;
use domain::private::Private;
use domain::tenant::event::TenantCreated;
use projections::engine::Engine;
use support::canned::{LEAVER, WRITER, id, whole_story};
use support::{History, memory_store, tenant};

fn row(number: u128, shortcut: &str, group: Option<&str>, commit: CommitPosition, index: u32) -> CannedReplyRow {
    let (shortcut, group) = (shortcut.parse().unwrap(), group.map(|group| group.parse().unwrap()));
    CannedReplyRow { reply: id(number), shortcut, group, content: EventRef { commit, index } }
}

#[test]
fn the_directory_refers_to_the_newest_words_of_every_reply_that_is_left() {
    let acme = tenant("acme");
    let mut history = History::new();
    let created = TenantCreated { time_zone: "UTC".to_owned(), private: Private::Closed };
    let first = history.commit(acme, StreamKey::Tenant, [Event::Tenant(created.into())]);
    whole_story(&mut history, acme);
    let (_, store) = memory_store();
    let mut engine = Engine::open(store, history.log()).unwrap();
    engine.apply(history.decoded(), CommitPosition(u64::MAX)).unwrap();
    assert_eq!(engine.stopped(), vec![]);
    let views = engine.views();
    let commit = |after: u64| CommitPosition(first.0 + after);
    let shared = views.directory().tenant(acme).unwrap().canned_replies.clone();
    assert_eq!(shared, [row(1, "hi", None, commit(3), 0), row(3, "hello", Some("main"), commit(7), 0)]);
    assert_eq!(views.directory().own_canned_replies(acme, WRITER).unwrap(), [row(12, "later", None, commit(4), 1)]);
    assert_eq!(views.directory().own_canned_replies(acme, LEAVER).unwrap(), [], "a closed account keeps none");
    assert_eq!(views.directory().own_canned_replies(tenant("b"), WRITER).unwrap(), []);
}
