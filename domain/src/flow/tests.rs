//! What a flow says, and what is wrong with one. Documents are written here as JSON, as they are stored.

mod assignment;
mod conditions;
mod hours;
mod reception;

use serde_json::Value;

use super::check::{Fault, Known, Problem};
use super::condition::{Circumstances, QueueStand, ServiceTime};
use crate::conversation::event::EntryPage;
use crate::ids::GroupId;
use crate::labels::{Label, Language};

fn group(name: &str) -> GroupId {
    name.parse().unwrap()
}

fn label(name: &str) -> Label {
    name.parse().unwrap()
}

fn language(name: &str) -> Language {
    name.parse().unwrap()
}

/// A tenant with three groups, one robot and one scorer.
fn known() -> Known {
    Known {
        groups: Some(["presale", "aftersale", "vip"].map(group).into()),
        robots: Some([label("faq")].into()),
        scorers: Some([label("model")].into()),
    }
}

/// Somebody from the shop's page, of whom nothing else is known, while everybody is there.
#[derive(Clone, Default)]
struct Visit {
    entry: EntryPage,
    asked_for: Option<GroupId>,
    tier: Option<Label>,
    tags: Vec<Label>,
    language: Option<Language>,
    closed: bool,
    text: Option<&'static str>,
    queues: Vec<(GroupId, QueueStand)>,
}

impl Circumstances for Visit {
    fn entry(&self) -> EntryPage {
        self.entry
    }

    fn asked_for(&self) -> Option<GroupId> {
        self.asked_for
    }

    fn tier(&self) -> Option<&Label> {
        self.tier.as_ref()
    }

    fn has_tag(&self, tag: &Label) -> bool {
        self.tags.contains(tag)
    }

    fn language(&self) -> Option<&Language> {
        self.language.as_ref()
    }

    fn service(&self) -> ServiceTime {
        if self.closed { ServiceTime::Closed } else { ServiceTime::Open }
    }

    fn text(&self) -> Option<&str> {
        self.text
    }

    fn queue(&self, group: GroupId) -> QueueStand {
        self.queues.iter().find(|(name, _)| *name == group).map_or_else(QueueStand::default, |(_, stand)| *stand)
    }
}

/// `place: what is wrong`, a line each.
fn said(faults: &[Fault]) -> Vec<String> {
    assert!(faults.iter().all(|fault| !fault.problem.remedy().is_empty()));
    faults.iter().map(|fault| format!("{}: {}", fault.path, fault.problem)).collect()
}

/// A document with another one's keys in place of its own.
fn with(mut document: Value, other: Value) -> Value {
    let (Some(keys), Value::Object(other)) = (document.as_object_mut(), other) else {
        panic!("both are objects");
    };
    keys.extend(other);
    document
}

#[test]
fn a_path_reads_like_the_place_in_the_document() {
    let path = super::check::Path::default().key("route").index(2).key("when").key("tier");
    assert_eq!(path.to_string(), "route[2].when.tier");
    assert_eq!(super::check::Path::default().to_string(), "");
}

#[test]
fn an_unknown_group_is_told_those_that_there_are() {
    let problem = Problem::UnknownGroup { group: group("night"), known: known().groups.unwrap().into_iter().collect() };
    assert_eq!(problem.remedy(), "form the group first, or write one of: aftersale, presale, vip");
    assert_eq!(
        Problem::UnknownGroup { group: group("night"), known: vec![] }.remedy(),
        "form the group first, or write one of: (there is none)"
    );
}
