//! The reception flow: every rule can be reached, and every conversation goes somewhere.

use std::collections::BTreeSet;

use super::{ENTRIES_MAX, Fault, Findings, Known, Path, Problem, RULES_MAX};
use crate::flow::reception::{Arrival, Destination, LaterNotice, ReceptionFlow, RobotRule};
use crate::labels::Label;

/// Every fault of a reception flow, in the order of its parts.
#[must_use]
pub fn check_reception(flow: &ReceptionFlow, known: &Known) -> Vec<Fault> {
    let mut findings = Findings { known, languages: &flow.languages, has_hours: flow.hours.is_some(), faults: vec![] };
    let root = Path::default();
    findings.languages(&root.key("languages"));
    if let Some(hours) = &flow.hours {
        findings.hours(&root.key("hours"), hours);
    }
    findings.welcome(&root.key("welcome"), flow);
    findings.robot(&root.key("robot"), flow);
    findings.hand_off(&root.key("hand_off"), flow);
    findings.destinations(&root.key("destinations"), flow);
    findings.route(&root.key("route"), flow);
    findings.later(&root, flow);
    findings.faults
}

impl Findings<'_> {
    fn welcome(&mut self, path: &Path, flow: &ReceptionFlow) {
        self.count(path, flow.welcome.len(), RULES_MAX);
        self.reached(path, flow.welcome.iter().map(|welcome| &welcome.when));
        for (place, welcome) in flow.welcome.iter().enumerate() {
            let here = path.index(place);
            self.condition(&here.key("when"), &welcome.when);
            self.notice(&here.key("say"), &welcome.say);
            self.count(&here.key("hints"), welcome.hints.len(), 20);
            for (place, hint) in welcome.hints.iter().enumerate() {
                self.notice(&here.key("hints").index(place), hint);
            }
        }
    }

    fn robot(&mut self, path: &Path, flow: &ReceptionFlow) {
        self.count(path, flow.robot.len(), RULES_MAX);
        self.reached(path, flow.robot.iter().map(|rule| &rule.when));
        for (place, rule) in flow.robot.iter().enumerate() {
            let here = path.index(place);
            self.condition(&here.key("when"), &rule.when);
            if let Some(robots) = &self.known.robots
                && rule.seat.as_str() != RobotRule::NONE
                && !robots.contains(&rule.seat)
            {
                let known = robots.iter().cloned().collect();
                self.add(&here.key("seat"), Problem::UnknownRobot { seat: rule.seat.clone(), known });
            }
        }
    }

    fn hand_off(&mut self, path: &Path, flow: &ReceptionFlow) {
        let triggers = &flow.hand_off;
        self.count(&path.key("keywords"), triggers.keywords.len(), ENTRIES_MAX);
        self.keywords(&path.key("keywords"), &triggers.keywords);
        if let Some(unknown) = triggers.unknown_answers {
            self.range(&path.key("unknown_answers"), u64::from(unknown), 1, 20);
        }
        if let Some(rating) = triggers.rating_at_most {
            self.range(&path.key("rating_at_most"), u64::from(rating), 1, 4);
        }
        let receives = flow.robot.iter().any(|rule| rule.seat.as_str() != RobotRule::NONE);
        if receives && !triggers.button && triggers.keywords.is_empty() {
            self.add(path, Problem::NoWayToHumans);
        }
    }

    fn destinations(&mut self, path: &Path, flow: &ReceptionFlow) {
        self.count(path, flow.destinations.len(), RULES_MAX);
        for (name, destination) in &flow.destinations {
            let here = path.key(name.as_str());
            self.condition(&here.key("when"), &destination.when);
            self.arrival(&here, destination);
            if let Some(say) = &destination.say {
                self.notice(&here.key("say"), say);
            }
            self.once(&here.key("skills"), &destination.skills);
            if let Some(otherwise) = &destination.otherwise {
                let there = here.key("otherwise");
                if destination.when.is_always() {
                    self.add(&there, Problem::NeverReached { before: here.clone() });
                }
                self.destination_named(&there, otherwise, flow);
            }
            if !is_used(name, flow) {
                self.add(&here, Problem::DestinationUnused);
            }
        }
        self.circles(path, flow);
    }

    fn arrival(&mut self, path: &Path, destination: &Destination) {
        match (destination.then, destination.group) {
            (Arrival::Queue | Arrival::LeaveMessage, Some(group)) => self.group(&path.key("group"), group),
            (Arrival::Queue | Arrival::LeaveMessage, None) => self.add(path, Problem::GroupMissing),
            (Arrival::Refuse, Some(_)) => self.add(&path.key("group"), Problem::GroupOfRefusal),
            (Arrival::Refuse, None) if !destination.skills.is_empty() => self.add(&path.key("skills"), Problem::GroupOfRefusal),
            (Arrival::Refuse, None) => {}
        }
    }

    fn destination_named(&mut self, path: &Path, name: &Label, flow: &ReceptionFlow) {
        if !flow.destinations.contains_key(name) {
            let known = flow.destinations.keys().cloned().collect();
            self.add(path, Problem::UnknownDestination { name: name.clone(), known });
        }
    }

    /// Says each circle once: at the first of its destinations.
    fn circles(&mut self, path: &Path, flow: &ReceptionFlow) {
        let mut settled = BTreeSet::new();
        for first in flow.destinations.keys() {
            let mut way: Vec<&Label> = vec![];
            let mut next = Some(first);
            while let Some(name) = next.filter(|name| !settled.contains(*name)) {
                if let Some(begin) = way.iter().position(|before| *before == name) {
                    let circle = way[begin..].iter().chain([&name]).map(ToString::to_string).collect();
                    self.add(&path.key(name.as_str()).key("otherwise"), Problem::Circle(circle));
                    break;
                }
                way.push(name);
                next = flow.destinations.get(name).and_then(|destination| destination.otherwise.as_ref());
            }
            settled.extend(way);
        }
    }

    fn route(&mut self, path: &Path, flow: &ReceptionFlow) {
        self.count(path, flow.route.len(), RULES_MAX);
        self.reached(path, flow.route.iter().map(|route| &route.when));
        for (place, route) in flow.route.iter().enumerate() {
            let here = path.index(place);
            self.condition(&here.key("when"), &route.when);
            self.destination_named(&here.key("to"), &route.to, flow);
        }
        match flow.route.split_last() {
            None => self.add(path, Problem::Empty),
            Some((last, before)) if !last.when.is_always() => self.add(&path.index(before.len()), Problem::LastAsks),
            Some(_) => {}
        }
    }

    /// What is said and done after a while.
    fn later(&mut self, root: &Path, flow: &ReceptionFlow) {
        let busy = root.key("waiting").key("busy");
        self.count(&busy, flow.waiting.busy.len(), 10);
        for (place, notice) in flow.waiting.busy.iter().enumerate() {
            self.notice(&busy.index(place).key("say"), &notice.say);
            if flow.waiting.leave_message_after.is_some_and(|left| notice.after >= left) {
                self.add(&busy.index(place).key("after"), Problem::NotBefore("waiting.leave_message_after"));
            }
        }
        let afters: Vec<_> = flow.waiting.busy.iter().map(|notice| notice.after).collect();
        self.once(&busy, &afters);
        let idle = root.key("idle");
        if let Some(LaterNotice { after, say }) = &flow.idle.remind {
            self.notice(&idle.key("remind").key("say"), say);
            if flow.idle.close_after.is_some_and(|close| *after >= close) {
                self.add(&idle.key("remind").key("after"), Problem::NotBefore("idle.close_after"));
            }
        }
        if let Some(say) = &flow.idle.say {
            self.notice(&idle.key("say"), say);
        }
        let rating = root.key("rating");
        if let Some(say) = &flow.rating.say {
            self.notice(&rating.key("say"), say);
        }
        self.count(&rating.key("tags"), flow.rating.tags.len(), crate::conversation::decide::rating::TAGS_MAX);
        self.once(&rating.key("tags"), &flow.rating.tags);
    }
}

fn is_used(name: &Label, flow: &ReceptionFlow) -> bool {
    let elsewhere = flow.destinations.iter().filter(|(other, _)| *other != name);
    flow.route.iter().any(|route| route.to == *name)
        || elsewhere.filter_map(|(_, destination)| destination.otherwise.as_ref()).any(|otherwise| otherwise == name)
}
