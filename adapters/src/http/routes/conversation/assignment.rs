//! `GET /v1/tenants/{t}/conversations/{id}/assignment`: why its agents have it, in words and in numbers.

use application::access::Action;
use application::log::codec::{self, Reading};
use application::log::commit;
use application::log::stream::{StreamId, StreamKey};
use axum::Json;
use axum::extract::State;
use domain::conversation::event::{ProviderAnswer, ProviderAnswered};
use domain::decider::Decider;
use domain::desk::Desk;
use domain::desk::choose::table;
use domain::desk::event::{AssignmentRule, Candidate, ConversationAssigned, Decision, DeskEvent, LosingReason};
use domain::desk::state::DeskState;
use domain::event::Event;
use domain::ids::{ConversationId, TenantId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{reached, stream};
use crate::http::auth::Caller;
use crate::http::error::{ApiError, Problem};
use crate::http::extract::{InPath, Params};
use crate::providers::answers::answers;
use crate::reading::Reader;
use crate::state::{App, AppState};

/// Commits of the desk read at a time.
const PAGE: usize = 512;

/// How much is explained.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct HowMuch {
    /// Whether every agent is listed, recomputed from the desk as it stood: takes longer the older the desk is.
    #[serde(default)]
    everybody: bool,
}

/// Every decision about a conversation.
#[derive(Debug, Serialize, ToSchema)]
pub struct Explanation {
    /// The conversation.
    conversation: String,
    /// The first one first.
    decisions: Vec<DecisionBody>,
}

/// Why an agent got it.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecisionBody {
    /// The decision's number.
    assignment: u64,
    /// When, in milliseconds since 1970.
    at: i64,
    /// Who got it.
    agent: String,
    /// Who had it until then.
    previous: Option<String>,
    /// `least_loaded`, `last_agent`, `round_robin`, `language`, `skills`, `rank`, `weighted`, `picked`, `transfer`, `take_over` or
    /// `recorded`.
    #[schema(value_type = String)]
    rule: AssignmentRule,
    /// The flow that says so.
    flow: FlowNamed,
    /// Facts of the desk that the decision had seen.
    desk_version: u64,
    /// The decision in words.
    words: Words,
    /// How many agents did not get it, by reason.
    losing: Vec<Losing>,
    /// The first 16 who were looked at, the winner first; with `everybody`, all.
    candidates: Vec<CandidateBody>,
    /// Where a provider got it: how that took it, last of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<ProviderTook>,
    /// With `everybody`: whether the recomputed winner is the stored one.
    #[serde(skip_serializing_if = "Option::is_none")]
    agrees: Option<bool>,
}

/// How a provider took it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProviderTook {
    /// When, in milliseconds since 1970.
    at: i64,
    /// `accepted`, `queueing`, `refused`, `failed` (it could not be told, or made no sense) or `resting` (it was not told, because it
    /// had failed too often).
    answer: &'static str,
    /// Its place there, when it queues.
    position: Option<u32>,
    /// Why it was refused, in the provider's words.
    reason: Option<String>,
}

/// Which flow.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlowNamed {
    /// The shop whose own it is.
    shop: Option<String>,
    /// Its number; 0 for the built-in one.
    version: u32,
}

/// The same in each language.
#[derive(Debug, Serialize, ToSchema)]
pub struct Words {
    /// Chinese.
    #[serde(rename = "zh-CN")]
    chinese: String,
    /// English.
    en: String,
}

/// How many did not get it for one reason.
#[derive(Debug, Serialize, ToSchema)]
pub struct Losing {
    /// `more_loaded`, `tie_broken`, `at_capacity`, `not_on_service`, `offline`, `other_group`, `not_last_agent`, `given_later`,
    /// `other_language`, `lacks_skill`, `lower_rank`, `not_drawn`, `let_it_time_out` or `lower_score`.
    #[schema(value_type = String)]
    reason: LosingReason,
    /// How many.
    agents: u32,
}

/// Somebody who was looked at.
#[derive(Debug, Serialize, ToSchema)]
pub struct CandidateBody {
    /// Who.
    agent: String,
    /// What they carried.
    load: u32,
    /// The most they may.
    capacity: u32,
    /// Why not; null for the winner.
    #[schema(value_type = Option<String>)]
    lost: Option<LosingReason>,
    /// Their score, if the flow asked a scorer and it answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<i32>,
}

