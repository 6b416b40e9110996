//! Choosing by a tenant's flow.

use super::*;
use crate::desk::error::DeskError;
use crate::flow::FlowVersion;
use crate::flow::assignment::{AssignmentFlow, ChoiceStep, Overflow, QueueRules, Taking};
use crate::ids::ShopId;

fn flagship() -> ShopId {
    "flagship".parse().unwrap()
}

fn flow(choose: &[ChoiceStep]) -> AssignmentFlow {
    AssignmentFlow { default: QueueRules { choose: choose.to_vec(), ..QueueRules::default() }, ..AssignmentFlow::default() }
}

fn adopt(shop: Option<ShopId>, version: u32, choose: &[ChoiceStep]) -> DeskCommand {
    DeskCommand::AdoptFlow { flow: FlowVersion { shop, version }, rules: flow(choose).into() }
}

fn adopted(shop: Option<ShopId>, version: u32, choose: &[ChoiceStep]) -> DeskEvent {
    FlowAdopted { flow: FlowVersion { shop, version }, queues: QueueBook::new(), default: flow(choose).default }.into()
}

fn drop_flow(shop: Option<ShopId>, version: u32) -> DeskCommand {
    DeskCommand::DropFlow { flow: FlowVersion { shop, version } }
}

fn last_agent() -> ChoiceStep {
    ChoiceStep::LastAgent { within: "1h".parse().unwrap() }
}

/// Somebody of the flagship whom Bob served so long ago.
fn known_to_bob(number: u128, ago: Millis) -> DeskCommand {
    let (conversation, chat, enqueued_at) = (conversation(number), chat(number), came(number));
    let last_served = Some(LastServed { agent: BOB, at: enqueued_at - ago });
    DeskCommand::Enqueue {
        conversation,
        chat,
        group: sales(),
        priority: PRIORITY,
        enqueued_at,
        left_message: false,
        shop: Some(flagship()),
        last_served,
        language: None,
        skills: vec![],
        scores: std::collections::BTreeMap::new(),
    }
}

fn two_on_duty() -> [DeskEvent; 2] {
    [on_duty(ALICE, 2, [sales()]).into(), on_duty(BOB, 2, [sales()]).into()]
}

/// Who got a conversation, and why.
fn decided(given: &Given<Desk>, command: &DeskCommand) -> (UserId, Decision) {
    let events = Desk::decide(command, given.state(), NOW).unwrap();
    let assigned =
        events.iter().find_map(|event| if let DeskEvent::ConversationAssigned(assigned) = event { Some(assigned) } else { None });
    assigned.map(|assigned| (assigned.agent, assigned.decision.clone())).unwrap()
}

#[test]
fn a_newer_flow_replaces_an_older_one_and_never_the_other_way_round() {
    given([])
        .when(adopt(None, 2, &[last_agent()]))
        .then([adopted(None, 2, &[last_agent()])])
        .when(adopt(None, 1, &[]))
        .then_nothing()
        .when(adopt(Some(flagship()), 1, &[]))
        .then([adopted(Some(flagship()), 1, &[])])
        .when(drop_flow(None, 1))
        .then_nothing()
        .when(drop_flow(None, 2))
        .then([FlowDropped { flow: FlowVersion { shop: None, version: 2 } }.into()])
        .when(drop_flow(None, 2))
        .then_nothing();
}

#[test]
fn a_known_customer_goes_to_the_agent_they_know_if_that_was_not_too_long_ago() {
    let desk = || given(two_on_duty()).and([adopted(None, 3, &[last_agent(), ChoiceStep::LeastLoaded])]);
    let (agent, decision) = decided(&desk(), &known_to_bob(1, Millis::hours(1)));
    assert_eq!((agent, decision.rule, decision.flow_version, decision.flow_shop), (BOB, AssignmentRule::LastAgent, 3, None));
    assert_eq!(decision.losing, [(LosingReason::NotLastAgent, 1)]);
    assert_eq!(decision.candidates[1].lost, Some(LosingReason::NotLastAgent));
    let (agent, decision) = decided(&desk(), &known_to_bob(1, Millis(3_600_001)));
    assert_eq!((agent, decision.rule), (ALICE, AssignmentRule::LeastLoaded));
    let busy = desk().and([AgentUpdated { online: false, ..on_duty(BOB, 2, [sales()]) }.into()]);
    assert_eq!(decided(&busy, &known_to_bob(1, Millis(0))).0, ALICE, "whoever they know is not there");
}

