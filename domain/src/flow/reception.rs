//! The reception flow: what happens from the first hello until a human has the conversation, and at its end.
//!
//! Rules are tried from the top, and the first that holds is taken. Where a conversation goes is a *destination* with a name, and a
//! destination that cannot be reached names another one: so what happens at night, in a long queue or without staff is said once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::condition::{Circumstances, Condition};
use super::hours::ServiceHours;
use super::words::{Notice, Span};
use crate::ids::GroupId;
use crate::labels::{Label, Language};

/// Says which document this is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReceptionMark {
    /// A reception flow.
    #[default]
    Reception,
}

/// A tenant's or a shop's reception flow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceptionFlow {
    /// `reception`.
    pub flow: ReceptionMark,
    /// The languages of its notices; the first is for everybody whose language is not among them.
    pub languages: Vec<Language>,
    /// When somebody is there. Without hours it is always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<ServiceHours>,
    /// What is said to whoever comes in; the first that holds. Without one, nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub welcome: Vec<Welcome>,
    /// Which robot receives; the first that holds. Without one, everybody goes to the humans at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub robot: Vec<RobotRule>,
    /// What brings a conversation from the robot to the humans.
    #[serde(default, skip_serializing_if = "HandOffTriggers::is_default")]
    pub hand_off: HandOffTriggers,
    /// Where a conversation may go, by name.
    pub destinations: BTreeMap<Label, Destination>,
    /// Which of them; the first that holds. The last one holds always.
    pub route: Vec<Route>,
    /// What happens while a customer waits.
    #[serde(default, skip_serializing_if = "Waiting::is_default")]
    pub waiting: Waiting,
    /// What happens when nobody writes any more.
    #[serde(default, skip_serializing_if = "Idle::is_default")]
    pub idle: Idle,
    /// How a rating is asked for.
    #[serde(default, skip_serializing_if = "RatingRules::is_default")]
    pub rating: RatingRules,
}

/// What is said to whoever comes in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Welcome {
    /// To whom.
    #[serde(default, skip_serializing_if = "Condition::is_always")]
    pub when: Condition,
    /// What.
    pub say: Notice,
    /// Questions that are shown beside it, to be asked by a touch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<Notice>,
}

/// Which robot receives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RobotRule {
    /// Whom.
    #[serde(default, skip_serializing_if = "Condition::is_always")]
    pub when: Condition,
    /// The robot's name among the tenant's seats; `none` for nobody.
    pub seat: Label,
}

impl RobotRule {
    /// The name that stands for no robot.
    pub const NONE: &'static str = "none";
    /// The name of the built-in robot that answers from the tenant's articles.
    pub const FAQ: &'static str = "faq";
}

/// What brings a conversation from the robot to the humans.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HandOffTriggers {
    /// The customer may ask for a human by a button.
    pub button: bool,
    /// The customer's message contains one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// The robot did not know so many answers on end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown_answers: Option<u32>,
    /// The customer rated an answer of the robot so badly, or worse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rating_at_most: Option<u8>,
    /// The customer sent a picture, which a robot cannot look at.
    pub picture: bool,
}

impl Default for HandOffTriggers {
    fn default() -> Self {
        Self { button: true, keywords: vec![], unknown_answers: None, rating_at_most: None, picture: false }
    }
}

impl HandOffTriggers {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What becomes of a conversation that goes to a destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Arrival {
    /// It waits for an agent of the group: in the online queue or, when nobody is on duty, in the offline queue.
    #[default]
    Queue,
    /// The customer leaves a message for the group, to be answered later.
    LeaveMessage,
    /// There is nobody; the customer is told so.
    Refuse,
}

/// Somewhere a conversation may go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Destination {
    /// When it can be reached; otherwise the conversation goes on to `otherwise`.
    #[serde(default, skip_serializing_if = "Condition::is_always")]
    pub when: Condition,
    /// The group. Only a refusal needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupId>,
    /// What becomes of it there.
    #[serde(default, skip_serializing_if = "is_queue")]
    pub then: Arrival,
    /// What whoever answers must know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<Label>,
    /// What the customer is told on arrival.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub say: Option<Notice>,
    /// The destination to try when this one cannot be reached. Without one, the hand-off is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<Label>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_queue(then: &Arrival) -> bool {
    *then == Arrival::Queue
}

/// Which destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// For whom.
    #[serde(default, skip_serializing_if = "Condition::is_always")]
    pub when: Condition,
    /// The name of the destination.
    pub to: Label,
}

/// Something that is said after a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LaterNotice {
    /// After how long.
    pub after: Span,
    /// What.
    pub say: Notice,
}

/// What happens while a customer waits for an agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Waiting {
    /// What is said to somebody who still waits: each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub busy: Vec<LaterNotice>,
    /// After so long it becomes a left message, which is answered later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leave_message_after: Option<Span>,
}

impl Waiting {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What happens when nobody writes any more and no answer is owed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Idle {
    /// The customer is asked whether there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remind: Option<LaterNotice>,
    /// The conversation is closed. Without it, after the tenant's limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close_after: Option<Span>,
    /// What is said then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub say: Option<Notice>,
}

impl Idle {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Who asks for a rating.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RatingInvitation {
    /// The agent, if they like; the customer may rate all the same.
    #[default]
    ByAgent,
    /// The flow, when a conversation that a human served ends.
    OnClose,
}

/// How a rating is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RatingRules {
    /// Who asks.
    pub invite: RatingInvitation,
    /// What is said with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub say: Option<Notice>,
    /// Tags that may be chosen.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Label>,
}

impl RatingRules {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Where a conversation goes, and over which names it came there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routed<'a> {
    /// Which rule of `route` held, from 0.
    pub rule: usize,
    /// Every destination that was tried, in order; the last is the one it goes to, unless there was none.
    pub tried: Vec<&'a Label>,
    /// Where it goes; `None` when no destination could be reached.
    pub destination: Option<&'a Destination>,
}

impl ReceptionFlow {
    /// The first welcome for these circumstances.
    #[must_use]
    pub fn welcome(&self, known: &impl Circumstances) -> Option<&Welcome> {
        self.welcome.iter().find(|welcome| welcome.when.holds(known))
    }

    /// The robot for these circumstances; `None` for the humans.
    #[must_use]
    pub fn robot(&self, known: &impl Circumstances) -> Option<&Label> {
        let rule = self.robot.iter().find(|rule| rule.when.holds(known))?;
        Some(&rule.seat).filter(|seat| seat.as_str() != RobotRule::NONE)
    }

    /// Where a conversation goes that is handed to the humans. A document that [`super::check`] found in order always answers, and
    /// tries no destination twice.
    #[must_use]
    pub fn routed(&self, known: &impl Circumstances) -> Option<Routed<'_>> {
        let (rule, route) = self.route.iter().enumerate().find(|(_, route)| route.when.holds(known))?;
        let mut routed = Routed { rule, tried: vec![], destination: None };
        let mut next = Some(&route.to);
        while let Some(name) = next.filter(|name| !routed.tried.contains(name)) {
            routed.tried.push(name);
            let destination = self.destinations.get(name)?;
            if destination.when.holds(known) {
                routed.destination = Some(destination);
                return Some(routed);
            }
            next = destination.otherwise.as_ref();
        }
        Some(routed)
    }
}
