//! Given canned replies that come, change and go, then what the directory knows of them.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use application::ports::event_log::CommitPosition;
use application::queries::{CannedReplyRow, EventRef};
use support::canned::{LEAVER, WRITER, id, whole_story};
use support::{History, tenant};

fn row(number: u128, shortcut: &str, group: Option<&str>, commit: CommitPosition, index: u32) -> CannedReplyRow {
    let (shortcut, group) = (shortcut.parse().unwrap(), group.map(|group| group.parse().unwrap()));
    CannedReplyRow { reply: id(number), shortcut, group, content: EventRef { commit, index } }
}

#[test]
fn the_directory_refers_to_the_newest_words_of_every_reply_that_is_left() {
    let acme = tenant("acme");
    let mut history = History::new();
    let first = history.create_tenant(acme);
    whole_story(&mut history, acme);
    let views = history.viewed().1.views();
    let commit = |after: u64| CommitPosition(first.0 + after);
    let shared = views.directory().tenant(acme).unwrap().canned_replies.clone();
    assert_eq!(shared, [row(1, "hi", None, commit(3), 0), row(3, "hello", Some("main"), commit(7), 0)]);
    assert_eq!(views.directory().own_canned_replies(acme, WRITER).unwrap(), [row(12, "later", None, commit(4), 1)]);
    assert_eq!(views.directory().own_canned_replies(acme, LEAVER).unwrap(), [], "a closed account keeps none");
    assert_eq!(views.directory().own_canned_replies(tenant("b"), WRITER).unwrap(), []);
}