#[test]
fn in_turn_whoever_was_given_none_for_the_longest_time_is_next_whatever_they_carry() {
    let mut desk = given(two_on_duty()).and([adopted(None, 1, &[ChoiceStep::RoundRobin])]);
    for (number, agent) in [(1, ALICE), (2, BOB)] {
        assert_eq!(decided(&desk, &enqueue(number, sales())).0, agent);
        desk = desk.when(enqueue(number, sales())).then_accepted();
    }
    desk = desk.when(release(2)).then_accepted();
    let (agent, decision) = decided(&desk, &enqueue(3, sales()));
    assert_eq!((agent, decision.rule), (ALICE, AssignmentRule::RoundRobin), "Bob carries nothing, but it is not his turn");
    assert_eq!(decision.losing, [(LosingReason::GivenLater, 1)]);
}

#[test]
fn a_shop_with_a_flow_of_its_own_follows_that_one() {
    let desk = given(two_on_duty()).and([adopted(None, 1, &[]), adopted(Some(flagship()), 4, &[last_agent()])]);
    let (agent, decision) = decided(&desk, &known_to_bob(1, Millis(0)));
    assert_eq!((agent, decision.flow_version, decision.flow_shop), (BOB, 4, Some(flagship())));
    let (agent, decision) = decided(&desk, &enqueue(2, sales()));
    assert_eq!((agent, decision.flow_version, decision.flow_shop), (ALICE, 1, None));
}

#[test]
fn a_group_of_its_own_rules_goes_by_those() {
    let queues = QueueBook::from([(sales(), QueueRules { choose: vec![last_agent()], ..QueueRules::default() })]);
    let flow = FlowVersion { shop: None, version: 1 };
    let adopted = FlowAdopted { flow, queues, default: QueueRules::default() };
    let desk = given(two_on_duty()).and([adopted.into()]);
    assert_eq!(decided(&desk, &known_to_bob(1, Millis(0))).0, BOB);
}

fn speaks(languages: &[&str]) -> Abilities {
    Abilities { languages: languages.iter().map(|text| text.parse().unwrap()).collect(), ..Abilities::default() }
}

/// Somebody who writes in a language and needs somebody with these skills.
fn asks(number: u128, language: Option<&str>, skills: &[&str]) -> DeskCommand {
    let (conversation, chat, enqueued_at) = (conversation(number), chat(number), came(number));
    DeskCommand::Enqueue {
        conversation,
        chat,
        group: sales(),
        priority: PRIORITY,
        enqueued_at,
        left_message: false,
        shop: None,
        last_served: None,
        language: language.map(|text| text.parse().unwrap()),
        skills: skills.iter().map(|text| text.parse().unwrap()).collect(),
        scores: std::collections::BTreeMap::new(),
    }
}

fn scorer() -> ChoiceStep {
    ChoiceStep::Scorer { name: "model".parse().unwrap(), within_ms: 200 }
}

/// Somebody for whom the tenant's service scored some agents.
fn scored(number: u128, given: &[(UserId, i32)]) -> DeskCommand {
    let mut command = asks(number, None, &[]);
    if let DeskCommand::Enqueue { scores, .. } = &mut command {
        *scores = given.iter().copied().collect();
    }
    command
}

#[test]
fn whom_a_scorer_prefers_gets_it_and_the_scores_are_kept() {
    let desk = given(two_on_duty()).and([adopted(None, 1, &[scorer()])]);
    let (agent, decision) = decided(&desk, &scored(1, &[(ALICE, -3), (BOB, 7)]));
    assert_eq!((agent, decision.rule), (BOB, AssignmentRule::Scorer));
    let kept: Vec<_> = decision.candidates.iter().map(|candidate| (candidate.agent, candidate.score, candidate.lost)).collect();
    assert_eq!(kept, [(BOB, Some(7), None), (ALICE, Some(-3), Some(LosingReason::LowerScore))]);
    // Whoever has no score comes after whoever has any, and a score of somebody who could not take it says nothing.
    assert_eq!(decided(&desk, &scored(1, &[(BOB, -100)])).0, BOB);
    let (agent, decision) = decided(&desk, &scored(1, &[(CAROL, 9)]));
    assert_eq!((agent, decision.rule), (ALICE, AssignmentRule::LeastLoaded));
}

#[test]
fn without_scores_or_among_equal_ones_the_next_step_decides() {
    let desk = given(two_on_duty()).and([adopted(None, 1, &[scorer(), ChoiceStep::Rank])]);
    for scores in [&[][..], &[(ALICE, 5), (BOB, 5)]] {
        let (agent, decision) = decided(&desk, &scored(1, scores));
        assert_eq!((agent, decision.rule), (ALICE, AssignmentRule::LeastLoaded), "{scores:?}");
    }
}

