//! Any commands to a desk.

use proptest::prelude::*;

use super::*;
use crate::desk::event::Scores;

pub(super) fn agent() -> impl Strategy<Value = UserId> {
    (1_u128..6).prop_map(UserId::from_u128)
}

pub(super) fn number() -> impl Strategy<Value = u128> {
    0_u128..24
}

pub(super) fn group() -> impl Strategy<Value = GroupId> {
    prop_oneof![Just(sales()), Just(support()), Just("night".parse().unwrap())]
}

pub(super) fn language() -> impl Strategy<Value = Language> {
    proptest::sample::select(vec!["zh", "zh-TW", "en"]).prop_map(|text| text.parse().unwrap())
}

pub(super) fn skills() -> impl Strategy<Value = Vec<Label>> {
    proptest::sample::subsequence(vec!["refund", "gold"], 0..3)
        .prop_map(|skills| skills.into_iter().map(|skill| skill.parse().unwrap()).collect())
}

pub(super) fn abilities() -> impl Strategy<Value = Abilities> {
    (skills(), proptest::collection::vec(language(), 0..3), 0_u8..3, 0_u16..4).prop_map(|(skills, languages, rank, weight)| Abilities {
        skills,
        languages,
        rank,
        weight,
    })
}

/// Which providers have to accept.
pub(super) fn accept_within() -> impl Strategy<Value = Millis> {
    (1_i64..4).prop_map(Millis::seconds)
}

pub(super) fn change() -> impl Strategy<Value = AgentChange> {
    prop_oneof![
        4 => Just(AgentChange::Service(Service::Started)),
        1 => Just(AgentChange::Service(Service::Paused)),
        1 => Just(AgentChange::Service(Service::Stopped)),
        4 => Just(AgentChange::Online(true)),
        1 => Just(AgentChange::Online(false)),
        2 => (0_u32..5).prop_map(AgentChange::Capacity),
        4 => proptest::collection::vec(group(), 0..4).prop_map(AgentChange::Groups),
        4 => abilities().prop_map(AgentChange::Abilities),
        2 => accept_within().prop_map(AgentChange::Provider),
    ]
}

pub(super) fn target() -> impl Strategy<Value = TransferTarget> {
    prop_oneof![agent().prop_map(TransferTarget::Agent), group().prop_map(TransferTarget::Group)]
}

pub(super) fn step() -> impl Strategy<Value = ChoiceStep> {
    prop_oneof![
        Just(ChoiceStep::LastAgent { within: "1s".parse().unwrap() }),
        Just(ChoiceStep::RoundRobin),
        Just(ChoiceStep::LeastLoaded),
        Just(ChoiceStep::Rank),
        Just(ChoiceStep::Weighted),
        Just(ChoiceStep::Scorer { name: "model".parse().unwrap(), within_ms: 100 }),
        any::<bool>().prop_map(|strict| ChoiceStep::Language { strict }),
        any::<bool>().prop_map(|strict| ChoiceStep::Skills { strict }),
    ]
}

/// Few versions, so that older ones come after newer ones.
pub(super) fn flow() -> impl Strategy<Value = DeskCommand> {
    let version = || (1_u32..6).prop_map(|version| FlowVersion { shop: None, version });
    prop_oneof![
        3 => (version(), proptest::collection::vec(step(), 0..4), proptest::bool::weighted(0.2)).prop_map(|(flow, choose, picked)| {
            let take = if picked { Taking::Picked } else { Taking::Given };
            let overflow = Some(Overflow { after: "1s".parse().unwrap(), to: sales() });
            let default = QueueRules { choose, take, overflow, ..QueueRules::default() };
            DeskCommand::AdoptFlow { flow, rules: AssignmentFlow { default, ..AssignmentFlow::default() }.into() }
        }),
        1 => version().prop_map(|flow| DeskCommand::DropFlow { flow }),
    ]
}

/// Scores of some of the agents, few enough to be alike.
fn scores() -> impl Strategy<Value = Scores> {
    proptest::collection::btree_map(agent(), -1_i32..2, 0..3)
}

/// Somebody who was served before, lately or long ago, and asks for more than anybody may have.
pub(super) fn known_customer() -> impl Strategy<Value = DeskCommand> {
    let asked = (proptest::option::of(language()), skills(), scores());
    (number(), group(), agent(), proptest::sample::select(vec![0, 1_000, 1_001]), asked).prop_map(
        |(number, group, agent, ago, (language, skills, scores))| {
            let (conversation, chat, enqueued_at) = (conversation(number), chat(number), came(number));
            let last_served = Some(LastServed { agent, at: enqueued_at - Millis(ago) });
            let (priority, left_message, shop) = (1, false, None);
            DeskCommand::Enqueue {
                conversation,
                chat,
                group,
                priority,
                enqueued_at,
                left_message,
                shop,
                last_served,
                language,
                skills,
                scores,
            }
        },
    )
}

/// Under few assignments, so that some are those of the owner.
pub(super) fn time_out() -> impl Strategy<Value = DeskCommand> {
    let reason = proptest::sample::select(vec![RequeueReason::NotAccepted, RequeueReason::NotAnswered]);
    (number(), 0_u64..20, reason).prop_map(|(number, assignment, reason)| DeskCommand::TimeOut {
        conversation: conversation(number),
        assignment,
        reason,
    })
}

pub(super) fn command() -> impl Strategy<Value = DeskCommand> {
    prop_oneof![
        8 => (agent(), change()).prop_map(|(agent, change)| update(agent, change)),
        // Few priorities and instants, so that every tie-breaker has to work.
        10 => (number(), group(), 0_u8..3, 0_u128..5).prop_map(|(number, group, priority, at)| enqueue_with(number, group, priority, came(at))),
        3 => (number(), group()).prop_map(|(number, group)| leave_message(number, group)),
        8 => known_customer(),
        6 => time_out(),
        1 => number().prop_map(|number| DeskCommand::LeaveMessage { conversation: conversation(number) }),
        2 => (number(), group()).prop_map(|(number, group)| DeskCommand::Overflow { conversation: conversation(number), group }),
        2 => (number(), agent()).prop_map(|(number, by)| DeskCommand::Pick { conversation: conversation(number), by }),
        2 => flow(),
        4 => number().prop_map(release),
        3 => (number(), proptest::option::of(agent()), target()).prop_map(|(number, by, to)| transfer(number, by, to)),
        1 => (number(), agent()).prop_map(|(number, by)| take_over(number, by)),
        1 => (number(), agent()).prop_map(|(number, agent)| assign_recorded(number, agent)),
    ]
}
