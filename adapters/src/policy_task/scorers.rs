//! Scores for conversations that are about to wait, where their flow asks for them: the tenant's scorer is asked before the desk is,
//! for as long as the flow lets it, and whatever it does the conversation waits then.

use std::sync::Arc;
use std::time::Duration;

use application::command::{Answer, AnyCommand, Request};
use application::error::CommandError;
use application::policies::following::Following;
use application::policies::release_after;
use application::ports::command_bus::CommandBus;
use application::queries::{AgentRow, ConversationStatus, ReadModels, RobotRow};
use domain::desk::command::DeskCommand;
use domain::desk::event::Scores;
use domain::flow::assignment::{AssignmentFlow, ChoiceStep};
use domain::ids::{ConversationId, GroupId, TenantId};
use domain::tenant::event::RobotUse;

use crate::http::error::Causes;
use crate::reading::caught_up;
use crate::robots::remote::RemoteRobots;
use crate::robots::remote::scoring::{CANDIDATES_MAX, CandidateBody, Scoring};

/// A scorer, and what it is asked.
pub(super) struct Wanted {
    robot: RobotRow,
    within: Duration,
    scoring: Scoring,
}

/// See the file's head.
pub struct Scorers {
    remote: Arc<RemoteRobots>,
    views: Arc<dyn ReadModels>,
    commands: Arc<dyn CommandBus>,
}

impl Scorers {
    /// Asks by this client.
    #[must_use]
    pub fn new(remote: Arc<RemoteRobots>, views: Arc<dyn ReadModels>, commands: Arc<dyn CommandBus>) -> Self {
        Self { remote, views, commands }
    }

    /// What is to be asked before an order is carried out, if anything.
    pub(super) fn wanted(&self, order: &Request, following: Option<&Following<AssignmentFlow>>) -> Option<Wanted> {
        let AnyCommand::Desk(DeskCommand::Enqueue { conversation, group, left_message: false, skills, .. }) = &order.command else {
            return None;
        };
        let (tenant, Following { flow, case, .. }) = (order.stream.tenant, following?);
        let scorer = |step: &ChoiceStep| {
            let ChoiceStep::Scorer { name, within_ms } = step else { return None };
            Some((name.clone(), *within_ms))
        };
        let (name, within_ms) = flow.queue(*group).choose.iter().find_map(scorer)?;
        let row = self.views.tenant(tenant)?;
        let Some(robot) = row.robot(&name, RobotUse::Scorer).cloned() else {
            tracing::warn!(tenant.id = %tenant, scorer = %name, "a flow asks for a scorer that is not connected; the next step decides");
            return None;
        };
        let scoring = Scoring {
            id: order.id.uuid(),
            purpose: RobotUse::Scorer,
            conversation: *conversation,
            shop: case.shop,
            group: *group,
            entry_page: case.entry,
            language: case.language.clone(),
            tier: case.tier.clone(),
            tags: case.tags.clone(),
            skills: skills.clone(),
            candidates: self.candidates(tenant, *group),
        };
        Some(Wanted { robot, within: Duration::from_millis(within_ms.into()), scoring })
    }

    fn candidates(&self, tenant: TenantId, group: GroupId) -> Vec<CandidateBody> {
        let body = |row: AgentRow| {
            let (load, capacity) = (row.carries.len(), row.capacity);
            let free = row.on_service && row.online && load < usize::try_from(capacity).unwrap_or(usize::MAX);
            CandidateBody { agent: row.agent, load, capacity, free }
        };
        let agents = self.views.agents(tenant).into_iter().filter(|row| row.groups.contains(&group));
        let mut candidates: Vec<CandidateBody> = agents.map(body).collect();
        candidates.sort_by_key(|candidate| (!candidate.free, candidate.load, candidate.agent));
        candidates.truncate(CANDIDATES_MAX);
        candidates
    }

    /// Asks, and then carries the order out.
    pub(super) async fn carry_out(&self, mut order: Request, wanted: Wanted) -> Result<Answer, CommandError> {
        let (tenant, conversation) = (order.stream.tenant, wanted.scoring.conversation);
        if let AnyCommand::Desk(DeskCommand::Enqueue { scores, .. }) = &mut order.command {
            *scores = self.scores(tenant, &wanted).await;
        }
        let release = release_after(&order, conversation);
        let answer = self.commands.execute(order).await?;
        // It may have ended while the scorer thought: its end found nothing at the desk to release.
        if self.has_ended(tenant, conversation, &answer).await {
            self.commands.execute(release).await?;
        }
        Ok(answer)
    }

    async fn scores(&self, tenant: TenantId, wanted: &Wanted) -> Scores {
        let asked = self.remote.score(tenant, &wanted.robot, &wanted.scoring, wanted.within).await;
        asked.unwrap_or_else(|error| {
            let (conversation, scorer) = (wanted.scoring.conversation, &wanted.robot.robot);
            tracing::warn!(tenant.id = %tenant, conversation.id = %conversation, scorer = %scorer, error = %Causes(&error), "no scores; the next step decides");
            Scores::new()
        })
    }

    async fn has_ended(&self, tenant: TenantId, conversation: ConversationId, answer: &Answer) -> bool {
        caught_up(&*self.views, answer.position.commit, super::CONSUMER).await;
        self.views.conversation(tenant, conversation).is_some_and(|row| row.status == ConversationStatus::Closed)
    }
}