fn able(agent: UserId, abilities: Abilities) -> DeskEvent {
    AgentUpdated { abilities, ..on_duty(agent, 2, [sales()]) }.into()
}

#[test]
fn whoever_speaks_the_customers_language_is_asked_first_and_everybody_if_nobody_does() {
    let steps = [ChoiceStep::Language { strict: false }, ChoiceStep::LeastLoaded];
    let desk = given([on_duty(ALICE, 2, [sales()]).into(), able(BOB, speaks(&["ja"]))]).and([adopted(None, 1, &steps)]);
    let (agent, decision) = decided(&desk, &asks(1, Some("ja-JP"), &[]));
    assert_eq!((agent, decision.rule), (BOB, AssignmentRule::Language));
    assert_eq!(decision.losing, [(LosingReason::OtherLanguage, 1)]);
    for anybody in [Some("fr"), None] {
        assert_eq!(decided(&desk, &asks(1, anybody, &[])).0, ALICE, "{anybody:?}");
    }
}

#[test]
fn whoever_waits_for_a_language_holds_up_nobody_who_does_not() {
    let steps = [ChoiceStep::Language { strict: true }];
    let desk = given([on_duty(ALICE, 1, [sales()]).into(), adopted(None, 1, &steps)])
        .when(asks(1, Some("ja"), &[]))
        .then_accepted()
        .when(asks(2, None, &[]))
        .then_accepted();
    assert_stands(&desk, [(2, ALICE)], [(1, sales())]);
    let desk = desk.when(update(BOB, AgentChange::Abilities(speaks(&["ja"])))).then_accepted();
    let desk = desk.and([able(BOB, speaks(&["ja"]))]).when(start(ALICE)).then_accepted();
    assert_stands(&desk, [(1, BOB), (2, ALICE)], []);
}

#[test]
fn skills_are_all_needed_and_may_be_insisted_on() {
    let chief = Abilities { skills: vec!["gold".parse().unwrap(), "refund".parse().unwrap()], ..Abilities::default() };
    let half = Abilities { skills: vec!["refund".parse().unwrap()], ..Abilities::default() };
    let desk = |strict| given([able(ALICE, half.clone()), adopted(None, 1, &[ChoiceStep::Skills { strict }])]);
    assert_eq!(decided(&desk(false), &asks(1, None, &["refund", "gold"])).0, ALICE, "nobody has both");
    let waits = desk(true).when(asks(1, None, &["refund", "gold"])).then_accepted();
    assert_stands(&waits, [], [(1, sales())]);
    let both = desk(true).and([able(BOB, chief)]);
    let (agent, decision) = decided(&both, &asks(1, None, &["refund", "gold"]));
    assert_eq!((agent, &decision.losing[..]), (BOB, &[(LosingReason::LacksSkill, 1)][..]));
}

#[test]
fn a_flow_that_insists_no_longer_lets_everybody_go_who_waited() {
    let desk = given([on_duty(ALICE, 2, [sales()]).into(), adopted(None, 1, &[ChoiceStep::Language { strict: true }])])
        .when(asks(1, Some("ja"), &[]))
        .then_accepted()
        .when(adopt(None, 2, &[]))
        .then_accepted();
    assert_stands(&desk, [(1, ALICE)], []);
}

#[test]
fn the_highest_rank_is_asked_first_and_load_decides_among_equals() {
    let ranked = |rank| Abilities { rank, ..Abilities::default() };
    let desk = given([able(ALICE, ranked(2)), able(BOB, ranked(1)), able(CAROL, ranked(1))]).and([adopted(
        None,
        1,
        &[ChoiceStep::Rank, ChoiceStep::LeastLoaded],
    )]);
    let desk = [1, 2, 3].into_iter().fold(desk, |desk, number| desk.when(enqueue(number, sales())).then_accepted());
    assert_stands(&desk, [(1, BOB), (2, CAROL), (3, BOB)], []);
}

