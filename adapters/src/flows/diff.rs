//! What differs between two flows, by what they say and not by how they are written: comments, order of keys and form do not count.

use std::collections::BTreeSet;
use std::fmt;

use domain::flow::Flow;
use domain::flow::check::Path;
use serde::Serialize;
use serde_json::Value;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Where: in the new document, or in the old one of what is gone.
    pub path: String,
    /// What was there; nothing of what is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What is there now; nothing of what is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// `+ route[1] {"to":"night"}`, `- ...`, or `~ hand_off.button true -> false`.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "." } else { &self.path };
        match (&self.before, &self.after) {
            (None, None) => write!(f, "  {path}"),
            (None, Some(after)) => write!(f, "+ {path} {after}"),
            (Some(before), None) => write!(f, "- {path} {before}"),
            (Some(before), Some(after)) => write!(f, "~ {path} {before} -> {after}"),
        }
    }
}

/// A flow as JSON.
///
/// # Panics
/// Never: a flow is JSON.
#[must_use]
pub fn json(flow: &Flow) -> Value {
    let written = match flow {
        Flow::Reception(flow) => serde_json::to_value(flow),
        Flow::Assignment(flow) => serde_json::to_value(flow),
    };
    written.expect("a flow is JSON")
}

/// Everything that differs, in the order of the document.
#[must_use]
pub fn changes(old: &Flow, new: &Flow) -> Vec<Change> {
    let mut changes = Vec::new();
    compare(&Path::default(), Some(&json(old)), Some(&json(new)), &mut changes);
    changes
}

fn compare(path: &Path, old: Option<&Value>, new: Option<&Value>, changes: &mut Vec<Change>) {
    match (old, new) {
        (old, new) if old == new => {}
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for key in keys {
                compare(&path.key(key), old.get(key), new.get(key), changes);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => compare_lists(path, old, new, changes),
        (before, after) => changes.push(Change { path: path.to_string(), before: before.cloned(), after: after.cloned() }),
    }
}

/// Entries that both lists have in the same order stay; between them, as many as both have were changed, and the rest is new or gone.
fn compare_lists(path: &Path, old: &[Value], new: &[Value], changes: &mut Vec<Change>) {
    let (mut next_old, mut next_new) = (0, 0);
    let ends = [(old.len(), new.len())];
    for (same_old, same_new) in common(old, new).into_iter().chain(ends) {
        while next_old < same_old && next_new < same_new {
            compare(&path.index(next_new), old.get(next_old), new.get(next_new), changes);
            (next_old, next_new) = (next_old + 1, next_new + 1);
        }
        for gone in next_old..same_old {
            compare(&path.index(gone), old.get(gone), None, changes);
        }
        for added in next_new..same_new {
            compare(&path.index(added), None, new.get(added), changes);
        }
        (next_old, next_new) = (same_old + 1, same_new + 1);
    }
}

/// The longest common subsequence, as pairs of places. The lists of a flow have at most some hundred entries.
fn common(old: &[Value], new: &[Value]) -> Vec<(usize, usize)> {
    let mut longest = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for (at_old, before) in old.iter().enumerate().rev() {
        for (at_new, after) in new.iter().enumerate().rev() {
            longest[at_old][at_new] = if before == after {
                longest[at_old + 1][at_new + 1] + 1
            } else {
                longest[at_old + 1][at_new].max(longest[at_old][at_new + 1])
            };
        }
    }
    let (mut at_old, mut at_new, mut pairs) = (0, 0, Vec::new());
    while at_old < old.len() && at_new < new.len() {
        if old[at_old] == new[at_new] {
            pairs.push((at_old, at_new));
            (at_old, at_new) = (at_old + 1, at_new + 1);
        } else if longest[at_old + 1][at_new] >= longest[at_old][at_new + 1] {
            at_old += 1;
        } else {
            at_new += 1;
        }
    }
    pairs
}
