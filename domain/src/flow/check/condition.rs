//! Conditions: nothing unknown is asked for, and what is asked for can be.
//!
//! What must hold together is narrowed step by step: pages, tiers, hours, queues. Where nothing is left, the condition can never
//! hold. What is said by `not` is only followed where it names one thing; a condition may then be impossible without being found.

use std::collections::{BTreeMap, BTreeSet};

use super::{Contradiction, ENTRIES_MAX, Findings, Path, Problem};
use crate::conversation::event::EntryPage;
use crate::flow::condition::{CONDITION_DEPTH_MAX, Condition, PurchaseStage, QueueCondition, ServiceTime};
use crate::ids::GroupId;
use crate::labels::{Label, Language};

/// What is still possible.
#[derive(Clone)]
struct Possible {
    entry: BTreeSet<EntryPage>,
    service: BTreeSet<ServiceTime>,
    /// `None`: any.
    tier: Option<BTreeSet<Label>>,
    asked_for: Option<BTreeSet<GroupId>>,
    language: Option<Vec<Language>>,
    queues: BTreeMap<GroupId, QueuePossible>,
}

#[derive(Clone)]
struct QueuePossible {
    least: u32,
    most: u32,
    staffed: Option<bool>,
}

/// Narrows a set that may be anything to what is asked for; answers whether something is left.
fn narrow<T: Ord + Clone>(possible: &mut Option<BTreeSet<T>>, asked: &[T]) -> bool {
    let asked: BTreeSet<T> = asked.iter().cloned().collect();
    let left = match possible.as_ref() {
        None => asked,
        Some(possible) => possible & &asked,
    };
    !possible.insert(left).is_empty()
}

impl Possible {
    fn anything(has_hours: bool) -> Self {
        let service = if has_hours { vec![ServiceTime::Open, ServiceTime::Closed] } else { vec![ServiceTime::Open] };
        Self {
            entry: EntryPage::ALL.into(),
            service: service.into_iter().collect(),
            tier: None,
            asked_for: None,
            language: None,
            queues: BTreeMap::new(),
        }
    }

    fn entry(&mut self, keep: impl Fn(EntryPage) -> bool) -> Result<(), Contradiction> {
        self.entry.retain(|page| keep(*page));
        if self.entry.is_empty() { Err(Contradiction::Entry) } else { Ok(()) }
    }

    fn service(&mut self, keep: impl Fn(ServiceTime) -> bool) -> Result<(), Contradiction> {
        self.service.retain(|service| keep(*service));
        if self.service.is_empty() { Err(Contradiction::Service) } else { Ok(()) }
    }

    /// The languages asked for that are, or hold, one of those asked for before.
    fn language(&mut self, asked: &[Language]) -> Result<(), Contradiction> {
        let akin = |one: &Language, other: &Language| one.is_a(other) || other.is_a(one);
        let left: Vec<Language> = match &self.language {
            None => asked.to_vec(),
            Some(before) => asked.iter().filter(|asked| before.iter().any(|before| akin(asked, before))).cloned().collect(),
        };
        let empty = left.is_empty();
        self.language = Some(left);
        if empty { Err(Contradiction::Language) } else { Ok(()) }
    }

    fn queue(&mut self, asked: &QueueCondition) -> Result<(), Contradiction> {
        let queue = self.queues.entry(asked.group).or_insert(QueuePossible { least: 0, most: u32::MAX, staffed: None });
        queue.least = queue.least.max(asked.at_least.unwrap_or(0)).max(u32::from(asked.waited.is_some()));
        queue.most = queue.most.min(asked.at_most.unwrap_or(u32::MAX));
        let torn = matches!((queue.staffed, asked.staffed), (Some(before), Some(now)) if before != now);
        queue.staffed = queue.staffed.or(asked.staffed);
        if torn || queue.least > queue.most { Err(Contradiction::Queue) } else { Ok(()) }
    }

    /// What `not` takes away, where it names one thing only.
    fn without(&mut self, not: &Condition) -> Result<(), Contradiction> {
        if not.is_always() {
            return Err(Contradiction::Not);
        }
        if let Some(pages) = &not.entry
            && *not == (Condition { entry: Some(pages.clone()), ..Condition::default() })
        {
            self.entry(|page| !pages.contains(&page))?;
        }
        if let Some(stages) = &not.stage
            && *not == (Condition { stage: Some(stages.clone()), ..Condition::default() })
        {
            self.entry(|page| !stages.contains(&PurchaseStage::of(page)))?;
        }
        if let Some(service) = not.service
            && *not == (Condition { service: Some(service), ..Condition::default() })
        {
            self.service(|possible| possible != service)?;
        }
        if let Some(tiers) = &not.tier
            && *not == (Condition { tier: Some(tiers.clone()), ..Condition::default() })
            && let Some(possible) = &mut self.tier
        {
            possible.retain(|tier| !tiers.contains(tier));
            if possible.is_empty() {
                return Err(Contradiction::Tier);
            }
        }
        Ok(())
    }