#[test]
fn chance_falls_in_proportion_to_weight_and_falls_the_same_whenever_it_is_looked_at() {
    let weighs = |weight| Abilities { weight, ..Abilities::default() };
    let free = |agent, weight| -> DeskEvent { AgentUpdated { abilities: weighs(weight), ..on_duty(agent, 1_000, [sales()]) }.into() };
    let mut desk = given([free(ALICE, 300), free(BOB, 100), free(CAROL, 0)]).and([adopted(None, 1, &[ChoiceStep::Weighted])]);
    for number in 1..=400 {
        assert_eq!(decided(&desk, &enqueue(number, sales())), decided(&desk, &enqueue(number, sales())));
        desk = desk.when(enqueue(number, sales())).then_accepted();
    }
    let load = |agent| desk.state().agents[&agent].load();
    // Of 400 draws at three to one, 300 fall on Alice; 252 to 348 are within five and a half standard deviations.
    assert!((252..=348).contains(&load(ALICE)), "{}", load(ALICE));
    assert_eq!((load(ALICE) + load(BOB), load(CAROL)), (400, 0));
}

fn rules(rules: QueueRules) -> DeskEvent {
    FlowAdopted { flow: FlowVersion { shop: None, version: 1 }, queues: QueueBook::new(), default: rules }.into()
}

fn pick(number: u128, by: UserId) -> DeskCommand {
    DeskCommand::Pick { conversation: conversation(number), by }
}

#[test]
fn nothing_is_given_from_a_queue_of_which_agents_pick() {
    let picked = rules(QueueRules { take: Taking::Picked, ..QueueRules::default() });
    let desk = given(two_on_duty()).and([picked]).when(enqueue(1, sales())).then_accepted().when(enqueue(2, sales())).then_accepted();
    assert_stands(&desk, [], [(1, sales()), (2, sales())]);
    let decision = Decision { flow_version: 1, ..named(AssignmentRule::Picked, 5, winner(ALICE, 0, 2)) };
    let desk = desk.when(pick(2, ALICE)).then([assigned(2, ALICE, 1, decision).into()]).when(pick(2, ALICE)).then_nothing();
    desk.when(pick(2, BOB)).then_refused(DeskError::NotYoursAnyMore { current: Some(ALICE) });
}

#[test]
fn an_agent_picks_for_their_groups_on_service_below_capacity_and_where_it_is_allowed() {
    let picked = || rules(QueueRules { take: Taking::Picked, ..QueueRules::default() });
    let waits = |agent: AgentUpdated| given([picked(), agent.into(), queued(1, sales()).into()]);
    let ready = on_duty(ALICE, 1, [sales()]);
    waits(AgentUpdated { groups: vec![support()], ..ready.clone() })
        .when(pick(1, ALICE))
        .then_refused(DeskError::OtherGroup { agent: ALICE, group: sales() });
    waits(AgentUpdated { on_service: false, ..ready.clone() })
        .when(pick(1, ALICE))
        .then_refused(DeskError::AgentNotAvailable { agent: ALICE });
    waits(AgentUpdated { capacity: 0, ..ready }).when(pick(1, ALICE)).then_refused(DeskError::AgentAtCapacity { agent: ALICE, limit: 0 });
    given([on_duty(ALICE, 0, [sales()]).into(), queued(1, sales()).into()])
        .when(pick(1, ALICE))
        .then_refused(DeskError::NotPicked { group: sales() });
}

fn time_out(number: u128, assignment: u64, reason: RequeueReason) -> DeskCommand {
    DeskCommand::TimeOut { conversation: conversation(number), assignment, reason }
}

#[test]
fn what_an_agent_let_time_out_goes_to_the_next_one_and_back_to_them_only_when_they_come_again() {
    let terms = QueueRules { accept_within: Some("30s".parse().unwrap()), ..QueueRules::default() };
    let desk = given(two_on_duty()).and([rules(terms)]).when(enqueue(1, sales())).then_accepted();
    assert_stands(&desk, [(1, ALICE)], []);
    let desk = desk.when(time_out(1, 1, RequeueReason::NotAccepted)).then_accepted();
    assert_stands(&desk, [(1, BOB)], []);
    let desk = desk.when(time_out(1, 1, RequeueReason::NotAccepted)).then_nothing();
    let desk = desk.when(time_out(1, 2, RequeueReason::NotAccepted)).then_accepted();
    assert_stands(&desk, [(1, ALICE)], []);

    let alone = given([on_duty(ALICE, 1, [sales()]).into()]).when(enqueue(1, sales())).then_accepted();
    let alone = alone.when(time_out(1, 1, RequeueReason::NotAnswered)).then_accepted();
    assert_stands(&alone, [], [(1, sales())]);
    let paused = alone.when(update(ALICE, AgentChange::Service(Service::Paused))).then_accepted();
    assert_stands(&paused.when(start(ALICE)).then_accepted(), [(1, ALICE)], []);
}