impl From<&Candidate> for CandidateBody {
    fn from(candidate: &Candidate) -> Self {
        let Candidate { agent, load, capacity, lost, score } = *candidate;
        Self { agent: agent.to_string(), load, capacity, lost, score }
    }
}

/// Explains why the conversation's agents have it, or had it.
#[utoipa::path(
    get,
    path = "/v1/tenants/{t}/conversations/{id}/assignment",
    tag = "conversations",
    params(("t" = String, Path, description = "The tenant."), ("id" = String, Path, description = "The conversation."), HowMuch),
    responses((status = 200, body = Explanation), (status = "default", body = Problem, content_type = "application/problem+json"))
)]
pub async fn explain(
    State(app): State<App>,
    caller: Caller,
    InPath((tenant, id)): InPath<(TenantId, ConversationId)>,
    Params(how): Params<HowMuch>,
) -> Result<Json<Explanation>, ApiError> {
    let row = reached(&app, &caller, tenant, id, Action::ExplainAssignment).await?;
    let mut reader = Reader::new(&app);
    let mut decided = Vec::with_capacity(row.decisions.len());
    for at in row.decisions {
        let opened = reader.open(at).await?;
        if let Event::Desk(DeskEvent::ConversationAssigned(assigned)) = opened.event {
            decided.push((opened.header.time.0, assigned));
        }
    }
    let tables = if how.everybody { tables(&app, tenant, &decided).await? } else { vec![] };
    let mut tables = tables.into_iter();
    let mut decisions: Vec<DecisionBody> = decided.iter().map(|(at, assigned)| body(*at, assigned, tables.next().flatten())).collect();
    if decided.iter().any(|(_, assigned)| assigned.provider) {
        let answers = answers(&*app.ports.log, stream(tenant, id), Reading::Open(&*app.ports.keys)).await?;
        for decision in &mut decisions {
            decision.provider = answers.get(&decision.assignment).map(|(at, answered)| provider_took(at.0, answered));
        }
    }
    Ok(Json(Explanation { conversation: id.to_string(), decisions }))
}

fn body(at: i64, assigned: &ConversationAssigned, table: Option<Vec<Candidate>>) -> DecisionBody {
    let decision = &assigned.decision;
    let agrees = table.as_ref().map(|table| table.first().is_some_and(|first| first.agent == assigned.agent && first.lost.is_none()));
    let candidates = table.as_ref().unwrap_or(&decision.candidates);
    DecisionBody {
        assignment: assigned.assignment,
        at,
        agent: assigned.agent.to_string(),
        previous: assigned.previous.map(|agent| agent.to_string()),
        rule: decision.rule,
        flow: FlowNamed { shop: decision.flow_shop.map(|shop| shop.to_string()), version: decision.flow_version },
        desk_version: decision.desk_version,
        words: words(decision),
        losing: decision.losing.iter().map(|(reason, agents)| Losing { reason: *reason, agents: *agents }).collect(),
        candidates: candidates.iter().map(CandidateBody::from).collect(),
        provider: None,
        agrees,
    }
}

fn provider_took(at: i64, answered: &ProviderAnswered) -> ProviderTook {
    let (answer, position) = match answered.answer {
        ProviderAnswer::Accepted => ("accepted", None),
        ProviderAnswer::Queueing(position) => ("queueing", Some(position)),
        ProviderAnswer::Refused => ("refused", None),
        ProviderAnswer::Failed => ("failed", None),
        ProviderAnswer::Resting => ("resting", None),
    };
    let reason = answered.private.known().and_then(|words| words.reason.as_ref()).map(|reason| reason.as_str().to_owned());
    ProviderTook { at, answer, position, reason }
}

