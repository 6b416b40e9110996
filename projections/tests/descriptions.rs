//! Given what a tenant says of its customers, then what the directory knows of them.

mod support;

use application::ports::event_log::CommitPosition;
use application::queries::{DescriptionRow, EventRef};
use support::descriptions::{ZHAO, whole_story};
use support::{History, tenant};

#[test]
fn the_directory_knows_the_newest_words_and_where_each_value_lies() {
    let acme = tenant("acme");
    let mut history = History::new();
    let first = history.create_tenant(acme);
    whole_story(&mut history, acme);
    let views = history.viewed().1.views();
    let at = |after: u64| EventRef { commit: CommitPosition(first.0 + after), index: 0 };
    let expected = DescriptionRow {
        tier: Some("gold".parse().unwrap()),
        language: Some("zh-CN".parse().unwrap()),
        tags: vec!["refund".parse().unwrap()],
        attributes: vec![("city".parse().unwrap(), at(3)), ("height".parse().unwrap(), at(2))],
    };
    assert_eq!(views.directory().description(acme, ZHAO).unwrap(), Some(expected));
    assert_eq!(views.directory().description(tenant("b"), ZHAO).unwrap(), None);
}
