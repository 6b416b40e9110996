//! A flow that is followed, and what is known of the conversation that follows it.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::conversation::event::EntryPage;
use domain::desk::event::LastServed;
use domain::flow::FlowVersion;
use domain::flow::condition::{Circumstances, QueueStand, ServiceTime};
use domain::flow::reception::RobotRule;
use domain::ids::{GroupId, ShopId, UserId};
use domain::labels::{Label, Language};

/// A flow, and the conversation to which it is put.
#[derive(Clone, Debug)]
pub struct Following<F> {
    /// Which version.
    pub version: FlowVersion,
    /// What it says.
    pub flow: Arc<F>,
    /// The conversation.
    pub case: Case,
}

/// What is known of a conversation when a flow's rules are tried, as the read models knew it.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its shop.
    pub shop: ShopId,
    /// The account in whose name its shop speaks.
    pub shop_account: UserId,
    /// The page they came from.
    pub entry: EntryPage,
    /// The group the page asked for.
    pub asked_for: Option<GroupId>,
    /// The customer's tier.
    pub tier: Option<Label>,
    /// The customer's tags.
    pub tags: Vec<Label>,
    /// The customer's language.
    pub language: Option<Language>,
    /// Whether it is within the flow's hours.
    pub service: ServiceTime,
    /// Who served the customer last in this shop.
    pub last_served: Option<LastServed>,
    /// What the customer wrote last, if the flow asks for words.
    pub text: Option<String>,
    /// The queues that the flow asks for.
    pub queues: BTreeMap<GroupId, QueueStand>,
    /// The robots that may receive, beside the built-in one.
    pub robots: Vec<Label>,
}

impl Case {
    /// Whether a robot that a flow names is there.
    #[must_use]
    pub fn has_robot(&self, robot: &Label) -> bool {
        robot.as_str() == RobotRule::FAQ || self.robots.contains(robot)
    }
}

impl Circumstances for Case {
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
        self.service
    }

    fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    fn queue(&self, group: GroupId) -> QueueStand {
        self.queues.get(&group).copied().unwrap_or_default()
    }
}