/// Every agent at each decision that the desk chose, from the desk as it stood then.
async fn tables(
    app: &AppState,
    tenant: TenantId,
    decided: &[(i64, ConversationAssigned)],
) -> Result<Vec<Option<Vec<Candidate>>>, ApiError> {
    let stream = StreamId::new(tenant, StreamKey::Desk);
    let mut desk = DeskState::default();
    let mut tables = vec![None; decided.len()];
    let last = decided.iter().map(|(_, assigned)| assigned.decision.desk_version).max().unwrap_or(0);
    while desk.version <= last {
        let page = app.ports.log.read_stream(stream, desk.version + 1, PAGE).await?;
        if page.is_empty() {
            break;
        }
        for stored in &page {
            let header = stored.header().map_err(codec::DecodeError::Commit)?;
            for raw in commit::events(&stored.bytes).map_err(codec::DecodeError::Commit)? {
                let raw = raw.map_err(codec::DecodeError::Commit)?;
                let Event::Desk(event) = codec::decode(&header.stream, &raw, Reading::Closed)? else { continue };
                for ((_, assigned), known) in decided.iter().zip(&mut tables) {
                    let is_here = assigned.decision.desk_version == desk.version && assigned.decision.rule.is_chosen();
                    if let Some(ticket) = desk.tickets.get(&assigned.conversation).filter(|_| is_here) {
                        *known = Some(table(&desk, assigned.conversation, ticket));
                    }
                }
                Desk::evolve(&mut desk, &event, header.time);
            }
        }
        // Others want to be served, too.
        tokio::task::yield_now().await;
    }
    Ok(tables)
}

/// The decision as somebody would say it.
fn words(decision: &Decision) -> Words {
    let winner = decision.candidates.first();
    let (load, capacity) = winner.map_or((0, 0), |winner| (winner.load, winner.capacity));
    let (chinese, english) = match decision.rule {
        AssignmentRule::LeastLoaded => ("接待量最少的客服", "The agent with the fewest conversations"),
        AssignmentRule::LastAgent => ("上次接待该顾客的客服", "The agent who served this customer last"),
        AssignmentRule::RoundRobin => ("轮到的客服（最久未分配）", "The agent whose turn it was"),
        AssignmentRule::Language => ("会说顾客语言的客服", "The agent who speaks the customer's language"),
        AssignmentRule::Skills => ("具备所需技能的客服", "The agent with the skills that are asked for"),
        AssignmentRule::Rank => ("级别最高的客服", "The agent of the highest rank"),
        AssignmentRule::Weighted => ("按权重随机选中的客服", "The agent on whom chance fell, by weight"),
        AssignmentRule::Scorer => ("外部评分最高的客服", "The agent whom the tenant's scorer preferred"),
        AssignmentRule::Picked => ("客服自行领取", "The agent picked it"),
        AssignmentRule::Transfer => ("由他人转接", "Somebody handed it to this agent"),
        AssignmentRule::TakeOver => ("组长接管", "A supervisor took it over"),
        AssignmentRule::Recorded => ("导入的历史记录", "The recorded holder of imported history"),
    };
    let mut words = Words {
        chinese: format!("{chinese}，当时接待 {load}/{capacity}"),
        en: format!("{english}, with {load} of {capacity} conversations then"),
    };
    for (nth, (reason, agents)) in decision.losing.iter().enumerate() {
        let (chinese, english) = reason_in_words(*reason);
        let (comma, semicolon) = if nth == 0 { ("。其他客服：", ". Of the others: ") } else { ("，", ", ") };
        words.chinese.push_str(&format!("{comma}{agents} 人{chinese}"));
        words.en.push_str(&format!("{semicolon}{agents} {english}"));
    }
    words
}

const fn reason_in_words(reason: LosingReason) -> (&'static str, &'static str) {
    match reason {
        LosingReason::MoreLoaded => ("接待量更多", "carried more"),
        LosingReason::TieBroken => ("同样合适但编号靠后", "were as good, with a larger id"),
        LosingReason::AtCapacity => ("已满", "were at capacity"),
        LosingReason::NotOnService => ("未上班", "were not on service"),
        LosingReason::Offline => ("离线", "were offline"),
        LosingReason::OtherGroup => ("不在该组", "serve other groups"),
        LosingReason::NotLastAgent => ("不是上次的客服", "had not served the customer last"),
        LosingReason::OtherLanguage => ("不会说顾客的语言", "do not speak the customer's language"),
        LosingReason::LacksSkill => ("缺少所需技能", "lack a skill"),
        LosingReason::LowerRank => ("级别较低", "are of a lower rank"),
        LosingReason::NotDrawn => ("未被随机选中", "were not drawn"),
        LosingReason::LetItTimeOut => ("刚刚超时未处理", "had just let it time out"),
        LosingReason::LowerScore => ("评分较低或没有评分", "had a lower score, or none"),
        LosingReason::GivenLater => ("更近被分配过", "had been given one more lately"),
    }
}
