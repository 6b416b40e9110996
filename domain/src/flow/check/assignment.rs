//! The assignment flow: every rule and step can be reached, and no conversation overflows in a circle.

use std::collections::BTreeSet;

use super::{Fault, Findings, Known, Path, Problem, RULES_MAX};
use crate::flow::assignment::{AssignmentFlow, ChoiceStep, Overflow, QueueRules, SCORER_MS_MAX, Taking};
use crate::ids::GroupId;

/// Every fault of an assignment flow, in the order of its parts.
#[must_use]
pub fn check_assignment(flow: &AssignmentFlow, known: &Known) -> Vec<Fault> {
    let mut findings = Findings { known, languages: &[], has_hours: flow.hours.is_some(), faults: vec![] };
    let root = Path::default();
    if let Some(hours) = &flow.hours {
        findings.hours(&root.key("hours"), hours);
    }
    let priority = root.key("priority");
    findings.count(&priority, flow.priority.len(), RULES_MAX);
    findings.reached(&priority, flow.priority.iter().map(|rule| &rule.when));
    for (place, rule) in flow.priority.iter().enumerate() {
        findings.condition(&priority.index(place).key("when"), &rule.when);
    }
    let queues = root.key("queues");
    findings.count(&queues, flow.queues.len(), RULES_MAX);
    for (group, rules) in &flow.queues {
        let here = queues.key(group.as_str());
        findings.group(&here, *group);
        findings.queue(&here, rules);
    }
    findings.queue(&root.key("default"), &flow.default);
    findings.overflow_circles(&root, flow);
    findings.faults
}

impl Findings<'_> {
    fn queue(&mut self, path: &Path, rules: &QueueRules) {
        let choose = path.key("choose");
        for (place, step) in rules.choose.iter().enumerate() {
            let before = &rules.choose[..place];
            if before.contains(step) {
                self.add(&choose.index(place), Problem::Twice(step.name().into()));
            } else if let Some(order) = before.iter().position(ChoiceStep::is_order) {
                self.add(&choose.index(place), Problem::NeverReached { before: choose.index(order) });
            }
            if let ChoiceStep::Scorer { name, within_ms } = step {
                let here = choose.index(place).key("scorer");
                if let Some(scorers) = self.known.scorers.as_ref().filter(|scorers| !scorers.contains(name)) {
                    let known = scorers.iter().cloned().collect();
                    self.add(&here.key("name"), Problem::UnknownScorer { name: name.clone(), known });
                }
                self.range(&here.key("within_ms"), u64::from(*within_ms), 1, u64::from(SCORER_MS_MAX));
            }
        }
        if rules.take == Taking::Picked {
            let given = [("choose", !rules.choose.is_empty()), ("accept_within", rules.accept_within.is_some())];
            for (key, _) in given.into_iter().filter(|(_, there)| *there) {
                self.add(&path.key(key), Problem::NothingIsGiven);
            }
        }
        if let Some(overflow) = &rules.overflow {
            self.group(&path.key("overflow").key("to"), overflow.to);
        }
    }

    /// Says each circle once. The rules of the other groups are one rule of each of them.
    fn overflow_circles(&mut self, root: &Path, flow: &AssignmentFlow) {
        let to = |group: &GroupId| flow.queue(*group).overflow.as_ref().map(|overflow: &Overflow| overflow.to);
        let targets = flow.queues.values().chain([&flow.default]).filter_map(|rules| rules.overflow.as_ref().map(|overflow| overflow.to));
        let groups: BTreeSet<GroupId> = flow.queues.keys().copied().chain(targets).collect();
        let mut settled = BTreeSet::new();
        for first in &groups {
            let mut way: Vec<GroupId> = vec![];
            let mut next = Some(*first);
            while let Some(group) = next.filter(|group| !settled.contains(group)) {
                if let Some(begin) = way.iter().position(|before| *before == group) {
                    let circle = way[begin..].iter().chain([&group]).map(ToString::to_string).collect();
                    let queues = root.key("queues").key(group.as_str());
                    let path = if flow.queues.contains_key(&group) { queues } else { root.key("default") };
                    self.add(&path.key("overflow").key("to"), Problem::Circle(circle));
                    break;
                }
                way.push(group);
                next = to(&group);
            }
            settled.extend(way);
        }
    }
}
