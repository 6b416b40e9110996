//! A question to a robot that the tenant has elsewhere: what is asked, and what follows from the answer, or from there being none.

use application::command::Request;
use application::policies::following::Following;
use application::policies::robot::{Found, Question, answer_id, give_up, reply};
use domain::conversation::event::HumanReason;
use domain::flow::reception::ReceptionFlow;
use domain::labels::Label;
use domain::tenant::event::RobotUse;

use super::Robot;
use super::remote::asking::{Answered, Asking};
use super::remote::history::{self, Where};
use super::seats::Growing;
use crate::follower::Carrier;
use crate::http::error::{ApiError, Causes};
use crate::reading::caught_up;

impl Robot {
    /// What a robot elsewhere says, or a human instead.
    pub(super) async fn ask_elsewhere(
        &self,
        robot: &Label,
        question: &Question<'_>,
        following: &Following<ReceptionFlow>,
    ) -> Result<Vec<Request>, ApiError> {
        let Question { fact, chat, conversation, seq, .. } = *question;
        let tenant = fact.stream.tenant;
        let gave_up = |reason| Ok(give_up(&fact, conversation, reason));
        let row = self.views.tenant(tenant).and_then(|tenant| tenant.robot(robot, RobotUse::Seat).cloned());
        let Some(row) = row else { return gave_up(HumanReason::RobotFailed) };
        let of = Where { tenant, chat, conversation };
        let asking = Asking {
            id: fact.meta.id.uuid(),
            purpose: RobotUse::Seat,
            conversation,
            chat,
            shop: following.case.shop,
            entry: following.case.entry,
            language: following.case.language.clone(),
            seq,
            kind: question.kind,
            text: question.text.to_owned(),
            history: history::until(&*self.log, &*self.keys, &*self.views, of, seq.saturating_sub(1)).await?,
        };
        let growing = Growing::new(&*self.shows, (tenant, chat, following.case.shop_account), answer_id(&fact));
        let answered = self.remote.ask(tenant, &row, &asking, &|text| growing.is_now(text)).await;
        // The customer may have got a human, or gone, while it thought.
        let head = self.log.head().await?;
        caught_up(&*self.views, head, Self::CONSUMER).await;
        if self.receives(tenant, conversation).as_ref() != Some(robot) {
            tracing::info!(tenant.id = %tenant, conversation.id = %conversation, robot = %robot, "an answer comes too late; it is dropped");
            return Ok(vec![]);
        }
        let found = match answered {
            Ok(Answered::Words { ref words, confidence, hints }) => Found::Said { words, confidence, hints },
            Ok(Answered::Unknown { hints }) => Found::Unsure { confidence: 0, related: hints },
            Ok(Answered::GiveWay) => return gave_up(HumanReason::RobotGaveWay),
            Err(error) => {
                tracing::warn!(tenant.id = %tenant, conversation.id = %conversation, robot = %robot, error = %Causes(&error), "a robot failed; a human is asked");
                return gave_up(HumanReason::RobotFailed);
            }
        };
        if matches!(found, Found::Said { .. }) {
            growing.becomes_a_message();
        }
        Ok(reply(question, following, &found))
    }
}