    /// What is left when the condition's own questions hold; those under `all` and `any` are asked elsewhere.
    fn with(&mut self, asked: &Condition) -> Result<(), Contradiction> {
        if let Some(pages) = &asked.entry {
            self.entry(|page| pages.contains(&page))?;
        }
        if let Some(stages) = &asked.stage {
            self.entry(|page| stages.contains(&PurchaseStage::of(page)))?;
        }
        if let Some(service) = asked.service {
            self.service(|possible| possible == service)?;
        }
        if let Some(groups) = &asked.asked_for
            && !narrow(&mut self.asked_for, groups)
        {
            return Err(Contradiction::AskedFor);
        }
        if let Some(tiers) = &asked.tier
            && !narrow(&mut self.tier, tiers)
        {
            return Err(Contradiction::Tier);
        }
        if let Some(languages) = &asked.language {
            self.language(languages)?;
        }
        if let Some(queue) = &asked.queue {
            self.queue(queue)?;
        }
        asked.not.as_ref().map_or(Ok(()), |not| self.without(not))
    }
}

impl Findings<'_> {
    pub(super) fn condition(&mut self, path: &Path, condition: &Condition) {
        if self.well_formed(path, condition, 1) {
            let mut possible = Possible::anything(self.has_hours);
            self.can_hold(path, condition, &mut possible);
        }
    }

    /// Whether nothing but its sense is left to be looked at.
    fn well_formed(&mut self, path: &Path, condition: &Condition, depth: usize) -> bool {
        let before = self.faults.len();
        if depth > CONDITION_DEPTH_MAX {
            self.add(path, Problem::TooDeep { limit: CONDITION_DEPTH_MAX });
            return false;
        }
        let lists = [
            ("entry", condition.entry.as_ref().map(Vec::len)),
            ("stage", condition.stage.as_ref().map(Vec::len)),
            ("asked_for", condition.asked_for.as_ref().map(Vec::len)),
            ("tier", condition.tier.as_ref().map(Vec::len)),
            ("tag", condition.tag.as_ref().map(Vec::len)),
            ("language", condition.language.as_ref().map(Vec::len)),
            ("words", condition.words.as_ref().map(Vec::len)),
            ("all", condition.all.as_ref().map(Vec::len)),
            ("any", condition.any.as_ref().map(Vec::len)),
        ];
        for (key, length) in lists {
            match length {
                Some(0) => self.add(&path.key(key), Problem::Empty),
                Some(length) => self.count(&path.key(key), length, ENTRIES_MAX),
                None => {}
            }
        }
        for (place, group) in condition.asked_for.iter().flatten().enumerate() {
            self.group(&path.key("asked_for").index(place), *group);
        }
        self.keywords(&path.key("words"), condition.words.as_deref().unwrap_or_default());
        if let Some(queue) = &condition.queue {
            self.group(&path.key("queue").key("group"), queue.group);
        }
        for (key, conditions) in [("all", &condition.all), ("any", &condition.any)] {
            for (place, condition) in conditions.iter().flatten().enumerate() {
                self.well_formed(&path.key(key).index(place), condition, depth + 1);
            }
        }
        if let Some(not) = &condition.not {
            self.well_formed(&path.key("not"), not, depth + 1);
        }
        self.faults.len() == before
    }

    /// Words that are looked for in what a customer writes.
    pub(super) fn keywords(&mut self, path: &Path, words: &[String]) {
        self.once(path, words);
        for (place, word) in words.iter().enumerate() {
            if word.trim().is_empty() {
                self.add(&path.index(place), Problem::Blank);
            }
        }
    }

    /// Looks at everything that must hold together with `possible`.
    fn can_hold(&mut self, path: &Path, condition: &Condition, possible: &mut Possible) {
        if let Err(contradiction) = possible.with(condition) {
            self.add(path, Problem::Impossible(contradiction));
            return;
        }
        for (place, part) in condition.all.iter().flatten().enumerate() {
            let faults = self.faults.len();
            self.can_hold(&path.key("all").index(place), part, possible);
            if self.faults.len() > faults {
                return;
            }
        }
        for (place, branch) in condition.any.iter().flatten().enumerate() {
            self.can_hold(&path.key("any").index(place), branch, &mut possible.clone());
        }
        if let Some(not) = &condition.not {
            // By itself: a `not` that is always true says nothing.
            self.can_hold(&path.key("not"), not, &mut Possible::anything(self.has_hours));
        }
    }
}
