//! When a rule applies: a small tree over what is known of a conversation, its customer, the hour and the queues.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::words::Span;
use crate::conversation::event::EntryPage;
use crate::ids::GroupId;
use crate::labels::{Label, Language};
use crate::time::Millis;

/// Deepest nesting of conditions: what anybody can still read.
pub const CONDITION_DEPTH_MAX: usize = 6;

/// At which point of a purchase somebody asks; it follows from the page they came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PurchaseStage {
    /// Before they bought (售前): from a product page or the shop's page.
    PreSale,
    /// While it is on its way (售中): from a logistics page.
    InSale,
    /// Afterwards (售后): from an order page.
    AfterSale,
}

impl PurchaseStage {
    /// The stage of those who come from a page.
    #[must_use]
    pub const fn of(page: EntryPage) -> Self {
        match page {
            EntryPage::Product | EntryPage::Shop => Self::PreSale,
            EntryPage::Logistics => Self::InSale,
            EntryPage::Order => Self::AfterSale,
        }
    }
}

/// Whether the hours of service are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServiceTime {
    /// Within the hours.
    Open,
    /// Outside them.
    Closed,
}

/// A question about the queue of a group: all that is asked must hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueueCondition {
    /// Which.
    pub group: GroupId,
    /// So many wait, or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u32>,
    /// So many wait, or fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u32>,
    /// The first of them has waited so long, or longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waited: Option<Span>,
    /// Whether anybody of the group is on service and connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staffed: Option<bool>,
}

/// When a rule applies. Everything that is named must hold; of a list, any one is enough. Nothing named holds always.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Condition {
    /// The page they came from is one of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<Vec<EntryPage>>,
    /// The stage of their purchase is one of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<Vec<PurchaseStage>>,
    /// The page asked for one of these groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_for: Option<Vec<GroupId>>,
    /// The customer's tier is one of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<Vec<Label>>,
    /// The customer has one of these tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<Vec<Label>>,
    /// The customer's language is one of these, or a form of one: `zh` holds for `zh-TW`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Vec<Language>>,
    /// Whether it is within the flow's hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceTime>,
    /// What the customer wrote last contains one of these, whatever the case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words: Option<Vec<String>>,
    /// How a queue stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<QueueCondition>,
    /// All of these hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all: Option<Vec<Condition>>,
    /// One of these holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub any: Option<Vec<Condition>>,
    /// This does not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not: Option<Box<Condition>>,
}

/// How the queue of a group stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueStand {
    /// How many wait.
    pub waiting: u32,
    /// How long the first of them has waited.
    pub longest_wait: Millis,
    /// Whether anybody of the group is on service and connected.
    pub staffed: bool,
}

/// What is known when a rule is tried.
pub trait Circumstances {
    /// The page they came from.
    fn entry(&self) -> EntryPage;
    /// The group the page asked for.
    fn asked_for(&self) -> Option<GroupId>;
    /// The customer's tier.
    fn tier(&self) -> Option<&Label>;
    /// Whether the customer has a tag.
    fn has_tag(&self, tag: &Label) -> bool;
    /// The customer's language.
    fn language(&self) -> Option<&Language>;
    /// Whether it is within the flow's hours.
    fn service(&self) -> ServiceTime;
    /// What the customer wrote last; nothing before they wrote.
    fn text(&self) -> Option<&str>;
    /// How the queue of a group stands.
    fn queue(&self, group: GroupId) -> QueueStand;
}

impl QueueCondition {
    fn holds(&self, stand: QueueStand) -> bool {
        self.at_least.is_none_or(|least| stand.waiting >= least)
            && self.at_most.is_none_or(|most| stand.waiting <= most)
            && self.waited.is_none_or(|waited| stand.waiting > 0 && stand.longest_wait >= waited.millis())
            && self.staffed.is_none_or(|staffed| stand.staffed == staffed)
    }
}

/// Whether one of a list holds; a list that is not there asks nothing.
fn one_of<T>(asked: Option<&Vec<T>>, holds: impl Fn(&T) -> bool) -> bool {
    asked.is_none_or(|asked| asked.iter().any(holds))
}

impl Condition {
    /// Whether it asks nothing and so holds always.
    #[must_use]
    pub fn is_always(&self) -> bool {
        *self == Self::default()
    }

    /// Whether anything in it is so.
    fn any(&self, is_so: &mut impl FnMut(&Self) -> bool) -> bool {
        let inner = self.all.iter().chain(&self.any).flatten().chain(self.not.as_deref());
        is_so(self) | inner.fold(false, |any, condition| condition.any(is_so) | any)
    }

    /// Notes the queues that it asks for.
    pub(super) fn queues(&self, found: &mut BTreeSet<GroupId>) {
        self.any(&mut |condition| {
            found.extend(condition.queue.as_ref().map(|queue| queue.group));
            false
        });
    }

    /// Whether it asks for the customer's words.
    pub(super) fn asks_for_words(&self) -> bool {
        self.any(&mut |condition| condition.words.is_some())
    }

    /// Whether it holds.
    #[must_use]
    pub fn holds(&self, known: &impl Circumstances) -> bool {
        one_of(self.entry.as_ref(), |page| *page == known.entry())
            && one_of(self.stage.as_ref(), |stage| *stage == PurchaseStage::of(known.entry()))
            && one_of(self.asked_for.as_ref(), |group| Some(*group) == known.asked_for())
            && one_of(self.tier.as_ref(), |tier| Some(tier) == known.tier())
            && one_of(self.tag.as_ref(), |tag| known.has_tag(tag))
            && one_of(self.language.as_ref(), |asked| known.language().is_some_and(|spoken| spoken.is_a(asked)))
            && self.service.is_none_or(|service| service == known.service())
            && one_of(self.words.as_ref(), |word| known.text().is_some_and(|text| contains_word(text, word)))
            && self.queue.as_ref().is_none_or(|queue| queue.holds(known.queue(queue.group)))
            && self.all.as_ref().is_none_or(|all| all.iter().all(|condition| condition.holds(known)))
            && one_of(self.any.as_ref(), |condition| condition.holds(known))
            && self.not.as_ref().is_none_or(|condition| !condition.holds(known))
    }
}

/// Whether a text contains a word of a flow, whatever the case. Chinese is written without spaces, so this asks for the characters;
/// a word of Latin letters must stand by itself, because `art` is not in `start`.
#[must_use]
pub fn contains_word(text: &str, word: &str) -> bool {
    let (text, word) = (text.to_lowercase(), word.trim().to_lowercase());
    if word.is_empty() {
        return false;
    }
    let is_latin = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() && !is_unspaced(letter));
    text.match_indices(&word).any(|(at, found)| {
        let joins_before = is_latin(text[..at].chars().next_back()) && is_latin(found.chars().next());
        let joins_after = is_latin(found.chars().next_back()) && is_latin(text[at + found.len()..].chars().next());
        !joins_before && !joins_after
    })
}

/// Whether a letter is of a script that writes words without spaces between them: Chinese, Japanese, Thai, Lao, Khmer, Burmese.
fn is_unspaced(letter: char) -> bool {
    matches!(letter,
        '\u{2E80}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}'
        | '\u{0E00}'..='\u{0EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}')
}