#[test]
fn what_a_provider_let_pass_it_is_given_again_only_when_it_comes_again_whoever_had_it_meanwhile() {
    let provider = |agent| AgentUpdated { provider: Some(Millis::minutes(2)), ..on_duty(agent, 1, [sales()]) };
    let desk = given([provider(ALICE).into(), provider(BOB).into()]).when(enqueue(1, sales())).then_accepted();
    let desk = desk.when(time_out(1, 1, RequeueReason::NotAccepted)).then_accepted();
    assert_stands(&desk, [(1, BOB)], []);
    let desk = desk.when(time_out(1, 2, RequeueReason::NotAccepted)).then_accepted();
    assert_stands(&desk, [], [(1, sales())]);
    let desk = desk.when(update(ALICE, AgentChange::Service(Service::Paused))).then_accepted();
    let desk = desk.when(start(ALICE)).then_accepted();
    assert_stands(&desk, [(1, ALICE)], []);
    let desk = desk.when(time_out(1, 3, RequeueReason::NotAccepted)).then_accepted();
    assert_stands(&desk, [], [(1, sales())]);
    let desk = desk.when(update(CAROL, AgentChange::Groups(vec![sales()]))).then_accepted();
    let desk = desk.when(update(CAROL, AgentChange::Online(true))).then_accepted().when(start(CAROL)).then_accepted();
    assert_stands(&desk, [(1, CAROL)], []);
    let desk = desk.when(transfer(1, Some(CAROL), TransferTarget::Group(sales()))).then_accepted();
    assert!(desk.state().tickets[&conversation(1)].passed.is_empty(), "somebody had it in earnest");
}

#[test]
fn an_assignment_says_how_long_the_agent_has_unless_they_took_it_themselves() {
    let terms =
        QueueRules { accept_within: Some("30s".parse().unwrap()), answer_within: Some("3m".parse().unwrap()), ..QueueRules::default() };
    let desk = || given(two_on_duty()).and([rules(terms.clone())]);
    let spans = |command: &DeskCommand, desk: &Given<Desk>| {
        let events = Desk::decide(command, desk.state(), NOW).unwrap();
        events
            .iter()
            .find_map(|event| {
                let DeskEvent::ConversationAssigned(assigned) = event else { return None };
                Some((assigned.accept_within, assigned.answer_within))
            })
            .unwrap()
    };
    assert_eq!(spans(&enqueue(1, sales()), &desk()), (Some(Millis::seconds(30)), Some(Millis::minutes(3))));
    let waits = desk().when(enqueue(1, sales())).then_accepted();
    assert_eq!(spans(&take_over(1, BOB), &waits), (None, Some(Millis::minutes(3))));
}

#[test]
fn whoever_waits_too_long_goes_on_to_another_group_at_their_original_time() {
    let overflow = Some(Overflow { after: "1m".parse().unwrap(), to: support() });
    let queues = QueueBook::from([(sales(), QueueRules { overflow, ..QueueRules::default() })]);
    let flow = FlowAdopted { flow: FlowVersion { shop: None, version: 1 }, queues, default: QueueRules::default() };
    let came = came(1);
    let queued = ConversationQueued { queue: QueueKind::Offline, overflow_at: Some(came + Millis::minutes(1)), ..queued(1, sales()) };
    let overflow = DeskCommand::Overflow { conversation: conversation(1), group: sales() };
    let moved = ConversationQueued { group: support(), moved_from: Some(sales()), overflow_at: None, ..queued.clone() };
    given([flow.into()])
        .when(enqueue(1, sales()))
        .then([queued.into()])
        .at(came + Millis(59_999))
        .when(overflow.clone())
        .then_nothing()
        .at(came + Millis(60_000))
        .when(overflow.clone())
        .then([moved.into()])
        .when(overflow)
        .then_nothing();
}

#[test]
fn whoever_waited_beyond_every_limit_is_answered_like_a_left_message() {
    let leave = DeskCommand::LeaveMessage { conversation: conversation(1) };
    let left = ConversationQueued { queue: QueueKind::Message, ..queued(1, sales()) };
    given([queued(1, sales()).into()]).when(leave.clone()).then([left.into()]).when(leave.clone()).then_nothing();
    let desk = given([on_duty(ALICE, 1, [sales()]).into()]).when(enqueue(1, sales())).then_accepted().when(leave).then([requeued(
        1,
        ALICE,
        1,
        sales(),
        RequeueReason::Overdue,
    )]);
    assert!(desk.state().tickets[&conversation(1)].left_message);
}
