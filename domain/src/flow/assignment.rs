//! The assignment flow: in which order conversations are served, who gets them, and what happens when nobody answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::condition::{Circumstances, Condition};
use super::hours::ServiceHours;
use super::words::Span;
use crate::ids::GroupId;
use crate::labels::Label;

/// Priority of a conversation of which no rule says another; smaller goes first.
pub const PRIORITY_DEFAULT: u8 = 100;
/// Longest that a scorer may take: a customer waits for it.
pub const SCORER_MS_MAX: u32 = 200;

/// Says which document this is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AssignmentMark {
    /// An assignment flow.
    #[default]
    Assignment,
}

/// A tenant's or a shop's assignment flow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignmentFlow {
    /// `assignment`.
    pub flow: AssignmentMark,
    /// The hours that its conditions ask for. Without hours it is always open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<ServiceHours>,
    /// Who is served before others; the first that holds. Without one, priority 100.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub priority: Vec<PriorityRule>,
    /// What holds for the queue of a group.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub queues: BTreeMap<GroupId, QueueRules>,
    /// What holds for the queue of every other group.
    #[serde(default, skip_serializing_if = "QueueRules::is_default")]
    pub default: QueueRules,
}

/// Who is served before others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriorityRule {
    /// Whose conversations.
    #[serde(default, skip_serializing_if = "Condition::is_always")]
    pub when: Condition,
    /// Smaller is served first; 100 is everybody's.
    pub priority: u8,
}

/// What holds for one queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct QueueRules {
    /// How an agent is chosen among those who could: each step narrows or orders what the one before left. Without one, by load.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choose: Vec<ChoiceStep>,
    /// Whether agents are given conversations, or take them.
    #[serde(skip_serializing_if = "is_given")]
    pub take: Taking,
    /// An agent who has not accepted after so long loses the conversation to the next one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accept_within: Option<Span>,
    /// An agent who has not answered a waiting customer after so long loses the conversation to the next one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_within: Option<Span>,
    /// Whoever still waits after so long waits in another group's queue, at their original time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overflow: Option<Overflow>,
}

impl QueueRules {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether agents are given conversations, or take them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Taking {
    /// The desk gives.
    #[default]
    Given,
    /// Agents pick from the queue; nothing is given.
    Picked,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_given(take: &Taking) -> bool {
    *take == Taking::Given
}

/// Where those go who waited too long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Overflow {
    /// After how long.
    pub after: Span,
    /// To which group.
    pub to: GroupId,
}

/// A step of the choice among the agents who could take a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ChoiceStep {
    /// The agent who served this customer last, if that was not longer ago (熟客). If they could not take it, the next step decides.
    LastAgent {
        /// How long an agent is remembered.
        within: Span,
    },
    /// Those who speak the customer's language. If nobody does, everybody.
    Language {
        /// Wait for one who does instead.
        #[serde(default)]
        strict: bool,
    },
    /// Those with every skill that is asked for. If nobody has them, everybody.
    Skills {
        /// Wait for one who has them instead.
        #[serde(default)]
        strict: bool,
    },
    /// Those of the highest rank in the group; a smaller number is a higher rank.
    Rank,
    /// Whoever carries the fewest conversations.
    LeastLoaded,
    /// Whoever was given none for the longest time.
    RoundRobin,
    /// By chance, in proportion to the agents' weights.
    Weighted,
    /// Whoever a service of the tenant scores highest. If it does not answer in time, the next step decides.
    Scorer {
        /// The name of the service among the tenant's.
        name: Label,
        /// How long it may take.
        #[serde(default = "scorer_ms_max")]
        within_ms: u32,
    },
}

const fn scorer_ms_max() -> u32 {
    SCORER_MS_MAX
}

impl ChoiceStep {
    /// Its name in a document.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::LastAgent { .. } => "last_agent",
            Self::Language { .. } => "language",
            Self::Skills { .. } => "skills",
            Self::Rank => "rank",
            Self::LeastLoaded => "least_loaded",
            Self::RoundRobin => "round_robin",
            Self::Weighted => "weighted",
            Self::Scorer { .. } => "scorer",
        }
    }

    /// Whether nothing is left to decide after it but ties.
    #[must_use]
    pub const fn is_order(&self) -> bool {
        match self {
            Self::LeastLoaded | Self::RoundRobin | Self::Weighted => true,
            Self::LastAgent { .. } | Self::Language { .. } | Self::Skills { .. } | Self::Rank | Self::Scorer { .. } => false,
        }
    }
}

impl AssignmentFlow {
    /// What holds for the queue of a group.
    #[must_use]
    pub fn queue(&self, group: GroupId) -> &QueueRules {
        self.queues.get(&group).unwrap_or(&self.default)
    }

    /// The priority of a conversation under these circumstances.
    #[must_use]
    pub fn priority(&self, known: &impl Circumstances) -> u8 {
        self.priority.iter().find(|rule| rule.when.holds(known)).map_or(PRIORITY_DEFAULT, |rule| rule.priority)
    }
}
